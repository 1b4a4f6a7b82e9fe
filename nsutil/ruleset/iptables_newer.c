/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_newer - native statements that iptables newer than 1.8.9 writes, as the extensions they stand for */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/iptables.h"
#include "nsutil/ruleset/nft_print.h"

static bool put_not(const struct stmt_match *m, const char *match, struct buf *b)
{
	if (m->op != OP_EQ && m->op != OP_NE)
		return false;
	buf_fmt(b, " -m %s%s", match, m->op == OP_NE ? " !" : "");
	return true;
}

/* ---- matches ---- */

/* "ct state new" is a mask that must, or must not, leave something. */
static bool save_ctstate(const struct stmt_match *m, struct buf *b)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} states[] = { { 1, "INVALID" }, { 8, "NEW" }, { 4, "RELATED" }, { 2, "ESTABLISHED" }, { 64, "UNTRACKED" } };
	bool masked = m->left->kind == EXPR_BINOP, any = false;
	const struct expr *v = masked ? m->left->binop.right : m->right;
	uint64_t bits, rest;

	if (m->right->kind != EXPR_VALUE || v->kind != EXPR_VALUE || (masked && expr_uint(m->right) != 0) ||
	    (m->op != OP_EQ && m->op != OP_NE))
		return false;
	bits = rest = expr_uint(v);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		rest &= ~(uint64_t)states[i].bit;
	/* several states at once are never true of one packet */
	if (rest || !bits || (!masked && (bits & (bits - 1))))
		return false;
	buf_fmt(b, " -m conntrack%s --ctstate ", (m->op == OP_EQ) == masked ? " !" : "");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (bits & states[i].bit) {
			buf_fmt(b, "%s%s", any ? "," : "", states[i].name);
			any = true;
		}
	return true;
}

static bool save_owner(const struct stmt_match *m, struct buf *b)
{
	const struct expr *r = m->right;

	if ((r->kind != EXPR_VALUE && r->kind != EXPR_RANGE) || !put_not(m, "owner", b))
		return false;
	buf_str(b, m->left->meta_key == NFT_META_SKUID ? " --uid-owner " : " --gid-owner ");
	if (r->kind == EXPR_RANGE)
		buf_fmt(b, "%llu-%llu", (unsigned long long)expr_uint(r->range.from),
			(unsigned long long)expr_uint(r->range.to));
	else
		buf_uint(b, expr_uint(r));
	return true;
}

static bool save_pkttype(const struct stmt_match *m, struct buf *b)
{
	static const char *const types[] = { "unicast", "broadcast", "multicast" };

	if (m->right->kind != EXPR_VALUE || expr_uint(m->right) >= ARRAY_SIZE(types) || !put_not(m, "pkttype", b))
		return false;
	buf_fmt(b, " --pkt-type %s", types[expr_uint(m->right)]);
	return true;
}

bool ipt_newer_is_range(const struct stmt *s)
{
	const struct expr *r = s->kind == STMT_MATCH ? s->match.right : NULL;

	return r && r->kind == EXPR_RANGE && (r->range.from->dtype == DT_IPV4 || r->range.from->dtype == DT_IPV6) &&
	       s->match.left->kind == EXPR_PAYLOAD && s->match.left->payload.field;
}

static bool save_iprange(const struct stmt_match *m, struct buf *b)
{
	const char *field = m->left->payload.field->name;

	if (strcmp(field, "saddr") != 0 && strcmp(field, "daddr") != 0)
		return false;
	if (!put_not(m, "iprange", b))
		return false;
	buf_str(b, *field == 's' ? " --src-range " : " --dst-range ");
	nft_value_text(m->right->range.from, "", b);
	buf_chr(b, '-');
	nft_value_text(m->right->range.to, "", b);
	return true;
}

/* Ports of an anonymous set; multiport takes 15 of them, and a range counts twice. */
static bool save_multiport(const struct stmt_match *m, const char *field, struct buf *b)
{
	const struct set *set = m->right->set;
	unsigned n = 0;

	if (!(set->flags & SET_ANONYMOUS) || set->unread || !put_not(m, "multiport", b))
		return false;
	buf_fmt(b, " --%ss ", field);
	for (uint32_t i = 0; i < set->n_elems; i++) {
		const struct expr *k = set->elems[i].key;

		if (!k || (k->kind != EXPR_VALUE && k->kind != EXPR_RANGE) || set->elems[i].comment)
			return false;
		buf_str(b, i ? "," : "");
		buf_uint(b, expr_uint(k->kind == EXPR_RANGE ? k->range.from : k));
		if (k->kind == EXPR_RANGE)
			buf_fmt(b, ":%u", (unsigned)expr_uint(k->range.to));
		n += k->kind == EXPR_RANGE ? 2 : 1;
	}
	return n > 0 && n <= 15;
}

