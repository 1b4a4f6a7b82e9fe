/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet - a packet as far as it is known: header bytes, meta data, connection-tracking state */
#include "nsutil/trace/packet.h"

#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/icmp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define TCP_FLAGS_OFFSET 13
#define TCP_SYN 0x02
#define TCP_ECN_FLAGS 0xc0 /* a SYN may carry ECE and CWR, depending on a sysctl of the sender */

static void put(struct packet *p, unsigned at, uint8_t v, uint8_t known)
{
	p->bytes[at] = v & known;
	p->known[at] = known;
}

static void put_parts(struct packet *p, unsigned at, const struct parts *o)
{
	for (unsigned i = 0; i < o->n; at += o->part[i++].size)
		for (unsigned k = 0; k < o->part[i].size; k++)
			put(p, at + k, o->part[i].bytes[k], k < o->part[i].known ? 0xff : 0);
}

/* The reserved and DF bits, MF, the offset; DF depends on the sender */
static void init_fragment(struct packet *p, const struct header_parts *h)
{
	bool is = h->frag == FRAG_IS;
	unsigned offset = is && h->offset > 0 ? (unsigned)h->offset : 0, known = is && h->offset < 0 ? 0 : 0x1fff;
	unsigned more = is && h->more > 0 ? 0x20 : 0;

	put(p, PACKET_NH + 6, (uint8_t)(more | offset >> 8), (uint8_t)((is && h->more < 0 ? 0x80 : 0xa0) | known >> 8));
	put(p, PACKET_NH + 7, (uint8_t)offset, (uint8_t)known);
	p->offset_bit = known ? 0 : (PACKET_NH + 6) * 8 + 3;
	p->fragment = is && h->offset != 0;
	p->some_fragment = is && (h->offset || h->more);
	if (h->has_id) {
		put(p, PACKET_NH + 4, (uint8_t)(h->id >> 8), 0xff);
		put(p, PACKET_NH + 5, (uint8_t)h->id, 0xff);
	}
}

static void init_ipv4(struct packet *p, const struct header_parts *h)
{
	unsigned size = 0;

	for (unsigned i = 0; h->ipopt && i < h->ipopt->n; i++)
		size += h->ipopt->part[i].size;
	size = size < PARTS_OPTIONS ? (size + 3) / 4 * 4 : PARTS_OPTIONS;
	p->ipopt = h->ipopt;
	p->th = (uint16_t)(PACKET_NH + 20 + size);
	if (!h->ipopt || h->ipopt->exact) {
		put(p, PACKET_NH, (uint8_t)(0x45 + size / 4), 0xff);
		if (h->ipopt)
			put_parts(p, PACKET_NH + 20, h->ipopt);
	} else {
		put(p, PACKET_NH, 0x40, 0xf0);
		p->vague = PACKET_NH + 20;
	}
	init_fragment(p, h);
	put(p, PACKET_NH + 9, p->l4proto, 0xff);
}

static void put_fragment_header(struct packet *p, const struct header_parts *h)
{
	unsigned at = p->th, offset = h->offset > 0 ? (unsigned)h->offset << 3 : 0, known = h->offset < 0 ? 0 : 0xfff8;

	put(p, at + 1, 0, 0xff);
	put(p, at + 2, (uint8_t)(offset >> 8), (uint8_t)(known >> 8));
	put(p, at + 3, (uint8_t)(offset | (h->more > 0)), (uint8_t)(known | (h->more < 0 ? 6 : 7)));
	for (unsigned i = 0; h->has_id && i < 4; i++)
		put(p, at + 4 + i, (uint8_t)(h->id >> (24 - 8 * i)), 0xff);
	p->offset_bit = known ? 0 : (uint16_t)((at + 2) * 8);
	p->fragment = h->offset != 0;
	p->some_fragment = true;
}

