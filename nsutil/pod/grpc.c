/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grpc - unary gRPC calls over a unix socket */
#include "nsutil/pod/grpc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/sock.h"

enum { FRAME_HEAD = 5, HEADERS_MAX = 1000, RECEIVED_MAX = 4 * GRPC_BODY_MAX };

struct grpc {
	int fd;
	nghttp2_session *session;
	/* the call under way */
	int32_t stream;
	struct buf request;
	size_t sent;
	struct buf body;
	unsigned headers;
	bool closed, too_big;
	uint32_t reset_code;
	int http_status, status;
	char message[512];
};

/* grpc-message is percent-encoded; what comes out must not disturb a terminal. */
static void decode_message(const uint8_t *value, size_t len, char *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < room; i++) {
		unsigned c = value[i];

		if (c == '%' && i + 2 < len && sscanf((const char *)value + i + 1, "%2x", &c) == 1)
			i += 2;
		to[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	to[n] = '\0';
}

static int parse_number(const uint8_t *value, size_t len)
{
	int v = 0;

	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit(value[i]))
			return -1;
		v = v * 10 + (value[i] - '0');
	}
	return v;
}

/* The status comes in the trailers, or in the first headers when there is no body. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t len, uint8_t flags, void *user)
{
	struct grpc *g = user;

	(void)session;
	(void)flags;
	if (frame->hd.stream_id != g->stream)
		return 0;
	if (++g->headers > HEADERS_MAX) {
		g->too_big = true;
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
#define IS(s) (name_len == sizeof(s) - 1 && memcmp(name, s, sizeof(s) - 1) == 0)
	if (IS(":status"))
		g->http_status = parse_number(value, len);
	else if (IS("grpc-status"))
		g->status = parse_number(value, len);
	else if (IS("grpc-message"))
		decode_message(value, len, g->message, sizeof(g->message));
#undef IS
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len,
		   void *user)
{
	struct grpc *g = user;

	(void)session;
	(void)flags;
	if (stream != g->stream)
		return 0;
	if (g->body.len + len > GRPC_BODY_MAX + FRAME_HEAD) {
		g->too_big = true;
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	buf_add(&g->body, data, len);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
	struct grpc *g = user;

	(void)session;
	if (stream == g->stream) {
		g->closed = true;
		g->reset_code = code;
	}
	return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room, uint32_t *flags,
			    nghttp2_data_source *source, void *user)
{
	struct grpc *g = user;
	size_t n = g->request.len - g->sent;

	(void)session;
	(void)stream;
	(void)source;
	if (n > room)
		n = room;
	memcpy(to, g->request.data + g->sent, n);
	g->sent += n;
	if (g->sent == g->request.len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static nghttp2_session *make_session(struct grpc *g)
{
	nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4 << 20 },
	};
	nghttp2_session_callbacks *cb;
	nghttp2_session *session = NULL;

	if (nghttp2_session_callbacks_new(&cb))
		return NULL;
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	if (nghttp2_session_client_new(&session, cb, g))
		session = NULL;
	nghttp2_session_callbacks_del(cb);
	if (session && (nghttp2_submit_settings(session, 0, settings, ARRAY_SIZE(settings)) ||
			nghttp2_session_set_local_window_size(session, 0, 0, 4 << 20))) {
		nghttp2_session_del(session);
		session = NULL;
	}
	return session;
}

int grpc_connect(const struct hostfs *h, const char *socket, int timeout_ms, struct grpc **ret, struct err *e)
{
	struct grpc *g = calloc(1, sizeof(*g));

	if (!g)
		return err_oom(e);
	g->fd = sock_connect(h, socket, sock_deadline(timeout_ms), e);
	if (g->fd >= 0 && !(g->session = make_session(g)))
		err_oom(e);
	if (!g->session) {
		grpc_close(g);
		return -1;
	}
	*ret = g;
	return 0;
}

void grpc_close(struct grpc *g)
{
	if (!g)
		return;
	if (g->session)
		nghttp2_session_del(g->session);
	cleanup_closep(&g->fd);
	buf_free(&g->request);
	buf_free(&g->body);
	free(g);
}

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static int submit(struct grpc *g, const char *method, const void *request, size_t len, struct err *e)
{
	nghttp2_nv headers[] = {
		header(":method", "POST"),	   header(":scheme", "http"),
		header(":path", method),	   header(":authority", "localhost"),
		header("content-type", "application/grpc"), header("te", "trailers"),
		header("user-agent", "cnish/" CNISH_VERSION),
	};
	nghttp2_data_provider body = { .read_callback = read_request };
	uint32_t be = htonl((uint32_t)len);

	buf_reset(&g->request);
	buf_chr(&g->request, 0);
	buf_add(&g->request, &be, sizeof(be));
	buf_add(&g->request, request, len);
	buf_reset(&g->body);
	g->sent = 0;
	g->headers = 0;
	g->closed = g->too_big = false;
	g->http_status = 0;
	g->status = GRPC_NO_STATUS;
	g->message[0] = '\0';
	g->stream = nghttp2_submit_request(g->session, NULL, headers, ARRAY_SIZE(headers), &body, NULL);
	if (buf_failed(&g->request) || g->stream == NGHTTP2_ERR_NOMEM)
		return err_oom(e);
	if (g->stream < 0)
		return err_set(e, ERR_SYS, method, "the connection takes no further call (%s)",
			       nghttp2_strerror(g->stream));
	return 0;
}

static int send_pending(struct grpc *g, const char *method, int64_t deadline, struct err *e)
{
	for (;;) {
		const uint8_t *data;
		ssize_t n = nghttp2_session_mem_send(g->session, &data);

		if (n < 0)
			return err_set(e, ERR_SYS, method, "HTTP/2: %s", nghttp2_strerror((int)n));
		if (n == 0)
			return 0;
		if (sock_send(g->fd, data, (size_t)n, deadline, method, e))
			return -1;
	}
}

static int exchange(struct grpc *g, const char *method, int64_t deadline, struct err *e)
{
	size_t received = 0;

	while (!g->closed) {
		uint8_t data[16384];
		ssize_t n, used;

		if (send_pending(g, method, deadline, e))
			return -1;
		if (!nghttp2_session_want_read(g->session))
			return err_set(e, ERR_SYS, method, "the runtime ended the HTTP/2 session");
		n = sock_recv(g->fd, data, sizeof(data), deadline, method, e);
		if (n < 0)
			return -1;
		if (n == 0)
			return err_set(e, ERR_SYS, method, "the runtime closed the connection before it answered");
		received += (size_t)n;
		used = nghttp2_session_mem_recv(g->session, data, (size_t)n);
		if (g->too_big || received > RECEIVED_MAX)
			return err_set(e, ERR_SYS, method, "the answer is larger than %d MiB; it was not taken",
				       GRPC_BODY_MAX >> 20);
		if (used < 0)
			return err_set(e, ERR_SYS, method, "the answer is not valid HTTP/2 (%s)",
				       nghttp2_strerror((int)used));
	}
	/* Window updates and acknowledgements, as far as they go without waiting. */
	return buf_failed(&g->body) ? err_oom(e) : 0;
}

