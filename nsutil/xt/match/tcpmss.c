/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpmss - -m tcpmss: the maximum segment size option of a SYN */
#include <linux/netfilter/xt_tcpmss.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt tcpmss_opts[] = {
	{ "mss", NULL, &xt_span_colon, XT_AT(xt_tcpmss_match_info, mss_min), XT_AT2(xt_tcpmss_match_info, mss_max),
	  XT_INV(xt_tcpmss_match_info, invert, 1), .always = true },
	XT_END,
};

/* A packet without the option matches when inverted (xt_tcpmss.c, tcpmss_mt()). */
static void tcpmss_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_tcpmss_match_info *m = xt_data(xt_tcpmss_match_info, x);
	struct xt_low in = { .a = l->a, .family = l->family };
	struct expr *mss = expr_be16(l->a, DT_INTEGER, m->mss_min);

	/* All sizes still ask for the option */
	if (m->mss_min != m->mss_max)
		mss = expr_range(l->a, mss, expr_be16(l->a, DT_INTEGER, m->mss_max));
	in.tail = &in.head;
	low_match(m->invert ? &in : l, false, low_maxseg(l->a), mss);
	if (m->invert)
		low_not(l, &in);
}

const struct xt_codec xt_match_tcpmss_v0 = {
	.name = "tcpmss", .size = sizeof(struct xt_tcpmss_match_info), .opts = tcpmss_opts,
	.lower = tcpmss_lower,
};