/* A header goes behind those that are there; the byte at @next says so. Return: where the next one is said */
static unsigned put_ext(struct packet *p, unsigned next, const struct part *e, const struct header_parts *h)
{
	unsigned at = p->th, size = e->size ? e->size : 8;

	if (p->n_ext == PACKET_EXT || at + size > PACKET_NH + 40 + PARTS_HEADERS)
		return next;
	put(p, next, e->type, 0xff);
	if (e->type == IPPROTO_FRAGMENT)
		put_fragment_header(p, h);
	for (unsigned k = 1; k < e->known && e->type != IPPROTO_FRAGMENT; k++)
		put(p, at + k, e->bytes[k], 0xff);
	p->ext[p->n_ext].type = e->type;
	p->ext[p->n_ext].at = (uint16_t)at;
	p->ext[p->n_ext++].size = e->size;
	p->th = (uint16_t)(at + size);
	if (!e->size && !p->vague)
		p->vague = p->th;
	return at;
}

static void init_ipv6(struct packet *p, const struct header_parts *h)
{
	static const struct part fragment = { .type = IPPROTO_FRAGMENT, .size = 8 };
	unsigned next = PACKET_NH + 6;

	put(p, PACKET_NH, 0x60, 0xf0);
	p->th = PACKET_NH + 40;
	/* where nothing says otherwise, the fragment header is the last one */
	for (unsigned i = 0; h->exthdr && i < h->exthdr->n; i++)
		next = put_ext(p, next, &h->exthdr->part[i], h);
	if (h->frag == FRAG_IS && !parts_find(h->exthdr, IPPROTO_FRAGMENT))
		next = put_ext(p, next, &fragment, h);
	put(p, next, p->l4proto, 0xff);
}

static void init_transport(struct packet *p)
{
	unsigned size = 8;

	switch (p->l4proto) {
	case IPPROTO_TCP:
		put(p, p->th + TCP_FLAGS_OFFSET, TCP_SYN, (uint8_t)~TCP_ECN_FLAGS);
		size = 20;
		break;
	case IPPROTO_ICMP:
		put(p, p->th, 8, 0xff); /* echo request */
		put(p, p->th + 1u, 0, 0xff);
		break;
	case IPPROTO_ICMPV6:
		put(p, p->th, 128, 0xff);
		put(p, p->th + 1u, 0, 0xff);
		break;
	case IPPROTO_SCTP: size = 12; break;
	case IPPROTO_DCCP: size = 16; break;
	default: break;
	}
	p->end = (uint16_t)(p->th + size);
}

void packet_forget_ipopt(struct packet *p, const struct parts *o)
{
	unsigned at = PACKET_NH + 20;

	p->version++;
	p->ipopt = o;
	for (unsigned i = 0; o->exact && i < o->n; at += o->part[i++].size)
		for (unsigned k = o->part[i].known; k < o->part[i].size; k++)
			put(p, at + k, 0, 0);
}

void packet_set_tcpopt(struct packet *p, const struct parts *o)
{
	unsigned at = p->th + 20u, size = 0;

	p->version++;
	memset(p->known + at, 0, PARTS_OPTIONS);
	p->tcpopt = o;
	for (unsigned i = 0; o && i < o->n; i++)
		size += o->part[i].size;
	p->end = (uint16_t)at;
	p->known[p->th + 12u] = 0;
	p->bytes[p->th + 12u] = 0;
	if (!o || !o->exact)
		return;
	put(p, p->th + 12u, (uint8_t)((5 + size / 4) << 4), 0xf0);
	put_parts(p, at, o);
	p->end = (uint16_t)(at + size);
}

void packet_init(struct packet *p, uint8_t family, uint8_t l4proto, const struct header_parts *h)
{
	static const struct header_parts none;

	if (!h)
		h = &none;
	memset(p, 0, sizeof(*p));
	p->family = family;
	p->l4proto = l4proto;
	p->mss = -1;
	p->ct.zone_dir = -1;
	if (family == NFPROTO_IPV6)
		init_ipv6(p, h);
	else
		init_ipv4(p, h);
	put(p, PACKET_LL + 12, family == NFPROTO_IPV6 ? 0x86 : 0x08, 0xff);
	put(p, PACKET_LL + 13, family == NFPROTO_IPV6 ? 0xdd : 0x00, 0xff);
	init_transport(p);
	if (l4proto == IPPROTO_TCP && h->tcpopt)
		packet_set_tcpopt(p, h->tcpopt);
	p->whole_end = p->end;
	if (p->fragment)
		p->end = p->th;
	packet_set_meta(p, NFT_META_MARK, 0);
	packet_set_meta_absent(p, NFT_META_NFTRACE);
}