const char *grpc_unframe(const uint8_t *body, size_t len, const uint8_t **ret, size_t *ret_len)
{
	uint32_t be;

	if (len < FRAME_HEAD)
		return "the answer is shorter than a gRPC frame";
	if (body[0] != 0)
		return "the answer is compressed, which was not asked for";
	memcpy(&be, body + 1, sizeof(be));
	if (ntohl(be) != len - FRAME_HEAD)
		return "the answer's length is not the one its frame says";
	*ret = body + FRAME_HEAD;
	*ret_len = len - FRAME_HEAD;
	return NULL;
}

static int judge(struct grpc *g, const char *method, struct buf *reply, struct err *e)
{
	const uint8_t *message;
	const char *why;
	size_t len;

	if (g->http_status && g->http_status != 200)
		return err_set(e, ERR_SYS, method, "the runtime answered HTTP status %d; is it a CRI socket?",
			       g->http_status);
	if (g->status == GRPC_NO_STATUS && g->reset_code)
		return err_set(e, ERR_SYS, method, "the runtime reset the call (%s)",
			       nghttp2_http2_strerror(g->reset_code));
	if (g->status == GRPC_NO_STATUS)
		return err_set(e, ERR_SYS, method, "the answer came without a gRPC status");
	if (g->status != GRPC_OK)
		return err_set(e, g->status == 7 || g->status == 16 ? ERR_PERM : ERR_SYS, method,
			       "gRPC status %d: %s", g->status, g->message[0] ? g->message : "(no message)");
	why = grpc_unframe((const uint8_t *)buf_cstr(&g->body), g->body.len, &message, &len);
	if (why)
		return err_set(e, ERR_SYS, method, "%s", why);
	buf_add(reply, message, len);
	return buf_failed(reply) ? err_oom(e) : 0;
}

int grpc_call(struct grpc *g, const char *method, const void *request, size_t len, int timeout_ms,
	      struct buf *reply, int *ret_status, struct err *e)
{
	int64_t deadline = sock_deadline(timeout_ms);
	int r = -1;

	buf_reset(reply);
	*ret_status = GRPC_NO_STATUS;
	if (submit(g, method, request, len, e) == 0 && exchange(g, method, deadline, e) == 0)
		r = judge(g, method, reply, e);
	*ret_status = g->status;
	return r;
}
