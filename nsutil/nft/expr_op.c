/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr_op - instructions that compare, compute and look up: cmp, bitwise, byteorder, range, lookup */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/nft/decode.h"
#include "nsutil/nft/verdict.h"

const struct nlattr *data_value(const struct nlattr *data)
{
	struct attrs at;

	attr_nested(data, NFTA_DATA_VERDICT, &at);
	return at.a[NFTA_DATA_VALUE];
}

const struct nlattr *data_verdict(const struct nlattr *data)
{
	struct attrs at;

	attr_nested(data, NFTA_DATA_VERDICT, &at);
	return at.a[NFTA_DATA_VERDICT];
}

bool verdict_decode(struct arena *a, const struct nlattr *nest, struct stmt_verdict *ret)
{
	struct attrs at;
	int code;

	attr_nested(nest, NFTA_VERDICT_CHAIN, &at);
	if (!at.a[NFTA_VERDICT_CODE])
		return false;
	code = (int)attr_be32(at.a[NFTA_VERDICT_CODE]);
	*ret = (struct stmt_verdict){ .chain = attr_str(a, at.a[NFTA_VERDICT_CHAIN]) };
	switch (code) {
	case NF_ACCEPT:
		ret->code = VERDICT_ACCEPT;
		return true;
	case NF_DROP:
		ret->code = VERDICT_DROP;
		return true;
	case NFT_CONTINUE:
		ret->code = VERDICT_CONTINUE;
		return true;
	case NFT_RETURN:
		ret->code = VERDICT_RETURN;
		return true;
	case NFT_JUMP:
		ret->code = VERDICT_JUMP;
		return ret->chain != NULL;
	case NFT_GOTO:
		ret->code = VERDICT_GOTO;
		return ret->chain != NULL;
	default:
		ret->code = VERDICT_QUEUE;
		return (code & NF_VERDICT_MASK) == NF_QUEUE;
	}
}

static bool match_op_of(uint32_t op, enum match_op *ret)
{
	static const enum match_op ops[] = {
		[NFT_CMP_EQ] = OP_EQ, [NFT_CMP_NEQ] = OP_NE, [NFT_CMP_LT] = OP_LT,
		[NFT_CMP_LTE] = OP_LE, [NFT_CMP_GT] = OP_GT, [NFT_CMP_GTE] = OP_GE,
	};

	if (op >= sizeof(ops) / sizeof(ops[0]))
		return false;
	*ret = ops[op];
	return true;
}

static enum dec_result do_cmp(struct dec *d, const struct attrs *at)
{
	const struct nlattr *v = data_value(at->a[NFTA_CMP_DATA]);
	enum match_op op;

	if (!v || attr_len(v) == 0 || !match_op_of(attr_be32(at->a[NFTA_CMP_OP]), &op))
		return DEC_OPAQUE;
	return dec_match(d, op, dec_reg(d, attr_be32(at->a[NFTA_CMP_SREG]), attr_len(v)), attr_data(v),
			 attr_len(v));
}

static enum dec_result do_range(struct dec *d, const struct attrs *at)
{
	const struct nlattr *from = data_value(at->a[NFTA_RANGE_FROM_DATA]);
	const struct nlattr *to = data_value(at->a[NFTA_RANGE_TO_DATA]);
	uint32_t op = attr_be32(at->a[NFTA_RANGE_OP]);

	if (!from || !to || attr_len(from) == 0 || attr_len(from) != attr_len(to) || op > NFT_RANGE_NEQ)
		return DEC_OPAQUE;
	return dec_match_range(d, op == NFT_RANGE_EQ ? OP_EQ : OP_NE,
			       dec_reg(d, attr_be32(at->a[NFTA_RANGE_SREG]), attr_len(from)),
			       attr_data(from), attr_data(to), attr_len(from));
}

/* ---- bitwise ---- */

static bool all_are(const uint8_t *p, unsigned n, uint8_t v)
{
	for (unsigned i = 0; i < n; i++)
		if (p[i] != v)
			return false;
	return true;
}

static struct expr *with_mask(struct dec *d, enum binop op, struct expr *x, const uint8_t *bytes,
			      unsigned len)
{
	struct expr *v = expr_bytes(d->a, x->dtype, x->order, bytes, len * 8);

	x = expr_binop(d->a, op, x, v);
	if (x)
		x->bits = (uint16_t)(len * 8);
	return x;
}

/* reg = (reg & mask) ^ xor is how "&", "|" and "^" are all encoded; take it apart again. */
static struct expr *mask_xor(struct dec *d, struct expr *x, const uint8_t *m, const uint8_t *xor,
			     unsigned len)
{
	uint8_t and[64], or[64], flip[64];

	for (unsigned i = 0; i < len; i++) {
		or[i] = xor[i] & (uint8_t)~m[i];
		flip[i] = xor[i] & m[i];
		and[i] = m[i] | or[i];
	}
	if (x && (!all_are(and, len, 0xff) || (x->bits != len * 8 && all_are(or, len, 0) && all_are(flip, len, 0))))
		x = with_mask(d, BINOP_AND, x, and, len);
	if (x && !all_are(flip, len, 0))
		x = with_mask(d, BINOP_XOR, x, flip, len);
	if (x && !all_are(or, len, 0))
		x = with_mask(d, BINOP_OR, x, or, len);
	return x;
}

static enum dec_result bitwise_shift(struct dec *d, const struct attrs *at, uint32_t op,
				     struct expr *x, unsigned len)
{
	const struct nlattr *n = data_value(at->a[NFTA_BITWISE_DATA]);
	struct expr *by;

