/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route - the kernel's route lookup on a view of a namespace: policy rules, tables, source address */
#include "nsutil/trace/route.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "nsutil/trace/value.h"

/* The rules every namespace starts with, for views that hold none. */
static const struct nv_rule default_rules[] = {
	{ .action = FR_ACT_TO_TBL, .table = RT_TABLE_LOCAL, .uid_to = UINT32_MAX, .suppress_prefixlen = -1 },
	{ .action = FR_ACT_TO_TBL, .priority = 32766, .table = RT_TABLE_MAIN, .uid_to = UINT32_MAX,
	  .suppress_prefixlen = -1 },
	{ .action = FR_ACT_TO_TBL, .priority = 32767, .table = RT_TABLE_DEFAULT, .uid_to = UINT32_MAX,
	  .suppress_prefixlen = -1 },
};

static int loopback(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_links; i++)
		if (nv->links[i].flags & IFF_LOOPBACK)
			return nv->links[i].index;
	return 1;
}

static bool link_is(const struct netview *nv, int index, const char *name)
{
	const struct nv_link *l = nv_link_by_index(nv, index);

	return l && strcmp(l->name, name) == 0;
}

static enum tri rule_mark(const struct nv_rule *r, const struct route_key *k)
{
	uint32_t known = k->mark_known & r->fwmask;

	if ((k->mark ^ r->fwmark) & known)
		return TRI_FALSE;
	return known == r->fwmask ? TRI_TRUE : TRI_UNKNOWN;
}

/* fib4_rule_match(), fib6_rule_match(): IPv4's tos rules look at three bits of it, IPv6's at all */
static enum tri tos_match(uint8_t tos, uint8_t mask, const struct route_key *k)
{
	if ((tos ^ k->tos) & mask & k->tos_known)
		return TRI_FALSE;
	return mask & ~k->tos_known ? TRI_UNKNOWN : TRI_TRUE;
}

#define IPV4_TOS 0x1c /* INET_DSCP_LEGACY_TOS_MASK */

static enum tri rule_tos(const struct nv_rule *r, const struct route_key *k)
{
	if (r->dscp_mask)
		return tos_match(r->dscp, r->dscp_mask, k);
	return r->tos ? tos_match(r->tos, k->dst.family == AF_INET ? IPV4_TOS : 0xfc, k) : TRI_TRUE;
}

static enum tri rule_uid(const struct nv_rule *r, const struct route_key *k)
{
	if (r->uid_from == 0 && r->uid_to == UINT32_MAX)
		return TRI_TRUE;
	if (!k->uid_known)
		return TRI_UNKNOWN;
	return k->uid >= r->uid_from && k->uid <= r->uid_to ? TRI_TRUE : TRI_FALSE;
}

static enum tri rule_port(uint16_t from, uint16_t to, int port)
{
	if (!from && !to)
		return TRI_TRUE;
	if (port < 0)
		return TRI_UNKNOWN;
	return port >= from && port <= to ? TRI_TRUE : TRI_FALSE;
}

/* An address the rule wants; a source not chosen yet is 0.0.0.0 or ::, which only /0 holds. */
static bool rule_addr(const struct addr *a, const struct addr *net, unsigned len)
{
	return !net->family || !len || (a->family && addr_in(a, net, len));
}

/* fib_rule_match() and fib4_rule_match(), fib6_rule_match() */
static enum tri rule_match(const struct netview *nv, const struct nv_rule *r, const struct route_key *k)
{
	enum tri t = TRI_TRUE;
	int iif = k->iif ? k->iif : loopback(nv);

	if (r->iif[0] && !link_is(nv, iif, r->iif))
		t = TRI_FALSE;
	if (r->oif[0] && !link_is(nv, k->oif, r->oif))
		t = TRI_FALSE;
	if (!rule_addr(&k->src, &r->src, r->src_len) || !rule_addr(&k->dst, &r->dst, r->dst_len))
		t = TRI_FALSE;
	if ((r->ipproto && r->ipproto != k->l4proto) || r->l3mdev)
		t = TRI_FALSE;
	t = tri_and(t, rule_tos(r, k));
	t = tri_and(t, r->unread ? TRI_UNKNOWN : TRI_TRUE);
	if (r->fwmask || r->fwmark)
		t = tri_and(t, rule_mark(r, k));
	t = tri_and(t, rule_uid(r, k));
	t = tri_and(t, rule_port(r->sport_from, r->sport_to, k->sport));
	t = tri_and(t, rule_port(r->dport_from, r->dport_to, k->dport));
	return r->invert ? tri_not(t) : t;
}

