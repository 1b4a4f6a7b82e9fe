/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dscp - -m dscp, -m tos: the traffic class of the IP header */
#include <linux/netfilter.h>
#include <linux/netfilter/xt_dscp.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#include "nsutil/xt/dscp.h"

static const struct xt_opt dscp_opts[] = {
	{ "dscp", NULL, &xt_dscp_value, XT_AT(xt_dscp_info, dscp), XT_INV(xt_dscp_info, invert, 1),
	  .max = XT_DSCP_MAX, .always = true },
	{ "dscp-class", NULL, &xt_dscp_class, XT_AT(xt_dscp_info, dscp), XT_INV(xt_dscp_info, invert, 1),
	  .quiet = true },
	XT_END,
};

static void dscp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_dscp_info *d = xt_data(xt_dscp_info, x);
	struct expr *left = expr_field(l->a, l->family == NFPROTO_IPV6 ? "ip6" : "ip", "dscp");

	low_match(l, d->invert, left, expr_bytes(l->a, DT_DSCP, ORDER_NET, &d->dscp, 6));
}

static const struct xt_opt tos_opts[] = {
	{ "tos", NULL, &xt_tos_mask, XT_AT(xt_tos_match_info, tos_value), XT_AT2(xt_tos_match_info, tos_mask),
	  XT_INV(xt_tos_match_info, invert, 1), .always = true },
	XT_END,
};

static void tos_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_tos_match_info *t = xt_data(xt_tos_match_info, x);
	struct expr *left = low_tos(l);

	if (l->family == NFPROTO_IPV6 || t->tos_mask != 0xff)
		left = expr_binop(l->a, BINOP_AND, left, low_tos_bits(l, t->tos_mask));
	low_match(l, t->invert, left, low_tos_bits(l, t->tos_value));
}

const struct xt_codec xt_match_dscp_v0 = {
	.name = "dscp", .size = sizeof(struct xt_dscp_info), .opts = dscp_opts, .lower = dscp_lower,
};

const struct xt_codec xt_match_tos_v1 = {
	.name = "tos", .rev = 1, .size = sizeof(struct xt_tos_match_info), .opts = tos_opts, .lower = tos_lower,
};
