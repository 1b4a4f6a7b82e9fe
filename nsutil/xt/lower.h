/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower - saying what an extension means in native nftables terms */
#ifndef NSUTIL_XT_LOWER_H
#define NSUTIL_XT_LOWER_H

#include "nsutil/xt/codec.h"

/*
 * A codec's 'lower' adds statements here. A failed allocation is sticky, so nothing needs checks.
 * Calls of expr_*() may be nested in the arguments: a NULL operand counts as a failed allocation.
 */
struct xt_low {
	struct arena *a;
	uint8_t family;
	struct stmt *head, **tail;
	const char *why; /* set: the meaning is unknown, and what was added is dropped */
	bool form;	 /* though it is unknown, what was added is the same in nftables' words */
	bool failed;
};

void low_add(struct xt_low *l, struct stmt *s);
/* low_match() - left == right, or != when @invert */
void low_match(struct xt_low *l, bool invert, struct expr *left, struct expr *right);
void low_cmp(struct xt_low *l, enum match_op op, struct expr *left, struct expr *right);
/* low_masked() - (left & mask) == value of 32 bits; without the mask when it is full */
void low_masked(struct xt_low *l, bool invert, struct expr *left, uint32_t value, uint32_t mask);
/* low_bits() - (left & bits) != 0, of host order; == 0 when @invert. One bit or many */
void low_bits(struct xt_low *l, bool invert, struct expr *left, uint64_t bits);
/* low_port() - a port or a range of a field, 0..65535 only when inverted (then it never matches) */
void low_port(struct xt_low *l, bool invert, struct expr *left, uint16_t from, uint16_t to);
/* low_u32() - a number or a range of a host-order 32-bit key */
void low_u32(struct xt_low *l, bool invert, struct expr *left, enum dtype type, uint32_t from, uint32_t to);
/* low_spi() - a 32-bit field of a header, a number or an inclusive range in host order; the full range says
 * nothing unless inverted */
void low_spi(struct xt_low *l, const char *protocol, const char *field, const uint32_t range[2], bool invert);
/* low_addr() - address and mask; @left must be of the family's address length */
void low_addr(struct xt_low *l, bool invert, struct expr *left, const void *addr, const void *mask);
/* low_set() - set the target to the value */
void low_set(struct xt_low *l, struct expr *target, struct expr *value);
/* low_set_masked() - target = (target & keep) ^ flip; plain set when nothing is kept */
void low_set_masked(struct xt_low *l, struct expr *(*target)(struct arena *a), uint32_t keep,
		    uint32_t flip);
void low_verdict(struct xt_low *l, enum verdict v);
/* low_not() - not all of what was added to @in; low_either() - all of @a or all of @b */
void low_not(struct xt_low *l, struct xt_low *in);
void low_either(struct xt_low *l, struct xt_low *a, struct xt_low *b);
void low_never(struct xt_low *l); /* a condition that is false: as "meta l4proto != 0-255" */

/* low_addr_expr() - "ip saddr" / "ip6 daddr" of the family; @name saddr or daddr */
struct expr *low_addr_expr(struct xt_low *l, const char *name);
/* low_addr_value() - an address of the family */
struct expr *low_addr_value(struct xt_low *l, const void *addr);
/* low_anon_set() - an anonymous set to be filled with low_anon_add(); the room is @n */
struct set *low_anon_set(struct xt_low *l, unsigned n, enum dtype type, unsigned bits);
void low_anon_add(struct xt_low *l, struct set *s, struct expr *key);

/* low_v6hdr() - a field of an IPv6 extension header of the number, at an offset in bits; 0 @bits: that it is there */
struct expr *low_v6hdr(struct xt_low *l, uint8_t number, unsigned offset, unsigned bits);
/* low_v6hdr_cmp() - such a field is @value, or not; low_v6hdr_there() - the packet has the
 * header, where nothing is asked of it yet */
void low_v6hdr_cmp(struct xt_low *l, bool invert, uint8_t number, unsigned offset, unsigned bits, uint32_t value);
void low_v6hdr_there(struct xt_low *l, uint8_t number);
/* low_v6hdr_range() - the same of a range, both ends inclusive; the full one says nothing unless inverted */
void low_v6hdr_range(struct xt_low *l, bool invert, uint8_t number, unsigned offset, unsigned bits, const uint32_t r[2]);
/* low_v6hdr_len() - the header has so many bytes, where the packet counts units of 8 beyond the first */
void low_v6hdr_len(struct xt_low *l, bool invert, uint8_t number, uint32_t bytes);

struct expr *low_meta_mark(struct arena *a);
struct expr *low_ct_mark(struct arena *a);
/* low_maxseg() - "tcp option maxseg size" */
struct expr *low_maxseg(struct arena *a);

#endif
