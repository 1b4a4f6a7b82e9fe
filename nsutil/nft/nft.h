/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft - the nftables stores, compat and native: read and write through libmnl and libnftnl */
#ifndef NSUTIL_NFT_NFT_H
#define NSUTIL_NFT_NFT_H

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

/**
 * nft_read() - read all nftables tables into a ruleset; each is classified as compat or native
 * @ns:		namespace
 * @stores:	1 << STORE_COMPAT, 1 << STORE_NATIVE
 * @families:	0: all; else bit 0: ip, bit 1: ip6 (inet, arp, bridge, netdev count as both)
 * @rs:		ruleset to add to; nft_generation is set
 * @e:		error; a ruleset that keeps changing while it is read is one, after a bound
 *
 * A kernel without nf_tables is not an error: nothing is added.
 *
 * Return: 0, or -1
 */
int nft_read(const struct netns *ns, unsigned stores, unsigned families, struct ruleset *rs,
	     struct err *e);

/**
 * nft_record() - read all tables and keep the kernel's answers as they are
 * @ns:		namespace
 * @ret:	set on success to the answers, of one generation; empty when the kernel has no nf_tables
 * @e:		error
 *
 * Return: 0, or -1
 */
int nft_record(const struct netns *ns, struct buf *ret, struct err *e);

/**
 * nft_play() - what nft_read() would have made of answers that were kept
 * @tape:	the answers, aligned to 4
 * @size:	bytes
 * @nv:		links of that namespace: rules name interfaces by number; may be NULL
 * @rs:		ruleset to add to
 * @e:		error: they are broken
 *
 * Return: 0, or -1
 */
int nft_play(const void *tape, size_t size, const struct netview *nv, struct ruleset *rs, struct err *e);

#endif
