/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mark - -m mark, -m connmark */
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

_Static_assert(sizeof(struct xt_mark_mtinfo1) == sizeof(struct xt_connmark_mtinfo1) &&
		       offsetof(struct xt_mark_mtinfo1, invert) == offsetof(struct xt_connmark_mtinfo1, invert),
	       "both have the same structure");

static const struct xt_opt mark_opts[] = {
	{ "mark", NULL, &xt_mark, XT_AT(xt_mark_mtinfo1, mark), XT_AT2(xt_mark_mtinfo1, mask),
	  XT_INV(xt_mark_mtinfo1, invert, 1), .always = true },
	XT_END,
};

static void mark_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_mark_mtinfo1 *m = xt_data(xt_mark_mtinfo1, x);

	low_masked(l, m->invert, low_meta_mark(l->a), m->mark, m->mask);
}

static void connmark_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_mark_mtinfo1 *m = xt_data(xt_mark_mtinfo1, x);

	low_masked(l, m->invert, low_ct_mark(l->a), m->mark, m->mask);
}

const struct xt_codec xt_match_mark_v1 = {
	.name = "mark", .rev = 1, .size = sizeof(struct xt_mark_mtinfo1), .opts = mark_opts,
	.lower = mark_lower,
};

const struct xt_codec xt_match_connmark_v1 = {
	.name = "connmark", .rev = 1, .size = sizeof(struct xt_connmark_mtinfo1), .opts = mark_opts,
	.lower = connmark_lower,
};
