/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out - hands each call to the sink's hook; buffers and writes what the sink made */
#include "shell/out/out.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shell/out/sink.h"

enum { WRITE_SIZE = 1 << 16 };

static const struct out_ops *ops_of(enum out_format format)
{
	switch (format) {
	case OUT_JSON: return &json_ops;
	case OUT_JSONL: return &jsonl_ops;
	case OUT_SAVE:
	case OUT_NFT:
	case OUT_PROM: return &plain_ops;
	case OUT_TEXT:
	case OUT_WIDE: break;
	}
	return &text_ops;
}

struct out *out_open(const struct out_config *c)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->c = *c;
	o->fd = c->fd;
	o->ops = ops_of(c->format);
	o->deciding = c->page_rows && c->pager && !out_structured(o);
	json_init(&o->j, &o->buf);
	return o;
}

enum out_format out_format(const struct out *o)
{
	return o->c.format;
}

bool out_structured(const struct out *o)
{
	return o->c.format == OUT_JSON || o->c.format == OUT_JSONL;
}

unsigned out_width(const struct out *o)
{
	return o->c.width;
}

bool out_plain(const struct out *o)
{
	return o->c.plain;
}

unsigned out_columns(const char *text)
{
	return text_width(text, strlen(text));
}

bool out_empty(const struct out *o)
{
	return !o->wrote && o->buf.len == 0;
}

bool out_broken(const struct out *o)
{
	return o->failed != 0;
}

/* Write all of it; a descriptor that is not ready (a terminal set non-blocking) is waited for. */
static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

/* Take the first n bytes out of the buffer. */
static void write_out(struct out *o, size_t n)
{
	if (buf_failed(&o->buf) && !o->failed)
		o->failed = ENOMEM;
	if (n == 0)
		return;
	o->wrote = true;
	if (o->c.memory)
		buf_add(o->c.memory, o->buf.data, n);
	else if (!o->failed)
		o->failed = write_all(o->fd, o->buf.data, n);
	memmove(o->buf.data, o->buf.data + n, o->buf.len - n + 1);
	o->buf.len -= n;
}

/* More lines than the terminal has rows: from here on the pager reads. */
static void decide(struct out *o)
{
	int fd;

	for (; o->counted < o->buf.len; o->counted++)
		o->lines += o->buf.data[o->counted] == '\n';
	if (o->lines < o->c.page_rows)
		return;
	o->deciding = false;
	fd = o->c.pager(o->c.pager_arg);
	if (fd >= 0)
		o->fd = fd;
}

/* Called after each hook: big output leaves in big pieces, text never in the middle of a line. */
static void drain(struct out *o)
{
	const char *last;

	if (o->in_frame)
		return;
	if (o->deciding) {
		decide(o);
		return;
	}
	if (o->buf.len < WRITE_SIZE || o->c.format == OUT_JSONL)
		return;
	if (o->c.format == OUT_JSON) {
		write_out(o, o->buf.len);
		return;
	}
	last = memrchr(o->buf.data, '\n', o->buf.len);
	if (last)
		write_out(o, (size_t)(last - o->buf.data) + 1);
}

void out_flush(struct out *o)
{
	if (o->c.format == OUT_JSONL && o->depth)
		return;
	o->deciding = false;
	write_out(o, o->buf.len);
}

void out_stream_flush(struct out *o)
{
	if (o->in_frame)
		return;
	o->deciding = false;
	o->waits = o->held && o->buf.len < WRITE_SIZE;
	if (!o->waits)
		write_out(o, o->buf.len);
}

void out_hold(struct out *o, bool hold)
{
	o->held = hold && out_structured(o);
	if (!o->held && o->waits)
		write_out(o, o->buf.len);
	o->waits &= o->held;
}

void out_fail(struct out *o, const struct err *e)
{
	o->ops->fail(o, e);
}

int out_close(struct out *o)
{
	int failed;

	if (!o)
		return 0;
	o->deciding = false;
	if (o->table.active)
		o->ops->table_end(o);
	o->ops->style(o, STYLE_PLAIN);
	out_frame_close(o);
	write_out(o, o->buf.len);
	failed = o->failed;
	buf_free(&o->buf);
	buf_free(&o->head);
	buf_free(&o->table.text);
	free(o->table.cells);
	free(o);
	return failed == EPIPE ? 0 : failed;
}

void out_begin(struct out *o, const char *schema)
{
	o->ops->begin(o, schema);
}

void out_end(struct out *o)
{
	o->ops->end(o);
	drain(o);
}

void out_object(struct out *o, const char *key)
{
	o->ops->object(o, key);
}

void out_object_end(struct out *o)
{
	o->ops->object_end(o);
	drain(o);
}

void out_array(struct out *o, const char *key)
{
	o->ops->array(o, key);
}

void out_array_end(struct out *o)
{
	o->ops->array_end(o);
	drain(o);
}

void out_stream(struct out *o, const char *key)
{
	o->ops->stream(o, key);
}

void out_stream_end(struct out *o)
{
	o->ops->stream_end(o);
	drain(o);
}

void out_str(struct out *o, const char *key, const char *fmt, const char *value)
{
	o->ops->str(o, key, fmt, value);
	drain(o);
}

void out_int(struct out *o, const char *key, const char *fmt, int64_t value)
{
	o->ops->sint(o, key, fmt, value);
}

void out_uint(struct out *o, const char *key, const char *fmt, uint64_t value)
{
	o->ops->uint(o, key, fmt, value);
}

void out_bool(struct out *o, const char *key, const char *fmt, bool value)
{
	o->ops->boolean(o, key, fmt, value);
}

void out_null(struct out *o, const char *key)
{
	o->ops->null(o, key);
}

void out_double(struct out *o, const char *key, const char *fmt, double value)
{
	o->ops->real(o, key, fmt, value);
}

void out_json(struct out *o, const char *key, const char *text)
{
	o->ops->json(o, key, text);
	drain(o);
}

void out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	o->ops->text(o, fmt, ap);
	va_end(ap);
	drain(o);
}

void out_raw(struct out *o, const char *text, unsigned long n)
{
	o->ops->raw(o, text, n);
	drain(o);
}

void out_nl(struct out *o)
{
	o->ops->nl(o);
	drain(o);
}

void out_style(struct out *o, enum out_style style)
{
	o->ops->style(o, style);
}

void out_table(struct out *o, const struct out_column *columns)
{
	o->ops->table(o, columns);
}

void out_row(struct out *o)
{
	o->ops->row(o);
}

void out_cell(struct out *o)
{
	o->ops->cell(o);
}

void out_table_end(struct out *o)
{
	o->ops->table_end(o);
	drain(o);
}

void out_note(struct out *o, const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	if (o->c.notes_inline && !out_structured(o) && !o->table.active) {
		o->ops->style(o, STYLE_WARN);
		out_text(o, "note: %s", text);
		o->ops->style(o, STYLE_PLAIN);
		o->ops->nl(o);
		return;
	}
	if (o->c.note_fd < 0)
		return;
	buf_fmt(&b, "note: %s\n", text);
	if (b.len)
		write_all(o->c.note_fd, b.data, b.len);
}
