/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat - dnat, redirect, snat, masquerade, netmap, tproxy: what they make of the packet */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/trace/line.h"
#include "nsutil/trace/nat.h"
#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

static enum flow end_rule(struct run *r, enum verdict code)
{
	r->verdict.code = code;
	r->verdict.to = NULL;
	r->verdict.name = NULL;
	r->verdict.reject = false;
	return FLOW_VERDICT;
}

static bool is_dst(enum nat_kind kind, unsigned hook)
{
	if (kind == NAT_NETMAP)
		return hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT;
	return kind == NAT_DNAT || kind == NAT_REDIRECT;
}

static const char *nat_word(enum nat_kind kind)
{
	static const char *const words[] = { "snat", "dnat", "masquerade", "redirect", "netmap" };

	return kind <= NAT_NETMAP ? words[kind] : "nat";
}

static struct addr loopback_addr(bool v6)
{
	static const uint8_t v4_bytes[4] = { 127, 0, 0, 1 }, v6_bytes[16] = { [15] = 1 };

	return v6 ? addr_from(AF_INET6, v6_bytes) : addr_from(AF_INET, v4_bytes);
}

static int known_index(const struct run *r, uint32_t key)
{
	return r->pkt.meta[key].k == UINT32_MAX ? (int)r->pkt.meta[key].v : -1;
}

/* nf_nat_redirect_ipv4(), nf_nat_redirect_ipv6() */
static struct addr redirect_addr(struct run *r)
{
	struct addr dst = packet_addr(&r->pkt, true);
	int iif = known_index(r, NFT_META_IIF);

	if (r->hook == NF_INET_LOCAL_OUT)
		return loopback_addr(run_v6(r));
	if (!dst.family)
		dst = (struct addr){ .family = run_v6(r) ? AF_INET6 : AF_INET };
	return iif > 0 ? route_primary(r->t->nv, iif, &dst) : (struct addr){ 0 };
}

/* nf_nat_masquerade_ipv4(): the address the route out would choose */
static struct addr masquerade_addr(struct run *r)
{
	struct addr dst = packet_addr(&r->pkt, true);
	int oif = known_index(r, NFT_META_OIF);

	if (oif <= 0 || !dst.family)
		return (struct addr){ 0 };
	if (r->via.family == AF_INET) /* rt_nexthop() */
		dst = r->via;
	return route_source(r->t->nv, oif, &dst, 0);
}

/* What a rule says to rewrite to, maps looked up; NULL where it says nothing. */
struct nat_to {
	const struct expr *addr, *addr_max, *port, *port_max;
};

static void split_range(const struct expr **min, const struct expr **max)
{
	if (*min && (*min)->kind == EXPR_RANGE) {
		*max = (*min)->range.to;
		*min = (*min)->range.from;
	}
}

/* The data of a map stands for address and port together when it is a concatenation. */
static bool resolve(struct run *r, const struct stmt_nat *n, struct nat_to *to)
{
	*to = (struct nat_to){ n->addr, n->addr_max, n->port, n->port_max };
	if (n->addr && n->addr->kind == EXPR_MAP) {
		const struct set_elem *e = set_pick(r, n->addr->map.set, n->addr->map.key);

		if (!e || !e->data)
			return false;
		to->addr = e->data;
		if (e->data->kind == EXPR_CONCAT && e->data->concat.n == 2) {
			to->addr = e->data->concat.parts[0];
			to->port = e->data->concat.parts[1];
		}
	}
	if (to->port && to->port->kind == EXPR_MAP) {
		const struct set_elem *e = set_pick(r, to->port->map.set, to->port->map.key);

		if (!e || !e->data)
			return false;
		to->port = e->data;
	}
	split_range(&to->addr, &to->addr_max);
	split_range(&to->port, &to->port_max);
	return true;
}

/* One of a range of addresses: all of a small one are followed. */
static struct addr pick_addr(struct run *r, struct value *from, const struct value *to)
{
	uint64_t count = value_number(to) - value_number(from) + 1, pick;
	struct addr a = { 0 };
	char text[ADDR_TEXT];

