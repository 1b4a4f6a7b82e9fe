/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings - the one table of Istio's settings and presets */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/config.h"

#define AT(member) offsetof(struct istio_config, member)
#define RULES ISTIO_SET_RULES
#define OURS (ISTIO_SET_OURS | ISTIO_SET_RULES)

static const char *const binaries[] = { "", "legacy", "nft", NULL };
static const char *const modes[] = { "sidecar", "ambient", NULL };

/* Order, names and defaults: tools/istio-iptables/pkg/cmd and pkg/constants of istio/istio. */
const struct istio_setting istio_settings[] = {
	{ "ProxyPort", "ENVOY_PORT", NULL, "envoy-port", 'p', ISTIO_PORT, RULES | ISTIO_SET_NO_ENV,
	  AT(proxy_port), "15001", NULL, "port that outbound connections are redirected to" },
	{ "InboundCapturePort", "INBOUND_CAPTURE_PORT", NULL, "inbound-capture-port", 'z', ISTIO_PORT,
	  RULES, AT(inbound_capture_port), "15006", NULL, "port that inbound connections are redirected to" },
	{ "InboundTunnelPort", "INBOUND_TUNNEL_PORT", NULL, "inbound-tunnel-port", 'e', ISTIO_PORT, RULES,
	  AT(inbound_tunnel_port), "15008", NULL, "HBONE port, never redirected" },
	{ "ProxyUID", "PROXY_UID", NULL, "proxy-uid", 'u', ISTIO_IDS, RULES, AT(proxy_uid), "", NULL,
	  "user ids of the proxy; empty: the id of ENVOY_USER" },
	{ "ProxyGID", "PROXY_GID", NULL, "proxy-gid", 'g', ISTIO_IDS, RULES, AT(proxy_gid), "", NULL,
	  "group ids of the proxy; empty: as PROXY_UID" },
	{ "InboundInterceptionMode", "ISTIO_INBOUND_INTERCEPTION_MODE", NULL,
	  "istio-inbound-interception-mode", 'm', ISTIO_TEXT, RULES, AT(interception_mode), "", NULL,
	  "TPROXY, or anything else for REDIRECT" },
	{ "InboundPortsInclude", "ISTIO_INBOUND_PORTS", NULL, "istio-inbound-ports", 'b', ISTIO_PORTS_STAR,
	  RULES, AT(inbound_ports_include), "", NULL, "inbound ports to capture; empty: none" },
	{ "InboundPortsExclude", "ISTIO_LOCAL_EXCLUDE_PORTS", NULL, "istio-local-exclude-ports", 'd',
	  ISTIO_PORTS, RULES, AT(inbound_ports_exclude), "", NULL,
	  "inbound ports to leave alone when all are captured" },
	{ "ExcludeInterfaces", "ISTIO_EXCLUDE_INTERFACES", NULL, "istio-exclude-interfaces", 'c',
	  ISTIO_INTERFACES, RULES, AT(exclude_interfaces), "", NULL, "interfaces never captured" },
	{ "OutboundIPRangesInclude", "ISTIO_SERVICE_CIDR", NULL, "istio-service-cidr", 'i',
	  ISTIO_CIDRS_STAR, RULES, AT(outbound_ranges_include), "", NULL,
	  "outbound destinations to capture; empty: none" },
	{ "OutboundIPRangesExclude", "ISTIO_SERVICE_EXCLUDE_CIDR", NULL, "istio-service-exclude-cidr", 'x',
	  ISTIO_CIDRS, RULES, AT(outbound_ranges_exclude), "", NULL, "outbound destinations to leave alone" },
	{ "OutboundPortsInclude", "ISTIO_OUTBOUND_PORTS", NULL, "istio-outbound-ports", 'q', ISTIO_PORTS,
	  RULES, AT(outbound_ports_include), "", NULL, "outbound TCP ports to capture in any case" },
	{ "OutboundPortsExclude", "ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE", NULL,
	  "istio-local-outbound-ports-exclude", 'o', ISTIO_PORTS, RULES, AT(outbound_ports_exclude), "", NULL,
	  "outbound ports to leave alone" },
	{ "RerouteVirtualInterfaces", "KUBE_VIRT_INTERFACES", NULL, "kube-virt-interfaces", 'k',
	  ISTIO_INTERFACES, RULES, AT(virtual_interfaces), "", NULL,
	  "interfaces whose inbound traffic counts as outbound" },
	{ "InboundTProxyMark", "ISTIO_INBOUND_TPROXY_MARK", NULL, "istio-inbound-tproxy-mark", 't',
	  ISTIO_NUMBER, RULES, AT(tproxy_mark), "1337", NULL, "packet mark of TPROXY" },
	{ "InboundTProxyRouteTable", "ISTIO_INBOUND_TPROXY_ROUTE_TABLE", NULL,
	  "istio-inbound-tproxy-route-table", 'r', ISTIO_NUMBER, RULES, AT(tproxy_table), "133", NULL,
	  "routing table of TPROXY" },
	{ "DryRun", "DRY_RUN", NULL, "dry-run", 'n', ISTIO_BOOL, 0, AT(dry_run), "false", NULL,
	  "Istio's own dry run; here --dry-run" },
	{ "IptablesProbePort", "IPTABLES_PROBE_PORT", NULL, "iptables-probe-port", 0, ISTIO_PORT, 0,
	  AT(probe_port), "15002", NULL, "port of Istio's self-validation" },
	{ "ProbeTimeout", "PROBE_TIMEOUT", NULL, "probe-timeout", 0, ISTIO_TEXT, 0, AT(probe_timeout), "5s",
	  NULL, "time-out of Istio's self-validation" },
	{ "SkipRuleApply", "SKIP_RULE_APPLY", NULL, "skip-rule-apply", 0, ISTIO_BOOL, 0, AT(skip_rule_apply),
	  "false", NULL, "Istio writes no rules" },
	{ "RunValidation", "RUN_VALIDATION", NULL, "run-validation", 0, ISTIO_BOOL, 0, AT(run_validation),
	  "false", NULL, "Istio validates the rules afterwards" },
	{ "RedirectDNS", "REDIRECT_DNS", "ISTIO_META_DNS_CAPTURE", "redirect-dns", 0, ISTIO_BOOL, RULES,
	  AT(redirect_dns), "false", NULL, "capture DNS" },
	{ "CaptureAllDNS", "CAPTURE_ALL_DNS", NULL, "capture-all-dns", 0, ISTIO_BOOL, RULES,
	  AT(capture_all_dns), "false", NULL, "capture all of port 53, not only the servers of resolv.conf" },
	{ "DropInvalid", "DROP_INVALID", "INVALID_DROP", "drop-invalid", 0, ISTIO_BOOL, RULES,
	  AT(drop_invalid), "false", NULL, "drop packets that connection tracking calls invalid" },
	{ "DualStack", "DUAL_STACK", "ISTIO_DUAL_STACK", "dual-stack", 0, ISTIO_BOOL, RULES, AT(dual_stack),
	  "false", NULL, "any IPv6 address switches IPv6 on, not only the first address" },
	{ "NetworkNamespace", "NETWORK_NAMESPACE", NULL, "network-namespace", 0, ISTIO_TEXT, 0,
	  AT(network_namespace), "", NULL, "Istio's lock file and nsenter target" },
	{ "HostFilesystemPodNetwork", "CNI_MODE", NULL, "cni-mode", 0, ISTIO_BOOL, 0, AT(cni_mode), "false",
	  NULL, "Istio runs in the pod's network but the node's files" },
	{ "Reconcile", "RECONCILE", NULL, "reconcile", 0, ISTIO_BOOL, 0, AT(reconcile), "false", NULL,
	  "Istio replaces differing rules" },
	{ "CleanupOnly", "CLEANUP_ONLY", NULL, "cleanup-only", 0, ISTIO_BOOL, 0, AT(cleanup_only), "false",
	  NULL, "Istio removes its rules; here: istio flush" },
	{ "ForceApply", "FORCE_APPLY", NULL, "force-apply", 0, ISTIO_BOOL, 0, AT(force_apply), "false", NULL,
	  "Istio writes even when nothing differs" },
	{ "NativeNftables", "NATIVE_NFTABLES", NULL, "native-nftables", 0, ISTIO_BOOL, RULES,
	  AT(native_nftables), "false", NULL, "native nftables rules in place of iptables ones" },
	{ "ForceIptablesBinary", "FORCE_IPTABLES_BINARY", NULL, "force-iptables-binary", 0, ISTIO_CHOICE,
	  RULES, AT(force_binary), "", binaries, "the iptables variant Istio must use" },
	{ "HostIPv4LoopbackCidr", "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", NULL, NULL, 0, ISTIO_CIDR4, RULES,
	  AT(loopback_cidr), "127.0.0.1/32", NULL, "IPv4 loopback range that is never redirected" },
	{ "OwnerGroupsInclude", "ISTIO_OUTBOUND_OWNER_GROUPS", NULL, NULL, 0, ISTIO_GROUPS_STAR, RULES,
	  AT(groups_include), "*", NULL, "groups whose outbound traffic is captured; empty: none" },
	{ "OwnerGroupsExclude", "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", NULL, NULL, 0, ISTIO_GROUPS, RULES,
	  AT(groups_exclude), "", NULL, "groups whose outbound traffic is left alone" },
	{ "EnvoyUser", "ENVOY_USER", NULL, NULL, 0, ISTIO_TEXT, 0, AT(envoy_user), "istio-proxy", NULL,
	  "user that is looked up when PROXY_UID is empty" },
	{ "DryRunFilePath", "DRY_RUN_FILE_PATH", NULL, NULL, 0, ISTIO_TEXT, 0, AT(dry_run_file), "", NULL,
	  "where Istio's own dry run writes" },
	{ "HostProbeSNATAddress", "HOST_PROBE_SNAT_IP", NULL, NULL, 0, ISTIO_ADDR4, RULES, AT(probe_snat4),
	  "169.254.7.127", NULL, "ambient: source of the node's probes" },
	{ "HostProbeV6SNATAddress", "HOST_PROBE_SNAT_IPV6", NULL, NULL, 0, ISTIO_ADDR6, RULES,
	  AT(probe_snat6), "fd16:9254:7127:1337:ffff:ffff:ffff:ffff", NULL,
	  "ambient: source of the node's IPv6 probes" },
	{ "Mode", "MODE", NULL, NULL, 0, ISTIO_CHOICE, OURS, AT(mode), "sidecar", modes,
	  "the data plane the pod is in" },
	{ "IngressMode", "INGRESS_MODE", NULL, NULL, 0, ISTIO_BOOL, OURS, AT(ingress_mode), "false", NULL,
	  "ambient: as ambient.istio.io/bypass-inbound-capture" },
	{ "EnableIPv6", "ENABLE_INBOUND_IPV6", NULL, NULL, 0, ISTIO_TRISTATE, OURS, AT(enable_ipv6), "", NULL,
	  "rules for IPv6 too; empty: as the target's addresses say" },
	{ "DNSServers", "DNS_SERVERS", NULL, NULL, 0, ISTIO_ADDRS, OURS, AT(dns_servers), "", NULL,
	  "servers of DNS capture; empty: those of the target's resolv.conf" },
	{ .field = NULL },
};

