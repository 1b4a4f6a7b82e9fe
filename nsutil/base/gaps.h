/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps - a list of what could not be done, and why: partial work says so instead of failing or keeping still */
#ifndef NSUTIL_BASE_GAPS_H
#define NSUTIL_BASE_GAPS_H

#include "nsutil/base/arena.h"

#define GAPS_MOST 64 /* more are counted only */

struct gap {
	const char *what, *why; /* "rule 3 of native inet filter input", "Operation not supported" */
	struct gap *next;
};

struct gaps {
	struct arena *arena;	/* the caller's; must outlive the list */
	struct gap *first, **tail;
	unsigned n;		/* all, also those that are not listed */
};

/* gaps_init() - an empty list */
void gaps_init(struct gaps *g, struct arena *a);

/**
 * gaps_add() - note one; when memory runs out it is counted only
 * @g:		list
 * @why:	cause; copied
 * @fmt:	printf format of what
 */
void gaps_add(struct gaps *g, const char *why, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
