/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_value - constants of libnftables-json(5) */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/nft_json.h"
#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"

#define VALUE_MAX 64 /* bytes */

void *nj_bad(struct nj *n, const char *fmt, ...)
{
	va_list ap;

	if (n->why[0])
		return NULL;
	va_start(ap, fmt);
	vsnprintf(n->why, sizeof(n->why), fmt, ap);
	va_end(ap);
	return NULL;
}

static struct expr *bytes_like(struct nj *n, const uint8_t *big_endian, unsigned len, const struct expr *like)
{
	uint8_t v[VALUE_MAX] = "";
	unsigned room = (like->bits + 7u) / 8u;

	if (room > VALUE_MAX || !room)
		return nj_bad(n, "a value of %u bits", like->bits);
	for (unsigned i = 0; i < len; i++) {
		uint8_t c = big_endian[len - 1 - i];

		if (i >= room && c)
			return nj_bad(n, "a number is too large for %u bits", like->bits);
		if (i < room)
			v[like->order == ORDER_NET ? room - 1 - i : i] = c;
	}
	return expr_bytes(n->a, (enum dtype)like->dtype, (enum byteorder)like->order, v, like->bits);
}

struct expr *nj_uint(struct nj *n, uint64_t v, const struct expr *like)
{
	uint8_t b[8];

	for (unsigned i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	return bytes_like(n, b, 8, like);
}

/* "0x1f2e..." of any length, or decimal */
static struct expr *number_word(struct nj *n, const char *s, const struct expr *like)
{
	uint8_t b[VALUE_MAX] = "";
	unsigned len = 0;
	char *end;
	uint64_t v;

	if (strncmp(s, "0x", 2) == 0 && strlen(s) > 18 && strlen(s) < 2 * VALUE_MAX) {
		size_t digits = strlen(s + 2), at = 0;

		for (; at < digits; len++) {
			char two[3] = { s[2 + at], 0, 0 };

			if (len || digits % 2 == 0)
				two[1] = s[2 + at + 1];
			at += two[1] ? 2 : 1;
			b[len] = (uint8_t)strtoul(two, &end, 16);
			if (*end)
				return NULL;
		}
		return bytes_like(n, b, len, like);
	}
	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || !*s || *end || *s == '-')
		return NULL;
	return nj_uint(n, v, like);
}

static struct expr *name_word(struct nj *n, const char *s, const struct expr *like)
{
	const struct nft_name *names = nft_names((enum dtype)like->dtype);

	for (; names && names->name; names++)
		if (strcmp(names->name, s) == 0)
			return nj_uint(n, names->value, like);
	return NULL;
}

/* A name, or with "*" the beginning of one; "\*" at the end is an asterisk. */
static struct expr *string_word(struct nj *n, const char *s, const struct expr *like)
{
	char padded[VALUE_MAX] = "";
	unsigned room = like->bits / 8u;
	size_t len = strlen(s), tail = 0;
	struct expr *x;

	if (!room || room > sizeof(padded))
		room = 16;
	if (len && s[len - 1] == '*')
		tail = len > 1 && s[len - 2] == '\\' ? 2 : 1;
	if (len - tail + (tail == 2) > room)
		return nj_bad(n, "'%.40s' is too long a name", s);
	memcpy(padded, s, len - tail);
	if (tail == 2)
		padded[len - tail] = '*';
	x = expr_bytes(n->a, (enum dtype)like->dtype, ORDER_HOST, padded, room * 8);
	return tail == 1 ? expr_prefix(n->a, x, (unsigned)(len - tail) * 8) : x;
}

static struct expr *address_word(struct nj *n, const char *s)
{
	struct addr a;

	return addr_parse(s, &a) == 0 ? expr_addr(n->a, &a) : nj_bad(n, "'%.60s' is no address", s);
}

static struct expr *ether_word(struct nj *n, const char *s, const struct expr *like)
{
	uint8_t b[VALUE_MAX];
	unsigned len = 0;
	char *end;

