/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup - paths of control groups, which rules name by the number of their directory's inode */
#include <fcntl.h>

#include "nsutil/base/buf.h"
#include "nsutil/netns/cgroups.h"
#include "nsutil/nft/reader.h"

#define CGROUP_ROOT "/sys/fs/cgroup" /* as nft has it, whatever is mounted there */

const char *cgroup_path(struct arena *a, uint64_t id, unsigned *left)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	int fd = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && cgroup_search(fd, id, left, &path) ? arena_strdup(a, buf_cstr(&path)) : NULL;
}
