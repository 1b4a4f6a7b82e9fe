/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle_parts - what the files that write and read a bundle share */
#ifndef NSUTIL_DUMP_BUNDLE_PARTS_H
#define NSUTIL_DUMP_BUNDLE_PARTS_H

#include <jansson.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/json.h"
#include "nsutil/dump/bundle.h"

/* bundle_parse() - the object of a text; NULL with @e set: it is none, or of another kind */
json_t *bundle_parse(const char *text, size_t size, const char *name, struct err *e);
/* bundle_wrong() - "'KEY' is missing or is not what it should be"; -1 */
int bundle_wrong(struct err *e, const char *name, const char *key);

void bundle_put_base64(struct json *j, const char *key, const void *data, size_t n);
/* bundle_get_base64() - bytes of a base64 text, in the arena, aligned; NULL when it is none */
void *bundle_get_base64(const json_t *v, struct arena *a, size_t *ret);
/* bundle_put_why() - the key "unread": why a part is not there; null when it is */
void bundle_put_why(struct json *j, const struct err *why, int failed);

/* bundle_write_more() - all but rules and network. Return: 0, or -1 */
int bundle_write_more(const struct target *t, const struct netview *nv, struct json *j, struct err *e);
/* bundle_name_sets() - give the ipsets that rules name by number their names. Return: 0, or -1 */
int bundle_name_sets(const json_t *root, struct ruleset *rs, struct err *e);

#endif