/* nf_ct_frag6_reasm(): the fragment header is taken out */
static void take_out(struct packet *p, unsigned i)
{
	unsigned at = p->ext[i].at, next = i ? p->ext[i - 1].at : PACKET_NH + 6u;

	put(p, next, p->bytes[at], p->known[at]);
	memmove(p->bytes + at, p->bytes + at + 8, PACKET_BYTES - 8 - at);
	memmove(p->known + at, p->known + at + 8, PACKET_BYTES - 8 - at);
	for (unsigned k = i + 1; k < p->n_ext; k++) {
		p->ext[k - 1] = p->ext[k];
		p->ext[k - 1].at -= 8;
	}
	p->n_ext--;
	p->th -= 8;
	p->end -= 8;
	p->vague -= p->vague > at ? 8 : 0;
}

/* ip's total length, ip6's payload length */
static unsigned length_at(const struct packet *p)
{
	return PACKET_NH + (p->family == NFPROTO_IPV6 ? 4 : 2);
}

void packet_forget_length(struct packet *p)
{
	p->version++;
	put(p, length_at(p), 0, 0);
	put(p, length_at(p) + 1, 0, 0);
	packet_set_meta_unknown(p, NFT_META_LEN);
}

void packet_lengthen(struct packet *p, unsigned n)
{
	unsigned at = length_at(p), length = (unsigned)(p->bytes[at] << 8 | p->bytes[at + 1]) + n;

	if (!p->meta[NFT_META_LEN].k || (p->known[at] & p->known[at + 1]) != 0xff) {
		packet_forget_length(p);
		return;
	}
	packet_set_meta(p, NFT_META_LEN, p->meta[NFT_META_LEN].v + n);
	put(p, at, (uint8_t)(length >> 8), 0xff);
	put(p, at + 1, (uint8_t)length, 0xff);
}

void packet_whole(struct packet *p)
{
	p->version++;
	p->end = p->fragment ? p->whole_end : p->end;
	p->fragment = p->some_fragment = false;
	p->offset_bit = 0;
	for (unsigned i = 0; i < p->n_ext; i++)
		if (p->ext[i].type == IPPROTO_FRAGMENT)
			take_out(p, i);
	if (p->family != NFPROTO_IPV6) {
		put(p, PACKET_NH + 6, 0, 0xbf);
		put(p, PACKET_NH + 7, 0, 0xff);
	}
	packet_forget_length(p);
}

unsigned packet_ext(const struct packet *p, uint8_t type)
{
	for (unsigned i = 0; i < p->n_ext; i++)
		if (p->ext[i].type == type)
			return p->ext[i].at;
	return 0;
}

static unsigned addr_at(const struct packet *p, bool dst)
{
	if (p->family == NFPROTO_IPV6)
		return PACKET_NH + (dst ? 24u : 8u);
	return PACKET_NH + (dst ? 16u : 12u);
}

void packet_set_addr(struct packet *p, bool dst, const struct addr *a)
{
	uint8_t *bytes = p->bytes + addr_at(p, dst), *known = p->known + addr_at(p, dst), mask = a->family ? 0xff : 0;
	struct addr none = { 0 };

	p->version++;
	if (!a->family)
		a = &none;
	if (p->family == NFPROTO_IPV6) { /* lengths that the compiler knows */
		memset(known, mask, 16);
		memcpy(bytes, a->b, 16);
	} else {
		memset(known, mask, 4);
		memcpy(bytes, a->b, 4);
	}
}

/* Are the bits of 'n' bytes known, 4 or 16? */
static inline bool all_known(const uint8_t *known, unsigned n)
{
	uint32_t w[4];

	memcpy(w, known, 4);
	if (n == 4)
		return w[0] == UINT32_MAX;
	memcpy(w, known, 16);
	return (w[0] & w[1] & w[2] & w[3]) == UINT32_MAX;
}

