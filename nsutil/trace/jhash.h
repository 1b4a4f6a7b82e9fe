/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jhash - the kernel's hash of short keys (include/linux/jhash.h, Bob Jenkins' lookup3) */
#ifndef NSUTIL_TRACE_JHASH_H
#define NSUTIL_TRACE_JHASH_H

#include <stddef.h>
#include <stdint.h>

/* jhash() - of bytes as they stand in the kernel's registers, words in this machine's order */
uint32_t jhash(const uint8_t *key, size_t length, uint32_t initval);
uint32_t jhash_3words(uint32_t a, uint32_t b, uint32_t c, uint32_t initval);

/* reciprocal_scale() - a number of 32 bits brought below another one */
static inline uint32_t reciprocal_scale(uint32_t v, uint32_t below)
{
	return (uint32_t)((uint64_t)v * below >> 32);
}

#endif
