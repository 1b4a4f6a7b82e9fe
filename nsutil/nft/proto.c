/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proto - which protocols a rule has established so far, and what header bytes are called by them */
#include <net/if_arp.h>
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

/*
 * The protocols are those of nft(8) as nft 1.0.6 links them: which number in which header leads to which. Families
 * without a frame of their own begin with a stand-in for it ("inet", "netdev"), which only tells the network header.
 */
struct proto_link {
	uint16_t number;
	const struct proto_desc *next;
};

struct proto_desc {
	const char *name;
	uint8_t base;
	uint16_t length;	     /* of a frame's header, in bits */
	uint16_t first;		     /* where its fields in the table of headers begin, in bits */
	const struct hdr_proto *hdr; /* NULL: no fields */
	const struct proto_link *links;
};

#define HDR(id) (&header_protocols[id])

static const struct proto_desc arp = { "arp", NH, 0, 0, HDR(HDR_ARP), NULL };
static const struct proto_desc tcp = { "tcp", TH, 0, 0, HDR(HDR_TCP), NULL };
static const struct proto_desc udp = { "udp", TH, 0, 0, HDR(HDR_UDP), NULL };
static const struct proto_desc udplite = { "udplite", TH, 0, 0, HDR(HDR_UDPLITE), NULL };
static const struct proto_desc sctp = { "sctp", TH, 0, 0, HDR(HDR_SCTP), NULL };
static const struct proto_desc dccp = { "dccp", TH, 0, 0, HDR(HDR_DCCP), NULL };
static const struct proto_desc esp = { "esp", TH, 0, 0, HDR(HDR_ESP), NULL };
static const struct proto_desc icmp = { "icmp", TH, 0, 0, HDR(HDR_ICMP), NULL };
static const struct proto_desc icmpv6 = { "icmpv6", TH, 0, 0, HDR(HDR_ICMPV6), NULL };
static const struct proto_desc igmp = { "igmp", TH, 0, 0, HDR(HDR_IGMP), NULL };
static const struct proto_desc ah, comp, vlan;

#define TRANSPORTS                                                                                                      \
	{ IPPROTO_TCP, &tcp }, { IPPROTO_UDP, &udp }, { IPPROTO_ESP, &esp }, { IPPROTO_AH, &ah }, { IPPROTO_COMP, &comp }, \
	{ IPPROTO_UDPLITE, &udplite }, { IPPROTO_DCCP, &dccp }, { IPPROTO_SCTP, &sctp }

static const struct proto_link tunnel_links[] = { TRANSPORTS, { 0, NULL } };
static const struct proto_link ip_links[] = {
	TRANSPORTS, { IPPROTO_ICMP, &icmp }, { IPPROTO_IGMP, &igmp }, { IPPROTO_ICMPV6, &icmpv6 }, { 0, NULL },
};

static const struct proto_desc ah = { "ah", TH, 0, 0, HDR(HDR_AH), tunnel_links };
static const struct proto_desc comp = { "comp", TH, 0, 0, HDR(HDR_COMP), tunnel_links };
static const struct proto_desc ip = { "ip", NH, 0, 0, HDR(HDR_IP), ip_links };
static const struct proto_desc ip6 = { "ip6", NH, 0, 0, HDR(HDR_IP6), ip_links };

static const struct proto_link frame_links[] = {
	{ ETHERTYPE_IP, &ip }, { ETHERTYPE_IPV6, &ip6 }, { ETHERTYPE_ARP, &arp }, { ETHERTYPE_VLAN, &vlan },
	{ 0x88a8 /* 802.1ad */, &vlan }, { 0, NULL },
};
static const struct proto_link inet_links[] = { { NFPROTO_IPV4, &ip }, { NFPROTO_IPV6, &ip6 }, { 0, NULL } };

static const struct proto_desc ether = { "ether", LL, 112, 0, HDR(HDR_ETHER), frame_links };
static const struct proto_desc vlan = { "vlan", LL, 32, 112, HDR(HDR_VLAN), frame_links };
static const struct proto_desc netdev = { "netdev", LL, 0, 0, NULL, frame_links };
static const struct proto_desc inet = { "inet", LL, 0, 0, NULL, inet_links };

/* What a number that is not linked says: some protocol, but none that is known. */
static const struct proto_desc unknown = { "unknown", NFT_PAYLOAD_INNER_HEADER, 0, 0, NULL, NULL };

static const struct proto_desc *upper(const struct proto_desc *desc, uint64_t number)
{
	for (const struct proto_link *l = desc ? desc->links : NULL; l && l->next; l++)
		if (l->number == number)
			return l->next;
	return NULL;
}

static const struct proto_desc *upper_or_unknown(const struct proto_desc *desc, uint64_t number)
{
	const struct proto_desc *next = upper(desc, number);

	return next ? next : &unknown;
}

static const struct proto_desc *frame_of(uint8_t family)
{
	switch (family) {
	case NFPROTO_BRIDGE: return &ether;
	case NFPROTO_NETDEV: return &netdev;
	case NFPROTO_INET: return &inet;
	default: return NULL;
	}
}

