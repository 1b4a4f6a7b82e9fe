/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line - a short text put together in the caller's buffer; what does not fit is cut */
#ifndef NSUTIL_TRACE_LINE_H
#define NSUTIL_TRACE_LINE_H

#include <stddef.h>

/* printf takes longer than all else that a trace does; these few are what it needs at every connection. */
struct line {
	char *at;	 /* its end so far */
	const char *end; /* behind the buffer */
};

/* LINE() - begin a text in an array of characters; it is ended from the first line_*() on */
#define LINE(text) { .at = (text), .end = (text) + sizeof(text) }

static inline void line_str(struct line *l, const char *s)
{
	while (*s && l->at + 1 < l->end)
		*l->at++ = *s++;
	*l->at = '\0';
}

static inline void line_digits(struct line *l, unsigned v, unsigned base)
{
	char digits[12], *p = digits + sizeof(digits);

	*--p = '\0';
	do {
		*--p = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	line_str(l, p);
}

static inline void line_uint(struct line *l, unsigned v)
{
	line_digits(l, v, 10);
}

/* line_hex() - as "%#x" */
static inline void line_hex(struct line *l, unsigned v)
{
	line_str(l, v ? "0x" : "");
	line_digits(l, v, 16);
}

#endif
