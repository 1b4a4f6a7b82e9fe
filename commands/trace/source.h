/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source - where the connections of a batch come from, other than lines */
#ifndef COMMANDS_TRACE_SOURCE_H
#define COMMANDS_TRACE_SOURCE_H

#include "nsutil/pod/target.h"
#include "nsutil/trace/trace.h"

/* One connection. Return: 0 to go on, 1 enough, -1 with @e set */
typedef int source_fn(void *ctx, const struct trace_request *rq, struct err *e);

/*
 * source_conns() - the connection-tracking entries of the target, each as its first packet was
 * source_sockets() - its established sockets, and those that are being connected. What somebody else opened is
 *	"in", with the destination it had before the target's nat, where conntrack still knows it; a connection of
 *	the target with itself is told once, by the end that opened it
 * source_pcap() - the first packet of each connection of a capture file; "-" for standard input
 * @t:		target
 * @nv:		what was read of it; for source_pcap() NULL when it is a file
 * @fn:		called for each
 * @ctx:	passed on
 * @e:		error
 *
 * Whose addresses they are says which path it is: out, in or forward.
 *
 * Return: 0, or -1
 */
int source_conns(const struct target *t, const struct netview *nv, source_fn *fn, void *ctx, struct err *e);
int source_sockets(const struct target *t, const struct netview *nv, source_fn *fn, void *ctx, struct err *e);
int source_pcap(const char *path, const struct netview *nv, source_fn *fn, void *ctx, struct err *e);

#endif
