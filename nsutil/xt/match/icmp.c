/* SPDX-License-Identifier: GPL-2.0-or-later */
/* icmp - -m icmp, -m icmp6: type and code */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdio.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Both families have the same structure: type, code from-to, inversion. */
_Static_assert(sizeof(struct ipt_icmp) == sizeof(struct ip6t_icmp), "icmp and icmp6 are alike");

#define ANY_TYPE 0xff

struct icmp_name {
	const char *name;
	uint8_t type, from, to; /* of codes */
};

/* icmp(4) and RFC 792 names that iptables reads; it prints numbers. */
static const struct icmp_name names4[] = {
	{ "any", 0xff, 0, 0xff }, { "echo-reply", 0, 0, 0xff }, { "pong", 0, 0, 0xff },
	{ "destination-unreachable", 3, 0, 0xff }, { "network-unreachable", 3, 0, 0 },
	{ "host-unreachable", 3, 1, 1 }, { "protocol-unreachable", 3, 2, 2 },
	{ "port-unreachable", 3, 3, 3 }, { "fragmentation-needed", 3, 4, 4 },
	{ "source-route-failed", 3, 5, 5 }, { "network-unknown", 3, 6, 6 }, { "host-unknown", 3, 7, 7 },
	{ "network-prohibited", 3, 9, 9 }, { "host-prohibited", 3, 10, 10 },
	{ "TOS-network-unreachable", 3, 11, 11 }, { "TOS-host-unreachable", 3, 12, 12 },
	{ "communication-prohibited", 3, 13, 13 }, { "host-precedence-violation", 3, 14, 14 },
	{ "precedence-cutoff", 3, 15, 15 }, { "source-quench", 4, 0, 0xff }, { "redirect", 5, 0, 0xff },
	{ "network-redirect", 5, 0, 0 }, { "host-redirect", 5, 1, 1 }, { "TOS-network-redirect", 5, 2, 2 },
	{ "TOS-host-redirect", 5, 3, 3 }, { "echo-request", 8, 0, 0xff }, { "ping", 8, 0, 0xff },
	{ "router-advertisement", 9, 0, 0xff }, { "router-solicitation", 10, 0, 0xff },
	{ "time-exceeded", 11, 0, 0xff }, { "ttl-exceeded", 11, 0, 0xff },
	{ "ttl-zero-during-transit", 11, 0, 0 }, { "ttl-zero-during-reassembly", 11, 1, 1 },
	{ "parameter-problem", 12, 0, 0xff }, { "ip-header-bad", 12, 0, 0 },
	{ "required-option-missing", 12, 1, 1 }, { "timestamp-request", 13, 0, 0xff },
	{ "timestamp-reply", 14, 0, 0xff }, { "address-mask-request", 17, 0, 0xff },
	{ "address-mask-reply", 18, 0, 0xff }, { NULL, 0, 0, 0 },
};

static const struct icmp_name names6[] = {
	{ "destination-unreachable", 1, 0, 0xff }, { "no-route", 1, 0, 0 },
	{ "communication-prohibited", 1, 1, 1 }, { "beyond-scope", 1, 2, 2 },
	{ "address-unreachable", 1, 3, 3 }, { "port-unreachable", 1, 4, 4 }, { "failed-policy", 1, 5, 5 },
	{ "reject-route", 1, 6, 6 }, { "packet-too-big", 2, 0, 0xff }, { "time-exceeded", 3, 0, 0xff },
	{ "ttl-exceeded", 3, 0, 0xff }, { "ttl-zero-during-transit", 3, 0, 0 },
	{ "ttl-zero-during-reassembly", 3, 1, 1 }, { "parameter-problem", 4, 0, 0xff },
	{ "bad-header", 4, 0, 0 }, { "unknown-header-type", 4, 1, 1 }, { "unknown-option", 4, 2, 2 },
	{ "echo-request", 128, 0, 0xff }, { "ping", 128, 0, 0xff }, { "echo-reply", 129, 0, 0xff },
	{ "pong", 129, 0, 0xff }, { "mld-listener-query", 130, 0, 0xff },
	{ "mld-listener-report", 131, 0, 0xff }, { "mld-listener-done", 132, 0, 0xff },
	{ "mld-listener-reduction", 132, 0, 0xff }, { "router-solicitation", 133, 0, 0xff },
	{ "router-advertisement", 134, 0, 0xff }, { "neighbour-solicitation", 135, 0, 0xff },
	{ "neighbor-solicitation", 135, 0, 0xff }, { "neighbour-advertisement", 136, 0, 0xff },
	{ "neighbor-advertisement", 136, 0, 0xff }, { "redirect", 137, 0, 0xff }, { NULL, 0, 0, 0 },
};

