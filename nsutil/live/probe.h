/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe - sends the packet of a connection in a scratch namespace and collects what the kernel does with it */
#ifndef NSUTIL_LIVE_PROBE_H
#define NSUTIL_LIVE_PROBE_H

#include "nsutil/live/compare.h"
#include "nsutil/live/ktrace.h"
#include "nsutil/live/scratch.h"
#include "nsutil/trace/trace.h"

struct probe; /* a scratch that is listened to */

/* What the kernel did with one packet. */
struct probe_result {
	struct arena *arena;	/* of it all; given back with probe_result_free() */
	struct ktrace_step *steps;
	unsigned n;
	/* where it ended: behind the last rule of all; ENDED_NOT: at neither end */
	enum { PROBE_ENDED_NOT, PROBE_ENDED_LOCAL, PROBE_ENDED_OUT } end;
	struct ktrace_step last; /* the packet as it was there */
	int error;		/* errno of the sending; 0 */
	struct trace_request sent; /* what was sent: what the connection left open is filled in */
};

/**
 * probe_open() - listen to a scratch
 * @s:		scratch; must outlive the probe
 * @legacy:	its rules hold legacy tables
 * @ingress:	they hold chains at the hook ingress
 * @ret:	set on success, to be given back with probe_close()
 * @e:		error: what the kernel or the caller lacks
 *
 * Return: 0, or -1
 */
int probe_open(struct scratch *s, bool legacy, bool ingress, struct probe **ret, struct err *e);
void probe_close(struct probe *p);

/**
 * probe_send() - send one packet and collect
 * @p:		probe
 * @rq:		connection, as trace_run() gave it back (result->request)
 * @iif:	TRACE_IN, TRACE_FORWARD: the link it comes in through
 * @others:	of a fragment: send those before and behind it too, in front of it. What is collected is what the kernel
 *		does with the one asked for, and with the packet that it completes
 * @done:	called whenever nothing has come for a moment; true: that is all. NULL: wait until nothing comes
 * @arg:	passed on
 * @ret:	set on success
 * @e:		error, errnum EOPNOTSUPP: the connection is of a kind that cannot be sent; @e says why
 *
 * A connection of 'out' is made by a socket of its user and group, with its mark; one that comes in is a frame
 * on the other end of the link. TCP sends a SYN (or the flags asked for), all else one packet.
 *
 * Return: 0, or -1
 */
int probe_send(struct probe *p, const struct trace_request *rq, const char *iif, bool others,
	       bool (*done)(void *arg, const struct probe_result *so_far), void *arg, struct probe_result **ret,
	       struct err *e);
void probe_result_free(struct probe_result *r);

/* probe_end() - where the packet came to, for live_compare() and live_outcome() */
struct live_end probe_end(const struct probe_result *r);

#endif
