/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset - is a packet in an ipset (net/netfilter/ipset/ip_set_core.c, ip_set_hash_gen.h; xt_set.c) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/ipset.h"
#include "nsutil/trace/run.h"

#define NESTED 4 /* list:set holds no lists, but bytes from outside may */

/* What the packet is in the dimensions that the rule asks for. */
struct asked {
	struct addr ip[IPSET_DIMS_MAX]; /* by dimension; family 0: not known */
	int proto, port;		/* -1: not known */
	bool has_port;			/* a fragment has none */
	const char *iface;		/* NULL: not known */
	uint32_t mark, mark_known;
	const uint8_t *mac;		/* NULL: not known */
	bool no_mac;			/* there is none, or an empty one */
	const char *why;		/* of what is not known */
};

static enum tri unknown(struct run *r, const char *why)
{
	r->why = why;
	return TRI_UNKNOWN;
}

/* ip_set_get_ip_port(): ICMP's type and code stand for a port; other protocols have port 0 */
static void take_port(struct run *r, bool src, struct asked *a)
{
	const struct packet *p = &r->pkt;

	a->proto = p->l4proto;
	a->has_port = !p->fragment;
	if (p->l4proto == IPPROTO_ICMP || p->l4proto == IPPROTO_ICMPV6)
		a->port = (p->known[p->th] & p->known[p->th + 1u]) == 0xff ? p->bytes[p->th] << 8 | p->bytes[p->th + 1u] : -1;
	else
		a->port = packet_has_ports(p) ? packet_port(p, !src) : 0;
	if (a->port < 0)
		a->why = src ? "the source port is not given" : "the port is not given";
}

static void take_iface(struct run *r, bool src, struct asked *a)
{
	const char *name = src ? r->pkt.iifname : r->pkt.oifname;

	a->iface = name[0] || r->pkt.meta[src ? NFT_META_IIF : NFT_META_OIF].k == UINT32_MAX ? name : NULL;
	if (!a->iface)
		a->why = "the interface is not known";
}

/* hash_mac4_kadt(): a packet of this namespace has no frame yet, one of lo an empty one */
static void take_mac(struct run *r, bool src, struct asked *a)
{
	static const uint8_t zero[6];

	a->mac = packet_mac(&r->pkt, !src);
	a->no_mac = !r->pkt.ll || (a->mac && memcmp(a->mac, zero, sizeof(zero)) == 0);
	if (!a->mac && !a->no_mac)
		a->why = src ? "the hardware address of the sender is not given" : "the hardware address it was sent to is not given";
}

static void take(struct run *r, const struct ipset *set, const struct expr *x, struct asked *a)
{
	memset(a, 0, sizeof(*a));
	for (unsigned d = 0; d < set->n_dims; d++) {
		bool src = x->ipset.src >> d & 1;

		switch (set->dims[d]) {
		case IPSET_DIM_ADDR:
			a->ip[d] = packet_addr(&r->pkt, !src);
			if (!a->ip[d].family)
				a->why = "the address is not known";
			break;
		case IPSET_DIM_PORT: take_port(r, src, a); break;
		case IPSET_DIM_IFACE: take_iface(r, src, a); break;
		case IPSET_DIM_MARK:
			a->mark = r->pkt.meta[NFT_META_MARK].v & set->markmask;
			a->mark_known = r->pkt.meta[NFT_META_MARK].k | ~set->markmask;
			if (a->mark_known != UINT32_MAX)
				a->why = "the mark is not known";
			break;
		case IPSET_DIM_MAC: take_mac(r, src, a); break;
		case IPSET_DIM_SET:
		case IPSET_DIM_NONE: break;
		}
	}
}

static bool below(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, addr_len(a)) <= 0;
}

static enum tri in_range(const struct addr *a, const struct ipset_range *range, uint8_t netmask)
{
	unsigned len = range->cidr;

	if (!a->family)
		return TRI_UNKNOWN;
	if (a->family != range->from.family)
		return TRI_FALSE;
	if (range->to.family)
		return below(&range->from, a) && below(a, &range->to) ? TRI_TRUE : TRI_FALSE;
	if (netmask && netmask < len)
		len = netmask; /* "netmask" of the set: the members are networks of that size */
	return addr_in(a, &range->from, len) ? TRI_TRUE : TRI_FALSE;
}

/* bitmap:port looks at TCP and UDP alike; the others at the protocol too */
static enum tri in_port(const struct asked *a, const struct ipset_elem *m)
{
	unsigned to = m->port_to ? m->port_to : m->port;

	if (!a->has_port)
		return TRI_FALSE;
	if (m->has_proto ? a->proto != m->proto : a->proto != IPPROTO_TCP && a->proto != IPPROTO_UDP)
		return TRI_FALSE;
	if (a->port < 0)
		return TRI_UNKNOWN;
	return a->port >= m->port && a->port <= (int)to ? TRI_TRUE : TRI_FALSE;
}

/* bitmap_ipmac_do_test(): a member without an address takes that of the first packet that asks */
static enum tri in_mac(const struct asked *a, const struct ipset_elem *m)
{
	if (a->no_mac)
		return TRI_FALSE;
	if (!m->has_mac)
		return TRI_TRUE;
	if (!a->mac)
		return TRI_UNKNOWN;
	return memcmp(a->mac, m->mac, sizeof(m->mac)) == 0 ? TRI_TRUE : TRI_FALSE;
}

static enum tri in_dim(const struct ipset *set, unsigned d, const struct asked *a, const struct ipset_elem *m)
{
	bool second = d > 0 && m->ip2.from.family;

