/* SPDX-License-Identifier: GPL-2.0-or-later */
/* type - kinds of option values: how each is printed, given in JSON, and read */
#include "nsutil/xt/type.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <sys/socket.h>

#include "nsutil/base/addr.h"

static const uint8_t *at(const struct xt_ext *x, unsigned off)
{
	return (const uint8_t *)x->data + off;
}

uint64_t xt_load(const void *data, unsigned off, unsigned size)
{
	const uint8_t *p = (const uint8_t *)data + off;
	uint64_t v64 = 0;

	memcpy(&v64, p, size <= 8 ? size : 8); /* little-endian: see expr.c */
	return v64;
}

void xt_store(void *data, unsigned off, unsigned size, uint64_t v)
{
	memcpy((uint8_t *)data + off, &v, size <= 8 ? size : 8);
}

static uint64_t value(const struct xt_opt *o, const struct xt_ext *x)
{
	return xt_load(x->data, o->off, o->size);
}

static uint64_t value2(const struct xt_opt *o, const struct xt_ext *x)
{
	return xt_load(x->data, o->off2, o->size);
}

static uint64_t most(const struct xt_opt *o)
{
	if (o->max)
		return o->max;
	return o->size >= 8 ? UINT64_MAX : (UINT64_C(1) << (o->size * 8)) - 1;
}

static void default_init(const struct xt_opt *o, uint8_t *data)
{
	xt_store(data, o->off, o->size, o->dflt);
}

/* flag */

static void flag_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	(void)o;
	(void)x;
	json_bool(j, key, true);
}

static int flag_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	(void)o;
	(void)p;
	(void)e;
	return 0;
}

static bool never_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return !o->set.size && !xt_opt_inverted(o, x);
}

const struct xt_type xt_flag = { .absent = never_absent, .json = flag_json, .parse = flag_parse };

/* numbers */

static bool number_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return (!o->set.size || o->sparse) && value(o, x) == o->dflt;
}

static void uint_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_chr(b, ' ');
	buf_uint(b, value(o, x));
}

static void hex_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " 0x%llx", (unsigned long long)value(o, x));
}

static void uint_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_uint(j, key, value(o, x));
}

static int uint_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t v;

	if (xt_number(p, p->args[0], o->min, most(o), &v, e) < 0)
		return -1;
	xt_store(p->data, o->off, o->size, v);
	return 0;
}

const struct xt_type xt_uint = { 1, number_absent, uint_save, uint_json, uint_parse, default_init };
const struct xt_type xt_hex = { 1, number_absent, hex_save, uint_json, uint_parse, default_init };

static uint16_t be16(const struct xt_opt *o, const struct xt_ext *x)
{
	return be16toh((uint16_t)value(o, x));
}

static void be16_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_chr(b, ' ');
	buf_uint(b, be16(o, x));
}

static void be16_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_uint(j, key, be16(o, x));
}

static int be16_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint16_t port;

	if (xt_port(p, p->args[0], &port, e) < 0)
		return -1;
	xt_store(p->data, o->off, 2, htobe16(port));
	return 0;
}

const struct xt_type xt_be16 = { 1, number_absent, be16_save, be16_json, be16_parse, NULL };

/* pairs */

static void pair_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b, char sep)
{
	buf_chr(b, ' ');
	buf_uint(b, value(o, x));
	if (value(o, x) != value2(o, x)) {
		buf_chr(b, sep);
		buf_uint(b, value2(o, x));
	}
}

static void range_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	pair_save(o, x, b, '-');
}

static void colon_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	pair_save(o, x, b, ':');
}

static void pair_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	if (value(o, x) == value2(o, x)) {
		json_uint(j, key, value(o, x));
		return;
	}
	json_begin_object(j, key);
	json_begin_array(j, "range");
	json_uint(j, NULL, value(o, x));
	json_uint(j, NULL, value2(o, x));
	json_end_array(j);
	json_end_object(j);
}

/* The ends may stand the wrong way round: the tools take that of most extensions, and it matches nothing. */
static void pair_store(const struct xt_opt *o, struct xt_parse *p, uint64_t from, uint64_t to)
{
	xt_store(p->data, o->off, o->size, from);
	xt_store(p->data, o->off2, o->size, to);
}

static int range_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t from, to;

	if (xt_number_pair(p, p->args[0], '-', false, most(o), &from, &to, e) < 0)
		return -1;
	pair_store(o, p, from, to);
	return 0;
}

static int colon_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t from, to;

	if (xt_number_pair(p, p->args[0], ':', true, most(o), &from, &to, e) < 0)
		return -1;
	pair_store(o, p, from, to);
	return 0;
}

