/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon_value - the values a field may have, as disjoint sorted ranges */
#include <stdlib.h>
#include <string.h>

#include "nsutil/ruleset/canon_form.h"

void canon_values_init(struct canon_values *vs, unsigned width, bool string)
{
	vs->width = width;
	vs->string = string;
	vs->leading = false;
	vs->v = vs->few;
	vs->n = 0;
	vs->room = sizeof(vs->few) / sizeof(vs->few[0]);
	vs->failed = false;
}

void canon_values_free(struct canon_values *vs)
{
	if (vs->v != vs->few)
		free(vs->v);
	vs->v = vs->few;
	vs->n = 0;
}

static struct canon_range *values_more(struct canon_values *vs)
{
	struct canon_range *bigger;

	if (vs->n == vs->room) {
		bigger = vs->v == vs->few ? malloc(sizeof(*bigger) * vs->room * 4)
					  : realloc(vs->v, sizeof(*bigger) * vs->room * 4);
		if (!bigger) {
			vs->failed = true;
			return NULL;
		}
		if (vs->v == vs->few)
			memcpy(bigger, vs->few, sizeof(vs->few));
		vs->v = bigger;
		vs->room *= 4;
	}
	return &vs->v[vs->n++];
}

void canon_values_add_range(struct canon_values *vs, const uint8_t *from, const uint8_t *to)
{
	struct canon_range *r = values_more(vs);

	if (!r)
		return;
	memcpy(r->from, from, vs->width);
	memcpy(r->to, to, vs->width);
}

/* Bytes of the register to a big-endian number: host order is turned round, and a number that is
 * shorter than the field is padded in front. Strings are padded behind. */
static bool place_value(const struct expr *x, unsigned width, bool string, uint8_t out[CANON_WIDTH])
{
	unsigned n = (x->bits + 7u) / 8u, spare;

	memset(out, 0, CANON_WIDTH);
	if (string) {
		if (n > width)
			return false;
		memcpy(out, x->value, n);
		return true;
	}
	for (spare = 0; n > width; n--, spare++) {
		/* longer than the field: only when what is cut off is zero */
		uint8_t lost = x->order == ORDER_NET ? x->value[spare] : x->value[n - 1];

		if (lost)
			return false;
	}
	for (unsigned i = 0; i < n; i++)
		out[width - n + i] = x->order == ORDER_NET ? x->value[spare + i] : x->value[n - 1 - i];
	return true;
}

bool canon_const(const struct expr *x, unsigned width, bool string, uint8_t out[CANON_WIDTH])
{
	uint8_t right[CANON_WIDTH];

	if (!x || width > CANON_WIDTH)
		return false;
	if (x->kind == EXPR_VALUE)
		return place_value(x, width, string, out);
	if (x->kind != EXPR_BINOP || x->binop.op > BINOP_XOR)
		return false;
	if (!canon_const(x->binop.left, width, string, out) ||
	    !canon_const(x->binop.right, width, string, right))
		return false;
	for (unsigned i = 0; i < width; i++)
		switch (x->binop.op) {
		case BINOP_AND: out[i] &= right[i]; break;
		case BINOP_OR: out[i] |= right[i]; break;
		default: out[i] ^= right[i];
		}
	return true;
}

/* The lowest 'count' bits all cleared in 'from' and set in 'to'. */
static void widen(uint8_t *from, uint8_t *to, unsigned width, unsigned count)
{
	for (unsigned i = width; i-- > 0 && count > 0;) {
		unsigned here = count < 8 ? count : 8;
		uint8_t low = (uint8_t)((1u << here) - 1);

		from[i] &= (uint8_t)~low;
		to[i] |= low;
		count -= here;
	}
}

/* What is wanted behind the prefix is compared with what the mask took away: then no value will do. */
static bool add_prefix(struct canon_values *vs, const struct expr *x)
{
	uint8_t want[CANON_WIDTH], from[CANON_WIDTH], to[CANON_WIDTH];
	unsigned bits = vs->string ? vs->width * 8 : x->prefix.value->bits;

	if (!canon_const(x->prefix.value, vs->width, vs->string, want))
		return false;
	memcpy(from, want, sizeof(from));
	memcpy(to, want, sizeof(to));
	if (x->prefix.len < bits)
		widen(from, to, vs->width, bits - x->prefix.len);
	if (vs->string || memcmp(from, want, vs->width) == 0)
		canon_values_add_range(vs, from, to);
	return true;
}

static bool add_set(struct canon_values *vs, const struct set *s)
{
	if (!s || !(s->flags & SET_ANONYMOUS) || s->unread || (s->flags & SET_MAP))
		return false;
	for (unsigned i = 0; i < s->n_elems; i++)
		if (s->elems[i].catchall || s->elems[i].stmts || s->elems[i].timeout_ms ||
		    !canon_values_add(vs, s->elems[i].key))
			return false;
	return true;
}

/*
 * A string without its closing NUL is what nftables compares for a name that ends in a wildcard, and
 * fewer bytes than the field has are what it compares for a prefix on a byte boundary.
 */
static bool add_value(struct canon_values *vs, const struct expr *x)
{
	uint8_t from[CANON_WIDTH], to[CANON_WIDTH];
	unsigned n = (x->bits + 7u) / 8u;
	bool leading = vs->leading && x->order == ORDER_NET && n < vs->width;

	if (!canon_const(x, vs->width, vs->string || leading, from))
		return false;
	memcpy(to, from, sizeof(to));
	if (leading || (vs->string && n < vs->width && (n == 0 || from[n - 1])))
		widen(from, to, vs->width, (vs->width - n) * 8);
	canon_values_add_range(vs, from, to);
	return true;
}

