/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deps - conditions that nft leaves out of its listing, as something above them says the same */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include <linux/netfilter.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/proto.h"

#define LL NFT_PAYLOAD_LL_HEADER
#define NH NFT_PAYLOAD_NETWORK_HEADER
#define TH NFT_PAYLOAD_TRANSPORT_HEADER
#define INNER NFT_PAYLOAD_INNER_HEADER

static bool several_networks(const struct dec *d)
{
	return d->family == NFPROTO_BRIDGE || d->family == NFPROTO_NETDEV || d->family == NFPROTO_INET;
}

void dec_deps_forget(struct dec *d)
{
	memset(d->dep, 0, sizeof(d->dep));
	d->dep_icmp = 0;
}

/* The place of the condition that told a header. What a transport header itself tells counts for it as well. */
static struct stmt **dep_of(struct dec *d, unsigned base)
{
	return base == TH && !d->dep[TH] ? &d->dep[INNER] : &d->dep[base];
}

static void release(struct dec *d, unsigned base)
{
	struct stmt **dep = dep_of(d, base);

	if (*dep)
		(*dep)->implied = true;
	*dep = NULL;
}

static bool on_payload(const struct stmt *dep, unsigned base)
{
	return dep->match.left->kind == EXPR_PAYLOAD && dep->match.left->payload.base == base;
}

static const char *protocol_of(const struct stmt *dep)
{
	const struct hdr_field *f = dep->match.left->payload.field;

	return f ? f->protocol : "";
}

static bool is_icmp(const char *protocol)
{
	return strcmp(protocol, "icmp") == 0 || strcmp(protocol, "icmpv6") == 0;
}

/* "vlan type" is never put in by nft itself; of a frame's types only the one of VLANs is said by "vlan id". */
static bool frame_may_go(const struct stmt *dep)
{
	return strcmp(protocol_of(dep), "vlan") != 0 && expr_uint(dep->match.right) == ETHERTYPE_VLAN;
}

static bool icmp_may_go(const struct dec *d, const struct stmt *dep, const struct hdr_field *f)
{
	uint8_t type = f ? dec_field_icmp_type(f) : 0;

	return type && strcmp(protocol_of(dep), f->protocol) == 0 && d->dep_icmp == type;
}

static bool may_go(const struct dec *d, const struct stmt *dep, const struct expr *x, bool key)
{
	unsigned base = x->payload.base;

	if (several_networks(d)) {
		/* "ip protocol tcp" also says that it is IPv4 */
		if (on_payload(dep, NH) && base == TH && strcmp(protocol_of(dep), "arp") != 0)
			return false;
		if (on_payload(dep, base) && key)
			return false;
		if (on_payload(dep, base) && base == LL)
			return frame_may_go(dep);
	}
	if (base == TH && on_payload(dep, TH) && is_icmp(protocol_of(dep)))
		return icmp_may_go(d, dep, x->payload.field);
	return true;
}

void dec_deps_payload(struct dec *d, const struct expr *x, bool key)
{
	struct stmt *dep = x->payload.base <= TH ? *dep_of(d, x->payload.base) : NULL;

	if (x->payload.field && dep && may_go(d, dep, x, key))
		release(d, x->payload.base);
}

void dec_deps_exthdr(struct dec *d, uint32_t op)
{
	if (op <= NFT_EXTHDR_OP_IPV4)
		release(d, op == NFT_EXTHDR_OP_TCPOPT ? TH : NH);
}

/* Of ICMP types the echo ones are not left out: two of them have the same fields. */
static bool keeps_icmp_type(struct dec *d, const struct stmt *s)
{
	const struct expr *left = s->match.left;
	uint8_t type;

	if (!left->payload.field || !is_icmp(left->payload.field->protocol) || s->match.right->kind != EXPR_VALUE)
		return false;
	type = (uint8_t)expr_uint(s->match.right);
	if (left->dtype == DT_ICMP_TYPE) {
		d->dep_icmp = type == ICMP_ECHOREPLY ? ICMP_ECHO : type;
		return d->dep_icmp == ICMP_ECHO;
	}
	d->dep_icmp = type;
	return type == ICMP6_ECHO_REQUEST || type == ICMP6_ECHO_REPLY;
}

