/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apart - run a function in a process and a network namespace of its own, and take the bytes it gives */
#include "nsutil/netns/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

enum { NOBODY = 65534, FILES = 64 };

/* ---- in the child ---- */

static void limit(int what, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(what, &now) == 0 && (now.rlim_max == RLIM_INFINITY || now.rlim_max > most))
		setrlimit(what, &(struct rlimit){ most, most });
}

static rlim_t address_space(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void set_limits(const struct apart_limits *l)
{
	limit(RLIMIT_CPU, l->seconds);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, FILES);
#ifndef __SANITIZE_ADDRESS__ /* which maps all there is */
	limit(RLIMIT_AS, address_space() + l->memory);
#endif
}

/* Of root's rights only the one to change the network that is this process's own. */
static int keep_net_admin(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .effective = 1u << CAP_NET_ADMIN, .permitted = 1u << CAP_NET_ADMIN } };

	prctl(PR_SET_KEEPCAPS, 1);
	/* without the right to change users there is nothing to give up that way */
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0) && errno != EPERM)
		return err_sys(e, errno, "cannot give up rights");
	if (syscall(SYS_capset, &head, caps) < 0)
		return err_cap(e, errno, "CAP_NET_ADMIN", "cannot give up rights");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 1); /* or its own /proc would be root's */
	return 0;
}

static int leave(struct err *e)
{
	if (unshare(CLONE_NEWNET) == 0)
		return keep_net_admin(e);
	if (errno != EPERM)
		return err_sys(e, errno, "cannot make a network namespace");
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
		return 0;
	return err_cap(e, EPERM, "CAP_SYS_ADMIN", "cannot make a network namespace");
}

static void quiet_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
}

/* Only standard streams and @fd stay open. */
static void close_others(int fd)
{
	if (fd > 3)
		syscall(SYS_close_range, 3u, (unsigned)fd - 1, 0u);
	syscall(SYS_close_range, (unsigned)fd + 1, ~0u, 0u);
}

static void write_all(int fd, const void *data, size_t n)
{
	const char *at = data;

	while (n) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* nobody listens any more */
		at += w;
		n -= (size_t)w;
	}
}

static void usual_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The answer: one byte, 0 and what the function gave, or 1 and its error. */
static _Noreturn void child(int fd, pid_t parent, int (*fn)(void *, struct buf *, struct err *), void *arg,
			    const struct apart_limits *l)
{
	struct buf answer = BUF_INIT;
	struct err e = ERR_INIT;
	int r;

	usual_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	quiet_streams();
	close_others(fd);
	r = leave(&e);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of users clears it */
	set_limits(l);
	if (r == 0)
		r = fn(arg, &answer, &e);
	if (r == 0 && buf_failed(&answer))
		r = err_oom(&e);
	write_all(fd, r == 0 ? "\0" : "\1", 1);
	if (r == 0)
		write_all(fd, buf_cstr(&answer), answer.len);
	else
		write_all(fd, &e, sizeof(e));
	_exit(0);
}

/* ---- in the caller ---- */

static int left_ms(const struct timespec *end)
{
	struct timespec now;
	long long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (end->tv_sec - now.tv_sec) * 1000LL + (end->tv_nsec - now.tv_nsec) / 1000000;
	return ms < 0 ? 0 : (int)ms;
}

static int too_long(const struct apart_limits *l, struct err *e)
{
	return err_set(e, ERR_SYS, "process of its own", "it took longer than %u seconds", l->seconds);
}

static int read_answer(int fd, const struct apart_limits *l, struct buf *ret, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec end;
	char room[65536];

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += l->seconds;
	for (;;) {
		int ready = poll(&p, 1, left_ms(&end));
		ssize_t n;

		if (ready == 0)
			return too_long(l, e);
		n = ready < 0 ? -1 : read(fd, room, sizeof(room));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read from the process of its own");
		if (n == 0)
			return 0;
		if ((size_t)n > l->answer - ret->len)
			return err_set(e, ERR_SYS, "process of its own", "its answer is longer than %zu MiB", l->answer >> 20);
		buf_add(ret, room, (size_t)n);
		if (buf_failed(ret))
			return err_oom(e);
	}
}

static void end_child(pid_t pid, int *ret_status)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
}

/* The error came out of a process that read foreign text: its strings are ended here. */
static int its_error(const struct buf *b, struct err *e)
{
	struct err theirs;

	if (b->len != 1 + sizeof(theirs))
		return err_set(e, ERR_SYS, "process of its own", "it ended without an answer");
	memcpy(&theirs, b->data + 1, sizeof(theirs));
	theirs.what[sizeof(theirs.what) - 1] = theirs.why[sizeof(theirs.why) - 1] = '\0';
	theirs.hint[sizeof(theirs.hint) - 1] = '\0';
	err_set(e, theirs.code == ERR_USAGE || theirs.code == ERR_PERM ? theirs.code : ERR_SYS, theirs.what, "%s",
		theirs.why);
	return theirs.hint[0] ? err_hint(e, "%s", theirs.hint) : -1;
}

static int died(int status, const struct apart_limits *l, struct err *e)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return too_long(l, e);
	if (WIFSIGNALED(status))
		return err_set(e, ERR_SYS, "process of its own", "ended by signal %d", WTERMSIG(status));
	return err_set(e, ERR_SYS, "process of its own", "it ended without an answer");
}

static int take(const struct buf *b, int status, const struct apart_limits *l, struct buf *ret, struct err *e)
{
	if (!b->len)
		return died(status, l, e);
	if (b->data[0] != 0)
		return its_error(b, e);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		return died(status, l, e);
	buf_add(ret, b->data + 1, b->len - 1);
	return buf_failed(ret) ? err_oom(e) : 0;
}

int apart_run(int (*fn)(void *arg, struct buf *answer, struct err *e), void *arg, const struct apart_limits *limits,
	      struct buf *ret, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_close_ int in = -1;
	pid_t parent = getpid(), pid;
	int pipes[2], status = 0, r;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		child(pipes[1], parent, fn, arg, limits);
	close(pipes[1]);
	in = pipes[0];
	if (pid < 0)
		return err_sys(e, errno, "cannot make a process");
	r = read_answer(in, limits, &b, e);
	end_child(pid, &status);
	return r < 0 ? -1 : take(&b, status, limits, ret, e);
}
