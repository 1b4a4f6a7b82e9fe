/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet - the bytes of a packet that is sent */
#include "nsutil/live/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

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

/* One INIT chunk (RFC 9260, 3.3.2); what is longer has parameters of nothing. */
static size_t sctp(const struct trace_request *rq, uint8_t *p, size_t n)
{
	uint32_t crc;

	n = n < 32 ? 32 : n;
	put_ports(rq, p);
	p[12] = 1;
	put16(p + 14, (unsigned)n - 12);
	p[19] = 1;
	put16(p + 20, WINDOW);
	put16(p + 24, 1);
	put16(p + 26, 1);
	p[31] = 1;
	crc = crc32c(p, n);
	memcpy(p + 8, &crc, sizeof(crc)); /* least significant byte first */
	return n;
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

/* Return: bytes, @n or what the header needs */
static size_t put_transport(const struct trace_request *rq, uint8_t *room, size_t n)
{
	memset(room, 0, n > 128 ? n : 128);
	switch (rq->l4proto) {
	case IPPROTO_TCP: return tcp(rq, room, n);
	case IPPROTO_UDP: return udp(rq, room, n);
	case IPPROTO_UDPLITE: return udp(rq, room, n);
	case IPPROTO_SCTP: return sctp(rq, room, n);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return icmp(rq, room, n);
	}
	for (unsigned i = 0; rq->has_spi && i < 4; i++)
		room[(rq->l4proto == IPPROTO_AH ? 4 : 0) + i] = (uint8_t)(rq->spi >> (24 - 8 * i));
	return n < 12 && rq->has_spi ? 12 : n < 8 ? 8 : n;
}

size_t live_transport(const struct trace_request *rq, uint8_t *room)
{
	size_t head = rq->family == NFPROTO_IPV6 ? 40 : 20;

	return put_transport(rq, room, rq->length > (int)head && rq->length <= LIVE_PACKET_MAX ? (size_t)rq->length - head : 0);
}

static void put_header(const struct part *h, uint8_t *at)
{
	memset(at, 0, h->size ? h->size : 8);
	if (!h->size && h->type != IPPROTO_ROUTING)
		at[2] = 1, at[3] = 4; /* PadN */
	memcpy(at, h->bytes, h->known);
}

/* Extension headers [from, to); Return: bytes. @next: where it is said what follows; afterwards, what follows them */
static size_t put_headers(const struct parts *all, unsigned from, unsigned to, uint8_t **next, uint8_t *p)
{
	size_t n = 0;

	for (unsigned i = from; i < to; i++) {
		const struct part *h = &all->part[i];

		put_header(h, p + n);
		**next = h->type;
		*next = p + n;
		n += h->size ? h->size : 8;
	}
	return n;
}

/* What stands in front of @n bytes of payload: @more bytes of options or headers are there, the first one being @first */
static void put_ip(const struct trace_request *rq, uint8_t *p, size_t more, uint8_t first, size_t n)
{
	unsigned tos = (rq->dscp < 0 ? 0 : (unsigned)rq->dscp << 2) | (rq->ecn < 0 ? 0 : (unsigned)rq->ecn);
	unsigned ttl = rq->ttl < 0 ? TTL : (unsigned)rq->ttl;

	if (rq->family == NFPROTO_IPV6) {
		memset(p, 0, 40);
		p[0] = (uint8_t)(0x60 | tos >> 4);
		p[1] = (uint8_t)(tos << 4);
		put16(p + 4, (unsigned)(more + n));
		p[6] = first;
		p[7] = (uint8_t)ttl;
		memcpy(p + 8, rq->src.b, 16);
		memcpy(p + 24, rq->dst.b, 16);
		return;
	}
	memset(p, 0, 20);
	p[0] = (uint8_t)(0x45 + more / 4);
	p[1] = (uint8_t)tos;
	put16(p + 2, (unsigned)(20 + more + n));
	put16(p + 4, rq->parts.has_id ? rq->parts.id : 1);
	p[6] = 0x40;
	p[8] = (uint8_t)ttl;
	p[9] = rq->l4proto;
	memcpy(p + 12, rq->src.b, 4);
	memcpy(p + 16, rq->dst.b, 4);
}

static void sum_ip(uint8_t *p)
{
	size_t head = (p[0] & 15u) * 4;

	if (p[0] >> 4 == 4) {
		put16(p + 10, 0);
		put16(p + 10, fold(sum(p, head)));
	}
}

size_t live_packet(const struct trace_request *rq, uint8_t *room)
{
	bool v6 = rq->family == NFPROTO_IPV6;
	uint8_t parts[PARTS_HEADERS + PARTS_OPTIONS], first, *next = &first;
	const struct parts *ext = rq->parts.exthdr;
	size_t more = v6 ? put_headers(ext, 0, ext ? ext->n : 0, &next, parts) : put_options(rq->parts.ipopt, parts);
	struct trace_request inner = *rq;
	size_t head = (v6 ? 40 : 20) + more, n;

	*next = rq->l4proto;
	inner.length -= rq->length > 0 ? (int)more : 0;
	n = live_transport(&inner, room + head);
	memcpy(room + head - more, parts, more);
	put_ip(rq, room, more, first, n);
	sum_ip(room);
	return head + n;
}

/* ---- fragments ---- */

enum { LATER_AT = 64, LATER_SIZE = 24, REST = 16, OTHERS = 512, UNIT = 8, FRAGMENT_HEADER = 8 };

bool live_is_fragment(const struct trace_request *rq)
{
	const struct header_parts *h = &rq->parts;

	return h->frag == FRAG_IS && (h->offset || h->more || rq->family == NFPROTO_IPV6);
}

void live_choose_fragment(struct trace_request *rq, uint32_t id)
{
	struct header_parts *h = &rq->parts;

	if (!live_is_fragment(rq))
		return;
	h->more = h->offset < 0 ? 0 : h->more;
	h->offset = h->offset < 0 ? LATER_AT / UNIT : h->offset;
	if (!h->has_id)
		h->id = 1 + id % (UINT16_MAX - 1);
	h->has_id = true;
}

/* The packet that a fragment is of. */
struct whole {
	uint8_t head[40 + PARTS_HEADERS + PARTS_OPTIONS + FRAGMENT_HEADER]; /* of each of its fragments */
	size_t head_size, more; /* bytes; how many of them stand behind the first 20 or 40 */
	uint8_t *fragment;	/* IPv6: the fragment header in there */
	uint8_t first;		/* IPv6: the first of the headers */
	uint8_t *body;
	size_t size, at, asked; /* of the body; which part of it is asked for */
};

static void put_heads(const struct trace_request *rq, struct whole *w, uint8_t **next)
{
	const struct parts *ext = rq->parts.exthdr;
	unsigned n = 0;

	if (rq->family != NFPROTO_IPV6) {
		w->more = put_options(rq->parts.ipopt, w->head + 20);
		w->head_size = 20 + w->more;
		return;
	}
	while (ext && n < ext->n && ext->part[n].type != IPPROTO_FRAGMENT)
		n++;
	w->more = put_headers(ext, 0, n, next, w->head + 40);
	w->fragment = w->head + 40 + w->more;
	**next = IPPROTO_FRAGMENT;
	*next = w->fragment;
	w->more += FRAGMENT_HEADER;
	w->head_size = 40 + w->more;
}

/* How long all of it is, behind @headers bytes of extension headers: so that the fragment asked for has its place in it */
static const char *measure(const struct trace_request *rq, struct whole *w, size_t headers, uint8_t *room)
{
	size_t least = headers + put_transport(rq, room, 0);

	w->at = (size_t)rq->parts.offset * UNIT;
	if (rq->length >= 0 && rq->length <= (int)w->head_size)
		return "a fragment of this length holds nothing";
	w->asked = rq->length >= 0 ? (size_t)rq->length - w->head_size : w->at ? LATER_SIZE : least;
	if (rq->length < 0 && rq->parts.more > 0)
		w->asked = (w->asked + UNIT - 1) / UNIT * UNIT;
	if (rq->length < 0 && rq->parts.more <= 0 && w->at + w->asked < least)
		w->asked = least - w->at;
	w->size = w->at + w->asked + (rq->parts.more > 0 ? REST : 0);
	if (w->size < least && rq->parts.more > 0)
		w->size = least;
	return NULL;
}

static const char *not_whole(const struct trace_request *rq, const struct whole *w, size_t least)
{
	if (rq->parts.more > 0 && w->asked % UNIT)
		return "the length of a fragment that others follow is a multiple of eight bytes";
	if (w->size < least)
		return "with this length the whole packet would be too short for its headers";
	if (w->size + w->head_size - (w->fragment ? 40 + FRAGMENT_HEADER : 0) > LIVE_PACKET_MAX)
		return "no packet is as long as one with this fragment in it";
	return NULL;
}

static int emit_part(const struct trace_request *rq, const struct whole *w, size_t at, size_t n, bool more,
		     const struct live_emit *to)
{
	uint8_t *p = to->room;
	unsigned off = (unsigned)(at / UNIT);

	memcpy(p, w->head, w->head_size);
	put_ip(rq, p, w->more, w->first, n);
	if (w->fragment) {
		uint8_t *f = p + (w->fragment - w->head);

		put16(f + 2, off << 3 | more);
		put16(f + 4, rq->parts.id >> 16);
		put16(f + 6, rq->parts.id & 0xffff);
	} else {
		put16(p + 6, off | (unsigned)more << 13);
	}
	sum_ip(p);
	memcpy(p + w->head_size, w->body + at, n);
	return to->send(to->arg, w->head_size + n);
}

/* The one asked for is the last, so that what the kernel makes of all of them is made when it comes. */
static int emit_all(const struct trace_request *rq, const struct whole *w, bool others, const struct live_emit *to)
{
	size_t end = w->at + w->asked;
	int r = 0;

	for (size_t at = 0; others && at < w->at && !r; at += OTHERS)
		r = emit_part(rq, w, at, w->at - at < OTHERS ? w->at - at : OTHERS, true, to);
	for (size_t at = end; others && at < w->size && !r; at += OTHERS)
		r = emit_part(rq, w, at, w->size - at < OTHERS ? w->size - at : OTHERS, w->size - at > OTHERS, to);
	return r ? r : emit_part(rq, w, w->at, w->asked, rq->parts.more > 0, to);
}

int live_fragments(const struct trace_request *rq, bool others, const struct live_emit *to, const char **ret_why)
{
	const struct parts *ext = rq->parts.exthdr;
	_cleanup_free_ struct whole *w = calloc(1, sizeof(*w));
	_cleanup_free_ uint8_t *body = calloc(2, LIVE_PACKET_MAX + 1);
	uint8_t *next = w ? &w->first : NULL;
	unsigned behind = 0;
	size_t headers;

	*ret_why = NULL;
	if (!w || !body)
		return ENOMEM;
	w->body = body;
	put_heads(rq, w, &next);
	while (w->fragment && ext && behind < ext->n && ext->part[behind++].type != IPPROTO_FRAGMENT)
		;
	headers = w->fragment && ext ? put_headers(ext, behind, ext->n, &next, body) : 0;
	if (w->fragment)
		*next = rq->l4proto;
	*ret_why = measure(rq, w, headers, body + headers);
	if (!*ret_why && others)
		*ret_why = not_whole(rq, w, headers + put_transport(rq, body + headers, 0));
	if (*ret_why)
		return EOPNOTSUPP;
	put_transport(rq, body + headers, w->size > headers ? w->size - headers : 0);
	return emit_all(rq, w, others, to);
}
