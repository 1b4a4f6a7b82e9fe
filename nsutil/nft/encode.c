/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode - statements of the model as nf_tables instructions, the way iptables-nft writes them */
#include "nsutil/nft/encode.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

/* ---- attributes ---- */

void enc_put(struct enc *m, uint16_t type, const void *data, size_t len)
{
	if (!m->full)
		m->full = len > UINT16_MAX - 8 || !mnl_attr_put_check(m->msg, m->room, type, len, data);
}

void enc_str(struct enc *m, uint16_t type, const char *s)
{
	enc_put(m, type, s, strlen(s) + 1);
}

void enc_be32(struct enc *m, uint16_t type, uint32_t v)
{
	uint32_t be = htobe32(v);

	enc_put(m, type, &be, sizeof(be));
}

void enc_be64(struct enc *m, uint16_t type, uint64_t v)
{
	uint64_t be = htobe64(v);

	enc_put(m, type, &be, sizeof(be));
}

struct nlattr *enc_nest(struct enc *m, uint16_t type)
{
	struct nlattr *nest = m->full ? NULL : mnl_attr_nest_start_check(m->msg, m->room, type);

	m->full = !nest;
	return nest;
}

void enc_nest_end(struct enc *m, struct nlattr *nest)
{
	if (nest && (char *)mnl_nlmsg_get_payload_tail(m->msg) - (char *)nest > UINT16_MAX)
		m->full = true;
	else if (nest)
		mnl_attr_nest_end(m->msg, nest);
}

/* ---- instructions ---- */

struct enc_expr enc_expr(struct enc *m, const char *name)
{
	struct enc_expr x = { .elem = enc_nest(m, NFTA_LIST_ELEM) };

	enc_str(m, NFTA_EXPR_NAME, name);
	x.data = enc_nest(m, NFTA_EXPR_DATA);
	return x;
}

void enc_expr_end(struct enc *m, struct enc_expr x)
{
	enc_nest_end(m, x.data);
	enc_nest_end(m, x.elem);
}

static void put_value(struct enc *m, uint16_t type, const void *data, unsigned len)
{
	struct nlattr *nest = enc_nest(m, type);

	enc_put(m, NFTA_DATA_VALUE, data, len);
	enc_nest_end(m, nest);
}

