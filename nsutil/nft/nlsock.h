/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nlsock - a netfilter netlink socket in a namespace: requests, dumps, acknowledgements */
#ifndef NSUTIL_NFT_NLSOCK_H
#define NSUTIL_NFT_NLSOCK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"

/* The kernel fills at most 32 KiB per message batch of a dump. */
#define NLSOCK_BUF 65536

/* Why a dump did not succeed, beside -1 for an error: what was read is of two generations. */
#define NLSOCK_TORN (-2)

/* How far the answer to a request has come. */
struct nlsock_end {
	bool done, torn;
	int error; /* the kernel's errno, positive */
};

/**
 * nlsock_open() - open a NETLINK_NETFILTER socket that lives in the namespace
 * @ns:		namespace
 * @e:		error
 *
 * Return: descriptor owned by the caller, or -1
 */
int nlsock_open(const struct netns *ns, struct err *e);

/**
 * nlsock_request() - begin an nf_tables request in a buffer
 * @buf:	at least MNL_SOCKET_BUFFER_SIZE bytes
 * @type:	NFT_MSG_*
 * @family:	NFPROTO_*
 * @flags:	NLM_F_* beside NLM_F_REQUEST
 *
 * Return: the message, for mnl_attr_put_*()
 */
struct nlmsghdr *nlsock_request(void *buf, uint8_t type, uint8_t family, uint16_t flags);

/* nlsock_send() - send a request; 0, or -1 */
int nlsock_send(int fd, const struct nlmsghdr *req, struct err *e);

/**
 * nlsock_recv() - take the next batch of messages
 * @fd:		socket
 * @buf:	room for it, at least NLSOCK_BUF bytes
 * @room:	its size
 * @end:	what the batch says of the state of the answer
 * @e:		error
 *
 * Return: bytes, or -1
 */
ssize_t nlsock_recv(int fd, void *buf, size_t room, struct nlsock_end *end, struct err *e);

/**
 * nlsock_batches() - send a request and hand over each batch of raw replies until the end
 * @fd:		socket
 * @req:	request
 * @buf:	NLSOCK_BUF bytes for the replies
 * @fn:		called per recv() with bytes that hold messages; -1 with @e set ends it
 * @arg:	passed on
 * @e:		error; errnum is the kernel's when it refused the request
 *
 * A request must be a dump or ask for an acknowledgement, which ends it.
 *
 * Return: 0, -1, or NLSOCK_TORN when the kernel marked the dump as interrupted (@e is not set)
 */
int nlsock_batches(int fd, struct nlmsghdr *req, void *buf,
		   int (*fn)(void *arg, const void *batch, size_t len, struct err *e), void *arg,
		   struct err *e);

/**
 * nlsock_each() - call a function for each data message of a batch
 * @batch:	bytes of one recv()
 * @len:	their number
 * @fn:		returns 0 to go on
 * @arg:	passed on
 * @e:		error
 *
 * Return: 0, or what @fn returned
 */
int nlsock_each(const void *batch, size_t len,
		int (*fn)(void *arg, const struct nlmsghdr *msg, struct err *e), void *arg, struct err *e);

#endif
