/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame - a captured frame -> the connection its packet belongs to */
#include "nsutil/trace/frame.h"

#include <netinet/in.h> /* before the others, which bring linux/in.h */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <string.h>

/* Link types of pcap files; those of the BSDs for raw IP differ from Linux's. */
enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 12, LINK_RAW_BSD = 14, LINK_RAW_FILE = 101, LINK_LOOP = 108,
       LINK_COOKED = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_COOKED2 = 276 };

#define VLAN_TAGS 4	   /* of one frame */
#define PACKET_OUTGOING 4  /* <linux/if_packet.h> */

/* What is left to read. */
struct rest {
	const uint8_t *at;
	size_t n;
};

static bool skip(struct rest *r, size_t n)
{
	if (r->n < n)
		return false;
	r->at += n;
	r->n -= n;
	return true;
}

static unsigned be16(const uint8_t *b)
{
	return (unsigned)b[0] << 8 | b[1];
}

/* The type of what follows a link-layer header of @size bytes, which stands at @type_at; tags are passed over. */
static int ethertype(struct rest *r, size_t size, size_t type_at)
{
	unsigned type;

	if (r->n < size)
		return -1;
	type = be16(r->at + type_at);
	skip(r, size);
	for (unsigned i = 0; i < VLAN_TAGS && (type == ETH_P_8021Q || type == ETH_P_8021AD || type == ETH_P_QINQ1); i++) {
		if (r->n < 4)
			return -1;
		type = be16(r->at + 2);
		skip(r, 4);
	}
	return (int)type;
}

static enum frame_way cooked_way(uint8_t type)
{
	return type == PACKET_OUTGOING ? FRAME_SENT : type < PACKET_OUTGOING ? FRAME_ARRIVED : FRAME_ANY;
}

/* Past the link layer. Return: ETH_P_IP or ETH_P_IPV6 where it says so, 0 where the packet itself must, -1: neither */
static int link_layer(int link, struct rest *r, enum frame_way *way)
{
	int type = -1;

	switch (link) {
	case LINK_ETHERNET: type = ethertype(r, ETH_HLEN, 12); break;
	case LINK_COOKED:
		if (r->n >= 16)
			*way = r->at[0] ? FRAME_ANY : cooked_way(r->at[1]);
		type = ethertype(r, 16, 14);
		break;
	case LINK_COOKED2:
		if (r->n >= 20)
			*way = cooked_way(r->at[10]);
		type = ethertype(r, 20, 0);
		break;
	case LINK_NULL:
	case LINK_LOOP: return skip(r, 4) ? 0 : -1;
	case LINK_IPV4: return ETH_P_IP;
	case LINK_IPV6: return ETH_P_IPV6;
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_FILE: return 0;
	}
	return type == ETH_P_IP || type == ETH_P_IPV6 ? type : -1;
}

static int parse_ipv4(struct arena *a, struct rest *r, struct trace_request *rq)
{
	size_t header, total;

	if (r->n < 20)
		return -1;
	header = (r->at[0] & 15u) * 4;
	total = be16(r->at + 2);
	if (header < 20 || r->n < header || be16(r->at + 6) & 0x1fff)
		return -1;
	rq->family = NFPROTO_IPV4;
	rq->dscp = r->at[1] >> 2;
	rq->ecn = r->at[1] & 3;
	rq->ttl = r->at[8];
	if (header > 20)
		rq->parts.ipopt = parts_of_bytes(a, PARTS_IPOPT, r->at + 20, header - 20);
	if (r->at[6] & 0x20) {
		rq->parts.frag = FRAG_IS;
		rq->parts.more = 1;
		rq->parts.has_id = true;
		rq->parts.id = be16(r->at + 4);
	}
	rq->l4proto = r->at[9];
	rq->src = addr_from(AF_INET, r->at + 12);
	rq->dst = addr_from(AF_INET, r->at + 16);
	if (total >= header) { /* 0 where the card cuts the segments */
		rq->length = (int)total;
		if (total < r->n)
			r->n = total; /* padding of the frame */
	}
	skip(r, header);
	return 0;
}

/* What is kept of an extension header; a long one is known to be there, and no more */
static void keep_header(const struct rest *r, unsigned type, size_t size, struct part *p, struct header_parts *h)
{
	memset(p, 0, sizeof(*p));
	p->type = (uint8_t)type;
	if (size <= PARTS_HEADERS && size <= r->n) {
		p->size = p->known = (uint8_t)size;
		memcpy(p->bytes, r->at, size);
	}
	if (type != IPPROTO_FRAGMENT)
		return;
	h->frag = FRAG_IS;
	h->more = r->at[3] & 1;
	h->has_id = true;
	h->id = be16(r->at + 4) << 16 | be16(r->at + 6);
}

/* More than there is room for: the longest ones are not looked into. */
static void make_room(struct part *p, unsigned n)
{
	for (;;) {
		unsigned size = 0, longest = 0;

		for (unsigned i = 0; i < n; i++) {
			size += p[i].size ? p[i].size : 8;
			longest = p[i].size > p[longest].size ? i : longest;
		}
		if (size <= PARTS_HEADERS)
			return;
		p[longest].size = p[longest].known = 0;
	}
}

