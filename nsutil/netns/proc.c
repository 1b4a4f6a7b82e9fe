/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc - which process holds a socket: the links in PROC/PID/fd say "socket:[INODE]" */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/parts.h"

/* Descriptors looked at before giving up: a busy node has some hundred thousand. */
#define FDS_MOST (1u << 21)

/* Sockets by inode, sorted; several may share one (they do not, but who knows). */
struct finder {
	struct nv_socket **by_inode;
	unsigned n, open; /* open: listeners without a process */
	unsigned fds_left;
	const struct netns *ns;
	int proc; /* descriptor of the proc mount */
};

static int compare_inodes(const void *a, const void *b)
{
	const struct nv_socket *x = *(struct nv_socket *const *)a, *y = *(struct nv_socket *const *)b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static int index_sockets(struct finder *f, struct netview *nv)
{
	f->by_inode = arena_array(nv->arena, nv->n_sockets, sizeof(*f->by_inode));
	if (!f->by_inode)
		return -1;
	for (unsigned i = 0; i < nv->n_sockets; i++) {
		if (nv->sockets[i].inode == 0)
			continue;
		f->by_inode[f->n++] = &nv->sockets[i];
		f->open += nv->sockets[i].listening;
	}
	qsort(f->by_inode, f->n, sizeof(*f->by_inode), compare_inodes);
	return 0;
}

static struct nv_socket *find_inode(const struct finder *f, uint64_t inode)
{
	struct nv_socket key = { .inode = inode }, *k = &key, **hit;

	hit = bsearch(&k, f->by_inode, f->n, sizeof(*f->by_inode), compare_inodes);
	return hit ? *hit : NULL;
}

static void read_file(const struct finder *f, const char *pid, const char *name, char *ret, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[48];
	ssize_t n;

	snprintf(path, sizeof(path), "%.20s/%.20s", pid, name);
	fd = openat(f->proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, size - 1);
	ret[n > 0 ? n : 0] = '\0';
}

/* What a socket that it makes belongs to: the last of "Gid: real effective saved file-system" */
static void read_gid(const struct finder *f, const char *pid, struct nv_socket *s)
{
	char text[2048], *at;

	read_file(f, pid, "status", text, sizeof(text));
	at = strstr(text, "\nGid:");
	s->has_gid = at && sscanf(at + 5, "%*u %*u %*u %" SCNu32, &s->gid) == 1;
}

/* The process with the lowest number is named when several share a socket: /proc lists them so. */
static void take_fd(struct finder *f, int dir, const char *name, const char *pid)
{
	char link[64];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	struct nv_socket *s;
	uint64_t inode;

	if (n <= 0)
		return;
	link[n] = '\0';
	if (sscanf(link, "socket:[%" SCNu64 "]", &inode) != 1)
		return;
	s = find_inode(f, inode);
	if (!s || s->pid)
		return;
	s->pid = (pid_t)strtol(pid, NULL, 10);
	read_file(f, pid, "comm", s->process, sizeof(s->process));
	s->process[strcspn(s->process, "\n")] = '\0';
	read_gid(f, pid, s);
	if (s->listening)
		f->open--;
}

static void walk_fds(struct finder *f, const char *pid)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *de;
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(f->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	while (f->fds_left && (de = readdir(d))) {
		f->fds_left--;
		if (isdigit((unsigned char)de->d_name[0]))
			take_fd(f, dirfd(d), de->d_name, pid);
	}
}

static bool in_namespace(const struct finder *f, const char *pid)
{
	struct stat st;
	char path[40];

	snprintf(path, sizeof(path), "%.20s/ns/net", pid);
	return fstatat(f->proc, path, &st, 0) == 0 && st.st_ino == f->ns->inode && st.st_dev == f->ns->dev;
}

static void walk_processes(struct finder *f, const char *proc, bool inside)
{
	_cleanup_closedir_ DIR *d = opendir(proc);
	struct dirent *de;

	while (d && f->fds_left && (de = readdir(d)))
		if (isdigit((unsigned char)de->d_name[0]) && in_namespace(f, de->d_name) == inside)
			walk_fds(f, de->d_name);
}

/*
 * First the processes of the namespace. Only when a listener stays without one, all others:
 * Istio's ztunnel, for one, holds sockets in pods without being in them.
 */
void nv_find_processes(const struct netns *ns, const char *proc, struct netview *nv)
{
	_cleanup_close_ int fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct finder f = { .fds_left = FDS_MOST, .ns = ns, .proc = fd };

	if (fd < 0 || nv->n_sockets == 0 || index_sockets(&f, nv) < 0)
		return;
	walk_processes(&f, proc, true);
	if (f.open)
		walk_processes(&f, proc, false);
}