void dec_proto_begin(struct dec *d)
{
	memset(&d->known, 0, sizeof(d->known));
	dec_deps_forget(d);
	d->known.desc[LL] = frame_of(d->family);
	d->known.desc[NH] = d->family == NFPROTO_IPV4 ? &ip : d->family == NFPROTO_IPV6 ? &ip6
			    : d->family == NFPROTO_ARP ? &arp : NULL;
}

const char *dec_proto_name(const struct dec *d, unsigned base)
{
	return base <= TH && d->known.desc[base] ? d->known.desc[base]->name : NULL;
}

int dec_proto_number(const char *name)
{
	for (const struct proto_link *l = ip_links; l->next; l++)
		if (strcmp(l->next->name, name) == 0)
			return l->number;
	return -1;
}

bool dec_proto_below(const struct dec *d, const char *name)
{
	for (unsigned i = 0; i < d->known.n_stacked; i++)
		if (strcmp(d->known.stacked[i]->name, name) == 0)
			return true;
	return false;
}

/* ---- what conditions tell ---- */

bool dec_field_is_key(const struct hdr_field *f)
{
	return f && ((f->dtype == DT_ETHERTYPE && f->base == LL) || f->dtype == DT_INET_PROTO || f->dtype == DT_ICMP_TYPE ||
		     f->dtype == DT_ICMPV6_TYPE);
}

/* Replies are asked for as their requests are: fields of the one are those of the other. */
static uint8_t icmp_kind(const struct proto_desc *th, uint64_t type)
{
	if (th == &icmp && type == ICMP_ECHOREPLY)
		return ICMP_ECHO;
	return th == &icmpv6 && type == ICMP6_ECHO_REPLY ? ICMP6_ECHO_REQUEST : (uint8_t)type;
}

static void learn_payload(struct dec *d, const struct expr *left, const struct expr *right)
{
	uint8_t base = left->payload.base;
	const struct proto_desc *here = d->known.desc[base], *next = upper(here, expr_uint(right));

	if (!next) {
		if (here == &icmp || here == &icmpv6)
			d->known.icmp = icmp_kind(here, expr_uint(right));
		return;
	}
	if (next->base == LL && here->base == LL && d->known.n_stacked < DEC_STACKED)
		d->known.stacked[d->known.n_stacked++] = here;
	d->known.desc[next->base] = next;
}

static void learn_meta(struct dec *d, uint32_t key, uint64_t value)
{
	const struct proto_desc **known = d->known.desc, *frame = frame_of(d->family);

	switch (key) {
	case NFT_META_IIFTYPE:
		if (d->family != NFPROTO_BRIDGE)
			known[LL] = value == ARPHRD_ETHER ? &ether : &unknown;
		break;
	case NFT_META_NFPROTO:
		if (frame)
			known[NH] = upper_or_unknown(frame, value);
		break;
	case NFT_META_L4PROTO:
		known[TH] = upper_or_unknown(&ip, value);
		break;
	case NFT_META_PROTOCOL:
		if (d->family == NFPROTO_NETDEV || d->family == NFPROTO_BRIDGE)
			known[NH] = upper_or_unknown(frame, value);
		break;
	default:
		break;
	}
}

static void learn_ct(struct dec *d, uint32_t key, uint64_t value)
{
	unsigned base = key == NFT_CT_PROTOCOL ? NH : LL;
	const struct proto_desc *next = upper(d->known.desc[base], value);

	if (next && (key == NFT_CT_PROTOCOL || key == NFT_CT_L3PROTOCOL))
		d->known.desc[base + 1] = next;
}

void dec_proto_learn(struct dec *d, const struct expr *left, const struct expr *right)
{
	if (right->kind != EXPR_VALUE)
		return;
	if (left->kind == EXPR_PAYLOAD && dec_field_is_key(left->payload.field))
		learn_payload(d, left, right);
	else if (left->kind == EXPR_META)
		learn_meta(d, left->meta_key, expr_uint(right));
	else if (left->kind == EXPR_CT)
		learn_ct(d, left->ct.key, expr_uint(right));
}

bool dec_proto_stacked(const struct dec *d, unsigned base, const struct expr *value)
{
	const struct proto_desc *here = d->known.desc[base], *next;

	next = base == LL ? upper(here, expr_uint(value)) : NULL;
	return next && next->base == base;
}

void dec_proto_icmp_set(struct dec *d, const struct expr *load, const struct expr *first)
{
	const struct proto_desc *th = d->known.desc[TH];

	if (load->payload.base == TH && load->payload.offset == 0 && load->bits == 8 && !d->known.icmp &&
	    (th == &icmp || th == &icmpv6) && first->kind == EXPR_VALUE)
		d->known.icmp = (uint8_t)expr_uint(first);
}

/* ---- what bytes are called ---- */

