/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup - paths of control groups, which rules name by the number of their directory's inode */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/buf.h"
#include "nsutil/nft/reader.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define DEPTH_MAX 32

struct search {
	uint64_t id;
	unsigned *left; /* directories that may yet be looked at */
	struct buf path;
};

/* Looks for the inode below a directory, which it closes; the path is that of the directory. */
static bool find_below(struct search *s, int fd, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *e;
	size_t len = s->path.len;
	bool found = false;
	int sub;

	if (!dir) {
		close(fd);
		return false;
	}
	while (!found && *s->left && (e = readdir(dir))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		(*s->left)--;
		buf_fmt(&s->path, "%s%s", len ? "/" : "", e->d_name);
		found = e->d_ino == s->id;
		if (!found && depth < DEPTH_MAX) {
			sub = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
			found = sub >= 0 && find_below(s, sub, depth + 1);
		}
		if (!found)
			s->path.len = len;
	}
	closedir(dir);
	return found;
}

const char *cgroup_path(struct arena *a, uint64_t id, unsigned *left)
{
	struct search s = { .id = id, .left = left, .path = BUF_INIT };
	int fd = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *path = NULL;

	if (fd >= 0 && find_below(&s, fd, 0))
		path = arena_strdup(a, buf_cstr(&s.path));
	buf_free(&s.path);
	return path;
}
