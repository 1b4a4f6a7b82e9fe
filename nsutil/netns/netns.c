/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netns - hold, identify and enter a network namespace; the only place that calls setns */
#include "nsutil/netns/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

/* Not /proc/self: setns is per thread, and the main thread may be elsewhere. */
#define OWN_PROC "/proc/thread-self"
#define OWN_NS OWN_PROC "/ns/net"

static int not_netns(const char *path, const char *why, struct err *e)
{
	char what[600];

	snprintf(what, sizeof(what), "%s", path);
	return err_set(e, ERR_TARGET, what, "is no network namespace (%s)", why);
}

/* A path that cannot be looked at: gone is a matter of the target, refused of the capability. */
static int open_failed(const char *path, int errnum, struct err *e)
{
	err_cap(e, errnum, "CAP_SYS_PTRACE for a process of another user", "cannot open network namespace %s",
		path);
	if (e && (errnum == ENOENT || errnum == ENOTDIR || errnum == ESRCH || errnum == ELOOP))
		e->code = ERR_TARGET;
	return -1;
}

/*
 * Looked at before it is opened, because opening a FIFO or a device is not without effect;
 * and after, because it may have been replaced.
 */
static int open_nsfs(const char *path, struct err *e)
{
	_cleanup_close_ int fd = -1;
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return open_failed(path, errno, e);
	if (fs.f_type != NSFS_MAGIC)
		return not_netns(path, "not a file of nsfs", e);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return open_failed(path, errno, e);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)
		return not_netns(path, "not a file of nsfs", e);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return not_netns(path, "a namespace of another type", e);
	return steal_fd(fd);
}

/* "/proc/4711/ns/net" shows its namespace in "/proc/4711"; other paths show none. */
static void set_procdir(struct netns *ns, const char *procdir)
{
	if (strlen(procdir) < sizeof(ns->procdir))
		strcpy(ns->procdir, procdir);
}

static int open_ns(const char *path, struct netns *ret, struct err *e)
{
	struct netns ns = NETNS_INIT;
	struct stat st;

	if (strlen(path) >= sizeof(ns.path))
		return err_set(e, ERR_TARGET, "network namespace", "its path is too long (%zu bytes)",
			       strlen(path));
	strcpy(ns.path, path);
	ns.fd = open_nsfs(path, e);
	if (ns.fd < 0)
		return -1;
	if (fstat(ns.fd, &st) < 0) {
		err_sys(e, errno, "cannot identify network namespace %s", path);
		netns_close(&ns);
		return -1;
	}
	ns.dev = st.st_dev;
	ns.inode = st.st_ino;
	*ret = ns;
	return 0;
}

int netns_open_path(const char *path, struct netns *ret, struct err *e)
{
	return open_ns(path, ret, e);
}

int netns_open_self(struct netns *ret, struct err *e)
{
	if (open_ns(OWN_NS, ret, e) < 0) {
		if (e && e->code == ERR_TARGET)
			err_hint(e, "is /proc mounted?");
		return -1;
	}
	set_procdir(ret, OWN_PROC);
	return 0;
}

int netns_open_pid(const char *proc, pid_t pid, struct netns *ret, struct err *e)
{
	char path[sizeof(ret->path)], dir[sizeof(ret->path)];

	if (pid <= 0)
		return err_set(e, ERR_TARGET, "no such process", "%d is no process id", (int)pid);
	if (snprintf(dir, sizeof(dir), "%s/%d", proc, (int)pid) >= (int)sizeof(dir) ||
	    snprintf(path, sizeof(path), "%s/ns/net", dir) >= (int)sizeof(path))
		return err_set(e, ERR_TARGET, "network namespace", "the path of the proc mount is too long");
	if (open_ns(path, ret, e) < 0) {
		if (e && e->errnum == ENOENT)
			err_set(e, ERR_TARGET, "no such process", "%s does not exist", dir);
		return -1;
	}
	set_procdir(ret, dir);
	return 0;
}

void netns_close(struct netns *ns)
{
	if (ns->fd >= 0)
		close(ns->fd);
	ns->fd = -1;
}

/*
 * Where this thread is while netns_call() has it elsewhere: to ask /proc each time costs as much as reading a
 * small table. NULL: not known.
 */
static _Thread_local const struct netns *here;

/* The link at @path leads to the namespace. */
static bool leads_to(const char *path, const struct netns *ns)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == ns->dev && st.st_ino == ns->inode;
}

bool netns_is_self(const struct netns *ns)
{
	return here ? here->dev == ns->dev && here->inode == ns->inode : leads_to(OWN_NS, ns);
}

static int move_to(const struct netns *ns, struct err *e)
{
	if (ns->fd < 0)
		return err_set(e, ERR_TARGET, "cannot enter the network namespace", "it is not open");
	if (setns(ns->fd, CLONE_NEWNET) < 0)
		return err_cap(e, errno, "CAP_SYS_ADMIN, also in the user namespace that owns it",
			       "cannot enter network namespace %s", ns->path);
	return 0;
}

int netns_enter(const struct netns *ns, struct err *e)
{
	int ret = netns_is_self(ns) ? 0 : move_to(ns, e);

	if (ret == 0)
		here = NULL; /* for good, also for longer than the caller's namespace is held */
	return ret;
}

/* All signals but those a fault of our own raises: blocked, these would kill without a handler. */
static void block_signals(sigset_t *old)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT };
	sigset_t all;

	sigfillset(&all);
	for (unsigned i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_BLOCK, &all, old);
}

