/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ecn - -j ECN: take explicit congestion notification out of a packet */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ipt_ECN.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* iptables offers only --ecn-tcp-remove; the kernel can set the bits as well. */
static void ecn_save(const struct xt_ext *x, struct buf *b)
{
	const struct ipt_ECN_info *c = xt_data(ipt_ECN_info, x);

	if (c->operation == (IPT_ECN_OP_SET_ECE | IPT_ECN_OP_SET_CWR) && !c->proto.tcp.ece && !c->proto.tcp.cwr) {
		buf_str(b, " --ecn-tcp-remove");
		return;
	}
	if (c->operation & IPT_ECN_OP_SET_ECE)
		buf_fmt(b, " --ecn-tcp-ece %u", c->proto.tcp.ece);
	if (c->operation & IPT_ECN_OP_SET_CWR)
		buf_fmt(b, " --ecn-tcp-cwr %u", c->proto.tcp.cwr);
	if (c->operation & IPT_ECN_OP_SET_IP)
		buf_fmt(b, " --ecn-ip-ect %u", c->ip_ect);
}

static void ecn_json(const struct xt_ext *x, struct json *j)
{
	const struct ipt_ECN_info *c = xt_data(ipt_ECN_info, x);

	if (c->operation & IPT_ECN_OP_SET_ECE)
		json_uint(j, "ecn-tcp-ece", c->proto.tcp.ece);
	if (c->operation & IPT_ECN_OP_SET_CWR)
		json_uint(j, "ecn-tcp-cwr", c->proto.tcp.cwr);
	if (c->operation & IPT_ECN_OP_SET_IP)
		json_uint(j, "ecn-ip-ect", c->ip_ect);
}

static int ecn_parse(struct xt_parse *p, struct err *e)
{
	struct ipt_ECN_info *c = (struct ipt_ECN_info *)p->data;

	(void)e;
	if (strcmp(p->opt, "ecn-tcp-remove") != 0)
		return 0;
	c->operation = IPT_ECN_OP_SET_ECE | IPT_ECN_OP_SET_CWR;
	c->proto.tcp.ece = c->proto.tcp.cwr = 0;
	return 1;
}

static void ecn_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct ipt_ECN_info *c = xt_data(ipt_ECN_info, x);
	uint8_t keep = 0xff, set = 0;

	if (c->operation & IPT_ECN_OP_SET_ECE) {
		keep &= (uint8_t)~0x40;
		set |= c->proto.tcp.ece ? 0x40 : 0;
	}
	if (c->operation & IPT_ECN_OP_SET_CWR) {
		keep &= (uint8_t)~0x80;
		set |= c->proto.tcp.cwr ? 0x80 : 0;
	}
	if (keep != 0xff)
		low_set(l, expr_field(l->a, "tcp", "flags"),
			expr_binop(l->a, BINOP_OR,
				   expr_binop(l->a, BINOP_AND, expr_field(l->a, "tcp", "flags"),
					      expr_u8(l->a, DT_TCP_FLAG, keep)),
				   expr_u8(l->a, DT_TCP_FLAG, set)));
	if (c->operation & IPT_ECN_OP_SET_IP)
		low_set(l, expr_field(l->a, "ip", "ecn"), expr_bytes(l->a, DT_ECN, ORDER_NET, &c->ip_ect, 2));
}

const struct xt_codec xt_target_ECN_v0 = {
	.name = "ECN", .family = NFPROTO_IPV4, .target = true, .goes_on = true,
	.size = sizeof(struct ipt_ECN_info), .save = ecn_save, .json = ecn_json, .parse = ecn_parse,
	.lower = ecn_lower,
};
