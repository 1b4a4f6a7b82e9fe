/* SPDX-License-Identifier: GPL-2.0-or-later */
/* npt - -j SNPT, -j DNPT: exchange the prefix of an IPv6 address */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_NPT.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#include "nsutil/base/addr.h"

static void prefix_text(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	struct addr a = addr_from(AF_INET6, (const uint8_t *)x->data + o->off);
	char text[ADDR_TEXT];

	buf_fmt(b, "%s/%u", addr_fmt(&a, text), (unsigned)xt_load(x->data, o->off2, 1));
}

static void prefix_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_chr(b, ' ');
	prefix_text(o, x, b);
}

static void prefix_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	prefix_text(o, x, &b);
	json_str(j, key, buf_cstr(&b));
}

static int prefix_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct addr a;
	unsigned len;

	if (addr_parse_prefix(p->args[0], &a, &len) < 0 || a.family != AF_INET6 || len > 64)
		return xt_bad(p, e, "'%s' is not an IPv6 prefix of at most 64 bits", p->args[0]);
	memcpy(p->data + o->off, a.b, 16);
	p->data[o->off2] = (uint8_t)len;
	return 0;
}

static const struct xt_type prefix_type = { 1, NULL, prefix_save, prefix_json, prefix_parse, NULL };

static const struct xt_opt npt_opts[] = {
	{ "src-pfx", NULL, &prefix_type, XT_AT(ip6t_npt_tginfo, src_pfx), XT_AT2(ip6t_npt_tginfo, src_pfx_len),
	  .always = true },
	{ "dst-pfx", NULL, &prefix_type, XT_AT(ip6t_npt_tginfo, dst_pfx), XT_AT2(ip6t_npt_tginfo, dst_pfx_len),
	  .always = true },
	XT_END,
};

#define NPT                                                                                                \
	.family = NFPROTO_IPV6, .target = true, .goes_on = true, .size = sizeof(struct ip6t_npt_tginfo),   \
	.opts = npt_opts, .unknown = "it exchanges the prefix of an address without conntrack"

const struct xt_codec xt_target_SNPT_v0 = { .name = "SNPT", NPT };
const struct xt_codec xt_target_DNPT_v0 = { .name = "DNPT", NPT };
