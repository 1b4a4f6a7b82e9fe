/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ah - -m ah: security parameter index of the authentication header */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter_ipv4/ipt_ah.h>
#include <linux/netfilter_ipv6/ip6t_ah.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt ah4_opts[] = {
	{ "ahspi", NULL, &xt_range_colon, XT_AT(ipt_ah, spis[0]), XT_AT2(ipt_ah, spis[1]),
	  XT_INV(ipt_ah, invflags, IPT_AH_INV_SPI), .blunt = true },
	XT_END,
};

static const struct xt_opt ah6_opts[] = {
	{ "ahspi", NULL, &xt_range_colon, XT_AT(ip6t_ah, spis[0]), XT_AT2(ip6t_ah, spis[1]),
	  XT_INV(ip6t_ah, invflags, IP6T_AH_INV_SPI), .blunt = true },
	{ "ahlen", NULL, &xt_uint, XT_AT(ip6t_ah, hdrlen), XT_INV(ip6t_ah, invflags, IP6T_AH_INV_LEN) },
	{ "ahres", NULL, &xt_flag, XT_SET(ip6t_ah, hdrres, 1) },
	XT_END,
};

/* The SPI stands behind next header, length and reserved bytes. */
static void ah4_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct ipt_ah *ah = xt_data(ipt_ah, x);

	low_spi(l, "ah", "spi", ah->spis, ah->invflags & IPT_AH_INV_SPI);
}

const struct xt_codec xt_match_ah4_v0 = {
	.name = "ah", .family = NFPROTO_IPV4, .size = sizeof(struct ipt_ah), .opts = ah4_opts,
	.lower = ah4_lower,
};

/*
 * xt looks for the first such header (ip6t_ah.c, ah_mt6()), at which nftables' search for the transport protocol ends
 * (nft_set_pktinfo_ipv6(), IP6_FH_F_AUTH): there it is the payload. The packet has its length in words, less two.
 */
static void ah6_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct ip6t_ah *ah = xt_data(ip6t_ah, x);
	bool not_length = ah->invflags & IP6T_AH_INV_LEN;
	bool all = ah->spis[0] == 0 && ah->spis[1] == UINT32_MAX && !(ah->invflags & IP6T_AH_INV_SPI);
	uint32_t words = ah->hdrlen / 4;
	struct stmt *protocol = stmt_match_new(l->a, OP_EQ, expr_meta(l->a, NFT_META_L4PROTO),
					       expr_u8(l->a, DT_INET_PROTO, IPPROTO_AH));

	if (protocol) /* which nft does not say where it asks for a field of the header */
		protocol->implied = !all || ah->hdrres;
	low_add(l, protocol);
	low_spi(l, "ah", "spi", ah->spis, ah->invflags & IP6T_AH_INV_SPI);
	if (ah->hdrlen && (ah->hdrlen % 4 || words < 2 || words > UINT8_MAX + 2)) {
		if (!not_length)
			low_never(l);
	} else if (ah->hdrlen) {
		low_match(l, not_length, expr_field(l->a, "ah", "hdrlength"),
			  expr_u8(l->a, DT_INTEGER, (uint8_t)(words - 2)));
	}
	if (ah->hdrres)
		low_match(l, false, expr_field(l->a, "ah", "reserved"), expr_be16(l->a, DT_INTEGER, 0));
}

const struct xt_codec xt_match_ah6_v0 = {
	.name = "ah", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_ah), .opts = ah6_opts, .lower = ah6_lower,
};
