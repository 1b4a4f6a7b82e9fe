/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup - -m cgroup: the control group of the sending process */
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_cgroup.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt v0_opts[] = {
	{ "cgroup", NULL, &xt_uint, XT_AT(xt_cgroup_info_v0, id), XT_INV(xt_cgroup_info_v0, invert, 1),
	  .always = true },
	XT_END,
};

#define PATH_OR_CLASS(s)                                                                                   \
	{                                                                                                  \
		{ "path", NULL, &quoted_path, XT_AT(s, path), XT_SET(s, has_path, 1), XT_INV(s, invert_path, 1) }, \
		{ "cgroup", NULL, &xt_uint, XT_AT(s, classid), XT_SET(s, has_classid, 1),                  \
		  XT_INV(s, invert_classid, 1) },                                                          \
		XT_END,                                                                                    \
	}

/* iptables quotes a path whatever it is. */
static void path_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const char *s = (const char *)x->data + o->off;

	buf_fmt(b, " \"%.*s\"", (int)strnlen(s, o->size), s);
}

static void path_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_string.json(o, x, j, key);
}

static int path_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return xt_string.parse(o, p, e);
}

static const struct xt_type quoted_path = { 1, NULL, path_save, path_json, path_parse, NULL };

static const struct xt_opt v1_opts[] = PATH_OR_CLASS(xt_cgroup_info_v1);
static const struct xt_opt v2_opts[] = PATH_OR_CLASS(xt_cgroup_info_v2);

static void v0_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_cgroup_info_v0 *c = xt_data(xt_cgroup_info_v0, x);

	low_u32(l, c->invert, expr_meta(l->a, NFT_META_CGROUP), DT_CGROUP, c->id, c->id);
}

static void class_lower(struct xt_low *l, bool has_path, bool has_class, bool invert, uint32_t classid)
{
	if (has_path)
		l->why = "the control group of the sending process decides";
	else if (has_class)
		low_u32(l, invert, expr_meta(l->a, NFT_META_CGROUP), DT_CGROUP, classid, classid);
}

static void v1_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_cgroup_info_v1 *c = xt_data(xt_cgroup_info_v1, x);

	class_lower(l, c->has_path, c->has_classid, c->invert_classid, c->classid);
}

static void v2_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_cgroup_info_v2 *c = xt_data(xt_cgroup_info_v2, x);

	class_lower(l, c->has_path, c->has_classid, c->invert_classid, c->classid);
}

const struct xt_codec xt_match_cgroup_v0 = {
	.name = "cgroup", .size = sizeof(struct xt_cgroup_info_v0), .opts = v0_opts, .lower = v0_lower,
};
const struct xt_codec xt_match_cgroup_v1 = {
	.name = "cgroup", .rev = 1, .size = sizeof(struct xt_cgroup_info_v1), .opts = v1_opts, .lower = v1_lower,
};
const struct xt_codec xt_match_cgroup_v2 = {
	.name = "cgroup", .rev = 2, .size = sizeof(struct xt_cgroup_info_v2), .opts = v2_opts, .lower = v2_lower,
};