	if (count == 0 || count > 16)
		return a;
	pick = count == 1 ? 0 : run_decide(r, (unsigned)count, NULL, "address out of the range",
					   "it depends on a hash");
	for (unsigned i = value_size(from); pick && i-- > 0; pick >>= 8) {
		pick += from->b[i];
		from->b[i] = (uint8_t)pick;
	}
	a = addr_from(run_v6(r) ? AF_INET6 : AF_INET, from->b);
	if (count > 1)
		run_answer(r, arena_strdup(r->arena, addr_fmt(&a, text)));
	return a;
}

/* The range of addresses; of a map's data it may be written as a prefix. */
static bool addr_range(struct run *r, const struct nat_to *to, struct value *from, struct value *max)
{
	bool prefix = to->addr->kind == EXPR_PREFIX;

	eval_expr(r, prefix ? to->addr->prefix.value : to->addr, from);
	if (to->addr_max)
		eval_expr(r, to->addr_max, max);
	else
		*max = *from;
	for (unsigned i = prefix ? to->addr->prefix.len : from->bits; i < from->bits; i++)
		max->b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return value_known(from) && value_known(max) && value_size(from) == value_size(max) &&
	       value_size(from) == (run_v6(r) ? 16u : 4u);
}

/* An address out of the rule: one, or one of a range. Family 0 when it is not known which. */
static struct addr rule_addr(struct run *r, const struct nat_to *to)
{
	struct value v, max;

	if (!addr_range(r, to, &v, &max))
		return (struct addr){ 0 };
	return value_eq(&v, &max) == TRI_TRUE ? addr_from(run_v6(r) ? AF_INET6 : AF_INET, v.b) : pick_addr(r, &v, &max);
}

/* nf_nat_l4proto_unique_tuple(): without a range a destination stays, a source is drawn when that is asked for */
static int no_port(const struct run *r, const struct stmt_nat *n)
{
	return n->flags & NF_NAT_RANGE_PROTO_RANDOM_ALL && !is_dst(n->kind, r->hook) ? -2 : -1;
}

/* A constant of the rule, as a number of so many bits */
static bool word(const struct expr *x, unsigned bits, struct value *v)
{
	return x->kind == EXPR_VALUE && value_literal(v, x) == 0 && v->bits == bits && !v->text;
}

bool nat_words(const struct stmt_nat *n, struct nat_words *ret)
{
	struct value v;

	*ret = (struct nat_words){ .nat = *n, .port = -1 };
	if (n->kind == NAT_NETMAP || n->flags & NF_NAT_RANGE_NETMAP || n->addr_max || n->port_max)
		return false;
	if (n->addr && word(n->addr, 32, &v))
		ret->addr = addr_from(AF_INET, v.b);
	else if (n->addr && word(n->addr, 128, &v))
		ret->addr = addr_from(AF_INET6, v.b);
	else if (n->addr)
		return false;
	if (n->port && !word(n->port, 16, &v))
		return false;
	if (n->port)
		ret->port = (int)value_number(&v);
	return true;
}

/* The port out of the rule (of ICMP an id, which rules do not name); -1: as it is, -2: not known which */
static int rule_port(struct run *r, const struct stmt_nat *n, const struct nat_to *to)
{
	struct value v, max;
	int now;

	if (!to->port || !packet_has_ports(&r->pkt))
		return no_port(r, n);
	eval_expr(r, to->port, &v);
	if (!value_known(&v))
		return -2;
	if (!to->port_max)
		return (int)value_number(&v);
	eval_expr(r, to->port_max, &max);
	if (value_eq(&v, &max) == TRI_TRUE)
		return (int)value_number(&v);
	/* a port inside the range is kept, unless chosen at random */
	now = packet_port(&r->pkt, is_dst(n->kind, r->hook));
	if (!(n->flags & NF_NAT_RANGE_PROTO_RANDOM_ALL) && value_known(&max) &&
	    now >= (int)value_number(&v) && now <= (int)value_number(&max))
		return now;
	return -2;
}

