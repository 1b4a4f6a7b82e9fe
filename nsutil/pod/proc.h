/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc - processes of the node as its proc mount shows them */
#ifndef NSUTIL_POD_PROC_H
#define NSUTIL_POD_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"

struct proc_stat {
	char comm[32];
	pid_t ppid;
	char state;		/* 'Z' for a zombie */
	uint64_t starttime;	/* clock ticks since boot, field 22 of /proc/PID/stat */
};

/**
 * proc_stat_parse() - take a /proc/PID/stat line apart
 * @line:	the line; the name in it may hold blanks and ')'
 * @ret:	set on success
 *
 * Return: 0, or -1 when it is no such line
 */
int proc_stat_parse(const char *line, struct proc_stat *ret);

/* proc_stat() - of a living process. Return: 0, or a negative errno (-ENOENT: no such process) */
int proc_stat(const char *proc, pid_t pid, struct proc_stat *ret);

/* proc_read() - a file of /proc/PID, bounded; as hostfs_read(): length or negative errno */
long proc_read(const char *proc, pid_t pid, const char *name, size_t max, char **ret);

/**
 * proc_netns() - which network namespace a process is in
 * @ret_inode:	set on success
 *
 * Return: 0, or a negative errno (-EACCES: needs CAP_SYS_PTRACE)
 */
int proc_netns(const char *proc, pid_t pid, uint64_t *ret_inode);

/**
 * proc_pids() - numbers of all processes, ascending
 * @proc:	proc mount
 * @a:		arena for the array
 * @ret:	set on success
 * @ret_n:	their number
 *
 * Return: 0, or a negative errno
 */
int proc_pids(const char *proc, struct arena *a, pid_t **ret, size_t *ret_n);

/**
 * proc_find_netns() - the oldest process in a network namespace
 * @proc:	proc mount
 * @inode:	of the namespace
 * @ret_unreadable: processes whose namespace may not be seen; may be NULL
 *
 * Return: its PID, or 0 when there is none
 */
pid_t proc_find_netns(const char *proc, uint64_t inode, unsigned *ret_unreadable);

/**
 * proc_addrs() - addresses that belong to a process's network namespace, but for loopback and
 * link-local ones; read from /proc/PID/net/fib_trie and if_inet6 without entering it
 * @ret:	set to an array in @a
 *
 * Return: their number, or a negative errno
 */
int proc_addrs(const char *proc, pid_t pid, struct arena *a, struct addr **ret);

/* the two parsers below proc_addrs(), which add to an array in the arena */
void proc_parse_fib_trie(const char *text, struct arena *a, struct addr **addrs, unsigned *n);
void proc_parse_if_inet6(const char *text, struct arena *a, struct addr **addrs, unsigned *n);

/* proc_has_cap() - this process has the capability (CAP_*) in effect */
bool proc_has_cap(unsigned cap);

/**
 * proc_missing() - say why a process cannot be looked at
 * @proc:	proc mount
 * @pid:	process
 * @errnum:	negative or positive errno of the failed look
 * @what:	what failed
 *
 * Return: -1 with @e set: ERR_TARGET when there is no such process, ERR_PERM with the
 * capability, or ERR_SYS when /proc itself is hidden
 */
int proc_missing(const char *proc, pid_t pid, int errnum, const char *what, struct err *e);

#endif
