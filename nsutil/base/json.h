/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json - writes JSON text into a buffer; the only JSON writer of the program */
#ifndef NSUTIL_BASE_JSON_H
#define NSUTIL_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/buf.h"

/*
 * Commas and quotes are the writer's business; the nesting is the caller's, checked at the
 * end with json_done(). 'key' is NULL inside an array and at the top. Text that is not valid
 * UTF-8 is written with U+FFFD in place of the bad bytes, so the output is always JSON.
 */
struct json {
	struct buf *buf;
	unsigned depth;
	bool comma; /* the next value follows another one */
	bool bad;   /* more ends than begins */
};

void json_init(struct json *j, struct buf *buf);
void json_begin_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_begin_array(struct json *j, const char *key);
void json_end_array(struct json *j);
void json_str(struct json *j, const char *key, const char *value); /* NULL writes null */
void json_strn(struct json *j, const char *key, const char *value, size_t n);
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_double(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_put_null(struct json *j, const char *key); /* json_null is jansson's */
void json_raw(struct json *j, const char *key, const char *text, size_t n); /* JSON text, verbatim */
bool json_done(const struct json *j); /* all closed, nothing failed */

#endif
