/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quota - -m quota: bytes that are left */
#include <linux/netfilter/xt_quota.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt quota_opts[] = {
	{ "quota", NULL, &xt_uint, XT_AT(xt_quota_info, quota), XT_INV(xt_quota_info, flags, XT_QUOTA_INVERT),
	  .always = true },
	XT_END,
};

static void quota_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_quota_info *q = xt_data(xt_quota_info, x);
	struct stmt *s = stmt_new(l->a, STMT_QUOTA);

	if (s)
		s->quota = (struct stmt_quota){ .bytes = q->quota, .over = q->flags & XT_QUOTA_INVERT };
	low_add(l, s);
}

const struct xt_codec xt_match_quota_v0 = {
	.name = "quota", .size = sizeof(struct xt_quota_info), .opts = quota_opts, .lower = quota_lower,
};
