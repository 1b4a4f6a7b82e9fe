/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hostfs - the node's files and proc mount, wherever the node's root is mounted */
#include "nsutil/pod/hostfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

static bool is_root(const char *root)
{
	return !root || !*root || strcmp(root, "/") == 0;
}

int hostfs_check(const char *root, struct err *e)
{
	struct stat st;

	if (is_root(root))
		return 0;
	if (stat(root, &st) < 0)
		return err_sys(e, errno, "the node's root %s", root);
	return S_ISDIR(st.st_mode) ? 0 : err_sys(e, ENOTDIR, "the node's root %s", root);
}

int hostfs_init(struct hostfs *h, const char *root, struct arena *a)
{
	const char *one;

	h->root = is_root(root) ? "/" : arena_strdup(a, root);
	h->proc = is_root(root) ? "/proc" : arena_printf(a, "%s/proc", root);
	h->own_proc = false;
	if (!h->root || !h->proc)
		return -1;
	one = arena_printf(a, "%s/1", h->proc);
	if (!one)
		return -1;
	/* A root that was mounted without what is mounted on it has an empty proc. */
	if (!is_root(root) && access(one, F_OK) != 0) {
		h->proc = "/proc";
		h->own_proc = true;
	}
	return 0;
}

/* Where openat2 is not there or not allowed: at least the one absolute link every node has. */
static int open_plain(int rootfd, const char *path, int flags)
{
	if (strncmp(path, "/var/run/", 9) == 0)
		path += 4;
	while (*path == '/')
		path++;
	return openat(rootfd, *path ? path : ".", flags);
}

int hostfs_open(const struct hostfs *h, const char *path, int flags)
{
	_cleanup_close_ int rootfd = -1;
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int fd;

	flags |= O_CLOEXEC;
	if (path[0] != '/')
		return -EINVAL;
	if (is_root(h->root)) {
		fd = open(path, flags);
		return fd < 0 ? -errno : fd;
	}
	rootfd = open(h->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rootfd < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open_plain(rootfd, path, flags);
	return fd < 0 ? -errno : fd;
}

long hostfs_read_fd(int fd, size_t max, char **ret)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0, room = 4096;

	data = malloc(room + 1);
	if (!data)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, data + len, room - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (len == room) {
			char *more = realloc(data, room * 2 + 1);

			if (!more)
				return -ENOMEM;
			data = more;
			room *= 2;
		}
	}
	data[len] = '\0';
	*ret = steal_ptr(data);
	return (long)len;
}

/* A fifo or device that somebody put in the way must not make us wait. */
static long read_regular(int fd, size_t max, char **ret)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return hostfs_read_fd(fd, max, ret);
}

long hostfs_read(const struct hostfs *h, const char *path, size_t max, char **ret)
{
	_cleanup_close_ int fd = hostfs_open(h, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? fd : read_regular(fd, max, ret);
}

long hostfs_read_at(int dirfd, const char *path, size_t max, char **ret)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : read_regular(fd, max, ret);
}

DIR *hostfs_opendir(const struct hostfs *h, const char *path)
{
	int fd = hostfs_open(h, path, O_RDONLY | O_DIRECTORY);
	DIR *d;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	d = fdopendir(fd);
	if (!d)
		close(fd);
	return d;
}

const char *hostfs_word(struct arena *a, const char *s)
{
	char *copy;

	if (!s || !*s)
		return NULL;
	copy = arena_strndup(a, s, 1024);
	for (char *p = copy; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return copy;
}
