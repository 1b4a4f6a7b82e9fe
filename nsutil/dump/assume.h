/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assume - what a trace takes for granted where a file holds rules but no links, routes and sockets */
#ifndef NSUTIL_DUMP_ASSUME_H
#define NSUTIL_DUMP_ASSUME_H

#include "nsutil/base/err.h"
#include "nsutil/base/addr.h"
#include "nsutil/ruleset/netview.h"

/* What is known of the target's own address: the one a connection comes from, or goes to. */
struct assume_known {
	struct addr own; /* family 0: not known */
	const char *iif, *oif; /* names that the connection mentions; NULL when none */
};

/**
 * assume_netview() - the view of an ordinary pod: lo, eth0, and a default route through it
 * @known:	what the connection itself says
 * @ret:	set on success, to be given back with netview_free(); its sockets are unread
 * @e:		error
 *
 * Return: 0, or -1 when memory ran out
 */
int assume_netview(const struct assume_known *known, struct netview **ret, struct err *e);

/* assume_says() - the assumptions in words, ended by NULL */
extern const char *const assume_says[];

#endif
