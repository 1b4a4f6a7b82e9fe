/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helper - -m helper: the conntrack helper of the connection */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_helper.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt helper_opts[] = {
	{ "helper", NULL, &xt_string, XT_AT(xt_helper_info, name), XT_INV(xt_helper_info, invert, 1),
	  .always = true },
	XT_END,
};

static void helper_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_helper_info *h = xt_data(xt_helper_info, x);
	struct xt_low in = { .a = l->a, .family = l->family };
	char name[16] = "";

	if (!h->name[0]) {
		l->why = "any helper of the connection decides";
		return;
	}
	memcpy(name, h->name, strnlen(h->name, sizeof(name) - 1));
	in.tail = &in.head;
	low_match(h->invert ? &in : l, false, expr_ct(l->a, NFT_CT_HELPER, -1),
		  expr_bytes(l->a, DT_STRING, ORDER_HOST, name, 128));
	if (h->invert) /* true where there is no helper at all (xt_helper.c, helper_mt()) */
		low_not(l, &in);
}

const struct xt_codec xt_match_helper_v0 = {
	.name = "helper", .size = sizeof(struct xt_helper_info), .opts = helper_opts, .lower = helper_lower,
};
