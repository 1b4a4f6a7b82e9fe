/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bits - runs of bits in values of the kernel's registers */
#include "nsutil/nft/bits.h"

static bool bit(const uint8_t *p, unsigned i)
{
	return p[i / 8] & (0x80 >> i % 8);
}

bool bits_span(const uint8_t *mask, unsigned bits, struct mask_span *ret)
{
	unsigned i = 0, first, last;

	while (i < bits && !bit(mask, i))
		i++;
	first = i;
	while (i < bits && bit(mask, i))
		i++;
	last = i;
	while (i < bits && !bit(mask, i))
		i++;
	*ret = (struct mask_span){ first, last - first, bits - last };
	return i == bits && last > first;
}

void bits_copy(const uint8_t *in, unsigned from, unsigned n, uint8_t *out, unsigned to)
{
	for (unsigned i = 0; i < n; i++)
		if (bit(in, from + i))
			out[(to + i) / 8] |= (uint8_t)(0x80 >> (to + i) % 8);
}
