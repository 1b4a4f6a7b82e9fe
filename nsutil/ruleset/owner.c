/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner - who made a table or chain, by name and shape; which Service a kube-proxy chain serves */
#include "nsutil/ruleset/owner.h"

#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

/* A name that ends in '*' is a prefix. */
struct owner_name {
	const char *pattern, *owner;
};

/* Native nftables tables that belong to one program as a whole. */
static const struct owner_name table_names[] = {
	{ "istio-proxy-*", "Istio" },
	{ "istio-ambient-*", "Istio ambient" },
	{ "kube-proxy", "kube-proxy" },
	{ "kube-router*", "kube-router" },
	{ "calico", "Calico" },
	{ "cilium*", "Cilium" },
	{ "docker-bridges", "Docker" },
	{ "cni_hostport", "CNI portmap" },
	{ "cni_plugins_masquerade", "CNI plugins" },
	{ "cni_bandwidth*", "CNI plugins" },
	{ "firewalld", "firewalld" },
	{ "flannel-ipv4", "flannel" },
	{ "flannel-ipv6", "flannel" },
	{ "netavark", "podman (netavark)" },
	{ "libvirt_network", "libvirt" },
	{ "nm-shared-*", "NetworkManager" },
	{ "lxd", "LXD" },
	{ "incus", "Incus" },
	{ "f2b-table", "fail2ban" },
	{ "kindnet*", "kindnet" },
	{ "antrea", "Antrea" },
	{ "ovn-kubernetes", "OVN-Kubernetes" },
};

/* Chains of iptables, and of tables that several programs share. The first that fits wins. */
static const struct owner_name chain_names[] = {
	{ "ISTIO_PRERT", "Istio ambient" },
	{ "ISTIO_POSTRT", "Istio ambient" },
	{ "ISTIO_*", "Istio" },
	{ "PROXY_INIT_*", "Linkerd" },
	{ "KUBE-IPTABLES-HINT", "kubelet" },
	{ "KUBE-KUBELET-CANARY", "kubelet" },
	{ "KUBE-MARK-DROP", "kubelet" },
	{ "KUBE-FIREWALL", "kubelet" },
	{ "KUBE-ROUTER-*", "kube-router" },
	{ "KUBE-POD-FW-*", "kube-router" },
	{ "KUBE-NWPLCY-*", "kube-router" },
	{ "KUBE-*", "kube-proxy" },
	{ "cali-*", "Calico" },
	{ "cali:*", "Calico" },
	{ "felix-*", "Calico" },
	{ "CILIUM_*", "Cilium" },
	{ "OLD_CILIUM_*", "Cilium" },
	{ "AWS-SNAT-CHAIN-*", "AWS VPC CNI" },
	{ "AWS-CONNMARK-CHAIN-*", "AWS VPC CNI" },
	{ "DOCKER", "Docker" },
	{ "DOCKER-*", "Docker" },
	{ "DOCKER_*", "Docker" },
	{ "CNI-HOSTPORT-*", "CNI portmap" },
	{ "CNI-DN-*", "CNI portmap" },
	{ "CNI-SN-*", "CNI portmap" },
	{ "CNI-ADMIN", "CNI firewall" },
	{ "CNI-FORWARD", "CNI firewall" },
	{ "CNI-ISOLATION-*", "CNI firewall" },
	{ "CNI-*", "CNI plugins" },
	{ "NETAVARK*", "podman (netavark)" },
	{ "FLANNEL-*", "flannel" },
	{ "WEAVE", "Weave" },
	{ "WEAVE-*", "Weave" },
	{ "TEL_*", "Telepresence" },
	{ "telepresence-*", "Telepresence" },
	{ "ANTREA-*", "Antrea" },
	{ "OVN-KUBE-*", "OVN-Kubernetes" },
	{ "KUMA_*", "Kuma" },
	{ "MESH_*", "Kuma" },
	{ "CONSUL_*", "Consul" },
	{ "ufw-*", "ufw" },
	{ "ufw6-*", "ufw" },
	{ "IN_*", "firewalld" },
	{ "FWDI_*", "firewalld" },
	{ "FWDO_*", "firewalld" },
	{ "FWD_*", "firewalld" },
	{ "PRE_*", "firewalld" },
	{ "POST_*", "firewalld" },
	{ "INPUT_direct", "firewalld" },
	{ "INPUT_ZONES*", "firewalld" },
	{ "FORWARD_direct", "firewalld" },
	{ "FORWARD_IN_ZONES*", "firewalld" },
	{ "FORWARD_OUT_ZONES*", "firewalld" },
	{ "OUTPUT_direct", "firewalld" },
	{ "PREROUTING_direct", "firewalld" },
	{ "PREROUTING_ZONES*", "firewalld" },
	{ "POSTROUTING_direct", "firewalld" },
	{ "POSTROUTING_ZONES*", "firewalld" },
	{ "LIBVIRT_*", "libvirt" },
	{ "f2b-*", "fail2ban" },
	{ "ts-input", "Tailscale" },
	{ "ts-forward", "Tailscale" },
	{ "ts-postrouting", "Tailscale" },
	{ "nm-sh-*", "NetworkManager" },
};

