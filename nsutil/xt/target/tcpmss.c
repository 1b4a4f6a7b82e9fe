/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpmss - -j TCPMSS: lower the maximum segment size that a SYN offers */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_TCPMSS.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void tcpmss_save(const struct xt_ext *x, struct buf *b)
{
	unsigned mss = xt_data(xt_tcpmss_info, x)->mss;

	if (mss == XT_TCPMSS_CLAMP_PMTU)
		buf_str(b, " --clamp-mss-to-pmtu");
	else
		buf_fmt(b, " --set-mss %u", mss);
}

static void tcpmss_json(const struct xt_ext *x, struct json *j)
{
	unsigned mss = xt_data(xt_tcpmss_info, x)->mss;

	if (mss == XT_TCPMSS_CLAMP_PMTU)
		json_bool(j, "clamp-mss-to-pmtu", true);
	else
		json_uint(j, "set-mss", mss);
}

static const struct xt_opt tcpmss_opts[] = {
	{ "set-mss", NULL, &xt_uint, XT_AT(xt_tcpmss_info, mss), .max = 65535 - 40 },
	{ "clamp-mss-to-pmtu", NULL, &xt_flag, XT_MODE(xt_tcpmss_info, mss, 0xffff, XT_TCPMSS_CLAMP_PMTU) },
	XT_END,
};

static void tcpmss_lower(struct xt_low *l, const struct xt_ext *x)
{
	unsigned mss = xt_data(xt_tcpmss_info, x)->mss;
	struct expr *v;

	if (mss != XT_TCPMSS_CLAMP_PMTU) {
		low_set(l, low_maxseg(l->a), expr_be16(l->a, DT_INTEGER, (uint16_t)mss));
		return;
	}
	v = expr_new(l->a, EXPR_RT, DT_INTEGER, ORDER_HOST, 16);
	if (v)
		v->rt_key = NFT_RT_TCPMSS;
	low_set(l, low_maxseg(l->a), v);
}

const struct xt_codec xt_target_TCPMSS_v0 = {
	.name = "TCPMSS", .target = true, .goes_on = true, .size = sizeof(struct xt_tcpmss_info),
	.opts = tcpmss_opts, .save = tcpmss_save, .json = tcpmss_json, .lower = tcpmss_lower,
};
