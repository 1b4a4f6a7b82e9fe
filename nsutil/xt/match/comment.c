/* SPDX-License-Identifier: GPL-2.0-or-later */
/* comment - -m comment: text that decides nothing */
#include <linux/netfilter/xt_comment.h>

#include "nsutil/xt/type.h"

static const struct xt_opt comment_opts[] = {
	{ "comment", NULL, &xt_string, XT_AT(xt_comment_info, comment), .always = true },
	XT_END,
};

const struct xt_codec xt_match_comment_v0 = {
	.name = "comment", .size = sizeof(struct xt_comment_info), .opts = comment_opts, .effectless = true,
};
