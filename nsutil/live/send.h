/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send - one packet into a scratch: by a socket inside, or as a frame from outside; internal to live/ */
#ifndef NSUTIL_LIVE_SEND_H
#define NSUTIL_LIVE_SEND_H

#include "nsutil/live/scratch.h"
#include "nsutil/trace/trace.h"

/* send_prepare(), then send_now(); the socket is there in between, so that its source port is known. */
struct sending {
	struct scratch *s;
	struct trace_request rq; /* filled in by send_prepare() */
	const char *iif;
	bool others; /* a fragment: send the others of its packet in front of it */
	int fd;
	bool raw;
};

/**
 * send_prepare() - make the socket, and fill in what the connection leaves open: ports, addresses, a fragment's place
 * @w:		's', 'rq', 'iif' and 'others' are set
 * @e:		error; errnum EOPNOTSUPP when such a packet cannot be sent
 *
 * Return: 0, or -1
 */
int send_prepare(struct sending *w, struct err *e);

/* send_now() - Return: 0, or the errno of the kernel (no route, refused by a rule ...) */
int send_now(struct sending *w);

/* send_end() - close the socket without a word to the other side */
void send_end(struct sending *w);

#endif
