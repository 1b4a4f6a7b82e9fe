/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nexthop - nexthop objects, for routes that only name them (net.ipv4.nexthop_compat_mode=0) */
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/netns/parts.h"

#define MEMBERS 64 /* of a group */

static int add_group(const struct nv_attrs *a, struct netview *nv, struct nv_nexthop_object *o, struct err *e)
{
	size_t len;
	const char *at = nv_attr_nested(a, NHA_GROUP, &len);
	struct nexthop_grp g;

	for (unsigned n = 0; at && len >= sizeof(g) && n < MEMBERS; n++, at += sizeof(g), len -= sizeof(g)) {
		uint32_t *slot = nv_more(nv, o->members, o->n_members);

		if (!slot)
			return err_oom(e);
		memcpy(&g, at, sizeof(g));
		*slot = g.id;
	}
	return 0;
}

int nv_parse_nexthop(const struct nlmsghdr *nlh, struct netview *nv, struct err *e)
{
	const struct nhmsg *head = mnl_nlmsg_get_payload(nlh);
	struct nv_nexthop_object o = { 0 }, *slot;
	struct nv_attrs a;
	uint32_t oif = 0;

	if (nlh->nlmsg_type != RTM_NEWNEXTHOP || mnl_nlmsg_get_payload_len(nlh) < sizeof(*head))
		return 0;
	nv_attrs(&a, head + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*head));
	if (!nv_attr_u32(&a, NHA_ID, &o.id))
		return 0;
	nv_attr_u32(&a, NHA_OIF, &oif);
	o.hop.oif = (int)oif;
	o.hop.weight = 1;
	o.blackhole = a.tb[NHA_BLACKHOLE] != NULL;
	o.dead = head->nh_flags & RTNH_F_DEAD;
	if (head->nh_family == AF_INET || head->nh_family == AF_INET6)
		nv_attr_addr(&a, NHA_GATEWAY, head->nh_family, &o.hop.via);
	if (add_group(&a, nv, &o, e) < 0)
		return -1;
	slot = nv_more(nv, nv->nexthops, nv->n_nexthops);
	if (!slot)
		return err_oom(e);
	*slot = o;
	return 0;
}

static const struct nv_nexthop_object *find(const struct netview *nv, uint32_t id)
{
	for (unsigned i = 0; i < nv->n_nexthops; i++)
		if (nv->nexthops[i].id == id)
			return &nv->nexthops[i];
	return NULL;
}

/* Return: 0, or -1 (memory); a dead one is never chosen */
static int take(struct netview *nv, struct nv_route *r, const struct nv_nexthop_object *o, struct err *e)
{
	struct nv_nexthop *slot;

	if (!o || o->dead)
		return 0;
	slot = nv_more(nv, r->hops, r->n_hops);
	if (!slot)
		return err_oom(e);
	*slot = o->hop;
	return 0;
}

int nv_resolve_nexthops(struct netview *nv, struct err *e)
{
	for (unsigned i = 0; i < nv->n_routes; i++) {
		struct nv_route *r = &nv->routes[i];
		const struct nv_nexthop_object *o = r->nhid ? find(nv, r->nhid) : NULL;

		if (!o)
			continue;
		if (o->blackhole)
			r->type = RTN_BLACKHOLE;
		else if (!o->n_members && take(nv, r, o, e) < 0)
			return -1;
		for (unsigned n = 0; n < o->n_members; n++)
			if (take(nv, r, find(nv, o->members[n]), e) < 0)
				return -1;
	}
	return 0;
}

bool nv_names_nexthops(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_routes; i++)
		if (nv->routes[i].nhid)
			return true;
	return false;
}
