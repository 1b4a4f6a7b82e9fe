/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr - netlink attributes of nf_tables messages, read with every length checked */
#ifndef NSUTIL_NFT_ATTR_H
#define NSUTIL_NFT_ATTR_H

#include <endian.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "nsutil/base/arena.h"

/* Highest attribute number any table of ours looks at. */
#define ATTR_MAX 31

/* One level of attributes by number. 'unknown' when there is one above 'max' of attr_parse(). */
struct attrs {
	const struct nlattr *a[ATTR_MAX + 1];
	bool unknown;
};

/**
 * attr_parse() - sort the attributes of a byte range by number; the last of a number wins
 * @p:		first byte
 * @len:	number of bytes; a truncated attribute ends the list
 * @max:	highest number the caller knows, at most ATTR_MAX
 * @ret:	filled
 */
void attr_parse(const void *p, size_t len, unsigned max, struct attrs *ret);

/* attr_nested() - the same for the contents of an attribute; NULL gives none */
void attr_nested(const struct nlattr *nest, unsigned max, struct attrs *ret);

/* The first attribute of a nest and the one behind; NULL at the end. For lists. */
const struct nlattr *attr_first(const struct nlattr *nest);
const struct nlattr *attr_next(const struct nlattr *nest, const struct nlattr *at);

static inline unsigned attr_len(const struct nlattr *a)
{
	return a ? mnl_attr_get_payload_len(a) : 0;
}

static inline const void *attr_data(const struct nlattr *a)
{
	return a ? mnl_attr_get_payload(a) : NULL;
}

/* Numbers in network order, as nf_tables sends them; 0 when absent or too short. */
static inline uint8_t attr_u8(const struct nlattr *a)
{
	return attr_len(a) >= 1 ? *(const uint8_t *)attr_data(a) : 0;
}

static inline uint16_t attr_be16(const struct nlattr *a)
{
	uint16_t v = 0;

	if (attr_len(a) >= sizeof(v))
		memcpy(&v, attr_data(a), sizeof(v));
	return be16toh(v);
}

static inline uint32_t attr_be32(const struct nlattr *a)
{
	uint32_t v = 0;

	if (attr_len(a) >= sizeof(v))
		memcpy(&v, attr_data(a), sizeof(v));
	return be32toh(v);
}

static inline uint64_t attr_be64(const struct nlattr *a)
{
	uint64_t v = 0;

	if (attr_len(a) >= sizeof(v))
		memcpy(&v, attr_data(a), sizeof(v));
	return be64toh(v);
}

/* attr_str() - a copy of a string attribute in the arena; NULL when absent (or memory ran out) */
static inline const char *attr_str(struct arena *mem, const struct nlattr *a)
{
	return a ? arena_strndup(mem, attr_data(a), attr_len(a)) : NULL;
}

/* attr_is() - the attribute is this string */
static inline bool attr_is(const struct nlattr *a, const char *s)
{
	size_t n = strlen(s), len = attr_len(a);
	const char *p = attr_data(a);

	return len >= n && p && memcmp(p, s, n) == 0 && (len == n || p[n] == '\0');
}

#endif
