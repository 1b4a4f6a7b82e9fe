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

enum { RUN_MOUNT = 1, RUN_PID = 2, RUN_IPC = 4, RUN_UTS = 8, RUN_CGROUP = 16, RUN_ALL = 31 };

/**
 * run_inside_also() - the same, within further namespaces of a process
 * @ns:		network namespace
 * @proc, @pid:	the proc mount, and the process whose namespaces they are
 * @also:	RUN_* bits; the user namespace is never entered: the program keeps the caller's rights
 * @argv:	program: with RUN_MOUNT looked for among the files of the process
 * @ret_status, @e: as above
 *
 * The namespaces are entered by a thread of its own, which ends: nothing of the caller moves (setns(2):
 * a thread may move by itself when it shares its root and working directory with no other).
 *
 * Return: 0, or -1
 */
int run_inside_also(const struct netns *ns, const char *proc, pid_t pid, unsigned also, char *const argv[],
		    int *ret_status, struct err *e);

#endif
