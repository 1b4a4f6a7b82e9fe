/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sock - connect to a runtime's unix socket, and wait for it, never longer than a deadline */
#ifndef NSUTIL_POD_SOCK_H
#define NSUTIL_POD_SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nsutil/base/err.h"
#include "nsutil/pod/hostfs.h"

/* sock_deadline() - the moment @timeout_ms from now, in milliseconds of CLOCK_MONOTONIC */
int64_t sock_deadline(int timeout_ms);

/**
 * sock_connect() - connect to a stream socket of the node
 * @h:		node
 * @path:	as the node sees it; may be longer than sun_path
 * @deadline:	of sock_deadline()
 * @e:		error; errnum ENOENT when there is no such file
 *
 * Return: a non-blocking descriptor owned by the caller, or -1
 */
int sock_connect(const struct hostfs *h, const char *path, int64_t deadline, struct err *e);

/**
 * sock_wait() - wait until a socket is ready
 * @events:	POLLIN, POLLOUT
 *
 * Return: 0; or -1 with ERR_SYS "no answer within ..." when the deadline passed
 */
int sock_wait(int fd, short events, int64_t deadline, const char *what, struct err *e);

/* sock_send() - send all bytes; 0, or -1 */
int sock_send(int fd, const void *data, size_t len, int64_t deadline, const char *what, struct err *e);

/* sock_recv() - receive some bytes: their number, 0 at the end of the stream, or -1 */
ssize_t sock_recv(int fd, void *data, size_t room, int64_t deadline, const char *what, struct err *e);

#endif
