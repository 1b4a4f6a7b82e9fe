/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ecn - -m ecn: explicit congestion notification in IP and TCP */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_ecn.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt ecn_opts[] = {
	{ "ecn-tcp-ece", NULL, &xt_flag, XT_SET(xt_ecn_info, operation, XT_ECN_OP_MATCH_ECE),
	  XT_INV(xt_ecn_info, invert, XT_ECN_OP_MATCH_ECE) },
	{ "ecn-tcp-cwr", NULL, &xt_flag, XT_SET(xt_ecn_info, operation, XT_ECN_OP_MATCH_CWR),
	  XT_INV(xt_ecn_info, invert, XT_ECN_OP_MATCH_CWR) },
	{ "ecn-ip-ect", NULL, &xt_uint, XT_AT(xt_ecn_info, ip_ect),
	  XT_SET(xt_ecn_info, operation, XT_ECN_OP_MATCH_IP), XT_INV(xt_ecn_info, invert, XT_ECN_OP_MATCH_IP),
	  .max = 3 },
	XT_END,
};

static void tcp_flag(struct xt_low *l, uint8_t flag, bool invert)
{
	low_cmp(l, invert ? OP_EQ : OP_NE,
		expr_binop(l->a, BINOP_AND, expr_field(l->a, "tcp", "flags"), expr_u8(l->a, DT_TCP_FLAG, flag)),
		expr_u8(l->a, DT_TCP_FLAG, 0));
}

static void ecn_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_ecn_info *c = xt_data(xt_ecn_info, x);
	struct expr *field = expr_field(l->a, l->family == NFPROTO_IPV6 ? "ip6" : "ip", "ecn");

	if (c->operation & XT_ECN_OP_MATCH_ECE)
		tcp_flag(l, 0x40, c->invert & XT_ECN_OP_MATCH_ECE);
	if (c->operation & XT_ECN_OP_MATCH_CWR)
		tcp_flag(l, 0x80, c->invert & XT_ECN_OP_MATCH_CWR);
	if (c->operation & XT_ECN_OP_MATCH_IP)
		low_match(l, c->invert & XT_ECN_OP_MATCH_IP, field,
			  expr_bytes(l->a, DT_ECN, ORDER_NET, &c->ip_ect, 2));
}

const struct xt_codec xt_match_ecn_v0 = {
	.name = "ecn", .size = sizeof(struct xt_ecn_info), .opts = ecn_opts, .lower = ecn_lower,
};
