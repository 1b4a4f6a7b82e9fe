/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iprange - -m iprange: any range of addresses */
#include <linux/netfilter/xt_iprange.h>
#include <stdio.h>

#include "nsutil/base/addr.h"
#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void range_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	struct xt_opt to = { .off = o->off2 };
	size_t at;

	xt_addr.save(o, x, b);
	at = b->len;
	xt_addr.save(&to, x, b);
	if (!buf_failed(b))
		b->data[at] = '-';
}

static void range_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	struct xt_opt to = { .off = o->off2 };

	json_begin_object(j, key);
	json_begin_array(j, "range");
	xt_addr.json(o, x, j, NULL);
	xt_addr.json(&to, x, j, NULL);
	json_end_array(j);
	json_end_object(j);
}

static int range_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	char *text = arena_strdup(p->arena, p->args[0]), *dash = text ? strchr(text, '-') : NULL;
	struct xt_parse sub = *p;
	struct xt_opt to = { .off = o->off2 };
	const char *arg = text;

	if (!text)
		return err_oom(e);
	if (dash)
		*dash++ = '\0';
	sub.args = &arg;
	if (xt_addr.parse(o, &sub, e) < 0)
		return -1;
	arg = dash ? dash : text;
	return xt_addr.parse(&to, &sub, e);
}

static const struct xt_type addr_range = { 1, NULL, range_save, range_json, range_parse, NULL };

static const struct xt_opt iprange_opts[] = {
	{ "src-range", NULL, &addr_range, XT_AT(xt_iprange_mtinfo, src_min), XT_AT2(xt_iprange_mtinfo, src_max),
	  XT_SET(xt_iprange_mtinfo, flags, IPRANGE_SRC), XT_INV(xt_iprange_mtinfo, flags, IPRANGE_SRC_INV) },
	{ "dst-range", NULL, &addr_range, XT_AT(xt_iprange_mtinfo, dst_min), XT_AT2(xt_iprange_mtinfo, dst_max),
	  XT_SET(xt_iprange_mtinfo, flags, IPRANGE_DST), XT_INV(xt_iprange_mtinfo, flags, IPRANGE_DST_INV) },
	XT_END,
};

static void iprange_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_iprange_mtinfo *i = xt_data(xt_iprange_mtinfo, x);

	if (i->flags & IPRANGE_SRC)
		low_match(l, i->flags & IPRANGE_SRC_INV, low_addr_expr(l, "saddr"),
			  expr_range(l->a, low_addr_value(l, &i->src_min), low_addr_value(l, &i->src_max)));
	if (i->flags & IPRANGE_DST)
		low_match(l, i->flags & IPRANGE_DST_INV, low_addr_expr(l, "daddr"),
			  expr_range(l->a, low_addr_value(l, &i->dst_min), low_addr_value(l, &i->dst_max)));
}

const struct xt_codec xt_match_iprange_v1 = {
	.name = "iprange", .rev = 1, .size = sizeof(struct xt_iprange_mtinfo), .opts = iprange_opts,
	.lower = iprange_lower,
};
