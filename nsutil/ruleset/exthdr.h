/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exthdr - names of IPv6 extension headers, TCP and IP options, SCTP chunks and their fields */
#ifndef NSUTIL_RULESET_EXTHDR_H
#define NSUTIL_RULESET_EXTHDR_H

#include "nsutil/ruleset/expr.h"

struct exthdr_field {
	uint8_t op;   /* NFT_EXTHDR_OP_* */
	uint8_t type; /* header, option or chunk number */
	const char *name, *field;
	uint16_t offset, bits;
	enum dtype dtype;
};

/* exthdr_name() - what a header, option or chunk is called; NULL when nft has no name for it */
const char *exthdr_name(uint8_t op, uint8_t type);

/**
 * exthdr_field_at() - find a field by its place; the first entry of the table wins
 * @op:		NFT_EXTHDR_OP_*
 * @type:	number
 * @offset:	in bits
 * @bits:	size
 *
 * Return: a constant entry, or NULL
 */
const struct exthdr_field *exthdr_field_at(uint8_t op, uint8_t type, unsigned offset, unsigned bits);

/* exthdr_field_nth() - the field of a header (the one called @name, when not NULL) by its place, from 0;
 * NULL when there is none */
const struct exthdr_field *exthdr_field_nth(uint8_t op, uint8_t type, const char *name, unsigned n);
/* exthdr_find() - find a field by nft's names ("maxseg", "size"); NULL when there is none such */
const struct exthdr_field *exthdr_find(uint8_t op, const char *name, const char *field);
/* exthdr_number() - number of a header, option or chunk by its name; -1 when there is none such */
int exthdr_number(uint8_t op, const char *name);

#endif
