/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ah - -m ah: security parameter index of the authentication header */
#include <linux/netfilter_ipv4/ipt_ah.h>
#include <linux/netfilter_ipv6/ip6t_ah.h>
#include <linux/netfilter.h>

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

const struct xt_codec xt_match_ah6_v0 = {
	.name = "ah", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_ah), .opts = ah6_opts,
	.unknown = "whether the packet has an authentication header is not known",
};