void dec_deps_told(struct dec *d, struct stmt *s, int base)
{
	if (!keeps_icmp_type(d, s) && base < (int)INNER)
		d->dep[base + 1] = s;
}

/* ---- meta and ct ---- */

static uint8_t nfproto_of(uint64_t ethertype)
{
	return ethertype == ETHERTYPE_IP ? NFPROTO_IPV4 : ethertype == ETHERTYPE_IPV6 ? NFPROTO_IPV6 : NFPROTO_UNSPEC;
}

/* The network protocol that a condition asks for; false: it asks for something else. */
static bool asks_network(const struct stmt *dep, uint8_t *ret_nfproto)
{
	const struct expr *left = dep->match.left;
	uint64_t value = expr_uint(dep->match.right);

	if (left->kind == EXPR_META && left->meta_key == NFT_META_NFPROTO)
		*ret_nfproto = (uint8_t)value;
	else if ((left->kind == EXPR_META && left->meta_key == NFT_META_PROTOCOL) ||
		 (on_payload(dep, LL) && left->dtype == DT_ETHERTYPE))
		*ret_nfproto = nfproto_of(value);
	else
		return false;
	return true;
}

/* A condition on the network protocol stays before "meta l4proto" where there are several; but ICMP says which it is. */
static bool network_may_go(const struct dec *d, const struct stmt *s)
{
	const struct stmt *dep = d->dep[NH];
	uint8_t nfproto;
	uint64_t l4;

	if (!dep || !asks_network(dep, &nfproto))
		return true;
	if (!several_networks(d))
		return (d->family != NFPROTO_IPV4 && d->family != NFPROTO_IPV6) || d->family == nfproto;
	if (s->match.left->kind != EXPR_META || s->match.left->meta_key != NFT_META_L4PROTO)
		return true;
	l4 = expr_uint(s->match.right);
	if (l4 != IPPROTO_ICMP && l4 != IPPROTO_ICMPV6)
		return false;
	return !(nfproto == NFPROTO_IPV4 && l4 == IPPROTO_ICMPV6) && !(nfproto == NFPROTO_IPV6 && l4 == IPPROTO_ICMP);
}

/* Which header a key tells of: that above @ret_base, which is -1 for the frame. */
static bool meta_base(const struct expr *left, int *ret_base, bool *ret_tells)
{
	uint32_t key = left->kind == EXPR_META ? left->meta_key : left->ct.key;

	*ret_tells = true;
	if (left->kind == EXPR_META && key == NFT_META_IIFTYPE)
		*ret_base = -1;
	else if (left->kind == EXPR_META ? key == NFT_META_NFPROTO || key == NFT_META_PROTOCOL : key == NFT_CT_L3PROTOCOL)
		*ret_base = LL;
	else if (left->kind == EXPR_META ? key == NFT_META_L4PROTO : key == NFT_CT_PROTOCOL)
		*ret_base = NH;
	else if (left->kind == EXPR_CT && (key == NFT_CT_SRC || key == NFT_CT_DST)) {
		*ret_base = NH;
		*ret_tells = false;
	} else
		return false;
	return true;
}

void dec_deps_meta(struct dec *d, struct stmt *s)
{
	bool tells;
	int base;

	if (!meta_base(s->match.left, &base, &tells))
		return;
	if (base >= 0 && d->dep[base] && network_may_go(d, s))
		release(d, (unsigned)base);
	if (tells)
		d->dep[base + 1] = s;
}

void dec_deps_reject(struct dec *d, enum reject_kind kind)
{
	if (several_networks(d)) {
		if (kind != REJECT_ICMPX)
			release(d, NH);
	} else if (kind == REJECT_TCP_RST && d->family != NFPROTO_ARP) {
		release(d, TH);
	}
}
