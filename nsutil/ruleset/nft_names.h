/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_names - the words that nft has for values */
#ifndef NSUTIL_RULESET_NFT_NAMES_H
#define NSUTIL_RULESET_NFT_NAMES_H

#include "nsutil/ruleset/expr.h"

struct nft_name {
	uint32_t value;
	const char *name;
};

/* nft_names() - the words of a type, ended by a NULL name; NULL when the type has none */
const struct nft_name *nft_names(enum dtype dtype);

/* nft_name_of() - the word for a value; NULL when it has none */
const char *nft_name_of(enum dtype dtype, uint64_t value);

/* nft_is_flags() - the type is a set of bits, each with a word */
bool nft_is_flags(enum dtype dtype);

#endif
