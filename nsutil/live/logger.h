/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logger - the packet logger of a namespace: kept before it is replaced, and put back, also after a kill */
#ifndef NSUTIL_LIVE_LOGGER_H
#define NSUTIL_LIVE_LOGGER_H

#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"

struct logger {
	const struct netns *ns;
	char former[2][64];	/* of IPv4 and IPv6; "NONE" when none */
	const char *path;	/* file that says so until it is put back */
};

/**
 * logger_keep() - note the namespace's packet loggers in a file below $XDG_STATE_HOME/cnish/live
 * @ns:		namespace; must outlive @ret
 * @a:		arena of what @ret points to
 * @ret:	set on success
 * @e:		error: nothing may be changed then
 *
 * Return: 0, or -1
 */
int logger_keep(const struct netns *ns, struct arena *a, struct logger *ret, struct err *e);

/* logger_restore() - put them back and forget the file; 0, or -1 (the file stays) */
int logger_restore(const struct logger *l, struct err *e);

/**
 * logger_repair() - put back what a killed program left in this namespace
 * @ns:		namespace
 * @a:		for the time being
 * @e:		error
 *
 * Return: how many files were worked off, or -1
 */
int logger_repair(const struct netns *ns, struct arena *a, struct err *e);
/* logger_left() - how many files logger_repair() would work off; nothing is changed */
int logger_left(const struct netns *ns, struct arena *a);

#endif