/* "-m ttl --ttl-lt 5": it has no "at most", but one less does */
static bool save_ttl(const struct stmt_match *m, bool v6, struct buf *b)
{
	static const char *const ops[] = { "eq", "eq", "lt", "gt", "lt", "gt" };
	unsigned n = (unsigned)expr_uint(m->right);

	if ((m->op == OP_LE && n == UINT8_MAX) || (m->op == OP_GE && n == 0))
		return false;
	n = m->op == OP_LE ? n + 1 : m->op == OP_GE ? n - 1 : n;
	buf_fmt(b, " -m %s%s --%s-%s %u", v6 ? "hl" : "ttl", m->op == OP_NE ? " !" : "", v6 ? "hl" : "ttl", ops[m->op], n);
	return true;
}

/* Is it a comparison of a field of ICMP's header with a number? */
static bool is_icmp(const struct stmt *s, const char *field)
{
	const struct hdr_field *f = s && s->kind == STMT_MATCH && s->match.left->kind == EXPR_PAYLOAD ? s->match.left->payload.field : NULL;

	return f && strncmp(f->protocol, "icmp", 4) == 0 && strcmp(f->name, field) == 0 && s->match.right->kind == EXPR_VALUE;
}

bool ipt_newer_is_code(const struct stmt *type)
{
	return is_icmp(type, "type") && type->match.op == OP_EQ && is_icmp(type->next, "code") && type->next->match.op == OP_EQ;
}

static bool save_payload(const struct stmt *s, struct buf *b)
{
	const struct stmt_match *m = &s->match;
	const struct hdr_field *f = m->left->payload.field;
	bool icmp = f && (strcmp(f->protocol, "icmp") == 0 || strcmp(f->protocol, "icmpv6") == 0);

	if (!f)
		return false;
	if (m->right->kind == EXPR_SETREF && (strcmp(f->name, "sport") == 0 || strcmp(f->name, "dport") == 0))
		return save_multiport(m, f->name, b);
	if (m->right->kind == EXPR_VALUE && (strcmp(f->name, "ttl") == 0 || strcmp(f->name, "hoplimit") == 0))
		return save_ttl(m, f->name[0] == 'h', b);
	if (!icmp || strcmp(f->name, "type") != 0 || m->right->kind != EXPR_VALUE ||
	    !put_not(m, f->protocol[4] ? "icmp6" : "icmp", b))
		return false;
	buf_fmt(b, " --%s-type %u", f->protocol, (unsigned)expr_uint(m->right));
	if (ipt_newer_is_code(s))
		buf_fmt(b, "/%u", (unsigned)expr_uint(s->next->match.right));
	return true;
}

bool ipt_newer_match(const struct stmt *s, struct buf *b)
{
	const struct stmt_match *m = &s->match;
	const struct expr *left = m->left->kind == EXPR_BINOP ? m->left->binop.left : m->left;

	if (left->kind == EXPR_CT && left->ct.key == NFT_CT_STATE)
		return save_ctstate(m, b);
	if (m->left->kind == EXPR_META &&
	    (m->left->meta_key == NFT_META_SKUID || m->left->meta_key == NFT_META_SKGID))
		return save_owner(m, b);
	if (m->left->kind == EXPR_META && m->left->meta_key == NFT_META_PKTTYPE)
		return save_pkttype(m, b);
	if (ipt_newer_is_range(s))
		return save_iprange(m, b);
	return m->left->kind == EXPR_PAYLOAD && save_payload(s, b);
}

/* ---- targets ---- */

static bool plain(const struct expr *x)
{
	return !x || x->kind == EXPR_VALUE;
}

static void put_ports(const struct stmt_nat *n, struct buf *b)
{
	buf_uint(b, expr_uint(n->port));
	if (n->port_max && expr_uint(n->port_max) != expr_uint(n->port))
		buf_fmt(b, "-%u", (unsigned)expr_uint(n->port_max));
}

static void put_nat_addr(const struct stmt_nat *n, struct buf *b)
{
	bool brackets = n->port && n->addr && n->addr->dtype == DT_IPV6;

	buf_str(b, n->kind == NAT_SNAT ? " --to-source " : " --to-destination ");
	buf_str(b, brackets ? "[" : "");
	if (n->addr)
		nft_value_text(n->addr, "", b);
	if (n->addr && n->addr_max && memcmp(n->addr->value, n->addr_max->value, n->addr->bits / 8u) != 0) {
		buf_chr(b, '-');
		nft_value_text(n->addr_max, "", b);
	}
	buf_str(b, brackets ? "]" : "");
	if (n->port) {
		buf_chr(b, ':');
		put_ports(n, b);
	}
}

