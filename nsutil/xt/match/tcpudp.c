/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpudp - -m tcp, -m udp: ports, TCP flags and options */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#define ALL_FLAGS 0x3f /* the six that iptables has names for */

static const struct xt_word flag_names[] = {
	{ "FIN", 1 }, { "SYN", 2 }, { "RST", 4 }, { "PSH", 8 }, { "ACK", 16 }, { "URG", 32 }, { NULL, 0 },
};

static void flags_text(uint8_t flags, struct buf *b)
{
	const char *sep = " ";

	if (!flags)
		buf_str(b, " NONE");
	for (const struct xt_word *w = flag_names; w->name; w++) {
		if (!(flags & w->value))
			continue;
		buf_str(b, sep);
		buf_str(b, w->name);
		sep = ",";
	}
}

static bool flags_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return xt_load(x->data, o->off, 1) == 0;
}

static void flags_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	uint8_t mask = (uint8_t)xt_load(x->data, o->off, 1);

	if (mask != 0xff)
		flags_text(mask, b);
	flags_text((uint8_t)xt_load(x->data, o->off2, 1), b);
}

static void flags_list(uint8_t flags, struct json *j, const char *key)
{
	json_begin_array(j, key);
	for (const struct xt_word *w = flag_names; w->name; w++)
		if (flags & w->value)
			json_str(j, NULL, w->name);
	json_end_array(j);
}

static void flags_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_begin_object(j, key);
	flags_list((uint8_t)xt_load(x->data, o->off, 1), j, "mask");
	flags_list((uint8_t)xt_load(x->data, o->off2, 1), j, "set");
	json_end_object(j);
}

static int flags_word(const struct xt_parse *p, const char *s, uint8_t *ret, struct err *e)
{
	uint8_t v = 0;

	for (;; s++) {
		size_t len = strcspn(s, ",");
		const struct xt_word *w = xt_find_word(flag_names, s, len);

		if (w)
			v |= (uint8_t)w->value;
		else if (len == 3 && strncasecmp(s, "ALL", 3) == 0)
			v |= ALL_FLAGS;
		else if (len != 4 || strncasecmp(s, "NONE", 4) != 0)
			return xt_bad(p, e, "'%.*s' is not a TCP flag", (int)len, s);
		s += len;
		if (!*s)
			break;
	}
	*ret = v;
	return 0;
}

static int flags_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint8_t mask, set;

	if (flags_word(p, p->args[0], &mask, e) < 0 || flags_word(p, p->args[1], &set, e) < 0)
		return -1;
	p->data[o->off] = mask;
	p->data[o->off2] = set;
	return 0;
}

static const struct xt_type tcp_flags = { 2, flags_absent, flags_save, flags_json, flags_parse, NULL };

static const struct xt_opt tcp_opts[] = {
	{ "sport", "source-port", &xt_range_colon, .off = offsetof(struct xt_tcp, spts[0]), .size = 2,
	  XT_AT2(xt_tcp, spts[1]), XT_INV(xt_tcp, invflags, XT_TCP_INV_SRCPT), .blunt = true },
	{ "dport", "destination-port", &xt_range_colon, .off = offsetof(struct xt_tcp, dpts[0]), .size = 2,
	  XT_AT2(xt_tcp, dpts[1]), XT_INV(xt_tcp, invflags, XT_TCP_INV_DSTPT), .blunt = true },
	{ "tcp-option", NULL, &xt_uint, XT_AT(xt_tcp, option), .min = 1,
	  XT_INV(xt_tcp, invflags, XT_TCP_INV_OPTION) },
	{ "tcp-flags", NULL, &tcp_flags, XT_AT(xt_tcp, flg_mask), XT_AT2(xt_tcp, flg_cmp),
	  XT_INV(xt_tcp, invflags, XT_TCP_INV_FLAGS) },
	XT_END,
};

/* --syn is short for --tcp-flags FIN,SYN,RST,ACK SYN */
static int tcp_parse(struct xt_parse *p, struct err *e)
{
	struct xt_tcp *t = (struct xt_tcp *)p->data;

	(void)e;
	if (strcmp(p->opt, "syn") != 0)
		return 0;
	t->flg_mask = 1 | 2 | 4 | 16;
	t->flg_cmp = 2;
	if (p->invert)
		t->invflags |= XT_TCP_INV_FLAGS;
	return 1;
}

static void lower_tcp_option(struct xt_low *l, bool invert, uint8_t option)
{
	struct expr *there = expr_new(l->a, EXPR_EXTHDR, DT_BOOLEAN, ORDER_HOST, 8);

	if (there) {
		there->exthdr.op = NFT_EXTHDR_OP_TCPOPT;
		there->exthdr.type = option;
		there->exthdr.present = true;
	}
	low_match(l, invert, there, expr_u8(l->a, DT_BOOLEAN, 1));
}

static void tcp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_tcp *t = xt_data(xt_tcp, x);
	struct expr *flags = expr_field(l->a, "tcp", "flags");

	low_port(l, t->invflags & XT_TCP_INV_SRCPT, expr_field(l->a, "tcp", "sport"), t->spts[0], t->spts[1]);
	low_port(l, t->invflags & XT_TCP_INV_DSTPT, expr_field(l->a, "tcp", "dport"), t->dpts[0], t->dpts[1]);
	if (t->option)
		lower_tcp_option(l, t->invflags & XT_TCP_INV_OPTION, t->option);
	if (t->flg_mask || (t->invflags & XT_TCP_INV_FLAGS))
		low_match(l, t->invflags & XT_TCP_INV_FLAGS,
			  expr_binop(l->a, BINOP_AND, flags, expr_u8(l->a, DT_TCP_FLAG, t->flg_mask)),
			  expr_u8(l->a, DT_TCP_FLAG, t->flg_cmp));
}

const struct xt_codec xt_match_tcp_v0 = {
	.name = "tcp", .size = sizeof(struct xt_tcp), .opts = tcp_opts, .parse = tcp_parse, .lower = tcp_lower,
};

static const struct xt_opt udp_opts[] = {
	{ "sport", "source-port", &xt_range_colon, .off = offsetof(struct xt_udp, spts[0]), .size = 2,
	  XT_AT2(xt_udp, spts[1]), XT_INV(xt_udp, invflags, XT_UDP_INV_SRCPT), .blunt = true },
	{ "dport", "destination-port", &xt_range_colon, .off = offsetof(struct xt_udp, dpts[0]), .size = 2,
	  XT_AT2(xt_udp, dpts[1]), XT_INV(xt_udp, invflags, XT_UDP_INV_DSTPT), .blunt = true },
	XT_END,
};

static void udp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_udp *u = xt_data(xt_udp, x);

	low_port(l, u->invflags & XT_UDP_INV_SRCPT, expr_field(l->a, "udp", "sport"), u->spts[0], u->spts[1]);
	low_port(l, u->invflags & XT_UDP_INV_DSTPT, expr_field(l->a, "udp", "dport"), u->dpts[0], u->dpts[1]);
}

const struct xt_codec xt_match_udp_v0 = {
	.name = "udp", .size = sizeof(struct xt_udp), .opts = udp_opts, .lower = udp_lower,
};
