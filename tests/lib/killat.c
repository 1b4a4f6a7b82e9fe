/* SPDX-License-Identifier: GPL-2.0-or-later */
/* killat - runs a program, and kills it (or does something else) at one of the system calls that change something */
/*
 * killat -l -- PROGRAM [ARG...]             runs it to the end; lists the calls on descriptor 3
 * killat -n N [-a] -- PROGRAM [ARG...]      SIGKILL in front of call N (1..), or with -a behind it
 * killat -n N [-a] -x COMMAND -- PROGRAM    runs the shell command there instead, and lets it go on
 *
 * Calls that change something: setsockopt() of a legacy table (IPT_SO_SET_REPLACE, IPT_SO_SET_ADD_COUNTERS),
 * sendto() and sendmsg() of an nftables transaction or an rtnetlink change, flock(), fsync(), and write(), open()
 * with O_CREAT, mkdir(), rename(), unlink() and their relatives on files (not on descriptors 0 to 2).
 * Status: the program's; 137 when it was killed; 99 when call N never came.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ABSENT = 99, KILLED = 137, REPLACE = 64, COUNTERS = 65 };

static bool list, after;
static long wanted;
static const char *command;

static bool peek(pid_t pid, uint64_t at, void *to, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)(uintptr_t)at, n };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

/* NFNL_MSG_BATCH_BEGIN, or an rtnetlink message other than a question: (type & 3) == 2 */
static bool changes(pid_t pid, uint64_t at, char *what, size_t size)
{
	struct { uint32_t len; uint16_t type, flags; } head;

	if (!at || !peek(pid, at, &head, sizeof(head)) || head.type < 16 || head.type > 255)
		return false;
	snprintf(what, size, head.type == 16 ? "nftables transaction" : "rtnetlink message %u", head.type);
	return head.type == 16 || (head.type & 3) != 2;
}

static bool is_file(pid_t pid, uint64_t fd, char *what, size_t size)
{
	char path[64], to[256] = "";
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
	if (fd <= 2 || stat(path, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return false;
	if (readlink(path, to, sizeof(to) - 1) < 0)
		return false;
	snprintf(what, size, "%.200s", to);
	return true;
}

static bool sends(pid_t pid, const struct __ptrace_syscall_info *i, char *what, size_t size)
{
	struct msghdr m;
	struct iovec v;

	if (i->entry.nr == SYS_sendto)
		return changes(pid, i->entry.args[1], what, size);
	return peek(pid, i->entry.args[1], &m, sizeof(m)) && m.msg_iovlen &&
	       peek(pid, (uintptr_t)m.msg_iov, &v, sizeof(v)) && changes(pid, (uintptr_t)v.iov_base, what, size);
}

static bool sets_table(const struct __ptrace_syscall_info *i, char *what, size_t size)
{
	const uint64_t *a = i->entry.args;

	if ((a[1] != IPPROTO_IP && a[1] != IPPROTO_IPV6) || (a[2] != REPLACE && a[2] != COUNTERS))
		return false;
	snprintf(what, size, "%s %s", a[1] == IPPROTO_IP ? "ip" : "ip6", a[2] == REPLACE ? "replace table" : "add counters");
	return true;
}

/* Does the call change something? Then its name. */
static const char *judge(pid_t pid, const struct __ptrace_syscall_info *i, char *what, size_t size)
{
	const uint64_t *a = i->entry.args;

	what[0] = '\0';
	switch (i->entry.nr) {
	case SYS_setsockopt: return sets_table(i, what, size) ? "setsockopt" : NULL;
	case SYS_sendto: return sends(pid, i, what, size) ? "sendto" : NULL;
	case SYS_sendmsg: return sends(pid, i, what, size) ? "sendmsg" : NULL;
	case SYS_flock: return "flock";
	case SYS_fsync:
	case SYS_fdatasync: return is_file(pid, a[0], what, size) ? "fsync" : NULL;
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev: return is_file(pid, a[0], what, size) ? "write" : NULL;
	case SYS_ftruncate: return "ftruncate";
	case SYS_openat: return a[2] & O_CREAT ? "openat" : NULL;
#ifdef SYS_open
	case SYS_open: return a[1] & O_CREAT ? "open" : NULL;
	case SYS_mkdir: return "mkdir";
	case SYS_rename: return "rename";
	case SYS_unlink: return "unlink";
	case SYS_link: return "link";
#endif
	case SYS_mkdirat: return "mkdirat";
	case SYS_renameat:
	case SYS_renameat2: return "renameat";
	case SYS_unlinkat: return "unlinkat";
	case SYS_linkat: return "linkat";
	default: return NULL;
	}
}

/* Call N is reached; true: the program goes on. */
static bool act(pid_t pid)
{
	if (!command) {
		kill(pid, SIGKILL);
		return false;
	}
	if (system(command) != 0)
		errx(2, "failed: %s", command);
	return true;
}

static int finish(pid_t pid, long seen)
{
	int status = 0;

	while (waitpid(pid, &status, __WALL) < 0 || !(WIFEXITED(status) || WIFSIGNALED(status)))
		if (errno == ECHILD)
			break;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return wanted && seen < wanted ? ABSENT : WEXITSTATUS(status);
}

static int follow(pid_t pid)
{
	bool inside = false, there = false;
	long seen = 0;
	int signo = 0;

	for (;;) {
		struct __ptrace_syscall_info info = { 0 };
		const char *name = NULL;
		char what[256];
		int status;

		if (ptrace(PTRACE_SYSCALL, pid, 0, signo) < 0 && errno == ESRCH)
			return finish(pid, seen);
		if (waitpid(pid, &status, __WALL) < 0)
			err(2, "waitpid");
		if (WIFEXITED(status))
			return wanted && seen < wanted ? ABSENT : WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		signo = WSTOPSIG(status) == (SIGTRAP | 0x80) || status >> 16 ? 0 : WSTOPSIG(status);
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
			err(2, "PTRACE_GET_SYSCALL_INFO");
		inside = info.op == PTRACE_SYSCALL_INFO_ENTRY;
		if (inside && (name = judge(pid, &info, what, sizeof(what)))) {
			seen++;
			there = seen == wanted;
			if (list)
				dprintf(3, "%ld %s %s\n", seen, name, what);
		}
		if (there && (after ? !inside : name != NULL)) {
			there = false;
			if (!act(pid))
				return finish(pid, seen);
		}
	}
}

/* A program built with sanitizers would look for leaks at its end, which does not work under ptrace. */
static void no_leaks(void)
{
	const char *had = getenv("ASAN_OPTIONS");
	char text[512];

	snprintf(text, sizeof(text), "%s%sdetect_leaks=0", had ? had : "", had ? ":" : "");
	setenv("ASAN_OPTIONS", text, 1);
}

int main(int argc, char **argv)
{
	int c, status;
	pid_t pid;

	while ((c = getopt(argc, argv, "+ln:ax:")) != -1) {
		switch (c) {
		case 'l': list = true; break;
		case 'n': wanted = strtol(optarg, NULL, 10); break;
		case 'a': after = true; break;
		case 'x': command = optarg; break;
		default: return 2;
		}
	}
	if (optind == argc || (!list && wanted < 1))
		errx(2, "usage: killat -l|-n N [-a] [-x COMMAND] -- PROGRAM [ARG...]");
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			err(2, "PTRACE_TRACEME");
		raise(SIGSTOP);
		no_leaks();
		execvp(argv[optind], argv + optind);
		err(2, "%s", argv[optind]);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		errx(2, "the program did not start");
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
		err(2, "PTRACE_SETOPTIONS");
	return follow(pid);
}
