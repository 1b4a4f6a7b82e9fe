/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sock - connect to a runtime's unix socket, and wait for it, never longer than a deadline */
#include "nsutil/pod/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

enum { RETRY_MS = 20 };

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int64_t sock_deadline(int timeout_ms)
{
	return now_ms() + timeout_ms;
}

static int too_late(const char *what, struct err *e)
{
	err_set(e, ERR_SYS, what, "no complete answer within the time allowed");
	return err_hint(e, "the runtime may hang; --runtime none looks at /proc and state files only");
}

int sock_wait(int fd, short events, int64_t deadline, const char *what, struct err *e)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - now_ms();
		int r;

		if (left <= 0)
			return too_late(what, e);
		r = poll(&pfd, 1, (int)(left > INT32_MAX ? INT32_MAX : left));
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return err_sys(e, errno, "%s", what);
	}
}

/* A full backlog (the daemon is stopped) is EAGAIN for unix sockets, and cannot be polled for. */
static int connect_until(int fd, const struct sockaddr_un *sa, int64_t deadline)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };

	while (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (now_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int sock_connect(const struct hostfs *h, const char *path, int64_t deadline, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	_cleanup_close_ int at = hostfs_open(h, path, O_PATH), fd = -1;
	char what[256];
	int r;

	snprintf(what, sizeof(what), "cannot connect to unix://%s", path);
	if (at < 0)
		return err_sys(e, at, "%s", what);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, errno, "%s", what);
	/* Through the descriptor: any length of path, and links already resolved below the root. */
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d", at);
	r = connect_until(fd, &sa, deadline);
	if (r == -ETIMEDOUT)
		return too_late(what, e);
	if (r < 0) {
		err_sys(e, r, "%s", what);
		if (r == -ECONNREFUSED)
			err_hint(e, "no process listens there; is the runtime running?");
		return -1;
	}
	return steal_fd(fd);
}

/* EPIPE and ECONNRESET are the peer's doing; say so in words. */
static int broken(int errnum, const char *what, struct err *e)
{
	if (errnum == EPIPE || errnum == ECONNRESET)
		return err_set(e, ERR_SYS, what, "the runtime closed the connection before it answered");
	return err_sys(e, errnum, "%s", what);
}

int sock_send(int fd, const void *data, size_t len, int64_t deadline, const char *what, struct err *e)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (sock_wait(fd, POLLOUT, deadline, what, e))
				return -1;
		} else if (errno != EINTR) {
			return broken(errno, what, e);
		}
	}
	return 0;
}

ssize_t sock_recv(int fd, void *data, size_t room, int64_t deadline, const char *what, struct err *e)
{
	for (;;) {
		ssize_t n;

		/* Asked each time, so that a stream that never ends does not outlive the deadline. */
		if (sock_wait(fd, POLLIN, deadline, what, e))
			return -1;
		n = recv(fd, data, room, 0);
		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN)
			return broken(errno, what, e);
	}
}
