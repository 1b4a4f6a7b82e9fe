/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proto - which protocols a rule has established so far, and which of its conditions nft hides */
#include <net/if_arp.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/decode.h"

#define LL NFT_PAYLOAD_LL_HEADER
#define NH NFT_PAYLOAD_NETWORK_HEADER
#define TH NFT_PAYLOAD_TRANSPORT_HEADER

struct proto_name {
	uint16_t number;
	const char *name;
};

static const struct proto_name l4_names[] = {
	{ IPPROTO_ICMP, "icmp" }, { IPPROTO_IGMP, "igmp" }, { IPPROTO_TCP, "tcp" },
	{ IPPROTO_UDP, "udp" }, { IPPROTO_DCCP, "dccp" }, { IPPROTO_ESP, "esp" },
	{ IPPROTO_AH, "ah" }, { IPPROTO_ICMPV6, "icmpv6" }, { IPPROTO_COMP, "comp" },
	{ IPPROTO_SCTP, "sctp" }, { IPPROTO_UDPLITE, "udplite" }, { 0, NULL },
};

static const struct proto_name ether_names[] = {
	{ ETHERTYPE_IP, "ip" }, { ETHERTYPE_IPV6, "ip6" }, { ETHERTYPE_ARP, "arp" }, { ETHERTYPE_VLAN, "vlan" },
	{ 0x88a8, "vlan" }, { 0, NULL },
};

static const struct proto_name nfproto_names[] = {
	{ NFPROTO_IPV4, "ip" }, { NFPROTO_IPV6, "ip6" }, { 0, NULL },
};

static const char *proto_find(const struct proto_name *names, uint64_t number)
{
	for (; names->name; names++)
		if (names->number == number)
			return names->name;
	return NULL;
}

void dec_proto_begin(struct dec *d)
{
	memset(d->proto, 0, sizeof(d->proto));
	memset(d->dep, 0, sizeof(d->dep));
	d->icmp_type = -1;
	d->icmp_dep = NULL;
	switch (d->family) {
	case NFPROTO_IPV4:
		d->proto[NH] = "ip";
		break;
	case NFPROTO_IPV6:
		d->proto[NH] = "ip6";
		break;
	case NFPROTO_ARP:
		d->proto[NH] = "arp";
		break;
	case NFPROTO_BRIDGE:
	case NFPROTO_NETDEV:
		d->proto[LL] = "ether";
		break;
	default:
		break;
	}
}

/* What a header field or key, when compared for equality, tells of the next header. */
struct tells {
	unsigned base; /* of the protocol it tells */
	const struct proto_name *names;
};

static bool told_by(const struct expr *left, struct tells *ret)
{
	const struct hdr_field *f = left->kind == EXPR_PAYLOAD ? left->payload.field : NULL;

	if (left->kind == EXPR_META && left->meta_key == NFT_META_NFPROTO)
		*ret = (struct tells){ NH, nfproto_names };
	else if (left->kind == EXPR_META && left->meta_key == NFT_META_PROTOCOL)
		*ret = (struct tells){ NH, ether_names };
	else if (left->kind == EXPR_META && left->meta_key == NFT_META_L4PROTO)
		*ret = (struct tells){ TH, l4_names };
	else if (f && f->dtype == DT_ETHERTYPE && f->base == LL)
		*ret = (struct tells){ NH, ether_names };
	else if (f && f->dtype == DT_INET_PROTO && f->base == NH)
		*ret = (struct tells){ TH, l4_names };
	else
		return false;
	return true;
}

void dec_proto_match(struct dec *d, struct stmt *s)
{
	const struct expr *left = s->match.left, *right = s->match.right;
	const char *name;
	struct tells t;

	if (s->match.op != OP_EQ || right->kind != EXPR_VALUE)
		return;
	if (left->kind == EXPR_META && left->meta_key == NFT_META_IIFTYPE &&
	    expr_uint(right) == ARPHRD_ETHER) {
		d->proto[LL] = "ether";
		d->dep[LL] = s;
		return;
	}
	if (left->kind == EXPR_PAYLOAD && left->payload.field &&
	    (left->dtype == DT_ICMP_TYPE || left->dtype == DT_ICMPV6_TYPE)) {
		d->icmp_type = (int)expr_uint(right);
		d->icmp_dep = s;
	}
	if (!told_by(left, &t))
		return;
	name = proto_find(t.names, expr_uint(right));
	if (name && strcmp(name, "vlan") == 0) {
		d->proto[LL] = "vlan";
		d->dep[LL] = s;
		return;
	}
	if (name)
		d->proto[t.base] = name;
	d->dep[t.base] = name ? s : NULL;
}

