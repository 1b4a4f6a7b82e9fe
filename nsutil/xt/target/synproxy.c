/* SPDX-License-Identifier: GPL-2.0-or-later */
/* synproxy - -j SYNPROXY: answer a SYN in the server's place */
#include <linux/netfilter/xt_SYNPROXY.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt synproxy_opts[] = {
	{ "sack-perm", NULL, &xt_flag, XT_SET(xt_synproxy_info, options, XT_SYNPROXY_OPT_SACK_PERM) },
	{ "timestamp", NULL, &xt_flag, XT_SET(xt_synproxy_info, options, XT_SYNPROXY_OPT_TIMESTAMP) },
	{ "wscale", NULL, &xt_uint, XT_AT(xt_synproxy_info, wscale),
	  XT_SET(xt_synproxy_info, options, XT_SYNPROXY_OPT_WSCALE) },
	{ "mss", NULL, &xt_uint, XT_AT(xt_synproxy_info, mss),
	  XT_SET(xt_synproxy_info, options, XT_SYNPROXY_OPT_MSS) },
	{ "ecn", NULL, &xt_flag, XT_SET(xt_synproxy_info, options, XT_SYNPROXY_OPT_ECN) },
	XT_END,
};

static void synproxy_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_synproxy_info *p = xt_data(xt_synproxy_info, x);
	struct stmt *s = stmt_new(l->a, STMT_SYNPROXY);

	if (s)
		s->synproxy = (struct stmt_synproxy){ .mss = p->mss, .wscale = p->wscale, .flags = p->options };
	low_add(l, s);
}

const struct xt_codec xt_target_SYNPROXY_v0 = {
	.name = "SYNPROXY", .target = true, .size = sizeof(struct xt_synproxy_info), .opts = synproxy_opts,
	.lower = synproxy_lower,
};
