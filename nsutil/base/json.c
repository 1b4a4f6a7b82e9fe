/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json - writes JSON text into a buffer; the only JSON writer of the program */
#include "nsutil/base/json.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

void json_init(struct json *j, struct buf *buf)
{
	*j = (struct json){ .buf = buf };
}

/* Length of the valid UTF-8 sequence at s (RFC 3629: no overlong, no surrogate), 0 if bad. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (len == 0 || s[0] > 0xf4 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void put_control(struct buf *b, unsigned char c)
{
	switch (c) {
	case '\n': buf_str(b, "\\n"); break;
	case '\t': buf_str(b, "\\t"); break;
	case '\r': buf_str(b, "\\r"); break;
	default: buf_fmt(b, "\\u%04x", c);
	}
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* Is one of 8 characters a control, a quote, a backslash, DEL, or beyond ASCII? At times it says so of none. */
static bool is_special(uint64_t x)
{
	uint64_t quote = x ^ EACH('"'), backslash = x ^ EACH('\\'), del = x ^ EACH(0x7f);

	return (x | ((x - EACH(0x20)) & ~x) | ((quote - EACH(1)) & ~quote) | ((backslash - EACH(1)) & ~backslash) |
		((del - EACH(1)) & ~del)) & EACH(0x80);
}

/* Most of what is written needs no escapes and has room: a batch of traces is nothing else. */
static bool put_plain(struct buf *b, const char *s, size_t n)
{
	char *to = b->data + b->len;
	size_t i = 0;
	uint64_t x;

	if (b->failed || n + 4 > b->room - b->len)
		return false;
	*to++ = '"';
	for (; i + 8 <= n; i += 8) {
		memcpy(&x, s + i, 8);
		if (is_special(x))
			return false;
		memcpy(to + i, &x, 8);
	}
	for (; i < n; i++) {
		if (s[i] < 0x20 || s[i] == 0x7f || s[i] == '"' || s[i] == '\\')
			return false;
		to[i] = s[i];
	}
	to[n] = '"';
	to[n + 1] = '\0';
	b->len += n + 2;
	return true;
}

static void put_chr(struct buf *b, char c)
{
	if (b->failed || b->room - b->len < 2) {
		buf_chr(b, c);
		return;
	}
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

static void put_string(struct buf *b, const char *value, size_t n)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t start = 0, i = 0;

	if (put_plain(b, value, n))
		return;
	if (!b->failed && b->data)
		b->data[b->len] = '\0'; /* what stands there was an attempt */
	buf_chr(b, '"');
	while (i < n) {
		size_t len;

		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\') {
			i++;
			continue;
		}
		len = s[i] < 0x80 ? 0 : utf8_len(s + i, n - i);
		if (len) {
			i += len;
			continue;
		}
		buf_add(b, value + start, i - start);
		if (s[i] == '"' || s[i] == '\\')
			buf_fmt(b, "\\%c", s[i]);
		else if (s[i] < 0x80)
			put_control(b, s[i]);
		else
			buf_str(b, "\xef\xbf\xbd");
		start = ++i;
	}
	buf_add(b, value + start, n - start);
	buf_chr(b, '"');
}

static void begin_value(struct json *j, const char *key)
{
	if (j->comma)
		put_chr(j->buf, ',');
	j->comma = true;
	if (!key)
		return;
	put_string(j->buf, key, strlen(key));
	put_chr(j->buf, ':');
}

static void open_level(struct json *j, const char *key, char c)
{
	begin_value(j, key);
	put_chr(j->buf, c);
	j->depth++;
	j->comma = false;
}

static void close_level(struct json *j, char c)
{
	if (j->depth == 0) {
		j->bad = true;
		return;
	}
	j->depth--;
	put_chr(j->buf, c);
	j->comma = true;
}

void json_begin_object(struct json *j, const char *key)
{
	open_level(j, key, '{');
}

void json_end_object(struct json *j)
{
	close_level(j, '}');
}

void json_begin_array(struct json *j, const char *key)
{
	open_level(j, key, '[');
}

void json_end_array(struct json *j)
{
	close_level(j, ']');
}

void json_strn(struct json *j, const char *key, const char *value, size_t n)
{
	begin_value(j, key);
	put_string(j->buf, value, n);
}

void json_str(struct json *j, const char *key, const char *value)
{
	if (value)
		json_strn(j, key, value, strlen(value));
	else
		json_put_null(j, key);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	buf_uint(j->buf, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	if (value < 0)
		buf_chr(j->buf, '-');
	buf_uint(j->buf, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_double(struct json *j, const char *key, double value)
{
	if (!isfinite(value)) {
		json_put_null(j, key);
		return;
	}
	begin_value(j, key);
	buf_fmt(j->buf, "%.15g", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_str(j->buf, value ? "true" : "false");
}

void json_put_null(struct json *j, const char *key)
{
	begin_value(j, key);
	buf_str(j->buf, "null");
}

void json_raw(struct json *j, const char *key, const char *text, size_t n)
{
	begin_value(j, key);
	buf_add(j->buf, text, n);
}

bool json_done(const struct json *j)
{
	return j->depth == 0 && !j->bad && !buf_failed(j->buf);
}
