/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroups - control groups of version 2: those of a view's sockets, by number; others by path */
#ifndef NSUTIL_NETNS_CGROUPS_H
#define NSUTIL_NETNS_CGROUPS_H

#include <stdint.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/ruleset/netview.h"

/**
 * nv_read_cgroups() - add the control groups of a view's sockets, with all above them
 * @nv:		view, with its sockets
 * @e:		error
 *
 * They are looked up where the node has the root of the hierarchy mounted, by the number of each if that is allowed
 * (CAP_DAC_READ_SEARCH), else by a walk over the directories. One that is gone is left out.
 *
 * Return: 0, also when they cannot be read: cgroups_unread of the view then says why; -1 when memory ran out
 */
int nv_read_cgroups(struct netview *nv, struct err *e);

/**
 * nv_name_cgroup() - add a control group by its path, with all above it
 * @nv:		view
 * @path:	below the root of the hierarchy
 * @e:		error: ERR_USAGE when there is no such group
 *
 * Return: as nv_read_cgroups()
 */
int nv_name_cgroup(struct netview *nv, const char *path, struct err *e);

/**
 * cgroup_search() - the directory with an inode's number, by a walk
 * @fd:		directory to look below; closed
 * @id:		number
 * @left:	directories that may yet be looked at; counted down
 * @path:	the path below @fd is added when it is found
 *
 * Return: was it found?
 */
bool cgroup_search(int fd, uint64_t id, unsigned *left, struct buf *path);

#endif
