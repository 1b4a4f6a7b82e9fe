/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipv6header - -m ipv6header: which IPv6 extension headers are there */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_ipv6header.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* In the order in which iptables prints them; the second names are read only. */
static const struct xt_word headers[] = {
	{ "hop-by-hop", MASK_HOPOPTS }, { "protocol", MASK_PROTO }, { "ipv6-nonxt", MASK_NONE },
	{ "ipv6-opts", MASK_DSTOPTS }, { "ipv6-route", MASK_ROUTING }, { "ipv6-frag", MASK_FRAGMENT },
	{ "ah", MASK_AH }, { "esp", MASK_ESP }, { NULL, 0 },
};

static const struct xt_word other_names[] = {
	{ "hop", MASK_HOPOPTS }, { "dst", MASK_DSTOPTS }, { "route", MASK_ROUTING }, { "frag", MASK_FRAGMENT },
	{ "auth", MASK_AH }, { "none", MASK_NONE }, { "prot", MASK_PROTO }, { "0", MASK_HOPOPTS },
	{ "60", MASK_DSTOPTS }, { "43", MASK_ROUTING }, { "44", MASK_FRAGMENT }, { "51", MASK_AH },
	{ "50", MASK_ESP }, { "59", MASK_NONE }, { "proto", MASK_PROTO }, { NULL, 0 },
};

static const char *word_of(unsigned bit)
{
	const char *name = xt_word_name(headers, bit);

	return name ? name : "?";
}

static void header_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	unsigned flags = (unsigned)xt_load(x->data, o->off, 1);
	char sep = ' ';

	for (unsigned bit = 0x80; bit; bit >>= 1) {
		if (!(flags & bit))
			continue;
		buf_fmt(b, "%c%s", sep, word_of(bit));
		sep = ',';
	}
}

static void header_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	unsigned flags = (unsigned)xt_load(x->data, o->off, 1);

	json_begin_array(j, key);
	for (unsigned bit = 0x80; bit; bit >>= 1)
		if (flags & bit)
			json_str(j, NULL, word_of(bit));
	json_end_array(j);
}

static int header_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	unsigned flags = 0;

	for (const char *s = p->args[0];; s++) {
		size_t len = strcspn(s, ",");
		const struct xt_word *w = xt_find_word(headers, s, len);

		if (!w)
			w = xt_find_word(other_names, s, len);
		if (!w)
			return xt_bad(p, e, "'%.*s' is no header", (int)len, s);
		flags |= w->value;
		s += len;
		if (!*s)
			break;
	}
	xt_store(p->data, o->off, 1, flags);
	if (p->invert)
		xt_store(p->data, offsetof(struct ip6t_ipv6header_info, invflags), 1, 0xff);
	return 0;
}

static const struct xt_type header_type = { 1, NULL, header_save, header_json, header_parse, NULL };

static const struct xt_opt ipv6header_opts[] = {
	{ "header", NULL, &header_type, XT_AT(ip6t_ipv6header_info, matchflags),
	  XT_INV(ip6t_ipv6header_info, invflags, 0xff), .always = true },
	{ "soft", NULL, &xt_flag, XT_SET(ip6t_ipv6header_info, modeflag, 0xff) },
	XT_END,
};

const struct xt_codec xt_match_ipv6header_v0 = {
	.name = "ipv6header", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_ipv6header_info),
	.opts = ipv6header_opts, .unknown = "the extension headers of the packet decide",
};