void enc_payload(struct enc *m, unsigned base, unsigned offset, unsigned len)
{
	struct enc_expr x = enc_expr(m, "payload");

	enc_be32(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
	enc_be32(m, NFTA_PAYLOAD_BASE, base);
	enc_be32(m, NFTA_PAYLOAD_OFFSET, offset);
	enc_be32(m, NFTA_PAYLOAD_LEN, len);
	enc_expr_end(m, x);
}

void enc_meta(struct enc *m, uint32_t key)
{
	struct enc_expr x = enc_expr(m, "meta");

	enc_be32(m, NFTA_META_KEY, key);
	enc_be32(m, NFTA_META_DREG, NFT_REG_1);
	enc_expr_end(m, x);
}

void enc_bitwise(struct enc *m, const void *mask, unsigned len)
{
	static const uint8_t zero[64];
	struct enc_expr x = enc_expr(m, "bitwise");

	enc_be32(m, NFTA_BITWISE_SREG, NFT_REG_1);
	enc_be32(m, NFTA_BITWISE_DREG, NFT_REG_1);
	enc_be32(m, NFTA_BITWISE_LEN, len);
	put_value(m, NFTA_BITWISE_MASK, mask, len);
	put_value(m, NFTA_BITWISE_XOR, zero, len);
	enc_expr_end(m, x);
}

void enc_cmp(struct enc *m, enum match_op op, const void *data, unsigned len)
{
	static const uint32_t ops[] = {
		[OP_EQ] = NFT_CMP_EQ, [OP_NE] = NFT_CMP_NEQ, [OP_LT] = NFT_CMP_LT,
		[OP_GT] = NFT_CMP_GT, [OP_LE] = NFT_CMP_LTE, [OP_GE] = NFT_CMP_GTE,
	};
	struct enc_expr x = enc_expr(m, "cmp");

	enc_be32(m, NFTA_CMP_SREG, NFT_REG_1);
	enc_be32(m, NFTA_CMP_OP, ops[op]);
	put_value(m, NFTA_CMP_DATA, data, len);
	enc_expr_end(m, x);
}

void enc_range(struct enc *m, bool invert, const void *from, const void *to, unsigned len)
{
	struct enc_expr x = enc_expr(m, "range");

	enc_be32(m, NFTA_RANGE_SREG, NFT_REG_1);
	enc_be32(m, NFTA_RANGE_OP, invert ? NFT_RANGE_NEQ : NFT_RANGE_EQ);
	put_value(m, NFTA_RANGE_FROM_DATA, from, len);
	put_value(m, NFTA_RANGE_TO_DATA, to, len);
	enc_expr_end(m, x);
}

void enc_counter(struct enc *m, uint64_t packets, uint64_t bytes)
{
	struct enc_expr x = enc_expr(m, "counter");

	enc_be64(m, NFTA_COUNTER_BYTES, bytes);
	enc_be64(m, NFTA_COUNTER_PACKETS, packets);
	enc_expr_end(m, x);
}

void enc_verdict(struct enc *m, const struct stmt_verdict *v)
{
	static const int codes[] = {
		[VERDICT_ACCEPT] = NF_ACCEPT, [VERDICT_DROP] = NF_DROP, [VERDICT_CONTINUE] = NFT_CONTINUE,
		[VERDICT_RETURN] = NFT_RETURN, [VERDICT_JUMP] = NFT_JUMP, [VERDICT_GOTO] = NFT_GOTO,
		[VERDICT_QUEUE] = NF_QUEUE,
	};
	struct enc_expr x;
	struct nlattr *data, *verdict;

	if ((unsigned)v->code >= sizeof(codes) / sizeof(codes[0])) {
		m->why = "a verdict that cannot be written";
		return;
	}
	x = enc_expr(m, "immediate");
	enc_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = enc_nest(m, NFTA_IMMEDIATE_DATA);
	verdict = enc_nest(m, NFTA_DATA_VERDICT);
	enc_be32(m, NFTA_VERDICT_CODE, (uint32_t)codes[v->code]);
	if (v->chain)
		enc_str(m, NFTA_VERDICT_CHAIN, v->chain);
	enc_nest_end(m, verdict);
	enc_nest_end(m, data);
	enc_expr_end(m, x);
}

/* ---- conditions ---- */

/* Load the left side into register 1, masked if it is "x & mask". */
static void enc_left(struct enc *m, const struct expr *x)
{
	switch (x->kind) {
	case EXPR_META:
		enc_meta(m, x->meta_key);
		break;
	case EXPR_PAYLOAD:
		if (x->payload.offset % 8 || x->bits % 8)
			m->why = "a field of single bits cannot be written";
		enc_payload(m, x->payload.base, x->payload.offset / 8u, x->bits / 8u);
		break;
	case EXPR_BINOP:
		enc_left(m, x->binop.left);
		if (x->binop.op != BINOP_AND || x->binop.right->kind != EXPR_VALUE ||
		    x->binop.right->bits > 512)
			m->why = "this operation cannot be written";
		else
			enc_bitwise(m, x->binop.right->value, x->binop.right->bits / 8u);
		break;
	default:
		m->why = "this kind of condition cannot be written";
		break;
	}
}

/* As iptables-nft: whole bytes of a prefix are compared by loading less, other masks with bitwise. */
static void enc_prefix(struct enc *m, const struct stmt_match *c)
{
	const struct expr *l = c->left, *v = c->right->prefix.value;
	unsigned len = c->right->prefix.len, bytes = v->bits / 8u;
	uint8_t mask[16] = "";

	if (l->kind == EXPR_META && v->dtype == DT_IFNAME) {
		enc_left(m, l);
		if (len)
			enc_cmp(m, c->op, v->value, len / 8);
		return;
	}
	if (l->kind != EXPR_PAYLOAD || bytes > sizeof(mask)) {
		m->why = "a prefix of this cannot be written";
		return;
	}
	if (len && len % 8 == 0) {
		enc_payload(m, l->payload.base, l->payload.offset / 8u, len / 8);
		enc_cmp(m, c->op, v->value, len / 8);
		return;
	}
	for (unsigned i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	enc_left(m, l);
	enc_bitwise(m, mask, bytes);
	enc_cmp(m, c->op, v->value, bytes);
}

static void enc_match(struct enc *m, const struct stmt_match *c)
{
	const struct expr *r = c->right;

	switch (r->kind) {
	case EXPR_VALUE:
		enc_left(m, c->left);
		/* a whole name is compared with its end, so that longer ones differ */
		if (r->dtype == DT_IFNAME && r->bits == 128)
			enc_cmp(m, c->op, r->value, (unsigned)strnlen((const char *)r->value, 15) + 1);
		else
			enc_cmp(m, c->op, r->value, (r->bits + 7u) / 8u);
		break;
	case EXPR_PREFIX:
		enc_prefix(m, c);
		break;
	case EXPR_RANGE:
		enc_left(m, c->left);
		enc_range(m, c->op == OP_NE, r->range.from->value, r->range.to->value,
			  r->range.from->bits / 8u);
		break;
	default:
		m->why = "this kind of condition cannot be written";
		break;
	}
}

/* ---- rules ---- */

static bool is_key(const struct stmt *s, uint32_t key)
{
	return s->kind == STMT_MATCH && s->match.left->kind == EXPR_META && s->match.left->meta_key == key;
}

static bool is_field(const struct stmt *s, const char *name)
{
	const struct expr *l = s->kind == STMT_MATCH ? s->match.left : NULL;

	while (l && l->kind == EXPR_BINOP)
		l = l->binop.left;
	return l && l->kind == EXPR_PAYLOAD && l->payload.field &&
	       strncmp(l->payload.field->protocol, "ip", 2) == 0 && strcmp(l->payload.field->name, name) == 0;
}

/* Where iptables-nft puts a condition of the rule's head (nft_ipv4_add); RANKS: not of the head. */
#define RANKS 6
static unsigned rank(const struct stmt *s)
{
	if (is_key(s, NFT_META_IIFNAME))
		return 0;
	if (is_key(s, NFT_META_OIFNAME))
		return 1;
	if (is_key(s, NFT_META_L4PROTO))
		return 2;
	if (is_field(s, "saddr"))
		return 3;
	if (is_field(s, "daddr"))
		return 4;
	return is_field(s, "frag-off") ? 5 : RANKS;
}

static bool is_action(const struct stmt *s)
{
	return s->kind == STMT_VERDICT || (s->kind == STMT_XT && s->xt->target);
}

static void enc_stmt(struct enc *m, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_MATCH:
		enc_match(m, &s->match);
		break;
	case STMT_XT:
		enc_xt(m, s->xt);
		break;
	case STMT_COUNTER:
		enc_counter(m, s->counter.packets, s->counter.bytes);
		break;
	case STMT_VERDICT:
		enc_verdict(m, &s->verdict);
		break;
	default:
		m->why = "this kind of statement cannot be written";
		break;
	}
}

/* Extensions check the protocol of the rule (nft_compat: nft_rule_compat_policy). */
void enc_compat(struct enc *m, const struct stmt *list)
{
	for (const struct stmt *s = list; s; s = s->next) {
		struct nlattr *nest;

		if (!is_key(s, NFT_META_L4PROTO) || s->match.right->kind != EXPR_VALUE)
			continue;
		nest = enc_nest(m, NFTA_RULE_COMPAT);
		enc_be32(m, NFTA_RULE_COMPAT_PROTO, (uint32_t)expr_uint(s->match.right));
		enc_be32(m, NFTA_RULE_COMPAT_FLAGS, s->match.op == OP_NE ? NFT_RULE_COMPAT_F_INV : 0);
		enc_nest_end(m, nest);
		return;
	}
}

void enc_rule(struct enc *m, const struct rule *r)
{
	struct nlattr *list = enc_nest(m, NFTA_RULE_EXPRESSIONS);
	const struct stmt *head_end = r->stmts;
	bool counted = false;

	while (head_end && rank(head_end) < RANKS)
		head_end = head_end->next;
	for (unsigned i = 0; i < RANKS; i++)
		for (const struct stmt *s = r->stmts; s != head_end; s = s->next)
			if (rank(s) == i)
				enc_stmt(m, s);
	for (const struct stmt *s = head_end; s; s = s->next) {
		counted = counted || s->kind == STMT_COUNTER;
		if (is_action(s) && !counted) {
			enc_counter(m, r->packets, r->bytes);
			counted = true;
		}
		enc_stmt(m, s);
	}
	if (!counted)
		enc_counter(m, r->packets, r->bytes);
	enc_nest_end(m, list);
	enc_compat(m, r->stmts);
}
