/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroups - control groups of version 2, out of the directories that stand for them */
#include "nsutil/netns/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/parts.h"
#include "nsutil/ruleset/cgroups.h"

#define DEPTH_MAX 32	  /* of the walk */
#define DIRECTORIES 100000 /* looked at in one walk after the other */

/* ---- by a walk ---- */

struct search {
	uint64_t id;
	unsigned *left;
	struct buf *path;
};

/* Looks for the inode below a directory, which it closes; the path is that of the directory. */
static bool find_below(struct search *s, int fd, unsigned depth, size_t start)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *e;
	size_t len = s->path->len;
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
		buf_fmt(s->path, "%s%s", len > start ? "/" : "", e->d_name);
		found = e->d_ino == s->id;
		if (!found && depth < DEPTH_MAX) {
			sub = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
			found = sub >= 0 && find_below(s, sub, depth + 1, start);
		}
		if (!found)
			s->path->len = len;
	}
	closedir(dir);
	return found;
}

bool cgroup_search(int fd, uint64_t id, unsigned *left, struct buf *path)
{
	struct search s = { id, left, path };

	return find_below(&s, fd, 0, path->len);
}

/* ---- the root ---- */

struct root {
	int fd;
	size_t len;	/* of the path it is mounted at */
	bool walk;	/* numbers cannot be opened */
	unsigned left;
};

/* In a cgroup namespace what is mounted may be any group; levels are counted from the one above all. */
static int open_root(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC && fstat(fd, &st) == 0 && st.st_ino == NV_CGROUP_ROOT)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Return: false when it is not mounted here; the view then says so */
static bool find_root(struct netview *nv, struct root *ret)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent m;
	char line[8192];

	*ret = (struct root){ .fd = -1, .left = DIRECTORIES };
	while (mounts && ret->fd < 0 && getmntent_r(mounts, &m, line, sizeof(line)))
		if (strcmp(m.mnt_type, "cgroup2") == 0) {
			ret->fd = open_root(m.mnt_dir);
			ret->len = strlen(m.mnt_dir);
		}
	if (mounts)
		endmntent(mounts);
	if (ret->fd < 0)
		nv->cgroups_unread = "the root of the control groups (cgroup2) is not mounted here";
	return ret->fd >= 0;
}

/* ---- by number ---- */

/* What the kernel's name_to_handle_at() gives for a directory of kernfs (kernfs_encode_fh()). */
#define FILEID_KERNFS 0xfe

/* Return: descriptor; -1 with errno set */
static int open_number(const struct root *root, uint64_t id)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u = { .h = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };

	memcpy(u.h.f_handle, &id, sizeof(id));
	return open_by_handle_at(root->fd, &u.h, O_PATH | O_CLOEXEC);
}

/* The path below the root of what is open. Return: false when it has none there */
static bool path_of(const struct root *root, int fd, struct buf *path)
{
	char link[64], text[4096 + 64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof(text) - 1);
	if (n < 0 || (size_t)n <= root->len)
		return false;
	text[n] = '\0';
	buf_str(path, text + root->len);
	return true;
}

/* Return: false when there is none */
static bool find_number(struct root *root, uint64_t id, struct buf *path)
{
	_cleanup_close_ int fd = root->walk ? -1 : open_number(root, id);

	if (fd >= 0)
		return path_of(root, fd, path);
	if (!root->walk && (errno == ESTALE || errno == ENOENT))
		return false;
	root->walk = true;
	fd = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && cgroup_search(steal_fd(fd), id, &root->left, path);
}

/* ---- into the view ---- */

static int add(struct netview *nv, uint64_t id, uint64_t parent, const char *name, size_t n, struct err *e)
{
	struct nv_cgroup *c;
	unsigned at = 0;

	if (nv_cgroup_find(nv, id))
		return 0;
	if (!nv_more(nv, nv->cgroups, nv->n_cgroups))
		return err_oom(e);
	while (at + 1 < nv->n_cgroups && nv->cgroups[at].id < id)
		at++;
	c = &nv->cgroups[at];
	memmove(c + 1, c, (nv->n_cgroups - 1 - at) * sizeof(*c));
	*c = (struct nv_cgroup){ .id = id, .parent = parent };
	memcpy(c->name, name, n < sizeof(c->name) ? n : sizeof(c->name) - 1);
	return 0;
}

/* Return: 1; 0 when there is no such directory, and @ret_errno says so; -1 when memory ran out */
static int add_path(struct netview *nv, const struct root *root, const char *path, int *ret_errno, struct err *e)
{
	_cleanup_buf_ struct buf so_far = BUF_INIT;
	uint64_t above = NV_CGROUP_ROOT;
	const char *part;
	struct stat st;
	size_t n;

	if (add(nv, NV_CGROUP_ROOT, 0, "", 0, e) < 0)
		return -1;
	while ((part = cgroup_part(&path, &n))) {
		buf_fmt(&so_far, "%s%.*s", so_far.len ? "/" : "", (int)n, part);
		if (so_far.failed)
			return err_oom(e);
		*ret_errno = fstatat(root->fd, buf_cstr(&so_far), &st, AT_SYMLINK_NOFOLLOW) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
		if (*ret_errno)
			return 0;
		if (add(nv, st.st_ino, above, part, n, e) < 0)
			return -1;
		above = st.st_ino;
	}
	return 1;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The groups of sockets, each once. */
static uint64_t *ids_of(const struct netview *nv, unsigned *ret_n)
{
	uint64_t *ids = calloc(nv->n_sockets + 1u, sizeof(*ids));
	unsigned n = 0, kept = 0;

	for (unsigned i = 0; ids && i < nv->n_sockets; i++)
		if (nv->sockets[i].cgroup)
			ids[n++] = nv->sockets[i].cgroup;
	if (n)
		qsort(ids, n, sizeof(*ids), compare);
	for (unsigned i = 0; i < n; i++)
		if (!kept || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	*ret_n = kept;
	return ids;
}

int nv_read_cgroups(struct netview *nv, struct err *e)
{
	_cleanup_free_ uint64_t *ids = NULL;
	struct root root;
	int r = 0, gone;
	unsigned n;

	ids = ids_of(nv, &n);
	if (!ids)
		return err_oom(e);
	if (!find_root(nv, &root))
		return 0;
	for (unsigned i = 0; i < n && r >= 0; i++) {
		_cleanup_buf_ struct buf path = BUF_INIT;

		if (ids[i] == NV_CGROUP_ROOT || find_number(&root, ids[i], &path))
			r = add_path(nv, &root, buf_cstr(&path), &gone, e);
	}
	if (!root.left)
		nv->cgroups_unread = "there are too many control groups to look through";
	close(root.fd);
	return r < 0 ? -1 : 0;
}

int nv_name_cgroup(struct netview *nv, const char *path, struct err *e)
{
	struct root root;
	int r, why;

	if (!find_root(nv, &root))
		return 0;
	r = add_path(nv, &root, path, &why, e);
	if (r == 0) {
		err_set(e, ERR_USAGE, "cgroupv2", "there is no control group '%s': %s", path, strerror(why));
		r = err_hint(e, "give its path below the mount of cgroup2, as /proc/PID/cgroup shows it behind '0::'");
	}
	close(root.fd);
	return r < 0 ? -1 : 0;
}
