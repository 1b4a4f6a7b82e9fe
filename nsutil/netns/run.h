/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run - run a program inside a network namespace */
#ifndef NSUTIL_NETNS_RUN_H
#define NSUTIL_NETNS_RUN_H

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"

/**
 * run_inside() - run a program inside the namespace and wait for its end
 * @ns:		namespace; only the network changes, files and users stay the caller's
 * @argv:	program (looked for in PATH) and arguments, ended by NULL
 * @ret_status:	exit status, or 128 + signal, as a shell says it
 * @e:		error: the namespace cannot be entered, the program not started
 *
 * The program has the terminal: it gets Ctrl-C and Ctrl-\ and the caller does not; when it is
 * stopped the caller stops with it (as nsenter --fork does); SIGTERM and SIGHUP are passed on.
 *
 * Return: 0, or -1
 */
int run_inside(const struct netns *ns, char *const argv[], int *ret_status, struct err *e);

#endif