	switch (set->dims[d]) {
	case IPSET_DIM_ADDR: return in_range(&a->ip[d], second ? &m->ip2 : &m->ip, set->netmask);
	case IPSET_DIM_PORT: return in_port(a, m);
	case IPSET_DIM_IFACE:
		if (m->physdev || !a->iface)
			return TRI_UNKNOWN;
		return m->iface && strcmp(m->iface, a->iface) == 0 ? TRI_TRUE : TRI_FALSE;
	case IPSET_DIM_MARK:
		if ((a->mark ^ m->mark) & a->mark_known)
			return TRI_FALSE;
		return a->mark_known == UINT32_MAX ? TRI_TRUE : TRI_UNKNOWN;
	case IPSET_DIM_MAC: return in_mac(a, m);
	default: return TRI_UNKNOWN;
	}
}

static enum tri is_member(const struct ipset *set, const struct asked *a, const struct ipset_elem *m)
{
	enum tri t = TRI_TRUE;

	for (unsigned d = 0; d < set->n_dims && t != TRI_FALSE; d++)
		t = tri_and(t, in_dim(set, d, a, m));
	return t;
}

/* Prefix lengths in the order in which mtype_test_cidrs() tries them: the longest of the first dimension wins */
static unsigned rank(const struct ipset_elem *m)
{
	return m->ip.cidr * 256u + m->ip2.cidr;
}

/* hash:net,iface: behind a network that is a member with any interface, shorter ones are not tried (IP_SET_HASH_WITH_MULTI) */
static unsigned least_rank(const struct ipset *set, const struct asked *a)
{
	unsigned least = 0;

	if (set->n_dims != 2 || set->dims[1] != IPSET_DIM_IFACE)
		return 0;
	for (const struct ipset_elem *m = set->elems; m; m = m->next)
		if (rank(m) > least && in_dim(set, 0, a, m) == TRI_TRUE)
			least = rank(m);
	return least;
}

/* The member that decides: the most specific one that holds the packet; @maybe when one may hold it */
static const struct ipset_elem *find(const struct ipset *set, const struct asked *a, bool *maybe)
{
	const struct ipset_elem *best = NULL;
	unsigned least = least_rank(set, a);

	*maybe = false;
	for (const struct ipset_elem *m = set->elems; m; m = m->next) {
		enum tri t = rank(m) < least ? TRI_FALSE : is_member(set, a, m);

		if (t == TRI_UNKNOWN)
			*maybe = true;
		else if (t == TRI_TRUE && (!best || rank(m) > rank(best)))
			best = m;
	}
	return best;
}

static bool has_nomatch(const struct ipset *set)
{
	for (const struct ipset_elem *m = set->elems; m; m = m->next)
		if (m->nomatch)
			return true;
	return false;
}

static bool readable(const struct ipset *set)
{
	for (unsigned d = 0; d < set->n_dims; d++)
		if (set->dims[d] == IPSET_DIM_NONE)
			return false;
	return set->n_dims > 0;
}

static enum tri test(struct run *r, const char *name, const struct expr *x, unsigned depth, const struct ipset_elem **ret);

/* list_set_ktest(): one after the other, until one holds it */
static enum tri test_list(struct run *r, const struct ipset *set, const struct expr *x, unsigned depth)
{
	enum tri t = TRI_FALSE;

	for (const struct ipset_elem *m = set->elems; m && t != TRI_TRUE; m = m->next)
		t = tri_or(t, m->set ? test(r, m->set, x, depth + 1, NULL) : TRI_UNKNOWN);
	return t;
}

/* @ret: the member that holds it; NULL where it is a list that does */
static enum tri test(struct run *r, const char *name, const struct expr *x, unsigned depth, const struct ipset_elem **ret)
{
	const struct ipset_list *list = r->t->opt.ipsets;
	const struct ipset *set = list && name ? ipset_find(list, name) : NULL;
	const struct ipset_elem *m;
	struct asked a;
	bool maybe;

	if (!set || depth == NESTED)
		return unknown(r, r->t->opt.ipsets_unread ? r->t->opt.ipsets_unread : "the ipset's members could not be read");
	/* ip_set_test(): a rule with too few directions, or of the other family, never holds */
	if (x->ipset.dims < set->n_dims || (set->family && set->family != r->pkt.family))
		return TRI_FALSE;
	if (set->n_dims == 1 && set->dims[0] == IPSET_DIM_SET)
		return test_list(r, set, x, depth);
	if (!readable(set))
		return unknown(r, "its type is not known");
	take(r, set, x, &a);
	m = find(set, &a, &maybe);
	if (m && m->has_timeout && m->timeout == 1)
		return unknown(r, "the ipset's member is about to expire");
	if (maybe && (!m || has_nomatch(set)))
		return unknown(r, a.why ? a.why : "physical devices of bridges are not followed");
	if (!m)
		return TRI_FALSE;
	if (ret)
		*ret = m;
	return m->nomatch == !!(x->ipset.flags & IPSET_FLAG_RETURN_NOMATCH) ? TRI_TRUE : TRI_FALSE;
}

/* What was added or taken out by a rule before is in the set, or not, by other dimensions perhaps */
static bool was_touched(const struct run *r, const char *name)
{
	for (unsigned i = 0; i < r->n_ipsets_touched; i++)
		if (name && strcmp(name, r->ipsets_touched[i]) == 0)
			return true;
	return false;
}

enum tri ipset_eval(struct run *r, const struct expr *x)
{
	if (was_touched(r, x->ipset.name))
		return unknown(r, "a rule before changes the ipset");
	return test(r, x->ipset.name, x, 0, NULL);
}

enum tri ipset_member(struct run *r, const struct expr *x, const struct ipset_elem **ret)
{
	*ret = NULL;
	return was_touched(r, x->ipset.name) ? TRI_UNKNOWN : test(r, x->ipset.name, x, 0, ret);
}
