/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udata - what nft's user space keeps with tables, chains, rules, sets and elements */
#include "nsutil/nft/udata.h"

#include <string.h>

void udata_parse_bytes(const uint8_t *p, size_t len, struct udata *ret)
{
	memset(ret, 0, sizeof(*ret));
	while (len >= 2 && p[1] <= len - 2) {
		if (p[0] <= UDATA_MAX) {
			ret->value[p[0]] = p + 2;
			ret->len[p[0]] = p[1];
		}
		len -= 2u + p[1];
		p += 2u + p[1];
	}
}

void udata_parse(const struct nlattr *a, struct udata *ret)
{
	udata_parse_bytes(attr_data(a), attr_len(a), ret);
}

const char *udata_str(struct arena *a, const struct udata *u, unsigned type)
{
	return u->value[type] ? arena_strndup(a, (const char *)u->value[type], u->len[type]) : NULL;
}

uint32_t udata_u32(const struct udata *u, unsigned type)
{
	uint32_t v = 0;

	if (u->value[type] && u->len[type] >= sizeof(v))
		memcpy(&v, u->value[type], sizeof(v));
	return v;
}

