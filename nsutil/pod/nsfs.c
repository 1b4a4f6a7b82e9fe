/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsfs - network namespaces that are kept by a mount, with or without a process in them */
#include "nsutil/pod/nsfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/proc.h"

enum { MOUNTINFO_MAX = 64 << 20 };

/* mountinfo writes blank, tab, newline and backslash as \ooo. */
static char *unescape(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_strndup(a, s, len), *to = copy;

	for (const char *p = copy; p && *p; p++) {
		unsigned v;

		if (*p == '\\' && sscanf(p + 1, "%3o", &v) == 1 && strspn(p + 1, "01234567") >= 3) {
			*to++ = (char)v;
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	if (copy)
		*to = '\0';
	return copy;
}

/* "30 25 0:4 net:[4026532412] /run/netns/x rw shared:7 - nsfs nsfs rw" */
static struct nsfs_mount *parse_line(const char *line, size_t len, struct arena *a)
{
	const char *root = memmem(line, len, " net:[", 6), *path, *end;
	unsigned long long inode;
	struct nsfs_mount *m;

	if (!root || !memmem(line, len, " - nsfs ", 8))
		return NULL;
	if (sscanf(root, " net:[%llu]", &inode) != 1)
		return NULL;
	path = memchr(root + 1, ' ', len - (size_t)(root + 1 - line));
	if (!path)
		return NULL;
	path++;
	end = memchr(path, ' ', len - (size_t)(path - line));
	if (!end || *path != '/')
		return NULL;
	m = arena_alloc(a, sizeof(*m));
	if (!m)
		return NULL;
	m->inode = inode;
	m->path = unescape(a, path, (size_t)(end - path));
	return m->path ? m : NULL;
}

struct nsfs_mount *nsfs_parse(const char *mountinfo, struct arena *a)
{
	struct nsfs_mount *first = NULL, **tail = &first;
	const char *line = mountinfo;

	while (*line) {
		size_t len = strcspn(line, "\n");
		struct nsfs_mount *m = parse_line(line, len, a);

		if (m) {
			*tail = m;
			tail = &m->next;
		}
		line += len + (line[len] == '\n');
	}
	return first;
}

struct nsfs_mount *nsfs_mounts(const struct hostfs *h, struct arena *a)
{
	_cleanup_free_ char *node = NULL, *own = NULL;
	struct nsfs_mount *first = NULL, **tail = &first;

	if (proc_read(h->proc, 1, "mountinfo", MOUNTINFO_MAX, &node) >= 0)
		first = nsfs_parse(node, a);
	while (*tail)
		tail = &(*tail)->next;
	if (hostfs_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &own) >= 0)
		*tail = nsfs_parse(own, a);
	return first;
}

/* The path is opened first, so that links are resolved below the node's root, then named by it. */
static int open_below(const struct hostfs *h, const char *path, struct netns *ret, struct err *e)
{
	_cleanup_close_ int fd = hostfs_open(h, path, O_PATH);
	char link[64];

	if (fd < 0) {
		err_sys(e, fd, "cannot open network namespace %s", path);
		if (e && e->code == ERR_SYS)
			e->code = ERR_TARGET;
		return -1;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return netns_open_path(link, ret, e);
}

int nsfs_open(const struct hostfs *h, const char *path, struct netns *ret, struct err *e)
{
	char through[4096];
	int r;

	if (strcmp(h->root, "/") == 0)
		r = netns_open_path(path, ret, e);
	else
		r = open_below(h, path, ret, e);
	/* A plain bind mount of the root does not bring the namespaces mounted below it along. */
	if (r < 0 && snprintf(through, sizeof(through), "%s/1/root%s", h->proc, path) < (int)sizeof(through) &&
	    netns_open_path(through, ret, NULL) == 0)
		r = 0;
	if (r < 0 && e && strstr(e->what, "/proc/self/fd/"))
		snprintf(e->what, sizeof(e->what), "%s", path);
	if (r == 0)
		snprintf(ret->path, sizeof(ret->path), "%.500s", path);
	return r;
}