static void note_change(struct run *r, const char *what, const struct addr *a, int port)
{
	char text[ADDR_TEXT + 16];
	struct line l = LINE(text);

	if (!packet_has_ports(&r->pkt)) {
		run_change_text(r, what, addr_fmt(a, text));
		return;
	}
	line_str(&l, a->family == AF_INET6 ? "[" : "");
	addr_fmt(a, l.at);
	l.at += strlen(l.at);
	line_str(&l, a->family == AF_INET6 ? "]:" : ":");
	if (port < 0)
		line_str(&l, "*");
	else
		line_uint(&l, (unsigned)port);
	run_change_text(r, what, text);
}

/* nf_conntrack_alter_reply(): who is answered from, or to, is what was rewritten */
static void reply_from(struct packet_ct *ct, bool dst, const struct addr *a, int port)
{
	*(dst ? &ct->reply_saddr : &ct->reply_daddr) = *a;
	*(dst ? &ct->reply_sport : &ct->reply_dport) =
		(struct known32){ .v = port < 0 ? 0 : (uint32_t)port, .k = port < 0 ? 0 : UINT32_MAX };
}

static void rewrite(struct run *r, const struct stmt_nat *n, bool has_addr, const struct addr *a, int port)
{
	struct packet_ct *ct = &r->pkt.ct;
	bool dst = is_dst(n->kind, r->hook);
	struct addr before = packet_addr(&r->pkt, dst), now;
	int port_before = packet_port(&r->pkt, dst);

	if (dst)
		ct->dst_done = true;
	else
		ct->src_done = true;
	/* nf_nat_manip_pkt(): the template of a zone, which stands in for a connection, has no addresses */
	if (ct->attach != CT_TRACKED)
		return;
	if (has_addr)
		packet_set_addr(&r->pkt, dst, a);
	if (port == -2 && (r->pkt.l4proto == IPPROTO_ICMP || r->pkt.l4proto == IPPROTO_ICMPV6))
		packet_set_icmp_id(&r->pkt, 0, 0);
	else if (port == -2)
		packet_set_port(&r->pkt, dst, 0, 0);
	else if (port >= 0)
		packet_set_port(&r->pkt, dst, (uint16_t)port, UINT16_MAX);
	now = packet_addr(&r->pkt, dst);
	reply_from(ct, dst, &now, packet_port(&r->pkt, dst));
	/* nf_nat_setup_info(): what stays as it is does not count as rewritten */
	if (!addr_equal(&before, &now) || port_before != packet_port(&r->pkt, dst)) {
		ct->status.v |= dst ? IPS_DST_NAT : IPS_SRC_NAT;
		ct->status.k |= dst ? IPS_DST_NAT : IPS_SRC_NAT;
	} else if (!r->xt && n->flags & NF_NAT_RANGE_NETMAP && !run_v6(r)) {
		/* nft_nat_setup_netmap() sets 4 of the 16 bytes that are compared: what is in the others, the kernel's build says */
		ct->status.k &= ~(uint32_t)(dst ? IPS_DST_NAT : IPS_SRC_NAT);
	}
	note_change(r, nat_word(n->kind), &now, packet_port(&r->pkt, dst));
	if (dst)
		r->out.by = r->rule;
}

/* netmap_tg4(), nf_nat_range_map: the network part of the range, the rest of what is there */
static struct addr netmap_addr(struct run *r, const struct stmt_nat *n, const struct nat_to *to)
{
	struct addr a = packet_addr(&r->pkt, is_dst(n->kind, r->hook)), none = { 0 };
	struct value from, max;

	if (!a.family || !to->addr || !addr_range(r, to, &from, &max))
		return none;
	for (unsigned i = 0; i < addr_len(&a); i++) {
		uint8_t mask = (uint8_t)~(from.b[i] ^ max.b[i]);

		a.b[i] = (uint8_t)((from.b[i] & mask) | (a.b[i] & ~mask));
	}
	return a;
}

