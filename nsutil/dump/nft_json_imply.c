/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_imply - conditions that nft puts in by itself when it reads a rule, and leaves out when it lists it */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <net/if_arp.h>
#include <net/ethernet.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/nft_json.h"

#define LL NFT_PAYLOAD_LL_HEADER
#define NH NFT_PAYLOAD_NETWORK_HEADER
#define TH NFT_PAYLOAD_TRANSPORT_HEADER

/*
 * Which condition says a protocol depends on what the rule has said below it: "ether type", "vlan type", or the key of
 * meta for a packet that has no frame here. It follows nft 1.0.6, which puts some of them before all the rest of the rule.
 */
enum where { LAST, FIRST };

void nj_learn(struct nj *n, const struct stmt *s)
{
	const struct expr *right = s->match.right;
	const struct proto_desc *before;

	if (s->kind != STMT_MATCH || s->match.op != OP_EQ)
		return;
	dec_proto_learn(&n->dec, s->match.left, right);
	before = n->dec.known.desc[NH];
	if (right->kind != EXPR_SETREF || !(right->set->flags & SET_ANONYMOUS))
		return;
	for (uint32_t i = 0; i < right->set->n_elems; i++)
		if (right->set->elems[i].key)
			dec_proto_learn(&n->dec, s->match.left, right->set->elems[i].key);
	n->several |= n->dec.known.desc[NH] != before;
}

static bool put(struct nj *n, enum where where, struct expr *left, uint64_t value)
{
	struct stmt *s = left ? stmt_match_new(n->a, OP_EQ, left, nj_uint(n, value, left)) : NULL;

	if (!s)
		return false;
	s->implied = true;
	if (where == FIRST) {
		s->next = *n->list;
		*n->list = s;
		/* nothing before it says that there is a frame: then the kernel's own form does not tell either */
		n->several |= left->kind == EXPR_PAYLOAD && n->t->family != NFPROTO_BRIDGE;
	} else {
		stmt_append(n->list, s);
	}
	nj_learn(n, s);
	return true;
}

/* A field of the last header of the frame, where that is by now. */
static struct expr *field(struct nj *n, const char *protocol, const char *name)
{
	struct expr *x = expr_field(n->a, protocol, name);

	if (x)
		x->payload.offset = (uint16_t)dec_field_place(&n->dec, x->payload.field);
	return x;
}

static const char *known(const struct nj *n, unsigned base)
{
	return dec_proto_name(&n->dec, base);
}

static bool known_is(const struct nj *n, unsigned base, const char *protocol)
{
	return known(n, base) && strcmp(known(n, base), protocol) == 0;
}

static bool imply_network(struct nj *n, const char *protocol, enum where where, bool packet)
{
	static const struct { const char *name; uint16_t nfproto, ether; } nets[] = {
		{ "ip", NFPROTO_IPV4, ETHERTYPE_IP }, { "ip6", NFPROTO_IPV6, ETHERTYPE_IPV6 }, { "arp", 0, ETHERTYPE_ARP },
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(nets) && strcmp(nets[i].name, protocol) != 0)
		i++;
	if (i == ARRAY_SIZE(nets))
		return true;
	if (known_is(n, LL, "vlan"))
		return put(n, where, field(n, "vlan", "type"), nets[i].ether);
	if (known_is(n, LL, "ether") && !(packet && n->t->family == NFPROTO_BRIDGE && nets[i].nfproto))
		return put(n, where, field(n, "ether", "type"), nets[i].ether);
	if (n->t->family == NFPROTO_INET)
		return put(n, where, expr_meta(n->a, NFT_META_NFPROTO), nets[i].nfproto);
	return put(n, where, expr_meta(n->a, NFT_META_PROTOCOL), nets[i].ether);
}

static bool imply_transport(struct nj *n, const char *protocol, enum where where)
{
	bool icmp = strcmp(protocol, "icmp") == 0 || strcmp(protocol, "igmp") == 0;
	int number = dec_proto_number(protocol);

	if (strcmp(protocol, "th") == 0 || number < 0 || known_is(n, TH, protocol))
		return true;
	if (!known(n, NH) && (icmp || strcmp(protocol, "icmpv6") == 0) &&
	    !imply_network(n, icmp ? "ip" : "ip6", LAST, false))
		return false;
	return put(n, where, expr_meta(n->a, NFT_META_L4PROTO), (uint64_t)number);
}

static bool imply_link(struct nj *n, const char *protocol)
{
	bool frame = known_is(n, LL, "ether") || known_is(n, LL, "vlan");

	if (!frame && !put(n, LAST, expr_meta(n->a, NFT_META_IIFTYPE), ARPHRD_ETHER))
		return false;
	if (strcmp(protocol, "vlan") != 0 || known_is(n, LL, "vlan") || (frame && known(n, NH)))
		return true;
	return put(n, LAST, field(n, "ether", "type"), ETHERTYPE_VLAN);
}

/* Fields of the rest of an ICMP header say by themselves of which type the packet is. */
static bool imply_icmp_type(struct nj *n, const struct hdr_field *f)
{
	static const struct { const char *protocol, *name; uint8_t type; } fields[] = {
		{ "icmp", "mtu", 3 }, { "icmp", "gateway", 5 }, { "icmpv6", "mtu", 2 },
		{ "icmpv6", "parameter-problem", 4 }, { "icmpv6", "max-delay", 130 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(f->protocol, fields[i].protocol) == 0 && strcmp(f->name, fields[i].name) == 0 &&
		    n->dec.known.icmp != fields[i].type)
			return put(n, LAST, expr_field(n->a, f->protocol, "type"), fields[i].type);
	return true;
}

bool nj_imply(struct nj *n, const char *protocol)
{
	return !n->list || imply_transport(n, protocol, LAST);
}

bool nj_imply_field(struct nj *n, struct expr *x)
{
	const struct hdr_field *f = x->payload.field;
	bool ok = true;

	if (!n->list)
		return true;
	if (f->base == TH)
		ok = imply_transport(n, f->protocol, LAST);
	else if (f->base == NH)
		ok = known_is(n, NH, f->protocol) || imply_network(n, f->protocol, LAST, true);
	else if (f->base == LL && !known_is(n, LL, f->protocol) && !dec_proto_below(&n->dec, f->protocol))
		ok = imply_link(n, f->protocol);
	x->payload.offset = (uint16_t)dec_field_place(&n->dec, f);
	return ok && imply_icmp_type(n, f);
}

bool nj_imply_option(struct nj *n, const char *protocol)
{
	return !n->list || known(n, NH) || imply_network(n, protocol, FIRST, false);
}

bool nj_imply_reject(struct nj *n, const char *protocol)
{
	if (!n->list)
		return true;
	if (strcmp(protocol, "tcp") == 0)
		return known(n, TH) || imply_transport(n, protocol, FIRST);
	return known(n, NH) || imply_network(n, protocol, FIRST, true);
}
