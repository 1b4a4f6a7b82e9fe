/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mac - -m mac: the source address of the frame */
#include <linux/netfilter/xt_mac.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt mac_opts[] = {
	{ "mac-source", NULL, &xt_mac, XT_AT(xt_mac_info, srcaddr), XT_INV(xt_mac_info, invert, 1), .always = true },
	XT_END,
};

static void mac_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_mac_info *m = xt_data(xt_mac_info, x);

	low_match(l, m->invert, expr_field(l->a, "ether", "saddr"),
		  expr_bytes(l->a, DT_ETHER, ORDER_NET, m->srcaddr, 48));
}

const struct xt_codec xt_match_mac_v0 = {
	.name = "mac", .size = sizeof(struct xt_mac_info), .opts = mac_opts, .lower = mac_lower,
};
