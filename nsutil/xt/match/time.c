/* SPDX-License-Identifier: GPL-2.0-or-later */
/* time - -m time: date, time of day, days of week and month */
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_time.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const char *const weekdays[] = { NULL, "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

static void put_date(struct buf *b, const char *option, uint32_t seconds)
{
	time_t t = (time_t)seconds;
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_fmt(b, " --%s %s", option, text);
}

static void put_clock(struct buf *b, const char *option, uint32_t seconds)
{
	buf_fmt(b, " --%s %02u:%02u:%02u", option, seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static void put_days(struct buf *b, uint32_t bits, unsigned most, bool names)
{
	const char *sep = "";

	buf_chr(b, ' ');
	for (unsigned i = 1; i <= most; i++) {
		if (!(bits >> i & 1))
			continue;
		buf_str(b, sep);
		if (names)
			buf_str(b, weekdays[i]);
		else
			buf_uint(b, i);
		sep = ",";
	}
}

/* As libxt_time.c, time_save(): what has its default is left out, but for the end of the era. */
static void time_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_time_info *t = xt_data(xt_time_info, x);

	if (t->daytime_start != XT_TIME_MIN_DAYTIME || t->daytime_stop != XT_TIME_MAX_DAYTIME) {
		put_clock(b, "timestart", t->daytime_start);
		put_clock(b, "timestop", t->daytime_stop);
	}
	if (t->monthdays_match != XT_TIME_ALL_MONTHDAYS) {
		buf_str(b, " --monthdays");
		put_days(b, t->monthdays_match, 31, false);
	}
	if (t->weekdays_match != XT_TIME_ALL_WEEKDAYS) {
		buf_str(b, " --weekdays");
		put_days(b, t->weekdays_match, 7, true);
	}
	/* libxt_time.c prints neither the first second nor the last one of either */
	if (t->date_start != 0 && t->date_start != UINT32_MAX)
		put_date(b, "datestart", t->date_start);
	if (t->date_stop != 0 && t->date_stop != UINT32_MAX)
		put_date(b, "datestop", t->date_stop);
	if (t->flags & XT_TIME_LOCAL_TZ)
		buf_str(b, " --kerneltz");
	if (t->flags & XT_TIME_CONTIGUOUS)
		buf_str(b, " --contiguous");
}

static void json_days(struct json *j, const char *key, uint32_t bits, unsigned most)
{
	json_begin_array(j, key);
	for (unsigned i = 1; i <= most; i++)
		if (bits >> i & 1)
			json_uint(j, NULL, i);
	json_end_array(j);
}

static void time_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_time_info *t = xt_data(xt_time_info, x);

	json_uint(j, "timestart", t->daytime_start);
	json_uint(j, "timestop", t->daytime_stop);
	json_uint(j, "datestart", t->date_start);
	json_uint(j, "datestop", t->date_stop);
	json_days(j, "monthdays", t->monthdays_match, 31);
	json_days(j, "weekdays", t->weekdays_match, 7);
	json_bool(j, "kerneltz", t->flags & XT_TIME_LOCAL_TZ);
	json_bool(j, "contiguous", t->flags & XT_TIME_CONTIGUOUS);
}

static void time_init(uint8_t *data, uint8_t family)
{
	(void)family;
	*(struct xt_time_info *)data = (struct xt_time_info){
		.monthdays_match = XT_TIME_ALL_MONTHDAYS, .weekdays_match = XT_TIME_ALL_WEEKDAYS,
		.daytime_stop = XT_TIME_MAX_DAYTIME, .date_stop = INT32_MAX,
	};
}

static int clock_parse(struct xt_parse *p, uint32_t *ret, struct err *e)
{
	unsigned h, m, s = 0;
	int end = 0;

	if (sscanf(p->args[0], "%2u:%2u%n:%2u%n", &h, &m, &end, &s, &end) < 2 || p->args[0][end] || h > 23 ||
	    m > 59 || s > 59)
		return xt_bad(p, e, "'%s' is not HH:MM[:SS]", p->args[0]);
	*ret = h * 3600 + m * 60 + s;
	return 0;
}

static int date_parse(struct xt_parse *p, uint32_t *ret, struct err *e)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y-%m-%d",
					     "%Y-%m", "%Y" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = { .tm_mday = 1 };
		const char *end = strptime(p->args[0], forms[i], &tm);
		time_t t = end && !*end ? timegm(&tm) : -1;

		if (t < 0 || t > UINT32_MAX)
			continue;
		*ret = (uint32_t)t;
		return 0;
	}
	return xt_bad(p, e, "'%s' is not YYYY[-MM[-DD[Thh[:mm[:ss]]]]]", p->args[0]);
}

