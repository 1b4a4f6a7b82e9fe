/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ttl - -m ttl, -m hl: time to live, hop limit */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <linux/netfilter_ipv6/ip6t_hl.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

_Static_assert(sizeof(struct ipt_ttl_info) == sizeof(struct ip6t_hl_info) && (int)IPT_TTL_GT == (int)IP6T_HL_GT,
	       "both have the same structure");

static const char *prefix(bool v6)
{
	return v6 ? "hl" : "ttl";
}

static void ttl_save(const struct xt_ext *x, struct buf *b)
{
	static const char *const ops[] = { "eq", "eq", "lt", "gt" };
	const struct ipt_ttl_info *t = xt_data(ipt_ttl_info, x);

	buf_fmt(b, "%s --%s-%s %u", t->mode == IPT_TTL_NE ? " !" : "", prefix(x->family == NFPROTO_IPV6),
		ops[t->mode & 3], t->ttl);
}

static void ttl_json(const struct xt_ext *x, struct json *j)
{
	static const char *const ops[] = { "==", "!=", "<", ">" };
	const struct ipt_ttl_info *t = xt_data(ipt_ttl_info, x);

	json_str(j, "op", ops[t->mode & 3]);
	json_uint(j, prefix(x->family == NFPROTO_IPV6), t->ttl);
}

/* ttl-eq, ttl-lt, ttl-gt; hl-eq ... */
static int ttl_parse(struct xt_parse *p, struct err *e)
{
	const char *name = prefix(p->family == NFPROTO_IPV6), *op;
	struct ipt_ttl_info *t = (struct ipt_ttl_info *)p->data;
	uint64_t v;

	if (strncmp(p->opt, name, strlen(name)) != 0 || p->opt[strlen(name)] != '-')
		return 0;
	op = p->opt + strlen(name) + 1;
	if (strcmp(op, "eq") == 0)
		t->mode = p->invert ? IPT_TTL_NE : IPT_TTL_EQ;
	else if (strcmp(op, "lt") == 0 && !p->invert)
		t->mode = IPT_TTL_LT;
	else if (strcmp(op, "gt") == 0 && !p->invert)
		t->mode = IPT_TTL_GT;
	else
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs a number");
	if (xt_number(p, p->args[0], 0, 255, &v, e) < 0)
		return -1;
	t->ttl = (uint8_t)v;
	p->used = 1;
	return 1;
}

static void ttl_lower(struct xt_low *l, const struct xt_ext *x)
{
	static const enum match_op ops[] = { OP_EQ, OP_NE, OP_LT, OP_GT };
	const struct ipt_ttl_info *t = xt_data(ipt_ttl_info, x);
	bool v6 = l->family == NFPROTO_IPV6;

	low_cmp(l, ops[t->mode & 3], expr_field(l->a, v6 ? "ip6" : "ip", v6 ? "hoplimit" : "ttl"),
		expr_u8(l->a, DT_INTEGER, t->ttl));
}

const struct xt_codec xt_match_ttl_v0 = {
	.name = "ttl", .family = NFPROTO_IPV4, .size = sizeof(struct ipt_ttl_info), .save = ttl_save,
	.json = ttl_json, .parse = ttl_parse, .lower = ttl_lower,
};

const struct xt_codec xt_match_hl_v0 = {
	.name = "hl", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_hl_info), .save = ttl_save,
	.json = ttl_json, .parse = ttl_parse, .lower = ttl_lower,
};