struct addr packet_addr(const struct packet *p, bool dst)
{
	bool v6 = p->family == NFPROTO_IPV6;
	unsigned at = addr_at(p, dst);

	if (v6 ? !all_known(p->known + at, 16) : !all_known(p->known + at, 4))
		return (struct addr){ 0 };
	return v6 ? addr_from(AF_INET6, p->bytes + at) : addr_from_v4(p->bytes + at);
}

bool packet_has_ports(const struct packet *p)
{
	switch (p->l4proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP: return !p->fragment;
	}
	return false;
}

void packet_set_port(struct packet *p, bool dst, uint16_t port, uint16_t known)
{
	unsigned at = p->th + (dst ? 2u : 0u);

	p->version++;
	put(p, at, (uint8_t)(port >> 8), (uint8_t)(known >> 8));
	put(p, at + 1, (uint8_t)port, (uint8_t)known);
}

int packet_port(const struct packet *p, bool dst)
{
	unsigned at = p->th + (dst ? 2u : 0u);

	if (!packet_has_ports(p) || (p->known[at] & p->known[at + 1]) != 0xff)
		return -1;
	return p->bytes[at] << 8 | p->bytes[at + 1];
}

void packet_set_u8(struct packet *p, unsigned th_offset, uint8_t v, uint8_t known)
{
	if (p->th + th_offset < PACKET_BYTES) {
		p->version++;
		put(p, p->th + th_offset, v, known);
	}
}

void packet_set_icmp_id(struct packet *p, uint16_t id, uint16_t known)
{
	packet_set_u8(p, 4, (uint8_t)(id >> 8), (uint8_t)(known >> 8));
	packet_set_u8(p, 5, (uint8_t)id, (uint8_t)known);
}

void packet_set_meta(struct packet *p, uint32_t key, uint32_t v)
{
	p->version++;
	if (key < PACKET_META)
		p->meta[key] = (struct known32){ .v = v, .k = UINT32_MAX };
}

void packet_set_meta_unknown(struct packet *p, uint32_t key)
{
	p->version++;
	if (key < PACKET_META)
		p->meta[key] = (struct known32){ 0 };
}

void packet_set_meta_absent(struct packet *p, uint32_t key)
{
	p->version++;
	if (key < PACKET_META)
		p->meta[key] = (struct known32){ .absent = true };
}

static void set_interface(struct packet *p, uint32_t key, char to[16], int index, const char *name)
{
	unsigned i = 0;

	if (index < 0)
		packet_set_meta_unknown(p, key);
	else
		packet_set_meta(p, key, (uint32_t)index);
	memset(to, 0, 16);
	for (; i < 15 && name[i]; i++)
		to[i] = name[i];
}

void packet_set_iif(struct packet *p, int index, const char *name)
{
	set_interface(p, NFT_META_IIF, p->iifname, index, name);
}

void packet_set_oif(struct packet *p, int index, const char *name)
{
	set_interface(p, NFT_META_OIF, p->oifname, index, name);
}

