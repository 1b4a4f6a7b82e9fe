/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hmark - -j HMARK: a mark computed from addresses and ports */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_HMARK.h>

#include "nsutil/base/addr.h"
#include "nsutil/xt/type.h"

/* A prefix is kept as a mask; as iptables does it, the bits are counted when it is printed. */
static unsigned mask_len(const struct xt_opt *o, const struct xt_ext *x)
{
	const uint8_t *mask = (const uint8_t *)x->data + o->off;
	unsigned n = x->family == NFPROTO_IPV6 ? 16 : 4, len = 0;

	for (unsigned i = 0; i < n; i++)
		len += (unsigned)__builtin_popcount(mask[i]);
	return len;
}

static void prefix_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_chr(b, ' ');
	buf_uint(b, mask_len(o, x));
}

static void prefix_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_uint(j, key, mask_len(o, x));
}

/* A length, or a mask written out */
static int prefix_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	unsigned n = p->family == NFPROTO_IPV6 ? 16 : 4;
	uint8_t *mask = p->data + o->off;
	struct addr a;
	uint64_t len;

	if (strpbrk(p->args[0], ".:") && addr_parse(p->args[0], &a) == 0 && addr_len(&a) == n) {
		memcpy(mask, a.b, n);
		return 0;
	}
	if (xt_number(p, p->args[0], 0, n * 8, &len, e) < 0)
		return -1;
	memset(mask, 0, 16);
	for (unsigned i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return 0;
}

/* Numbers in network order but for the protocol's mask and the hash's start, in hex of their full width */
static uint32_t number(const struct xt_opt *o, const struct xt_ext *x)
{
	uint64_t v = xt_load(x->data, o->off, o->size);

	return o->min ? (uint32_t)v : o->size == 2 ? ntohs((uint16_t)v) : ntohl((uint32_t)v);
}

static void hex_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " 0x%0*x", o->min ? (int)o->min : o->size * 2, number(o, x));
}

static void hex_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_uint(j, key, number(o, x));
}

static int hex_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t v;

	if (xt_number(p, p->args[0], 0, o->size == 2 ? UINT16_MAX : UINT32_MAX, &v, e) < 0)
		return -1;
	if (!o->min)
		v = o->size == 2 ? htons((uint16_t)v) : htonl((uint32_t)v);
	xt_store(p->data, o->off, o->size, v);
	return 0;
}

/* "--hmark-tuple ct,src,..." is short for full masks; of it only "ct" has a bit of its own. */
static void tuple_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	(void)o;
	(void)x;
	buf_str(b, " ct");
}

static void tuple_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	(void)o;
	(void)x;
	json_str(j, key, "ct");
}

static const struct {
	const char *word;
	uint8_t off, size, flag;
} tuple_words[] = {
	{ "ct", 0, 0, XT_HMARK_CT },
	{ "src", offsetof(struct xt_hmark_info, src_mask), 16, XT_HMARK_SADDR_MASK },
	{ "dst", offsetof(struct xt_hmark_info, dst_mask), 16, XT_HMARK_DADDR_MASK },
	{ "sport", offsetof(struct xt_hmark_info, port_mask.p16.src), 2, XT_HMARK_SPORT_MASK },
	{ "dport", offsetof(struct xt_hmark_info, port_mask.p16.dst), 2, XT_HMARK_DPORT_MASK },
	{ "spi", offsetof(struct xt_hmark_info, port_mask.v32), 4, XT_HMARK_SPI_MASK },
	{ "proto", offsetof(struct xt_hmark_info, proto_mask), 2, XT_HMARK_PROTO_MASK },
};

static bool tuple_word(struct xt_hmark_info *h, const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(tuple_words) / sizeof(tuple_words[0]); i++) {
		if (strlen(tuple_words[i].word) != len || strncasecmp(tuple_words[i].word, word, len) != 0)
			continue;
		memset((uint8_t *)h + tuple_words[i].off, 0xff, tuple_words[i].size);
		h->flags |= XT_HMARK_FLAG(tuple_words[i].flag);
		return true;
	}
	return false;
}

