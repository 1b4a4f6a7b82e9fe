/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route_out - the route of what the namespace sends: as its socket asks for it, and again after rules changed the packet */
#include <netinet/in.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

static unsigned ask(void *ctx, unsigned n, const char *what)
{
	return run_decide(ctx, n, NULL, what, "not known");
}

struct route_key journey_key(struct run *r)
{
	const struct known32 *mark = &r->pkt.meta[NFT_META_MARK];
	/* sock_net_uid(): what has no socket counts as root's */
	const struct known32 *uid = r->rq->path == TRACE_OUT && r->leg == 0 ? &r->pkt.meta[NFT_META_SKUID]
									    : &(struct known32){ .v = 0, .k = UINT32_MAX };
	const uint8_t *nh = r->pkt.bytes + PACKET_NH, *known = r->pkt.known + PACKET_NH;
	bool v6 = run_v6(r);

	return (struct route_key){
		.dst = packet_addr(&r->pkt, true), .src = packet_addr(&r->pkt, false),
		.mark = mark->v, .mark_known = mark->k,
		.uid = uid->v, .uid_known = uid->k == UINT32_MAX || uid->absent,
		.tos = v6 ? (uint8_t)(nh[0] << 4 | nh[1] >> 4) : nh[1],
		.tos_known = v6 ? (uint8_t)(known[0] << 4 | known[1] >> 4) : known[1],
		.l4proto = r->pkt.l4proto, .sport = packet_port(&r->pkt, false),
		.dport = packet_port(&r->pkt, true), .ask = { ask, r }, .index = r->t->routes,
	};
}

/* Routes or the destination may not be known: then nothing can be said any more. */
bool route_can(struct run *r)
{
	struct addr dst = packet_addr(&r->pkt, true);

	if (r->t->nv->routes_unread)
		run_end(r, TRACE_UNKNOWN, r->t->nv->routes_unread);
	else if (!dst.family)
		run_end(r, TRACE_UNKNOWN, "the destination is not known any more");
	return !r->ended;
}

int journey_link(const struct run *r, const char *name)
{
	const struct nv_link *l = name ? nv_link_by_name(r->t->nv, name) : NULL;

	return l ? l->index : 0;
}

/* __mkroute_output(): 127.0.0.0/8 as source only through lo, unless route_localnet is set */
static bool loopback_leaves(const struct run *r, const struct route_result *res)
{
	struct addr src = packet_addr(&r->pkt, false);
	const struct nv_link *l = nv_link_by_index(r->t->nv, res->oif);

	return src.family == AF_INET && addr_is_loopback(&src) && l && !(l->flags & IFF_LOOPBACK) &&
	       !journey_routes_localnet(r, l);
}

static int device_of(const struct netview *nv, const struct addr *a)
{
	for (unsigned i = 0; i < nv->n_addrs; i++)
		if (addr_equal(&nv->addrs[i].addr, a))
			return nv->addrs[i].ifindex;
	return 0;
}

/* ip_route_output_key_hash_rcu(): a group without a device is reached by that of the source; by a device that was asked for
 * everything is, as if on link, for which there is no route */
static void output_lookup(struct run *r, struct route_key *k, struct route_result *res)
{
	const struct netview *nv = r->t->nv;
	bool v4 = k->dst.family == AF_INET;
	const struct nv_link *l;

	if (v4 && !k->oif && k->src.family && (addr_is_multicast(&k->dst) || route_limited_broadcast(&k->dst)))
		k->oif = device_of(nv, &k->src);
	route_lookup(nv, k, res);
	l = nv_link_by_index(nv, k->oif);
	if (r->ended || !v4 || res->kind != ROUTE_UNREACHABLE || !l || !(l->flags & IFF_UP))
		return;
	*res = (struct route_result){ .kind = ROUTE_UNICAST, .oif = k->oif, .src = route_source(nv, k->oif, NULL, RT_SCOPE_LINK) };
}

/* ip_route_me_harder(), ip6_route_me_harder(): the source address stays; IPv4 forgets the user, IPv6 the traffic class */
void journey_reroute(struct run *r)
{
	struct route_key k;
	struct route_result res;

	if (!route_can(r))
		return;
	k = journey_key(r);
	k.oif = journey_link(r, r->rq->oif);
	if (run_v6(r)) {
		k.tos = 0;
		k.tos_known = UINT8_MAX;
		if (!k.oif && (addr_is_linklocal(&k.dst) || addr_is_multicast(&k.dst)))
			k.oif = r->dev;
	} else {
		k.uid = 0;
		k.uid_known = true;
	}
	output_lookup(r, &k, &res);
	if (r->ended)
		return;
	if (res.kind == ROUTE_UNREACHABLE) {
		r->out.by = r->rule;
		run_end(r, TRACE_DROP, arena_printf(r->arena, "rerouting after a change failed: %s", res.why));
		return;
	}
	if (loopback_leaves(r, &res)) {
		r->out.by = r->rule;
		run_end(r, TRACE_DROP, "rerouting after a change failed: a loopback address does not leave");
		return;
	}
	journey_take_route(r, &res);
}

