/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rt - -m rt: the IPv6 routing header */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_rt.h>
#include <sys/socket.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#include "nsutil/base/addr.h"

static const char *hop(const struct ip6t_rt *rt, unsigned i, char text[ADDR_TEXT])
{
	struct addr a = addr_from(AF_INET6, &rt->addrs[i]);

	return addr_fmt(&a, text);
}

static void hops_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const struct ip6t_rt *rt = xt_data(ip6t_rt, x);
	char text[ADDR_TEXT];

	(void)o;
	for (unsigned i = 0; i < rt->addrnr && i < IP6T_RT_HOPS; i++)
		buf_fmt(b, "%c%s", i ? ',' : ' ', hop(rt, i, text));
}

static void hops_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const struct ip6t_rt *rt = xt_data(ip6t_rt, x);
	char text[ADDR_TEXT];

	(void)o;
	json_begin_array(j, key);
	for (unsigned i = 0; i < rt->addrnr && i < IP6T_RT_HOPS; i++)
		json_str(j, NULL, hop(rt, i, text));
	json_end_array(j);
}

static int hops_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct ip6t_rt *rt = (struct ip6t_rt *)p->data;

	(void)o;
	for (const char *s = p->args[0];; s++) {
		size_t len = strcspn(s, ",");
		char text[ADDR_TEXT] = "";
		struct addr a;

		if (rt->addrnr == IP6T_RT_HOPS)
			return xt_bad(p, e, "at most %d addresses", IP6T_RT_HOPS);
		if (len < sizeof(text))
			memcpy(text, s, len);
		if (addr_parse(text, &a) < 0 || a.family != AF_INET6)
			return xt_bad(p, e, "'%.*s' is not an IPv6 address", (int)len, s);
		memcpy(&rt->addrs[rt->addrnr++], a.b, 16);
		s += len;
		if (!*s)
			return 0;
	}
}

static const struct xt_type hop_list = { 1, NULL, hops_save, hops_json, hops_parse, NULL };

static const struct xt_opt rt_opts[] = {
	{ "rt-type", NULL, &xt_uint, XT_AT(ip6t_rt, rt_type), XT_SET(ip6t_rt, flags, IP6T_RT_TYP),
	  XT_INV(ip6t_rt, invflags, IP6T_RT_INV_TYP) },
	{ "rt-segsleft", NULL, &xt_span_colon, XT_AT(ip6t_rt, segsleft[0]), XT_AT2(ip6t_rt, segsleft[1]),
	  XT_SET(ip6t_rt, flags, IP6T_RT_SGS), XT_INV(ip6t_rt, invflags, IP6T_RT_INV_SGS), .blunt = true },
	{ "rt-len", NULL, &xt_uint, XT_AT(ip6t_rt, hdrlen), XT_SET(ip6t_rt, flags, IP6T_RT_LEN),
	  XT_INV(ip6t_rt, invflags, IP6T_RT_INV_LEN) },
	{ "rt-0-res", NULL, &xt_flag, XT_SET(ip6t_rt, flags, IP6T_RT_RES) },
	{ "rt-0-addrs", NULL, &hop_list, .size = 16, XT_SET(ip6t_rt, flags, IP6T_RT_FST) },
	{ "rt-0-not-strict", NULL, &xt_flag, XT_SET(ip6t_rt, flags, IP6T_RT_FST_NSTRICT) },
	XT_END,
};

static void rt_init(uint8_t *data, uint8_t family)
{
	(void)family;
	((struct ip6t_rt *)data)->segsleft[1] = UINT32_MAX; /* iptables prints what is less than all */
}

#define ROUTING 43

static void rt_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct ip6t_rt *r = xt_data(ip6t_rt, x);

	if (r->flags & (IP6T_RT_RES | IP6T_RT_FST | IP6T_RT_FST_NSTRICT)) {
		l->why = "the routing header of the packet decides";
		return;
	}
	if (r->flags & IP6T_RT_TYP)
		low_v6hdr_cmp(l, r->invflags & IP6T_RT_INV_TYP, ROUTING, 16, 8, r->rt_type);
	low_v6hdr_range(l, r->invflags & IP6T_RT_INV_SGS, ROUTING, 24, 8, r->segsleft);
	if (r->flags & IP6T_RT_LEN)
		low_v6hdr_len(l, r->invflags & IP6T_RT_INV_LEN, ROUTING, r->hdrlen);
	low_v6hdr_there(l, ROUTING);
}

const struct xt_codec xt_match_rt_v0 = {
	.name = "rt", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_rt), .opts = rt_opts,
	.init = rt_init, .lower = rt_lower,
};