static bool settle(enum tri t, const struct route_key *k, const char *what)
{
	if (t != TRI_UNKNOWN)
		return t == TRI_TRUE;
	return k->ask.fn && k->ask.fn(k->ask.ctx, 2, what) == 0;
}

static bool has_hop(const struct nv_route *r, int oif)
{
	if (!oif)
		return true;
	for (unsigned i = 0; i < r->n_hops; i++)
		if (r->hops[i].oif == oif)
			return true;
	return false;
}

/* A source not chosen yet is fit for routes from anywhere only (fib6_node_lookup). */
bool route_fits(const struct nv_route *r, const struct route_key *k)
{
	if (!has_hop(r, k->oif) || !rule_addr(&k->src, &r->src, r->src_len))
		return false;
	return !r->tos || settle(tos_match(r->tos, IPV4_TOS, k), k, "a route for a type of service (tos) is taken");
}

/* fib_insert_alias(), fib6_node_lookup_1(): longest prefix of the destination, then of the source, type of service, metric */
bool route_before(const struct nv_route *a, const struct nv_route *b)
{
	if (a->dst_len != b->dst_len)
		return a->dst_len > b->dst_len;
	if (a->src_len != b->src_len)
		return a->src_len > b->src_len;
	if (a->tos != b->tos)
		return a->tos > b->tos;
	return a->priority < b->priority;
}

/* fib_table_lookup(), rt6_select() */
static const struct nv_route *find_route(const struct netview *nv, uint32_t table, const struct route_key *k)
{
	const struct nv_route *best = NULL;

	if (k->index)
		return route_index_find(k->index, table, k);
	for (unsigned i = 0; i < nv->n_routes; i++) {
		const struct nv_route *r = &nv->routes[i];

		if (r->table != table || r->family != k->dst.family || (best && !route_before(r, best)))
			continue;
		if ((!r->dst_len || addr_in(&k->dst, &r->dst, r->dst_len)) && route_fits(r, k))
			best = r;
	}
	return best;
}

/* rt6_device_match(): the first of one prefix that leads through the device, else the first of all */
static const struct nv_route *table_lookup(const struct netview *nv, uint32_t table, const struct route_key *k)
{
	const struct nv_route *first = find_route(nv, table, k), *best = NULL;

	if (!k->near || !first || has_hop(first, k->near))
		return first;
	for (unsigned i = 0; i < nv->n_routes; i++) {
		const struct nv_route *r = &nv->routes[i];

		if (r->table == table && r->dst_len == first->dst_len && addr_equal(&r->dst, &first->dst) && r->src_len == first->src_len &&
		    has_hop(r, k->near) && route_fits(r, k) && (!best || route_before(r, best)))
			best = r;
	}
	return best ? best : first;
}

bool route_leads(const struct netview *nv, const struct route_key *k, int oif)
{
	for (unsigned i = 0; i < nv->n_rules; i++) {
		const struct nv_route *found = nv->rules[i].family == k->dst.family ? table_lookup(nv, nv->rules[i].table, k) : NULL;

		if (found && has_hop(found, oif))
			return true;
	}
	return false;
}

static void unreachable(struct route_result *res, const char *why)
{
	res->kind = ROUTE_UNREACHABLE;
	res->why = why;
}

/* The scope of an address, as inet_select_addr() compares it: of one of loopback's it is narrower where these may leave */
static uint8_t scope_of(const struct netview *nv, const struct nv_addr *a)
{
	const struct nv_link *l = nv_link_by_index(nv, a->ifindex);
	uint8_t most = nv->route_localnet || (l && l->route_localnet) ? RT_SCOPE_LINK : RT_SCOPE_HOST;

	return a->scope < most ? a->scope : most;
}

/* inet_select_addr(): the primary address of the subnet of @to (NULL: of any), else the first primary one; else that of
 * another device */
static struct addr source_v4(const struct netview *nv, int oif, const struct addr *to, uint8_t scope)
{
	struct addr first = { 0 };

