/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rateest - -m rateest: compares what rate estimators measured */
#include <linux/if.h>
#include <linux/netfilter/xt_rateest.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void put_bits(struct buf *b, uint32_t bytes_per_second)
{
	double bits = 8.0 * bytes_per_second;

	if (bits >= 1000000)
		buf_fmt(b, " %.0fKbit", bits / 1000);
	else if (bits >= 1000 * 1000)
		buf_fmt(b, " %.0fMbit", bits / 1000000);
	else
		buf_fmt(b, " %.0fbit", bits);
}

static void put_mode(const struct xt_rateest_match_info *r, struct buf *b, const char *prefix)
{
	static const char *const modes[] = { "", "eq", "lt", "gt" };

	if (r->flags & XT_RATEEST_MATCH_INVERT)
		buf_str(b, " !");
	if (r->mode >= XT_RATEEST_MATCH_EQ && r->mode <= XT_RATEEST_MATCH_GT)
		buf_fmt(b, " --%s%s", prefix, modes[r->mode]);
}

static void put_name(struct buf *b, const char *option, const char *name)
{
	buf_fmt(b, " --%s %.*s", option, (int)strnlen(name, IFNAMSIZ), name);
}

static void put_rates(const struct xt_rateest_match_info *r, struct buf *b, bool first)
{
	uint32_t bps = first ? r->bps1 : r->bps2, pps = first ? r->pps1 : r->pps2;
	const char *n = first ? "1" : "2";

	if (r->flags & XT_RATEEST_MATCH_BPS) {
		buf_fmt(b, " --rateest-bps%s", n);
		put_bits(b, bps);
	}
	if (r->flags & XT_RATEEST_MATCH_PPS)
		buf_fmt(b, " --rateest-pps%s %u", n, pps);
}

/* As libxt_rateest.c, rateest_save(): "absolute" compares with a number, "relative" two estimators. */
static void rateest_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_rateest_match_info *r = xt_data(xt_rateest_match_info, x);
	bool delta = r->flags & XT_RATEEST_MATCH_DELTA;

	if (r->flags & XT_RATEEST_MATCH_REL) {
		if (delta)
			buf_str(b, " --rateest-delta");
		put_name(b, "rateest1", r->name1);
		if (delta)
			put_rates(r, b, true);
		put_mode(r, b, "rateest-");
		if (delta) {
			put_rates(r, b, false);
		} else {
			if (r->flags & XT_RATEEST_MATCH_BPS)
				buf_str(b, " --rateest-bps");
			if (r->flags & XT_RATEEST_MATCH_PPS)
				buf_str(b, " --rateest-pps");
		}
		put_name(b, "rateest2", r->name2);
		return;
	}
	if (delta)
		buf_str(b, " --rateest-delta");
	put_name(b, "rateest", r->name1);
	if (delta)
		put_rates(r, b, true);
	put_mode(r, b, "rateest-");
	if (r->flags & XT_RATEEST_MATCH_BPS) {
		buf_str(b, " --rateest-bps");
		put_bits(b, r->bps2);
	}
	if (r->flags & XT_RATEEST_MATCH_PPS)
		buf_fmt(b, " --rateest-pps %u", r->pps2);
}

static void rateest_json(const struct xt_ext *x, struct json *j)
{
	static const char *const modes[] = { "none", "==", "<", ">" };
	const struct xt_rateest_match_info *r = xt_data(xt_rateest_match_info, x);

	json_strn(j, "rateest1", r->name1, strnlen(r->name1, IFNAMSIZ));
	if (r->flags & XT_RATEEST_MATCH_REL)
		json_strn(j, "rateest2", r->name2, strnlen(r->name2, IFNAMSIZ));
	json_str(j, "op", r->mode < 4 ? modes[r->mode] : NULL);
	json_bool(j, "invert", r->flags & XT_RATEEST_MATCH_INVERT);
	json_bool(j, "rateest-delta", r->flags & XT_RATEEST_MATCH_DELTA);
	json_uint(j, "bytes-per-second1", r->bps1);
	json_uint(j, "bytes-per-second2", r->bps2);
	json_uint(j, "packets-per-second1", r->pps1);
	json_uint(j, "packets-per-second2", r->pps2);
}

const struct xt_codec xt_match_rateest_v0 = {
	.name = "rateest", .size = sizeof(struct xt_rateest_match_info), .save = rateest_save,
	.json = rateest_json, .unknown = "what rate estimators measured decides",
};
