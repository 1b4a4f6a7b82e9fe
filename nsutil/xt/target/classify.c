/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classify - -j CLASSIFY: the traffic class of the packet */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_CLASSIFY.h>
#include <stdio.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void class_text(uint32_t priority, char text[16])
{
	snprintf(text, 16, "%04x:%04x", priority >> 16, priority & 0xffff);
}

static void class_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	char text[16];

	class_text((uint32_t)xt_load(x->data, o->off, 4), text);
	buf_fmt(b, " %s", text);
}

static void class_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	char text[16];

	class_text((uint32_t)xt_load(x->data, o->off, 4), text);
	json_str(j, key, text);
}

static int class_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	unsigned major, minor;
	int end = 0;

	if (sscanf(p->args[0], "%4x:%4x%n", &major, &minor, &end) != 2 || p->args[0][end])
		return xt_bad(p, e, "'%s' is not MAJOR:MINOR", p->args[0]);
	xt_store(p->data, o->off, 4, (uint64_t)major << 16 | minor);
	return 0;
}

static const struct xt_type class_type = { 1, NULL, class_save, class_json, class_parse, NULL };

static const struct xt_opt classify_opts[] = {
	{ "set-class", NULL, &class_type, XT_AT(xt_classify_target_info, priority), .always = true },
	XT_END,
};

static void classify_lower(struct xt_low *l, const struct xt_ext *x)
{
	low_set(l, expr_meta(l->a, NFT_META_PRIORITY),
		expr_u32(l->a, DT_CLASSID, xt_data(xt_classify_target_info, x)->priority));
}

const struct xt_codec xt_target_CLASSIFY_v0 = {
	.name = "CLASSIFY", .target = true, .goes_on = true, .size = sizeof(struct xt_classify_target_info),
	.opts = classify_opts, .lower = classify_lower,
};
