/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d41_one_family - one IP family of a dual-stack pod is not captured */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/doctor/families.h"

/* An application that takes connections of the family from outside. */
static const struct nv_socket *listener(const struct netview *nv, uint8_t family)
{
	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->protocol != IPPROTO_TCP || !s->listening || addr_is_loopback(&s->local) || s->family != family ||
		    (s->lport >= 15000 && s->lport < 15100) || strcmp(s->process, "envoy") == 0 ||
		    strcmp(s->process, "pilot-agent") == 0 || strcmp(s->process, "ztunnel") == 0)
			continue;
		return s;
	}
	return NULL;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	unsigned have = rs ? families_of_addresses(d) : 0, rules = rs ? families_of_rules(rs) : 0;
	const struct netview *nv = have == FAMILY_BOTH && rules && rules != FAMILY_BOTH ? doctor_sockets(d) : NULL;
	bool v6 = rules == FAMILY_V4; /* which one is missing */
	const struct nv_socket *s = nv ? listener(nv, v6 ? AF_INET6 : AF_INET) : NULL;
	struct doctor_finding *f;

	if (!s)
		return;
	f = doctor_find(d, "the pod has addresses of both families, but Istio's rules are for %s only: connections by %s go past"
			   " the proxy", v6 ? "IPv4" : "IPv6", v6 ? "IPv6" : "IPv4");
	doctor_see(d, f, "listener", "sockets of the namespace", "%s listens on port %u for %s", s->process[0] ? s->process : "somebody",
		   s->lport, v6 ? "IPv6" : "IPv4");
	doctor_see(d, f, "rules of Istio's", "all stores", "%s only", v6 ? "IPv4" : "IPv6");
	doctor_fix(d, f, "switch dual stack on in Istio (ISTIO_DUAL_STACK=true), or give the pod one family");
	doctor_fix_self(d, f, "istio apply DUAL_STACK=true");
}

const struct doctor_entry doctor_d41 = {
	.id = "D41",
	.title = "one family of a dual-stack pod goes past the proxy",
	.link = "https://github.com/istio/istio/issues/56587",
	.explain = "Without its dual-stack setting, Istio writes rules for the family of the pod's first address only. What\n"
		   "comes by the other family reaches the application without the proxy.\n"
		   "It is told by the addresses, an application that listens on the other family, and Istio's chains.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_POD,
	.check = check,
};