static int tuple_parse(struct xt_parse *p, struct err *e)
{
	const char *s;

	if (strcmp(p->opt, "hmark-tuple") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "its value is missing");
	for (s = p->args[0];; s++) {
		size_t len = strcspn(s, ",");

		if (!tuple_word((struct xt_hmark_info *)p->data, s, len))
			return xt_bad(p, e, "'%.*s' is not known", (int)len, s);
		s += len;
		if (!*s)
			break;
	}
	p->used = 1;
	return 1;
}

static int tuple_table_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	(void)o;
	return tuple_parse(p, e) < 0 ? -1 : 0;
}

static int hmark_final(struct xt_parse *p, struct err *e)
{
	if (((struct xt_hmark_info *)p->data)->hmodulus)
		return 0;
	p->opt = "hmark-mod";
	return xt_bad(p, e, "a number above 0 is needed");
}

static const struct xt_type prefix = { 1, NULL, prefix_save, prefix_json, prefix_parse, NULL };
static const struct xt_type hex = { 1, NULL, hex_save, hex_json, hex_parse, NULL };
static const struct xt_type tuple = { 1, NULL, tuple_save, tuple_json, tuple_table_parse, NULL };

#define FLAG(flag) XT_SET(xt_hmark_info, flags, XT_HMARK_FLAG(flag))
#define IN_NETWORK_ORDER(name, m, flag) { name, NULL, &hex, XT_AT(xt_hmark_info, m), FLAG(flag) }
/* 'min' is the width that is printed */
#define IN_HOST_ORDER(name, m, flag, width) { name, NULL, &hex, XT_AT(xt_hmark_info, m), FLAG(flag), .min = width }

static const struct xt_opt opts[] = {
	{ "hmark-src-prefix", NULL, &prefix, XT_AT(xt_hmark_info, src_mask), FLAG(XT_HMARK_SADDR_MASK) },
	{ "hmark-dst-prefix", NULL, &prefix, XT_AT(xt_hmark_info, dst_mask), FLAG(XT_HMARK_DADDR_MASK) },
	IN_NETWORK_ORDER("hmark-sport-mask", port_mask.p16.src, XT_HMARK_SPORT_MASK),
	IN_NETWORK_ORDER("hmark-dport-mask", port_mask.p16.dst, XT_HMARK_DPORT_MASK),
	IN_NETWORK_ORDER("hmark-spi-mask", port_mask.v32, XT_HMARK_SPI_MASK),
	IN_NETWORK_ORDER("hmark-sport", port_set.p16.src, XT_HMARK_SPORT),
	IN_NETWORK_ORDER("hmark-dport", port_set.p16.dst, XT_HMARK_DPORT),
	IN_NETWORK_ORDER("hmark-spi", port_set.v32, XT_HMARK_SPI),
	IN_HOST_ORDER("hmark-proto-mask", proto_mask, XT_HMARK_PROTO_MASK, 2),
	IN_HOST_ORDER("hmark-rnd", hashrnd, XT_HMARK_RND, 8),
	{ "hmark-mod", NULL, &xt_uint, XT_AT(xt_hmark_info, hmodulus), FLAG(XT_HMARK_MODULUS), .min = 1 },
	{ "hmark-offset", NULL, &xt_uint, XT_AT(xt_hmark_info, hoffset), FLAG(XT_HMARK_OFFSET) },
	{ "hmark-tuple", NULL, &tuple, .size = 1, FLAG(XT_HMARK_CT) },
	XT_END,
};

const struct xt_codec xt_target_HMARK_v0 = {
	.name = "HMARK", .target = true, .goes_on = true, .size = sizeof(struct xt_hmark_info), .opts = opts,
	.parse = tuple_parse, .final = hmark_final, .unknown = "it sets the mark to a hash of the connection",
};