	for (; len < sizeof(b); s = end + 1) {
		unsigned long v = strtoul(s, &end, 16);

		if (end == s || v > 255 || (*end && *end != ':'))
			return nj_bad(n, "'%.40s' is no link-layer address", s);
		b[len++] = (uint8_t)v;
		if (!*end)
			break;
	}
	return expr_bytes(n->a, (enum dtype)like->dtype, ORDER_NET, b, len * 8);
}

static struct expr *classid_word(struct nj *n, const char *s, const struct expr *like)
{
	unsigned major, minor;
	int end = 0;

	if (strcmp(s, "none") == 0)
		return nj_uint(n, 0, like);
	if (strcmp(s, "root") == 0)
		return nj_uint(n, UINT32_MAX, like);
	if (sscanf(s, "%x:%x%n", &major, &minor, &end) == 2 && !s[end] && major < 65536 && minor < 65536)
		return nj_uint(n, major << 16 | minor, like);
	return number_word(n, s, like);
}

/* Times are written in local time, as nft does. */
static struct expr *time_word(struct nj *n, const char *s, const struct expr *like)
{
	unsigned h, m, sec = 0;
	struct tm tm = { .tm_isdst = -1 };
	time_t now = time(NULL);
	const char *end;
	long v;

	if (like->dtype == DT_DATE) {
		end = strptime(s, "%Y-%m-%d %H:%M:%S", &tm);
		return end && !*end ? nj_uint(n, (uint64_t)mktime(&tm) * 1000000000u, like) : NULL;
	}
	if (sscanf(s, "%u:%u:%u", &h, &m, &sec) < 2 || h > 24 || m > 59 || sec > 60)
		return NULL;
	localtime_r(&now, &tm);
	v = ((long)(h * 3600 + m * 60 + sec) - tm.tm_gmtoff) % 86400;
	return nj_uint(n, (uint64_t)(v < 0 ? v + 86400 : v), like);
}

/* The index is of the machine the file is from, and only lo's is the same everywhere. */
static struct expr *iface_word(struct nj *n, const char *s, const struct expr *like)
{
	struct expr *x;

	if (*s && strspn(s, "0123456789") == strlen(s))
		return number_word(n, s, like);
	x = nj_uint(n, strcmp(s, "lo") == 0 ? 1 : 0, like);
	if (x)
		x->sym = arena_strdup(n->a, s);
	return x;
}

/* Bytes without a name may be compared with what has a form of its own, as addresses have. */
static struct expr *formed_word(struct nj *n, const char *s, const struct expr *like)
{
	struct expr *x = NULL;
	struct addr a;

	if (addr_parse(s, &a) == 0)
		x = expr_addr(n->a, &a);
	else if (strchr(s, ':'))
		x = ether_word(n, s, &(struct expr){ .dtype = DT_ETHER });
	else if (like->dtype == DT_HEX && like->bits == 16)
		x = name_word(n, s, &(struct expr){ .dtype = DT_ETHERTYPE, .order = ORDER_NET, .bits = 16 });
	return x && x->bits == like->bits ? x : NULL;
}

static struct expr *word(struct nj *n, const char *s, const struct expr *like)
{
	struct expr *x = NULL;

	switch ((enum dtype)like->dtype) {
	case DT_IPV4:
	case DT_IPV6:
		return address_word(n, s);
	case DT_ETHER:
	case DT_LLADDR:
		return ether_word(n, s, like);
	case DT_STRING:
	case DT_IFNAME:
	case DT_OSF_NAME:
		return string_word(n, s, like);
	case DT_IFINDEX:
		return iface_word(n, s, like);
	case DT_CLASSID:
		return classid_word(n, s, like);
	case DT_DATE:
	case DT_HOUR:
		x = time_word(n, s, like);
		break;
	default:
		x = name_word(n, s, like);
		break;
	}
	if (!x)
		x = number_word(n, s, like);
	if (!x)
		x = formed_word(n, s, like);
	return x ? x : nj_bad(n, "'%.40s' is no value of its kind", s);
}