/* Past the extension headers, up to what ipv6_find_hdr() would call the transport header. */
static int transport_of(struct arena *a, struct rest *r, unsigned next, struct header_parts *h)
{
	struct part p[PARTS_HEADERS_MOST];

	for (unsigned i = 0; i <= PARTS_HEADERS_MOST; i++) {
		size_t size;

		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS: size = 8; break;
		case IPPROTO_FRAGMENT: size = 8; break;
		default:
			make_room(p, i);
			if (i && !(h->exthdr = parts_of_headers(a, p, i)))
				return -1;
			return (int)next;
		}
		if (r->n < size)
			return -1;
		if (next == IPPROTO_FRAGMENT && be16(r->at + 2) & 0xfff8)
			return -1;
		if (next != IPPROTO_FRAGMENT)
			size += r->at[1] * 8u;
		if (i == PARTS_HEADERS_MOST || (next == IPPROTO_FRAGMENT && h->frag == FRAG_IS))
			return -1;
		keep_header(r, next, size, &p[i], h);
		next = r->at[0];
		if (!skip(r, size))
			return -1;
	}
	return -1;
}

static int parse_ipv6(struct arena *a, struct rest *r, struct trace_request *rq)
{
	size_t payload;
	int proto;

	if (r->n < 40)
		return -1;
	payload = be16(r->at + 4);
	rq->family = NFPROTO_IPV6;
	rq->dscp = (r->at[0] << 2 & 0x3c) | r->at[1] >> 6;
	rq->ecn = r->at[1] >> 4 & 3;
	rq->ttl = r->at[7];
	rq->src = addr_from(AF_INET6, r->at + 8);
	rq->dst = addr_from(AF_INET6, r->at + 24);
	proto = r->at[6];
	skip(r, 40);
	if (payload) {
		rq->length = (int)payload + 40;
		if (payload < r->n)
			r->n = payload;
	}
	proto = transport_of(a, r, (unsigned)proto, &rq->parts);
	if (proto < 0)
		return -1;
	rq->l4proto = (uint8_t)proto;
	return 0;
}

/* All options, unless they are cut off */
static void parse_options(struct arena *a, const struct rest *r, struct trace_request *rq)
{
	size_t header = (size_t)(r->at[12] >> 4) * 4;

	if (header >= 20 && header <= r->n)
		rq->parts.tcpopt = parts_of_bytes(a, PARTS_TCPOPT, r->at + 20, header - 20);
}

/* Questions and their answers have an identifier, by which conntrack knows them (icmp_pkt_to_tuple). */
static bool is_query(uint8_t proto, int type)
{
	if (proto == IPPROTO_ICMPV6)
		return type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY || type == ICMPV6_NI_QUERY ||
		       type == ICMPV6_NI_REPLY;
	return type == ICMP_ECHOREPLY || type == ICMP_ECHO || (type >= ICMP_TIMESTAMP && type <= ICMP_ADDRESSREPLY);
}

static int parse_transport(struct arena *a, const struct rest *r, struct trace_request *rq)
{
	switch (rq->l4proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (r->n < 4 || (rq->l4proto == IPPROTO_TCP && r->n < 14))
			return -1;
		rq->sport = (int)be16(r->at);
		rq->dport = (int)be16(r->at + 2);
		if (rq->l4proto == IPPROTO_TCP) {
			rq->tcp_flags = r->at[13];
			parse_options(a, r, rq);
		}
		return 0;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (r->n < 2)
			return -1;
		rq->icmp_type = r->at[0];
		rq->icmp_code = r->at[1];
		if (r->n >= 6 && is_query(rq->l4proto, rq->icmp_type))
			rq->icmp_id = (int)be16(r->at + 4);
		return 0;
	case IPPROTO_AH:
	case IPPROTO_ESP:
		rq->has_spi = r->n >= 8;
		if (rq->has_spi)
			rq->spi = be16(r->at + (rq->l4proto == IPPROTO_AH ? 4 : 0)) << 16 | be16(r->at + (rq->l4proto == IPPROTO_AH ? 6 : 2));
		return 0;
	case IPPROTO_MH:
		rq->icmp_type = r->n >= 3 ? r->at[2] : -1;
		return 0;
	default: return 0;
	}
}

/* Of frames of Ethernet, and of cooked ones the sender's */
static void take_macs(int link, const uint8_t *bytes, size_t n, struct trace_request *rq)
{
	rq->has_dmac = link == LINK_ETHERNET && n >= ETH_HLEN;
	rq->has_smac = rq->has_dmac || (link == LINK_COOKED && n >= 16 && be16(bytes + 4) == ETH_ALEN);
	if (rq->has_dmac)
		memcpy(rq->dmac, bytes, ETH_ALEN);
	if (rq->has_smac)
		memcpy(rq->smac, bytes + 6, ETH_ALEN);
}

bool frame_link_known(int link)
{
	switch (link) {
	case LINK_NULL:
	case LINK_ETHERNET:
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_FILE:
	case LINK_LOOP:
	case LINK_COOKED:
	case LINK_IPV4:
	case LINK_IPV6:
	case LINK_COOKED2: return true;
	default: return false;
	}
}

int frame_parse(struct arena *a, int link, const uint8_t *bytes, size_t n, struct trace_request *ret,
		enum frame_way *ret_way)
{
	struct trace_request rq = TRACE_REQUEST_INIT;
	enum frame_way way = FRAME_ANY;
	struct rest r = { bytes, n };
	int type = link_layer(link, &r, &way);

	if (type < 0 || !r.n)
		return -1;
	if (!type)
		type = r.at[0] >> 4 == 4 ? ETH_P_IP : r.at[0] >> 4 == 6 ? ETH_P_IPV6 : -1;
	if (type < 0 || r.at[0] >> 4 != (type == ETH_P_IP ? 4 : 6))
		return -1;
	take_macs(link, bytes, n, &rq);
	if ((type == ETH_P_IP ? parse_ipv4(a, &r, &rq) : parse_ipv6(a, &r, &rq)) < 0 || parse_transport(a, &r, &rq) < 0)
		return -1;
	*ret = rq;
	*ret_way = way;
	return 0;
}
