/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner - a network namespace that belongs to another user namespace, as that of a pod with hostUsers: false */
#include "nsutil/netns/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

struct answer {
	int status;
	struct err e;
};

int netns_owned_by(const struct netns *ns, const char *proc, pid_t pid)
{
	_cleanup_close_ int fd = ns->fd < 0 ? -1 : ioctl(ns->fd, NS_GET_USERNS);
	struct stat owner, other;
	char path[PATH_MAX + 32], number[16] = "self";

	if (pid)
		snprintf(number, sizeof(number), "%d", (int)pid);
	snprintf(path, sizeof(path), "%s/%s/ns/user", proc, number);
	if (fd < 0 || fstat(fd, &owner) < 0 || stat(path, &other) < 0)
		return -1;
	return owner.st_dev == other.st_dev && owner.st_ino == other.st_ino;
}

bool netns_owned_elsewhere(const struct netns *ns)
{
	return netns_owned_by(ns, "/proc", 0) == 0;
}

static int become(const struct netns *ns, struct err *e)
{
	_cleanup_close_ int user = ioctl(ns->fd, NS_GET_USERNS);

	if (user < 0)
		return err_sys(e, errno, "cannot find the user namespace that owns %s", ns->path);
	if (netns_enter(ns, e) < 0)
		return -1;
	if (setns(user, CLONE_NEWUSER) < 0)
		return err_cap(e, errno, "CAP_SYS_ADMIN in it", "cannot enter the user namespace that owns %s", ns->path);
	return 0;
}

static _Noreturn void child(int fd, pid_t parent, const struct netns *ns, int (*fn)(void *arg, struct err *e), void *arg)
{
	struct answer a = { .e = ERR_INIT };

	a.status = become(ns, &a.e);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of users clears it */
	if (getppid() != parent)
		_exit(1);
	if (a.status == 0)
		a.status = fn(arg, &a.e);
	_exit(write(fd, &a, sizeof(a)) != sizeof(a));
}

static int collect(int fd, pid_t pid, struct err *e)
{
	struct answer a = { .status = -1 };
	size_t have = 0;
	ssize_t n = 1;

	while (have < sizeof(a) && n) {
		n = read(fd, (char *)&a + have, sizeof(a) - have);
		if (n < 0 && errno != EINTR)
			break;
		have += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (have != sizeof(a))
		return err_set(e, ERR_SYS, "the child of the pod's user namespace", "it ended without an answer");
	if (a.status < 0 && e)
		*e = a.e;
	return a.status;
}

int netns_call_as_owner(const struct netns *ns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	_cleanup_close_ int from = -1;
	pid_t parent = getpid(), pid;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	from = p[0];
	pid = fork();
	if (pid == 0)
		child(p[1], parent, ns, fn, arg);
	close(p[1]);
	if (pid < 0)
		return err_sys(e, errno, "cannot make a child for the pod's user namespace");
	return collect(from, pid, e);
}