/* Which fields of the rest of an ICMP header there are depends on the type before; 0: any. */
uint8_t dec_field_icmp_type(const struct hdr_field *f)
{
	static const struct {
		enum hdr_id protocol;
		const char *name;
		uint8_t type;
	} fields[] = {
		{ HDR_ICMP, "id", ICMP_ECHO }, { HDR_ICMP, "sequence", ICMP_ECHO }, { HDR_ICMP, "gateway", ICMP_REDIRECT },
		{ HDR_ICMP, "mtu", ICMP_DEST_UNREACH }, { HDR_ICMPV6, "id", ICMP6_ECHO_REQUEST },
		{ HDR_ICMPV6, "sequence", ICMP6_ECHO_REQUEST }, { HDR_ICMPV6, "mtu", ICMP6_PACKET_TOO_BIG },
		{ HDR_ICMPV6, "parameter-problem", ICMP6_PARAM_PROB }, { HDR_ICMPV6, "max-delay", MLD_LISTENER_QUERY },
	};

	if (strncmp(f->protocol, "icmp", 4) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(HDR(fields[i].protocol)->name, f->protocol) == 0 && strcmp(fields[i].name, f->name) == 0)
			return fields[i].type;
	return 0;
}

/* The protocol whose header a place lies in. @ret_skip: where that header begins, in bits. */
static const struct proto_desc *desc_at(const struct dec *d, uint8_t base, unsigned offset, unsigned *ret_skip)
{
	const struct proto_desc *top = base <= TH ? d->known.desc[base] : NULL;
	unsigned skip = 0;

	*ret_skip = 0;
	if (!top || top->base != base || !top->hdr)
		return NULL;
	if (base != LL || offset < top->length)
		return top;
	for (unsigned i = 0; i < d->known.n_stacked; i++) {
		if (offset - skip < d->known.stacked[i]->length) {
			top = d->known.stacked[i];
			break;
		}
		skip += d->known.stacked[i]->length;
	}
	*ret_skip = skip;
	return top;
}

static bool icmp_fits(const struct dec *d, const struct hdr_field *f)
{
	uint8_t type = d->known.icmp ? dec_field_icmp_type(f) : 0;

	return !type || type == d->known.icmp;
}

const struct hdr_field *dec_field_at(const struct dec *d, uint8_t base, unsigned offset, unsigned bits)
{
	const struct proto_desc *desc;
	unsigned skip;

	desc = desc_at(d, base, offset, &skip);
	for (unsigned i = 0; desc && i < desc->hdr->n; i++) {
		const struct hdr_field *f = &desc->hdr->fields[i];

		if (f->offset - desc->first + skip == offset && f->bits == bits && icmp_fits(d, f))
			return f;
	}
	return NULL;
}

void dec_split_begin(const struct dec *d, uint8_t base, unsigned offset, struct dec_split *ret)
{
	*ret = (struct dec_split){ .desc = desc_at(d, base, offset, &ret->skip), .at = offset };
	ret->desc = desc_at(d, base, offset, &ret->skip);
}

const struct hdr_field *dec_split_next(const struct dec *d, struct dec_split *s)
{
	while (s->desc && s->i < s->desc->hdr->n) {
		const struct hdr_field *f = &s->desc->hdr->fields[s->i++];

		if (f->offset - s->desc->first + s->skip != s->at || !icmp_fits(d, f))
			continue;
		s->at += f->bits;
		return f;
	}
	return NULL;
}

unsigned dec_field_place(const struct dec *d, const struct hdr_field *f)
{
	const struct proto_desc *top = f->base == LL ? d->known.desc[LL] : NULL;
	unsigned skip = 0;

	if (!top || !d->known.n_stacked || strcmp(top->name, f->protocol) != 0)
		return f->offset;
	for (unsigned i = 0; i < d->known.n_stacked; i++)
		skip += d->known.stacked[i]->length;
	return f->offset - top->first + skip;
}

bool dec_field_trim(const struct dec *d, const struct expr *load, unsigned lead, unsigned width)
{
	unsigned at = load->payload.offset + lead, skip, got = 0;
	const struct proto_desc *desc = desc_at(d, load->payload.base, load->payload.offset, &skip);

	for (unsigned i = 0; desc && i < desc->hdr->n && got < width; i++) {
		const struct hdr_field *f = &desc->hdr->fields[i];

		if (f->offset - desc->first + skip != at + got)
			continue;
		got += f->bits;
		if (got >= load->bits)
			return false;
	}
	return got == width;
}

/* ---- reject ---- */

enum reject_kind dec_proto_reject_kind(const struct dec *d, bool *ret_bare)
{
	const struct proto_desc *nh = d->known.desc[NH], *frame = d->known.desc[LL];
	bool linked = false;

	*ret_bare = false;
	if (!frame_of(d->family)) /* whatever a rule asks of frames */
		return d->family == NFPROTO_IPV6 ? REJECT_ICMP6 : REJECT_ICMP;
	for (const struct proto_link *l = frame ? frame->links : NULL; l && l->next; l++)
		linked |= l->next == nh;
	*ret_bare = !linked || (nh != &ip && nh != &ip6);
	return nh == &ip6 ? REJECT_ICMP6 : REJECT_ICMP;
}