static bool one_network(const struct dec *d)
{
	return d->family == NFPROTO_IPV4 || d->family == NFPROTO_IPV6 || d->family == NFPROTO_ARP;
}

/*
 * In families that carry several network protocols, "ip protocol tcp" also says that it is IPv4; and of headers
 * one in the other ("ether type 8021q vlan type ip") only "vlan id" says the type before it.
 */
static bool dep_may_hide(const struct dec *d, const struct stmt *dep, unsigned base, const struct hdr_field *f)
{
	const struct expr *left = dep->match.left;

	if (left->kind != EXPR_PAYLOAD || one_network(d))
		return true;
	if (left->payload.base == NH)
		return false;
	if (!f || left->payload.base != base)
		return true;
	if ((f->dtype == DT_ETHERTYPE && d->by_value) || !left->payload.field || strcmp(left->payload.field->protocol, "ether") != 0)
		return false;
	return expr_uint(dep->match.right) == ETHERTYPE_VLAN;
}

static void dep_hide(struct dec *d, unsigned base, const struct hdr_field *f)
{
	if (!d->dep[base] || !dep_may_hide(d, d->dep[base], base, f))
		return;
	d->dep[base]->implied = true;
	d->dep[base] = NULL;
}

void dec_proto_use(struct dec *d, const struct expr *payload)
{
	const struct hdr_field *f = payload->payload.field;
	unsigned base = payload->payload.base;

	if (base > TH)
		return;
	dep_hide(d, base, f);
	if (base == TH && f && strncmp(f->protocol, "icmp", 4) == 0)
		dep_hide(d, NH, NULL);
}

/* Which fields of the rest of an ICMP header there are depends on the type before (nft's proto.c). */
static const struct {
	const char *protocol, *name;
	uint8_t type;
	uint16_t offset, bits;
} icmp_fields[] = {
	{ "icmp", "mtu", 3, 48, 16 },
	{ "icmp", "gateway", 5, 32, 32 },
	{ "icmpv6", "mtu", 2, 32, 32 },
	{ "icmpv6", "parameter-problem", 4, 32, 32 },
	{ "icmpv6", "max-delay", 130, 32, 16 },
};

const struct hdr_field *dec_proto_icmp(struct dec *d, unsigned offset, unsigned bits)
{
	const char *th = d->proto[TH];

	for (size_t i = 0; th && d->icmp_type >= 0 && i < ARRAY_SIZE(icmp_fields); i++) {
		if (strcmp(th, icmp_fields[i].protocol) != 0 || icmp_fields[i].type != d->icmp_type ||
		    icmp_fields[i].offset != offset || icmp_fields[i].bits != bits)
			continue;
		if (d->icmp_dep)
			d->icmp_dep->implied = true;
		d->icmp_dep = NULL;
		return header_field(th, icmp_fields[i].name);
	}
	return NULL;
}

void dec_proto_use_exthdr(struct dec *d, uint32_t op)
{
	unsigned base = op == NFT_EXTHDR_OP_TCPOPT ? TH : NH;

	if (op > NFT_EXTHDR_OP_IPV4)
		return;
	if (d->dep[base])
		d->dep[base]->implied = true;
	d->dep[base] = NULL;
}

void dec_proto_reset(struct dec *d)
{
	memset(d->dep, 0, sizeof(d->dep));
	d->icmp_dep = NULL;
}

void dec_proto_reject(struct dec *d, const struct stmt_reject *r)
{
	if (r->kind == REJECT_TCP_RST && one_network(d))
		dep_hide(d, TH, NULL);
	else if (r->kind != REJECT_ICMPX)
		dep_hide(d, NH, NULL);
}