static struct expr *number(struct nj *n, json_int_t v, const struct expr *like)
{
	uint8_t b[16] = "";

	if (like->dtype == DT_CT_LABEL && v >= 0 && v < 128) {
		b[15 - v / 8] = (uint8_t)(1u << v % 8);
		return bytes_like(n, b, 16, like);
	}
	if (like->dtype == DT_STRING || like->dtype == DT_IFNAME) {
		char text[24];

		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, v);
		return string_word(n, text, like);
	}
	return nj_uint(n, like->dtype == DT_TIME ? (uint64_t)v * 1000 : (uint64_t)v, like);
}

/* Flags: all of a list in one. */
static struct expr *all_of(struct nj *n, json_t *list, const struct expr *like)
{
	uint8_t v[VALUE_MAX] = "";
	unsigned len = (like->bits + 7u) / 8u;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		struct expr *x = nj_value(n, item, like);

		if (!x || x->kind != EXPR_VALUE || x->bits != like->bits || len > VALUE_MAX)
			return x ? nj_bad(n, "a list of values that are no flags") : NULL;
		for (unsigned k = 0; k < len; k++)
			v[k] |= x->value[k];
	}
	return expr_bytes(n->a, (enum dtype)like->dtype, (enum byteorder)like->order, v, like->bits);
}

static struct expr *prefix(struct nj *n, json_t *j, const struct expr *like)
{
	struct expr *x = nj_value(n, json_object_get(j, "addr"), like);
	uint64_t len = nj_num(j, "len");

	if (x && len > x->bits)
		return nj_bad(n, "a prefix of %" PRIu64 " bits", len);
	/* as nft does, which lets no bits of a host through */
	for (unsigned i = (unsigned)len; x && x->kind == EXPR_VALUE && x->order == ORDER_NET && i < x->bits; i++)
		((uint8_t *)x->value)[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	return x ? expr_prefix(n->a, x, (unsigned)len) : NULL;
}

static struct expr *range(struct nj *n, json_t *j, const struct expr *like)
{
	struct expr *from = nj_value(n, json_array_get(j, 0), like);
	struct expr *to = from ? nj_value(n, json_array_get(j, 1), like) : NULL;

	return to ? expr_range(n->a, from, to) : NULL;
}

static struct expr *concat(struct nj *n, json_t *j, const struct expr *like)
{
	size_t size = json_array_size(j);
	struct expr *x = expr_new(n->a, EXPR_CONCAT, DT_INTEGER, ORDER_NET, 0);

	if (!x || (like && like->kind == EXPR_CONCAT && like->concat.n != size))
		return x ? nj_bad(n, "a concatenation of %zu parts", size) : NULL;
	x->concat.parts = arena_array(n->a, size + 1, sizeof(struct expr *));
	if (!x->concat.parts)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		const struct expr *one = like && like->kind == EXPR_CONCAT ? like->concat.parts[i] : NULL;

		x->concat.parts[i] = nj_expr(n, json_array_get(j, i), one);
		if (!x->concat.parts[i])
			return NULL;
		x->bits = (uint16_t)(x->bits + (x->concat.parts[i]->bits + 31u) / 32u * 32u);
		x->concat.n++;
	}
	return x;
}

/* Without a type: an address is told by its form, a number is one of 32 bits. */
static struct expr *untyped(struct nj *n, json_t *j)
{
	struct expr like = { .kind = EXPR_VALUE, .dtype = DT_INTEGER, .order = ORDER_HOST, .bits = 32 };
	struct addr a;

	if (json_is_string(j) && addr_parse(json_string_value(j), &a) == 0)
		return expr_addr(n->a, &a);
	if (json_is_string(j)) {
		like.dtype = DT_STRING;
		like.bits = 128;
	}
	return nj_value(n, j, &like);
}

