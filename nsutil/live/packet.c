/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet - the bytes of a packet that is sent */
#include "nsutil/live/packet.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <string.h>

enum { TTL = 64, TCP_SYN = 2, WINDOW = 0x2000, ECHO = 8, ECHO6 = 128 };

static uint32_t sum(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	return n & 1 ? s + (uint32_t)(p[n - 1] << 8) : s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t checksum(const struct trace_request *rq, const uint8_t *p, size_t n)
{
	return fold(sum(p, n) + sum(rq->src.b, addr_len(&rq->src)) + sum(rq->dst.b, addr_len(&rq->dst)) + rq->l4proto +
		    (uint32_t)n);
}

/* CRC-32C (RFC 9260, appendix A), a bit at a time. */
static uint32_t crc32c(const uint8_t *p, size_t n)
{
	uint32_t c = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (unsigned k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
	}
	return ~c;
}

static void put_ports(const struct trace_request *rq, uint8_t *p)
{
	put16(p, rq->sport < 0 ? 0 : (unsigned)rq->sport);
	put16(p + 2, rq->dport < 0 ? 0 : (unsigned)rq->dport);
}

static size_t tcp(const struct trace_request *rq, uint8_t *p, size_t n)
{
	n = n < 20 ? 20 : n;
	put_ports(rq, p);
	p[7] = 1;
	p[12] = 0x50;
	p[13] = (uint8_t)(rq->tcp_flags < 0 ? TCP_SYN : rq->tcp_flags);
	put16(p + 14, WINDOW);
	put16(p + 16, checksum(rq, p, n));
	return n;
}

static size_t udp(const struct trace_request *rq, uint8_t *p, size_t n)
{
	uint16_t check;

	n = n < 8 ? 8 : n;
	put_ports(rq, p);
	put16(p + 4, (unsigned)n);
	check = checksum(rq, p, n);
	put16(p + 6, check ? check : 0xffff);
	return n;
}

/* One INIT chunk (RFC 9260, 3.3.2). */
static size_t sctp(const struct trace_request *rq, uint8_t *p)
{
	uint32_t crc;

	put_ports(rq, p);
	p[12] = 1;
	put16(p + 14, 20);
	p[19] = 1;
	put16(p + 20, WINDOW);
	put16(p + 24, 1);
	put16(p + 26, 1);
	p[31] = 1;
	crc = crc32c(p, 32);
	memcpy(p + 8, &crc, sizeof(crc)); /* least significant byte first */
	return 32;
}

static size_t icmp(const struct trace_request *rq, uint8_t *p, size_t n)
{
	bool v6 = rq->family == NFPROTO_IPV6;

	n = n < 8 ? 8 : n;
	p[0] = (uint8_t)(rq->icmp_type < 0 ? (v6 ? ECHO6 : ECHO) : rq->icmp_type);
	p[1] = (uint8_t)(rq->icmp_code < 0 ? 0 : rq->icmp_code);
	put16(p + 4, rq->sport < 0 ? 1 : (unsigned)rq->sport);
	p[7] = 1;
	put16(p + 2, v6 ? checksum(rq, p, n) : fold(sum(p, n)));
	return n;
}

size_t live_transport(const struct trace_request *rq, uint8_t *room)
{
	size_t head = rq->family == NFPROTO_IPV6 ? 40 : 20;
	size_t n = rq->length > (int)head && rq->length <= LIVE_PACKET_MAX ? (size_t)rq->length - head : 0;

	memset(room, 0, n > 64 ? n : 64);
	switch (rq->l4proto) {
	case IPPROTO_TCP: return tcp(rq, room, n);
	case IPPROTO_UDP: return udp(rq, room, n);
	case IPPROTO_UDPLITE: return udp(rq, room, n);
	case IPPROTO_SCTP: return sctp(rq, room);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return icmp(rq, room, n);
	}
	return n < 8 ? 8 : n;
}

size_t live_packet(const struct trace_request *rq, uint8_t *room)
{
	bool v6 = rq->family == NFPROTO_IPV6;
	size_t head = v6 ? 40 : 20, n = live_transport(rq, room + head);
	unsigned tos = rq->dscp < 0 ? 0 : (unsigned)rq->dscp << 2, ttl = rq->ttl < 0 ? TTL : (unsigned)rq->ttl;

	memset(room, 0, head);
	if (v6) {
		room[0] = (uint8_t)(0x60 | tos >> 4);
		room[1] = (uint8_t)(tos << 4);
		put16(room + 4, (unsigned)n);
		room[6] = rq->l4proto;
		room[7] = (uint8_t)ttl;
		memcpy(room + 8, rq->src.b, 16);
		memcpy(room + 24, rq->dst.b, 16);
		return head + n;
	}
	room[0] = 0x45;
	room[1] = (uint8_t)tos;
	put16(room + 2, (unsigned)(head + n));
	put16(room + 4, 1);
	room[6] = 0x40;
	room[8] = (uint8_t)ttl;
	room[9] = rq->l4proto;
	memcpy(room + 12, rq->src.b, 4);
	memcpy(room + 16, rq->dst.b, 4);
	put16(room + 10, fold(sum(room, head)));
	return head + n;
}
