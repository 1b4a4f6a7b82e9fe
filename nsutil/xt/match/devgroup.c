/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devgroup - -m devgroup: group of the input and output interface */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_devgroup.h>
#include <stdio.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* iproute2 ships one name, 0 "default"; iptables prints it, and hexadecimal numbers for the rest. */
static void group_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	uint64_t group = xt_load(x->data, o->off, 4), mask = xt_load(x->data, o->off2, 4);

	if (mask == UINT32_MAX && group == 0)
		buf_str(b, " default");
	else
		xt_mark.save(o, x, b);
}

static void group_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_mark.json(o, x, j, key);
}

static int group_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	if (strcmp(p->args[0], "default") != 0)
		return xt_mark.parse(o, p, e);
	xt_store(p->data, o->off, 4, 0);
	xt_store(p->data, o->off2, 4, UINT32_MAX);
	return 0;
}

static const struct xt_type group_type = { 1, NULL, group_save, group_json, group_parse, NULL };

static const struct xt_opt devgroup_opts[] = {
	{ "src-group", NULL, &group_type, XT_AT(xt_devgroup_info, src_group), XT_AT2(xt_devgroup_info, src_mask),
	  XT_SET(xt_devgroup_info, flags, XT_DEVGROUP_MATCH_SRC),
	  XT_INV(xt_devgroup_info, flags, XT_DEVGROUP_INVERT_SRC) },
	{ "dst-group", NULL, &group_type, XT_AT(xt_devgroup_info, dst_group), XT_AT2(xt_devgroup_info, dst_mask),
	  XT_SET(xt_devgroup_info, flags, XT_DEVGROUP_MATCH_DST),
	  XT_INV(xt_devgroup_info, flags, XT_DEVGROUP_INVERT_DST) },
	XT_END,
};

static void devgroup_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_devgroup_info *d = xt_data(xt_devgroup_info, x);

	if (d->flags & XT_DEVGROUP_MATCH_SRC)
		low_masked(l, d->flags & XT_DEVGROUP_INVERT_SRC, expr_meta(l->a, NFT_META_IIFGROUP),
			   d->src_group, d->src_mask);
	if (d->flags & XT_DEVGROUP_MATCH_DST)
		low_masked(l, d->flags & XT_DEVGROUP_INVERT_DST, expr_meta(l->a, NFT_META_OIFGROUP),
			   d->dst_group, d->dst_mask);
}

const struct xt_codec xt_match_devgroup_v0 = {
	.name = "devgroup", .size = sizeof(struct xt_devgroup_info), .opts = devgroup_opts,
	.lower = devgroup_lower,
};
