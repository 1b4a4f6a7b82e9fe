/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin - listens as Envoy or an application would, and tells who connected and where they meant to go */
/*
 * standin [-d] [-n NAME] [-u UID] [-g GID] [-t] [-m MARK] [-r] [-o FILE] WHAT...
 *   WHAT     tcp/PORT, udp/PORT: IPv4 and IPv6; tcp4/PORT, udp6/PORT...: one of them; @ADDRESS may follow;
 *            dual/PORT: one IPv6 TCP socket that takes IPv4 too, as Envoy and Go programs do
 *   -d       go to the background once everything listens, and print the PID
 *   -n NAME  the process name that others see: envoy
 *   -u, -g   the owner of the process and of its sockets
 *   -t       transparent (IP_TRANSPARENT), as TPROXY needs
 *   -m MARK  the mark of its packets, as ztunnel has one
 *   -r       refuse: close each TCP connection with a reset instead of an answer
 *   -o FILE  one line per connection or datagram, the same that is sent back as the answer:
 *            {"proto":"tcp","port":15001,"local":"10.0.1.39","lport":15001,"peer":"10.0.1.39",
 *             "pport":40000,"orig":"10.96.0.10","oport":80,"name":"envoy"}
 *            orig is SO_ORIGINAL_DST, null when the connection was not rewritten
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter_ipv4.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP6T_SO_ORIGINAL_DST
#define IP6T_SO_ORIGINAL_DST 80
#endif

struct sock {
	int type, port;
};

static struct pollfd fds[256];
static struct sock socks[256];
static unsigned n_fds;
static const char *name = "standin";
static bool transparent, refuse;
static int mark;
static FILE *record;

static void set(int fd, int level, int option, int value, const char *what)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		err(1, "%s", what);
}

static void listen_on(int type, int family, const char *host, int port, bool dual)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	bool v6 = family == AF_INET6;

	if (fd < 0 || n_fds == 256)
		err(1, "socket");
	if (host && inet_pton(family, host, v6 ? (void *)&six.sin6_addr : (void *)&four.sin_addr) != 1)
		errx(2, "%s: no address", host);
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
	if (v6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !dual, "IPV6_V6ONLY");
	if (transparent && v6)
		set(fd, IPPROTO_IPV6, 75 /* IPV6_TRANSPARENT */, 1, "IPV6_TRANSPARENT");
	if (transparent && (!v6 || dual))
		set(fd, SOL_IP, IP_TRANSPARENT, 1, "IP_TRANSPARENT");
	if (mark)
		set(fd, SOL_SOCKET, SO_MARK, mark, "SO_MARK");
	if (type == SOCK_DGRAM)
		set(fd, v6 ? IPPROTO_IPV6 : SOL_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1, "PKTINFO");
	if (bind(fd, v6 ? (void *)&six : (void *)&four, v6 ? sizeof(six) : sizeof(four)) < 0)
		err(1, "bind to port %d", port);
	if (type == SOCK_STREAM && listen(fd, 128) < 0)
		err(1, "listen on port %d", port);
	socks[n_fds] = (struct sock){ type, port };
	fds[n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void listen_what(const char *what)
{
	char proto[8], host[64] = "";
	int port, fields = sscanf(what, "%7[a-z0-9]/%d@%63s", proto, &port, host);
	const char *h = fields == 3 ? host : NULL;
	int type = proto[0] == 'u' ? SOCK_DGRAM : SOCK_STREAM;
	char last = proto[strlen(proto) - 1];

	if (fields < 2)
		errx(2, "%s: not PROTO/PORT[@ADDRESS]", what);
	if (strcmp(proto, "dual") == 0) {
		listen_on(SOCK_STREAM, AF_INET6, h, port, true);
		return;
	}
	if (last != '6')
		listen_on(type, AF_INET, h, port, false);
	if (last != '4')
		listen_on(type, AF_INET6, h, port, false);
}

/* An IPv4 address in an IPv6 socket is printed as what it is. */
static void put(char *out, size_t size, const char *key, const char *pkey, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *six = (const void *)ss;
	const struct sockaddr_in *four = (const void *)ss;
	bool mapped = ss->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
	char text[INET6_ADDRSTRLEN];

	if (!ss->ss_family) {
		snprintf(out, size, ",\"%s\":null,\"%s\":null", key, pkey);
		return;
	}
	if (mapped)
		inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text, sizeof(text));
	else if (ss->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
	snprintf(out, size, ",\"%s\":\"%s\",\"%s\":%d", key, text, pkey, ntohs(four->sin_port));
}

/* The line about one connection, kept and returned. */
static const char *tell(const struct sock *s, const struct sockaddr_storage *local,
			const struct sockaddr_storage *peer, const struct sockaddr_storage *orig)
{
	static char line[512];
	char l[100], p[100], o[100];

	put(l, sizeof(l), "local", "lport", local);
	put(p, sizeof(p), "peer", "pport", peer);
	put(o, sizeof(o), "orig", "oport", orig);
	snprintf(line, sizeof(line), "{\"proto\":\"%s\",\"port\":%d%s%s%s,\"name\":\"%s\"}\n",
		 s->type == SOCK_STREAM ? "tcp" : "udp", s->port, l, p, o, name);
	if (record) {
		fputs(line, record);
		fflush(record);
	}
	return line;
}

static void original(int fd, struct sockaddr_storage *orig)
{
	socklen_t len = sizeof(*orig);

	memset(orig, 0, sizeof(*orig));
	if (getsockopt(fd, SOL_IP, SO_ORIGINAL_DST, orig, &len) == 0 && orig->ss_family)
		return;
	len = sizeof(*orig);
	if (getsockopt(fd, IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST, orig, &len) < 0)
		memset(orig, 0, sizeof(*orig));
}

static bool same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;
	const struct sockaddr_in6 *s = (const void *)a, *t = (const void *)b;

	if (a->ss_family == AF_INET6 && b->ss_family == AF_INET && IN6_IS_ADDR_V4MAPPED(&s->sin6_addr))
		return s->sin6_port == y->sin_port && !memcmp(&s->sin6_addr.s6_addr[12], &y->sin_addr, 4);
	if (a->ss_family != b->ss_family || x->sin_port != y->sin_port)
		return false;
	return a->ss_family == AF_INET ? x->sin_addr.s_addr == y->sin_addr.s_addr
				       : !memcmp(&s->sin6_addr, &t->sin6_addr, 16);
}