static bool save_nat(const struct stmt_nat *n, struct buf *b)
{
	static const char *const names[] = {
		[NAT_SNAT] = "SNAT", [NAT_DNAT] = "DNAT", [NAT_MASQUERADE] = "MASQUERADE", [NAT_REDIRECT] = "REDIRECT",
	};

	if (n->kind >= ARRAY_SIZE(names) || !plain(n->addr) || !plain(n->addr_max) || !plain(n->port) ||
	    !plain(n->port_max) || (n->flags & NF_NAT_RANGE_NETMAP))
		return false;
	buf_fmt(b, " -j %s", names[n->kind]);
	if (n->kind == NAT_SNAT || n->kind == NAT_DNAT) {
		put_nat_addr(n, b);
	} else if (n->port) {
		buf_str(b, " --to-ports ");
		put_ports(n, b);
	}
	if (n->flags & NF_NAT_RANGE_PROTO_RANDOM)
		buf_str(b, " --random");
	if (n->flags & NF_NAT_RANGE_PROTO_RANDOM_FULLY)
		buf_str(b, " --random-fully");
	if (n->flags & NF_NAT_RANGE_PERSISTENT)
		buf_str(b, " --persistent");
	return true;
}

static bool save_reject(const struct stmt_reject *r, struct buf *b)
{
	static const struct {
		enum reject_kind kind;
		uint8_t code;
		const char *name;
	} names[] = {
		{ REJECT_ICMP, 0, "icmp-net-unreachable" }, { REJECT_ICMP, 1, "icmp-host-unreachable" },
		{ REJECT_ICMP, 2, "icmp-proto-unreachable" }, { REJECT_ICMP, 3, "icmp-port-unreachable" },
		{ REJECT_ICMP, 9, "icmp-net-prohibited" }, { REJECT_ICMP, 10, "icmp-host-prohibited" },
		{ REJECT_ICMP, 13, "icmp-admin-prohibited" }, { REJECT_ICMP6, 0, "icmp6-no-route" },
		{ REJECT_ICMP6, 1, "icmp6-adm-prohibited" }, { REJECT_ICMP6, 3, "icmp6-addr-unreachable" },
		{ REJECT_ICMP6, 4, "icmp6-port-unreachable" }, { REJECT_ICMP6, 5, "icmp6-policy-fail" },
		{ REJECT_ICMP6, 6, "icmp6-reject-route" },
	};

	if (r->kind == REJECT_TCP_RST) {
		buf_str(b, " -j REJECT --reject-with tcp-reset");
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].kind == r->kind && names[i].code == r->code) {
			buf_fmt(b, " -j REJECT --reject-with %s", names[i].name);
			return true;
		}
	return false;
}

static bool save_log(const struct stmt_log *l, struct buf *b)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = { { NF_LOG_TCPSEQ, "tcp-sequence" }, { NF_LOG_TCPOPT, "tcp-options" },
		      { NF_LOG_IPOPT, "ip-options" }, { NF_LOG_UID, "uid" }, { NF_LOG_MACDECODE, "macdecode" } };

	if (l->level > 7)
		return false;
	buf_str(b, " -j LOG");
	if (l->prefix)
		ipt_save_string(" --log-prefix", l->prefix, b);
	if (l->level >= 0 && l->level != 4)
		buf_fmt(b, " --log-level %d", l->level);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (l->flags & flags[i].flag)
			buf_fmt(b, " --log-%s", flags[i].name);
	return true;
}

static bool save_mark(const struct stmt_set_value *v, struct buf *b)
{
	if (v->target->kind != EXPR_META || v->target->meta_key != NFT_META_MARK || v->value->kind != EXPR_VALUE)
		return false;
	buf_fmt(b, " -j MARK --set-xmark 0x%llx/0xffffffff", (unsigned long long)expr_uint(v->value));
	return true;
}

bool ipt_newer_target(const struct stmt *s, struct buf *b)
{
	switch (s->kind) {
	case STMT_NAT: return save_nat(&s->nat, b);
	case STMT_REJECT: return save_reject(&s->reject, b);
	case STMT_LOG: return save_log(&s->log, b);
	case STMT_SET_VALUE: return save_mark(&s->set_value, b);
	default: return false;
	}
}
