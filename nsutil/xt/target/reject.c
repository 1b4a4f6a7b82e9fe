/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reject - -j REJECT: drop and say so */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv6/ip6t_REJECT.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* ICMP codes of each reject type (nf_reject_ipv4, ipt_REJECT.c); tcp-reset has none. */
struct reject_word {
	const char *name, *alias;
	uint32_t with;
	uint8_t code;
};

static const struct reject_word words4[] = {
	{ "icmp-net-unreachable", "net-unreach", IPT_ICMP_NET_UNREACHABLE, ICMP_NET_UNREACH },
	{ "icmp-host-unreachable", "host-unreach", IPT_ICMP_HOST_UNREACHABLE, ICMP_HOST_UNREACH },
	{ "icmp-proto-unreachable", "proto-unreach", IPT_ICMP_PROT_UNREACHABLE, ICMP_PROT_UNREACH },
	{ "icmp-port-unreachable", "port-unreach", IPT_ICMP_PORT_UNREACHABLE, ICMP_PORT_UNREACH },
	{ "icmp-net-prohibited", "net-prohib", IPT_ICMP_NET_PROHIBITED, ICMP_NET_ANO },
	{ "icmp-host-prohibited", "host-prohib", IPT_ICMP_HOST_PROHIBITED, ICMP_HOST_ANO },
	{ "tcp-reset", "tcp-rst", IPT_TCP_RESET, 0 },
	{ "icmp-admin-prohibited", "admin-prohib", IPT_ICMP_ADMIN_PROHIBITED, ICMP_PKT_FILTERED },
	{ NULL, NULL, 0, 0 },
};

static const struct reject_word words6[] = {
	{ "icmp6-no-route", "no-route", IP6T_ICMP6_NO_ROUTE, ICMPV6_NOROUTE },
	{ "icmp6-adm-prohibited", "adm-prohibited", IP6T_ICMP6_ADM_PROHIBITED, ICMPV6_ADM_PROHIBITED },
	{ "icmp6-addr-unreachable", "addr-unreach", IP6T_ICMP6_ADDR_UNREACH, ICMPV6_ADDR_UNREACH },
	{ "icmp6-port-unreachable", "port-unreach", IP6T_ICMP6_PORT_UNREACH, ICMPV6_PORT_UNREACH },
	{ "tcp-reset", "tcp-reset", IP6T_TCP_RESET, 0 },
	{ "icmp6-policy-fail", "policy-fail", IP6T_ICMP6_POLICY_FAIL, ICMPV6_POLICY_FAIL },
	{ "icmp6-reject-route", "reject-route", IP6T_ICMP6_REJECT_ROUTE, ICMPV6_REJECT_ROUTE },
	{ NULL, NULL, 0, 0 },
};

static const struct reject_word *words_of(uint8_t family)
{
	return family == NFPROTO_IPV6 ? words6 : words4;
}

static const struct reject_word *word_of(const struct xt_ext *x)
{
	uint32_t with = (uint32_t)xt_load(x->data, 0, 4);

	for (const struct reject_word *w = words_of(x->family); w->name; w++)
		if (w->with == with)
			return w;
	return NULL;
}

static void with_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const struct reject_word *w = word_of(x);

	buf_chr(b, ' ');
	if (w)
		buf_str(b, w->name);
	else
		buf_uint(b, xt_load(x->data, o->off, 4));
}

static void with_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const struct reject_word *w = word_of(x);

	if (w)
		json_str(j, key, w->name);
	else
		json_uint(j, key, xt_load(x->data, o->off, 4));
}

/* Any beginning of a name of at least four letters, as iptables reads it. */
static int with_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const char *text = p->args[0];

	for (const struct reject_word *w = words_of(p->family); w->name; w++) {
		if (strcasecmp(w->name, text) == 0 || strcasecmp(w->alias, text) == 0) {
			xt_store(p->data, o->off, 4, w->with);
			return 0;
		}
	}
	return xt_bad(p, e, "'%s' is not known", text);
}

static const struct xt_type reject_with = { 1, NULL, with_save, with_json, with_parse, NULL };

static const struct xt_opt reject_opts[] = {
	{ "reject-with", NULL, &reject_with, .size = 4, .always = true },
	XT_END,
};

static void reject_init(uint8_t *data, uint8_t family)
{
	xt_store(data, 0, 4, family == NFPROTO_IPV6 ? (uint64_t)IP6T_ICMP6_PORT_UNREACH : IPT_ICMP_PORT_UNREACHABLE);
}

static void reject_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct reject_word *w = word_of(x);
	struct stmt *s = stmt_new(l->a, STMT_REJECT);

	if (!w) {
		l->why = "its kind is not known";
		return;
	}
	if (s) {
		s->reject.kind = x->family == NFPROTO_IPV6 ? REJECT_ICMP6 : REJECT_ICMP;
		s->reject.code = w->code;
		if (w->name[0] == 't')
			s->reject.kind = REJECT_TCP_RST;
	}
	low_add(l, s);
}

const struct xt_codec xt_target_REJECT_v0 = {
	.name = "REJECT", .target = true, .size = sizeof(struct ipt_reject_info), .opts = reject_opts,
	.init = reject_init, .lower = reject_lower,
};