/* nft_nat_inet_eval(): in an inet table "dnat ip to" does nothing to an IPv6 packet, and the next rule is asked */
static bool for_family(const struct run *r, uint8_t family)
{
	return (family != NFPROTO_IPV4 && family != NFPROTO_IPV6) || family == r->pkt.family;
}

/* What a redirect or masquerade rewrites to; false: the packet is dropped, see r->out.why */
static bool own_addr(struct run *r, enum nat_kind kind, struct addr *a)
{
	*a = kind == NAT_REDIRECT ? redirect_addr(r) : masquerade_addr(r);
	r->masqueraded |= kind == NAT_MASQUERADE;
	if (kind == NAT_REDIRECT && !a->family && known_index(r, NFT_META_IIF) > 0) {
		r->out.why = "redirect found no address on the incoming interface";
		return false;
	}
	return true;
}

enum flow nat_exec(struct run *r, const struct stmt_nat *n)
{
	bool own = n->kind == NAT_REDIRECT || n->kind == NAT_MASQUERADE, has_addr = true;
	struct addr a = { 0 };
	struct nat_to to;

	if (!resolve(r, n, &to)) {
		r->why = "the map has no such element";
		return FLOW_BREAK;
	}
	if (!for_family(r, n->family))
		return FLOW_NEXT;
	if (own && !own_addr(r, n->kind, &a))
		return end_rule(r, VERDICT_DROP);
	if (n->kind == NAT_NETMAP || (!own && n->flags & NF_NAT_RANGE_NETMAP))
		a = netmap_addr(r, n, &to);
	else if (!own && to.addr)
		a = rule_addr(r, &to);
	else
		has_addr = own;
	if (!r->ended)
		rewrite(r, n, has_addr, &a, rule_port(r, n, &to));
	return end_rule(r, VERDICT_ACCEPT);
}

enum flow nat_exec_words(struct run *r, const struct nat_words *w)
{
	bool own = w->nat.kind == NAT_REDIRECT || w->nat.kind == NAT_MASQUERADE;
	struct addr a = { 0 };

	if (!for_family(r, w->nat.family))
		return FLOW_NEXT;
	if (own && !own_addr(r, w->nat.kind, &a))
		return end_rule(r, VERDICT_DROP);
	if (!own && w->addr.family == (run_v6(r) ? AF_INET6 : AF_INET))
		a = w->addr; /* one of the other IP version is not known, as rule_addr() has it */
	rewrite(r, &w->nat, own || w->nat.addr, &a, w->port < 0 || !packet_has_ports(&r->pkt) ? no_port(r, &w->nat) : w->port);
	return end_rule(r, VERDICT_ACCEPT);
}

/* ---- tproxy (nft_tproxy.c, xt_TPROXY.c, nf_tproxy_ipv4.c) ---- */

static struct addr tproxy_addr(struct run *r, const struct stmt_tproxy *t)
{
	struct addr dst = packet_addr(&r->pkt, true), a = { 0 };
	struct value v;

	if (t->addr) {
		eval_expr(r, t->addr, &v);
		if (value_known(&v) && value_size(&v) == (run_v6(r) ? 16u : 4u))
			a = addr_from(run_v6(r) ? AF_INET6 : AF_INET, v.b);
		if (a.family && !addr_is_any(&a))
			return a;
	}
	/* nf_tproxy_laddr4(): an address of the device, else where it was going */
	if (dst.family && known_index(r, NFT_META_IIF) > 0)
		a = route_primary(r->t->nv, known_index(r, NFT_META_IIF), &dst);
	return a.family ? a : dst;
}

static int tproxy_port(struct run *r, const struct stmt_tproxy *t)
{
	struct value v;

	if (!t->port)
		return packet_port(&r->pkt, true);
	eval_expr(r, t->port, &v);
	return value_known(&v) && value_number(&v) ? (int)value_number(&v) : packet_port(&r->pkt, true);
}

static void tproxy_mark(struct run *r, const struct stmt_tproxy *t)
{
	struct known32 *m = &r->pkt.meta[NFT_META_MARK];

	if (!t->mark_mask && !t->mark)
		return;
	m->v = (m->v & ~t->mark_mask) ^ t->mark;
	m->k |= t->mark_mask;
	r->pkt.version++;
	run_change(r, "mark", "%#x", m->v);
}

