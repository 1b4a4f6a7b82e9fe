/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dscp - words and masks of the traffic class, for matches and targets */
#include "nsutil/xt/dscp.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

static void value_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " 0x%02x", (unsigned)xt_load(x->data, o->off, 1));
}

static void value_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_uint.json(o, x, j, key);
}

static int value_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return xt_uint.parse(o, p, e);
}

const struct xt_type xt_dscp_value = { 1, NULL, value_save, value_json, value_parse, NULL };

/* RFC 2474, 2597, 3246 */
static const struct xt_word classes[] = {
	{ "CS0", 0x00 }, { "CS1", 0x08 }, { "CS2", 0x10 }, { "CS3", 0x18 }, { "CS4", 0x20 }, { "CS5", 0x28 },
	{ "CS6", 0x30 }, { "CS7", 0x38 }, { "BE", 0x00 }, { "AF11", 0x0a }, { "AF12", 0x0c }, { "AF13", 0x0e },
	{ "AF21", 0x12 }, { "AF22", 0x14 }, { "AF23", 0x16 }, { "AF31", 0x1a }, { "AF32", 0x1c },
	{ "AF33", 0x1e }, { "AF41", 0x22 }, { "AF42", 0x24 }, { "AF43", 0x26 }, { "EF", 0x2e }, { NULL, 0 },
};

static int class_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const struct xt_word *w = xt_find_word(classes, p->args[0], strlen(p->args[0]));

	if (!w)
		return xt_bad(p, e, "'%s' is no class: CS0-CS7, AF11-AF43, EF, BE", p->args[0]);
	xt_store(p->data, o->off, 1, w->value);
	return 0;
}

const struct xt_type xt_dscp_class = { .words = 1, .parse = class_parse };

/* RFC 1349; iptables reads these names with the mask 0x3f. */
static const struct xt_word names[] = {
	{ "Minimize-Delay", 0x10 }, { "Maximize-Throughput", 0x08 }, { "Maximize-Reliability", 0x04 },
	{ "Minimize-Cost", 0x02 }, { "Normal-Service", 0x00 }, { NULL, 0 },
};

static void mask_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " 0x%02x/0x%02x", (unsigned)xt_load(x->data, o->off, 1),
		(unsigned)xt_load(x->data, o->off2, 1));
}

static void mask_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_mark.json(o, x, j, key);
}

static int mask_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const struct xt_word *w = xt_find_word(names, p->args[0], strlen(p->args[0]));

	if (!w)
		return xt_mark.parse(o, p, e);
	xt_store(p->data, o->off, 1, w->value);
	xt_store(p->data, o->off2, 1, 0x3f);
	return 0;
}

const struct xt_type xt_tos_mask = { 1, NULL, mask_save, mask_json, mask_parse, NULL };

struct expr *low_tos(struct xt_low *l)
{
	bool v6 = l->family == NFPROTO_IPV6;

	return expr_payload(l->a, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 0 : 8, v6 ? 16 : 8, NULL);
}

struct expr *low_tos_bits(struct xt_low *l, uint8_t bits)
{
	return l->family == NFPROTO_IPV6 ? expr_be16(l->a, DT_INTEGER, (uint16_t)(bits << 4)) :
					   expr_u8(l->a, DT_INTEGER, bits);
}