static const char *by_name(const struct owner_name *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(names[i].pattern, "*");

		if (strncmp(names[i].pattern, name, len) == 0 && (names[i].pattern[len] || !name[len]))
			return names[i].owner;
	}
	return NULL;
}

const char *owner_table(const struct table *t)
{
	return t->store == STORE_NATIVE ? by_name(table_names, ARRAY_SIZE(table_names), t->name) : NULL;
}

/*
 * Sidecar and ambient Istio share the name ISTIO_OUTPUT; only ambient has ISTIO_PRERT in the pod as
 * well.
 */
static const char *by_shape(const struct chain *c, const char *owner)
{
	if (strcmp(c->name, "ISTIO_OUTPUT") == 0 && table_find_chain(c->table, "ISTIO_PRERT"))
		return "Istio ambient";
	return owner;
}

const char *owner_chain(const struct chain *c)
{
	const char *owner = owner_table(c->table);

	if (owner || c->base)
		return owner;
	owner = by_name(chain_names, ARRAY_SIZE(chain_names), c->name);
	return owner ? by_shape(c, owner) : NULL;
}

const char *owner_pattern(const char *owner, unsigned i)
{
	for (size_t n = 0; n < ARRAY_SIZE(chain_names); n++)
		if (strcmp(chain_names[n].owner, owner) == 0 && i-- == 0)
			return chain_names[n].pattern;
	return NULL;
}

const char *owner_rule(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT && s->verdict.to)
			return owner_chain(s->verdict.to);
	return NULL;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Length of "NAMESPACE/NAME" or "NAMESPACE/NAME:PORT" at p; 0 when it is none. */
static size_t service_length(const char *p)
{
	size_t ns, n;

	for (ns = 0; is_name_char(p[ns]);)
		ns++;
	if (ns == 0 || p[ns] != '/')
		return 0;
	for (n = ns + 1; is_name_char(p[n]);)
		n++;
	if (n == ns + 1)
		return 0;
	if (p[n] == ':')
		for (n++; is_name_char(p[n]);)
			n++;
	return p[n] == '\0' || p[n] == ' ' || p[n] == '"' ? n : 0;
}

static char *from_comment(const char *comment, char text[OWNER_SERVICE_TEXT])
{
	for (const char *p = comment; p && *p; p++) {
		size_t n = p == comment || p[-1] == ' ' || p[-1] == '"' ? service_length(p) : 0;

		if (n && n < OWNER_SERVICE_TEXT) {
			memcpy(text, p, n);
			text[n] = '\0';
			return text;
		}
	}
	return NULL;
}

/*
 * kube-proxy in nftables mode puts it in the name: "service-ULMVA6XW-ns/name/tcp/port",
 * "endpoint-5OJB2KTY-ns/name/tcp/port__10.180.0.1/80" (pkg/proxy/nftables/proxier.go).
 */
static char *from_name(const char *name, char text[OWNER_SERVICE_TEXT])
{
	static const char *const kinds[] = { "service-", "endpoint-", "external-", "firewall-",
					     "affinity-" };
	const char *p = NULL, *slash, *protocol, *port;

	for (size_t i = 0; !p && i < ARRAY_SIZE(kinds); i++)
		if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
			p = strchr(name + strlen(kinds[i]), '-');
	slash = p ? strchr(p, '/') : NULL;
	protocol = slash ? strchr(slash + 1, '/') : NULL;
	port = protocol ? strchr(protocol + 1, '/') : NULL;
	if (!port || protocol - p >= OWNER_SERVICE_TEXT / 2)
		return NULL;
	p++;
	memcpy(text, p, (size_t)(protocol - p));
	text[protocol - p] = '\0';
	port++;
	if (*port && strncmp(port, "__", 2) != 0) {
		const char *end = strstr(port, "__");
		size_t used = strlen(text), n = end ? (size_t)(end - port) : strlen(port);

		if (n + used + 2 > OWNER_SERVICE_TEXT)
			return NULL;
		text[used] = ':';
		memcpy(text + used + 1, port, n);
		text[used + 1 + n] = '\0';
	}
	return text;
}

char *owner_service(const struct chain *c, char text[OWNER_SERVICE_TEXT])
{
	/* chains that serve one Service; KUBE-SERVICES and the like serve all */
	static const char *const prefixes[] = { "KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-EXT-",
						"KUBE-XLB-", "KUBE-FW-" };
	unsigned looked_at = 0;

	if (c->table->store == STORE_NATIVE)
		return strcmp(c->table->name, "kube-proxy") == 0 ? from_name(c->name, text) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (strncmp(c->name, prefixes[i], strlen(prefixes[i])) != 0)
			continue;
		for (const struct rule *r = c->rules; r && looked_at < 8; r = r->next, looked_at++)
			if (from_comment(r->comment, text))
				return text;
	}
	return NULL;
}
