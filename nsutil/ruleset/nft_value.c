/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_value - values as nft writes them */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"

void nft_string_text(const char *s, struct buf *b)
{
	buf_chr(b, '"');
	buf_str(b, s);
	buf_chr(b, '"');
}

void nft_time_text(uint64_t ms, struct buf *b)
{
	static const struct { uint64_t ms; const char *unit; } units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" },
	};
	bool any = false;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms < units[i].ms)
			continue;
		buf_fmt(b, "%" PRIu64 "%s", ms / units[i].ms, units[i].unit);
		ms %= units[i].ms;
		any = true;
	}
	if (!any)
		buf_str(b, "0s");
}

uint64_t nft_scale(uint64_t bytes, const char **unit)
{
	static const char *const units[] = { "bytes", "kbytes", "mbytes" };
	unsigned i = 0;

	while (bytes && i < 2 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	*unit = units[i];
	return bytes;
}

const char *nft_unit_name(uint64_t secs)
{
	static const struct { uint64_t secs; const char *name; } units[] = {
		{ 1, "second" }, { 60, "minute" }, { 3600, "hour" }, { 86400, "day" }, { 604800, "week" },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].secs == secs)
			return units[i].name;
	return "error";
}

/* ---- numbers ---- */

/* Longer than 64 bits: hexadecimal, without leading zeros. */
static void long_hex(const struct expr *v, struct buf *b)
{
	unsigned n = (v->bits + 7u) / 8u;
	bool any = false;

	buf_str(b, "0x");
	for (unsigned i = 0; i < n; i++) {
		uint8_t c = v->value[v->order == ORDER_NET ? i : n - 1 - i];

		if (any)
			buf_fmt(b, "%02x", c);
		else if (c || i + 1 == n)
			buf_fmt(b, "%x", c);
		any = any || c;
	}
}

/* A value of more than 64 bits that is small all the same; -1 when it is not. */
static bool fits_64(const struct expr *v, uint64_t *ret)
{
	unsigned n = (v->bits + 7u) / 8u;

	*ret = 0;
	for (unsigned i = 0; i < n; i++) {
		if (*ret >> 56)
			return false;
		*ret = *ret << 8 | v->value[v->order == ORDER_NET ? i : n - 1 - i];
	}
	return true;
}

static void classid_text(uint32_t v, struct buf *b)
{
	if (v == 0)
		buf_str(b, "none");
	else if (v == 0xffffffff)
		buf_str(b, "root");
	else
		buf_fmt(b, "%x:%x", v >> 16, v & 0xffff);
}

/* Seconds since midnight UTC, shown in local time. */
static void hour_text(uint32_t v, struct buf *b)
{
	time_t now = time(NULL);
	struct tm tm;
	long secs;

	localtime_r(&now, &tm);
	secs = ((long)v + tm.tm_gmtoff) % 86400;
	if (secs < 0)
		secs += 86400;
	buf_fmt(b, "%02ld:%02ld", secs / 3600, secs / 60 % 60);
	if (secs % 60)
		buf_fmt(b, ":%02ld", secs % 60);
}

static void date_text(uint64_t ns, struct buf *b)
{
	time_t t = (time_t)(ns / 1000000000u);
	char text[64];
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %T", &tm))
		buf_str(b, "?");
	else
		buf_str(b, text);
}

static void hex_bytes(const struct expr *v, struct buf *b)
{
	for (unsigned i = 0; i < v->bits / 8u; i++)
		buf_fmt(b, "%s%02x", i ? ":" : "", v->value[i]);
}

/* ---- flags ---- */

#define FLAGS_MAX 128

/* The bits that are set, lowest first; a label is the number of its bit. */
static unsigned flag_bits(const struct expr *v, unsigned bits[FLAGS_MAX])
{
	unsigned n = 0, bytes = (v->bits + 7u) / 8u;

	for (unsigned i = 0; i < bytes * 8 && n < FLAGS_MAX; i++) {
		uint8_t c = v->value[v->order == ORDER_NET ? bytes - 1 - i / 8 : i / 8];

		if (c & 1u << i % 8)
			bits[n++] = i;
	}
	return n;
}

bool nft_several_flags(const struct expr *x)
{
	unsigned bits[FLAGS_MAX];

	return x && x->kind == EXPR_VALUE && nft_is_flags(x->dtype) && x->dtype != DT_CT_LABEL && flag_bits(x, bits) > 1;
}

