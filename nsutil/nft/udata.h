/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udata - what nft's user space keeps with tables, chains, rules, sets and elements */
#ifndef NSUTIL_NFT_UDATA_H
#define NSUTIL_NFT_UDATA_H

#include "nsutil/nft/decode.h"

/*
 * Type, length, value, a byte each for the first two. The numbers are those of libnftnl's
 * udata.h; they mean nothing to the kernel and may hold anything.
 */
enum {
	UDATA_COMMENT = 0, /* of table, chain, rule, object, element */
	UDATA_RULE_EBTABLES_POLICY = 1,
	UDATA_ELEM_FLAGS = 1,
	UDATA_SET_KEYBYTEORDER = 0,
	UDATA_SET_DATABYTEORDER = 1,
	UDATA_SET_MERGE_ELEMENTS = 2,
	UDATA_SET_KEY_TYPEOF = 3,
	UDATA_SET_DATA_TYPEOF = 4,
	UDATA_SET_EXPR = 5,
	UDATA_SET_DATA_INTERVAL = 6,
	UDATA_SET_COMMENT = 7,
	UDATA_MAX = 7,
};

struct udata {
	const uint8_t *value[UDATA_MAX + 1];
	uint8_t len[UDATA_MAX + 1];
};

/* udata_parse() - sort user data by type; what lies beyond the attribute is left out */
void udata_parse(const struct nlattr *a, struct udata *ret);
void udata_parse_bytes(const uint8_t *p, size_t len, struct udata *ret);

/* udata_str() - a text, copied; NULL when absent (or memory ran out) */
const char *udata_str(struct arena *a, const struct udata *u, unsigned type);

/* udata_u32() - a number in host order, 0 when absent */
uint32_t udata_u32(const struct udata *u, unsigned type);

/* udata_typeof() - the expression of "typeof"; NULL when absent or not understood */
struct expr *udata_typeof(struct dec *d, const struct udata *u, unsigned type);

#endif