/* nf_tproxy_get_sock_v4(): one that is connected so already, else one that listens where the rule says, which also gets who
 * says SYN to the end of an earlier connection (nf_tproxy_handle_time_wait4) */
static const struct nv_socket *tproxy_socket(const struct run *r, const struct route_key *to)
{
	struct route_key as_is = *to;
	const struct nv_socket *s, *listener;
	unsigned at = r->pkt.th + 13u;

	as_is.dst = packet_addr(&r->pkt, true);
	as_is.dport = packet_port(&r->pkt, true);
	s = r->rq->first ? NULL : listen_connected(r->t, &as_is);
	if (s && (s->tcp_state != NV_TCP_TIME_WAIT || (r->pkt.bytes[at] & (FIN | SYN | RST | ACK)) != SYN))
		return s;
	listener = listen_find(r->t, to);
	return listener ? listener : s;
}

/* nf_tproxy_sk_is_transparent() */
static bool is_transparent(struct run *r, const struct nv_socket *s)
{
	const char *why;
	enum tri t = socket_is_transparent(r, s, &why);

	return t == TRI_UNKNOWN ? run_decide(r, 2, NULL, "a transparent socket takes the connection (tproxy)", why) == 0 : t == TRI_TRUE;
}

/* nf_tproxy_assign_sock(): from now on the packet is that socket's; skb_to_full_sk() finds a request's listener, which is not
 * told, and of what waits for its end nobody. @s: NULL: one takes it, it is not known which */
static void assign(struct run *r, const struct nv_socket *s)
{
	r->owned = true;
	r->assigned = s;
	packet_set_meta_unknown(&r->pkt, NFT_META_CGROUP);
	packet_set_meta_unknown(&r->pkt, NFT_META_SKUID);
	packet_set_meta_unknown(&r->pkt, NFT_META_SKGID);
	if (s && nv_socket_is_full(s))
		packet_set_meta(&r->pkt, NFT_META_SKUID, nv_id_inside(&r->t->nv->uids, s->uid));
	if (s && s->protocol == IPPROTO_TCP && s->tcp_state == NV_TCP_TIME_WAIT) {
		packet_set_meta_absent(&r->pkt, NFT_META_CGROUP);
		packet_set_meta_absent(&r->pkt, NFT_META_SKUID);
		packet_set_meta_absent(&r->pkt, NFT_META_SKGID);
	}
}

enum flow tproxy_exec(struct run *r, const struct stmt_tproxy *t, bool xt)
{
	struct addr src = packet_addr(&r->pkt, false), to = tproxy_addr(r, t);
	int port = tproxy_port(r, t);
	const struct nv_socket *s = NULL;
	bool takes = false;

	if (!for_family(r, t->family)) {
		r->why = "it is for the other IP version";
		return FLOW_BREAK;
	}
	if (r->t->nv->sockets_unread || !to.family || port < 0) {
		r->assumed = true;
		takes = run_decide(r, 2, NULL, "a transparent socket takes the connection (tproxy)",
				   r->t->nv->sockets_unread ? r->t->nv->sockets_unread
							    : "the destination is not known") == 0;
	} else {
		s = tproxy_socket(r, &(struct route_key){ .dst = to, .dport = port, .src = src, .sport = packet_port(&r->pkt, false),
							  .l4proto = r->pkt.l4proto, .iif = known_index(r, NFT_META_IIF) });
		takes = s && is_transparent(r, s);
	}
	if (!takes) {
		r->why = "no transparent socket listens there";
		return t->terminal || xt ? end_rule(r, VERDICT_DROP) : FLOW_BREAK;
	}
	assign(r, s);
	r->out.by = r->rule;
	note_change(r, "tproxy", &to, port);
	tproxy_mark(r, t);
	return t->terminal || xt ? end_rule(r, VERDICT_ACCEPT) : FLOW_NEXT;
}