bool canon_values_add(struct canon_values *vs, const struct expr *x)
{
	uint8_t from[CANON_WIDTH], to[CANON_WIDTH];

	if (!x)
		return false;
	switch (x->kind) {
	case EXPR_VALUE:
	case EXPR_BINOP:
		return add_value(vs, x);
	case EXPR_PREFIX:
		return add_prefix(vs, x);
	case EXPR_RANGE:
		if (!canon_const(x->range.from, vs->width, vs->string, from) ||
		    !canon_const(x->range.to, vs->width, vs->string, to))
			return false;
		if (memcmp(from, to, vs->width) <= 0)
			canon_values_add_range(vs, from, to);
		return true;
	case EXPR_SETREF:
		return add_set(vs, x->set);
	default:
		return false;
	}
}

static int range_order(const void *a, const void *b)
{
	return memcmp(a, b, CANON_WIDTH);
}

/* Add one; false when it was the highest value already. */
static bool increment(uint8_t *v, unsigned width)
{
	for (unsigned i = width; i-- > 0;)
		if (++v[i] != 0)
			return true;
	return false;
}

static void decrement(uint8_t *v, unsigned width)
{
	for (unsigned i = width; i-- > 0;)
		if (v[i]-- != 0)
			return;
}

void canon_values_sort(struct canon_values *vs)
{
	unsigned kept = 0;

	/* the bytes beyond the width may be anything, and the whole array is what is compared */
	for (unsigned i = 0; i < vs->n; i++) {
		memset(vs->v[i].from + vs->width, 0, CANON_WIDTH - vs->width);
		memset(vs->v[i].to + vs->width, 0, CANON_WIDTH - vs->width);
	}
	if (vs->n > 1)
		qsort(vs->v, vs->n, sizeof(vs->v[0]), range_order);
	for (unsigned i = 0; i < vs->n; i++) {
		uint8_t next[CANON_WIDTH];

		if (kept) {
			struct canon_range *last = &vs->v[kept - 1];

			memcpy(next, last->to, sizeof(next));
			if (!increment(next, vs->width) || memcmp(vs->v[i].from, next, vs->width) <= 0) {
				if (memcmp(vs->v[i].to, last->to, vs->width) > 0)
					memcpy(last->to, vs->v[i].to, CANON_WIDTH);
				continue;
			}
		}
		vs->v[kept++] = vs->v[i];
	}
	vs->n = kept;
}

/* The highest value a field of so many bits can have. */
static void highest(uint8_t *v, unsigned width, unsigned bits)
{
	memset(v, 0, CANON_WIDTH);
	for (unsigned i = 0; i < width; i++) {
		unsigned below = (width - 1 - i) * 8;

		if (bits >= below + 8)
			v[i] = 0xff;
		else if (bits > below)
			v[i] = (uint8_t)((1u << (bits - below)) - 1);
	}
}

void canon_values_complement(struct canon_values *vs, unsigned bits)
{
	struct canon_values out;
	uint8_t from[CANON_WIDTH] = { 0 }, to[CANON_WIDTH], max[CANON_WIDTH];
	bool more = true;

	canon_values_init(&out, vs->width, vs->string);
	highest(max, vs->width, bits);
	for (unsigned i = 0; i < vs->n && more; i++) {
		if (memcmp(vs->v[i].from, from, vs->width) > 0) {
			memcpy(to, vs->v[i].from, sizeof(to));
			decrement(to, vs->width);
			canon_values_add_range(&out, from, to);
		}
		memcpy(from, vs->v[i].to, sizeof(from));
		more = memcmp(from, max, vs->width) < 0 && increment(from, vs->width);
	}
	if (more)
		canon_values_add_range(&out, from, max);
	vs->n = 0;
	for (unsigned i = 0; i < out.n; i++)
		canon_values_add_range(vs, out.v[i].from, out.v[i].to);
	vs->failed |= out.failed;
	canon_values_free(&out);
	canon_values_sort(vs);
}

bool canon_values_all(const struct canon_values *vs, unsigned bits)
{
	uint8_t max[CANON_WIDTH], zero[CANON_WIDTH] = { 0 };

	highest(max, vs->width, bits);
	return vs->n == 1 && memcmp(vs->v[0].from, zero, vs->width) == 0 &&
	       memcmp(vs->v[0].to, max, vs->width) >= 0;
}

void canon_hex(struct buf *b, const void *p, unsigned n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = p;
	char text[2 * 64];

	for (unsigned i = 0; i < n;) {
		unsigned len = 0;

		for (; i < n && len < sizeof(text); i++) {
			text[len++] = digits[bytes[i] >> 4];
			text[len++] = digits[bytes[i] & 15];
		}
		buf_add(b, text, len);
	}
}

void canon_values_text(const struct canon_values *vs, struct buf *b)
{
	for (unsigned i = 0; i < vs->n; i++) {
		if (i)
			buf_chr(b, ',');
		canon_hex(b, vs->v[i].from, vs->width);
		if (memcmp(vs->v[i].from, vs->v[i].to, vs->width) != 0) {
			buf_chr(b, '-');
			canon_hex(b, vs->v[i].to, vs->width);
		}
	}
}