static bool any_type(const struct xt_ext *x)
{
	return x->family == NFPROTO_IPV4 && xt_data(ipt_icmp, x)->type == ANY_TYPE;
}

static bool all_codes(const struct ipt_icmp *i)
{
	return i->code[0] == 0 && i->code[1] == 0xff;
}

static void type_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const struct ipt_icmp *i = xt_data(ipt_icmp, x);

	(void)o;
	if (any_type(x)) {
		buf_str(b, " any");
		return;
	}
	buf_fmt(b, " %u", i->type);
	if (!all_codes(i))
		buf_fmt(b, "/%u", i->code[0]);
}

static void type_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const struct ipt_icmp *i = xt_data(ipt_icmp, x);

	(void)o;
	json_begin_object(j, key);
	if (any_type(x))
		json_str(j, "type", "any");
	else
		json_uint(j, "type", i->type);
	if (!all_codes(i))
		json_uint(j, "code", i->code[0]);
	json_end_object(j);
}

static int type_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const struct icmp_name *n = p->family == NFPROTO_IPV6 ? names6 : names4;
	struct ipt_icmp *i = (struct ipt_icmp *)p->data;
	uint64_t type, code;
	const char *rest;

	(void)o;
	for (; n->name; n++) {
		if (strcasecmp(n->name, p->args[0]) == 0) {
			*i = (struct ipt_icmp){ n->type, { n->from, n->to }, i->invflags };
			return 0;
		}
	}
	if (xt_number_upto(p, p->args[0], "/", 255, &type, &rest, e) < 0)
		return -1;
	*i = (struct ipt_icmp){ (uint8_t)type, { 0, 0xff }, i->invflags };
	if (!*rest)
		return 0;
	if (xt_number(p, rest + 1, 0, 255, &code, e) < 0)
		return -1;
	i->code[0] = i->code[1] = (uint8_t)code;
	return 0;
}

static void icmp_init(uint8_t *data, uint8_t family)
{
	struct ipt_icmp *i = (struct ipt_icmp *)data;

	i->type = family == NFPROTO_IPV4 ? ANY_TYPE : 0;
	i->code[1] = 0xff;
}

static const struct xt_type icmp_type = { 1, NULL, type_save, type_json, type_parse, NULL };

static const struct xt_opt icmp_opts[] = {
	{ "icmp-type", NULL, &icmp_type, .size = 3, XT_INV(ipt_icmp, invflags, IPT_ICMP_INV) },
	XT_END,
};

static const struct xt_opt icmp6_opts[] = {
	{ "icmpv6-type", NULL, &icmp_type, .size = 3, XT_INV(ip6t_icmp, invflags, IP6T_ICMP_INV) },
	XT_END,
};

/* With a code, negation means: not this type with this code (icmp_type_code_match in the kernel). */
static void icmp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct ipt_icmp *i = xt_data(ipt_icmp, x);
	bool v6 = x->family == NFPROTO_IPV6, invert = i->invflags & IPT_ICMP_INV;
	const char *protocol = v6 ? "icmpv6" : "icmp";
	struct expr *code = expr_u8(l->a, v6 ? DT_ICMPV6_CODE : DT_ICMP_CODE, i->code[0]);
	struct xt_low in = { .a = l->a, .family = l->family };
	struct xt_low *to = l;

	if (any_type(x)) {
		if (invert)
			low_never(l);
		return;
	}
	in.tail = &in.head;
	if (invert && !all_codes(i))
		to = &in;
	low_match(to, invert && to == l, expr_field(l->a, protocol, "type"),
		  expr_u8(l->a, v6 ? DT_ICMPV6_TYPE : DT_ICMP_TYPE, i->type));
	if (all_codes(i))
		return;
	if (i->code[0] != i->code[1])
		code = expr_range(l->a, code, expr_u8(l->a, v6 ? DT_ICMPV6_CODE : DT_ICMP_CODE, i->code[1]));
	low_match(to, false, expr_field(l->a, protocol, "code"), code);
	if (to == &in)
		low_not(l, &in);
}

const struct xt_codec xt_match_icmp_v0 = {
	.name = "icmp", .family = NFPROTO_IPV4, .size = sizeof(struct ipt_icmp), .opts = icmp_opts,
	.init = icmp_init, .lower = icmp_lower,
};

const struct xt_codec xt_match_icmp6_v0 = {
	.name = "icmp6", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_icmp), .opts = icmp6_opts,
	.init = icmp_init, .lower = icmp_lower,
};
