/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prober - makes one connection after the other to the same place, and counts where they arrived */
/*
 * prober [-u UID] [-g GID] [-w MS] FILE ADDRESS PORT
 * Each connection waits MS (30) to be answered by a stand-in, which tells the port it listens on. The counts
 * stand in FILE, rewritten after each connection: the number of all, then "PORT=COUNT" for each port that answered;
 * refused=N, and none=N for those that came to nothing. After SIGUSR1 the connection at hand does not count.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NONE = 0, REFUSED = 65536 };

static int wait_ms = 30;
static unsigned long counts[REFUSED + 1];
static volatile sig_atomic_t stale;

static void on_signal(int signo)
{
	stale = signo;
}

static int ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, wait_ms) > 0;
}

/* The port of the listener that answered. */
static int probe(const struct sockaddr_storage *to, socklen_t len)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), port = NONE, error = 0;
	struct linger reset = { 1, 0 };
	char text[1024] = "", *at;
	socklen_t size = sizeof(error);

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)); /* leaves nothing behind in the tables of the kernel */
	if (connect(fd, (const struct sockaddr *)to, len) < 0 && errno != EINPROGRESS)
		error = errno;
	else if (ready(fd, POLLOUT))
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	else
		error = ETIMEDOUT;
	if (!error && ready(fd, POLLIN) && recv(fd, text, sizeof(text) - 1, 0) > 0 && (at = strstr(text, "\"port\":")))
		port = atoi(at + 7);
	close(fd);
	return error == ECONNREFUSED ? REFUSED : port & 65535;
}

static void write_counts(int fd, unsigned long all)
{
	char text[1024];
	int n = snprintf(text, sizeof(text), "%lu", all);

	for (int i = 0; i <= REFUSED && n < 900; i++) {
		if (!counts[i])
			continue;
		if (i == NONE || i == REFUSED)
			n += snprintf(text + n, sizeof(text) - (size_t)n, " %s=%lu", i ? "refused" : "none", counts[i]);
		else
			n += snprintf(text + n, sizeof(text) - (size_t)n, " %d=%lu", i, counts[i]);
	}
	text[n++] = '\n';
	if (pwrite(fd, text, (size_t)n, 0) != n)
		err(1, "write");
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to = { 0 };
	struct sockaddr_in6 *six = (void *)&to;
	struct sockaddr_in *four = (void *)&to;
	long uid = -1, gid = -1;
	int c, fd;

	while ((c = getopt(argc, argv, "u:g:w:")) != -1) {
		switch (c) {
		case 'u': uid = strtol(optarg, NULL, 0); break;
		case 'g': gid = strtol(optarg, NULL, 0); break;
		case 'w': wait_ms = atoi(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind != 3)
		errx(2, "usage: prober [-u UID] [-g GID] [-w MS] FILE ADDRESS PORT");
	fd = open(argv[optind], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		err(1, "%s", argv[optind]);
	if (inet_pton(AF_INET, argv[optind + 1], &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)atoi(argv[optind + 2]));
	} else if (inet_pton(AF_INET6, argv[optind + 1], &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)atoi(argv[optind + 2]));
	} else {
		errx(2, "%s: no address", argv[optind + 1]);
	}
	if ((gid >= 0 && setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0) ||
	    (uid >= 0 && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0))
		err(2, "setresuid");
	signal(SIGUSR1, on_signal);
	for (unsigned long all = 1;; all++) {
		int port = probe(&to, to.ss_family == AF_INET ? sizeof(*four) : sizeof(*six));

		counts[stale ? NONE : port]++;
		stale = 0;
		write_counts(fd, all);
		usleep(300); /* the others are to get a turn, too */
	}
}
