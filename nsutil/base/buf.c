/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buf - a growing byte and text buffer with a sticky failure */
#include "nsutil/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Make room for n more bytes and the closing NUL. */
static bool reserve(struct buf *b, size_t n)
{
	size_t room = b->room ? b->room : 128;
	char *p;

	if (b->failed)
		return false;
	if (n < b->room - b->len)
		return true;
	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	while (room - b->len <= n)
		room *= 2;
	p = realloc(b->data, room);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->data = p;
	b->room = room;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_chr(struct buf *b, char c)
{
	if (!reserve(b, 1))
		return;
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void buf_spill(struct buf *b, size_t least)
{
	if (!b->spill || b->failed || b->len < least || !b->len)
		return;
	b->spill(b->spill_arg, b->data, b->len);
	buf_reset(b);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!reserve(b, 64))
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->data + b->len, b->room - b->len, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		b->data[b->len] = '\0';
		return;
	}
	if ((size_t)n >= b->room - b->len) {
		b->data[b->len] = '\0';
		if (!reserve(b, (size_t)n))
			return;
		va_start(ap, fmt);
		vsnprintf(b->data + b->len, b->room - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void buf_uint(struct buf *b, unsigned long long v)
{
	char digits[24];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, digits + i, sizeof(digits) - i);
}
