/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text - the sinks a person reads: text and wide with tables and colour; save, nft and prom plain */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/out/sink.h"

/* Where text goes now: into the line, or into the cell of a table. */
static struct buf *line_of(struct out *o)
{
	return o->table.active ? &o->table.text : &o->buf;
}

/*
 * Colours must be read on a dark and on a light ground. Of the basic sixteen every theme makes what it
 * likes, and yellow or cyan on white is next to nothing; from the palette of 256, which themes leave
 * alone, those are taken whose contrast with black and with white is about the same.
 */
const char *text_sgr(enum out_style style, bool rich)
{
	static const char *const palette[] = {
		[STYLE_PLAIN] = "\033[0m",	     [STYLE_HEAD] = "\033[0;1m",	   [STYLE_DIM] = "\033[0;2m",
		[STYLE_GOOD] = "\033[0;38;5;28m",  [STYLE_WARN] = "\033[0;38;5;130m", [STYLE_BAD] = "\033[0;38;5;160m",
		[STYLE_NAME] = "\033[0;38;5;30m",  [STYLE_ADD] = "\033[0;38;5;28m",   [STYLE_DEL] = "\033[0;38;5;160m",
	};
	static const char *const sgr[] = {
		[STYLE_PLAIN] = "\033[0m",     [STYLE_HEAD] = "\033[0;1m",  [STYLE_DIM] = "\033[0;2m",
		[STYLE_GOOD] = "\033[0;32m",   [STYLE_WARN] = "\033[0;35m", [STYLE_BAD] = "\033[0;31m",
		[STYLE_NAME] = "\033[0;1m",    [STYLE_ADD] = "\033[0;32m",  [STYLE_DEL] = "\033[0;31m",
	};

	if ((unsigned)style >= sizeof(sgr) / sizeof(sgr[0]))
		style = STYLE_PLAIN;
	return rich ? palette[style] : sgr[style];
}

static bool is_control(const unsigned char *s, size_t n, bool newlines)
{
	if (s[0] == '\t' || (s[0] == '\n' && newlines))
		return false;
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && n > 1 && s[1] >= 0x80 && s[1] < 0xa0);
}

/*
 * Text that comes from outside (comments of rules, names of processes) may hold escape sequences;
 * they must not reach the terminal. Everything from 'from' on is looked at, rarely changed.
 */
static void disarm(struct buf *b, size_t from, bool newlines)
{
	const unsigned char *s = (const unsigned char *)b->data;
	_cleanup_buf_ struct buf clean = BUF_INIT;
	size_t i = from;

	while (i < b->len && !is_control(s + i, b->len - i, newlines))
		i++;
	if (i >= b->len)
		return;
	for (i = from; i < b->len; i++)
		if (!is_control(s + i, b->len - i, newlines)) {
			buf_chr(&clean, (char)s[i]);
		} else {
			buf_fmt(&clean, "\\x%02x", s[i]);
			if (s[i] == 0xc2) /* the second byte alone would steer an 8-bit terminal */
				buf_fmt(&clean, "\\x%02x", s[++i]);
		}
	b->len = from;
	buf_add(b, buf_cstr(&clean), clean.len);
}

/* May say yes too often: 0xc2 also begins harmless characters. */
static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || (unsigned char)*s == 0xc2)
			return true;
	return false;
}

static void text_str(struct out *o, const char *key, const char *fmt, const char *value)
{
	_cleanup_buf_ struct buf clean = BUF_INIT;
	struct buf *b = line_of(o);

	(void)key;
	if (!fmt)
		return;
	if (!value)
		value = "-";
	if (has_control(value)) {
		buf_str(&clean, value);
		disarm(&clean, 0, false);
		value = buf_cstr(&clean);
	}
	if (fmt[0] == '%' && fmt[1] == 's' && !fmt[2])
		buf_str(b, value);
	else
		buf_fmt(b, fmt, value);
}

static void text_sint(struct out *o, const char *key, const char *fmt, int64_t value)
{
	(void)key;
	if (fmt)
		buf_fmt(line_of(o), fmt, value);
}

