/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bits - runs of bits in values of the kernel's registers */
#ifndef NSUTIL_NFT_BITS_H
#define NSUTIL_NFT_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of a mask that are set without a gap, counted from the most significant one. */
struct mask_span {
	unsigned lead, width, tail;
};

/* bits_span() - false when the mask is empty or has a gap */
bool bits_span(const uint8_t *mask, unsigned bits, struct mask_span *ret);
/* bits_copy() - set those bits of @out from bit @to on that are set among @n of @in from bit @from on */
void bits_copy(const uint8_t *in, unsigned from, unsigned n, uint8_t *out, unsigned to);

#endif
