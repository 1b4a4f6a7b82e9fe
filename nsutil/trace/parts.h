/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts - options of IP and TCP, extension headers of IPv6, fragments: what is given of them */
#ifndef NSUTIL_TRACE_PARTS_H
#define NSUTIL_TRACE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nsutil/base/arena.h"

#define PARTS_MOST 24	  /* of one packet and kind */
#define PARTS_OPTIONS 40  /* bytes of options behind a header of IPv4 or TCP */
#define PARTS_HEADERS_MOST 8 /* extension headers of one packet */
#define PARTS_HEADERS 120 /* bytes of extension headers that are looked into */

/* An option, or an extension header: its first byte is its number or the next header, the second its length. */
struct part {
	uint8_t type;
	uint8_t size;  /* bytes in all; 0: not known */
	uint8_t known; /* so many of 'bytes', from the first one, are known */
	uint8_t bytes[PARTS_HEADERS];
};

/* All there are, in their order. */
struct parts {
	bool exact;	  /* where each stands is known */
	unsigned n;
	const char *text; /* as the words of a connection have it */
	struct part part[];
};

enum frag { FRAG_NOT_SAID, FRAG_NONE, FRAG_IS };

/* Of a packet; all zero: what most packets are. */
struct header_parts {
	const struct parts *ipopt;  /* NULL: there are none */
	const struct parts *exthdr; /* the same */
	const struct parts *tcpopt; /* NULL: not known */
	enum frag frag;
	int offset;	/* of a fragment, in units of eight bytes; -1: not known, but not the first */
	int more;	/* others follow: 0, 1, -1 not known */
	bool has_id;
	uint32_t id;	/* of the fragments of a packet */
};

enum parts_kind { PARTS_IPOPT, PARTS_TCPOPT, PARTS_EXTHDR };

/**
 * parts_parse() - read "none", "0x" with the bytes of all options, or "NAME[=NUMBER|:HEX],..."
 * @a:		arena for what is returned
 * @kind:	whose names
 * @text:	word; extension headers have no form of bytes of all
 * @ret:	set on success
 * @why:	set to what is wrong otherwise, in @a or constant; NULL when memory ran out
 *
 * Return: 0, or -1
 */
int parts_parse(struct arena *a, enum parts_kind kind, const char *text, const struct parts **ret, const char **why);

/**
 * parts_of_bytes() - the same of what stands in a packet
 * @a:		arena
 * @kind:	PARTS_IPOPT or PARTS_TCPOPT
 * @b:		options
 * @n:		bytes, up to PARTS_OPTIONS
 *
 * Return: parts; NULL when they are malformed (an option is longer than what is left), or memory ran out
 */
const struct parts *parts_of_bytes(struct arena *a, enum parts_kind kind, const uint8_t *b, size_t n);

/* parts_of_headers() - extension headers that were found: a copy with its text; NULL when memory ran out */
const struct parts *parts_of_headers(struct arena *a, const struct part *part, unsigned n);

/* frag_parse() - "none", "first", "later", OFFSET or OFFSET+; Return: 0, -1 when it is none of these */
int frag_parse(const char *text, struct header_parts *h);
/* frag_text() - the same in words; NULL when nothing was said */
const char *frag_text(const struct header_parts *h, char text[16]);

/* parts_names() - what may be said of a kind, NULL-ended */
const char *const *parts_names(enum parts_kind kind);
/* parts_find() - the first part of a type; NULL when there is none */
const struct part *parts_find(const struct parts *p, uint8_t type);

#endif