static int one_day(struct xt_parse *p, const char *s, size_t len, bool names, uint32_t *bits, struct err *e)
{
	unsigned v = 0;

	for (unsigned i = 1; names && i <= 7; i++)
		if (len >= 2 && strncasecmp(s, weekdays[i], len < 3 ? len : 3) == 0)
			v = i;
	for (size_t i = 0; !v && i < len && i < 3; i++) {
		if (s[i] < '0' || s[i] > '9')
			break;
		v = (unsigned)atoi(s);
	}
	if (v < 1 || v > (names ? 7 : 31))
		return xt_bad(p, e, "'%.*s' is no day", (int)len, s);
	*bits |= 1u << v;
	return 0;
}

static int days_parse(struct xt_parse *p, bool names, uint32_t *ret, struct err *e)
{
	uint32_t bits = 0;

	for (const char *s = p->args[0];; s++) {
		size_t len = strcspn(s, ",");

		if (one_day(p, s, len, names, &bits, e) < 0)
			return -1;
		s += len;
		if (!*s)
			break;
	}
	if (p->invert)
		bits = ~bits & (names ? XT_TIME_ALL_WEEKDAYS : XT_TIME_ALL_MONTHDAYS);
	*ret = bits;
	return 0;
}

static int time_parse(struct xt_parse *p, struct err *e)
{
	struct xt_time_info *t = (struct xt_time_info *)p->data;
	uint32_t week = t->weekdays_match;
	int r;

	if (strcmp(p->opt, "kerneltz") == 0 || strcmp(p->opt, "contiguous") == 0) {
		t->flags |= p->opt[0] == 'k' ? XT_TIME_LOCAL_TZ : XT_TIME_CONTIGUOUS;
		return 1;
	}
	if (!p->n_args)
		return 0;
	if (strcmp(p->opt, "timestart") == 0)
		r = clock_parse(p, &t->daytime_start, e);
	else if (strcmp(p->opt, "timestop") == 0)
		r = clock_parse(p, &t->daytime_stop, e);
	else if (strcmp(p->opt, "datestart") == 0)
		r = date_parse(p, &t->date_start, e);
	else if (strcmp(p->opt, "datestop") == 0)
		r = date_parse(p, &t->date_stop, e);
	else if (strcmp(p->opt, "monthdays") == 0)
		r = days_parse(p, false, &t->monthdays_match, e);
	else if (strcmp(p->opt, "weekdays") == 0)
		r = days_parse(p, true, &week, e);
	else
		return 0;
	t->weekdays_match = (uint8_t)week;
	p->used = 1;
	return r < 0 ? -1 : 1;
}

static void lower_dates(struct xt_low *l, const struct xt_time_info *t)
{
	uint64_t from = t->date_start * UINT64_C(1000000000), to = t->date_stop * UINT64_C(1000000000);

	low_match(l, false, expr_meta(l->a, NFT_META_TIME_NS),
		  expr_range(l->a, expr_bytes(l->a, DT_DATE, ORDER_HOST, &from, 64),
			     expr_bytes(l->a, DT_DATE, ORDER_HOST, &to, 64)));
}

/* Sunday is day 0 there and 7 here. */
static void lower_weekdays(struct xt_low *l, uint8_t bits)
{
	struct expr *key = NULL;
	struct set *set = __builtin_popcount(bits) == 1 ? NULL : low_anon_set(l, 7, DT_DAY, 8);

	for (unsigned day = 0; day < 7; day++) {
		if (!(bits & 1u << (day ? day : 7)))
			continue;
		key = expr_u8(l->a, DT_DAY, (uint8_t)day);
		if (set)
			low_anon_add(l, set, key);
	}
	low_match(l, false, expr_meta(l->a, NFT_META_TIME_DAY), set ? expr_setref(l->a, set) : key);
}

/*
 * As iptables-translate has it: the time zone is passed over. A span past midnight is what is not between its
 * ends; with --contiguous it would belong to the day on which it began, which has no native form.
 */
static void time_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_time_info *t = xt_data(xt_time_info, x);
	bool past_midnight = t->daytime_start > t->daytime_stop;
	bool days = (t->weekdays_match & XT_TIME_ALL_WEEKDAYS) != XT_TIME_ALL_WEEKDAYS;

	if (t->monthdays_match != XT_TIME_ALL_MONTHDAYS || !(t->weekdays_match & XT_TIME_ALL_WEEKDAYS) ||
	    (days && past_midnight && t->flags & XT_TIME_CONTIGUOUS)) {
		l->why = "the date decides";
		return;
	}
	if (t->date_start != 0 || t->date_stop != INT_MAX)
		lower_dates(l, t);
	if (t->daytime_start != XT_TIME_MIN_DAYTIME || t->daytime_stop != XT_TIME_MAX_DAYTIME)
		low_u32(l, past_midnight, expr_meta(l->a, NFT_META_TIME_HOUR), DT_HOUR,
			past_midnight ? t->daytime_stop : t->daytime_start,
			past_midnight ? t->daytime_start : t->daytime_stop);
	if (days)
		lower_weekdays(l, t->weekdays_match);
}

const struct xt_codec xt_match_time_v0 = {
	.name = "time", .size = sizeof(struct xt_time_info), .save = time_save, .json = time_json,
	.init = time_init, .parse = time_parse, .lower = time_lower,
};
