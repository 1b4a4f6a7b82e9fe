/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value - a string of bits each of which is known or not, and three-valued comparison */
#include "nsutil/trace/value.h"

#include <string.h>

/* The bits of the first byte that belong to the value. */
static uint8_t first_mask(unsigned bits)
{
	return bits % 8 ? (uint8_t)((1u << bits % 8) - 1) : 0xff;
}

static unsigned begin(struct value *v, unsigned bits, const char *why)
{
	if (bits > VALUE_BYTES * 8)
		bits = VALUE_BYTES * 8;
	v->bits = (uint16_t)bits;
	v->text = false;
	v->absent = v->perhaps = false;
	v->why = why;
	v->nz_bits = 0;
	return value_size(v);
}

void value_uint(struct value *v, uint64_t n, unsigned bits)
{
	unsigned size = begin(v, bits, NULL);

	memset(v->k, 0xff, size);
	for (unsigned i = size; i-- > 0; n >>= 8)
		v->b[i] = (uint8_t)n;
	if (size)
		v->b[0] &= first_mask(bits);
}

void value_mask(struct value *v, uint32_t n, uint32_t known, unsigned bits, const char *why)
{
	unsigned size;

	n &= known;
	value_uint(v, n, bits);
	size = value_size(v);
	for (unsigned i = size; i-- > 0; known >>= 8)
		v->k[i] = (uint8_t)known;
	v->why = why;
}

void value_unknown(struct value *v, unsigned bits, const char *why)
{
	unsigned size = begin(v, bits, why);

	memset(v->b, 0, size);
	memset(v->k, 0, size);
}

void value_perhaps(struct value *v, unsigned bits, const char *why)
{
	value_unknown(v, bits, why);
	v->perhaps = true;
}

void value_absent(struct value *v, const char *why)
{
	begin(v, 0, why);
	v->absent = true;
}

void value_bytes(struct value *v, const uint8_t *b, unsigned bits)
{
	unsigned size = begin(v, bits, NULL);

	memcpy(v->b, b, size);
	memset(v->k, 0xff, size);
	if (size)
		v->b[0] &= first_mask(v->bits);
}

void value_text(struct value *v, const char *s)
{
	begin(v, 128, NULL);
	v->text = true;
	memset(v->b, 0, 16);
	memcpy(v->b, s, strnlen(s, 15));
	memset(v->k, 0xff, 16);
}

static bool is_text(const struct expr *x)
{
	return x->dtype == DT_IFNAME || x->dtype == DT_STRING;
}

int value_literal(struct value *v, const struct expr *x)
{
	unsigned size = (x->bits + 7u) / 8u;

	if (x->kind != EXPR_VALUE || size > VALUE_BYTES)
		return -1;
	begin(v, x->bits, NULL);
	memset(v->k, 0xff, size);
	v->text = is_text(x);
	if (x->order == ORDER_HOST && !v->text)
		for (unsigned i = 0; i < size; i++)
			v->b[i] = x->value[size - 1 - i];
	else
		memcpy(v->b, x->value, size);
	if (size && !v->text)
		v->b[0] &= first_mask(x->bits);
	return 0;
}

bool value_known(const struct value *v)
{
	unsigned size = value_size(v);

	if (v->absent || !size)
		return false;
	if ((v->k[0] | (uint8_t)~first_mask(v->bits)) != 0xff)
		return false;
	for (unsigned i = 1; i < size; i++)
		if (v->k[i] != 0xff)
			return false;
	return true;
}

uint64_t value_number(const struct value *v)
{
	unsigned size = value_size(v);
	uint64_t n = 0;

	for (unsigned i = size > 8 ? size - 8 : 0; i < size; i++)
		n = n << 8 | v->b[i];
	return n;
}

void value_resize(struct value *v, unsigned bits)
{
	unsigned from = value_size(v), to;

	if (v->absent || bits == v->bits || bits > VALUE_BYTES * 8)
		return;
	to = (bits + 7u) / 8u;
	if (v->text) {
		if (to > from) {
			memset(v->b + from, 0, to - from);
			memset(v->k + from, 0xff, to - from);
		}
	} else if (to > from) {
		memmove(v->b + to - from, v->b, from);
		memmove(v->k + to - from, v->k, from);
		if (from) /* the bits above the old size are known to be 0 */
			v->k[to - from] |= (uint8_t)~first_mask(v->bits);
		memset(v->b, 0, to - from);
		memset(v->k, 0xff, to - from);
	} else if (to < from) {
		if (v->nz_at + v->nz_bits > bits)
			v->nz_bits = 0;
		memmove(v->b, v->b + from - to, to);
		memmove(v->k, v->k + from - to, to);
	}
	v->bits = (uint16_t)bits;
	if (to && !v->text)
		v->b[0] &= first_mask(bits);
}

/* Two values of one size; the copies are only made when they differ. */
struct pair {
	const struct value *a, *b;
	struct value copy;
};

static bool pair_up(struct pair *p, const struct value *a, const struct value *b)
{
	p->a = a;
	p->b = b;
	if (a->absent || b->absent)
		return false;
	if (value_size(a) < value_size(b)) {
		p->copy = *a;
		value_resize(&p->copy, b->bits);
		p->a = &p->copy;
	} else if (value_size(b) < value_size(a)) {
		p->copy = *b;
		value_resize(&p->copy, a->bits);
		p->b = &p->copy;
	}
	return true;
}

/* Compare the first @bits bits; three-valued. */
static enum tri same_bits(const struct value *a, const struct value *b, unsigned bits)
{
	unsigned size = (bits + 7) / 8;
	uint8_t unknown = 0;

	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = i == size - 1 && bits % 8 ? (uint8_t)(0xff00u >> bits % 8) : 0xff;
		uint8_t both = a->k[i] & b->k[i] & mask;

