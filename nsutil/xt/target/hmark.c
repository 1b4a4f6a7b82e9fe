/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hmark - -j HMARK: a mark computed from addresses and ports */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_HMARK.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static bool has(const struct xt_hmark_info *h, unsigned what)
{
	return h->flags & XT_HMARK_FLAG(what);
}

/* Prefix lengths are kept as address masks. */
static unsigned mask_len(const struct xt_ext *x, const union nf_inet_addr *mask)
{
	unsigned n = x->family == NFPROTO_IPV6 ? 16 : 4, len = 0;

	for (unsigned i = 0; i < n; i++)
		len += (unsigned)__builtin_popcount(((const uint8_t *)mask)[i]);
	return len;
}

static void hmark_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_hmark_info *h = xt_data(xt_hmark_info, x);

	if (has(h, XT_HMARK_SADDR_MASK))
		buf_fmt(b, " --hmark-src-prefix %u", mask_len(x, &h->src_mask));
	if (has(h, XT_HMARK_DADDR_MASK))
		buf_fmt(b, " --hmark-dst-prefix %u", mask_len(x, &h->dst_mask));
	if (has(h, XT_HMARK_SPORT))
		buf_fmt(b, " --hmark-sport %u", ntohs(h->port_set.b16.src));
	if (has(h, XT_HMARK_SPORT_MASK))
		buf_fmt(b, " --hmark-sport-mask 0x%04x", ntohs(h->port_mask.b16.src));
	if (has(h, XT_HMARK_DPORT))
		buf_fmt(b, " --hmark-dport %u", ntohs(h->port_set.b16.dst));
	if (has(h, XT_HMARK_DPORT_MASK))
		buf_fmt(b, " --hmark-dport-mask 0x%04x", ntohs(h->port_mask.b16.dst));
	if (has(h, XT_HMARK_SPI))
		buf_fmt(b, " --hmark-spi %u", ntohl(h->port_set.b32));
	if (has(h, XT_HMARK_SPI_MASK))
		buf_fmt(b, " --hmark-spi-mask 0x%08x", ntohl(h->port_mask.b32));
	if (has(h, XT_HMARK_PROTO_MASK))
		buf_fmt(b, " --hmark-proto-mask 0x%02x", h->proto_mask);
	if (has(h, XT_HMARK_RND))
		buf_fmt(b, " --hmark-rnd 0x%08x", h->hashrnd);
	if (has(h, XT_HMARK_MODULUS))
		buf_fmt(b, " --hmark-mod %u", h->hmodulus);
	if (has(h, XT_HMARK_OFFSET))
		buf_fmt(b, " --hmark-offset %u", h->hoffset);
	if (has(h, XT_HMARK_CT))
		buf_str(b, " --hmark-tuple ct");
}

static void hmark_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_hmark_info *h = xt_data(xt_hmark_info, x);

	if (has(h, XT_HMARK_SADDR_MASK))
		json_uint(j, "hmark-src-prefix", mask_len(x, &h->src_mask));
	if (has(h, XT_HMARK_DADDR_MASK))
		json_uint(j, "hmark-dst-prefix", mask_len(x, &h->dst_mask));
	json_uint(j, "port-set", ntohl(h->port_set.b32));
	json_uint(j, "port-mask", ntohl(h->port_mask.b32));
	json_uint(j, "hmark-proto-mask", h->proto_mask);
	json_uint(j, "hmark-rnd", h->hashrnd);
	json_uint(j, "hmark-mod", h->hmodulus);
	json_uint(j, "hmark-offset", h->hoffset);
	json_bool(j, "ct", has(h, XT_HMARK_CT));
}

const struct xt_codec xt_target_HMARK_v0 = {
	.name = "HMARK", .target = true, .goes_on = true, .size = sizeof(struct xt_hmark_info),
	.save = hmark_save, .json = hmark_json, .unknown = "it sets the mark to a hash of the connection",
};
