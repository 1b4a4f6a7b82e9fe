/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ulog - -j ULOG: packets to the listeners of a netlink group; in kernels before 3.17 */
#include <linux/netfilter.h>
#include <strings.h>

#include "nsutil/xt/type.h"

/* linux/netfilter_ipv4/ipt_ULOG.h, which newer headers do not have */
struct ulog_info {
	unsigned int nl_group; /* a bit */
	size_t copy_range, qthreshold;
	char prefix[32];
};

static void group_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_chr(b, ' ');
	buf_uint(b, (unsigned)ffs((int)xt_load(x->data, o->off, o->size)));
}

static void group_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_uint(j, key, (unsigned)ffs((int)xt_load(x->data, o->off, o->size)));
}

static bool group_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return xt_load(x->data, o->off, o->size) == o->dflt;
}

static int group_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t v;

	if (xt_number(p, p->args[0], 1, 32, &v, e) < 0)
		return -1;
	xt_store(p->data, o->off, o->size, UINT64_C(1) << (v - 1));
	return 0;
}

static void group_init(const struct xt_opt *o, uint8_t *data)
{
	xt_store(data, o->off, o->size, o->dflt);
}

static const struct xt_type group = { 1, group_absent, group_save, group_json, group_parse, group_init };

static const struct xt_opt opts[] = {
	{ "ulog-prefix", NULL, &xt_string, XT_AT(ulog_info, prefix) },
	{ "ulog-nlgroup", NULL, &group, XT_AT(ulog_info, nl_group), .dflt = 1 },
	{ "ulog-cprange", NULL, &xt_uint, XT_AT(ulog_info, copy_range), .max = UINT32_MAX },
	{ "ulog-qthreshold", NULL, &xt_uint, XT_AT(ulog_info, qthreshold), .min = 1, .max = 50, .dflt = 1 },
	XT_END,
};

const struct xt_codec xt_target_ULOG_v0 = {
	.name = "ULOG", .family = NFPROTO_IPV4, .target = true, .goes_on = true, .effectless = true,
	.size = sizeof(struct ulog_info), .opts = opts,
};