static bool colon_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return !o->set.size && value(o, x) == o->min && value2(o, x) == most(o);
}

static void colon_init(const struct xt_opt *o, uint8_t *data)
{
	xt_store(data, o->off, o->size, o->min);
	xt_store(data, o->off2, o->size, most(o));
}

const struct xt_type xt_range = { 1, NULL, range_save, pair_json, range_parse, NULL };
const struct xt_type xt_range_colon = { 1, colon_absent, colon_save, pair_json, colon_parse, colon_init };
const struct xt_type xt_span_colon = { 1, NULL, colon_save, pair_json, colon_parse, NULL };

/* value and mask */

static void mark_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	uint32_t mask = (uint32_t)value2(o, x);

	buf_fmt(b, " 0x%x", (unsigned)value(o, x));
	if (mask != UINT32_MAX)
		buf_fmt(b, "/0x%x", mask);
}

static void mark_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_begin_object(j, key);
	json_uint(j, "value", value(o, x));
	json_uint(j, "mask", value2(o, x));
	json_end_object(j);
}

static int mark_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t v, mask = most(o);
	const char *rest;

	if (xt_number_upto(p, p->args[0], "/", most(o), &v, &rest, e) < 0)
		return -1;
	if (*rest == '/' && xt_number(p, rest + 1, 0, most(o), &mask, e) < 0)
		return -1;
	xt_store(p->data, o->off, o->size, v);
	xt_store(p->data, o->off2, o->size, mask);
	return 0;
}

const struct xt_type xt_mark = { 1, NULL, mark_save, mark_json, mark_parse, NULL };

/* text */

static bool text_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return !o->set.size && *at(x, o->off) == '\0';
}

static void string_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_save_string((const char *)at(x, o->off), o->size, b);
}

static void name_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const char *s = (const char *)at(x, o->off);

	buf_chr(b, ' ');
	buf_add(b, s, strnlen(s, o->size));
}

static void text_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const char *s = (const char *)at(x, o->off);

	json_strn(j, key, s, strnlen(s, o->size));
}

static int text_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	if (strlen(p->args[0]) < o->min)
		return xt_bad(p, e, "it may not be empty");
	return xt_copy_string(p, p->args[0], p->data + o->off, o->size, e);
}

const struct xt_type xt_string = { 1, text_absent, string_save, text_json, text_parse, NULL };
const struct xt_type xt_name = { 1, text_absent, name_save, text_json, text_parse, NULL };

/* addresses */

static const char *addr_text(const struct xt_ext *x, unsigned off, char text[ADDR_TEXT])
{
	struct addr a = addr_from(x->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET, at(x, off));

	return addr_fmt(&a, text);
}

static void addr_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	char text[ADDR_TEXT];

	buf_chr(b, ' ');
	buf_str(b, addr_text(x, o->off, text));
}

static void addr_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	char text[ADDR_TEXT];

	json_str(j, key, addr_text(x, o->off, text));
}

static int parse_one_addr(struct xt_parse *p, const char *text, void *to, struct err *e)
{
	struct addr a;

	if (addr_parse(text, &a) < 0 || a.family != (p->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET))
		return xt_bad(p, e, "'%s' is not an IPv%c address", text, p->family == NFPROTO_IPV6 ? '6' : '4');
	memcpy(to, a.b, addr_len(&a));
	return 0;
}

static int addr_type_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return parse_one_addr(p, p->args[0], p->data + o->off, e);
}

const struct xt_type xt_addr = { 1, NULL, addr_save, addr_json, addr_type_parse, NULL };

/* As xtables_ipmask_to_numeric(): a full mask is left out, a prefix is /LEN, else /MASK. */
static void mask_text(const struct xt_ext *x, unsigned off, char *text, size_t room)
{
	unsigned n = x->family == NFPROTO_IPV6 ? 16 : 4;
	int len = addr_mask_len(at(x, off), n);
	char mask[ADDR_TEXT];

	text[0] = '\0';
	if (len >= 0 && (unsigned)len == n * 8)
		return;
	if (len >= 0)
		snprintf(text, room, "/%d", len);
	else
		snprintf(text, room, "/%s", addr_text(x, off, mask));
}

static void addr_mask_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	char mask[ADDR_TEXT + 1];

	addr_save(o, x, b);
	mask_text(x, o->off2, mask, sizeof(mask));
	buf_str(b, mask);
}

static void addr_mask_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	char text[ADDR_TEXT], mask[ADDR_TEXT + 1], both[2 * ADDR_TEXT + 2];

	mask_text(x, o->off2, mask, sizeof(mask));
	snprintf(both, sizeof(both), "%s%s", addr_text(x, o->off, text), mask);
	json_str(j, key, both);
}

