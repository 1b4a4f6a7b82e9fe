/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value - a string of bits each of which is known or not, and three-valued comparison */
#ifndef NSUTIL_TRACE_VALUE_H
#define NSUTIL_TRACE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/ruleset/expr.h"

enum tri { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN };

static inline enum tri tri_of(bool yes)
{
	return yes ? TRI_TRUE : TRI_FALSE;
}

static inline enum tri tri_not(enum tri t)
{
	return t == TRI_UNKNOWN ? t : t == TRI_TRUE ? TRI_FALSE : TRI_TRUE;
}
static inline enum tri tri_and(enum tri a, enum tri b)
{
	if (a == TRI_FALSE || b == TRI_FALSE)
		return TRI_FALSE;
	return a == TRI_TRUE && b == TRI_TRUE ? TRI_TRUE : TRI_UNKNOWN;
}
static inline enum tri tri_or(enum tri a, enum tri b)
{
	return tri_not(tri_and(tri_not(a), tri_not(b)));
}

#define VALUE_BYTES 64 /* the kernel's 16 registers of 4 bytes */

/*
 * Numbers are kept in network order whatever their order in the kernel's register, so that two
 * values of different origin compare as numbers; text (interface names) is kept as it is and
 * padded at its end. A bit that is not known is 0 in 'b' and 0 in 'k'.
 */
struct value {
	uint16_t bits;
	bool text;
	bool absent;	 /* the packet has no such thing: the kernel ends the rule (NFT_BREAK) */
	bool perhaps;	 /* nothing is known, not even that it is there */
	const char *why; /* why it is absent, or why bits are not known; constant text */
	uint16_t nz_at, nz_bits; /* so many bits, from that one (0: the last), are not all 0, whichever are not */
	uint8_t b[VALUE_BYTES], k[VALUE_BYTES];
};

static inline unsigned value_size(const struct value *v)
{
	return (v->bits + 7u) / 8u;
}

/* Make a value: a known number, nothing known, absent, or of known and unknown bytes. */
void value_uint(struct value *v, uint64_t n, unsigned bits);
void value_mask(struct value *v, uint32_t n, uint32_t known, unsigned bits, const char *why);
void value_unknown(struct value *v, unsigned bits, const char *why);
void value_absent(struct value *v, const char *why);
void value_perhaps(struct value *v, unsigned bits, const char *why); /* unknown, or absent */
void value_bytes(struct value *v, const uint8_t *b, unsigned bits);
void value_text(struct value *v, const char *s); /* 16 bytes, as an interface name */

/**
 * value_literal() - the value of an EXPR_VALUE, brought into network order
 *
 * Return: 0, -1 when the expression is no value or longer than a register file
 */
int value_literal(struct value *v, const struct expr *x);

bool value_known(const struct value *v);
uint64_t value_number(const struct value *v); /* of the last 8 bytes; unknown bits count as 0 */

/* value_bits_behind() - a bit is set behind the first @len */
bool value_bits_behind(const struct value *net, unsigned len);

/* value_resize() - cut or extend to @bits, at the front for numbers, at the end for text */
void value_resize(struct value *v, unsigned bits);

/* Comparisons; the sides may differ in size. An absent side gives FALSE. */
enum tri value_eq(const struct value *a, const struct value *b);
enum tri value_lt(const struct value *a, const struct value *b);
enum tri value_le(const struct value *a, const struct value *b);
enum tri value_in_prefix(const struct value *v, const struct value *net, unsigned len);
enum tri value_in_range(const struct value *v, const struct value *from, const struct value *to);

/* Bitwise; the result is in @a and has its size. */
void value_and(struct value *a, const struct value *b);
void value_or(struct value *a, const struct value *b);
void value_xor(struct value *a, const struct value *b);
void value_shift(struct value *a, int left); /* negative: to the right */

#endif
