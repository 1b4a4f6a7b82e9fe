/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run - run a program inside a network namespace */
#include "nsutil/netns/run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

extern char **environ;

struct spawn {
	char *const *argv;
	sigset_t mask;	/* the program starts with what the caller had */
	pid_t pid;
	const struct netns *ns;
	int dir;	/* of the process whose namespaces are entered too; -1: none are */
	unsigned also;	/* RUN_* */
	int ret;
	struct err *e;
};

/* A child has the namespace of the thread that makes it, so no code of ours runs in the child. */
static int spawn_inside(void *arg, struct err *e)
{
	struct spawn *s = arg;
	posix_spawnattr_t attr;
	int error;

	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &s->mask);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawnp(&s->pid, s->argv[0], NULL, &attr, s->argv, environ);
	posix_spawnattr_destroy(&attr);
	if (error)
		return err_sys(e, error, "cannot run %s", s->argv[0]);
	return 0;
}

/* Stopped with Ctrl-Z: we stop as well, so that the shell above sees it, and go on together. */
static void stop_along(pid_t pid)
{
	kill(getpid(), SIGSTOP);
	kill(pid, SIGCONT);
}

/* Whether the program ended; its status then. */
static int reap(pid_t pid, int *ret_status)
{
	int status;

	while (waitpid(pid, &status, WUNTRACED | WNOHANG) == pid) {
		if (WIFSTOPPED(status)) {
			stop_along(pid);
			continue;
		}
		*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return 1;
	}
	return 0;
}

static void wait_for(pid_t pid, const sigset_t *signals, int *ret_status)
{
	while (!reap(pid, ret_status)) {
		int sig = sigwaitinfo(signals, NULL);

		/* Ctrl-C went to the whole process group, so to the program too */
		if (sig == SIGTERM || sig == SIGHUP)
			kill(pid, sig);
	}
}

/* In the order in which they may be entered: behind the mounts no file of ours is found any more. */
static const struct {
	unsigned bit;
	int type;
	const char *file;
} kinds[] = {
	{ RUN_IPC, CLONE_NEWIPC, "ns/ipc" },	   { RUN_UTS, CLONE_NEWUTS, "ns/uts" },
	{ RUN_CGROUP, CLONE_NEWCGROUP, "ns/cgroup" }, { RUN_PID, CLONE_NEWPID, "ns/pid" },
	{ RUN_MOUNT, CLONE_NEWNS, "ns/mnt" },
};

static int enter_also(const struct spawn *s, struct err *e)
{
	int fd[ARRAY_SIZE(kinds)], ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd[i] = -1;
		if (ret || !(s->also & kinds[i].bit))
			continue;
		fd[i] = openat(s->dir, kinds[i].file, O_RDONLY | O_CLOEXEC);
		if (fd[i] < 0)
			ret = err_cap(e, errno, "CAP_SYS_PTRACE", "cannot open the target's %s", kinds[i].file);
	}
	if (ret == 0 && unshare(CLONE_FS))
		ret = err_sys(e, errno, "cannot leave the common working directory");
	if (ret == 0)
		ret = netns_enter(s->ns, e);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (fd[i] < 0)
			continue;
		if (ret == 0 && setns(fd[i], kinds[i].type))
			ret = err_cap(e, errno, kinds[i].bit == RUN_MOUNT ? "CAP_SYS_ADMIN and CAP_SYS_CHROOT" : "CAP_SYS_ADMIN",
				      "cannot enter the target's %s", kinds[i].file);
		close(fd[i]);
	}
	return ret;
}

static void *spawn_thread(void *arg)
{
	struct spawn *s = arg;

	s->ret = enter_also(s, s->e);
	if (s->ret == 0)
		s->ret = spawn_inside(s, s->e);
	return NULL;
}

static int spawn_also(struct spawn *s, struct err *e)
{
	pthread_t thread;
	int error;

	s->e = e;
	error = pthread_create(&thread, NULL, spawn_thread, s);
	if (error)
		return err_sys(e, error, "cannot start a thread");
	pthread_join(thread, NULL);
	return s->ret;
}

int run_inside(const struct netns *ns, char *const argv[], int *ret_status, struct err *e)
{
	return run_inside_also(ns, NULL, 0, 0, argv, ret_status, e);
}

int run_inside_also(const struct netns *ns, const char *proc, pid_t pid, unsigned also, char *const argv[],
		    int *ret_status, struct err *e)
{
	struct spawn s = { .argv = argv, .ns = ns, .also = also };
	_cleanup_close_ int dir = -1;
	sigset_t signals;
	char path[300];
	int ret;

	if (also) {
		snprintf(path, sizeof(path), "%.250s/%d", proc, (int)pid);
		s.dir = dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return err_sys(e, errno, "cannot open %s", path);
	}

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	/* before the child exists, or its end could be missed */
	pthread_sigmask(SIG_BLOCK, &signals, &s.mask);
	ret = also ? spawn_also(&s, e) : netns_call(ns, spawn_inside, &s, e);
	if (ret == 0)
		wait_for(s.pid, &signals, ret_status);
	pthread_sigmask(SIG_SETMASK, &s.mask, NULL);
	return ret;
}
