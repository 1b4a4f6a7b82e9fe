/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checksum - -j CHECKSUM: fill in a checksum that was left to the hardware */
#include <linux/netfilter/xt_CHECKSUM.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt checksum_opts[] = {
	{ "checksum-fill", NULL, &xt_flag, XT_SET(xt_CHECKSUM_info, operation, XT_CHECKSUM_OP_FILL) },
	XT_END,
};

const struct xt_codec xt_target_CHECKSUM_v0 = {
	.name = "CHECKSUM", .target = true, .effectless = true, .goes_on = true,
	.size = sizeof(struct xt_CHECKSUM_info), .opts = checksum_opts,
};
