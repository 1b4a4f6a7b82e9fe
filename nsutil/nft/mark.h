/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mark - a table that sets the kernel's trace bit of chosen packets, and is gone with its socket */
#ifndef NSUTIL_NFT_MARK_H
#define NSUTIL_NFT_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/err.h"

#define NFT_MARK_TABLE "cnish-trace" /* no rules of its own but those that set the bit */

/* Which packets; all that is given must hold. */
struct nft_mark_filter {
	uint8_t family;		/* NFPROTO_IPV4, NFPROTO_IPV6; 0: both */
	int l4proto;		/* -1: any */
	struct addr src, dst;	/* family 0: any */
	int sport, dport;	/* -1: any */
	int icmp_type;		/* -1: any */
	bool has_uid, has_gid;	/* of the sending process: only packets made here have one */
	uint32_t uid, gid;
	bool first;		/* TCP: only the first segment of a connection (SYN without ACK) */
	bool fragments;		/* those of one packet; needs 'family' */
	uint32_t id;		/* its number: of IPv4's header, or of the fragment header */
	bool once;		/* one packet per hook, and no more */
};

enum {
	NFT_MARK_OUT = 1,	/* packets made here (hook output) */
	NFT_MARK_IN = 2,	/* packets that come in (prerouting) */
	NFT_MARK_ENDS = 4,	/* rules behind all others in chains "input" and "postrouting", whose trace event tells
				 * the packet's headers as they are in the end */
};

/**
 * nft_mark_start() - make the table: chains in front of all others, each with one rule
 * @fd:		nf_tables socket in the namespace (nlsock_open()). The table belongs to it (NFT_TABLE_F_OWNER,
 *		Linux 5.12): nobody else can change it, and it vanishes when the socket is closed, also after SIGKILL
 * @f:		which packets
 * @hooks:	NFT_MARK_*
 * @device:	not NULL: also where packets come in through this link (hook ingress of family netdev)
 * @e:		error; errnum EOPNOTSUPP or EINVAL: the kernel is too old for such a table
 *
 * Return: 0, or -1
 */
int nft_mark_start(int fd, const struct nft_mark_filter *f, unsigned hooks, const char *device, struct err *e);

/**
 * nft_mark_text() - the rules that nft_mark_start() makes, as "nft" would be told, for a plan that is shown
 * @f:		which packets
 * @out:	of packets made here; else of those that come in
 * @room:	filled
 * @size:	its size
 */
void nft_mark_text(const struct nft_mark_filter *f, bool out, char *room, unsigned size);

#endif
