/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdiff - the packets of the differential test: how they are written, sent and received */
#ifndef TESTS_LIB_KDIFF_H
#define TESTS_LIB_KDIFF_H

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/base/addr.h"
#include "nsutil/trace/parts.h"

/*
 * packet place=0|1|2 kind=t|u|i|r|s|w|x src=ADDR dst=ADDR sport=N dport=N uid=N gid=N mark=N ttl=N dscp=N
 *        size=N flags=N type=N code=N proto=N spoof=0|1 flow=0|1 tcpopt=LIST ipopt=LIST exthdr=LIST
 * place: where it is sent (0 the pod, 1 the node, 2 the far side); kind: a connecting TCP socket, UDP,
 * ICMP, a raw TCP segment with any flags, an SCTP INIT, a raw UDP datagram, or a packet of the protocol proto. src
 * may be missing when a socket chooses it. The lists, for raw sockets, are those of a connection of trace, with all their
 * bytes. flow: more packets of the same connection follow, in both directions.
 */
struct test {
	unsigned place;
	char kind;
	int l4proto;
	struct addr src, dst;
	int sport, dport;
	uint32_t uid, gid, mark;
	int ttl, dscp, size, flags, type, code, proto;
	bool spoof, flow;
	const struct parts *tcpopt, *ipopt, *exthdr;
};

#define TEST_MARK 0x7e57  /* of what is sent outside of the pod: all else there is silenced */
#define TEST_PRIORITY 6	  /* of what is sent in it */

union test_sa {
	struct sockaddr sa;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static int sent_fd = -1, sent_error, sent_receiver = -1;

static inline int test_number(struct test *t, const char *key, long n)
{
	struct { const char *key; void *at; size_t size; } to[] = {
		{ "place", &t->place, 4 }, { "sport", &t->sport, 4 }, { "dport", &t->dport, 4 }, { "uid", &t->uid, 4 },
		{ "gid", &t->gid, 4 }, { "mark", &t->mark, 4 }, { "ttl", &t->ttl, 4 }, { "dscp", &t->dscp, 4 },
		{ "size", &t->size, 4 }, { "flags", &t->flags, 4 }, { "type", &t->type, 4 }, { "code", &t->code, 4 },
		{ "proto", &t->proto, 4 },
	};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		if (strcmp(to[i].key, key) == 0) {
			memcpy(to[i].at, &(int){ (int)n }, 4);
			return 0;
		}
	if (strcmp(key, "spoof") == 0)
		t->spoof = n;
	else if (strcmp(key, "flow") == 0)
		t->flow = n;
	else
		return -1;
	return 0;
}

/* All bytes are known: it can be sent. */
static inline bool test_parts_whole(const struct parts *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->part[i].known < p->part[i].size)
			return false;
	return p->exact;
}

/* Where a list goes; NULL: it is another key. */
static inline const struct parts **test_list(struct test *t, const char *key, enum parts_kind *kind)
{
	*kind = key[0] == 't' ? PARTS_TCPOPT : key[0] == 'i' ? PARTS_IPOPT : PARTS_EXTHDR;
	return strcmp(key, "tcpopt") == 0 ? &t->tcpopt : strcmp(key, "ipopt") == 0 ? &t->ipopt
	       : strcmp(key, "exthdr") == 0 ? &t->exthdr : NULL;
}

static inline int test_parse(struct arena *a, char *line, struct test *t)
{
	*t = (struct test){ .ttl = 64, .flags = 2, .type = -1 };
	for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
		char *value = strchr(word, '=');
		const struct parts **list;
		enum parts_kind kind;
		const char *why;

		if (!value)
			return -1;
		*value++ = '\0';
		if (strcmp(word, "src") == 0 || strcmp(word, "dst") == 0) {
			if (addr_parse(value, word[0] == 's' ? &t->src : &t->dst) < 0)
				return -1;
		} else if (strcmp(word, "kind") == 0) {
			t->kind = *value;
		} else if ((list = test_list(t, word, &kind))) {
			if (parts_parse(a, kind, value, list, &why) < 0 || !test_parts_whole(*list))
				return -1;
		} else if (test_number(t, word, strtol(value, NULL, 0)) < 0) {
			return -1;
		}
	}
	t->l4proto = t->kind == 'u' || t->kind == 'w' ? IPPROTO_UDP : t->kind == 's' ? IPPROTO_SCTP : t->kind == 'x' ? t->proto
		     : t->kind != 'i' ? IPPROTO_TCP : t->dst.family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return t->dst.family && strchr("tuirswx", t->kind) && t->place < 3 ? 0 : -1;
}

static inline unsigned test_parts_size(const struct parts *p)
{
	unsigned n = 0;

	for (unsigned i = 0; p && i < p->n; i++)
		n += p->part[i].size;
	return n;
}

