/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_text - reading what "nft list ruleset" prints: what its parts share */
#ifndef NSUTIL_DUMP_NFT_TEXT_H
#define NSUTIL_DUMP_NFT_TEXT_H

#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"

/*
 * The text is loaded by libnftables into a network namespace that is made for it, and read from there as any
 * other. Before that it is looked through here: nothing but tables may stand in it, so that nothing but
 * tables is made of it. What nft prints and cannot read again, as the xt extensions of iptables-nft, is
 * replaced by a condition that never occurs otherwise, and becomes opaque when it is read back.
 */
#define NFT_TEXT_MODULUS 4294967291u /* of "numgen random mod N == I", I being the number of the opaque part */
#define NFT_TEXT_LINKS 256

struct nft_text {
	struct arena *a;
	struct buf clean; /* to be given to libnftables; lines as in the text */
	const char *links[NFT_TEXT_LINKS]; /* named in it; they must exist when it is loaded */
	unsigned n_links;
	const char **opaque; /* what could not be read again, by number */
	unsigned n_opaque, room_opaque;
};

/**
 * nft_text_scan() - look through a text
 * @text:	text
 * @size:	its length
 * @name:	of the file, for messages
 * @ret:	filled; 'a' is given, 'clean' is the caller's to free
 * @e:		error: something stands in it that "nft list ruleset" does not print (include, define, commands)
 *
 * Return: 0, or -1
 */
int nft_text_scan(const char *text, size_t size, const char *name, struct nft_text *ret, struct err *e);

/* nft_text_load() - load it apart and append what nft_record() has of it to @tape. Return: 0, or -1 */
int nft_text_load(const struct nft_text *t, struct buf *tape, struct err *e);

/* The number of the n-th link in the namespace it is loaded into; lo is 1, and the kernel counts on from there. */
static inline int nft_text_index(unsigned n)
{
	return (int)n + 10000;
}

#endif
