/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc - processes of the node as its proc mount shows them */
#include "nsutil/pod/proc.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/hostfs.h"

enum { PROC_STAT_MAX = 8192, PROC_FIB_MAX = 8 << 20 };

int proc_stat_parse(const char *line, struct proc_stat *ret)
{
	const char *open = strchr(line, '('), *close = strrchr(line, ')');
	struct proc_stat st = { .state = '?' };
	unsigned long long start;
	size_t len;
	int ppid;

	if (!open || !close || close < open)
		return -1;
	if (sscanf(close + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &st.state, &ppid, &start) != 3)
		return -1;
	len = (size_t)(close - open - 1);
	if (len >= sizeof(st.comm))
		len = sizeof(st.comm) - 1;
	memcpy(st.comm, open + 1, len);
	st.ppid = ppid;
	st.starttime = start;
	*ret = st;
	return 0;
}

long proc_read(const char *proc, pid_t pid, const char *name, size_t max, char **ret)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%d/%s", proc, (int)pid, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return hostfs_read_at(AT_FDCWD, path, max, ret);
}

int proc_stat(const char *proc, pid_t pid, struct proc_stat *ret)
{
	_cleanup_free_ char *text = NULL;
	long n = proc_read(proc, pid, "stat", PROC_STAT_MAX, &text);

	if (n < 0)
		return n == -ESRCH ? -ENOENT : (int)n;
	return proc_stat_parse(text, ret) ? -EINVAL : 0;
}

int proc_netns(const char *proc, pid_t pid, uint64_t *ret_inode)
{
	char path[4096];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%d/ns/net", proc, (int)pid);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	if (stat(path, &st) != 0)
		return -errno;
	*ret_inode = st.st_ino;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

int proc_pids(const char *proc, struct arena *a, pid_t **ret, size_t *ret_n)
{
	_cleanup_closedir_ DIR *d = opendir(proc);
	pid_t *pids = NULL;
	struct dirent *de;
	size_t n = 0;

	if (!d)
		return -errno;
	while ((de = readdir(d))) {
		char *end;
		unsigned long v = strtoul(de->d_name, &end, 10);

		if (de->d_name[0] < '1' || de->d_name[0] > '9' || *end || v > INT32_MAX)
			continue;
		pids = arena_grow(a, pids, n, sizeof(*pids));
		if (!pids)
			return -ENOMEM;
		pids[n++] = (pid_t)v;
	}
	if (n)
		qsort(pids, n, sizeof(*pids), by_number);
	*ret = pids;
	*ret_n = n;
	return 0;
}

pid_t proc_find_netns(const char *proc, uint64_t inode, unsigned *ret_unreadable)
{
	_cleanup_arena_ struct arena *a = arena_new();
	uint64_t oldest = UINT64_MAX;
	unsigned unreadable = 0;
	pid_t *pids, found = 0;
	size_t n;

	if (!a || proc_pids(proc, a, &pids, &n) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		struct proc_stat st;
		uint64_t ino = 0;
		int r = proc_netns(proc, pids[i], &ino);

		unreadable += r == -EACCES || r == -EPERM;
		if (r < 0 || ino != inode || proc_stat(proc, pids[i], &st) < 0)
			continue;
		if (st.starttime < oldest) {
			oldest = st.starttime;
			found = pids[i];
		}
	}
	if (ret_unreadable)
		*ret_unreadable = unreadable;
	return found;
}

/* Adds an address that may identify the namespace, once. */
static void add_addr(struct arena *a, struct addr **addrs, unsigned *n, const struct addr *ip)
{
	struct addr *grown;

	if (addr_is_loopback(ip) || addr_is_any(ip) || addr_is_linklocal(ip) || addr_is_multicast(ip))
		return;
	for (unsigned i = 0; i < *n; i++)
		if (addr_equal(&(*addrs)[i], ip))
			return;
	grown = arena_grow(a, *addrs, *n, sizeof(**addrs));
	if (!grown)
		return;
	grown[(*n)++] = *ip;
	*addrs = grown;
}

/* The trie prints each leaf as "|-- ADDRESS" and then its entries; "/32 host LOCAL" marks our own. */
void proc_parse_fib_trie(const char *text, struct arena *a, struct addr **addrs, unsigned *n)
{
	struct addr ip = { .family = 0 };
	const char *line = text;

	while (*line) {
		size_t len = strcspn(line, "\n");
		char buf[128], word[64];

		snprintf(buf, sizeof(buf), "%.*s", (int)(len < 127 ? len : 127), line);
		if (sscanf(buf, " |-- %63s", word) == 1) {
			if (addr_parse(word, &ip))
				ip.family = 0;
		} else if (ip.family && strstr(buf, "/32 host LOCAL")) {
			add_addr(a, addrs, n, &ip);
		}
		line += len + (line[len] == '\n');
	}
}

void proc_parse_if_inet6(const char *text, struct arena *a, struct addr **addrs, unsigned *n)
{
	const char *line = text;

	while (*line) {
		size_t len = strcspn(line, "\n");
		struct addr ip;

		if (len >= 32 && addr_from_hex(line, &ip))
			add_addr(a, addrs, n, &ip);
		line += len + (line[len] == '\n');
	}
}

int proc_addrs(const char *proc, pid_t pid, struct arena *a, struct addr **ret)
{
	_cleanup_free_ char *v4 = NULL, *v6 = NULL;
	struct addr *addrs = NULL;
	unsigned n = 0;
	long r = proc_read(proc, pid, "net/fib_trie", PROC_FIB_MAX, &v4);

	if (r < 0 && r != -ENOENT)
		return (int)r;
	if (r >= 0)
		proc_parse_fib_trie(v4, a, &addrs, &n);
	if (proc_read(proc, pid, "net/if_inet6", PROC_FIB_MAX, &v6) >= 0)
		proc_parse_if_inet6(v6, a, &addrs, &n);
	*ret = addrs;
	return (int)n;
}

bool proc_has_cap(unsigned cap)
{
	_cleanup_free_ char *text = NULL;
	unsigned long long set;
	const char *line;

	if (hostfs_read_at(AT_FDCWD, "/proc/thread-self/status", 64 << 10, &text) < 0)
		return false;
	line = strstr(text, "\nCapEff:");
	return line && sscanf(line + 8, "%llx", &set) == 1 && (set >> cap & 1);
}

int proc_missing(const char *proc, pid_t pid, int errnum, const char *what, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n = 0;
	pid_t *pids;

	errnum = errnum < 0 ? -errnum : errnum;
	if (errnum == EACCES || errnum == EPERM) {
		err_set(e, ERR_PERM, what, "%s", "opening another process's namespace needs CAP_SYS_PTRACE");
		return err_hint(e, "run as root, or in a container with CAP_SYS_PTRACE and CAP_SYS_ADMIN");
	}
	if (errnum != ENOENT && errnum != ESRCH)
		return err_sys(e, errnum, "%s", what);
	if (!a || proc_pids(proc, a, &pids, &n) < 0 || n == 0) {
		err_set(e, ERR_SYS, what, "%s shows no processes", proc);
		return err_hint(e, "is /proc mounted, and without hidepid?");
	}
	err_set(e, ERR_TARGET, what, "no process %d in %s", (int)pid, proc);
	return err_hint(e, "PIDs are those of this PID namespace; in a container, hostPID shows the node's");
}
