/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http - GET over a unix socket, in HTTP/1.0, so that answers come in one piece */
#ifndef NSUTIL_POD_HTTP_H
#define NSUTIL_POD_HTTP_H

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/pod/hostfs.h"

enum { HTTP_MAX = 16 << 20 };

/**
 * http_get() - ask for one resource
 * @h:		node
 * @socket:	path as the node sees it
 * @resource:	"/containers/json"; only characters that need no escaping
 * @timeout_ms:	for connecting and the whole answer
 * @ret_status:	set on success: the HTTP status, whatever it is
 * @body:	gets the body; reset first
 * @e:		error
 *
 * Return: 0, or -1
 */
int http_get(const struct hostfs *h, const char *socket, const char *resource, int timeout_ms, int *ret_status,
	     struct buf *body, struct err *e);

struct http_head {
	int status;
	size_t body;	     /* where the body starts */
	long long length;    /* Content-Length; -1 when not given */
};

/**
 * http_parse_head() - take the status line and headers apart
 * @data:	what was received, NUL-terminated
 * @len:	its bytes
 * @ret:	set on success
 *
 * Return: NULL, or why it is no answer we can take
 */
const char *http_parse_head(const char *data, size_t len, struct http_head *ret);

#endif
