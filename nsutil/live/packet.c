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

/* What is not known of an option is some content that makes sense. */
static size_t put_option(const struct part *o, uint8_t *p)
{
	enum { ROUTE = 7 };
	size_t n = o->size ? o->size : ROUTE;

	p[0] = o->type;
	if (n > 1)
		p[1] = (uint8_t)n;
	if (!o->size)
		p[2] = 4; /* pointer of a route that is recorded */
	memcpy(p, o->bytes, o->known < n ? o->known : n);
	if (n > 1)
		p[1] = (uint8_t)n;
	return n;
}

/* All of them and padding. Return: bytes */
static size_t put_options(const struct parts *all, uint8_t *p)
{
	uint8_t room[PARTS_MOST * PARTS_OPTIONS] = { 0 };
	size_t n = 0;

	for (unsigned i = 0; all && i < all->n && n <= PARTS_OPTIONS; i++)
		n += put_option(&all->part[i], room + n);
	n = (n + 3) / 4 * 4;
	n = n > PARTS_OPTIONS ? PARTS_OPTIONS : n;
	memcpy(p, room, n);
	return n;
}

static size_t tcp(const struct trace_request *rq, uint8_t *p, size_t n)
{
	const struct part only = { .type = 2, .size = 4, .known = 4, .bytes = { 2, 4, (uint8_t)(rq->mss >> 8), (uint8_t)rq->mss } };
	size_t options = rq->mss >= 0 ? put_option(&only, p + 20) : put_options(rq->parts.tcpopt, p + 20);

	n = n < 20 + options ? 20 + options : n;
	put_ports(rq, p);
	p[7] = 1;
	p[12] = (uint8_t)((5 + options / 4) << 4);
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

	memset(room, 0, n > 128 ? n : 128);
	switch (rq->l4proto) {
	case IPPROTO_TCP: return tcp(rq, room, n);
	case IPPROTO_UDP: return udp(rq, room, n);
	case IPPROTO_UDPLITE: return udp(rq, room, n);
	case IPPROTO_SCTP: return sctp(rq, room);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return icmp(rq, room, n);
	}
	for (unsigned i = 0; rq->has_spi && i < 4; i++)
		room[(rq->l4proto == IPPROTO_AH ? 4 : 0) + i] = (uint8_t)(rq->spi >> (24 - 8 * i));
	return n < 12 && rq->has_spi ? 12 : n < 8 ? 8 : n;
}

/* Extension headers; Return: bytes. @next: where it is said what follows */
static size_t put_headers(const struct parts *all, uint8_t protocol, uint8_t *next, uint8_t *p)
{
	size_t n = 0;

	for (unsigned i = 0; all && i < all->n; i++) {
		const struct part *h = &all->part[i];
		uint8_t *at = p + n;

		memset(at, 0, h->size ? h->size : 8);
		if (!h->size && h->type != IPPROTO_ROUTING)
			at[2] = 1, at[3] = 4; /* PadN */
		memcpy(at, h->bytes, h->known);
		*next = h->type;
		next = at;
		n += h->size ? h->size : 8;
	}
	*next = protocol;
	return n;
}

size_t live_packet(const struct trace_request *rq, uint8_t *room)
{
	bool v6 = rq->family == NFPROTO_IPV6;
	uint8_t parts[PARTS_HEADERS + PARTS_OPTIONS], first;
	size_t more = v6 ? put_headers(rq->parts.exthdr, rq->l4proto, &first, parts) : put_options(rq->parts.ipopt, parts);
	struct trace_request inner = *rq;
	size_t head = (v6 ? 40 : 20) + more, n;
	unsigned tos = (rq->dscp < 0 ? 0 : (unsigned)rq->dscp << 2) | (rq->ecn < 0 ? 0 : (unsigned)rq->ecn);
	unsigned ttl = rq->ttl < 0 ? TTL : (unsigned)rq->ttl;

	inner.length -= rq->length > 0 ? (int)more : 0;
	n = live_transport(&inner, room + head);
	memset(room, 0, head);
	memcpy(room + head - more, parts, more);
	if (v6) {
		room[0] = (uint8_t)(0x60 | tos >> 4);
		room[1] = (uint8_t)(tos << 4);
		put16(room + 4, (unsigned)(more + n));
		room[6] = first;
		room[7] = (uint8_t)ttl;
		memcpy(room + 8, rq->src.b, 16);
		memcpy(room + 24, rq->dst.b, 16);
		return head + n;
	}
	room[0] = (uint8_t)(0x45 + more / 4);
	room[1] = (uint8_t)tos;
	put16(room + 2, (unsigned)(head + n));
	put16(room + 4, rq->parts.has_id ? rq->parts.id : 1);
	room[6] = 0x40;
	room[8] = (uint8_t)ttl;
	room[9] = rq->l4proto;
	memcpy(room + 12, rq->src.b, 4);
	memcpy(room + 16, rq->dst.b, 4);
	put16(room + 10, fold(sum(room, head)));
	return head + n;
}
