/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmod - would asking the kernel for something load a module? */
#ifndef NSUTIL_NETNS_KMOD_H
#define NSUTIL_NETNS_KMOD_H

/*
 * Reading may not load a module, but the kernel loads one when a netlink request names a
 * subsystem that is not there yet (net/netfilter/nfnetlink.c, nfnetlink_rcv_msg(), and
 * net/core/sock_diag.c). So before such a request the reader asks here.
 */
enum kmod_state {
	KMOD_READY,   /* loaded or built in, or the kernel has no modules: asking loads nothing */
	KMOD_ABSENT,  /* not there; asking might load it */
	KMOD_UNKNOWN, /* cannot be told from here; treat like KMOD_ABSENT when only looking */
};

/**
 * kmod_state() - is a module loaded or built into the kernel?
 * @host_root:	where the node's root is ("/"): its /proc, /sys and /lib/modules are read
 * @name:	module name with underscores ("nf_tables")
 * @symbol:	a function of the module that its built-in form shows in /proc/kallsyms, the last
 *		resort in a container without /lib/modules; or NULL
 *
 * Return: what is known
 */
enum kmod_state kmod_state(const char *host_root, const char *name, const char *symbol);

#endif
