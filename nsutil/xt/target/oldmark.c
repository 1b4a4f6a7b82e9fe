/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oldmark - -j MARK, -j CONNMARK in the revisions of old kernels */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Removed from the kernel in 2.6.35 and 3.x; what an enterprise kernel may still show. */
struct mark_info0 {
	unsigned long mark;
};

struct mark_info1 {
	unsigned long mark;
	uint8_t mode; /* 0 set, 1 and, 2 or */
};

static const struct xt_opt opts0[] = {
	{ "set-mark", NULL, &xt_hex, XT_AT(mark_info0, mark), .always = true },
	XT_END,
};

static const struct xt_opt opts1[] = {
	{ "set-mark", NULL, &xt_hex, XT_AT(mark_info1, mark), XT_MODE(mark_info1, mode, 0xff, 0), .always = true },
	{ "and-mark", NULL, &xt_hex, XT_AT(mark_info1, mark), XT_MODE(mark_info1, mode, 0xff, 1), .always = true },
	{ "or-mark", NULL, &xt_hex, XT_AT(mark_info1, mark), XT_MODE(mark_info1, mode, 0xff, 2), .always = true },
	XT_END,
};

static void lower0(struct xt_low *l, const struct xt_ext *x)
{
	low_set_masked(l, low_meta_mark, 0, (uint32_t)xt_data(mark_info0, x)->mark);
}

static void lower1(struct xt_low *l, const struct xt_ext *x)
{
	const struct mark_info1 *m = xt_data(mark_info1, x);
	uint32_t v = (uint32_t)m->mark;

	if (m->mode == 0)
		low_set_masked(l, low_meta_mark, 0, v);
	else
		low_set_masked(l, low_meta_mark, m->mode == 1 ? v : ~v, m->mode == 1 ? 0 : v);
}

const struct xt_codec xt_target_MARK_v0 = {
	.name = "MARK", .target = true, .goes_on = true, .size = sizeof(struct mark_info0), .opts = opts0,
	.lower = lower0,
};
const struct xt_codec xt_target_MARK_v1 = {
	.name = "MARK", .rev = 1, .target = true, .goes_on = true, .size = sizeof(struct mark_info1),
	.opts = opts1, .lower = lower1,
};
