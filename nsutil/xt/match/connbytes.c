/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connbytes - -m connbytes: how much a connection has carried */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_connbytes.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word modes[] = {
	{ "packets", XT_CONNBYTES_PKTS }, { "bytes", XT_CONNBYTES_BYTES }, { "avgpkt", XT_CONNBYTES_AVGPKT },
	{ NULL, 0 },
};

static const struct xt_word dirs[] = {
	{ "original", XT_CONNBYTES_DIR_ORIGINAL }, { "reply", XT_CONNBYTES_DIR_REPLY },
	{ "both", XT_CONNBYTES_DIR_BOTH }, { NULL, 0 },
};

/* Negation is kept as a range whose ends are exchanged. */
static bool inverted(const struct xt_connbytes_info *c)
{
	return c->count.from > c->count.to;
}

static void connbytes_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_connbytes_info *c = xt_data(xt_connbytes_info, x);
	const char *mode = xt_word_name(modes, c->what), *dir = xt_word_name(dirs, c->direction);
	uint64_t from = inverted(c) ? c->count.to : c->count.from;
	uint64_t to = inverted(c) ? c->count.from : c->count.to;

	buf_fmt(b, "%s --connbytes %llu", inverted(c) ? " !" : "", (unsigned long long)from);
	if (to && to < UINT64_MAX)
		buf_fmt(b, ":%llu", (unsigned long long)to);
	buf_fmt(b, " --connbytes-mode %s --connbytes-dir %s", mode ? mode : "unknown", dir ? dir : "unknown");
}

static void connbytes_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_connbytes_info *c = xt_data(xt_connbytes_info, x);

	json_begin_object(j, "connbytes");
	json_uint(j, "from", inverted(c) ? c->count.to : c->count.from);
	json_uint(j, "to", inverted(c) ? c->count.from : c->count.to);
	json_bool(j, "invert", inverted(c));
	json_end_object(j);
	json_str(j, "connbytes-mode", xt_word_name(modes, c->what));
	json_str(j, "connbytes-dir", xt_word_name(dirs, c->direction));
}

/* As xt_connbytes.c, connbytes_mt(): in both directions the sum, or the average over both. */
static void connbytes_lower(struct xt_low *l, const struct xt_ext *x)
{
	static const uint32_t keys[] = { NFT_CT_PKTS, NFT_CT_BYTES, NFT_CT_AVGPKT };
	const struct xt_connbytes_info *c = xt_data(xt_connbytes_info, x);
	uint64_t from = inverted(c) ? c->count.to : c->count.from, to = inverted(c) ? c->count.from : c->count.to;
	struct expr *left, *low = expr_bytes(l->a, DT_INTEGER, ORDER_HOST, &from, 64);

	if (c->what >= ARRAY_SIZE(keys) || c->direction > XT_CONNBYTES_DIR_BOTH) {
		l->why = "what the connection has carried so far decides";
		return;
	}
	left = expr_ct(l->a, keys[c->what], c->direction == XT_CONNBYTES_DIR_BOTH ? -1 : (int)c->direction);
	if (to == UINT64_MAX)
		low_cmp(l, inverted(c) ? OP_LT : OP_GE, left, low);
	else if (from == to)
		low_match(l, false, left, low);
	else
		low_match(l, inverted(c), left, expr_range(l->a, low, expr_bytes(l->a, DT_INTEGER, ORDER_HOST, &to, 64)));
}

static int count_parse(struct xt_parse *p, struct err *e)
{
	struct xt_connbytes_info *c = (struct xt_connbytes_info *)p->data;
	uint64_t from, to = UINT64_MAX;
	const char *rest;

	if (strcmp(p->opt, "connbytes") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs FROM[:TO]");
	if (xt_number_upto(p, p->args[0], ":", UINT64_MAX, &from, &rest, e) < 0)
		return -1;
	if (*rest && rest[1] && xt_number(p, rest + 1, 0, UINT64_MAX, &to, e) < 0)
		return -1;
	if (to < from)
		return xt_bad(p, e, "'%s' ends before it begins", p->args[0]);
	c->count.from = p->invert ? to : from;
	c->count.to = p->invert ? from : to;
	p->used = 1;
	return 1;
}

static const struct xt_opt connbytes_opts[] = {
	{ "connbytes-mode", NULL, &xt_enum, XT_AT(xt_connbytes_info, what), .list = modes, .always = true },
	{ "connbytes-dir", NULL, &xt_enum, XT_AT(xt_connbytes_info, direction), .list = dirs, .always = true },
	XT_END,
};

const struct xt_codec xt_match_connbytes_v0 = {
	.name = "connbytes", .size = sizeof(struct xt_connbytes_info), .opts = connbytes_opts,
	.save = connbytes_save, .json = connbytes_json, .parse = count_parse, .lower = connbytes_lower,
};
