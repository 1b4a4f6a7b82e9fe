/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack - whether connection tracking is on, and what it calls a packet of no known connection */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/within.h"
#include "nsutil/trace/run.h"

/* nf_conntrack_proto_tcp.c, nf_conntrack_tcp_packet(): tcp_error() and tcp_new(); nf_conntrack_tcp_loose is taken to be 1 */
static uint32_t tcp_state(const struct run *r)
{
	unsigned at = r->pkt.th + 13u, flags = r->pkt.bytes[at] & (FIN | SYN | RST | ACK | URG);

	if ((r->pkt.known[at] & 0x3f) != 0x3f)
		return TRACE_CT_NEW;
	switch (flags & ~(unsigned)URG) {
	case SYN: return TRACE_CT_NEW;
	case ACK: return TRACE_CT_NEW; /* the middle of a connection is picked up */
	default: return TRACE_CT_INVALID; /* what only follows on others, or makes no sense */
	}
}

/* An error speaks of another connection, or of none: that is for the user to say. */
static uint32_t error_state(struct run *r)
{
	unsigned other = run_decide(r, 2, NULL, "the ICMP error speaks of a connection that is tracked",
				    "what it speaks of is not given");

	return other == 0 ? TRACE_CT_RELATED : TRACE_CT_INVALID;
}

static uint32_t icmp_state(struct run *r, unsigned type)
{
	switch (type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
	case ICMP_INFO_REQUEST:
	case ICMP_ADDRESS: return TRACE_CT_NEW;
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB: return error_state(r);
	default: return TRACE_CT_INVALID;
	}
}

static uint32_t icmpv6_state(struct run *r, unsigned type)
{
	switch (type) {
	case ICMPV6_ECHO_REQUEST:
	case 139 /* ICMPV6_NI_QUERY */: return TRACE_CT_NEW;
	case 130: case 131: case 132: case 133: case 134: case 135: case 136: case 143:
		return TRACE_CT_UNTRACKED; /* multicast and neighbour discovery: noct_valid_new */
	default: return type < 128 ? error_state(r) : TRACE_CT_INVALID;
	}
}

uint32_t conntrack_state(struct run *r)
{
	const struct packet *p = &r->pkt;

	if (r->rq->ct_state)
		return r->rq->ct_state;
	switch (p->l4proto) {
	case IPPROTO_TCP: return tcp_state(r);
	case IPPROTO_ICMP: return p->known[p->th] == 0xff ? icmp_state(r, p->bytes[p->th]) : TRACE_CT_NEW;
	case IPPROTO_ICMPV6: return p->known[p->th] == 0xff ? icmpv6_state(r, p->bytes[p->th]) : TRACE_CT_NEW;
	default: return TRACE_CT_NEW;
	}
}

/* ---- is it on? ---- */

static bool expr_needs(const struct expr *x)
{
	return x->kind == EXPR_CT;
}

/* Extensions that call nf_ct_netns_get() whatever they say. */
static bool xt_needs(const struct xt_ext *x)
{
	static const char *const names[] = { "conntrack", "state", "connmark", "connbytes", "connlabel", "connlimit",
		"helper", "cluster", "CONNMARK", "CONNSECMARK", "SYNPROXY", "DNAT", "SNAT", "REDIRECT",
		"MASQUERADE", "NETMAP" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(x->name, names[i]) == 0)
			return true;
	return false;
}

static bool stmt_needs(const struct stmt *s)
{
	switch (s->kind) {
	case STMT_XT: return xt_needs(s->xt);
	case STMT_NAT:
	case STMT_CONNLIMIT:
	case STMT_SYNPROXY:
	case STMT_FLOW:
	case STMT_OBJREF: /* helper, timeout, expectation */
	case STMT_OPAQUE: return true;
	default: return false;
	}
}

/* nft_tproxy_init(), tproxy_tg4_check(), socket_mt_v1_check() */
static bool stmt_gathers(const struct stmt *s)
{
	return s->kind == STMT_TPROXY ||
	       (s->kind == STMT_XT && (strcmp(s->xt->name, "TPROXY") == 0 || strcmp(s->xt->name, "socket") == 0));
}

static bool stmt_writes(const struct stmt *s)
{
	const struct expr *to = s->kind == STMT_SET_VALUE ? s->set_value.target : NULL;

	return (to && to->kind == EXPR_CT && (to->ct.key == NFT_CT_MARK || to->ct.key == NFT_CT_LABELS)) ||
	       (s->kind == STMT_XT && strcmp(s->xt->name, "connlabel") == 0) || s->kind == STMT_OPAQUE;
}

static bool stmt_masquerades(const struct stmt *s)
{
	return (s->kind == STMT_NAT && s->nat.kind == NAT_MASQUERADE) || (s->kind == STMT_XT && strcmp(s->xt->name, "MASQUERADE") == 0) ||
	       s->kind == STMT_OPAQUE;
}

static const struct wanted needs = { stmt_needs, expr_needs }, gathers = { stmt_gathers, NULL }, writes = { stmt_writes, NULL },
			   masquerading = { stmt_masquerades, NULL };

static bool table_has(const struct table *t, const struct wanted *wanted)
{
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *rule = c->rules; rule; rule = rule->next)
			if (stmts_have(rule->stmts, wanted))
				return true;
	return false;
}

static bool any_table_has(const struct ruleset *rs, uint8_t family, const struct wanted *wanted)
{
	if (rs->unread)
		return true;
	for (const struct table *t = rs->tables; t; t = t->next)
		if ((t->family == family || t->family == NFPROTO_INET || t->family == NFPROTO_BRIDGE) && table_has(t, wanted))
			return true;
	return false;
}

bool conntrack_is_written(const struct hook_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct chain *base = l->items[i].chain;

		/* of chains that are jumped to it is not asked from where */
		for (const struct chain *c = base ? base->table->chains : NULL; c; c = c->next)
			for (const struct rule *rule = c == base || !c->base ? c->rules : NULL; rule; rule = rule->next)
				if (stmts_have(rule->stmts, &writes))
					return true;
	}
	return false;
}

bool conntrack_is_on(const struct ruleset *rs, uint8_t family)
{
	return any_table_has(rs, family, &needs);
}

bool conntrack_gathers(const struct ruleset *rs, uint8_t family)
{
	return any_table_has(rs, family, &needs) || any_table_has(rs, family, &gathers);
}

bool conntrack_masquerades(const struct ruleset *rs, uint8_t family)
{
	return any_table_has(rs, family, &masquerading);
}
