/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json - the structured sinks: one object per command, or one line per element of a stream */
#include <stdio.h>
#include <string.h>

#include "shell/out/sink.h"

/* What level the next value belongs to; none outside of the top object. */
static bool in_array(const struct out *o)
{
	return o->depth && o->level[o->depth - 1] != LEVEL_OBJECT;
}

/* jsonl: the next value is an element of the stream, and so a line. */
static bool at_line(const struct out *o)
{
	return o->c.format == OUT_JSONL && o->depth && o->level[o->depth - 1] == LEVEL_STREAM;
}

/*
 * Whether a scalar is shown, and under which key. In an array a value needs no key; in an object
 * one without is meant for text only.
 */
static bool wanted(struct out *o, const char **key)
{
	if (o->depth == 0 || o->skipped)
		return false;
	if (at_line(o)) {
		buf_add(&o->buf, buf_cstr(&o->head), o->head.len);
		o->j.comma = true;
		*key = "value";
		return true;
	}
	if (in_array(o)) {
		*key = NULL;
		return true;
	}
	return *key != NULL;
}

/* After a scalar: as an element of a stream it is a line of its own. */
static void done(struct out *o)
{
	if (!at_line(o))
		return;
	buf_str(&o->buf, "}\n");
	out_stream_flush(o);
}

static bool push(struct out *o, enum level level)
{
	if (o->depth == OUT_DEPTH || o->skipped) {
		o->skipped++;
		return false;
	}
	o->level[o->depth++] = level;
	return true;
}

static bool pop(struct out *o)
{
	if (o->skipped) {
		o->skipped--;
		return false;
	}
	if (o->depth == 0)
		return false;
	o->depth--;
	return true;
}

static void sj_begin(struct out *o, const char *schema)
{
	if (o->depth)
		return;
	push(o, LEVEL_OBJECT);
	json_init(&o->j, &o->buf);
	o->mark = o->buf.len;
	o->streamed = false;
	json_begin_object(&o->j, NULL);
	if (strchr(schema, '/')) {
		json_str(&o->j, "schema", schema);
	} else {
		char name[128];

		snprintf(name, sizeof(name), "cnish.%s/1", schema);
		json_str(&o->j, "schema", name);
	}
}

/* Close what a command left open, so that the output is JSON whatever happens. */
static void close_to(struct out *o, unsigned depth)
{
	o->skipped = 0;
	while (o->depth > depth)
		if (o->level[--o->depth] == LEVEL_OBJECT)
			json_end_object(&o->j);
		else if (o->c.format != OUT_JSONL || o->level[o->depth] != LEVEL_STREAM)
			json_end_array(&o->j);
}

static void sj_end(struct out *o)
{
	if (o->depth == 0)
		return;
	if (o->c.format == OUT_JSONL && o->depth == 2 && o->level[1] == LEVEL_STREAM)
		o->ops->stream_end(o);
	if (o->c.format == OUT_JSONL && o->streamed && o->depth == 1 && o->buf.len == o->mark) {
		o->buf.len -= o->head.len; /* nothing followed the stream */
		o->depth = 0;
		return;
	}
	close_to(o, 0);
	buf_chr(&o->buf, '\n');
}

static const char *level_key(const struct out *o, const char *key)
{
	return in_array(o) ? NULL : key ? key : "value";
}

static void sj_object(struct out *o, const char *key)
{
	if (o->depth == 0)
		return;
	if (at_line(o) && push(o, LEVEL_OBJECT)) {
		buf_add(&o->buf, buf_cstr(&o->head), o->head.len);
		o->j.depth++;
		o->j.comma = true;
		return;
	}
	key = level_key(o, key);
	if (push(o, LEVEL_OBJECT))
		json_begin_object(&o->j, key);
}

static void sj_object_end(struct out *o)
{
	if (o->depth <= 1 && !o->skipped)
		return;
	if (!pop(o))
		return;
	json_end_object(&o->j);
	if (at_line(o)) {
		buf_chr(&o->buf, '\n');
		out_stream_flush(o);
	} else if (o->level[o->depth - 1] == LEVEL_STREAM) {
		out_stream_flush(o);
	}
}

static void sj_array(struct out *o, const char *key)
{
	if (o->depth == 0)
		return;
	key = level_key(o, key);
	if (push(o, LEVEL_ARRAY))
		json_begin_array(&o->j, key);
}

static void sj_array_end(struct out *o)
{
	if ((o->depth > 1 || o->skipped) && pop(o))
		json_end_array(&o->j);
}

static void json_stream(struct out *o, const char *key)
{
	if (o->depth == 0)
		return;
	key = level_key(o, key);
	if (push(o, LEVEL_STREAM))
		json_begin_array(&o->j, key);
}

