/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - comparisons of register contents become named, typed conditions */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/bits.h"
#include "nsutil/nft/proto.h"
#include "nsutil/ruleset/nft_names.h"

#define VALUE_MAX 64 /* NFT_DATA_VALUE_MAXLEN */

/* An interface name: shorter than its register and not ended by a zero means "begins with". */
static struct expr *string_value(struct dec *d, const struct expr *left, const uint8_t *bytes,
				 unsigned len)
{
	uint8_t padded[VALUE_MAX] = "";
	unsigned room = left->bits ? left->bits / 8u : len;
	struct expr *x;

	if (room > VALUE_MAX || len > room)
		return dec_value(d, left, bytes, len);
	memcpy(padded, bytes, len);
	x = expr_bytes(d->a, left->dtype, ORDER_HOST, padded, room * 8);
	if (len < room && (len == 0 || bytes[len - 1] != '\0'))
		return expr_prefix(d->a, x, len * 8);
	return x;
}

static bool is_string(const struct expr *x)
{
	return x->dtype == DT_IFNAME || x->dtype == DT_STRING;
}

/* ---- conditions ---- */

static enum dec_result add_match(struct dec *d, enum match_op op, struct expr *left, struct expr *right)
{
	struct stmt *s = stmt_match_new(d->a, op, left, right);
	enum dec_result ret = dec_add(d, s);

	if (ret != DEC_OK || op != OP_EQ || right->kind != EXPR_VALUE || (left->kind != EXPR_META && left->kind != EXPR_CT))
		return ret;
	dec_proto_learn(d, left, right);
	dec_deps_meta(d, s);
	return DEC_OK;
}

/* A piece of a load: the field that lies there, or the bytes. A field that is longer was compared by its first bits. */
static enum dec_result add_piece(struct dec *d, enum match_op op, struct expr *x, unsigned bits, const uint8_t *bytes,
				 unsigned from)
{
	const struct hdr_field *f = x->payload.field;
	uint8_t out[VALUE_MAX] = "";
	bool key = dec_field_is_key(f);
	enum dec_result ret;
	struct expr *v;
	struct stmt *s;

	bits_copy(bytes, from, bits, out, (8 - x->bits % 8u) % 8u);
	v = dec_bytes(d, x->dtype, x->order, out, x->bits);
	if (bits < x->bits)
		v = expr_prefix(d->a, v, bits);
	s = stmt_match_new(d->a, op, x, v);
	ret = dec_add(d, s);
	if (ret != DEC_OK)
		return ret;
	if (op == OP_EQ)
		dec_proto_learn(d, x, v);
	dec_deps_payload(d, x, key);
	if (key && op == OP_EQ && v->kind == EXPR_VALUE)
		dec_deps_told(d, s, x->payload.base - (dec_proto_stacked(d, x->payload.base, v) ? 1 : 0));
	return DEC_OK;
}

/*
 * Neighbouring fields that were compared at once: "tcp sport 1 tcp dport 2" is one load of 4 bytes. All that differ
 * somewhere is not all that differ everywhere, so other comparisons than for equality are not taken apart (nft does).
 */
static enum dec_result match_split(struct dec *d, enum match_op op, const struct expr *load, const uint8_t *bytes,
				   unsigned bits)
{
	unsigned at = load->payload.offset, from = (8 - bits % 8u) % 8u, left = bits;
	uint8_t base = load->payload.base;
	const struct hdr_field *f;
	struct dec_split split;
	struct expr *x;

	dec_split_begin(d, base, at, &split);
	while (left && (f = dec_split_next(d, &split))) {
		unsigned n = f->bits < left ? f->bits : left;

		if (n < left && op != OP_EQ)
			break;
		x = expr_payload(d->a, base, at, f->bits, f);
		if (!x || add_piece(d, op, x, n, bytes, from) != DEC_OK)
			return DEC_NOMEM;
		at += n;
		from += n;
		left -= n;
	}
	if (!left)
		return DEC_OK;
	x = expr_payload(d->a, base, at, left, NULL);
	if (!x)
		return DEC_NOMEM;
	dec_name_port(x);
	return add_piece(d, op, x, left, bytes, from);
}

static enum dec_result match_payload(struct dec *d, enum match_op op, struct expr *left, const uint8_t *bytes,
				     unsigned bits)
{
	if (op == OP_EQ || op == OP_NE)
		return match_split(d, op, left, bytes, bits);
	left = dec_resolve(d, left);
	return add_match(d, op, left, left ? dec_value(d, left, bytes, (bits + 7) / 8) : NULL);
}

static bool prefix_type(enum dtype t)
{
	return t == DT_IPV4 || t == DT_IPV6 || t == DT_MARK;
}

static bool all_bytes(const uint8_t *p, unsigned n, uint8_t v)
{
	for (unsigned i = 0; i < n; i++)
		if (p[i] != v)
			return false;
	return true;
}

/* The mask of a prefix, as the value lies in the register. */
static int prefix_len(const struct expr *x, const uint8_t *mask)
{
	uint8_t be[VALUE_MAX];
	struct mask_span span;
	unsigned n = x->bits / 8u;

	if (n == 0 || n > VALUE_MAX)
		return -1;
	for (unsigned i = 0; i < n; i++)
		be[i] = mask[x->order == ORDER_HOST ? n - 1 - i : i];
	if (bits_span(be, x->bits, &span))
		return span.lead == 0 ? (int)span.width : -1;
	return all_bytes(mask, n, 0) ? 0 : -1;
}

