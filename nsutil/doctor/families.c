/* SPDX-License-Identifier: GPL-2.0-or-later */
/* families - which IP families the pod has, and which are captured */
#include "nsutil/doctor/families.h"

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nsutil/doctor/chains.h"

/* Istio's own ::6 is on lo and no address of the pod's. */
unsigned families_of_addresses(struct doctor *d)
{
	const struct netview *nv = facts_net(d);
	unsigned have = 0;

	for (unsigned i = 0; nv && i < nv->n_addrs; i++) {
		const struct nv_addr *a = &nv->addrs[i];
		const struct nv_link *l = nv_link_by_index(nv, a->ifindex);

		if (a->scope != RT_SCOPE_UNIVERSE || addr_is_loopback(&a->addr) || (l && l->name[0] == 'l' && l->name[1] == 'o' && !l->name[2]))
			continue;
		have |= a->addr.family == AF_INET ? FAMILY_V4 : FAMILY_V6;
	}
	return have;
}

unsigned families_of_rules(const struct ruleset *rs)
{
	return (chains_stores(rs, NFPROTO_IPV4, "Istio") ? FAMILY_V4 : 0) |
	       (chains_stores(rs, NFPROTO_IPV6, "Istio") ? FAMILY_V6 : 0);
}
