/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http - GET over a unix socket, in HTTP/1.0, so that answers come in one piece */
#include "nsutil/pod/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/sock.h"

enum { HEAD_MAX = 64 << 10 };

/* One header line, without its end. */
static const char *parse_header(const char *line, size_t len, struct http_head *h)
{
	static const char length[] = "content-length:", encoding[] = "transfer-encoding:";
	char value[32], *end;

	if (len > sizeof(encoding) && strncasecmp(line, encoding, sizeof(encoding) - 1) == 0)
		return "the answer has a transfer encoding, which HTTP/1.0 does not know";
	if (len < sizeof(length) || strncasecmp(line, length, sizeof(length) - 1) != 0)
		return NULL;
	snprintf(value, sizeof(value), "%.*s", (int)(len - sizeof(length) + 1), line + sizeof(length) - 1);
	errno = 0;
	h->length = strtoll(value, &end, 10);
	if (end == value || *(end + strspn(end, " \t")) || errno || h->length < 0)
		return "the answer's Content-Length is no number";
	return h->length > HTTP_MAX ? "the answer says it is larger than 16 MiB" : NULL;
}

const char *http_parse_head(const char *data, size_t len, struct http_head *ret)
{
	struct http_head h = { .length = -1 };
	const char *end, *line, *why;
	int version;

	if (sscanf(data, "HTTP/1.%1d %3d", &version, &h.status) != 2 || h.status < 100)
		return "the answer is not HTTP";
	end = memmem(data, len, "\r\n\r\n", 4);
	if (!end)
		return "the answer was cut off within its headers";
	if (memchr(data, '\0', (size_t)(end - data)))
		return "the answer has a NUL byte in its headers";
	line = strstr(data, "\r\n") + 2;
	while (line < end + 2) {
		const char *next = strstr(line, "\r\n");

		if (!next)
			break;
		why = parse_header(line, (size_t)(next - line), &h);
		if (why)
			return why;
		line = next + 2;
	}
	h.body = (size_t)(end + 4 - data);
	*ret = h;
	return NULL;
}

/* Reads to the end of the stream; a peer that sends for ever meets a bound or the deadline. */
static int receive(int fd, struct buf *b, int64_t deadline, const char *what, struct err *e)
{
	for (;;) {
		char data[16384];
		ssize_t n = sock_recv(fd, data, sizeof(data), deadline, what, e);

		if (n < 0)
			return -1;
		if (n == 0)
			return buf_failed(b) ? err_oom(e) : 0;
		buf_add(b, data, (size_t)n);
		if (b->len > HEAD_MAX && !memmem(b->data, HEAD_MAX, "\r\n\r\n", 4))
			return err_set(e, ERR_SYS, what, "the answer has no end of headers within %d KiB", HEAD_MAX >> 10);
		if (b->len > HTTP_MAX + HEAD_MAX)
			return err_set(e, ERR_SYS, what, "the answer is larger than %d MiB; it was not taken",
				       HTTP_MAX >> 20);
	}
}

static int take_answer(const struct buf *all, const char *what, int *ret_status, struct buf *body, struct err *e)
{
	struct http_head head;
	const char *why;
	size_t got;

	if (all->len == 0)
		return err_set(e, ERR_SYS, what, "the runtime closed the connection before it answered");
	why = http_parse_head(buf_cstr(all), all->len, &head);
	if (why)
		return err_set(e, ERR_SYS, what, "%s", why);
	got = all->len - head.body;
	if (head.length >= 0 && (size_t)head.length != got)
		return err_set(e, ERR_SYS, what, "the answer has %zu bytes, but says %lld", got, head.length);
	buf_add(body, all->data + head.body, got);
	*ret_status = head.status;
	return buf_failed(body) ? err_oom(e) : 0;
}

int http_get(const struct hostfs *h, const char *socket, const char *resource, int timeout_ms, int *ret_status,
	     struct buf *body, struct err *e)
{
	_cleanup_buf_ struct buf all = BUF_INIT;
	_cleanup_close_ int fd = -1;
	int64_t deadline = sock_deadline(timeout_ms);
	char request[1024], what[256];
	int n = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: cnish\r\n\r\n",
			 resource);

	buf_reset(body);
	snprintf(what, sizeof(what), "GET %.200s", resource);
	if (n >= (int)sizeof(request))
		return err_set(e, ERR_SYS, what, "the resource's name is too long");
	fd = sock_connect(h, socket, deadline, e);
	if (fd < 0)
		return -1;
	if (sock_send(fd, request, (size_t)n, deadline, what, e) || receive(fd, &all, deadline, what, e))
		return -1;
	return take_answer(&all, what, ret_status, body, e);
}