static inline size_t test_parts_bytes(const struct parts *p, uint8_t *b)
{
	size_t n = 0;

	for (unsigned i = 0; p && i < p->n; n += p->part[i++].size)
		memcpy(b + n, p->part[i].bytes, p->part[i].size);
	return n;
}

/* Behind the network header; a SYN of a socket has 20 bytes of options. */
static inline unsigned test_payload(const struct test *t)
{
	switch (t->kind) {
	case 't': return 40;
	case 'r': return 20 + test_parts_size(t->tcpopt);
	case 's': return 32;
	case 'x': return (unsigned)t->size;
	default: return 8u + (unsigned)t->size;
	}
}

static inline unsigned test_length(const struct test *t)
{
	return (t->dst.family == AF_INET6 ? 40u : 20u) + test_parts_size(t->dst.family == AF_INET6 ? t->exthdr : t->ipopt) + test_payload(t);
}

static inline socklen_t test_sa(const struct addr *a, int port, union test_sa *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sa.sa_family = a->family;
	ret->four.sin_port = htons((uint16_t)port);
	if (a->family == AF_INET) {
		memcpy(&ret->four.sin_addr, a->b, 4);
		return sizeof(ret->four);
	}
	memcpy(&ret->six.sin6_addr, a->b, 16);
	return sizeof(ret->six);
}

static inline uint32_t test_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static inline uint16_t test_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* CRC32c, as SCTP wants it */
static inline uint32_t test_crc(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

/* A header with no verification tag and one chunk, INIT */
static inline void test_sctp(const struct test *t, uint8_t *b)
{
	static const uint8_t init[20] = { 1, 0, 0, 20, 0, 0, 0, 7, 0, 0, 0x20, 0, 0, 1, 0, 1, 0, 0, 0, 1 };
	uint32_t crc;

	b[0] = (uint8_t)(t->sport >> 8), b[1] = (uint8_t)t->sport;
	b[2] = (uint8_t)(t->dport >> 8), b[3] = (uint8_t)t->dport;
	memcpy(b + 12, init, sizeof(init));
	crc = test_crc(b, 32);
	for (int i = 0; i < 4; i++)
		b[8 + i] = (uint8_t)(crc >> 8 * i);
}

/* A TCP segment or a UDP datagram, its checksum at @at */
static inline void test_ports(const struct test *t, uint8_t *b, size_t n, size_t at)
{
	uint16_t check;

	b[0] = (uint8_t)(t->sport >> 8), b[1] = (uint8_t)t->sport;
	b[2] = (uint8_t)(t->dport >> 8), b[3] = (uint8_t)t->dport;
	if (t->kind == 'r') {
		b[7] = 1;
		b[11] = t->flags & 0x10 ? 2 : 0;
		b[12] = (uint8_t)((5 + test_parts_bytes(t->tcpopt, b + 20) / 4) << 4);
		b[13] = (uint8_t)t->flags;
		b[14] = 0x20;
	} else {
		b[4] = (uint8_t)(n >> 8), b[5] = (uint8_t)n;
	}
	check = test_fold(test_sum(b, n + n % 2) + test_sum(t->src.b, addr_len(&t->src)) +
			  test_sum(t->dst.b, addr_len(&t->dst)) + (uint32_t)t->l4proto + (uint32_t)n);
	memcpy(b + at, &check, 2);
}

/* The bytes of what a raw socket sends; conntrack looks at checksums. */
static inline size_t test_bytes(const struct test *t, uint8_t *b)
{
	size_t n = test_payload(t);
	uint16_t check;

	memset(b, 0, n + 1);
	if (t->kind == 's') {
		test_sctp(t, b);
	} else if (t->kind == 'r' || t->kind == 'w') {
		test_ports(t, b, n, t->kind == 'r' ? 16 : 6);
	} else if (t->kind == 'i') {
		b[0] = (uint8_t)t->type, b[1] = (uint8_t)t->code;
		b[4] = (uint8_t)(t->sport >> 8), b[5] = (uint8_t)t->sport;
		b[7] = 1;
		check = test_fold(test_sum(b, n));
		if (t->dst.family == AF_INET)
			memcpy(b + 2, &check, 2);
	}
	return n;
}

static inline void test_options(int fd, const struct test *t)
{
	bool v6 = t->dst.family == AF_INET6;
	int one = 1, tos = t->dscp << 2, ttl = t->ttl;

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &(int){ t->place ? TEST_MARK : (int)t->mark }, sizeof(int)) < 0)
		err(2, "SO_MARK");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
	setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl));
	if (t->spoof && setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, &one,
				   sizeof(one)) < 0)
		err(2, "transparent");
	if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &(int){ TEST_PRIORITY }, sizeof(int)) < 0)
		err(2, "SO_PRIORITY");
}

