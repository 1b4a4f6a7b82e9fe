/* SPDX-License-Identifier: GPL-2.0-or-later */
/* header - the conditions in the fixed part of a legacy rule: addresses, interfaces, protocol */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/xt/blob.h"
#include "nsutil/xt/lower.h"

static bool all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n && !*b)
		b++, n--;
	return n == 0;
}

static void addr_cond(struct xt_low *l, const char *name, bool invert, const void *addr, const void *mask,
		      unsigned n)
{
	if (invert || !all_zero(mask, n))
		low_addr(l, invert, low_addr_expr(l, name), addr, mask);
}

/* The mask decides (net/netfilter/x_tables.h, ifname_compare_aligned): with the final NUL it is a whole name. */
static void iface_cond(struct xt_low *l, uint32_t key, bool invert, const char *name, const uint8_t *mask)
{
	unsigned len = 0;
	char padded[IFNAMSIZ] = "";
	struct expr *right;

	while (len < IFNAMSIZ && mask[len])
		len++;
	if (len == 0) { /* "+" holds of any, "! +" of none */
		if (invert)
			low_never(l);
		return;
	}
	memcpy(padded, name, len);
	right = expr_bytes(l->a, DT_IFNAME, ORDER_HOST, padded, IFNAMSIZ * 8);
	if (memchr(padded, '\0', len) == NULL && len < IFNAMSIZ)
		right = expr_prefix(l->a, right, len * 8);
	low_match(l, invert, expr_meta(l->a, key), right);
}

static void proto_cond(struct xt_low *l, bool invert, uint8_t proto)
{
	if (proto)
		low_match(l, invert, expr_meta(l->a, NFT_META_L4PROTO), expr_u8(l->a, DT_INET_PROTO, proto));
}

/* -f: second and further fragments (ip_packet_match: fragoff & IP_OFFSET) */
static void frag_cond(struct xt_low *l, bool invert)
{
	struct expr *off = expr_binop(l->a, BINOP_AND, expr_field(l->a, "ip", "frag-off"),
				      expr_be16(l->a, DT_INTEGER, 0x1fff));

	low_match(l, !invert, off, expr_be16(l->a, DT_INTEGER, 0));
}

static int done(const struct xt_low *l, struct stmt ***tail)
{
	if (l->failed)
		return -1;
	**tail = l->head;
	if (l->head)
		*tail = l->tail;
	return 0;
}

static int header4(struct arena *a, const void *entry, struct stmt ***tail)
{
	const struct ipt_ip *ip = &((const struct ipt_entry *)entry)->ip;
	struct xt_low l = { .a = a, .family = NFPROTO_IPV4 };

	l.tail = &l.head;
	addr_cond(&l, "saddr", ip->invflags & IPT_INV_SRCIP, &ip->src, &ip->smsk, 4);
	addr_cond(&l, "daddr", ip->invflags & IPT_INV_DSTIP, &ip->dst, &ip->dmsk, 4);
	iface_cond(&l, NFT_META_IIFNAME, ip->invflags & IPT_INV_VIA_IN, ip->iniface, ip->iniface_mask);
	iface_cond(&l, NFT_META_OIFNAME, ip->invflags & IPT_INV_VIA_OUT, ip->outiface, ip->outiface_mask);
	proto_cond(&l, ip->invflags & IPT_INV_PROTO, (uint8_t)ip->proto);
	if (ip->flags & IPT_F_FRAG)
		frag_cond(&l, ip->invflags & IPT_INV_FRAG);
	return done(&l, tail);
}

static int header6(struct arena *a, const void *entry, struct stmt ***tail)
{
	const struct ip6t_ip6 *ip = &((const struct ip6t_entry *)entry)->ipv6;
	struct xt_low l = { .a = a, .family = NFPROTO_IPV6 };

	l.tail = &l.head;
	addr_cond(&l, "saddr", ip->invflags & IP6T_INV_SRCIP, &ip->src, &ip->smsk, 16);
	addr_cond(&l, "daddr", ip->invflags & IP6T_INV_DSTIP, &ip->dst, &ip->dmsk, 16);
	iface_cond(&l, NFT_META_IIFNAME, ip->invflags & IP6T_INV_VIA_IN, ip->iniface, ip->iniface_mask);
	iface_cond(&l, NFT_META_OIFNAME, ip->invflags & IP6T_INV_VIA_OUT, ip->outiface, ip->outiface_mask);
	if (ip->flags & IP6T_F_PROTO)
		proto_cond(&l, ip->invflags & IP6T_INV_PROTO, (uint8_t)ip->proto);
	return done(&l, tail);
}

static bool goto4(const void *entry)
{
	return ((const struct ipt_entry *)entry)->ip.flags & IPT_F_GOTO;
}

static bool goto6(const void *entry)
{
	return ((const struct ip6t_entry *)entry)->ipv6.flags & IP6T_F_GOTO;
}

#define ENTRY(s)                                                                                           \
	.entry_size = sizeof(struct s), .target_offset = offsetof(struct s, target_offset),                \
	.next_offset = offsetof(struct s, next_offset), .counters = offsetof(struct s, counters)

const struct xt_blob_family xt_blob_ipv4 = {
	.family = NFPROTO_IPV4,
	.domain = AF_INET,
	.level = IPPROTO_IP,
	.get_info = IPT_SO_GET_INFO,
	.get_entries = IPT_SO_GET_ENTRIES,
	.names_file = "net/ip_tables_names",
	ENTRY(ipt_entry),
	.header = header4,
	.is_goto = goto4,
};

const struct xt_blob_family xt_blob_ipv6 = {
	.family = NFPROTO_IPV6,
	.domain = AF_INET6,
	.level = IPPROTO_IPV6,
	.get_info = IP6T_SO_GET_INFO,
	.get_entries = IP6T_SO_GET_ENTRIES,
	.names_file = "net/ip6_tables_names",
	ENTRY(ip6t_entry),
	.header = header6,
	.is_goto = goto6,
};
