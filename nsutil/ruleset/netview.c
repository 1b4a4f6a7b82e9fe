/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netview - look-ups in the view of a network namespace */
#include "nsutil/ruleset/netview.h"

#include <linux/if_addr.h>
#include <netinet/in.h>
#include <string.h>

const struct nv_link *nv_link_by_index(const struct netview *nv, int index)
{
	for (unsigned i = 0; i < nv->n_links; i++)
		if (nv->links[i].index == index)
			return &nv->links[i];
	return NULL;
}

const struct nv_link *nv_link_by_name(const struct netview *nv, const char *name)
{
	for (unsigned i = 0; i < nv->n_links; i++)
		if (strcmp(nv->links[i].name, name) == 0)
			return &nv->links[i];
	return NULL;
}

bool nv_addr_is_local(const struct netview *nv, const struct addr *a)
{
	if (addr_is_loopback(a))
		return true;
	for (unsigned i = 0; i < nv->n_addrs; i++)
		if (addr_equal(&nv->addrs[i].addr, a))
			return true;
	return false;
}

bool nv_addr_is_ready(const struct nv_addr *a)
{
	if (a->addr.family != AF_INET6)
		return true;
	return !(a->flags & IFA_F_DADFAILED) && (!(a->flags & IFA_F_TENTATIVE) || (a->flags & IFA_F_OPTIMISTIC));
}

uint32_t nv_id_inside(const struct nv_ids *ids, uint32_t id)
{
	for (unsigned i = 0; i < ids->n; i++)
		if (id >= ids->ranges[i].outside && id - ids->ranges[i].outside < ids->ranges[i].count)
			return ids->ranges[i].inside + (id - ids->ranges[i].outside);
	return ids->n ? 65534 /* overflowuid */ : id;
}

bool nv_socket_is_full(const struct nv_socket *s)
{
	return s->protocol != IPPROTO_TCP || (s->tcp_state != NV_TCP_SYN_RECV && s->tcp_state != NV_TCP_TIME_WAIT);
}