	for (unsigned i = 0; i < nv->n_addrs; i++) {
		const struct nv_addr *a = &nv->addrs[i];

		if (a->ifindex != oif || a->addr.family != AF_INET || (a->flags & IFA_F_SECONDARY) || scope_of(nv, a) > scope)
			continue;
		if (!to || addr_in(to, &a->addr, a->prefix_len))
			return a->addr;
		if (!first.family)
			first = a->addr;
	}
	for (unsigned i = 0; !first.family && i < nv->n_addrs; i++)
		if (nv->addrs[i].addr.family == AF_INET && nv->addrs[i].scope != RT_SCOPE_LINK && nv->addrs[i].scope <= scope &&
		    !(nv->addrs[i].flags & IFA_F_SECONDARY))
			first = nv->addrs[i].addr;
	return first;
}

static void take_hop(const struct route_key *k, const struct nv_route *r, struct route_result *res)
{
	unsigned pick = 0, n = 0;

	if (!r->n_hops)
		return;
	for (unsigned i = 0; i < r->n_hops; i++) {
		if ((k->oif && r->hops[i].oif == k->oif) || (k->near && r->hops[i].oif == k->near))
			pick = i;
		n++;
	}
	if (k->before && k->before->route == r) {
		res->oif = k->before->oif;
		res->via = k->before->via;
		res->realm = k->before->realm;
		return;
	}
	if (n > 1 && !k->oif && !(k->near && has_hop(r, k->near)) && k->ask.fn)
		pick = k->ask.fn(k->ask.ctx, n, "next hop of a multipath route");
	res->oif = r->hops[pick].oif;
	res->via = r->hops[pick].via;
	res->realm = r->hops[pick].realm;
}

static void take_route(const struct netview *nv, const struct route_key *k, const struct nv_route *r,
		       struct route_result *res)
{
	res->route = r;
	res->table = r->table;
	take_hop(k, r, res);
	res->src = r->prefsrc;
	switch (r->type) {
	case RTN_LOCAL:
	case RTN_ANYCAST:
		res->kind = ROUTE_LOCAL;
		if (!k->iif)
			res->oif = loopback(nv);
		if (!res->src.family) /* IPv6: of any interface, but an own address is its own source */
			res->src = k->dst.family == AF_INET6 && r->n_hops ? route_source(nv, r->hops[0].oif, &k->dst, 0)
									  : k->dst;
		return;
	case RTN_BROADCAST: res->kind = ROUTE_BROADCAST; break;
	case RTN_MULTICAST: res->kind = ROUTE_MULTICAST; break;
	case RTN_UNICAST: res->kind = ROUTE_UNICAST; break;
	case RTN_BLACKHOLE: unreachable(res, "the route is a blackhole"); return;
	case RTN_PROHIBIT: unreachable(res, "the route prohibits it"); return;
	default: unreachable(res, "the route is unreachable"); return;
	}
	if (res->src.family)
		return;
	if (k->dst.family == AF_INET) /* fib_info_update_nhc_saddr() */
		res->src = source_v4(nv, res->oif, res->via.family == AF_INET ? &res->via : NULL, r->scope);
	else
		res->src = route_source(nv, res->oif, &k->dst, 0);
}

/* A view made by hand or read without the local table: an own address is local all the same. */
static bool local_by_address(const struct netview *nv, const struct route_key *k)
{
	for (unsigned i = 0; i < nv->n_routes; i++)
		if (nv->routes[i].table == RT_TABLE_LOCAL && nv->routes[i].family == k->dst.family)
			return false;
	return nv_addr_is_local(nv, &k->dst);
}

/* fib4_rule_suppress(), fib6_rule_suppress(): of what was found; a route that is an error is found all the same */
static bool suppresses(const struct netview *nv, const struct nv_rule *r, const struct nv_route *found)
{
	const struct nv_link *l = found->n_hops ? nv_link_by_index(nv, found->hops[0].oif) : NULL;

	if (found->type == RTN_BLACKHOLE || found->type == RTN_PROHIBIT || found->type == RTN_UNREACHABLE)
		return false;
	if (r->suppress_prefixlen >= 0 && found->dst_len <= r->suppress_prefixlen)
		return true;
	return r->suppresses_group && l && l->group == r->suppress_group;
}

/* Return: true when the rule settled it */
static bool apply_rule(const struct netview *nv, const struct nv_rule *r, const struct route_key *k,
		       struct route_result *res)
{
	const struct nv_route *found;

