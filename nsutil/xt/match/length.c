/* SPDX-License-Identifier: GPL-2.0-or-later */
/* length - -m length: the packet's length */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_length.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt length_opts[] = {
	{ "length", NULL, &xt_span_colon, XT_AT(xt_length_info, min), XT_AT2(xt_length_info, max),
	  XT_INV(xt_length_info, invert, 1), .always = true },
	XT_END,
};

static void length_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_length_info *i = xt_data(xt_length_info, x);

	low_u32(l, i->invert, expr_meta(l->a, NFT_META_LEN), DT_INTEGER, i->min, i->max);
}

const struct xt_codec xt_match_length_v0 = {
	.name = "length", .size = sizeof(struct xt_length_info), .opts = length_opts, .lower = length_lower,
};