static void mask_of_len(uint8_t *mask, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static int addr_mask_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	unsigned n = p->family == NFPROTO_IPV6 ? 16 : 4;
	const char *slash = strchr(p->args[0], '/');
	char text[ADDR_TEXT];
	uint8_t mask[16] = { 0 };
	uint64_t len;

	if (!slash || strchr(slash, '.') || strchr(slash, ':')) {
		mask_of_len(mask, n * 8);
		if (slash && parse_one_addr(p, slash + 1, mask, e) < 0)
			return -1;
	} else {
		if (xt_number(p, slash + 1, 0, n * 8, &len, e) < 0)
			return -1;
		mask_of_len(mask, (unsigned)len);
	}
	snprintf(text, sizeof(text), "%.*s", slash ? (int)(slash - p->args[0]) : ADDR_TEXT, p->args[0]);
	if (parse_one_addr(p, text, p->data + o->off, e) < 0)
		return -1;
	memcpy(p->data + o->off2, mask, n);
	return 0;
}

void xt_mask_addr(uint8_t addr[16], const uint8_t mask[16])
{
	for (unsigned i = 0; i < 16; i++)
		addr[i] &= mask[i];
}

const struct xt_type xt_addr_mask = { 1, NULL, addr_mask_save, addr_mask_json, addr_mask_parse, NULL };

static void mac_text(const uint8_t *m, char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void mac_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	char text[18];

	mac_text(at(x, o->off), text);
	buf_chr(b, ' ');
	buf_str(b, text);
}

static void mac_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	char text[18];

	mac_text(at(x, o->off), text);
	json_str(j, key, text);
}

static int mac_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	unsigned m[6];
	int end = 0;

	if (sscanf(p->args[0], "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
		   &end) != 6 || p->args[0][end] != '\0')
		return xt_bad(p, e, "'%s' is not a MAC address", p->args[0]);
	for (unsigned i = 0; i < 6; i++)
		p->data[o->off + i] = (uint8_t)m[i];
	return 0;
}

const struct xt_type xt_mac = { 1, NULL, mac_save, mac_json, mac_parse, NULL };

/* words */

const struct xt_word *xt_find_word(const struct xt_word *list, const char *name, size_t len)
{
	for (; list->name; list++)
		if (strlen(list->name) == len && strncasecmp(list->name, name, len) == 0)
			return list;
	return NULL;
}

const char *xt_word_name(const struct xt_word *list, uint32_t v)
{
	for (; list->name; list++)
		if (list->value == v)
			return list->name;
	return NULL;
}

static void enum_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const char *name = xt_word_name(o->list, (uint32_t)value(o, x));

	if (name) {
		buf_chr(b, ' ');
		buf_str(b, name);
	} else {
		uint_save(o, x, b);
	}
}

static void enum_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const char *name = xt_word_name(o->list, (uint32_t)value(o, x));

	if (name)
		json_str(j, key, name);
	else
		json_uint(j, key, value(o, x));
}

static int enum_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const struct xt_word *w = xt_find_word(o->list, p->args[0], strlen(p->args[0]));

	if (!w)
		return xt_bad(p, e, "'%s' is not known", p->args[0]);
	xt_store(p->data, o->off, o->size, w->value);
	return 0;
}

const struct xt_type xt_enum = { 1, number_absent, enum_save, enum_json, enum_parse, NULL };

static void bits_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	uint64_t left = value(o, x);
	char sep = ' ';

	for (const struct xt_word *w = o->list; w->name; w++) {
		if (!(left & w->value))
			continue;
		buf_chr(b, sep);
		buf_str(b, w->name);
		sep = ',';
		left &= ~(uint64_t)w->value;
	}
}

static void bits_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	uint64_t left = value(o, x);

	json_begin_array(j, key);
	for (const struct xt_word *w = o->list; w->name; w++) {
		if (!(left & w->value))
			continue;
		json_str(j, NULL, w->name);
		left &= ~(uint64_t)w->value;
	}
	json_end_array(j);
}

static int bits_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const char *s = p->args[0];
	uint64_t v = 0;

	for (;;) {
		size_t len = strcspn(s, ",");
		const struct xt_word *w = xt_find_word(o->list, s, len);

		if (!w)
			return xt_bad(p, e, "'%.*s' is not known", (int)len, s);
		v |= w->value;
		if (!s[len])
			break;
		s += len + 1;
	}
	xt_store(p->data, o->off, o->size, v);
	return 0;
}

const struct xt_type xt_bits = { 1, number_absent, bits_save, bits_json, bits_parse, NULL };
