/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buf - a growing byte and text buffer with a sticky failure */
#ifndef NSUTIL_BASE_BUF_H
#define NSUTIL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Writers need not check each call: after a failed allocation the buffer stays as it was, all
 * later calls do nothing, and buf_failed() says so once at the end. 'data' is always
 * NUL-terminated when it is not NULL.
 */
struct buf {
	char *data;
	size_t len, room;
	bool failed;
	/* where a big text goes piece by piece, see buf_spill(); NULL: it is kept whole */
	void (*spill)(void *arg, const char *text, size_t n);
	void *spill_arg;
};

#define BUF_INIT { .data = NULL }

void buf_free(struct buf *b);
void buf_reset(struct buf *b); /* empty it, keep the room and clear the failure */
void buf_add(struct buf *b, const void *p, size_t n);
static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s)); /* here, so that the length of a literal is a constant */
}
void buf_chr(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_uint(struct buf *b, unsigned long long v); /* decimal; the fast way for big dumps */

/**
 * buf_spill() - say that the text so far is final and ends with a line
 * @b:		buffer; one that has somewhere to spill hands its text on and is empty afterwards
 * @least:	only when it has so many bytes; 0 at the end of the text
 */
void buf_spill(struct buf *b, size_t least);
#define BUF_MUCH 32768u

/* buf_cstr() - the text so far; "" when nothing was written */
static inline const char *buf_cstr(const struct buf *b)
{
	return b->data ? b->data : "";
}

static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}

#define _cleanup_buf_ __attribute__((cleanup(buf_free)))

#endif
