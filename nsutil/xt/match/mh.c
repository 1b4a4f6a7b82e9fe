/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mh - -m mh: type of the Mobile IPv6 header */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_mh.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word types[] = {
	{ "binding-refresh-request", 0 }, { "brr", 0 }, { "home-test-init", 1 }, { "hoti", 1 },
	{ "careof-test-init", 2 }, { "coti", 2 }, { "home-test", 3 }, { "hot", 3 }, { "careof-test", 4 },
	{ "cot", 4 }, { "binding-update", 5 }, { "bu", 5 }, { "binding-acknowledgement", 6 }, { "ba", 6 },
	{ "binding-error", 7 }, { "be", 7 }, { NULL, 0 },
};

static int types_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const struct xt_word *w = xt_find_word(types, p->args[0], strlen(p->args[0]));

	if (!w)
		return xt_range_colon.parse(o, p, e);
	xt_store(p->data, o->off, 1, w->value);
	xt_store(p->data, o->off2, 1, w->value);
	return 0;
}

static void types_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_range_colon.save(o, x, b);
}

static void types_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_range_colon.json(o, x, j, key);
}

static bool types_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return xt_range_colon.absent(o, x);
}

static void types_init(const struct xt_opt *o, uint8_t *data)
{
	xt_range_colon.init(o, data);
}

static const struct xt_type type_range = { 1, types_absent, types_save, types_json, types_parse, types_init };

static const struct xt_opt mh_opts[] = {
	{ "mh-type", NULL, &type_range, XT_AT(ip6t_mh, types[0]), XT_AT2(ip6t_mh, types[1]),
	  XT_INV(ip6t_mh, invflags, IP6T_MH_INV_TYPE) },
	XT_END,
};

const struct xt_codec xt_match_mh_v0 = {
	.name = "mh", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_mh), .opts = mh_opts,
	.unknown = "the mobility header of the packet decides",
};
