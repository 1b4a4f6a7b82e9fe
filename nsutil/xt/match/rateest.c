/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rateest - -m rateest: compares what rate estimators measured */
#include <linux/if.h>
#include <linux/netfilter/xt_rateest.h>
#include <stdlib.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void put_rate(struct buf *b, bool bytes, uint32_t rate)
{
	double bits = 8.0 * rate;

	if (!bytes)
		buf_fmt(b, " %u", rate);
	else if (bits >= 1000.0 * 1000000)
		buf_fmt(b, " %.0fMbit", bits / 1000000);
	else if (bits >= 1000.0 * 1000)
		buf_fmt(b, " %.0fKbit", bits / 1000);
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

/* One of the two measures: two estimators are compared with each other, or one with a number; a delta is
 * what is left of the estimator's rate to a number. */
static void put_measure(const struct xt_rateest_match_info *r, struct buf *b, bool bytes)
{
	const char *name = bytes ? "bps" : "pps";
	bool delta = r->flags & XT_RATEEST_MATCH_DELTA;
	uint32_t from = bytes ? r->bps1 : r->pps1, to = bytes ? r->bps2 : r->pps2;

	if (delta) {
		buf_fmt(b, " --rateest-%s1", name);
		put_rate(b, bytes, from);
	}
	put_mode(r, b, "rateest-");
	buf_fmt(b, " --rateest-%s%s", name, delta ? "2" : "");
	if (delta || !(r->flags & XT_RATEEST_MATCH_REL))
		put_rate(b, bytes, to);
}

/* As libxt_rateest.c, rateest_save(): the mode is said with each measure */
static void rateest_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_rateest_match_info *r = xt_data(xt_rateest_match_info, x);
	bool two = r->flags & XT_RATEEST_MATCH_REL;

	if (r->flags & XT_RATEEST_MATCH_DELTA)
		buf_str(b, " --rateest-delta");
	put_name(b, two ? "rateest1" : "rateest", r->name1);
	if (r->flags & XT_RATEEST_MATCH_BPS)
		put_measure(r, b, true);
	if (r->flags & XT_RATEEST_MATCH_PPS)
		put_measure(r, b, false);
	if (two)
		put_name(b, "rateest2", r->name2);
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

/* As tc reads a rate: bits a second, or bytes with "bps"; without a unit bits. In bytes a second */
static int rate_parse(const struct xt_parse *p, const char *text, uint32_t *ret, struct err *e)
{
	static const struct {
		const char *unit;
		double bits;
	} units[] = {
		{ "", 1 }, { "bit", 1 }, { "kibit", 1024. }, { "kbit", 1e3 }, { "mibit", 1048576. }, { "mbit", 1e6 },
		{ "gibit", 1073741824. }, { "gbit", 1e9 }, { "bps", 8 }, { "kibps", 8192. }, { "kbps", 8e3 },
		{ "mibps", 8388608. }, { "mbps", 8e6 }, { "gibps", 8589934592. }, { "gbps", 8e9 },
	};
	char *end;
	double v = strtod(text, &end);

	for (size_t i = 0; end != text && v >= 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(end, units[i].unit) != 0 || v * units[i].bits / 8 > UINT32_MAX)
			continue;
		*ret = (uint32_t)(v * units[i].bits / 8);
		return 0;
	}
	return xt_bad(p, e, "'%.40s' is no rate", text);
}

/* The number may be left out when two estimators are compared. */
static int measure_parse(struct xt_parse *p, bool bytes, bool first, struct err *e)
{
	struct xt_rateest_match_info *r = (struct xt_rateest_match_info *)p->data;
	uint32_t *to = bytes ? (first ? &r->bps1 : &r->bps2) : (first ? &r->pps1 : &r->pps2);
	uint64_t v;

	r->flags |= bytes ? XT_RATEEST_MATCH_BPS : XT_RATEEST_MATCH_PPS;
	if (!p->n_args || p->args[0][0] == '-' || p->args[0][0] == '!')
		return 1;
	p->used = 1;
	if (bytes)
		return rate_parse(p, p->args[0], to, e) < 0 ? -1 : 1;
	if (xt_number(p, p->args[0], 0, UINT32_MAX, &v, e) < 0)
		return -1;
	*to = (uint32_t)v;
	return 1;
}

static int name_parse(struct xt_parse *p, char name[IFNAMSIZ], uint16_t flag, struct err *e)
{
	if (!p->n_args || !p->args[0][0])
		return xt_bad(p, e, "the name of an estimator is needed");
	((struct xt_rateest_match_info *)p->data)->flags |= flag;
	p->used = 1;
	return xt_copy_string(p, p->args[0], name, IFNAMSIZ, e) < 0 ? -1 : 1;
}

static int mode_parse(struct xt_parse *p, uint16_t mode)
{
	struct xt_rateest_match_info *r = (struct xt_rateest_match_info *)p->data;

	r->mode = mode;
	if (p->invert)
		r->flags |= XT_RATEEST_MATCH_INVERT;
	return 1;
}

static int rateest_parse(struct xt_parse *p, struct err *e)
{
	struct xt_rateest_match_info *r = (struct xt_rateest_match_info *)p->data;
	const char *o = p->opt;
	size_t len = strlen(o);

	if (strncmp(o, "rateest", 7) != 0)
		return 0;
	if (strcmp(o, "rateest-eq") == 0)
		return mode_parse(p, XT_RATEEST_MATCH_EQ);
	if (strcmp(o, "rateest-lt") == 0)
		return mode_parse(p, XT_RATEEST_MATCH_LT);
	if (strcmp(o, "rateest-gt") == 0)
		return mode_parse(p, XT_RATEEST_MATCH_GT);
	if (p->invert)
		return xt_bad(p, e, "it cannot be negated");
	if (strcmp(o, "rateest") == 0)
		return name_parse(p, r->name1, XT_RATEEST_MATCH_ABS, e);
	if (strcmp(o, "rateest1") == 0)
		return name_parse(p, r->name1, XT_RATEEST_MATCH_REL, e);
	if (strcmp(o, "rateest2") == 0)
		return name_parse(p, r->name2, XT_RATEEST_MATCH_REL, e);
	if (strcmp(o, "rateest-delta") == 0) {
		r->flags |= XT_RATEEST_MATCH_DELTA;
		return 1;
	}
	if (strncmp(o + 7, "-bps", 4) == 0 || strncmp(o + 7, "-pps", 4) == 0)
		return measure_parse(p, o[8] == 'b', o[len - 1] == '1', e);
	return 0;
}

static int rateest_final(struct xt_parse *p, struct err *e)
{
	const struct xt_rateest_match_info *r = (const struct xt_rateest_match_info *)p->data;

	p->opt = "rateest";
	if (!r->name1[0] || ((r->flags & XT_RATEEST_MATCH_REL) && !r->name2[0]))
		return xt_bad(p, e, "--rateest NAME, or --rateest1 NAME --rateest2 NAME, is needed");
	if (!r->mode || !(r->flags & (XT_RATEEST_MATCH_BPS | XT_RATEEST_MATCH_PPS)))
		return xt_bad(p, e, "--rateest-lt, -gt or -eq, and --rateest-bps or -pps, are needed");
	return 0;
}

const struct xt_codec xt_match_rateest_v0 = {
	.name = "rateest", .size = sizeof(struct xt_rateest_match_info), .save = rateest_save,
	.json = rateest_json, .parse = rateest_parse, .final = rateest_final, .unknown = "what rate estimators measured decides",
};
