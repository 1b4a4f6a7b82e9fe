/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limit - -m limit: a token bucket */
#include <linux/netfilter/xt_limit.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#define DEFAULT_RATE  (3600u * XT_LIMIT_SCALE / 3) /* 3/hour */
#define DEFAULT_BURST 5

/* Units by their length in the kernel's ten-thousandths of a second. */
static const struct {
	const char *name;
	uint32_t mult;
	uint32_t seconds;
} units[] = {
	{ "day", XT_LIMIT_SCALE * 24 * 60 * 60, 86400 },
	{ "hour", XT_LIMIT_SCALE * 60 * 60, 3600 },
	{ "min", XT_LIMIT_SCALE * 60, 60 },
	{ "sec", XT_LIMIT_SCALE, 1 },
};

/* The finest unit in which the period is a whole rate, as print_rate() of iptables chooses. */
static unsigned unit_of(uint32_t period)
{
	unsigned i;

	for (i = 1; i < ARRAY_SIZE(units); i++)
		if (period > units[i].mult || units[i].mult / period < units[i].mult % period)
			break;
	return i - 1;
}

static void rate_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	uint32_t period = xt_data(xt_rateinfo, x)->avg;
	unsigned u;

	(void)o;
	if (period == 0) {
		buf_str(b, " 0/sec");
		return;
	}
	u = unit_of(period);
	buf_fmt(b, " %u/%s", units[u].mult / period, units[u].name);
}

static void rate_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	uint32_t period = xt_data(xt_rateinfo, x)->avg;
	unsigned u = period ? unit_of(period) : 0;

	(void)o;
	json_begin_object(j, key);
	json_uint(j, "rate", period ? units[u].mult / period : 0);
	json_str(j, "per", units[u].name);
	json_end_object(j);
}

/* "RATE[/UNIT]"; any beginning of the unit's name will do */
static int rate_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	static const char *const names[] = { "day", "hour", "minute", "second" };
	struct xt_rateinfo *info = (struct xt_rateinfo *)p->data;
	uint32_t mult = XT_LIMIT_SCALE;
	const char *rest;
	uint64_t rate;

	(void)o;
	if (xt_number_upto(p, p->args[0], "/", UINT32_MAX, &rate, &rest, e) < 0)
		return -1;
	if (*rest == '/') {
		unsigned i = 0;

		rest++;
		while (i < ARRAY_SIZE(names) && (!*rest || strncasecmp(rest, names[i], strlen(rest)) != 0))
			i++;
		if (i == ARRAY_SIZE(names))
			return xt_bad(p, e, "'%s' is not second, minute, hour or day", rest);
		mult = units[i].mult;
	}
	if (rate == 0 || rate > mult)
		return xt_bad(p, e, "a rate of '%s' is out of range", p->args[0]);
	info->avg = mult / (uint32_t)rate;
	return 0;
}

static void limit_init(uint8_t *data, uint8_t family)
{
	(void)family;
	((struct xt_rateinfo *)data)->avg = DEFAULT_RATE;
}

static const struct xt_type rate = { 1, NULL, rate_save, rate_json, rate_parse, NULL };

static const struct xt_opt limit_opts[] = {
	{ "limit", NULL, &rate, XT_AT(xt_rateinfo, avg), .always = true },
	{ "limit-burst", NULL, &xt_uint, XT_AT(xt_rateinfo, burst), .max = 10000, .dflt = DEFAULT_BURST },
	XT_END,
};

static void limit_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_rateinfo *info = xt_data(xt_rateinfo, x);
	struct stmt *s;
	unsigned u;

	if (info->avg == 0) {
		l->why = "its rate is not valid";
		return;
	}
	u = unit_of(info->avg);
	s = stmt_new(l->a, STMT_LIMIT);
	if (s)
		s->limit = (struct stmt_limit){ .rate = units[u].mult / info->avg, .unit_secs = units[u].seconds,
						.burst = info->burst };
	low_add(l, s);
}

const struct xt_codec xt_match_limit_v0 = {
	.name = "limit", .size = sizeof(struct xt_rateinfo), .opts = limit_opts, .init = limit_init,
	.lower = limit_lower,
};