static const char *flag_word(const struct expr *v, unsigned bit, char room[24])
{
	const char *name = v->dtype != DT_CT_LABEL && bit < 32 ? nft_name_of(v->dtype, 1u << bit) : NULL;

	if (name)
		return name;
	if (v->dtype == DT_CT_LABEL)
		snprintf(room, 24, "%u", bit);
	else
		snprintf(room, 24, "0x%" PRIx64, bit < 64 ? UINT64_C(1) << bit : 0);
	return room;
}

static void flags_text(const struct expr *v, const char *sep, struct buf *b)
{
	unsigned bits[FLAGS_MAX], n = flag_bits(v, bits);
	char room[24];

	for (unsigned i = 0; i < n; i++) {
		buf_str(b, i ? sep : "");
		buf_str(b, flag_word(v, bits[i], room));
	}
	if (n == 0)
		buf_str(b, "0x0");
}

static void flag_json(const struct expr *v, unsigned bit, struct json *j)
{
	char room[24];
	const char *word = flag_word(v, bit, room);

	if (v->dtype == DT_CT_LABEL)
		json_uint(j, NULL, bit);
	else if (word == room)
		json_uint(j, NULL, bit < 64 ? UINT64_C(1) << bit : 0);
	else
		json_str(j, NULL, word);
}

/* a | b | c is (a | b) | c */
static void flags_or_json(const struct expr *v, const unsigned *bits, unsigned n, struct json *j,
			  const char *key)
{
	if (n == 1) {
		flag_json(v, bits[0], j);
		return;
	}
	json_begin_object(j, key);
	json_begin_array(j, "|");
	flags_or_json(v, bits, n - 1, j, NULL);
	flag_json(v, bits[n - 1], j);
	json_end_array(j);
	json_end_object(j);
}

static void flags_json(const struct expr *v, bool binop, struct json *j, const char *key)
{
	unsigned bits[FLAGS_MAX], n = flag_bits(v, bits);
	char room[24];
	const char *word;

	if (n == 0) {
		json_uint(j, key, 0);
	} else if (n == 1) {
		word = flag_word(v, bits[0], room);
		if (v->dtype == DT_CT_LABEL)
			json_uint(j, key, bits[0]);
		else if (word == room)
			json_uint(j, key, bits[0] < 64 ? UINT64_C(1) << bits[0] : 0);
		else
			json_str(j, key, word);
	} else if (binop) {
		flags_or_json(v, bits, n, j, key);
	} else {
		json_begin_array(j, key);
		for (unsigned i = 0; i < n; i++)
			flag_json(v, bits[i], j);
		json_end_array(j);
	}
}

/* ---- the whole ---- */

/* Types that are text in JSON too. Returns false for numbers. */
static bool special_text(const struct expr *v, struct buf *b)
{
	char text[INET6_ADDRSTRLEN];

	switch ((enum dtype)v->dtype) {
	case DT_IPV4:
	case DT_IPV6:
		if (v->bits != (v->dtype == DT_IPV4 ? 32 : 128))
			return false;
		buf_str(b, inet_ntop(v->dtype == DT_IPV4 ? AF_INET : AF_INET6, v->value, text, sizeof(text)));
		return true;
	case DT_ETHER:
	case DT_LLADDR:
		hex_bytes(v, b);
		return true;
	case DT_CLASSID:
		classid_text((uint32_t)expr_uint(v), b);
		return true;
	default:
		return false;
	}
}

/* Types that are quoted text. */
static bool quoted_text(const struct expr *v, struct buf *b)
{
	size_t len;

	switch ((enum dtype)v->dtype) {
	case DT_STRING:
	case DT_IFNAME:
	case DT_OSF_NAME:
		len = strnlen((const char *)v->value, v->bits / 8u);
		buf_add(b, v->value, len);
		return true;
	case DT_CGROUPV2:
		if (v->sym)
			buf_str(b, v->sym);
		return v->sym != NULL;
	case DT_IFINDEX:
		if (v->sym)
			buf_str(b, v->sym);
		else
			buf_uint(b, expr_uint(v));
		return true;
	case DT_DATE:
		date_text(expr_uint(v), b);
		return true;
	case DT_HOUR:
		hour_text((uint32_t)expr_uint(v), b);
		return true;
	case DT_DAY:
	case DT_DEVGROUP:
	case DT_REALM:
		if (!nft_name_of(v->dtype, expr_uint(v)))
			return false;
		buf_str(b, nft_name_of(v->dtype, expr_uint(v)));
		return true;
	default:
		return false;
	}
}

