/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settle - whether a change of the nftables rules is under way at this moment */
#ifndef NSUTIL_NFT_SETTLE_H
#define NSUTIL_NFT_SETTLE_H

#include <stdbool.h>

#include "nsutil/netns/netns.h"

/**
 * settle_idle_text() - the kernel is at work on no netfilter request, says a text of /proc/net/netlink
 * @text:	the file, NUL-terminated
 *
 * A request's bytes count as received by the kernel's own socket (the one of port 0) until it is
 * done (af_netlink.c, netlink_unicast_kernel()), those of a dump until the dump's end. Dumps under
 * way, also ones that nobody goes on reading, are therefore taken off.
 *
 * Return: false also when the file does not tell
 */
bool settle_idle_text(const char *text);

/**
 * settle_idle() - the same, of a namespace now
 * @ns:		namespace
 * @ret_known:	set: whether the file could be read
 *
 * Return: true when no request was under way at some moment of the call
 */
bool settle_idle(const struct netns *ns, bool *ret_known);

#endif
