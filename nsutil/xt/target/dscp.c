/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dscp - -j DSCP, -j TOS: write the traffic class of the IP header */
#include <linux/netfilter.h>
#include <linux/netfilter/xt_DSCP.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#include "nsutil/xt/dscp.h"

static const struct xt_opt dscp_opts[] = {
	{ "set-dscp", NULL, &xt_dscp_value, XT_AT(xt_DSCP_info, dscp), .max = 0x3f, .always = true },
	{ "set-dscp-class", NULL, &xt_dscp_class, XT_AT(xt_DSCP_info, dscp), .quiet = true },
	XT_END,
};

static void dscp_lower(struct xt_low *l, const struct xt_ext *x)
{
	low_set(l, expr_field(l->a, l->family == NFPROTO_IPV6 ? "ip6" : "ip", "dscp"),
		expr_bytes(l->a, DT_DSCP, ORDER_NET, &xt_data(xt_DSCP_info, x)->dscp, 6));
}

/* tos = (tos & ~mask) ^ value (xt_DSCP.c, tos_tg()). */
static int tos_parse(struct xt_parse *p, struct err *e)
{
	static const char *const ops[] = { "and-tos", "or-tos", "xor-tos" };
	struct xt_tos_target_info *t = (struct xt_tos_target_info *)p->data;
	uint64_t v;

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(p->opt, ops[i]) != 0)
			continue;
		if (!p->n_args)
			return xt_bad(p, e, "it needs a number");
		if (xt_number(p, p->args[0], 0, 255, &v, e) < 0)
			return -1;
		t->tos_value = i == 0 ? 0 : (uint8_t)v;
		t->tos_mask = i == 0 ? (uint8_t)~v : i == 1 ? (uint8_t)v : 0;
		p->used = 1;
		return 1;
	}
	return 0;
}

static const struct xt_opt tos_opts[] = {
	{ "set-tos", NULL, &xt_tos_mask, XT_AT(xt_tos_target_info, tos_value), XT_AT2(xt_tos_target_info, tos_mask),
	  .always = true },
	XT_END,
};

static void tos_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_tos_target_info *t = xt_data(xt_tos_target_info, x);
	struct expr *v = low_tos_bits(l, t->tos_value);

	if (l->family == NFPROTO_IPV6)
		v = expr_binop(l->a, BINOP_XOR,
			       expr_binop(l->a, BINOP_AND, low_tos(l), expr_be16(l->a, DT_INTEGER, (uint16_t)~(t->tos_mask << 4))), v);
	else if (t->tos_mask != 0xff)
		v = expr_binop(l->a, BINOP_XOR,
			       expr_binop(l->a, BINOP_AND, low_tos(l), low_tos_bits(l, (uint8_t)~t->tos_mask)), v);
	low_set(l, low_tos(l), v);
}

const struct xt_codec xt_target_DSCP_v0 = {
	.name = "DSCP", .target = true, .goes_on = true, .size = sizeof(struct xt_DSCP_info), .opts = dscp_opts,
	.lower = dscp_lower,
};
const struct xt_codec xt_target_TOS_v1 = {
	.name = "TOS", .rev = 1, .target = true, .goes_on = true, .size = sizeof(struct xt_tos_target_info),
	.opts = tos_opts, .parse = tos_parse, .lower = tos_lower,
};