/* The top object so far becomes the beginning of every line. */
static void jsonl_stream(struct out *o, const char *key)
{
	if (o->depth != 1 || o->streamed) { /* only one stream can be the lines */
		sj_array(o, key);
		return;
	}
	push(o, LEVEL_STREAM);
	buf_reset(&o->head);
	buf_add(&o->head, o->buf.data + o->mark, o->buf.len - o->mark);
	o->buf.len = o->mark;
	o->streamed = true;
}

/* What follows the stream, if anything, becomes a last line. */
static void jsonl_stream_end(struct out *o)
{
	if (o->depth != 2 || o->level[1] != LEVEL_STREAM) {
		sj_array_end(o);
		return;
	}
	pop(o);
	buf_add(&o->buf, buf_cstr(&o->head), o->head.len);
	o->mark = o->buf.len;
	o->j.comma = true;
}

static void sj_str(struct out *o, const char *key, const char *fmt, const char *value)
{
	(void)fmt;
	if (!wanted(o, &key))
		return;
	json_str(&o->j, key, value);
	done(o);
}

static void sj_sint(struct out *o, const char *key, const char *fmt, int64_t value)
{
	(void)fmt;
	if (!wanted(o, &key))
		return;
	json_int(&o->j, key, value);
	done(o);
}

static void sj_uint(struct out *o, const char *key, const char *fmt, uint64_t value)
{
	(void)fmt;
	if (!wanted(o, &key))
		return;
	json_uint(&o->j, key, value);
	done(o);
}

static void sj_boolean(struct out *o, const char *key, const char *fmt, bool value)
{
	(void)fmt;
	if (!wanted(o, &key))
		return;
	json_bool(&o->j, key, value);
	done(o);
}

static void sj_null(struct out *o, const char *key)
{
	if (!wanted(o, &key))
		return;
	json_put_null(&o->j, key);
	done(o);
}

static void sj_real(struct out *o, const char *key, const char *fmt, double value)
{
	(void)fmt;
	if (!wanted(o, &key))
		return;
	json_double(&o->j, key, value);
	done(o);
}

static void sj_json(struct out *o, const char *key, const char *text)
{
	if (!wanted(o, &key))
		return;
	if (text)
		json_raw(&o->j, key, text, strlen(text));
	else
		json_put_null(&o->j, key);
	done(o);
}

static void put_error(struct out *o, const struct err *e)
{
	json_begin_object(&o->j, "error");
	json_str(&o->j, "code", err_code_name(e->code));
	json_str(&o->j, "what", e->what);
	json_str(&o->j, "why", e->why);
	json_str(&o->j, "hint", e->hint[0] ? e->hint : NULL);
	json_end_object(&o->j);
}

static void sj_fail(struct out *o, const struct err *e)
{
	bool partly = o->wrote && o->depth && o->c.format == OUT_JSON;

	if (partly) {
		close_to(o, 1);
	} else { /* what was begun is taken back; complete lines of a stream stay */
		o->buf.len = o->depth ? 0 : o->buf.len;
		o->depth = o->skipped = 0;
		json_init(&o->j, &o->buf);
		json_begin_object(&o->j, NULL);
	}
	put_error(o, e);
	json_end_object(&o->j);
	buf_chr(&o->buf, '\n');
	o->depth = 0;
}

/* Text and its layout have no place here. */
static void sj_text(struct out *o, const char *fmt, va_list ap)
{
	(void)o;
	(void)fmt;
	(void)ap;
}

static void sj_raw(struct out *o, const char *text, unsigned long n)
{
	(void)o;
	(void)text;
	(void)n;
}

static void sj_none(struct out *o)
{
	(void)o;
}

static void sj_style(struct out *o, enum out_style style)
{
	(void)o;
	(void)style;
}

static void sj_table(struct out *o, const struct out_column *columns)
{
	(void)o;
	(void)columns;
}

#define STRUCTURED_HOOKS                                                                                      \
	.begin = sj_begin, .end = sj_end, .object = sj_object, .object_end = sj_object_end,                   \
	.array = sj_array, .array_end = sj_array_end, .str = sj_str, .sint = sj_sint, .uint = sj_uint,        \
	.boolean = sj_boolean, .null = sj_null, .real = sj_real, .json = sj_json, .text = sj_text,            \
	.raw = sj_raw, .nl = sj_none, .style = sj_style, .table = sj_table, .row = sj_none, .cell = sj_none,  \
	.table_end = sj_none, .fail = sj_fail

const struct out_ops json_ops = {
	STRUCTURED_HOOKS,
	.stream = json_stream,
	.stream_end = sj_array_end,
};

const struct out_ops jsonl_ops = {
	STRUCTURED_HOOKS,
	.stream = jsonl_stream,
	.stream_end = jsonl_stream_end,
};
