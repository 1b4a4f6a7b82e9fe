/* SPDX-License-Identifier: GPL-2.0-or-later */
/* envoy - asks the proxy itself, inside the namespace: listeners, telemetry, readiness */
#include "nsutil/doctor/envoy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

enum { LINE_MOST = 512, CHUNK = 16384 };

/* An answer while it comes in: the line under way, and what is done with each. */
struct answer {
	char line[LINE_MOST]; /* its beginning, when it is longer */
	size_t len, total;
	bool body;
	int status; /* of HTTP; 0: none yet */
	bool (*take)(struct doctor_envoy *env, const char *line); /* false: enough was seen */
	struct doctor_envoy *env;
};

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int fail(char why[DOCTOR_ENVOY_WHY], const char *what, const char *cause)
{
	snprintf(why, DOCTOR_ENVOY_WHY, "%s: %s", what, cause);
	return -1;
}

static int timed_out(char why[DOCTOR_ENVOY_WHY], const char *what)
{
	snprintf(why, DOCTOR_ENVOY_WHY, "%s: no answer within the %d ms allowed for all questions", what, ENVOY_MSECS);
	return -1;
}

/* Waits for the socket until the deadline. Return: 1, 0 when it passed, -1 with errno */
static int wait_for(int fd, short events, long long deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		long long left = deadline - now_ms();
		int r = left <= 0 ? 0 : poll(&p, 1, (int)left);

		if (r >= 0 || errno != EINTR)
			return r;
	}
}

static int connect_to(const struct netns *ns, unsigned port, long long deadline, char why[DOCTOR_ENVOY_WHY])
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
					.sin_addr = { htonl(INADDR_LOOPBACK) } };
	_cleanup_close_ int fd = netns_socket(ns, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, NULL);
	int error = 0, r;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return fail(why, "socket", "it cannot be made in the namespace");
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return fail(why, "connect", strerror(errno));
	r = wait_for(fd, POLLOUT, deadline);
	if (r == 0)
		return timed_out(why, "connect");
	if (r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error)
		return fail(why, "connect", strerror(error ? error : errno));
	return steal_fd(fd);
}

static int send_all(int fd, const char *text, size_t n, long long deadline, char why[DOCTOR_ENVOY_WHY])
{
	while (n) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN) {
			if (wait_for(fd, POLLOUT, deadline) <= 0)
				return timed_out(why, "request");
		} else if (sent < 0) {
			return fail(why, "request", strerror(errno));
		} else {
			text += sent;
			n -= (size_t)sent;
		}
	}
	return 0;
}

/* One whole line, without its end. The first is HTTP's, an empty one ends the head. */
static bool take_line(struct answer *a)
{
	char *line = a->line;

	if (a->len && line[a->len - 1] == '\r')
		a->len--;
	line[a->len] = '\0';
	if (!a->status) {
		if (sscanf(line, "HTTP/1.%*[01] %3d", &a->status) != 1 || a->status < 100 || a->status > 599)
			a->status = -1;
		return a->status > 0;
	}
	if (!a->body) {
		a->body = !a->len;
		return true;
	}
	return !a->take || a->status != 200 || a->take(a->env, line);
}

/* Bytes of any kind. Return: false when enough was seen */
static bool take_bytes(struct answer *a, const char *data, size_t n)
{
	a->total += n;
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\n') {
			if (!take_line(a))
				return false;
			a->len = 0;
		} else if (a->len < LINE_MOST - 1) {
			a->line[a->len++] = data[i] ? data[i] : ' ';
		}
	}
	return a->total < ENVOY_BYTES;
}