_Static_assert(ARRAY_SIZE(istio_settings) <= ISTIO_MAX_SETTINGS, "make ISTIO_MAX_SETTINGS larger");

/* What each installer passes (SPEC A6). */
static const char *const preset_none[] = { NULL };
static const char *const preset_init[] = {
	"PROXY_UID=1337", "ISTIO_INBOUND_INTERCEPTION_MODE=REDIRECT", "ISTIO_SERVICE_CIDR=*",
	"ISTIO_INBOUND_PORTS=*", "ISTIO_LOCAL_EXCLUDE_PORTS=15090,15021,15020", NULL,
};
static const char *const preset_cni[] = {
	"PROXY_UID=1337", "PROXY_GID=1337", "ISTIO_INBOUND_INTERCEPTION_MODE=REDIRECT",
	"ISTIO_SERVICE_CIDR=*", "ISTIO_INBOUND_PORTS=*", "ISTIO_LOCAL_EXCLUDE_PORTS=15020,15021,15090",
	"ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE=15020", "CNI_MODE=true", NULL,
};
static const char *const preset_vm[] = {
	"ISTIO_SERVICE_CIDR=*", "ISTIO_INBOUND_PORTS=*", "ISTIO_LOCAL_EXCLUDE_PORTS=22,15090,15021,15020",
	NULL,
};
static const char *const preset_ambient[] = {
	"MODE=ambient", "REDIRECT_DNS=true", "ENABLE_INBOUND_IPV6=true", NULL,
};

