/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connlabel - -m connlabel: a label bit of the connection */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_connlabel.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* iptables quotes the label whatever it is: it may be a name of connlabel.conf. */
static void label_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_connlabel_mtinfo *c = xt_data(xt_connlabel_mtinfo, x);

	buf_fmt(b, "%s --label \"%u\"", c->options & XT_CONNLABEL_OP_INVERT ? " !" : "", c->bit);
	if (c->options & XT_CONNLABEL_OP_SET)
		buf_str(b, " --set");
}

static const struct xt_opt connlabel_opts[] = {
	{ "label", NULL, &xt_uint, XT_AT(xt_connlabel_mtinfo, bit),
	  XT_INV(xt_connlabel_mtinfo, options, XT_CONNLABEL_OP_INVERT), .max = XT_CONNLABEL_MAXBIT,
	  .always = true },
	{ "set", NULL, &xt_flag, XT_SET(xt_connlabel_mtinfo, options, XT_CONNLABEL_OP_SET) },
	XT_END,
};

/*
 * With --set the match changes the label and is true when that worked: unknown beforehand. To nftables it is setting and
 * then asking; but inverted it is true of a packet without connection, and there is no form of that.
 */
static void connlabel_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_connlabel_mtinfo *c = xt_data(xt_connlabel_mtinfo, x);
	uint8_t bits[16] = { 0 }, zero[16] = { 0 };

	if (c->bit < 128)
		bits[c->bit / 8] = (uint8_t)(1u << c->bit % 8);
	if (c->options & XT_CONNLABEL_OP_SET) {
		l->why = "the match sets a label of the connection";
		l->form = !(c->options & XT_CONNLABEL_OP_INVERT);
		low_set(l, expr_ct(l->a, NFT_CT_LABELS, -1), expr_bytes(l->a, DT_CT_LABEL, ORDER_HOST, bits, 128));
	}
	low_cmp(l, c->options & XT_CONNLABEL_OP_INVERT ? OP_EQ : OP_NE,
		expr_binop(l->a, BINOP_AND, expr_ct(l->a, NFT_CT_LABELS, -1),
			   expr_bytes(l->a, DT_CT_LABEL, ORDER_HOST, bits, 128)),
		expr_bytes(l->a, DT_CT_LABEL, ORDER_HOST, zero, 128));
}

const struct xt_codec xt_match_connlabel_v0 = {
	.name = "connlabel", .size = sizeof(struct xt_connlabel_mtinfo), .opts = connlabel_opts,
	.save = label_save, .lower = connlabel_lower,
};
