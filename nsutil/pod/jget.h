/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jget - read values out of JSON that came from outside; every step may be missing or of another type */
#ifndef NSUTIL_POD_JGET_H
#define NSUTIL_POD_JGET_H

#include <jansson.h>

/* scoped: json_t *j _cleanup_json_ = NULL; */
static inline void jget_freep(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_ __attribute__((cleanup(jget_freep)))

/**
 * jget() - follow keys down through objects
 * @j:		where to start; may be NULL
 * @...:	keys (const char *), ended by NULL
 *
 * Return: the value, borrowed; NULL when a step is missing
 */
json_t *jget(const json_t *j, ...) __attribute__((sentinel));

/* jget_str() - the string of a key; NULL when it is missing, empty or no string */
const char *jget_str(const json_t *j, const char *key);

/* jget_int() - the number of a key; 0 when it is missing or no integer */
json_int_t jget_int(const json_t *j, const char *key);

/* jget_netns() - path of the network namespace in an OCI runtime spec; NULL when it names none.
 * @ret_listed: set to whether there is a network entry at all (none: the host's network) */
const char *jget_netns(const json_t *spec, int *ret_listed);

/* jget_load() - parse a text; NULL when it is no JSON. *ret_why is then set, if given */
json_t *jget_load(const char *text, size_t len, char *why, size_t why_room);

#endif