static void text_uint(struct out *o, const char *key, const char *fmt, uint64_t value)
{
	(void)key;
	if (fmt)
		buf_fmt(line_of(o), fmt, value);
}

static void text_boolean(struct out *o, const char *key, const char *fmt, bool value)
{
	(void)key;
	if (fmt)
		buf_fmt(line_of(o), fmt, value ? "yes" : "no");
}

static void text_real(struct out *o, const char *key, const char *fmt, double value)
{
	(void)key;
	if (fmt)
		buf_fmt(line_of(o), fmt, value);
}

static void text_null(struct out *o, const char *key)
{
	(void)o;
	(void)key;
}

static void text_json(struct out *o, const char *key, const char *text)
{
	(void)o;
	(void)key;
	(void)text;
}

static void text_text(struct out *o, const char *fmt, va_list ap)
{
	struct buf *b = line_of(o);
	size_t from = b->len;
	char small[512];
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n >= (int)sizeof(small)) {
		char *big = NULL;

		n = vasprintf(&big, fmt, again);
		if (n > 0)
			buf_add(b, big, (size_t)n);
		free(big);
	} else if (n > 0) {
		buf_add(b, small, (size_t)n);
	}
	va_end(again);
	disarm(b, from, true);
}

static void text_raw(struct out *o, const char *text, unsigned long n)
{
	buf_add(line_of(o), text, n);
}

/* Within a table the rows make the lines. */
static void text_nl(struct out *o)
{
	if (!o->table.active)
		buf_chr(&o->buf, '\n');
}

static void text_style(struct out *o, enum out_style style)
{
	if (!o->c.color || style == o->style)
		return;
	o->style = style;
	buf_str(line_of(o), text_sgr(style, o->c.rich));
}

static void text_level(struct out *o, const char *key)
{
	(void)o;
	(void)key;
}

static void text_level_end(struct out *o)
{
	(void)o;
}

/* A stream is read while it runs: each element is shown when it is complete. */
static void text_stream(struct out *o, const char *key)
{
	(void)key;
	if (o->depth < OUT_DEPTH)
		o->level[o->depth++] = LEVEL_STREAM;
}

static void text_stream_end(struct out *o)
{
	if (o->depth)
		o->depth--;
}

static void text_object(struct out *o, const char *key)
{
	(void)key;
	if (o->depth < OUT_DEPTH)
		o->level[o->depth++] = LEVEL_OBJECT;
	else
		o->skipped++;
}

static void text_object_end(struct out *o)
{
	if (o->skipped) {
		o->skipped--;
		return;
	}
	if (o->depth == 0)
		return;
	o->depth--;
	if (o->depth && o->level[o->depth - 1] == LEVEL_STREAM && !o->table.active)
		out_stream_flush(o);
}

static void text_fail(struct out *o, const struct err *e)
{
	(void)o;
	(void)e;
}

#define TEXT_HOOKS                                                                                           \
	.begin = text_level, .end = text_level_end, .object = text_object, .object_end = text_object_end,    \
	.array = text_level, .array_end = text_level_end, .stream = text_stream,                             \
	.stream_end = text_stream_end, .str = text_str, .sint = text_sint, .uint = text_uint,                \
	.boolean = text_boolean, .null = text_null, .real = text_real, .json = text_json, .text = text_text, \
	.raw = text_raw, .nl = text_nl, .fail = text_fail

const struct out_ops text_ops = {
	TEXT_HOOKS,
	.style = text_style,
	.table = table_begin,
	.row = table_row,
	.cell = table_cell,
	.table_end = table_finish,
};

static void plain_style(struct out *o, enum out_style style)
{
	(void)o;
	(void)style;
}

static void plain_table(struct out *o, const struct out_column *columns)
{
	(void)o;
	(void)columns;
}

static void plain_none(struct out *o)
{
	(void)o;
}

/* save, nft, prom: what other programs read as text; no colour, no alignment. */
const struct out_ops plain_ops = {
	TEXT_HOOKS,
	.style = plain_style,
	.table = plain_table,
	.row = plain_none,
	.cell = plain_none,
	.table_end = plain_none,
};
