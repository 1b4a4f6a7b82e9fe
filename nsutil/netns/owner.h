/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner - a network namespace that belongs to another user namespace, as that of a pod with hostUsers: false */
#ifndef NSUTIL_NETNS_OWNER_H
#define NSUTIL_NETNS_OWNER_H

#include "nsutil/netns/netns.h"

/*
 * The kernel takes a rule about users or groups only from somebody of the user namespace that owns the network
 * namespace (xt_owner.c, owner_check()), since the numbers are its.
 */

/*
 * netns_owned_by() - the owner is the user namespace of a process (0: this one), by a mount of proc
 * Return: 1 yes, 0 no, -1 that cannot be told
 */
int netns_owned_by(const struct netns *ns, const char *proc, pid_t pid);

/* netns_owned_elsewhere() - the owner is another user namespace than ours; false when that cannot be told */
bool netns_owned_elsewhere(const struct netns *ns);

/**
 * netns_call_as_owner() - run a function in a child that is of the namespace, and of the user namespace that owns it
 * @ns:		namespace
 * @fn:		function; it gets @arg and @e and returns 0 or -1. What it changes in memory is lost
 * @arg:	passed on
 * @e:		error, the function's or one of getting there
 *
 * The child ends with this process.
 *
 * Return: what @fn returned, or -1
 */
int netns_call_as_owner(const struct netns *ns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

#endif
