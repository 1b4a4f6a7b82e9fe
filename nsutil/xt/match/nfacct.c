/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfacct - -m nfacct: counts the packet in an accounting object */
#include <linux/netfilter/nfnetlink_acct.h>
#include <linux/netfilter/xt_nfacct.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Two blanks: iptables prints the option with one behind it and the name with one before it. */
static void nfacct_save(const struct xt_ext *x, struct buf *b)
{
	const char *name = xt_data(xt_nfacct_match_info, x)->name;

	buf_str(b, " --nfacct-name ");
	xt_save_string(name, NFACCT_NAME_MAX, b);
}

static const struct xt_opt nfacct_opts[] = {
	{ "nfacct-name", NULL, &xt_name, XT_AT(xt_nfacct_match_info, name), .min = 1, .always = true },
	XT_END,
};

const struct xt_codec xt_match_nfacct_v0 = {
	.name = "nfacct", .size = sizeof(struct xt_nfacct_match_info), .opts = nfacct_opts,
	.save = nfacct_save, .effectless = true,
};

const struct xt_codec xt_match_nfacct_v1 = {
	.name = "nfacct", .rev = 1, .size = sizeof(struct xt_nfacct_match_info_v1), .opts = nfacct_opts,
	.save = nfacct_save, .effectless = true,
};
