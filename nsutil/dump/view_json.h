/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_json - links, addresses, routes, rules and sockets of a namespace as JSON, and back */
#ifndef NSUTIL_DUMP_VIEW_JSON_H
#define NSUTIL_DUMP_VIEW_JSON_H

#include <jansson.h>

#include "nsutil/base/err.h"
#include "nsutil/base/json.h"
#include "nsutil/ruleset/netview.h"

/* view_write() - write all of a view as the object @key */
void view_write(const struct netview *nv, struct json *j, const char *key);

/**
 * view_read() - the reverse
 * @from:	object
 * @ret:	set on success, to be given back with netview_free()
 * @e:		error: something is missing or of the wrong kind
 *
 * Return: 0, or -1
 */
int view_read(const json_t *from, struct netview **ret, struct err *e);

#endif
