/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jhash - the kernel's hash of short keys (include/linux/jhash.h, Bob Jenkins' lookup3) */
#include "nsutil/trace/jhash.h"

#include <string.h>

#define INITVAL 0xdeadbeefu

static uint32_t rol(uint32_t v, unsigned by)
{
	return v << by | v >> (32 - by);
}

/* __jhash_mix() */
static void mix(uint32_t w[3])
{
	static const uint8_t by[6] = { 4, 6, 8, 16, 19, 4 };

	for (unsigned i = 0; i < 6; i++) {
		uint32_t *a = &w[i % 3], *b = &w[(i + 1) % 3], *c = &w[(i + 2) % 3];

		*a -= *c;
		*a ^= rol(*c, by[i]);
		*c += *b;
	}
}

/* __jhash_final() */
static uint32_t final(uint32_t w[3])
{
	static const uint8_t by[7] = { 14, 11, 25, 16, 4, 14, 24 };

	for (unsigned i = 0; i < 7; i++) {
		uint32_t *to = &w[(i + 2) % 3], from = w[(i + 1) % 3];

		*to ^= from;
		*to -= rol(from, by[i]);
	}
	return w[2];
}

uint32_t jhash(const uint8_t *key, size_t length, uint32_t initval)
{
	uint32_t start = INITVAL + (uint32_t)length + initval, w[3] = { start, start, start }, word[3];

	for (; length > 12; length -= 12, key += 12) {
		memcpy(word, key, 12);
		for (unsigned i = 0; i < 3; i++)
			w[i] += word[i];
		mix(w);
	}
	if (!length)
		return w[2];
	for (unsigned i = 0; i < length; i++)
		w[i / 4] += (uint32_t)key[i] << i % 4 * 8;
	return final(w);
}

uint32_t jhash_3words(uint32_t a, uint32_t b, uint32_t c, uint32_t initval)
{
	uint32_t w[3] = { a, b, c };

	for (unsigned i = 0; i < 3; i++)
		w[i] += initval + INITVAL + (3 << 2);
	return final(w);
}
