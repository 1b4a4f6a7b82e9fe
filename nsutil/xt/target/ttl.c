/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ttl - -j TTL, -j HL: write the time to live, the hop limit */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ipt_TTL.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* struct ip6t_HL_info has the same members under other names (and its header the same guard). */
static const char *const ops[] = { "set", "inc", "dec" };

static const char *prefix(bool v6)
{
	return v6 ? "hl" : "ttl";
}

static void ttl_save(const struct xt_ext *x, struct buf *b)
{
	const struct ipt_TTL_info *t = xt_data(ipt_TTL_info, x);

	buf_fmt(b, " --%s-%s %u", prefix(x->family == NFPROTO_IPV6), t->mode <= IPT_TTL_DEC ? ops[t->mode] : "?",
		t->ttl);
}

static void ttl_json(const struct xt_ext *x, struct json *j)
{
	const struct ipt_TTL_info *t = xt_data(ipt_TTL_info, x);

	json_str(j, "op", t->mode <= IPT_TTL_DEC ? ops[t->mode] : NULL);
	json_uint(j, prefix(x->family == NFPROTO_IPV6), t->ttl);
}

static int ttl_parse(struct xt_parse *p, struct err *e)
{
	const char *name = prefix(p->family == NFPROTO_IPV6);
	struct ipt_TTL_info *t = (struct ipt_TTL_info *)p->data;
	uint64_t v;

	if (strncmp(p->opt, name, strlen(name)) != 0 || p->opt[strlen(name)] != '-')
		return 0;
	for (uint8_t mode = IPT_TTL_SET; mode <= IPT_TTL_DEC; mode++) {
		if (strcmp(p->opt + strlen(name) + 1, ops[mode]) != 0)
			continue;
		if (!p->n_args)
			return xt_bad(p, e, "it needs a number");
		if (xt_number(p, p->args[0], mode == IPT_TTL_SET ? 0 : 1, 255, &v, e) < 0)
			return -1;
		t->mode = mode;
		t->ttl = (uint8_t)v;
		p->used = 1;
		return 1;
	}
	return 0;
}

/* Steps up and down have no native form. */
static void ttl_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct ipt_TTL_info *t = xt_data(ipt_TTL_info, x);
	bool v6 = l->family == NFPROTO_IPV6;

	if (t->mode != IPT_TTL_SET)
		l->why = "it counts the time to live up or down";
	else
		low_set(l, expr_field(l->a, v6 ? "ip6" : "ip", v6 ? "hoplimit" : "ttl"),
			expr_u8(l->a, DT_INTEGER, t->ttl));
}

const struct xt_codec xt_target_TTL_v0 = {
	.name = "TTL", .family = NFPROTO_IPV4, .target = true, .goes_on = true,
	.size = sizeof(struct ipt_TTL_info), .save = ttl_save, .json = ttl_json, .parse = ttl_parse,
	.lower = ttl_lower,
};
const struct xt_codec xt_target_HL_v0 = {
	.name = "HL", .family = NFPROTO_IPV6, .target = true, .goes_on = true,
	.size = sizeof(struct ipt_TTL_info), .save = ttl_save, .json = ttl_json, .parse = ttl_parse,
	.lower = ttl_lower,
};
