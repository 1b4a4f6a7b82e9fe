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

/**
 * settle_wait() - wait until the change that is under way in a namespace at this moment is done
 * @ns:		namespace
 *
 * Since 5.12 the kernel looks, whenever a netfilter socket is closed, for tables that belong to it, and takes the mutex
 * that a transaction holds from its check of the generation to its end (nf_tables_api.c, nft_rcv_nl_event()). So
 * to close a socket is to wait for the transaction, as every program does that has asked for rules. It costs the same
 * on any node, while /proc/net/netlink is found among the sockets of all namespaces.
 *
 * Return: false when the kernel is not known to do so, or there is no socket to be had: then settle_idle() tells
 */
bool settle_wait(const struct netns *ns);

/* settle_release() - is it a kernel's release ("6.1.0-18-amd64") that settle_wait() works with? */
bool settle_release(const char *release);

#endif
