/* SPDX-License-Identifier: GPL-2.0-or-later */
/* headers - names, places and types of header fields and of meta and ct keys */
#ifndef NSUTIL_RULESET_HEADERS_H
#define NSUTIL_RULESET_HEADERS_H

#include "nsutil/ruleset/expr.h"

/* What nftables calls a key, and what its value is. */
struct key_type {
	uint32_t key;
	const char *name;
	enum dtype dtype;
	enum byteorder order;
	unsigned bits;
};

/**
 * header_field() - find a header field by nft's names
 * @protocol:	"ip", "tcp", "th" ...
 * @name:	"daddr", "dport" ...
 *
 * Return: a constant entry, or NULL
 */
const struct hdr_field *header_field(const char *protocol, const char *name);

/**
 * header_field_at() - find a field by its place; the first entry of the table wins
 * @protocol:	restrict to this header, or NULL for any of the base
 * @base:	NFT_PAYLOAD_*
 * @offset:	in bits
 * @bits:	size
 *
 * Return: a constant entry, or NULL
 */
const struct hdr_field *header_field_at(const char *protocol, uint8_t base, unsigned offset,
					unsigned bits);

/* header_field_nth() - the n-th field (from 0) of a protocol in the table; NULL when there are fewer */
const struct hdr_field *header_field_nth(const char *protocol, unsigned n);

/* header_meta_type(), header_ct_type() - never NULL; an unknown key gives a 32-bit integer named "?" */
const struct key_type *header_meta_type(uint32_t key);
const struct key_type *header_ct_type(uint32_t key);

#endif