bool packet_may_be_error(const struct packet *p)
{
	uint8_t type = p->bytes[p->th];

	if (p->known[p->th] != 0xff)
		return true;
	if (p->l4proto == IPPROTO_ICMPV6)
		return type < 128;
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

void packet_set_mac(struct packet *p, bool dst, const uint8_t mac[6])
{
	unsigned at = PACKET_LL + (dst ? 0 : 6);

	p->version++;
	memcpy(p->bytes + at, mac, 6);
	memset(p->known + at, 0xff, 6);
}

const uint8_t *packet_mac(const struct packet *p, bool dst)
{
	unsigned at = PACKET_LL + (dst ? 0 : 6);

	for (unsigned i = 0; i < 6; i++)
		if (!p->ll || p->known[at + i] != 0xff)
			return NULL;
	return p->bytes + at;
}

/* Where a base begins; 0 when the packet has no such header. */
static unsigned base_at(const struct packet *p, uint8_t base)
{
	switch (base) {
	case NFT_PAYLOAD_LL_HEADER: return p->ll ? PACKET_LL : 0;
	case NFT_PAYLOAD_NETWORK_HEADER: return PACKET_NH;
	case NFT_PAYLOAD_TRANSPORT_HEADER: return p->fragment ? 0 : p->th;
	}
	return 0;
}

/* Bytes [from, to) hold the bits; those beyond the headers held are the payload, not known. */
static uint8_t byte_of(const struct packet *p, unsigned at, uint8_t *known)
{
	*known = at < p->end ? p->known[at] : 0;
	return at < p->end ? p->bytes[at] : 0;
}

static void load_bits(const struct packet *p, unsigned first_bit, struct value *v)
{
	unsigned size = value_size(v);
	unsigned shift = (8 - (first_bit + v->bits) % 8) % 8; /* bits behind the last wanted one */
	unsigned last = (first_bit + v->bits - 1) / 8;

	for (unsigned i = 0; i < size; i++) {
		unsigned at = last - (size - 1 - i);
		uint8_t k1, k0 = 0, b1 = byte_of(p, at, &k1), b0 = 0;

		if (shift && at > 0)
			b0 = byte_of(p, at - 1, &k0);
		v->b[i] = (uint8_t)(b1 >> shift | (shift ? b0 << (8 - shift) : 0));
		v->k[i] = (uint8_t)(k1 >> shift | (shift ? k0 << (8 - shift) : 0));
	}
	if (v->bits % 8) {
		v->b[0] &= (uint8_t)((1u << v->bits % 8) - 1);
		v->k[0] &= (uint8_t)((1u << v->bits % 8) - 1);
	}
}

void packet_load_at(const struct packet *p, unsigned bit, unsigned bits, struct value *v)
{
	value_unknown(v, bits, "not given");
	if ((bit | bits) % 8 == 0 && (bit + bits) / 8 <= p->end) {
		memcpy(v->b, p->bytes + bit / 8, bits / 8);
		memcpy(v->k, p->known + bit / 8, bits / 8);
	} else {
		load_bits(p, bit, v);
	}
	if (p->offset_bit && bit <= p->offset_bit && bit + bits >= p->offset_bit + 13u) {
		v->nz_at = (uint16_t)(bit + bits - p->offset_bit - 13);
		v->nz_bits = 13;
	}
}

void packet_load(const struct packet *p, uint8_t base, unsigned offset, unsigned bits, struct value *v)
{
	unsigned at = base_at(p, base);

	if (base > NFT_PAYLOAD_TRANSPORT_HEADER || !bits || bits > VALUE_BYTES * 8) {
		value_unknown(v, bits, "content of the packet is not known");
		return;
	}
	if (!at) {
		value_absent(v, "the packet has no such header here");
		return;
	}
	if (base == NFT_PAYLOAD_NETWORK_HEADER && p->vague && at * 8 + offset + bits > p->vague * 8u)
		value_unknown(v, bits, "it is not known where the header's parts stand");
	else
		packet_load_at(p, at * 8 + offset, bits, v);
}

int packet_store(struct packet *p, uint8_t base, unsigned offset, unsigned bits, const struct value *v)
{
	unsigned at = base_at(p, base) * 8 + offset, total = value_size(v) * 8;

	if (!base_at(p, base) || at + bits > p->end * 8u || bits > v->bits)
		return -1;
	p->version++;
	for (unsigned i = 0; i < bits; i++) {
		unsigned from = total - bits + i, to = at + i;
		uint8_t mask = (uint8_t)(0x80 >> to % 8);
		bool bit = (v->b[from / 8] >> (7 - from % 8)) & 1, known = (v->k[from / 8] >> (7 - from % 8)) & 1;

		p->bytes[to / 8] = bit ? p->bytes[to / 8] | mask : p->bytes[to / 8] & (uint8_t)~mask;
		p->known[to / 8] = known ? p->known[to / 8] | mask : p->known[to / 8] & (uint8_t)~mask;
	}
	return 0;
}
