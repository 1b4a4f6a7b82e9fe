/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsfs - network namespaces that are kept by a mount, with or without a process in them */
#ifndef NSUTIL_POD_NSFS_H
#define NSUTIL_POD_NSFS_H

#include <stdint.h>

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/pod/hostfs.h"

struct nsfs_mount {
	uint64_t inode;
	const char *path; /* as the node sees it */
	struct nsfs_mount *next;
};

/**
 * nsfs_parse() - the net namespaces among the lines of a mountinfo
 * @mountinfo:	text of /proc/PID/mountinfo
 * @a:		arena
 *
 * Return: a list in file order, NULL when there is none
 */
struct nsfs_mount *nsfs_parse(const char *mountinfo, struct arena *a);

/**
 * nsfs_mounts() - the net namespaces mounted on the node (as its first process sees it) and here
 * @h:		node
 * @a:		arena
 *
 * Return: a list, NULL when there is none or none may be seen
 */
struct nsfs_mount *nsfs_mounts(const struct hostfs *h, struct arena *a);

/**
 * nsfs_open() - open a namespace by a path of the node
 * @h:		node
 * @path:	"/run/netns/NAME", "/var/run/netns/cni-...": looked for below the node's root, and in
 *		the mount namespace of the node's first process
 * @ret:	set on success
 * @e:		error: ERR_TARGET when it is no namespace or not there
 *
 * Return: 0, or -1
 */
int nsfs_open(const struct hostfs *h, const char *path, struct netns *ret, struct err *e);

#endif
