/* SPDX-License-Identifier: GPL-2.0-or-later */
/* way_back - what the route back to a packet's source says: may it come from there, how near is it */
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

/* fib4_has_custom_rules(): three of them every namespace has */
static bool has_own_rules(const struct netview *nv)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nv->n_rules; i++)
		n += nv->rules[i].family == AF_INET;
	return n > 3;
}

/* fib_has_custom_local_routes */
static bool has_own_local_routes(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_routes; i++)
		if (nv->routes[i].family == AF_INET && nv->routes[i].type == RTN_LOCAL && nv->routes[i].proto != RTPROT_KERNEL)
			return true;
	return false;
}

static bool has_address(const struct netview *nv, int ifindex)
{
	for (unsigned i = 0; i < nv->n_addrs; i++)
		if (nv->addrs[i].ifindex == ifindex && nv->addrs[i].addr.family == AF_INET)
			return true;
	return false;
}

/* fib_combine_itag(): of the route back to the source, as the upper half */
static uint32_t source_tag(const struct route_result *back)
{
	uint32_t realm = back->route && back->route->n_hops ? back->route->hops[0].realm : 0, tag = realm << 16;

	return (tag ? tag : back->rule_realm << 16) | back->rule_realm >> 16;
}

/* __fib_validate_source(), the way back: from the destination to the source, as if it came in where the packet goes out */
static struct route_key key_back(struct run *r, const struct nv_link *l, int oif)
{
	struct route_key k = journey_key(r);
	struct addr to = k.dst;
	bool vmark = r->t->nv->src_valid_mark || l->src_valid_mark;

	k.dst = k.src;
	k.src = to;
	k.iif = oif;
	k.mark = vmark ? k.mark : 0;
	k.mark_known = vmark ? k.mark_known : UINT32_MAX;
	return k;
}

bool way_back_is_near(struct run *r, const struct nv_link *l)
{
	struct route_key k = key_back(r, l, r->dev);
	struct route_result back;

	if (!k.dst.family)
		return true;
	route_lookup(r->t->nv, &k, &back);
	return back.kind == ROUTE_UNICAST && !back.via.family;
}

/* __fib_validate_source() */
static bool way_back_is_good(struct run *r, const struct nv_link *l, int oif, unsigned filter, uint32_t *tag)
{
	struct route_key k = key_back(r, l, oif);
	struct route_result back;

	route_lookup(r->t->nv, &k, &back);
	if (r->ended)
		return true;
	if (back.kind == ROUTE_UNREACHABLE)
		return !filter;
	*tag = source_tag(&back);
	if (back.kind == ROUTE_LOCAL)
		return r->t->nv->accept_local || l->accept_local;
	if (back.kind != ROUTE_UNICAST)
		return false;
	for (unsigned i = 0; back.route && i < back.route->n_hops; i++) /* fib_info_nh_uses_dev() */
		if (back.route->hops[i].oif == l->index)
			return true;
	if (back.oif == l->index || !filter)
		return true;
	return filter != 1 && has_address(r->t->nv, l->index); /* "last_resort": without an address loose is strict */
}

bool way_back_matters(const struct netview *nv)
{
	return has_own_rules(nv) || has_own_local_routes(nv) || nv->realms; /* fib_num_tclassid_users() */
}

/* fib_validate_source() */
bool way_back_is_valid(struct run *r, int iif, int oif, uint32_t *tag)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, iif);
	struct addr src = packet_addr(&r->pkt, false);
	unsigned filter;

	*tag = 0;
	r->realm_unknown = r->t->nv->realms && !run_v6(r); /* as long as there is no look at the source */
	if (!l || !l->has_conf || !src.family || addr_is_any(&src) || l->flags & IFF_LOOPBACK)
		return true;
	r->realm_unknown = false;
	filter = l->rp_filter > r->t->nv->rp_filter ? l->rp_filter : r->t->nv->rp_filter;
	if (filter || r->t->looks_back)
		return way_back_is_good(r, l, oif, filter, tag);
	return r->t->nv->accept_local || l->accept_local || !nv_addr_is_local(r->t->nv, &src);
}
