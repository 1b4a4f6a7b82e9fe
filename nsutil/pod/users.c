/* SPDX-License-Identifier: GPL-2.0-or-later */
/* users - how the user namespace that owns a target's network namespace numbers users and groups */
#include "nsutil/pod/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/owner.h"
#include "nsutil/pod/proc.h"

enum { LINES = 340 }; /* UID_GID_MAP_MAX_EXTENTS */

/* "inside outside count" by line */
static int read_map(const struct target *t, const char *name, struct arena *a, struct nv_ids *ret)
{
	_cleanup_free_ char *text = NULL;
	char *at, *end;

	if (proc_read(t->proc, t->pid, name, 16 << 10, &text) <= 0)
		return 0;
	for (at = text; at && *at && ret->n < LINES; at = end ? end + 1 : NULL) {
		struct nv_id_range r, *grown;

		end = strchr(at, '\n');
		if (sscanf(at, "%u %u %u", &r.inside, &r.outside, &r.count) != 3)
			break;
		grown = arena_grow(a, ret->ranges, ret->n, sizeof(*grown));
		if (!grown)
			return -1;
		ret->ranges = grown;
		ret->ranges[ret->n++] = r;
	}
	return 0;
}

int users_read(const struct target *t, struct netview *nv)
{
	/* it may belong to another user namespace than its process is in (pods with hostNetwork) */
	if (t->pid <= 0 || netns_owned_by(&t->netns, t->proc, t->pid) != 1)
		return 0;
	return read_map(t, "uid_map", nv->arena, &nv->uids) < 0 || read_map(t, "gid_map", nv->arena, &nv->gids) < 0 ? -1 : 0;
}