/* Return: 0 when the answer came to an end, or enough of it was seen; -1 with 'why' */
static int receive(int fd, struct answer *a, long long deadline, char why[DOCTOR_ENVOY_WHY])
{
	char chunk[CHUNK];

	for (;;) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);

		if (n < 0 && errno == EAGAIN) {
			if (wait_for(fd, POLLIN, deadline) <= 0)
				return timed_out(why, "answer");
		} else if (n < 0 && errno != EINTR) {
			return fail(why, "answer", strerror(errno));
		} else if (n == 0) {
			if (a->len)
				take_line(a);
			return a->status > 0 ? 0 : fail(why, "answer", "it is not one of HTTP");
		} else if (n > 0 && !take_bytes(a, chunk, (size_t)n)) {
			if (a->status < 0)
				return fail(why, "answer", "it is not one of HTTP");
			return a->total < ENVOY_BYTES ? 0 : fail(why, "answer", "it is longer than 16 MiB, the rest was not looked at");
		}
		if (now_ms() >= deadline) /* one that never pauses */
			return timed_out(why, "answer");
	}
}

static int get(const struct netns *ns, unsigned port, const char *path, struct answer *a, long long deadline,
	       char why[DOCTOR_ENVOY_WHY])
{
	_cleanup_close_ int fd = connect_to(ns, port, deadline, why);
	char request[160];
	int n;

	why[0] = fd < 0 ? why[0] : '\0';
	if (fd < 0)
		return -1;
	n = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\nUser-Agent: cnish\r\n"
					       "Connection: close\r\n\r\n", path, port);
	if (send_all(fd, request, (size_t)n, deadline, why) < 0 || receive(fd, a, deadline, why) < 0)
		return -1;
	return 0;
}

/* "virtualInbound::0.0.0.0:15006": the number behind the last colon */
static bool take_listener(struct doctor_envoy *env, const char *line)
{
	const char *colon = strrchr(line, ':');
	char *end;
	unsigned long port;

	if (!colon || !strstr(line, "::"))
		return true;
	port = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || (*end && *end != ' ') || !port || port > 65535)
		return true;
	for (unsigned i = 0; i < env->n_listeners; i++)
		if (env->listeners[i] == port)
			return true;
	if (env->n_listeners < DOCTOR_ENVOY_LISTENERS)
		env->listeners[env->n_listeners++] = (unsigned)port;
	return true;
}

static bool take_stat(struct doctor_envoy *env, const char *line)
{
	if (!strstr(line, "istio_requests_total"))
		return true;
	env->requests_total = true;
	return false;
}

static int wrong_status(const struct answer *a, char why[DOCTOR_ENVOY_WHY])
{
	snprintf(why, DOCTOR_ENVOY_WHY, "answer: HTTP status %d", a->status);
	return -1;
}

static bool ask_listeners(const struct netns *ns, struct doctor_envoy *env, long long deadline)
{
	struct answer a = { .take = take_listener, .env = env };

	if (get(ns, ENVOY_ADMIN_PORT, "/listeners", &a, deadline, env->listeners_why) < 0)
		return false;
	env->listeners_asked = a.status == 200 || wrong_status(&a, env->listeners_why) == 0;
	return env->listeners_asked;
}

static void ask_stats(const struct netns *ns, struct doctor_envoy *env, long long deadline)
{
	struct answer a = { .take = take_stat, .env = env };

	if (get(ns, ENVOY_ADMIN_PORT, "/stats", &a, deadline, env->stats_why) == 0)
		env->stats_asked = a.status == 200 || wrong_status(&a, env->stats_why) == 0;
	env->stats_asked |= env->requests_total;
}

static void ask_ready(const struct netns *ns, struct doctor_envoy *env, long long deadline)
{
	struct answer a = { .env = env };

	if (get(ns, ENVOY_READY_PORT, "/healthz/ready", &a, deadline, env->ready_why) == 0 || a.status > 0)
		env->ready = a.status > 0 ? a.status : 0;
}

void envoy_ask(const struct netns *ns, struct doctor_envoy *ret)
{
	struct doctor_envoy env = { .asked = true };
	long long start = now_ms();

	/* One that hangs must not use up the time of the others. */
	ask_ready(ns, &env, start + ENVOY_MSECS / 3);
	ask_listeners(ns, &env, start + ENVOY_MSECS * 2 / 3);
	ask_stats(ns, &env, start + ENVOY_MSECS);
	*ret = env;
}