static void number_text(const struct expr *v, struct buf *b)
{
	uint64_t n = 0;

	if (!fits_64(v, &n)) {
		long_hex(v, b);
		return;
	}
	switch ((enum dtype)v->dtype) {
	case DT_MARK:
		buf_fmt(b, "0x%08" PRIx64, n);
		break;
	case DT_ETHERTYPE:
		buf_fmt(b, "0x%04" PRIx64, n);
		break;
	case DT_DSCP:
		buf_fmt(b, "0x%02" PRIx64, n);
		break;
	case DT_ECN:
	case DT_BITMASK:
	case DT_HEX:
		buf_fmt(b, "0x%" PRIx64, n);
		break;
	case DT_BOOLEAN:
		buf_str(b, n ? "exists" : "missing");
		break;
	case DT_TIME:
		nft_time_text(v->bits == 64 ? n : n, b);
		break;
	default:
		buf_uint(b, n);
	}
}

/* The same value as flags that have no words. */
static struct expr nameless(const struct expr *v)
{
	struct expr x = *v;

	x.dtype = DT_BITMASK;
	return x;
}

void nft_number_text(const struct expr *v, struct buf *b)
{
	struct expr x;

	if (v->dtype == DT_TCP_FLAG) {
		buf_fmt(b, "0x%" PRIx64, expr_uint(v));
	} else if (nft_is_flags(v->dtype) && v->dtype != DT_CT_LABEL) {
		x = nameless(v);
		flags_text(&x, " | ", b);
	} else if (v->dtype == DT_ARPHRD || v->dtype == DT_BOOLEAN) {
		buf_uint(b, expr_uint(v));
	} else if (v->dtype == DT_TIME && expr_uint(v) % 1000 == 0) {
		buf_fmt(b, "%" PRIu64 "s", expr_uint(v) / 1000);
	} else if (v->dtype == DT_DAY || v->dtype == DT_DEVGROUP || v->dtype == DT_REALM ||
		   (v->bits <= 64 && nft_name_of(v->dtype, expr_uint(v)))) {
		number_text(v, b);
	} else {
		nft_value_text(v, " | ", b);
	}
}

void nft_number_json(const struct expr *v, struct json *j, const char *key)
{
	struct expr x = nameless(v);

	if (nft_is_flags(v->dtype) && v->dtype != DT_TCP_FLAG && v->dtype != DT_CT_LABEL)
		flags_json(&x, true, j, key);
	else
		json_uint(j, key, expr_uint(v));
}

void nft_value_text(const struct expr *v, const char *sep, struct buf *b)
{
	const char *name;
	struct buf q _cleanup_buf_ = BUF_INIT;

	if (nft_is_flags(v->dtype)) {
		flags_text(v, sep, b);
	} else if (quoted_text(v, &q)) {
		if (v->dtype == DT_IFINDEX && !v->sym)
			buf_str(b, buf_cstr(&q));
		else
			nft_string_text(buf_cstr(&q), b);
	} else if (!special_text(v, b)) {
		name = v->bits <= 64 ? nft_name_of(v->dtype, expr_uint(v)) : NULL;
		if (name)
			buf_str(b, name);
		else
			number_text(v, b);
	}
}

void nft_value_json(const struct expr *v, bool binop, struct json *j, const char *key)
{
	struct buf q _cleanup_buf_ = BUF_INIT;
	const char *name;
	uint64_t n = 0;

	if (nft_is_flags(v->dtype)) {
		flags_json(v, binop, j, key);
		return;
	}
	if (quoted_text(v, &q) || special_text(v, &q)) {
		json_strn(j, key, buf_cstr(&q), q.len);
		return;
	}
	name = v->bits <= 64 ? nft_name_of(v->dtype, expr_uint(v)) : NULL;
	if (name) {
		json_str(j, key, name);
	} else if (!fits_64(v, &n)) {
		long_hex(v, &q);
		json_strn(j, key, buf_cstr(&q), q.len);
	} else if (v->dtype == DT_BOOLEAN) {
		json_bool(j, key, n != 0);
	} else if (v->dtype == DT_REALM || v->dtype == DT_CGROUPV2) {
		buf_uint(&q, n);
		json_str(j, key, buf_cstr(&q));
	} else {
		json_uint(j, key, v->dtype == DT_TIME ? n / 1000 : n);
	}
}
