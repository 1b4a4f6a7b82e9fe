/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame - text drawn in place: a picture that takes the terminal and is drawn over by the next one */
#include <string.h>
#include <sys/ioctl.h>

#include "shell/out/sink.h"

/* The alternate screen, so that what stood there comes back; ECMA-48 and xterm's, as every terminal has them. */
#define ENTER "\033[?1049h\033[H\033[2J"
#define LEAVE "\033[?1049l"

bool out_in_place(const struct out *o)
{
	return o->c.in_place && o->fd == o->c.fd;
}

static void measure(struct out *o, unsigned *rows)
{
	struct winsize ws = { 0 };

	/* a terminal that does not know its size is taken for the usual one */
	ioctl(o->c.fd, TIOCGWINSZ, &ws);
	*rows = ws.ws_row ? ws.ws_row : 24;
	o->c.width = ws.ws_col ? ws.ws_col : 80;
}

void out_frame(struct out *o)
{
	unsigned rows;

	if (!out_in_place(o))
		return;
	out_flush(o);
	measure(o, &rows);
	if (!o->framed) {
		buf_str(&o->buf, ENTER);
		out_flush(o);
		o->framed = true;
	}
	o->in_frame = true;
}

/* As much of a line as fits; sequences of colour take no room. Return: bytes */
static size_t fitting(const char *s, size_t n, unsigned width)
{
	size_t fit = 0;

	/* by halves would be faster; a line is short */
	for (size_t i = 1; i <= n; i++) {
		if (i < n && ((unsigned char)s[i] & 0xc0) == 0x80)
			continue; /* within a character */
		if (text_width(s, i) > width)
			break;
		fit = i;
	}
	return fit;
}

static void put_line(struct out *o, struct buf *b, const char *s, size_t n)
{
	bool plain = text_width(s, n) <= o->c.width;

	buf_add(b, s, plain ? n : fitting(s, n, o->c.width));
	if (o->c.color)
		buf_str(b, text_sgr(STYLE_PLAIN, false));
	buf_str(b, "\033[K");
}

void out_frame_end(struct out *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	unsigned rows, row = 0;
	const char *s, *end;

	if (!o->in_frame)
		return;
	o->in_frame = false;
	measure(o, &rows);
	buf_str(&b, "\033[H");
	s = buf_cstr(&o->buf);
	for (end = s + o->buf.len; s < end && row < rows; row++) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t n = nl ? (size_t)(nl - s) : (size_t)(end - s);

		if (row)
			buf_chr(&b, '\n');
		put_line(o, &b, s, n);
		s += n + 1;
	}
	buf_str(&b, "\033[J");
	buf_reset(&o->buf);
	buf_add(&o->buf, buf_cstr(&b), b.len);
	out_flush(o);
}

void out_frame_close(struct out *o)
{
	if (!o->framed)
		return;
	o->in_frame = o->framed = false;
	buf_reset(&o->buf);
	buf_str(&o->buf, LEAVE);
}
