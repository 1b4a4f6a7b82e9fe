/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run - run a program inside a network namespace */
#include "nsutil/netns/run.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct spawn {
	char *const *argv;
	sigset_t mask;	/* the program starts with what the caller had */
	pid_t pid;
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

int run_inside(const struct netns *ns, char *const argv[], int *ret_status, struct err *e)
{
	struct spawn s = { .argv = argv };
	sigset_t signals;
	int ret;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	/* before the child exists, or its end could be missed */
	pthread_sigmask(SIG_BLOCK, &signals, &s.mask);
	ret = netns_call(ns, spawn_inside, &s, e);
	if (ret == 0)
		wait_for(s.pid, &signals, ret_status);
	pthread_sigmask(SIG_SETMASK, &s.mask, NULL);
	return ret;
}
