/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tproxy - -j TPROXY: hand the packet to a local proxy without changing it */
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_TPROXY.h>

#include "nsutil/base/addr.h"
#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void tmark_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " 0x%x/0x%x", (uint32_t)xt_load(x->data, o->off, 4), (uint32_t)xt_load(x->data, o->off2, 4));
}

static void tmark_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_mark.json(o, x, j, key);
}

static int tmark_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return xt_mark.parse(o, p, e);
}

static const struct xt_type tmark = { 1, NULL, tmark_save, tmark_json, tmark_parse, NULL };

#define OPTS(s)                                                                                            \
	{ "on-port", NULL, &xt_be16, XT_AT(s, lport), .always = true },                                    \
		{ "on-ip", NULL, &xt_addr, XT_AT(s, laddr), .always = true },                              \
		{ "tproxy-mark", NULL, &tmark, XT_AT(s, mark_value), XT_AT2(s, mark_mask), .always = true }, \
		XT_END

static const struct xt_opt opts0[] = { OPTS(xt_tproxy_target_info) };
static const struct xt_opt opts1[] = { OPTS(xt_tproxy_target_info_v1) };

/* An address or port of zero means that of the packet (xt_TPROXY.c, nf_tproxy_laddr4()). */
static void lower_to(struct xt_low *l, const void *addr, uint16_t port, uint32_t mark, uint32_t mask)
{
	struct stmt *s = stmt_new(l->a, STMT_TPROXY);
	struct addr a = addr_from(l->family == NFPROTO_IPV6 ? 10 : 2, addr);

	if (s) {
		s->tproxy = (struct stmt_tproxy){ .family = l->family, .mark = mark, .mark_mask = mask,
						  .terminal = true };
		if (!addr_is_any(&a))
			s->tproxy.addr = low_addr_value(l, addr);
		if (port)
			s->tproxy.port = expr_be16(l->a, DT_SERVICE, be16toh(port));
	}
	low_add(l, s);
}

static void lower0(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_tproxy_target_info *t = xt_data(xt_tproxy_target_info, x);

	lower_to(l, &t->laddr, t->lport, t->mark_value, t->mark_mask);
}

static void lower1(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_tproxy_target_info_v1 *t = xt_data(xt_tproxy_target_info_v1, x);

	lower_to(l, &t->laddr, t->lport, t->mark_value, t->mark_mask);
}

const struct xt_codec xt_target_TPROXY_v0 = {
	.name = "TPROXY", .family = NFPROTO_IPV4, .target = true, .size = sizeof(struct xt_tproxy_target_info),
	.opts = opts0, .lower = lower0,
};
const struct xt_codec xt_target_TPROXY_v1 = {
	.name = "TPROXY", .rev = 1, .target = true, .size = sizeof(struct xt_tproxy_target_info_v1),
	.opts = opts1, .lower = lower1,
};
