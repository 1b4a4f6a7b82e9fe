/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch - the kernel's trace of real packets in a target, packet by packet */
#ifndef NSUTIL_LIVE_WATCH_H
#define NSUTIL_LIVE_WATCH_H

#include "nsutil/live/compare.h"
#include "nsutil/nft/mark.h"

struct watch_packet {
	struct ktrace_step *steps;
	unsigned n;
	struct ktrace_step first; /* the packet as it was marked */
	bool out;		/* made here; else it came in */
	struct live_end end;
};

struct watch_options {
	const struct netns *ns;
	struct nft_mark_filter filter;
	unsigned hooks;		/* NFT_MARK_OUT, NFT_MARK_IN */
	bool legacy;		/* it has legacy tables: nfnetlink_log becomes its logger meanwhile */
	unsigned count, seconds; /* the end, whichever comes first */
	bool (*stop)(void *arg); /* asked now and then */
	int (*packet)(void *arg, const struct watch_packet *p, struct err *e);
	void *arg;
};

/**
 * watch_run() - mark packets, collect what the kernel says of them, and put everything back
 * @opt:	what to watch
 * @ret_seen:	packets handed over
 * @e:		error
 *
 * The table that marks belongs to a socket and is gone with it. The former packet logger is noted in a file
 * first (see logger.h).
 *
 * Return: 0, or -1
 */
int watch_run(const struct watch_options *opt, unsigned *ret_seen, struct err *e);

#endif