const struct istio_preset istio_presets[] = {
	{ "istio-init", "the sidecar injector's init container", preset_init },
	{ "cni", "the istio-cni plugin, for sidecars", preset_cni },
	{ "vm", "a virtual machine (istioctl x workload entry configure)", preset_vm },
	{ "ambient", "the istio-cni agent, for pods of the ambient mesh", preset_ambient },
	{ "none", "compiled defaults only", preset_none },
	{ .name = NULL },
};

static bool is(const char *name, const char *text, size_t n)
{
	return name && strlen(name) == n && memcmp(name, text, n) == 0;
}

const struct istio_setting *istio_setting_find(const char *name, size_t n)
{
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		if (is(s->env, name, n) || is(s->env2, name, n) || is(s->flag, name, n) ||
		    is(s->field, name, n))
			return s;
	return NULL;
}

const struct istio_setting *istio_setting_by_letter(char letter)
{
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		if (letter && s->letter == letter)
			return s;
	return NULL;
}

const char *istio_setting_values(const struct istio_setting *s)
{
	static const char *const words[] = {
		[ISTIO_PORT] = "port", [ISTIO_PORTS] = "ports", [ISTIO_PORTS_STAR] = "ports or *",
		[ISTIO_IDS] = "ids", [ISTIO_GROUPS] = "groups", [ISTIO_GROUPS_STAR] = "groups or *",
		[ISTIO_CIDRS] = "CIDRs", [ISTIO_CIDRS_STAR] = "CIDRs or *", [ISTIO_CIDR4] = "CIDR",
		[ISTIO_ADDR4] = "address", [ISTIO_ADDR6] = "address", [ISTIO_ADDRS] = "addresses",
		[ISTIO_INTERFACES] = "interfaces", [ISTIO_NUMBER] = "number", [ISTIO_BOOL] = "true or false",
		[ISTIO_TRISTATE] = "true, false or empty", [ISTIO_CHOICE] = "word", [ISTIO_TEXT] = "text",
	};

	return words[s->kind];
}

const char *istio_source_name(enum istio_source s)
{
	static const char *const words[] = {
		[ISTIO_FROM_DEFAULT] = "default", [ISTIO_FROM_PRESET] = "preset",
		[ISTIO_FROM_ENV] = "setting", [ISTIO_FROM_ENV2] = "setting",
		[ISTIO_FROM_ARGV] = "argument", [ISTIO_FROM_TARGET] = "target",
	};

	return words[s];
}