static void take_connection(int at)
{
	struct sockaddr_storage local = { 0 }, peer = { 0 }, orig;
	socklen_t ll = sizeof(local), pl = sizeof(peer);
	int fd = accept4(fds[at].fd, (void *)&peer, &pl, SOCK_CLOEXEC);
	const char *line;

	if (fd < 0)
		return;
	getsockname(fd, (void *)&local, &ll);
	original(fd, &orig);
	if (same(&local, &orig))
		orig.ss_family = 0;
	line = tell(&socks[at], &local, &peer, &orig);
	if (refuse)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	else if (write(fd, line, strlen(line)) < 0)
		warn("write");
	close(fd);
}

/* The address a datagram came in on, from its control message. */
static void arrived_at(struct msghdr *m, int port, struct sockaddr_storage *local)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			struct sockaddr_in *four = (void *)local;
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*four = (struct sockaddr_in){ AF_INET, htons((uint16_t)port), info.ipi_addr, { 0 } };
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct sockaddr_in6 *six = (void *)local;
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*six = (struct sockaddr_in6){ .sin6_family = AF_INET6,
						      .sin6_port = htons((uint16_t)port),
						      .sin6_addr = info.ipi6_addr };
		}
	}
}

static void take_datagram(int at)
{
	struct sockaddr_storage local = { 0 }, peer = { 0 }, none = { 0 };
	char data[2048], control[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control, .msg_controllen = sizeof(control) };
	const char *line;

	if (recvmsg(fds[at].fd, &m, 0) < 0)
		return;
	arrived_at(&m, socks[at].port, &local);
	line = tell(&socks[at], &local, &peer, &none);
	/* the answer leaves from the address the question came to: the control message says so */
	iov.iov_base = (void *)line;
	iov.iov_len = strlen(line);
	if (!refuse && sendmsg(fds[at].fd, &m, 0) < 0)
		warn("sendmsg");
}

/* Ids change, capabilities stay: sockets must belong to the id and yet be transparent or privileged. */
static void become(long uid, long gid)
{
	if (uid < 0 && gid < 0)
		return;
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		err(1, "securebits");
	if (gid >= 0 && setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0)
		err(1, "setresgid");
	if (uid >= 0 && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
		err(1, "setresuid");
}

/* Everything listens already; whoever started us may go on once we are forked. */
static void detach(void)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		err(1, "fork");
	if (pid > 0) {
		printf("%d\n", (int)pid);
		exit(0);
	}
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < 64; fd++) {
		bool ours = record && fd == fileno(record);

		for (unsigned i = 0; i < n_fds; i++)
			ours |= fds[i].fd == fd;
		if (!ours)
			close(fd);
	}
}

int main(int argc, char **argv)
{
	bool background = false;
	long uid = -1, gid = -1;
	int c;

	while ((c = getopt(argc, argv, "dn:u:g:tm:ro:")) != -1) {
		switch (c) {
		case 'd': background = true; break;
		case 'n': name = optarg; break;
		case 'u': uid = strtol(optarg, NULL, 10); break;
		case 'g': gid = strtol(optarg, NULL, 10); break;
		case 't': transparent = true; break;
		case 'm': mark = (int)strtol(optarg, NULL, 0); break;
		case 'r': refuse = true; break;
		case 'o':
			record = fopen(optarg, "ae");
			if (!record)
				err(1, "%s", optarg);
			break;
		default: return 2;
		}
	}
	/* who starts us with closed streams must not have sockets take their place */
	while ((c = open("/dev/null", O_RDWR)) >= 0 && c < 3)
		;
	close(c);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, name);
	become(uid, gid);
	for (int i = optind; i < argc; i++)
		listen_what(argv[i]);
	if (background)
		detach();
	for (;;) {
		if (poll(fds, n_fds, -1) < 0 && errno != EINTR)
			err(1, "poll");
		for (unsigned i = 0; i < n_fds; i++) {
			if (!(fds[i].revents & POLLIN))
				continue;
			if (socks[i].type == SOCK_STREAM)
				take_connection((int)i);
			else
				take_datagram((int)i);
		}
	}
}
