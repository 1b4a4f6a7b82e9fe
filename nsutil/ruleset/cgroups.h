/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroups - control groups of version 2 and what is above them. netns/ reads them, trace/ looks them up */
#ifndef NSUTIL_RULESET_CGROUPS_H
#define NSUTIL_RULESET_CGROUPS_H

#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

#define NV_CGROUP_LEVELS 257 /* the root has level 0; rules name levels up to 255 */

/* nv_cgroup_find() - by its id; NULL when it is not in the view */
const struct nv_cgroup *nv_cgroup_find(const struct netview *nv, uint64_t id);
/* nv_cgroup_sort() - put those of a view in the order that nv_cgroup_find() needs */
void nv_cgroup_sort(struct netview *nv);

/**
 * nv_cgroup_line() - a control group with all above it
 * @nv:		view
 * @id:		its id
 * @ret:	filled: the root first, itself last
 *
 * Return: its level; -1 when it, or one above it, is not in the view
 */
int nv_cgroup_line(const struct netview *nv, uint64_t id, const struct nv_cgroup *ret[NV_CGROUP_LEVELS]);

/**
 * nv_cgroup_walk() - follow a path from the root down
 * @nv:		view
 * @path:	path below the root
 * @level:	where to stop
 * @ret:	set on success to the id of what is at that level
 *
 * Return: 1; 0 when the path does not go so deep; -1 when the view does not have what is there
 */
int nv_cgroup_walk(const struct netview *nv, const char *path, unsigned level, uint64_t *ret);

/* nv_cgroup_path() - "/system.slice/x.service"; NULL when that is not known, or memory ran out */
const char *nv_cgroup_path(struct arena *a, const struct netview *nv, uint64_t id);

/**
 * cgroup_part() - the next name of a path
 * @path:	moved behind it
 * @ret_n:	its length
 *
 * Return: its begin; NULL at the end. Slashes in a row are one (kernfs_walk_ns())
 */
const char *cgroup_part(const char **path, size_t *ret_n);

/* cgroup_level() - of how many names a path is */
unsigned cgroup_level(const char *path);

/* ruleset_asks_cgroups() - does some rule ask for a control group of version 2? */
bool ruleset_asks_cgroups(const struct ruleset *rs);

#endif
