/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base64 - bytes as text (RFC 4648, with padding) */
#ifndef NSUTIL_BASE_BASE64_H
#define NSUTIL_BASE_BASE64_H

#include "nsutil/base/buf.h"

/* base64_add() - append the text of @n bytes */
void base64_add(struct buf *b, const void *data, size_t n);

/**
 * base64_read() - the bytes of a text
 * @text:	text
 * @n:		its length
 * @ret:	room for n / 4 * 3 bytes
 *
 * Return: number of bytes, or -1: it is no such text
 */
long base64_read(const char *text, size_t n, void *ret);

#endif
