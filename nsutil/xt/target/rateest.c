/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rateest - -j RATEEST: feeds a rate estimator */
#include <linux/if.h>
#include <linux/netfilter/xt_RATEEST.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void put_us(struct buf *b, const char *option, unsigned us)
{
	if (us >= 1000000)
		buf_fmt(b, " --%s %.1fs", option, us / 1e6);
	else if (us >= 1000)
		buf_fmt(b, " --%s %.1fms", option, us / 1e3);
	else
		buf_fmt(b, " --%s %uus", option, us);
}

/* The interval is a power of two of a second, in quarters: 250 ms << (interval + 2), as gen_estimator has it. */
static unsigned interval_us(const struct xt_rateest_target_info *r)
{
	int shift = r->interval + 2;

	return shift >= 0 && shift < 12 ? 250000u << shift : 0;
}

static void rateest_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_rateest_target_info *r = xt_data(xt_rateest_target_info, x);
	unsigned us = interval_us(r);

	buf_fmt(b, " --rateest-name %.*s", (int)strnlen(r->name, IFNAMSIZ), r->name);
	put_us(b, "rateest-interval", us);
	put_us(b, "rateest-ewmalog", r->ewma_log < 12 ? us << r->ewma_log : 0);
}

static void rateest_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_rateest_target_info *r = xt_data(xt_rateest_target_info, x);
	unsigned us = interval_us(r);

	json_strn(j, "rateest-name", r->name, strnlen(r->name, IFNAMSIZ));
	json_uint(j, "rateest-interval-us", us);
	json_uint(j, "rateest-ewmalog-us", r->ewma_log < 12 ? us << r->ewma_log : 0);
}

const struct xt_codec xt_target_RATEEST_v0 = {
	.name = "RATEEST", .target = true, .effectless = true, .goes_on = true,
	.size = sizeof(struct xt_rateest_target_info), .save = rateest_save, .json = rateest_json,
};
