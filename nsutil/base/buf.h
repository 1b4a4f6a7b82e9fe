/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buf - a growing byte and text buffer with a sticky failure */
#ifndef NSUTIL_BASE_BUF_H
#define NSUTIL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writers need not check each call: after a failed allocation the buffer stays as it was, all
 * later calls do nothing, and buf_failed() says so once at the end. 'data' is always
 * NUL-terminated when it is not NULL.
 */
struct buf {
	char *data;
	size_t len, room;
	bool failed;
};

#define BUF_INIT { .data = NULL }

void buf_free(struct buf *b);
void buf_reset(struct buf *b); /* empty it, keep the room and clear the failure */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_chr(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_uint(struct buf *b, unsigned long long v); /* decimal; the fast way for big dumps */

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