	if (!n || attr_len(n) != 4 || op > NFT_BITWISE_RSHIFT)
		return DEC_OPAQUE;
	by = expr_bytes(d->a, DT_INTEGER, ORDER_HOST, attr_data(n), 32);
	x = expr_binop(d->a, op == NFT_BITWISE_LSHIFT ? BINOP_LSHIFT : BINOP_RSHIFT, x, by);
	if (x)
		x->bits = (uint16_t)(len * 8);
	return dec_reg_set(d, attr_be32(at->a[NFTA_BITWISE_DREG]), x);
}

static enum dec_result do_bitwise(struct dec *d, const struct attrs *at)
{
	uint32_t len = attr_be32(at->a[NFTA_BITWISE_LEN]), op = attr_be32(at->a[NFTA_BITWISE_OP]);
	const struct nlattr *m = data_value(at->a[NFTA_BITWISE_MASK]);
	const struct nlattr *xor = data_value(at->a[NFTA_BITWISE_XOR]);
	struct expr *x;

	if (len == 0 || len > 64)
		return DEC_OPAQUE;
	x = dec_reg(d, attr_be32(at->a[NFTA_BITWISE_SREG]), len);
	if (!x)
		return DEC_NOMEM;
	if (op != NFT_BITWISE_BOOL)
		return bitwise_shift(d, at, op, x, len);
	if (attr_len(m) != len || attr_len(xor) != len)
		return DEC_OPAQUE;
	x = mask_xor(d, x, attr_data(m), attr_data(xor), len);
	return dec_reg_set(d, attr_be32(at->a[NFTA_BITWISE_DREG]), x);
}

/* The value stays the same number, its bytes are turned. */
static enum dec_result do_byteorder(struct dec *d, const struct attrs *at)
{
	uint32_t op = attr_be32(at->a[NFTA_BYTEORDER_OP]), len = attr_be32(at->a[NFTA_BYTEORDER_LEN]);
	struct expr *x;

	if (len == 0 || len > 64 || op > NFT_BYTEORDER_HTON)
		return DEC_OPAQUE;
	x = dec_reg(d, attr_be32(at->a[NFTA_BYTEORDER_SREG]), len);
	x = x ? arena_dup(d->a, x, sizeof(*x)) : NULL;
	if (!x)
		return DEC_NOMEM;
	x->order = op == NFT_BYTEORDER_HTON ? ORDER_NET : ORDER_HOST;
	return dec_reg_set(d, attr_be32(at->a[NFTA_BYTEORDER_DREG]), x);
}

/* ---- lookup ---- */

static enum dec_result lookup_map(struct dec *d, struct set *set, struct expr *key, uint32_t dreg)
{
	enum byteorder order;
	enum dtype dtype;
	struct stmt *s;
	struct expr *x;
	unsigned bits;

	if (dreg == NFT_REG_VERDICT) {
		s = stmt_new(d->a, STMT_VMAP);
		key = dec_key_map(d, set, key);
		if (!key)
			return DEC_NOMEM;
		if (s)
			s->vmap = (struct stmt_vmap){ .key = key, .map = set };
		return dec_add(d, s);
	}
	dec_set_data_type(set, &dtype, &order, &bits);
	x = expr_new(d->a, EXPR_MAP, dtype, order, bits);
	if (!x)
		return DEC_NOMEM;
	x->map.key = key;
	x->map.set = set;
	return dec_reg_set(d, dreg, x);
}

static enum dec_result do_lookup(struct dec *d, const struct attrs *at)
{
	struct set *set = dec_set_ref(d, at->a[NFTA_LOOKUP_SET]);
	uint32_t flags = attr_be32(at->a[NFTA_LOOKUP_FLAGS]);
	struct expr *key;

	if (!set)
		return DEC_NOMEM;
	if (flags & ~(uint32_t)NFT_LOOKUP_F_INV)
		return DEC_OPAQUE;
	key = dec_set_key(d, set, attr_be32(at->a[NFTA_LOOKUP_SREG]));
	if (!key)
		return DEC_NOMEM;
	if (at->a[NFTA_LOOKUP_DREG])
		return lookup_map(d, set, key, attr_be32(at->a[NFTA_LOOKUP_DREG]));
	return dec_match_set(d, flags & NFT_LOOKUP_F_INV ? OP_NE : OP_EQ, key, set);
}

/* ---- immediate ---- */

static enum dec_result do_immediate(struct dec *d, const struct attrs *at)
{
	const struct nlattr *v = data_value(at->a[NFTA_IMMEDIATE_DATA]);
	uint32_t dreg = attr_be32(at->a[NFTA_IMMEDIATE_DREG]);
	struct stmt *s;

	if (dreg == NFT_REG_VERDICT) {
		s = stmt_new(d->a, STMT_VERDICT);
		if (!s)
			return DEC_NOMEM;
		if (!verdict_decode(d->a, data_verdict(at->a[NFTA_IMMEDIATE_DATA]), &s->verdict))
			return DEC_OPAQUE;
		return dec_add(d, s);
	}
	if (!v || attr_len(v) == 0 || attr_len(v) > 64)
		return DEC_OPAQUE;
	return dec_reg_set(d, dreg,
			   expr_bytes(d->a, DT_INTEGER, ORDER_HOST, attr_data(v), attr_len(v) * 8));
}

const struct dec_expr dec_expr_op[] = {
	{ "cmp", NFTA_CMP_DATA, do_cmp, false },
	{ "immediate", NFTA_IMMEDIATE_DATA, do_immediate, true },
	{ "lookup", NFTA_LOOKUP_FLAGS, do_lookup, true },
	{ "bitwise", NFTA_BITWISE_DATA, do_bitwise, false },
	{ "byteorder", NFTA_BYTEORDER_SIZE, do_byteorder, false },
	{ "range", NFTA_RANGE_TO_DATA, do_range, false },
	{ NULL, 0, NULL, false },
};