struct expr *nj_value(struct nj *n, json_t *j, const struct expr *like)
{
	struct expr *x = NULL;

	if (++n->depth > NJ_DEPTH)
		return nj_bad(n, "values nested too deeply");
	if (json_object_get(j, "concat"))
		x = concat(n, json_object_get(j, "concat"), like);
	else if (!like && (json_is_string(j) || json_is_number(j)))
		x = untyped(n, j);
	else if (!like)
		x = nj_bad(n, "a value of unknown kind");
	else if (json_is_string(j))
		x = word(n, json_string_value(j), like);
	else if (json_is_integer(j))
		x = number(n, json_integer_value(j), like);
	else if (json_is_boolean(j))
		x = nj_uint(n, json_is_true(j), like);
	else if (json_is_array(j))
		x = all_of(n, j, like);
	else if (json_object_get(j, "|"))
		x = all_of(n, json_object_get(j, "|"), like);
	else if (json_object_get(j, "prefix"))
		x = prefix(n, json_object_get(j, "prefix"), like);
	else if (json_object_get(j, "range"))
		x = range(n, json_object_get(j, "range"), like);
	else
		x = nj_bad(n, "a value of unknown form");
	n->depth--;
	return x;
}

/* The data of a map of concatenations come as one word: "ipv4_addr . inet_service". */
static struct expr *dotted_type(struct nj *n, const char *words, uint32_t *ret_number, uint32_t *ret_len)
{
	json_t *list = json_array();
	struct expr *x;

	for (const char *w = words, *end; w; w = end ? end + 3 : NULL) {
		end = strstr(w, " . ");
		json_array_append_new(list, json_stringn(w, end ? (size_t)(end - w) : strlen(w)));
	}
	x = nj_type(n, list, ret_number, ret_len);
	json_decref(list);
	return x;
}

struct expr *nj_type(struct nj *n, json_t *types, uint32_t *ret_number, uint32_t *ret_len)
{
	bool many = json_is_array(types);
	size_t size = many ? json_array_size(types) : 1;
	struct expr *x = many ? expr_new(n->a, EXPR_CONCAT, DT_INTEGER, ORDER_NET, 0) : NULL;
	struct expr **parts = arena_array(n->a, size + 1, sizeof(*parts));
	uint32_t id = 0, len = 0;

	if (json_object_get(types, "typeof")) { /* newer nft says which expression a set is of */
		x = nj_expr(n, json_object_get(types, "typeof"), NULL);
		*ret_number = 0;
		*ret_len = x ? (x->bits + 7u) / 8u : 0;
		return x;
	}
	if (json_is_string(types) && strstr(json_string_value(types), " . "))
		return dotted_type(n, json_string_value(types), ret_number, ret_len);
	if (!parts || (many && !x) || size > 5)
		return nj_bad(n, "a type of %zu parts", size);
	for (size_t i = 0; i < size; i++) {
		const char *name = json_string_value(many ? json_array_get(types, i) : types);
		int number_of = name ? nft_type_number(name) : -1;
		enum byteorder order;
		unsigned bits;
		enum dtype dtype;

		if (number_of < 0)
			return nj_bad(n, "the type '%.40s'", name ? name : "?");
		dtype = dec_type((uint32_t)number_of, &order, &bits);
		if (!bits)
			bits = dtype == DT_STRING ? 128 : 32;
		parts[i] = expr_new(n->a, EXPR_VALUE, dtype, order, bits);
		if (!parts[i])
			return NULL;
		id = id << 6 | (uint32_t)number_of;
		len += many ? (bits + 31) / 32 * 4 : (bits + 7) / 8;
	}
	*ret_number = id;
	*ret_len = len;
	if (!many)
		return parts[0];
	x->concat.parts = parts;
	x->concat.n = (unsigned)size;
	x->bits = (uint16_t)(len * 8);
	return x;
}
