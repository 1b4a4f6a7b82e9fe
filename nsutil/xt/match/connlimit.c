/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connlimit - -m connlimit: how many connections a network has */
#include <linux/netfilter.h>
#include <linux/netfilter/xt_connlimit.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#include "nsutil/base/addr.h"

/* The mask is kept as an address mask and printed as a prefix length. */
static unsigned mask_len(const struct xt_ext *x)
{
	unsigned n = x->family == NFPROTO_IPV6 ? 16 : 4, len = 0;
	const uint8_t *m = (const uint8_t *)&xt_data(xt_connlimit_info, x)->mask;

	for (unsigned i = 0; i < n; i++)
		len += (unsigned)__builtin_popcount(m[i]);
	return len;
}

static void connlimit_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_connlimit_info *c = xt_data(xt_connlimit_info, x);

	buf_fmt(b, " --connlimit-%s %u --connlimit-mask %u", c->flags & XT_CONNLIMIT_INVERT ? "upto" : "above",
		c->limit, mask_len(x));
	if (x->rev >= 1)
		buf_str(b, c->flags & XT_CONNLIMIT_DADDR ? " --connlimit-daddr" : " --connlimit-saddr");
}

static void connlimit_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_connlimit_info *c = xt_data(xt_connlimit_info, x);

	json_uint(j, c->flags & XT_CONNLIMIT_INVERT ? "connlimit-upto" : "connlimit-above", c->limit);
	json_uint(j, "connlimit-mask", mask_len(x));
	json_str(j, "connlimit-group", c->flags & XT_CONNLIMIT_DADDR ? "daddr" : "saddr");
}

static int mask_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	unsigned n = p->family == NFPROTO_IPV6 ? 128 : 32;
	uint8_t *m = p->data + o->off;
	uint64_t len;

	if (xt_number(p, p->args[0], 0, n, &len, e) < 0)
		return -1;
	memset(m, 0, 16);
	for (unsigned i = 0; i < len; i++)
		m[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return 0;
}

static const struct xt_type mask_type = { .words = 1, .parse = mask_parse };

/* "! --connlimit-above N" is "--connlimit-upto N", and the other way round. */
static int limit_parse(struct xt_parse *p, struct err *e)
{
	struct xt_connlimit_info *c = (struct xt_connlimit_info *)p->data;
	bool upto = strcmp(p->opt, "connlimit-upto") == 0;
	uint64_t limit;

	if (!upto && strcmp(p->opt, "connlimit-above") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs a number");
	if (xt_number(p, p->args[0], 0, UINT32_MAX, &limit, e) < 0)
		return -1;
	c->limit = (unsigned)limit;
	if (upto != p->invert)
		c->flags |= XT_CONNLIMIT_INVERT;
	p->used = 1;
	return 1;
}

static void connlimit_init(uint8_t *data, uint8_t family)
{
	memset(data, 0xff, family == NFPROTO_IPV6 ? 16 : 4);
}

static const struct xt_opt connlimit_opts[] = {
	{ "connlimit-mask", NULL, &mask_type, XT_AT(xt_connlimit_info, mask) },
	{ "connlimit-daddr", NULL, &xt_flag, XT_SET(xt_connlimit_info, flags, XT_CONNLIMIT_DADDR) },
	{ .name = "connlimit-saddr", .type = &xt_flag, .quiet = true },
	XT_END,
};

const struct xt_codec xt_match_connlimit_v1 = {
	.name = "connlimit", .rev = 1, .size = sizeof(struct xt_connlimit_info), .opts = connlimit_opts,
	.save = connlimit_save, .json = connlimit_json, .init = connlimit_init, .parse = limit_parse,
	.unknown = "how many connections are open decides",
};
