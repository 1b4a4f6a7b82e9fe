/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_netns - opening, telling apart and entering network namespaces */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/netns.h"

#define _cleanup_netns_var_ _cleanup_netns_ struct netns

/* A child that sits in a namespace of its own until the pipe closes. */
struct holder {
	pid_t pid;
	int wake;
};

static void hold_namespace(struct holder *h)
{
	int ready[2], wake[2];
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(wake, O_CLOEXEC), 0);
	h->pid = fork();
	if (h->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(wake[1]);
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1 || read(wake[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	close(wake[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	h->wake = wake[1];
}

static void release(struct holder *h)
{
	close(h->wake);
	waitpid(h->pid, NULL, 0);
}

static uint64_t own_inode(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

static int note_inode(void *arg, struct err *e)
{
	(void)e;
	*(uint64_t *)arg = own_inode();
	return 7;
}

static void test_call_enters_and_returns(void **state)
{
	_cleanup_netns_var_ ns = NETNS_INIT;
	struct holder h;
	struct err e = ERR_INIT;
	uint64_t before = own_inode(), inside = 0;

	(void)state;
	hold_namespace(&h);
	assert_int_equal(netns_open_pid("/proc", h.pid, &ns, &e), 0);
	assert_false(netns_is_self(&ns));
	assert_int_equal(netns_call(&ns, note_inode, &inside, &e), 7);
	assert_int_equal(inside, ns.inode);
	assert_int_not_equal(inside, before);
	assert_int_equal(own_inode(), before);
	release(&h);
}

/* A socket made inside sees the links of inside: a fresh namespace has no eth0, only lo, down. */
static void test_socket_stays_inside(void **state)
{
	_cleanup_netns_var_ ns = NETNS_INIT;
	_cleanup_close_ int fd = -1;
	struct holder h;
	struct err e = ERR_INIT;
	char *text = NULL;

	(void)state;
	hold_namespace(&h);
	assert_int_equal(netns_open_pid("/proc", h.pid, &ns, &e), 0);
	fd = netns_socket(&ns, AF_INET, SOCK_DGRAM, 0, &e);
	assert_true(fd >= 0);
	assert_int_equal(netns_read_proc(&ns, "net/dev", 65536, &text, NULL, &e), 0);
	assert_non_null(strstr(text, "lo:"));
	assert_null(strstr(text, "eth0:"));
	free(text);
	release(&h);
}

/* The holder is gone and its number may be anybody's: what is read still is the namespace's. */
static void test_read_after_death(void **state)
{
	_cleanup_netns_var_ ns = NETNS_INIT;
	struct holder h;
	struct err e = ERR_INIT;
	char *text = NULL;

	(void)state;
	hold_namespace(&h);
	assert_int_equal(netns_open_pid("/proc", h.pid, &ns, &e), 0);
	release(&h);
	assert_int_equal(netns_read_proc(&ns, "net/dev", 65536, &text, NULL, &e), 0);
	assert_null(strstr(text, "eth0:"));
	free(text);
	/* a number that now stands for our own namespace must not be believed */
	snprintf(ns.procdir, sizeof(ns.procdir), "/proc/%d", (int)getpid());
	assert_int_equal(netns_read_proc(&ns, "sys/net/ipv4/ip_forward", 16, &text, NULL, &e), 0);
	free(text);
	assert_int_equal(netns_read_proc(&ns, "net/dev", 65536, &text, NULL, &e), 0);
	assert_null(strstr(text, "eth0:"));
	free(text);
}

static void refused(const char *path)
{
	struct netns ns = NETNS_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(netns_open_path(path, &ns, &e), -1);
	assert_int_equal(e.code, ERR_TARGET);
	assert_int_equal(ns.fd, -1);
}

static void test_what_is_no_netns(void **state)
{
	char dir[] = "/tmp/test_netns.XXXXXX", fifo[64];

	(void)state;
	refused("/proc/self/ns/pid");
	refused("/proc/self/ns/mnt");
	refused("/etc/passwd");
	refused("/dev/null");
	refused("/");
	refused("");
	refused("/nonexistent/netns");
	/* opening it for reading would wait for a writer */
	assert_non_null(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	refused(fifo);
	unlink(fifo);
	rmdir(dir);
}

static void test_no_such_process(void **state)
{
	struct netns ns = NETNS_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(netns_open_pid("/proc", 0x7ffffff0, &ns, &e), -1);
	assert_int_equal(e.code, ERR_TARGET);
	assert_string_equal(e.what, "no such process");
	assert_int_equal(netns_open_pid("/proc", -1, &ns, &e), -1);
	assert_int_equal(e.code, ERR_TARGET);
}

static void test_read_is_bounded(void **state)
{
	_cleanup_netns_var_ ns = NETNS_INIT;
	struct err e = ERR_INIT;
	char *text = NULL;
	size_t len;

	(void)state;
	assert_int_equal(netns_open_self(&ns, &e), 0);
	assert_true(netns_is_self(&ns));
	assert_int_equal(netns_read_proc(&ns, "net/dev", 10, &text, &len, &e), -1);
	assert_int_equal(e.errnum, EFBIG);
	assert_int_equal(netns_read_proc(&ns, "net/no_such_file", 10, &text, &len, &e), -1);
	assert_int_equal(e.errnum, ENOENT);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_enters_and_returns),
		cmocka_unit_test(test_socket_stays_inside),
		cmocka_unit_test(test_read_after_death),
		cmocka_unit_test(test_what_is_no_netns),
		cmocka_unit_test(test_no_such_process),
		cmocka_unit_test(test_read_is_bounded),
	};

	return cmocka_run_group_tests_name("netns", tests, NULL, NULL);
}