		if ((a->b[i] ^ b->b[i]) & both)
			return TRI_FALSE;
		unknown |= (uint8_t)(mask & ~both);
	}
	return unknown ? TRI_UNKNOWN : TRI_TRUE;
}

/* A bit, 0 being the last one: known to be @one? */
static bool bit_is(const struct value *v, unsigned bit, bool one)
{
	unsigned at = value_size(v) - 1 - bit / 8;

	return bit < v->bits && ((v->k[at] >> bit % 8) & 1) && ((v->b[at] >> bit % 8) & 1) == one;
}

static bool region_is(const struct value *v, const struct value *region, bool one)
{
	for (unsigned i = 0; i < region->nz_bits; i++)
		if (!bit_is(v, region->nz_at + i, one))
			return false;
	return region->nz_bits > 0;
}

enum tri value_eq(const struct value *a, const struct value *b)
{
	struct pair p;
	unsigned size;
	uint8_t unknown = 0;

	if (!pair_up(&p, a, b))
		return TRI_FALSE;
	size = value_size(p.a);
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = i || p.a->text ? 0xff : first_mask(p.a->bits);
		uint8_t both = p.a->k[i] & p.b->k[i];

		if ((p.a->b[i] ^ p.b->b[i]) & both & mask)
			return TRI_FALSE;
		unknown |= (uint8_t)(mask & ~both);
	}
	if (region_is(p.b, p.a, false) || region_is(p.a, p.b, false))
		return TRI_FALSE;
	return unknown ? TRI_UNKNOWN : TRI_TRUE;
}

/* Compare as numbers, unknown bits of a side being all 0 (@fill 0) or all 1 (0xff). */
static int compare(const struct value *a, uint8_t fill_a, const struct value *b, uint8_t fill_b)
{
	unsigned size = value_size(a);

	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = i ? 0xff : first_mask(a->bits);
		uint8_t x = (uint8_t)(a->b[i] | (fill_a & ~a->k[i])) & mask;
		uint8_t y = (uint8_t)(b->b[i] | (fill_b & ~b->k[i])) & mask;

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

enum tri value_lt(const struct value *a, const struct value *b)
{
	struct pair p;

	if (!pair_up(&p, a, b))
		return TRI_FALSE;
	if (compare(p.a, 0xff, p.b, 0) < 0)
		return TRI_TRUE;
	return compare(p.a, 0, p.b, 0xff) < 0 ? TRI_UNKNOWN : TRI_FALSE;
}

enum tri value_le(const struct value *a, const struct value *b)
{
	if (a->absent || b->absent)
		return TRI_FALSE;
	return tri_not(value_lt(b, a));
}

enum tri value_in_range(const struct value *v, const struct value *from, const struct value *to)
{
	return tri_and(value_le(from, v), value_le(v, to));
}

bool value_bits_behind(const struct value *net, unsigned len)
{
	for (unsigned i = len; i < net->bits; i++)
		if (net->b[i / 8] & (0x80 >> i % 8))
			return true;
	return false;
}

enum tri value_in_prefix(const struct value *v, const struct value *net, unsigned len)
{
	if (v->absent || net->absent)
		return TRI_FALSE;
	if (len > v->bits || (len + 7) / 8 > value_size(net))
		return TRI_FALSE;
	return same_bits(v, net, len);
}

void value_and(struct value *a, const struct value *b)
{
	struct value c = *b;

	value_resize(&c, a->bits);
	if (a->nz_bits && !region_is(&c, a, true))
		a->nz_bits = 0;
	for (unsigned i = 0; i < value_size(a); i++) {
		uint8_t zero = (uint8_t)((a->k[i] & ~a->b[i]) | (c.k[i] & ~c.b[i]));
		uint8_t one = a->b[i] & c.b[i];

		a->b[i] = one;
		a->k[i] = zero | one;
	}
}

void value_or(struct value *a, const struct value *b)
{
	struct value c = *b;

	value_resize(&c, a->bits);
	for (unsigned i = 0; i < value_size(a); i++) {
		uint8_t one = a->b[i] | c.b[i];
		uint8_t zero = (uint8_t)(a->k[i] & ~a->b[i] & c.k[i] & ~c.b[i]);

		a->b[i] = one;
		a->k[i] = zero | one;
	}
}

void value_xor(struct value *a, const struct value *b)
{
	struct value c = *b;

	value_resize(&c, a->bits);
	a->nz_bits = 0;
	for (unsigned i = 0; i < value_size(a); i++) {
		a->k[i] &= c.k[i];
		a->b[i] = (a->b[i] ^ c.b[i]) & a->k[i];
	}
}

void value_shift(struct value *a, int left)
{
	struct value from = *a;
	unsigned total = value_size(a) * 8;

	a->nz_bits = 0;
	for (unsigned i = 0; i < value_size(a); i++)
		a->b[i] = 0, a->k[i] = 0xff;
	/* bit 0 is the least significant one */
	for (unsigned to = 0; to < a->bits; to++) {
		int at = (int)to - left;
		unsigned f, t = total - 1 - to;

		if (at < 0 || at >= from.bits)
			continue;
		f = total - 1 - (unsigned)at;
		a->b[t / 8] |= (uint8_t)(((from.b[f / 8] >> (7 - f % 8)) & 1) << (7 - t % 8));
		if (!((from.k[f / 8] >> (7 - f % 8)) & 1))
			a->k[t / 8] &= (uint8_t)~(1u << (7 - t % 8));
	}
}