/* What the kernel puts in front of what a raw socket sends */
static inline void test_headers(int fd, const struct test *t)
{
	uint8_t b[PARTS_HEADERS + PARTS_OPTIONS];
	size_t n = test_parts_bytes(t->ipopt, b);

	if (n && setsockopt(fd, IPPROTO_IP, IP_OPTIONS, b, (socklen_t)n) < 0)
		err(2, "IP_OPTIONS");
	for (unsigned i = 0; t->exthdr && i < t->exthdr->n; i++) {
		const struct part *h = &t->exthdr->part[i];
		int option = h->type == IPPROTO_HOPOPTS ? IPV6_HOPOPTS : IPV6_DSTOPTS;

		if (setsockopt(fd, IPPROTO_IPV6, option, h->bytes, h->size) < 0)
			err(2, "extension header %u", h->type);
	}
}

/* test_send() - in the namespace that the thread is in */
static inline void test_send(const struct test *t)
{
	int type = t->kind == 't' ? SOCK_STREAM : t->kind == 'u' ? SOCK_DGRAM : SOCK_RAW;
	bool raw = type == SOCK_RAW;
	struct addr any = { .family = t->dst.family };
	uint8_t bytes[2048] = "hello";
	union test_sa to, from;
	socklen_t len = test_sa(&t->dst, raw ? 0 : t->dport, &to);
	size_t size = raw ? test_bytes(t, bytes) : (size_t)t->size;

	sent_error = 0;
	sent_receiver = -1;
	setfsgid(t->gid);
	setfsuid(t->uid);
	sent_fd = socket(t->dst.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, raw ? t->l4proto : 0);
	setfsuid(0);
	setfsgid(0);
	if (sent_fd < 0)
		err(2, "socket");
	test_options(sent_fd, t);
	test_headers(sent_fd, t);
	test_sa(t->src.family ? &t->src : &any, raw ? 0 : t->sport, &from);
	if (bind(sent_fd, &from.sa, len) < 0) {
		sent_error = errno;
		return;
	}
	if (t->kind == 't' && connect(sent_fd, &to.sa, len) < 0 && errno != EINPROGRESS)
		sent_error = errno;
	else if (t->kind != 't' && sendto(sent_fd, bytes, size, 0, &to.sa, len) < 0)
		sent_error = errno;
}

static inline void test_close(void)
{
	struct linger l = { 1, 0 };

	if (sent_fd >= 0) {
		setsockopt(sent_fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		close(sent_fd);
	}
	sent_fd = -1;
}

/* ---- who listens in the pod ---- */

static const struct { bool tcp; int port; const char *addr; bool transparent; } test_listeners[] = {
	{ true, 80, "::", false }, { true, 8080, "10.0.1.39", false }, { true, 15001, "::", true }, { true, 15006, "::", true },
	{ true, 9090, "127.0.0.1", true }, { false, 53, "::", true }, { false, 5353, "0.0.0.0", false }, { false, 8080, "::", false },
};
#define TEST_LISTENERS (sizeof(test_listeners) / sizeof(test_listeners[0]))
static struct pollfd test_fds[TEST_LISTENERS];

static inline void test_listen(void)
{
	for (size_t i = 0; i < TEST_LISTENERS; i++) {
		int type = test_listeners[i].tcp ? SOCK_STREAM : SOCK_DGRAM, one = 1;
		struct addr a;
		union test_sa sa;
		socklen_t len;

		if (addr_parse(test_listeners[i].addr, &a) < 0)
			errx(2, "%s", test_listeners[i].addr);
		len = test_sa(&a, test_listeners[i].port, &sa);
		test_fds[i].fd = socket(a.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		test_fds[i].events = POLLIN;
		setsockopt(test_fds[i].fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (test_listeners[i].transparent)
			setsockopt(test_fds[i].fd, a.family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, a.family == AF_INET6 ? IPV6_TRANSPARENT : IP_TRANSPARENT,
				   &one, sizeof(one));
		if (bind(test_fds[i].fd, &sa.sa, len) < 0 || (type == SOCK_STREAM && listen(test_fds[i].fd, 64) < 0))
			err(2, "listen on %s %d", test_listeners[i].addr, test_listeners[i].port);
	}
}

/* test_receive() - the port of the socket that took the packet goes to sent_receiver */
static inline void test_receive(void)
{
	char buf[2048];

	if (poll(test_fds, TEST_LISTENERS, 0) <= 0)
		return;
	for (size_t i = 0; i < TEST_LISTENERS; i++) {
		int fd = -1;

		if (!(test_fds[i].revents & POLLIN))
			continue;
		if (test_listeners[i].tcp && (fd = accept(test_fds[i].fd, NULL, NULL)) >= 0)
			close(fd);
		if (fd >= 0 || (!test_listeners[i].tcp && recv(test_fds[i].fd, buf, sizeof(buf), 0) >= 0))
			sent_receiver = test_listeners[i].port;
	}
}

#endif