/* A mask that makes a field of a few bits, and the value beside it. */
static enum dec_result match_field(struct dec *d, enum match_op op, struct expr *f, unsigned shift, const void *bytes,
				   unsigned len)
{
	struct expr *v = dec_field_value(d, f, shift, bytes, len);

	if (!v)
		return DEC_NOMEM;
	if (f->kind == EXPR_PAYLOAD)
		return match_payload(d, op, f, v->value, f->bits);
	f = dec_resolve(d, f);
	return add_match(d, op, f, v);
}

static enum dec_result match_masked(struct dec *d, enum match_op op, struct expr *left,
				    const uint8_t *bytes, unsigned len)
{
	struct expr *inner = left->binop.left, *mask = left->binop.right, *x;
	unsigned shift;
	int plen;

	if (mask->bits / 8u == len && inner->bits == mask->bits && len <= VALUE_MAX) {
		x = dec_masked(d, left, &shift);
		if (x)
			return match_field(d, op, x, shift, bytes, len);
		x = dec_resolve(d, inner);
		if (!x)
			return DEC_NOMEM;
		plen = (op == OP_EQ || op == OP_NE) && prefix_type(x->dtype) ? prefix_len(x, mask->value)
									     : -1;
		if (all_bytes(mask->value, mask->bits / 8u, 0xff) && (plen >= 0 || nft_is_flags(x->dtype)))
			return add_match(d, op, x, dec_value(d, x, bytes, len));
		if (plen >= 0)
			return add_match(d, op, x,
					 expr_prefix(d->a, dec_value(d, x, bytes, len), (unsigned)plen));
	}
	left = dec_resolve(d, left);
	return left ? add_match(d, op, left, dec_value(d, left, bytes, len)) : DEC_NOMEM;
}

/* An address compared by its first bytes only. */
static enum dec_result match_short(struct dec *d, enum match_op op, struct expr *left,
				   const uint8_t *bytes, unsigned len)
{
	uint8_t padded[16] = "";

	memcpy(padded, bytes, len);
	return add_match(d, op, left,
			 expr_prefix(d->a, dec_value(d, left, padded, left->bits / 8u), len * 8));
}

static bool is_short(const struct expr *left, unsigned len)
{
	return (left->dtype == DT_IPV4 || left->dtype == DT_IPV6) && left->kind != EXPR_BINOP &&
	       left->bits <= 128 && len < left->bits / 8u;
}

/* "tcp dport 1-5" comes as two comparisons of one register. */
static bool merge_range(struct dec *d, enum match_op op, const struct expr *note, const void *bytes,
			unsigned len)
{
	struct stmt *s = d->last;
	struct expr *to, *range;
	unsigned shift;

	if (op != OP_LE || d->last_cmp != note || !s || s->kind != STMT_MATCH || s->match.op != OP_GE ||
	    s->match.right->kind != EXPR_VALUE)
		return false;
	if (note->kind == EXPR_BINOP && dec_masked(d, note, &shift))
		to = dec_field_value(d, s->match.left, shift, bytes, len);
	else
		to = dec_value(d, s->match.left, bytes, len);
	range = expr_range(d->a, s->match.right, to);
	if (!range)
		return false;
	s->match.op = OP_EQ;
	s->match.right = range;
	return true;
}

enum dec_result dec_match(struct dec *d, enum match_op op, struct expr *left, const void *bytes,
			  unsigned len)
{
	const struct expr *note = left;

	if (!left)
		return DEC_NOMEM;
	if (merge_range(d, op, note, bytes, len))
		return DEC_OK;
	d->last_cmp = op == OP_GE ? note : NULL;
	if (left->kind == EXPR_PAYLOAD && left->order == ORDER_NET)
		return match_payload(d, op, left, bytes, len * 8);
	if (left->kind == EXPR_BINOP && left->binop.op == BINOP_AND &&
	    left->binop.right->kind == EXPR_VALUE)
		return match_masked(d, op, left, bytes, len);
	left = dec_resolve_compared(d, left);
	if (!left)
		return DEC_NOMEM;
	if (is_string(left) && left->kind != EXPR_OPAQUE)
		return add_match(d, op, left, string_value(d, left, bytes, len));
	if (is_short(left, len))
		return match_short(d, op, left, bytes, len);
	return add_match(d, op, left, dec_value(d, left, bytes, len));
}

enum dec_result dec_match_range(struct dec *d, enum match_op op, struct expr *left, const void *from,
				const void *to, unsigned len)
{
	unsigned shift;
	struct expr *f;

	if (!left || len > VALUE_MAX)
		return left ? DEC_OPAQUE : DEC_NOMEM;
	f = left->bits / 8u == len ? dec_masked(d, left, &shift) : NULL;
	f = f ? dec_resolve(d, f) : NULL;
	if (f)
		return add_match(d, op, f, expr_range(d->a, dec_field_value(d, f, shift, from, len),
						      dec_field_value(d, f, shift, to, len)));
	left = dec_resolve_compared(d, left);
	if (!left)
		return DEC_NOMEM;
	return add_match(d, op, left,
			 expr_range(d->a, dec_value(d, left, from, len), dec_value(d, left, to, len)));
}

enum dec_result dec_match_set(struct dec *d, enum match_op op, struct expr *left, struct set *set)
{
	left = dec_key_compared(d, set, left);
	return left ? add_match(d, op, left, expr_setref(d->a, set)) : DEC_NOMEM;
}
