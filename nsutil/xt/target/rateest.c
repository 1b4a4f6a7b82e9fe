/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rateest - -j RATEEST: feeds a rate estimator */
#include <linux/if.h>
#include <linux/netfilter/xt_RATEEST.h>
#include <stdlib.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void put_us(struct buf *b, unsigned us)
{
	if (us >= 1000000)
		buf_fmt(b, " %.1fs", us / 1e6);
	else if (us >= 1000)
		buf_fmt(b, " %.1fms", us / 1e3);
	else
		buf_fmt(b, " %uus", us);
}

/* The interval is a power of two of a second, in quarters: 250 ms << (interval + 2), as gen_estimator has it. */
static unsigned interval_us(const struct xt_rateest_target_info *r)
{
	int shift = r->interval + 2;

	return shift >= 0 && shift < 12 ? 250000u << shift : 0;
}

/* A number with s, ms or us behind it, in microseconds */
static int time_parse(const struct xt_parse *p, double *ret, struct err *e)
{
	static const struct {
		const char *unit;
		double us;
	} units[] = { { "s", 1e6 }, { "sec", 1e6 }, { "secs", 1e6 }, { "ms", 1e3 }, { "msec", 1e3 }, { "msecs", 1e3 },
		      { "us", 1 }, { "usec", 1 }, { "usecs", 1 }, { "", 1 } };
	char *end;

	*ret = strtod(p->args[0], &end);
	if (end == p->args[0] || !(*ret >= 0 && *ret < 4e9))
		return xt_bad(p, e, "'%.40s' is no time", p->args[0]);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(end, units[i].unit) == 0) {
			*ret *= units[i].us;
			return 0;
		}
	}
	return xt_bad(p, e, "'%.40s' is not s, ms or us", end);
}

/* The times that are asked for wait in the place of the kernel's pointer: both are needed for either. */
struct asked {
	float interval, ewma;
};

static int asked_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct asked *asked = (struct asked *)(p->data + o->off);
	double us;

	if (time_parse(p, &us, e) < 0)
		return -1;
	*(o->min ? &asked->interval : &asked->ewma) = (float)us;
	return 0;
}

/* The least step that is as long as asked for: a quarter of a second, and five doublings of it */
static int step_of(double us)
{
	int step = 0;

	while (step <= 5 && us > (1 << step) * 250000.0)
		step++;
	return step;
}

/* -ln(1 - 2^-k), by its series: libm would be loaded at every start for this alone */
static double decay(unsigned k)
{
	double x = 1.0 / (double)(UINT64_C(1) << k), power = x, sum = 0;

	for (unsigned n = 1; n < 64; n++, power *= x)
		sum += power / n;
	return sum;
}

/* As RATEEST_final() of iptables: the weight whose time constant is the longest within what is asked for */
static unsigned weight_of(double interval, double us)
{
	unsigned log2 = 1;

	while (log2 < 32 && interval / decay(log2) <= us)
		log2++;
	return log2 - 1;
}

static int rateest_final(struct xt_parse *p, struct err *e)
{
	struct xt_rateest_target_info *r = (struct xt_rateest_target_info *)p->data;
	struct asked asked;
	int step;

	memcpy(&asked, &r->est, sizeof(asked));
	r->est = NULL;
	if (!r->name[0])
		return xt_bad(p, e, "a name is needed");
	step = step_of(asked.interval);
	p->opt = "rateest-interval";
	if (asked.interval <= 0 || step > 5)
		return xt_bad(p, e, "a time of up to 8 s is needed");
	r->interval = (int8_t)(step - 2);
	r->ewma_log = (uint8_t)weight_of(asked.interval, asked.ewma);
	p->opt = "rateest-ewmalog";
	return r->ewma_log && r->ewma_log < 31 ? 0 : xt_bad(p, e, "a longer time than the interval is needed");
}

static void asked_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const struct xt_rateest_target_info *r = xt_data(xt_rateest_target_info, x);
	unsigned us = interval_us(r);

	put_us(b, o->min ? us : r->ewma_log < 12 ? us << r->ewma_log : 0);
}

static void asked_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const struct xt_rateest_target_info *r = xt_data(xt_rateest_target_info, x);
	unsigned us = interval_us(r);

	(void)key;
	json_uint(j, o->min ? "rateest-interval-us" : "rateest-ewmalog-us", o->min ? us : r->ewma_log < 12 ? us << r->ewma_log : 0);
}

static const struct xt_type asked_type = { 1, NULL, asked_save, asked_json, asked_parse, NULL };

static const struct xt_opt opts[] = {
	{ "rateest-name", NULL, &xt_name, XT_AT(xt_rateest_target_info, name), .min = 1, .always = true },
	{ "rateest-interval", NULL, &asked_type, XT_AT(xt_rateest_target_info, est), .min = 1 },
	{ "rateest-ewmalog", NULL, &asked_type, XT_AT(xt_rateest_target_info, est) },
	XT_END,
};

const struct xt_codec xt_target_RATEEST_v0 = {
	.name = "RATEEST", .target = true, .effectless = true, .goes_on = true,
	.size = sizeof(struct xt_rateest_target_info), .opts = opts, .final = rateest_final,
};
