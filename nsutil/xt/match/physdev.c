/* SPDX-License-Identifier: GPL-2.0-or-later */
/* physdev - -m physdev: ports of a bridge */
#include <linux/netfilter/xt_physdev.h>

#include "nsutil/xt/type.h"

/* The name keeps its '+'; the mask says how much of it counts. */
static int dev_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	size_t len = strlen(p->args[0]);

	if (xt_copy_string(p, p->args[0], p->data + o->off, IFNAMSIZ, e) < 0)
		return -1;
	memset(p->data + o->off2, 0xff, len && p->args[0][len - 1] == '+' ? len - 1 : len + 1);
	return 0;
}

static void dev_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_name.save(o, x, b);
}

static void dev_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_name.json(o, x, j, key);
}

static const struct xt_type device = { 1, NULL, dev_save, dev_json, dev_parse, NULL };

#define BIT(f) XT_SET(xt_physdev_info, bitmask, f), XT_INV(xt_physdev_info, invert, f)

static const struct xt_opt physdev_opts[] = {
	{ "physdev-is-in", NULL, &xt_flag, BIT(XT_PHYSDEV_OP_ISIN) },
	{ "physdev-in", NULL, &device, XT_AT(xt_physdev_info, physindev), XT_AT2(xt_physdev_info, in_mask),
	  BIT(XT_PHYSDEV_OP_IN) },
	{ "physdev-is-out", NULL, &xt_flag, BIT(XT_PHYSDEV_OP_ISOUT) },
	{ "physdev-out", NULL, &device, XT_AT(xt_physdev_info, physoutdev), XT_AT2(xt_physdev_info, out_mask),
	  BIT(XT_PHYSDEV_OP_OUT) },
	{ "physdev-is-bridged", NULL, &xt_flag, BIT(XT_PHYSDEV_OP_BRIDGED) },
	XT_END,
};

const struct xt_codec xt_match_physdev_v0 = {
	.name = "physdev", .size = sizeof(struct xt_physdev_info), .opts = physdev_opts,
	.unknown = "the bridge port is known for bridged packets only",
};
