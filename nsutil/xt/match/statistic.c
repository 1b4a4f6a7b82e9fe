/* SPDX-License-Identifier: GPL-2.0-or-later */
/* statistic - -m statistic: every n-th packet, or at random */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_statistic.h>
#include <stdlib.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#define ONE 0x80000000u /* probability 1 */

static const struct xt_word modes[] = {
	{ "random", XT_STATISTIC_MODE_RANDOM }, { "nth", XT_STATISTIC_MODE_NTH }, { NULL, 0 },
};

static void prob_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " %.11f", (double)xt_load(x->data, o->off, 4) / ONE);
}

static void prob_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_double(j, key, (double)xt_load(x->data, o->off, 4) / ONE);
}

static int prob_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	char *end;
	double v = strtod(p->args[0], &end);

	if (end == p->args[0] || *end || !(v >= 0 && v <= 1))
		return xt_bad(p, e, "'%s' is not between 0 and 1", p->args[0]);
	xt_store(p->data, o->off, 4, (uint64_t)(v * ONE + 0.5));
	return 0;
}

static const struct xt_type probability = { 1, NULL, prob_save, prob_json, prob_parse, NULL };

/* The kernel counts from 0 to every - 1. */
static void every_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " %u", (uint32_t)xt_load(x->data, o->off, 4) + 1);
}

static void every_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_uint(j, key, (uint32_t)xt_load(x->data, o->off, 4) + 1);
}

static int every_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t v;

	if (xt_number(p, p->args[0], 1, UINT32_MAX, &v, e) < 0)
		return -1;
	xt_store(p->data, o->off, 4, v - 1);
	return 0;
}

static const struct xt_type every = { 1, NULL, every_save, every_json, every_parse, NULL };

#define IN_MODE(m) XT_MODE(xt_statistic_info, mode, 0xffff, XT_STATISTIC_MODE_##m)

static const struct xt_opt statistic_opts[] = {
	{ "mode", NULL, &xt_enum, XT_AT(xt_statistic_info, mode), .list = modes, .always = true },
	{ "probability", NULL, &probability, XT_AT(xt_statistic_info, u.random.probability), IN_MODE(RANDOM),
	  XT_INV(xt_statistic_info, flags, XT_STATISTIC_INVERT) },
	{ "every", NULL, &every, XT_AT(xt_statistic_info, u.nth.every), IN_MODE(NTH),
	  XT_INV(xt_statistic_info, flags, XT_STATISTIC_INVERT) },
	{ "packet", NULL, &xt_uint, XT_AT(xt_statistic_info, u.nth.packet), IN_MODE(NTH), .always = true },
	XT_END,
};

/* iptables prints "! --every" once; --packet has no negation of its own, which the table sees to. */
static void statistic_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_statistic_info *s = xt_data(xt_statistic_info, x);
	bool invert = s->flags & XT_STATISTIC_INVERT;
	struct expr *n;

	if (s->mode != XT_STATISTIC_MODE_NTH) {
		n = expr_binop(l->a, BINOP_AND, expr_meta(l->a, NFT_META_PRANDOM), expr_be32(l->a, DT_INTEGER, ONE - 1));
		low_cmp(l, invert ? OP_GE : OP_LT, n, expr_be32(l->a, DT_INTEGER, s->u.random.probability));
		return;
	}
	n = expr_new(l->a, EXPR_NUMGEN, DT_INTEGER, ORDER_HOST, 32);
	if (n) {
		n->numgen.type = NFT_NG_INCREMENTAL;
		n->numgen.modulus = s->u.nth.every + 1;
	}
	low_match(l, invert, n, expr_u32(l->a, DT_INTEGER, s->u.nth.packet));
}

const struct xt_codec xt_match_statistic_v0 = {
	.name = "statistic", .size = sizeof(struct xt_statistic_info), .opts = statistic_opts,
	.lower = statistic_lower,
};
