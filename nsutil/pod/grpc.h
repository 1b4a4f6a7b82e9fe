/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grpc - unary gRPC calls over a unix socket */
#ifndef NSUTIL_POD_GRPC_H
#define NSUTIL_POD_GRPC_H

#include <stddef.h>
#include <stdint.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/pod/hostfs.h"

struct grpc;

enum { GRPC_OK = 0, GRPC_NOT_FOUND = 5, GRPC_UNIMPLEMENTED = 12, GRPC_NO_STATUS = -1 };
enum { GRPC_BODY_MAX = 16 << 20 }; /* what kubelet takes at most */

/**
 * grpc_connect() - open a connection
 * @h:		node
 * @socket:	path as the node sees it
 * @timeout_ms:	for connecting
 * @ret:	set on success, to be given back with grpc_close()
 * @e:		error
 *
 * Return: 0, or -1
 */
int grpc_connect(const struct hostfs *h, const char *socket, int timeout_ms, struct grpc **ret, struct err *e);
void grpc_close(struct grpc *g);

/**
 * grpc_call() - one request, one answer
 * @g:		connection; after a failure without status it is of no use any more
 * @method:	"/package.Service/Method"
 * @request:	serialized message
 * @len:	its bytes
 * @timeout_ms:	for the whole call
 * @reply:	gets the answer's message, without the frame header; reset first
 * @ret_status:	always set: the gRPC status, or GRPC_NO_STATUS when none came
 * @e:		error, also for every status but OK
 *
 * Return: 0, or -1
 */
int grpc_call(struct grpc *g, const char *method, const void *request, size_t len, int timeout_ms,
	      struct buf *reply, int *ret_status, struct err *e);

/**
 * grpc_unframe() - take the length-prefixed message out of a body
 * @body:	body of the answer
 * @len:	its bytes
 * @ret:	set on success, points into @body
 * @ret_len:	set on success
 *
 * Return: NULL, or why the body is not one uncompressed message
 */
const char *grpc_unframe(const uint8_t *body, size_t len, const uint8_t **ret, size_t *ret_len);

#endif
