/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netns - hold, identify and enter a network namespace; the only place that calls setns */
#ifndef NSUTIL_NETNS_NETNS_H
#define NSUTIL_NETNS_NETNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "nsutil/base/err.h"

struct netview;

struct netns {
	int fd;		 /* of the nsfs file; keeps the namespace alive; -1: not open */
	uint64_t dev, inode;
	char path[512];	 /* how it was opened, for messages */
	char procdir[64]; /* "/proc/PID" or "/proc/thread-self"-like directory whose net/ shows this
			   * namespace without entering; "" when there is none */
};

#define NETNS_INIT { .fd = -1 }

/*
 * Open by the caller's own namespace, by process, or by path (which must be an nsfs file of type
 * net, else ERR_TARGET). @proc is the proc mount of the node, normally "/proc".
 * Return: 0 and @ret filled, to be given back with netns_close(); or -1
 */
int netns_open_self(struct netns *ret, struct err *e);
int netns_open_pid(const char *proc, pid_t pid, struct netns *ret, struct err *e);
int netns_open_path(const char *path, struct netns *ret, struct err *e);
void netns_close(struct netns *ns); /* also after a failed open; scoped: _cleanup_netns_ */
#define _cleanup_netns_ __attribute__((cleanup(netns_close)))

/* netns_is_self() - the calling thread is in it already; false when that cannot be told */
bool netns_is_self(const struct netns *ns);

/**
 * netns_call() - run a function inside the namespace, on this thread
 * @ns:		namespace
 * @fn:		function; it gets @arg and @e and returns 0 or -1. It must not do NSS look-ups
 *		(getpwuid and the like may hang inside a pod: istio#48416) nor start threads
 * @arg:	passed on
 * @e:		error; ERR_PERM naming CAP_SYS_ADMIN when the namespace cannot be entered
 *
 * Signals wait until @fn is done, so that no handler runs inside: @fn must not block for long.
 * Nothing is entered when the thread is there already, so that a container that has no
 * CAP_SYS_ADMIN can look at itself.
 *
 * The thread is back in its own namespace before this returns; when that fails the process
 * aborts, because nothing it did afterwards would be where it thinks (the one abort allowed).
 *
 * Return: what @fn returned, or -1
 */
int netns_call(const struct netns *ns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

/**
 * netns_enter() - move this thread into the namespace for good; for a child about to run a program
 * @ns:		namespace
 * @e:		error; ERR_PERM naming CAP_SYS_ADMIN
 *
 * Return: 0 (also when the thread is there already), or -1
 */
int netns_enter(const struct netns *ns, struct err *e);

/**
 * netns_make() - a new network namespace, which lives as long as a descriptor of it is open
 * @ret:	filled on success, to be given back with netns_close(); it has but a loopback that is down
 * @e:		error; ERR_PERM naming CAP_SYS_ADMIN
 *
 * No file and no process stands for it: it ends with the caller's last descriptor (and socket) in it, also
 * after SIGKILL.
 *
 * Return: 0, or -1; the thread is in its own namespace again either way
 */
int netns_make(struct netns *ret, struct err *e);

/**
 * netns_number_of() - by which number a namespace knows another one, as links to it have it (nv_link.peer_nsid)
 * @ns:		namespace
 * @other:	the other one
 * @ret:	set on success; -1 when it has none, so no link leads there
 * @e:		error
 *
 * Asking gives no number to a namespace that has none.
 *
 * Return: 0, or -1
 */
int netns_number_of(const struct netns *ns, const struct netns *other, int *ret, struct err *e);

/**
 * netns_socket() - a socket that lives in the namespace; usable from outside (FACTS: it keeps it)
 * @ns:		namespace
 * @domain:	AF_*
 * @type:	SOCK_*; SOCK_CLOEXEC is added
 * @protocol:	protocol
 * @e:		error
 *
 * Return: descriptor owned by the caller, or -1
 */
int netns_socket(const struct netns *ns, int domain, int type, int protocol, struct err *e);

/**
 * netns_read_proc() - read a file of the namespace's /proc/net or /proc/sys/net, bounded
 * @ns:		namespace
 * @path:	below /proc: "net/ip_tables_names", "sys/net/ipv4/ip_forward"
 * @max:	most bytes to take; more is an error
 * @ret:	set on success to a NUL-terminated text, to be freed by the caller
 * @ret_len:	its length; may be NULL
 * @e:		error; errnum ENOENT when there is no such file
 *
 * Read without entering where /proc/PID/net shows it; else inside (/proc/thread-self/net).
 *
 * Return: 0, or -1
 */
int netns_read_proc(const struct netns *ns, const char *path, size_t max, char **ret, size_t *ret_len,
		    struct err *e);

enum {
	NETVIEW_LINKS = 1,   /* links and addresses */
	NETVIEW_ROUTES = 2,  /* routes and policy rules */
	NETVIEW_SOCKETS = 4, /* sockets, without processes */
	NETVIEW_PROCESSES = 8, /* also which process holds each socket; walks /proc */
	NETVIEW_IPSEC = 64,  /* whether there is any */
	NETVIEW_ALL = 79,
	NETVIEW_NO_SYSCTLS = 32, /* what forwards, filters and picks ports is not asked: it stays 0 */
	NETVIEW_NO_UDP = 128, /* of sockets only those of TCP: each protocol's are found by a walk over the whole kernel's */
	NETVIEW_LISTENERS = 16, /* of TCP only sockets that listen */
};

/**
 * netview_read() - read what else decides a packet's way: links, addresses, routes, rules, sockets
 * @ns:		namespace
 * @parts:	NETVIEW_*
 * @proc:	the node's proc mount for NETVIEW_PROCESSES, normally "/proc"
 * @ret:	set on success, to be given back with netview_free()
 * @e:		error
 *
 * Return: 0, or -1. A part that may not be read is noted in *_unread instead of failing.
 */
int netview_read(const struct netns *ns, unsigned parts, const char *proc, struct netview **ret,
		 struct err *e);
void netview_free(struct netview *nv);
static inline void netview_free_at(struct netview **nv)
{
	netview_free(*nv);
}
#define _cleanup_netview_ __attribute__((cleanup(netview_free_at)))

#endif
