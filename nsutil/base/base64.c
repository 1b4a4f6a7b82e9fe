/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base64 - bytes as text (RFC 4648, with padding) */
#include "nsutil/base/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *b, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
		char four[4] = { letters[v >> 18], letters[v >> 12 & 63], i + 1 < n ? letters[v >> 6 & 63] : '=',
				 i + 2 < n ? letters[v & 63] : '=' };

		buf_add(b, four, 4);
	}
}

static int value_of(char c)
{
	const char *p = c ? strchr(letters, c) : NULL;

	return p ? (int)(p - letters) : -1;
}

long base64_read(const char *text, size_t n, void *ret)
{
	uint8_t *out = ret;
	long len = 0;

	if (n % 4)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		bool last = i + 4 == n;
		int pad = last && text[i + 3] == '=' ? text[i + 2] == '=' ? 2 : 1 : 0;
		uint32_t v = 0;

		for (int k = 0; k < 4 - pad; k++) {
			int x = value_of(text[i + (size_t)k]);

			if (x < 0)
				return -1;
			v |= (uint32_t)x << (18 - 6 * k);
		}
		out[len++] = (uint8_t)(v >> 16);
		if (pad < 2)
			out[len++] = (uint8_t)(v >> 8);
		if (pad < 1)
			out[len++] = (uint8_t)v;
	}
	return len;
}
