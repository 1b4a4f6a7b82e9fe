/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps - a list of what could not be done, and why */
#include "nsutil/base/gaps.h"

#include <stdarg.h>
#include <stdio.h>

void gaps_init(struct gaps *g, struct arena *a)
{
	*g = (struct gaps){ .arena = a };
	g->tail = &g->first;
}

void gaps_add(struct gaps *g, const char *why, const char *fmt, ...)
{
	struct gap *gap = g->n < GAPS_MOST ? arena_alloc(g->arena, sizeof(*gap)) : NULL;
	char what[256];
	va_list ap;

	g->n++;
	if (!gap)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	gap->what = arena_strdup(g->arena, what);
	gap->why = arena_strdup(g->arena, why);
	if (!gap->what || !gap->why)
		return;
	*g->tail = gap;
	g->tail = &gap->next;
}