/* ip_route_output_key_hash_rcu(), tcp_v6_connect(): who says "any address" gets the loopback one */
static void aim_at_loopback(struct run *r)
{
	struct addr dst = packet_addr(&r->pkt, true), src = packet_addr(&r->pkt, false);
	static const uint8_t v4[4] = { 127, 0, 0, 1 }, v6[16] = { [15] = 1 };

	if (!dst.family || !addr_is_any(&dst))
		return;
	dst = run_v6(r) ? addr_from(AF_INET6, v6) : addr_from(AF_INET, v4);
	packet_set_addr(&r->pkt, true, src.family && !run_v6(r) ? &src : &dst);
}

/* tcp_v4_connect(), tcp_v6_connect() */
static bool connects(const struct run *r, const struct route_result *res)
{
	struct addr dst = packet_addr(&r->pkt, true);

	return r->pkt.l4proto != IPPROTO_TCP ||
	       (res->kind != ROUTE_BROADCAST && res->kind != ROUTE_MULTICAST && !addr_is_multicast(&dst) &&
		!route_limited_broadcast(&dst));
}

/* Is there a policy rule that a second look, with a source, may see another way? */
static bool rules_by_source(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_rules; i++)
		if (nv->rules[i].family == AF_INET && (nv->rules[i].src_len || nv->rules[i].sport_to))
			return true;
	return false;
}

static bool same_way(const struct route_result *a, const struct route_result *b)
{
	return a->kind == b->kind && a->oif == b->oif && addr_equal(&a->via, &b->via) && a->realm == b->realm &&
	       a->rule_realm == b->rule_realm;
}

/* ip_route_connect(), ip_route_newports(): IPv4 looks once more, with the source that was chosen and TCP's port; the source
 * stays. Who does not connect does not look again. */
static void look_again(struct run *r, struct route_key *k, struct route_result *res)
{
	struct route_result again;

	if (!rules_by_source(r->t->nv))
		return;
	k->src = res->src;
	k->sport = packet_port(&r->pkt, false);
	k->before = res;
	output_lookup(r, k, &again);
	again.src = res->src;
	if (r->ended || (same_way(res, &again)) ||
	    (r->pkt.l4proto != IPPROTO_TCP && run_decide(r, 2, NULL, "the program connects its socket before it sends", "not known") != 0))
		return;
	*res = again;
}

/* ip6_dst_lookup_tail(): where there is no route without a source, one is chosen of all */
static void look_from_any(struct run *r, struct route_key *k, struct route_result *res)
{
	struct addr src = route_source(r->t->nv, 0, &k->dst, 0);

	if (!src.family)
		return;
	k->src = src;
	output_lookup(r, k, res);
	res->src = src;
}

static bool of_vrf(const struct netview *nv, int index)
{
	const struct nv_link *l = nv_link_by_index(nv, index), *master = l ? nv_link_by_index(nv, l->master) : NULL;

	return (l && strcmp(l->kind, "vrf") == 0) || (master && strcmp(master->kind, "vrf") == 0);
}

/* ip_route_output_ports(), ip6_dst_lookup(): before the first hook */
static bool output_route(struct run *r, struct route_result *res)
{
	struct route_key k;
	bool any;

	if (!route_can(r))
		return false;
	k = journey_key(r);
	k.oif = journey_link(r, r->rq->oif);
	if (of_vrf(r->t->nv, k.oif)) {
		run_end(r, TRACE_UNKNOWN, "the interface is a VRF's, which is not followed");
		return false;
	}
	any = !k.src.family;
	if (r->pkt.l4proto == IPPROTO_TCP && r->rq->sport < 0)
		k.sport = 0; /* it gets one later */
	output_lookup(r, &k, res);
	if (!r->ended && any && run_v6(r) && res->kind == ROUTE_UNREACHABLE)
		look_from_any(r, &k, res);
	if (!r->ended && any && !run_v6(r) && res->kind != ROUTE_UNREACHABLE && res->src.family)
		look_again(r, &k, res);
	if (r->ended)
		return false;
	if (res->kind == ROUTE_UNREACHABLE) {
		run_end(r, TRACE_UNREACHABLE, res->why);
		return false;
	}
	if (loopback_leaves(r, res)) {
		run_end(r, TRACE_UNREACHABLE, "a loopback source address does not leave through another interface");
		return false;
	}
	if (!connects(r, res)) {
		run_end(r, TRACE_UNREACHABLE, "TCP does not connect to a broadcast or multicast address");
		return false;
	}
	return true;
}

/* ip_route_connect(): looked up once more with the source that was chosen, which must be an own address */
static bool connects_from(struct run *r, const struct route_result *res)
{
	if (run_v6(r) || r->pkt.l4proto != IPPROTO_TCP || packet_addr(&r->pkt, false).family ||
	    res->kind != ROUTE_LOCAL || !res->src.family || nv_addr_is_local(r->t->nv, &res->src))
		return true;
	run_end(r, TRACE_UNREACHABLE, "the route makes the destination the source address, which is none of the namespace's");
	return false;
}

bool route_out(struct run *r, struct route_result *ret)
{
	aim_at_loopback(r);
	return output_route(r, ret) && connects_from(r, ret);
}
