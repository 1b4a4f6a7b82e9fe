/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logger - the packet logger of a namespace: kept before it is replaced, and put back, also after a kill */
#include "nsutil/live/logger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/base/file.h"
#include "nsutil/istio/undo.h"
#include "nsutil/live/parts.h"

#define FILE_MOST 4096

static const char *const files[2] = { "net/netfilter/nf_log/2", "net/netfilter/nf_log/10" };

static char *folder(struct arena *a)
{
	const char *undo = istio_undo_folder(a);
	const char *slash = undo ? strrchr(undo, '/') : NULL;

	return slash ? arena_printf(a, "%.*s/live", (int)(slash - undo), undo) : NULL;
}

static int make_folders(const char *path, struct err *e)
{
	char part[512];

	if (strlen(path) >= sizeof(part))
		return err_sys(e, ENAMETOOLONG, "cannot make %s", path);
	for (const char *p = path + 1;; p++) {
		if (*p && *p != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return err_sys(e, errno, "cannot make %s", part);
		if (!*p)
			return 0;
	}
}

static int read_former(const struct netns *ns, struct logger *l, struct err *e)
{
	for (unsigned i = 0; i < 2; i++) {
		_cleanup_free_ char *text = NULL;
		char path[64];

		snprintf(path, sizeof(path), "sys/%s", files[i]);
		if (netns_read_proc(ns, path, sizeof(l->former[i]) - 1, &text, NULL, e) < 0)
			return -1;
		snprintf(l->former[i], sizeof(l->former[i]), "%.*s", (int)strcspn(text, "\n"), text);
	}
	return 0;
}

/* Field 22 of /proc/PID/stat: a process that has the number but not the start is another one. */
static uint64_t start_of(pid_t pid)
{
	char path[40], text[1024] = "";
	unsigned long long start = 0;
	const char *p;
	int fd _cleanup_close_ = -1;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start) != 1)
		return 0;
	return start;
}

int logger_keep(const struct netns *ns, struct arena *a, struct logger *ret, struct err *e)
{
	struct logger l = { .ns = ns };
	const char *dir = folder(a), *identity = istio_undo_identity(a, ns);
	struct buf b _cleanup_buf_ = BUF_INIT;

	if (!dir || !identity)
		return err_oom(e);
	if (read_former(ns, &l, e) < 0 || make_folders(dir, e) < 0)
		return -1;
	l.path = arena_printf(a, "%s/%" PRIu64 "-%d", dir, ns->inode, (int)getpid());
	buf_fmt(&b, "%d %" PRIu64 "\n%s\n%s\n%s\n", (int)getpid(), start_of(getpid()), identity, l.former[0], l.former[1]);
	if (!l.path || buf_failed(&b))
		return err_oom(e);
	if (file_replace(l.path, 0600, b.data, b.len, e) < 0)
		return -1;
	*ret = l;
	return 0;
}

int logger_restore(const struct logger *l, struct err *e)
{
	for (unsigned i = 0; i < 2; i++) {
		int error = scratch_set(l->ns, files[i], l->former[i]);

		if (error)
			return err_sys(e, error, "cannot put the former packet logger '%s' back into /proc/sys/%s", l->former[i],
				       files[i]);
	}
	unlink(l->path);
	return 0;
}

static bool line(char **at, char *ret, size_t size)
{
	size_t n = strcspn(*at, "\n");

	if (!**at || n >= size)
		return false;
	memcpy(ret, *at, n);
	ret[n] = '\0';
	*at += n + ((*at)[n] == '\n');
	return true;
}

/* What a file says; false when it is not of this namespace, or who wrote it still runs. */
static bool is_left(const char *identity, struct logger *l)
{
	char text[FILE_MOST] = "", who[64], whose[256], *at = text;
	int fd _cleanup_close_ = open(l->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), pid;
	unsigned long long start;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || !line(&at, who, sizeof(who)) ||
	    !line(&at, whose, sizeof(whose)) || !line(&at, l->former[0], sizeof(l->former[0])) ||
	    !line(&at, l->former[1], sizeof(l->former[1])) || sscanf(who, "%d %llu", &pid, &start) != 2)
		return false;
	return strcmp(whose, identity) == 0 && start_of(pid) != start;
}

/* All that was left in the namespace, to be put back or only counted. */
static int work_off(const struct netns *ns, struct arena *a, bool put_back, struct err *e)
{
	const char *dir = folder(a), *identity = istio_undo_identity(a, ns);
	DIR *d _cleanup_closedir_ = dir ? opendir(dir) : NULL;
	const struct dirent *de;
	int n = 0;

	while (d && identity && (de = readdir(d))) {
		const char *path = arena_printf(a, "%s/%s", dir, de->d_name);
		struct logger l = { .ns = ns, .path = path };

		if (de->d_name[0] == '.' || !path || !is_left(identity, &l))
			continue;
		if (put_back && logger_restore(&l, e) < 0)
			return -1;
		n++;
	}
	return n;
}

int logger_repair(const struct netns *ns, struct arena *a, struct err *e)
{
	return work_off(ns, a, true, e);
}

int logger_left(const struct netns *ns, struct arena *a)
{
	return work_off(ns, a, false, NULL);
}
