/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opts - -m dst, -m hbh: IPv6 destination and hop-by-hop options */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_opts.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Each entry is an option's number in the upper byte and its length in the lower; 255: any length. */
static void list_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const struct ip6t_opts *h = xt_data(ip6t_opts, x);

	(void)o;
	for (unsigned i = 0; i < h->optsnr && i < IP6T_OPTS_OPTSNR; i++) {
		buf_fmt(b, "%c%u", i ? ',' : ' ', h->opts[i] >> 8);
		if ((h->opts[i] & 0xff) != 0xff)
			buf_fmt(b, ":%u", h->opts[i] & 0xff);
	}
}

static void list_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const struct ip6t_opts *h = xt_data(ip6t_opts, x);

	(void)o;
	json_begin_array(j, key);
	for (unsigned i = 0; i < h->optsnr && i < IP6T_OPTS_OPTSNR; i++) {
		json_begin_object(j, NULL);
		json_uint(j, "option", h->opts[i] >> 8);
		if ((h->opts[i] & 0xff) != 0xff)
			json_uint(j, "len", h->opts[i] & 0xff);
		json_end_object(j);
	}
	json_end_array(j);
}

static int list_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct ip6t_opts *h = (struct ip6t_opts *)p->data;
	const char *s = p->args[0];

	(void)o;
	for (;; s++) {
		uint64_t number, len = 0xff;

		if (h->optsnr == IP6T_OPTS_OPTSNR)
			return xt_bad(p, e, "at most %d options", IP6T_OPTS_OPTSNR);
		if (xt_number_upto(p, s, ":,", 255, &number, &s, e) < 0)
			return -1;
		if (*s == ':' && xt_number_upto(p, s + 1, ",", 254, &len, &s, e) < 0)
			return -1;
		h->opts[h->optsnr++] = (uint16_t)(number << 8 | len);
		if (!*s)
			return 0;
	}
}

static const struct xt_type option_list = { 1, NULL, list_save, list_json, list_parse, NULL };

#define HEADER_OPTS(prefix)                                                                                \
	{                                                                                                  \
		{ prefix "-len", NULL, &xt_uint, XT_AT(ip6t_opts, hdrlen),                                 \
		  XT_SET(ip6t_opts, flags, IP6T_OPTS_LEN), XT_INV(ip6t_opts, invflags, IP6T_OPTS_INV_LEN) }, \
		{ prefix "-opts", NULL, &option_list, .size = sizeof(uint16_t),                            \
		  XT_SET(ip6t_opts, flags, IP6T_OPTS_OPTS) },                                              \
		{ prefix "-not-strict", NULL, &xt_flag, XT_SET(ip6t_opts, flags, IP6T_OPTS_NSTRICT) },     \
		XT_END,                                                                                    \
	}

static const struct xt_opt dst_opts[] = HEADER_OPTS("dst");
static const struct xt_opt hbh_opts[] = HEADER_OPTS("hbh");

static void opts_lower(struct xt_low *l, const struct xt_ext *x, uint8_t number)
{
	const struct ip6t_opts *o = xt_data(ip6t_opts, x);

	if (o->flags & (IP6T_OPTS_OPTS | IP6T_OPTS_NSTRICT)) {
		l->why = "the extension headers of the packet decide";
		return;
	}
	if (o->flags & IP6T_OPTS_LEN)
		low_v6hdr_len(l, o->invflags & IP6T_OPTS_INV_LEN, number, o->hdrlen);
	low_v6hdr_there(l, number);
}

static void dst_lower(struct xt_low *l, const struct xt_ext *x)
{
	opts_lower(l, x, 60);
}

static void hbh_lower(struct xt_low *l, const struct xt_ext *x)
{
	opts_lower(l, x, 0);
}

#define HEADER                                                                                             \
	.family = NFPROTO_IPV6, .size = sizeof(struct ip6t_opts)

const struct xt_codec xt_match_dst_v0 = { .name = "dst", HEADER, .opts = dst_opts, .lower = dst_lower };
const struct xt_codec xt_match_hbh_v0 = { .name = "hbh", HEADER, .opts = hbh_opts, .lower = hbh_lower };
