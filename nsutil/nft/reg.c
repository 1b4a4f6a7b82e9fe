/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reg - what the registers of nf_tables hold while a rule is decoded */
#include <string.h>

#include "nsutil/nft/decode.h"

/* Registers are 16 words of 4 bytes; the old numbers 1..4 name groups of four, 8.. single words. */
static int word_of(uint32_t reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (int)(reg - NFT_REG_1) * 4;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return (int)(reg - NFT_REG32_00);
	return -1;
}

static unsigned words(const struct expr *x)
{
	unsigned n = (x->bits + 31u) / 32u;

	return n ? n : 1;
}

struct expr *dec_opaque(struct arena *a, const char *name, const char *why)
{
	struct expr *x = expr_new(a, EXPR_OPAQUE, DT_INTEGER, ORDER_HOST, 0);

	if (!x)
		return NULL;
	x->opaque.name = name;
	x->opaque.why = why;
	return x;
}

enum dec_result dec_reg_set(struct dec *d, uint32_t reg, struct expr *x)
{
	int w = word_of(reg);

	if (!x)
		return DEC_NOMEM;
	if (w < 0)
		return DEC_OPAQUE;
	for (unsigned i = 0, n = words(x); i < n && w + i < DEC_REGS; i++)
		d->reg[w + i] = NULL;
	d->reg[w] = x;
	return DEC_OK;
}

struct expr *dec_reg_raw(const struct dec *d, uint32_t reg)
{
	int w = word_of(reg);

	return w < 0 ? NULL : d->reg[w];
}

bool dec_reg_covered(const struct dec *d, uint32_t reg, uint32_t by)
{
	int w = word_of(reg), b = word_of(by);

	return w > b && b >= 0 && d->reg[b] && !d->reg[w] && (unsigned)(w - b) < words(d->reg[b]);
}

struct expr *dec_reg(struct dec *d, uint32_t reg, unsigned bytes)
{
	struct expr *parts[DEC_REGS], *x = dec_reg_raw(d, reg);
	unsigned n = 0, have = 0;

	if (!x)
		return dec_opaque(d->a, "register", "the register was not loaded by a known expression");
	if (x->bits == 0 || (x->bits + 7u) / 8u >= bytes || words(x) * 4 >= bytes)
		return x;
	for (int w = word_of(reg); have < bytes && w < DEC_REGS;) {
		if (!d->reg[w])
			return dec_opaque(d->a, "register", "a part of the register is not known");
		parts[n++] = d->reg[w];
		have += words(d->reg[w]) * 4;
		w += (int)words(d->reg[w]);
	}
	x = expr_new(d->a, EXPR_CONCAT, DT_INTEGER, ORDER_NET, have * 8);
	if (!x)
		return NULL;
	x->concat.n = n;
	x->concat.parts = arena_dup(d->a, parts, n * sizeof(*parts));
	return x->concat.parts ? x : NULL;
}