int netns_call(const struct netns *ns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	const struct netns *before = here;
	_cleanup_close_ int own = -1;
	sigset_t old;
	int ret = -1;

	if (netns_is_self(ns))
		return fn(arg, e);
	own = open(OWN_NS, O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return err_sys(e, errno, "cannot hold on to the own network namespace %s", OWN_NS);
	block_signals(&old);
	if (move_to(ns, e) == 0) {
		here = ns;
		ret = fn(arg, e);
		here = before;
		if (setns(own, CLONE_NEWNET) < 0)
			abort();
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int netns_make(struct netns *ret, struct err *e)
{
	_cleanup_close_ int own = open(OWN_NS, O_RDONLY | O_CLOEXEC);
	struct netns ns = NETNS_INIT;
	sigset_t old;
	int r = -1;

	if (own < 0)
		return err_sys(e, errno, "cannot hold on to the own network namespace %s", OWN_NS);
	block_signals(&old);
	if (unshare(CLONE_NEWNET) < 0) {
		err_cap(e, errno, "CAP_SYS_ADMIN", "cannot make a network namespace");
	} else {
		r = open_ns(OWN_NS, &ns, e);
		if (setns(own, CLONE_NEWNET) < 0)
			abort();
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		return -1;
	strcpy(ns.path, "of its own");
	*ret = ns;
	return 0;
}

struct socket_job {
	int domain, type, protocol, fd;
};

static int socket_inside(void *arg, struct err *e)
{
	struct socket_job *job = arg;

	job->fd = socket(job->domain, job->type | SOCK_CLOEXEC, job->protocol);
	if (job->fd < 0)
		return err_cap(e, errno, job->type == SOCK_RAW ? "CAP_NET_RAW" : "CAP_NET_ADMIN",
			       "cannot make a socket (family %d, protocol %d)", job->domain, job->protocol);
	return 0;
}

int netns_socket(const struct netns *ns, int domain, int type, int protocol, struct err *e)
{
	struct socket_job job = { domain, type, protocol, -1 };

	if (netns_call(ns, socket_inside, &job, e) < 0)
		return -1;
	return job.fd;
}

struct open_job {
	const char *path;
	int fd;
};

static int open_inside(void *arg, struct err *e)
{
	struct open_job *job = arg;

	job->fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (job->fd < 0)
		return err_cap(e, errno, "CAP_DAC_READ_SEARCH", "cannot read %s", job->path);
	return 0;
}

/*
 * PROCDIR/net/FILE without entering, or -1 with errno. The namespace is compared after the file
 * is open: if the process died and its number went to another one, that shows here.
 */
static int open_outside(const struct netns *ns, const char *path)
{
	_cleanup_close_ int fd = -1;
	char file[256], link[sizeof(ns->procdir) + 8];

	errno = ENOENT;
	if (!ns->procdir[0] || strncmp(path, "net/", 4) != 0 ||
	    snprintf(file, sizeof(file), "%s/%s", ns->procdir, path) >= (int)sizeof(file))
		return -1;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	snprintf(link, sizeof(link), "%s/ns/net", ns->procdir);
	errno = ESTALE;
	return leads_to(link, ns) ? steal_fd(fd) : -1;
}

/* The process still stands for the namespace, so that what its directory lacks is not there. */
static bool procdir_valid(const struct netns *ns)
{
	char link[sizeof(ns->procdir) + 8];

	snprintf(link, sizeof(link), "%s/ns/net", ns->procdir);
	return ns->procdir[0] && leads_to(link, ns);
}

/* sys/net shows the namespace of the reader, so it needs to be entered; net/ mostly not. */
static int open_proc(const struct netns *ns, const char *path, struct err *e)
{
	bool net = strncmp(path, "net/", 4) == 0;
	char file[256];
	struct open_job job = { file, -1 };
	int fd = open_outside(ns, path);

	if (fd >= 0)
		return fd;
	if (net && errno == ENOENT && procdir_valid(ns))
		return err_sys(e, ENOENT, "cannot read %s/%s", ns->procdir, path);
	if (snprintf(file, sizeof(file), "%s/%s", net ? OWN_PROC : "/proc", path) >= (int)sizeof(file))
		return err_sys(e, ENAMETOOLONG, "cannot read /proc/%.64s...", path);
	if (netns_call(ns, open_inside, &job, e) < 0)
		return -1;
	return job.fd;
}

/* Reads to the end, at most @max bytes; proc files have no size to ask for. */
static int slurp(int fd, const char *name, size_t max, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, room = 0;
	ssize_t n;

	for (;;) {
		if (len + 1 >= room) {
			char *more = realloc(text, room = room ? room * 2 : 4096);

			if (!more)
				return err_oom(e);
			text = more;
		}
		n = read(fd, text + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read /proc/%s", name);
		if (n == 0)
			break;
		len += n;
		if (len > max)
			return err_sys(e, EFBIG, "cannot read /proc/%s (limit %zu bytes)", name, max);
	}
	text[len] = '\0';
	if (ret_len)
		*ret_len = len;
	*ret = steal_ptr(text);
	return 0;
}

int netns_read_proc(const struct netns *ns, const char *path, size_t max, char **ret, size_t *ret_len,
		    struct err *e)
{
	_cleanup_close_ int fd = open_proc(ns, path, e);

	if (fd < 0)
		return -1;
	return slurp(fd, path, max, ret, ret_len, e);
}
