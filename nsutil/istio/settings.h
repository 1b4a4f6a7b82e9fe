/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings - the one list of Istio's settings; parsing, help, completion and the manual come from it */
#ifndef NSUTIL_ISTIO_SETTINGS_H
#define NSUTIL_ISTIO_SETTINGS_H

/*
 * X(field, env, env2, flag, letter, kind, flags, member, fallback, choices, help)
 * Order, names and defaults as in tools/istio-iptables/pkg/cmd and pkg/constants of istio/istio.
 * The outbound port has no variable (ENVOY_PORT is only logged), so its flag is its word.
 */
#define ISTIO_SETTINGS(X) \
	X("ProxyPort", "envoy-port", NULL, "envoy-port", 'p', ISTIO_PORT, ISTIO_SET_RULES, \
	  proxy_port, "15001", NULL, "port that outbound connections are redirected to") \
	X("InboundCapturePort", "INBOUND_CAPTURE_PORT", NULL, "inbound-capture-port", 'z', \
	  ISTIO_PORT, ISTIO_SET_RULES, inbound_capture_port, "15006", NULL, \
	  "port that inbound connections are redirected to") \
	X("InboundTunnelPort", "INBOUND_TUNNEL_PORT", NULL, "inbound-tunnel-port", 'e', \
	  ISTIO_PORT, ISTIO_SET_RULES, inbound_tunnel_port, "15008", NULL, \
	  "HBONE port, never redirected") \
	X("ProxyUID", "PROXY_UID", NULL, "proxy-uid", 'u', ISTIO_IDS, ISTIO_SET_RULES, proxy_uid, \
	  "", NULL, "user ids of the proxy; empty: the id of ENVOY_USER") \
	X("ProxyGID", "PROXY_GID", NULL, "proxy-gid", 'g', ISTIO_IDS, ISTIO_SET_RULES, proxy_gid, \
	  "", NULL, "group ids of the proxy; empty: as PROXY_UID") \
	X("InboundInterceptionMode", "ISTIO_INBOUND_INTERCEPTION_MODE", NULL, \
	  "istio-inbound-interception-mode", 'm', ISTIO_TEXT, ISTIO_SET_RULES, interception_mode, \
	  "", NULL, "TPROXY, or anything else for REDIRECT") \
	X("InboundPortsInclude", "ISTIO_INBOUND_PORTS", NULL, "istio-inbound-ports", 'b', \
	  ISTIO_PORTS_STAR, ISTIO_SET_RULES, inbound_ports_include, "", NULL, \
	  "inbound ports to capture; empty: none") \
	X("InboundPortsExclude", "ISTIO_LOCAL_EXCLUDE_PORTS", NULL, "istio-local-exclude-ports", \
	  'd', ISTIO_PORTS, ISTIO_SET_RULES, inbound_ports_exclude, "", NULL, \
	  "inbound ports to leave alone when all are captured") \
	X("ExcludeInterfaces", "ISTIO_EXCLUDE_INTERFACES", NULL, "istio-exclude-interfaces", 'c', \
	  ISTIO_INTERFACES, ISTIO_SET_RULES, exclude_interfaces, "", NULL, \
	  "interfaces never captured") \
	X("OutboundIPRangesInclude", "ISTIO_SERVICE_CIDR", NULL, "istio-service-cidr", 'i', \
	  ISTIO_CIDRS_STAR, ISTIO_SET_RULES, outbound_ranges_include, "", NULL, \
	  "outbound destinations to capture; empty: none") \
	X("OutboundIPRangesExclude", "ISTIO_SERVICE_EXCLUDE_CIDR", NULL, \
	  "istio-service-exclude-cidr", 'x', ISTIO_CIDRS, ISTIO_SET_RULES, \
	  outbound_ranges_exclude, "", NULL, "outbound destinations to leave alone") \
	X("OutboundPortsInclude", "ISTIO_OUTBOUND_PORTS", NULL, "istio-outbound-ports", 'q', \
	  ISTIO_PORTS, ISTIO_SET_RULES, outbound_ports_include, "", NULL, \
	  "outbound TCP ports to capture in any case") \
	X("OutboundPortsExclude", "ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE", NULL, \
	  "istio-local-outbound-ports-exclude", 'o', ISTIO_PORTS, ISTIO_SET_RULES, \
	  outbound_ports_exclude, "", NULL, "outbound ports to leave alone") \
	X("RerouteVirtualInterfaces", "KUBE_VIRT_INTERFACES", NULL, "kube-virt-interfaces", 'k', \
	  ISTIO_INTERFACES, ISTIO_SET_RULES, virtual_interfaces, "", NULL, \
	  "interfaces whose inbound traffic counts as outbound") \
	X("InboundTProxyMark", "ISTIO_INBOUND_TPROXY_MARK", NULL, "istio-inbound-tproxy-mark", \
	  't', ISTIO_NUMBER, ISTIO_SET_RULES, tproxy_mark, "1337", NULL, "packet mark of TPROXY") \
	X("InboundTProxyRouteTable", "ISTIO_INBOUND_TPROXY_ROUTE_TABLE", NULL, \
	  "istio-inbound-tproxy-route-table", 'r', ISTIO_NUMBER, ISTIO_SET_RULES, tproxy_table, \
	  "133", NULL, "routing table of TPROXY") \
	X("DryRun", "DRY_RUN", NULL, "dry-run", 'n', ISTIO_BOOL, 0, dry_run, "false", NULL, \
	  "Istio's own dry run; here --dry-run") \
	X("IptablesProbePort", "IPTABLES_PROBE_PORT", NULL, "iptables-probe-port", 0, ISTIO_PORT, \
	  0, probe_port, "15002", NULL, "port of Istio's self-validation") \
	X("ProbeTimeout", "PROBE_TIMEOUT", NULL, "probe-timeout", 0, ISTIO_TEXT, 0, probe_timeout, \
	  "5s", NULL, "time-out of Istio's self-validation") \
	X("SkipRuleApply", "SKIP_RULE_APPLY", NULL, "skip-rule-apply", 0, ISTIO_BOOL, 0, \
	  skip_rule_apply, "false", NULL, "Istio writes no rules") \
	X("RunValidation", "RUN_VALIDATION", NULL, "run-validation", 0, ISTIO_BOOL, 0, \
	  run_validation, "false", NULL, "Istio validates the rules afterwards") \
	X("RedirectDNS", "REDIRECT_DNS", "ISTIO_META_DNS_CAPTURE", "redirect-dns", 0, ISTIO_BOOL, \
	  ISTIO_SET_RULES, redirect_dns, "false", NULL, "capture DNS") \
	X("CaptureAllDNS", "CAPTURE_ALL_DNS", NULL, "capture-all-dns", 0, ISTIO_BOOL, \
	  ISTIO_SET_RULES, capture_all_dns, "false", NULL, \
	  "capture all of port 53, not only the servers of resolv.conf") \
	X("DropInvalid", "DROP_INVALID", "INVALID_DROP", "drop-invalid", 0, ISTIO_BOOL, \
	  ISTIO_SET_RULES, drop_invalid, "false", NULL, \
	  "drop packets that connection tracking calls invalid") \
	X("DualStack", "DUAL_STACK", "ISTIO_DUAL_STACK", "dual-stack", 0, ISTIO_BOOL, \
	  ISTIO_SET_RULES, dual_stack, "false", NULL, \
	  "any IPv6 address switches IPv6 on, not only the first address") \
	X("NetworkNamespace", "NETWORK_NAMESPACE", NULL, "network-namespace", 0, ISTIO_TEXT, 0, \
	  network_namespace, "", NULL, "Istio's lock file and nsenter target") \
	X("HostFilesystemPodNetwork", "CNI_MODE", NULL, "cni-mode", 0, ISTIO_BOOL, 0, cni_mode, \
	  "false", NULL, "Istio runs in the pod's network but the node's files") \
	X("Reconcile", "RECONCILE", NULL, "reconcile", 0, ISTIO_BOOL, 0, reconcile, "false", NULL, \
	  "Istio replaces differing rules") \
	X("CleanupOnly", "CLEANUP_ONLY", NULL, "cleanup-only", 0, ISTIO_BOOL, 0, cleanup_only, \
	  "false", NULL, "Istio removes its rules; here: istio flush") \
	X("ForceApply", "FORCE_APPLY", NULL, "force-apply", 0, ISTIO_BOOL, 0, force_apply, \
	  "false", NULL, "Istio writes even when nothing differs") \
	X("NativeNftables", "NATIVE_NFTABLES", NULL, "native-nftables", 0, ISTIO_BOOL, \
	  ISTIO_SET_RULES, native_nftables, "false", NULL, \
	  "native nftables rules in place of iptables ones") \
	X("ForceIptablesBinary", "FORCE_IPTABLES_BINARY", NULL, "force-iptables-binary", 0, \
	  ISTIO_CHOICE, ISTIO_SET_RULES, force_binary, "", istio_binaries, \
	  "the iptables variant Istio must use") \
	X("HostIPv4LoopbackCidr", "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", NULL, NULL, 0, ISTIO_CIDR4, \
	  ISTIO_SET_RULES, loopback_cidr, "127.0.0.1/32", NULL, \
	  "IPv4 loopback range that is never redirected") \
	X("OwnerGroupsInclude", "ISTIO_OUTBOUND_OWNER_GROUPS", NULL, NULL, 0, ISTIO_GROUPS_STAR, \
	  ISTIO_SET_RULES, groups_include, "*", NULL, \
	  "groups whose outbound traffic is captured; empty: none") \
	X("OwnerGroupsExclude", "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", NULL, NULL, 0, \
	  ISTIO_GROUPS, ISTIO_SET_RULES, groups_exclude, "", NULL, \
	  "groups whose outbound traffic is left alone") \
	X("EnvoyUser", "ENVOY_USER", NULL, NULL, 0, ISTIO_TEXT, 0, envoy_user, "istio-proxy", \
	  NULL, "user that is looked up when PROXY_UID is empty") \
	X("DryRunFilePath", "DRY_RUN_FILE_PATH", NULL, NULL, 0, ISTIO_TEXT, 0, dry_run_file, "", \
	  NULL, "where Istio's own dry run writes") \
	X("HostProbeSNATAddress", "HOST_PROBE_SNAT_IP", NULL, NULL, 0, ISTIO_ADDR4, \
	  ISTIO_SET_RULES, probe_snat4, "169.254.7.127", NULL, \
	  "ambient: source of the node's probes") \
	X("HostProbeV6SNATAddress", "HOST_PROBE_SNAT_IPV6", NULL, NULL, 0, ISTIO_ADDR6, \
	  ISTIO_SET_RULES, probe_snat6, "fd16:9254:7127:1337:ffff:ffff:ffff:ffff", NULL, \
	  "ambient: source of the node's IPv6 probes") \
	X("Mode", "MODE", NULL, NULL, 0, ISTIO_CHOICE, ISTIO_SET_OURS | ISTIO_SET_RULES, mode, \
	  "sidecar", istio_modes, "the data plane the pod is in") \
	X("Version", "ISTIO_VERSION", NULL, NULL, 0, ISTIO_TEXT, ISTIO_SET_OURS | ISTIO_SET_RULES, version, \
	  "1.30", NULL, "the version of Istio whose rules are wanted, from 1.7 on") \
	X("IngressMode", "INGRESS_MODE", NULL, NULL, 0, ISTIO_BOOL, \
	  ISTIO_SET_OURS | ISTIO_SET_RULES, ingress_mode, "false", NULL, \
	  "ambient: as ambient.istio.io/bypass-inbound-capture") \
	X("EnableIPv6", "ENABLE_INBOUND_IPV6", NULL, NULL, 0, ISTIO_TRISTATE, \
	  ISTIO_SET_OURS | ISTIO_SET_RULES, enable_ipv6, "", NULL, \
	  "rules for IPv6 too; empty: as the target's addresses say") \
	X("DNSServers", "DNS_SERVERS", NULL, NULL, 0, ISTIO_ADDRS, \
	  ISTIO_SET_OURS | ISTIO_SET_RULES, dns_servers, "", NULL, \
	  "servers of DNS capture; empty: those of the target's resolv.conf")

/* A line of help for each, for use in string constants. */
#define ISTIO_SETTING_LINE(field, env, env2, flag, letter, kind, flags, member, fallback, choices, help) \
	"  " env "\n      " help "\n"
#define ISTIO_SETTING_HELP ISTIO_SETTINGS(ISTIO_SETTING_LINE)

#endif
