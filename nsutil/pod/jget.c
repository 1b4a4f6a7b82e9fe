/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jget - read values out of JSON that came from outside; every step may be missing or of another type */
#include "nsutil/pod/jget.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

json_t *jget(const json_t *j, ...)
{
	json_t *at = (json_t *)j;
	const char *key;
	va_list ap;

	va_start(ap, j);
	while (at && (key = va_arg(ap, const char *)))
		at = json_object_get(at, key);
	va_end(ap);
	return at;
}

const char *jget_str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s && *s ? s : NULL;
}

json_int_t jget_int(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

const char *jget_netns(const json_t *spec, int *ret_listed)
{
	json_t *list = jget(spec, "linux", "namespaces", NULL), *ns;
	size_t i;

	*ret_listed = 0;
	json_array_foreach(list, i, ns) {
		const char *type = jget_str(ns, "type");

		if (!type || strcmp(type, "network") != 0)
			continue;
		*ret_listed = 1;
		return jget_str(ns, "path");
	}
	return NULL;
}

json_t *jget_load(const char *text, size_t len, char *why, size_t why_room)
{
	json_error_t error;
	json_t *j = json_loadb(text, len, 0, &error);

	if (!j && why)
		snprintf(why, why_room, "not JSON (line %d: %s)", error.line, error.text);
	return j;
}
