/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower_v6 - IPv6 extension headers in native nftables terms */
#include <linux/netfilter/nf_tables.h>

#include "nsutil/ruleset/exthdr.h"
#include "nsutil/xt/lower.h"

struct expr *low_v6hdr(struct xt_low *l, uint8_t number, unsigned offset, unsigned bits)
{
	const struct exthdr_field *f = bits ? exthdr_field_at(NFT_EXTHDR_OP_IPV6, number, offset, bits) : NULL;
	struct expr *x = expr_new(l->a, EXPR_EXTHDR, f ? f->dtype : DT_BOOLEAN, ORDER_NET, bits ? bits : 8);

	if (!x || (bits && !f))
		return NULL;
	x->exthdr.op = NFT_EXTHDR_OP_IPV6;
	x->exthdr.type = number;
	x->exthdr.offset = offset;
	x->exthdr.present = bits == 0;
	x->exthdr.name = f && f->name ? f->name : exthdr_name(NFT_EXTHDR_OP_IPV6, number);
	x->exthdr.field = f ? f->field : NULL;
	return x;
}

static struct expr *field_value(struct xt_low *l, unsigned bits, uint32_t value)
{
	uint8_t be[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value };

	return expr_bytes(l->a, DT_INTEGER, ORDER_NET, be + 4 - (bits + 7) / 8, bits);
}

void low_v6hdr_cmp(struct xt_low *l, bool invert, uint8_t number, unsigned offset, unsigned bits, uint32_t value)
{
	low_match(l, invert, low_v6hdr(l, number, offset, bits), field_value(l, bits, value));
}

void low_v6hdr_there(struct xt_low *l, uint8_t number)
{
	if (!l->head)
		low_match(l, false, low_v6hdr(l, number, 0, 0), expr_u8(l->a, DT_BOOLEAN, 1));
}

void low_v6hdr_range(struct xt_low *l, bool invert, uint8_t number, unsigned offset, unsigned bits, const uint32_t r[2])
{
	uint32_t most = bits < 32 ? (1u << bits) - 1 : UINT32_MAX, to = r[1] > most ? most : r[1];

	if (r[0] > to || (r[0] == 0 && to == most)) {
		/* nothing is in an empty range, and nothing is not in the full one */
		if (invert == (r[0] <= to))
			low_never(l);
		return;
	}
	if (r[0] == to)
		low_v6hdr_cmp(l, invert, number, offset, bits, to);
	else
		low_match(l, invert, low_v6hdr(l, number, offset, bits),
			  expr_range(l->a, field_value(l, bits, r[0]), field_value(l, bits, to)));
}

void low_v6hdr_len(struct xt_low *l, bool invert, uint8_t number, uint32_t bytes)
{
	if (bytes && bytes % 8 == 0 && bytes / 8 - 1 <= 255)
		low_v6hdr_cmp(l, invert, number, 8, 8, bytes / 8 - 1);
	else if (!invert)
		low_never(l);
}
