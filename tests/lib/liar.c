/* SPDX-License-Identifier: GPL-2.0-or-later */
/* liar - a runtime's socket that misbehaves in a chosen way */
/*
 * liar SOCKET MODE [ARGUMENT...]   prints "ready" when it listens; ends with the test that started it
 * The modes are in the table below. "crio NETNS PID" answers as CRI-O does when it runs no pause
 * process; "old NETNS PID" likewise, but knows runtime.v1alpha2 only.
 */
#include <arpa/inet.h>
#include <err.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nsutil/pod/cri.pb-c.h"

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, CONTINUATION = 9 };
enum { END_STREAM = 1, END_HEADERS = 4, MESSAGE_MAX = 65536 };

static int fd;		 /* the client */
static uint32_t stream;	 /* of the request under way */
static char path[256];	 /* its method */
static unsigned calls;	 /* requests on this connection so far */
static char **arguments;
static bool gone;	 /* the client went away */

static void put(const void *data, size_t len)
{
	const char *p = data;

	while (len && !gone) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			gone = true;
		else
			p += n, len -= (size_t)n;
	}
}

static void puts_raw(const char *text)
{
	put(text, strlen(text));
}

static void frame_head(uint8_t type, uint8_t flags, uint32_t id, size_t len)
{
	uint8_t h[9] = { (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type, flags };
	uint32_t be = htonl(id);

	memcpy(h + 5, &be, 4);
	put(h, sizeof(h));
}

static void frame(uint8_t type, uint8_t flags, uint32_t id, const void *data, size_t len)
{
	frame_head(type, flags, id, len);
	put(data, len);
}

/* Header fields as literals, which need no compression state. Pairs of name and value, ended by NULL. */
static void headers(uint8_t flags, const char *const *pairs)
{
	uint8_t block[4096];
	size_t n = 0;

	for (; pairs[0]; pairs += 2) {
		block[n++] = 0;
		for (int i = 0; i < 2; i++) {
			size_t len = strlen(pairs[i]);

			block[n++] = (uint8_t)len;
			memcpy(block + n, pairs[i], len);
			n += len;
		}
	}
	frame(HEADERS, flags | END_HEADERS, stream, block, n);
}

static void begin(const char *http_status)
{
	headers(0, (const char *[]){ ":status", http_status, "content-type", "application/grpc", NULL });
}

static void trailers(const char *status, const char *message)
{
	headers(END_STREAM, (const char *[]){ "grpc-status", status, "grpc-message", message, NULL });
}

/* Status in the first headers, as servers do when there is nothing else to say. */
static void refuse(const char *status, const char *message)
{
	headers(END_STREAM, (const char *[]){ ":status", "200", "content-type", "application/grpc", "grpc-status", status,
					      "grpc-message", message, NULL });
}

static void body(uint8_t compressed, uint32_t says, const void *data, size_t len)
{
	uint8_t h[5] = { compressed };
	uint32_t be = htonl(says);

	memcpy(h + 1, &be, 4);
	frame_head(DATA, 0, stream, len + sizeof(h));
	put(h, sizeof(h));
	put(data, len);
}

static void answer(const ProtobufCMessage *m)
{
	static uint8_t packed[MESSAGE_MAX];
	size_t len = protobuf_c_message_get_packed_size(m);

	if (len > sizeof(packed))
		errx(1, "message too long");
	protobuf_c_message_pack(m, packed);
	begin("200");
	body(0, (uint32_t)len, packed, len);
	trailers("0", "");
}

static bool asked(const char *method)
{
	const char *slash = strrchr(path, '/');

	return slash && strcmp(slash + 1, method) == 0;
}

static void say_version(void)
{
	Cri__VersionResponse v = CRI__VERSION_RESPONSE__INIT;

	v.runtime_name = "cri-o";
	v.runtime_version = "1.30\033[31m";
	answer(&v.base);
}

static void say_sandboxes(void)
{
	Cri__PodMetadata meta = CRI__POD_METADATA__INIT;
	Cri__Sandbox s = CRI__SANDBOX__INIT, *items[] = { &s };
	Cri__ListPodSandboxResponse r = CRI__LIST_POD_SANDBOX_RESPONSE__INIT;

	meta.name = "web-0";
	meta.k8s_namespace = "shop";
	meta.uid = "11111111-2222-3333-4444-555555555501";
	s.id = "aa00";
	s.metadata = &meta;
	s.created_at = 5;
	r.items = items;
	r.n_items = 1;
	answer(&r.base);
}

static void say_status(const char *info)
{
	Cri__PodSandboxStatusResponse r = CRI__POD_SANDBOX_STATUS_RESPONSE__INIT;
	Cri__SandboxStatus st = CRI__SANDBOX_STATUS__INIT;
	Cri__Pair pair = CRI__PAIR__INIT, *pairs[] = { &pair };

	st.id = "aa00";
	r.status = &st;
	pair.key = "info";
	pair.value = (char *)info;
	r.info = pairs;
	r.n_info = 1;
	answer(&r.base);
}

static void say_containers(void)
{
	Cri__ListContainersResponse r = CRI__LIST_CONTAINERS_RESPONSE__INIT;
	Cri__ContainerMetadata meta = CRI__CONTAINER_METADATA__INIT;
	Cri__Container c = CRI__CONTAINER__INIT, *items[] = { &c };

	meta.name = "app";
	c.id = "bb00";
	c.pod_sandbox_id = "aa00";
	c.metadata = &meta;
	c.state = 1;
	r.containers = items;
	r.n_containers = 1;
	answer(&r.base);
}

static void say_container(const char *pid)
{
	Cri__ContainerStatusResponse r = CRI__CONTAINER_STATUS_RESPONSE__INIT;
	Cri__Pair pair = CRI__PAIR__INIT, *pairs[] = { &pair };
	char info[128];

	snprintf(info, sizeof(info), "{\"sandboxID\":\"aa00\",\"pid\":%s,\"privileged\":false}", pid);
	pair.key = "info";
	pair.value = info;
	r.info = pairs;
	r.n_info = 1;
	answer(&r.base);
}

/* CRI-O without a pause process: no pid, only the path of the namespace. */
static void crio(void)
{
	char info[512];

	snprintf(info, sizeof(info),
		 "{\"runtimeSpec\":{\"annotations\":{},\"linux\":{\"namespaces\":[{\"type\":\"pid\"},"
		 "{\"type\":\"network\",\"path\":\"%s\"}]}}}",
		 arguments[0]);
	if (asked("Version"))
		say_version();
	else if (asked("ListPodSandbox"))
		say_sandboxes();
	else if (asked("PodSandboxStatus"))
		say_status(info);
	else if (asked("ListContainers"))
		say_containers();
	else
		say_container(arguments[1]);
}

static void old(void)
{
	if (strncmp(path, "/runtime.v1alpha2.", 18) == 0)
		crio();
	else
		refuse("12", "unknown service runtime.v1.RuntimeService");
}

static void neither(void)
{
	refuse("12", "unknown service");
}

static void bad_info(void)
{
	if (asked("PodSandboxStatus"))
		say_status("{\"pid\": 1e999, ");
	else
		crio();
}

static void later(void)
{
	if (calls > 1)
		gone = true;
	else
		crio();
}

static void bad_pid(void)
{
	if (asked("PodSandboxStatus"))
		say_status("{\"pid\": -9223372036854775808, \"runtimeSpec\": [7]}");
	else
		crio();
}

static void status14(void)
{
	refuse("14", "shutting%20down%0a%1b[31m");
}

static void status_late(void)
{
	begin("200");
	trailers("13", "no");
}

static void status_word(void)
{
	refuse("zero", "");
}

static void no_status(void)
{
	begin("200");
	frame(DATA, END_STREAM, stream, "\0\0\0\0\0", 5);
}

static void http_503(void)
{
	headers(END_STREAM, (const char *[]){ ":status", "503", NULL });
}

static void wrong_length(void)
{
	begin("200");
	body(0, 1000, "abc", 3);
	trailers("0", "");
}

static void huge_length(void)
{
	begin("200");
	body(0, 0xffffffff, "abc", 3);
	trailers("0", "");
}

static void compressed(void)
{
	begin("200");
	body(1, 3, "abc", 3);
	trailers("0", "");
}

static void not_protobuf(void)
{
	begin("200");
	body(0, 4, "\xff\xff\xff\xff", 4);
	trailers("0", "");
}

static void short_frame(void)
{
	begin("200");
	frame_head(DATA, 0, stream, 1000);
	puts_raw("ten bytes.");
	gone = true;
}

static void reset(void)
{
	frame(RST_STREAM, 0, stream, "\0\0\0\2", 4);
}

static void goaway(void)
{
	frame(GOAWAY, 0, 0, "\0\0\0\0\0\0\0\1", 8);
	gone = true;
}

static void endless_data(void)
{
	static char zeros[16384];

	begin("200");
	while (!gone)
		frame(DATA, 0, stream, zeros, sizeof(zeros));
}

static void endless_pings(void)
{
	while (!gone)
		frame(PING, 0, 0, "12345678", 8);
}

static void endless_headers(void)
{
	char block[1024] = "";

	for (size_t i = 0; i + 4 <= sizeof(block); i += 4)
		memcpy(block + i, "\0\1a\0", 4);
	frame(HEADERS, 0, stream, block, sizeof(block));
	while (!gone)
		frame(CONTINUATION, 0, stream, block, sizeof(block));
}

static void drip(void)
{
	uint8_t h[9] = { 0, 1, 0, DATA };

	h[8] = (uint8_t)stream;
	begin("200");
	put(h, sizeof(h));
	while (!gone) {
		put("x", 1);
		usleep(100000);
	}
}

static void slow(void)
{
	usleep(1500000);
	crio();
}

/* Modes that do not look at what is asked. */
static void silent(void)
{
	while (!gone)
		pause();
}

static void garbage(void)
{
	char rest[512];

	puts_raw("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
	shutdown(fd, SHUT_WR);
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
}

static void endless_zeros(void)
{
	static char zeros[16384];

	while (!gone)
		put(zeros, sizeof(zeros));
}

static void shut(void)
{
}

/* Docker's API. */
static void http(const char *head, const char *text)
{
	puts_raw(head);
	puts_raw(text);
}

static void http_json(void)
{
	http("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n", "[{\"Id\": \"abc\", ");
}

static void http_object(void)
{
	http("HTTP/1.0 200 OK\r\n\r\n", "{\"message\":\"hello\"}");
}

static void http_cut(void)
{
	http("HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n", "[]");
}

static void http_huge(void)
{
	http("HTTP/1.0 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", "[]");
}

static void http_negative(void)
{
	http("HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", "[]");
}

static void http_chunked(void)
{
	http("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\n[]\r\n0\r\n\r\n");
}

static void http_500(void)
{
	http("HTTP/1.0 500 Oops\r\n\r\n", "{\"message\":\"database \\u001b[31m gone\"}");
}

static void http_head(void)
{
	puts_raw("HTTP/1.0 200 OK\r\n");
	while (!gone)
		puts_raw("X-Y: zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\r\n");
}

static void http_endless(void)
{
	puts_raw("HTTP/1.0 200 OK\r\n\r\n[");
	while (!gone)
		puts_raw("{\"Id\":\"0123456789abcdef\"},{\"Id\":\"0123456789abcdef\"},{\"Id\":\"0123456789abcdef\"},");
}

static void http_traversal(void)
{
	http("HTTP/1.0 200 OK\r\n\r\n", "[{\"Id\":\"../../secret\"},{\"Id\":7},7,{\"Id\":\"\"}]");
}

enum layer { RAW, GRPC, HTTP };

static const struct mode {
	const char *name;
	enum layer layer;
	void (*run)(void);
} modes[] = {
	{ "shut", RAW, shut },		      { "silent", RAW, silent },
	{ "garbage", RAW, garbage },	      { "endless-zeros", RAW, endless_zeros },
	{ "crio", GRPC, crio },		      { "old", GRPC, old },
	{ "neither", GRPC, neither },	      { "later", GRPC, later },
	{ "bad-info", GRPC, bad_info },	      { "bad-pid", GRPC, bad_pid },
	{ "status-14", GRPC, status14 },      { "status-late", GRPC, status_late },
	{ "status-word", GRPC, status_word }, { "no-status", GRPC, no_status },
	{ "http-503", GRPC, http_503 },	      { "wrong-length", GRPC, wrong_length },
	{ "huge-length", GRPC, huge_length }, { "compressed", GRPC, compressed },
	{ "not-protobuf", GRPC, not_protobuf }, { "short-frame", GRPC, short_frame },
	{ "reset", GRPC, reset },	      { "goaway", GRPC, goaway },
	{ "endless-data", GRPC, endless_data }, { "endless-pings", GRPC, endless_pings },
	{ "endless-headers", GRPC, endless_headers }, { "drip", GRPC, drip },
	{ "slow", GRPC, slow },		      { "http-json", HTTP, http_json },
	{ "http-object", HTTP, http_object }, { "http-cut", HTTP, http_cut },
	{ "http-huge", HTTP, http_huge },     { "http-negative", HTTP, http_negative },
	{ "http-chunked", HTTP, http_chunked }, { "http-500", HTTP, http_500 },
	{ "http-head", HTTP, http_head },     { "http-endless", HTTP, http_endless },
	{ "http-traversal", HTTP, http_traversal },
};

static bool get(void *to, size_t len)
{
	char *p = to;

	while (len) {
		ssize_t n = recv(fd, p, len, 0);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void read_path(nghttp2_hd_inflater *inflater, uint8_t *block, size_t len)
{
	int flags = 0;

	path[0] = '\0';
	while (len) {
		nghttp2_nv nv;
		ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, block, len, 1);

		if (n < 0)
			errx(1, "headers of the request: %s", nghttp2_strerror((int)n));
		block += n;
		len -= (size_t)n;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) && nv.namelen == 5 && memcmp(nv.name, ":path", 5) == 0)
			snprintf(path, sizeof(path), "%.*s", (int)nv.valuelen, nv.value);
		if (flags & NGHTTP2_HD_INFLATE_FINAL) {
			nghttp2_hd_inflate_end_headers(inflater);
			break;
		}
	}
}

/* An HTTP/2 server as far as it must be: each request is answered when its headers are there. */
static void serve_grpc(const struct mode *m)
{
	nghttp2_hd_inflater *inflater;
	uint8_t h[24], block[16384];

	if (!get(h, 24) || nghttp2_hd_inflate_new(&inflater))
		return;
	frame(SETTINGS, 0, 0, NULL, 0);
	for (calls = 0; !gone && get(h, 9);) {
		size_t len = (size_t)h[0] << 16 | (size_t)h[1] << 8 | h[2];

		if (len > sizeof(block) || !get(block, len))
			break;
		if (h[3] == SETTINGS && !(h[4] & 1))
			frame(SETTINGS, 1, 0, NULL, 0);
		if (h[3] != HEADERS)
			continue;
		stream = (uint32_t)(h[5] & 0x7f) << 24 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 8 | h[8];
		read_path(inflater, block, len);
		calls++;
		m->run();
	}
	nghttp2_hd_inflate_del(inflater);
}

static void serve(const struct mode *m)
{
	char request[2048];

	gone = false;
	if (m->layer == GRPC)
		serve_grpc(m);
	else if (m->layer == HTTP && recv(fd, request, sizeof(request), 0) > 0)
		m->run();
	else if (m->layer == RAW)
		m->run();
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct mode *m = NULL;

	for (size_t i = 0; argc > 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[2], modes[i].name) == 0)
			m = &modes[i];
	if (!m)
		errx(2, "usage: liar SOCKET MODE [ARGUMENT...]");
	arguments = argv + 3;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", argv[1]);
	unlink(sa.sun_path);
	if (s < 0 || bind(s, (struct sockaddr *)&sa, sizeof(sa)) || listen(s, 8))
		err(1, "%s", sa.sun_path);
	puts("ready");
	fflush(stdout);
	/* A process per connection, so that one that never ends does not keep the next from its turn. */
	while ((fd = accept(s, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(m);
			_exit(0);
		}
		close(fd);
	}
	return 0;
}