	switch (r->action) {
	case FR_ACT_BLACKHOLE: unreachable(res, "a policy rule discards it (blackhole)"); return true;
	case FR_ACT_UNREACHABLE: unreachable(res, "a policy rule says unreachable"); return true;
	case FR_ACT_PROHIBIT: unreachable(res, "a policy rule prohibits it"); return true;
	case FR_ACT_TO_TBL: break;
	default: return false;
	}
	if (r->table == RT_TABLE_LOCAL && local_by_address(nv, k)) {
		*res = (struct route_result){ .kind = ROUTE_LOCAL, .oif = k->iif ? k->iif : loopback(nv),
					      .src = k->dst, .table = RT_TABLE_LOCAL };
		return true;
	}
	found = table_lookup(nv, r->table, k);
	if (!found || found->type == RTN_THROW)
		return false;
	if (suppresses(nv, r, found))
		return false;
	take_route(nv, k, found, res);
	res->rule_realm = r->realm;
	return true;
}

/* The kernel lists them sorted. */
static bool is_sorted(const struct nv_rule *rules, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (rules[i].priority < rules[i - 1].priority)
			return false;
	return true;
}

struct rule_list {
	const struct nv_rule *rules;
	unsigned n;
	bool sorted;
};

static bool is_plain(const struct rule_list *l, const struct nv_rule *r, const struct route_key *k)
{
	return l->rules == default_rules || (k->index && route_index_plain(k->index, r));
}

static const struct nv_rule *next_rule(const struct rule_list *l, uint8_t family, const struct nv_rule *after, uint32_t at_least)
{
	const struct nv_rule *best = NULL;

	/* priority first; rules of one priority in the order of the list */
	for (unsigned i = l->sorted && after ? (unsigned)(after - l->rules) + 1 : 0; i < l->n && !(l->sorted && best); i++) {
		const struct nv_rule *r = &l->rules[i];

		if ((r->family && r->family != family) || r->priority < at_least)
			continue;
		if (after && (r->priority < after->priority || (r->priority == after->priority && r <= after)))
			continue;
		if (!best || r->priority < best->priority)
			best = r;
	}
	return best;
}

bool route_limited_broadcast(const struct addr *a)
{
	return a->family == AF_INET && (a->b[0] & a->b[1] & a->b[2] & a->b[3]) == 255;
}

void route_lookup(const struct netview *nv, const struct route_key *k, struct route_result *res)
{
	struct rule_list l = { nv->rules, nv->n_rules, is_sorted(nv->rules, nv->n_rules) };
	const struct nv_rule *r;

	/* ip_route_input_slow(): "brd_input", before any table is asked */
	if (k->iif && route_limited_broadcast(&k->dst)) {
		*res = (struct route_result){ .kind = ROUTE_BROADCAST, .oif = k->iif };
		return;
	}
	r = next_rule(&l, k->dst.family, NULL, 0);
	if (!r) {
		l = (struct rule_list){ default_rules, 3, true };
		r = &default_rules[0];
	}
	memset(res, 0, sizeof(*res));
	while (r) {
		if (!is_plain(&l, r, k) && !settle(rule_match(nv, r, k), k, "a policy routing rule matches")) {
			r = next_rule(&l, k->dst.family, r, 0);
			continue;
		}
		if (r->action == FR_ACT_GOTO) {
			r = next_rule(&l, k->dst.family, r, r->goto_target);
			continue;
		}
		if (apply_rule(nv, r, k, res))
			return;
		r = next_rule(&l, k->dst.family, r, 0);
	}
	unreachable(res, "no route to the destination");
}

static unsigned common_bits(const struct addr *a, const struct addr *b)
{
	unsigned n = addr_len(a), i = 0;

	while (i < n * 8 && ((a->b[i / 8] ^ b->b[i / 8]) >> (7 - i % 8) & 1) == 0)
		i++;
	return i;
}

/* RFC 6724, rules 1, 2, 3, 5 and 8 (ipv6_dev_get_saddr). */
static unsigned score_v6(const struct nv_addr *a, int oif, const struct addr *dst)
{
	unsigned score = 0, same = common_bits(&a->addr, dst);
	/* ff02::/16 and ::1 have the scope of a link too */
	bool local_dst = addr_is_linklocal(dst) || addr_is_loopback(dst) || (addr_is_multicast(dst) && (dst->b[1] & 0xf) == 2);
	bool local = addr_is_linklocal(&a->addr);

	if (addr_equal(&a->addr, dst))
		score |= 1u << 20;
	if (local == local_dst)
		score |= 1u << 19;
	if (!(a->flags & IFA_F_DEPRECATED))
		score |= 1u << 18;
	if (a->ifindex == oif)
		score |= 1u << 17;
	return score | (same > a->prefix_len ? a->prefix_len : same);
}

static struct addr source_v6(const struct netview *nv, int oif, const struct addr *dst)
{
	struct addr best = { 0 };
	unsigned best_score = 0;

	for (unsigned i = 0; i < nv->n_addrs; i++) {
		const struct nv_addr *a = &nv->addrs[i];
		unsigned score;

		if (a->addr.family != AF_INET6 || !nv_addr_is_ready(a))
			continue;
		if ((addr_is_linklocal(&a->addr) || (addr_is_loopback(dst) && oif)) && a->ifindex != oif)
			continue;
		if (addr_is_loopback(&a->addr) && !addr_is_loopback(dst))
			continue;
		score = score_v6(a, oif, dst);
		if (!best.family || score > best_score) {
			best = a->addr;
			best_score = score;
		}
	}
	return best;
}

struct addr route_source(const struct netview *nv, int oif, const struct addr *dst, uint8_t scope)
{
	return dst && dst->family == AF_INET6 ? source_v6(nv, oif, dst) : source_v4(nv, oif, dst, scope);
}

struct addr route_primary(const struct netview *nv, int ifindex, const struct addr *like)
{
	struct addr first = { 0 };

	for (unsigned i = 0; i < nv->n_addrs; i++) {
		const struct nv_addr *a = &nv->addrs[i];

		if (a->ifindex != ifindex || a->addr.family != like->family)
			continue;
		if (a->addr.family == AF_INET && (a->flags & IFA_F_SECONDARY))
			continue;
		if (a->addr.family == AF_INET ||
		    addr_is_linklocal(&a->addr) == addr_is_linklocal(like))
			return a->addr;
		if (!first.family)
			first = a->addr;
	}
	return first;
}

unsigned route_addr_type(const struct netview *nv, const struct addr *a, int oif, bool strict)
{
	struct route_key k = { .dst = *a, .oif = oif };
	const struct nv_route *r;

	if (addr_is_multicast(a))
		return RTN_MULTICAST;
	if (route_limited_broadcast(a) || (a->family == AF_INET && a->b[0] == 0))
		return RTN_BROADCAST;
	r = table_lookup(nv, RT_TABLE_LOCAL, &k);
	if (r)
		return r->type;
	if (!oif && local_by_address(nv, &k))
		return RTN_LOCAL;
	if (a->family == AF_INET6) {
		struct route_result res;

		if (!strict)
			k.oif = 0;
		route_lookup(nv, &k, &res);
		return res.kind == ROUTE_UNREACHABLE ? RTN_UNREACHABLE : RTN_UNICAST;
	}
	return RTN_UNICAST;
}

static bool socket_addr_fits(const struct nv_socket *s, const struct addr *dst, bool *exact)
{
	struct addr local = s->local;

	*exact = false;
	if (local.family == AF_INET6 && dst->family == AF_INET) {
		if (s->v6only)
			return false;
		if (addr_is_any(&local))
			return true;
		if (!addr_unmap(&local))
			return false;
	}
	if (!local.family)
		return s->family == dst->family || (s->family == AF_INET6 && !s->v6only);
	if (local.family != dst->family)
		return false;
	*exact = addr_equal(&local, dst);
	return *exact || addr_is_any(&local);
}

/* compute_score() of inet_hashtables.c, udp.c and their IPv6 kin; 0: does not fit */
static unsigned socket_score(const struct nv_socket *s, const struct addr *dst, int dport,
			     const struct addr *src, int sport, int iif)
{
	bool exact;
	unsigned score = 1;

	if (s->lport != dport || !socket_addr_fits(s, dst, &exact))
		return 0;
	if (s->ifindex && s->ifindex != (uint32_t)iif)
		return 0;
	if (s->rport) {
		if (!src->family || sport != s->rport || !addr_equal(src, &s->remote))
			return 0;
		score += 16;
	}
	score += exact ? 8 : 0;
	score += s->ifindex ? 4 : 0;
	score += s->family == dst->family ? 2 : 0;
	return score;
}

const struct nv_socket *route_listener(const struct nv_socket *const *sockets, unsigned n, const struct route_key *k)
{
	const struct nv_socket *best = NULL;
	unsigned best_score = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct nv_socket *s = sockets[i];
		unsigned score;

		if (s->protocol != k->l4proto || (k->l4proto == IPPROTO_TCP && !s->listening))
			continue;
		score = socket_score(s, &k->dst, k->dport, &k->src, k->sport, k->iif);
		if (score > best_score) {
			best_score = score;
			best = s;
		}
	}
	return best;
}
