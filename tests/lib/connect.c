/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connect - makes one connection as some user from some place, and tells what came of it */
/*
 * connect [-u UID] [-g GID] [-s ADDRESS] [-p PORT] [-m MARK] [-t] [-i DEVICE] [-w MS] [-n] PROTO ADDRESS [PORT]
 *   PROTO    tcp, udp (one datagram), icmp (one echo request; IPv6 is told by the address)
 *   -u, -g   owner of the process and the socket; -s, -p source address and port; -m SO_MARK;
 *   -t       transparent: the source may be somebody else's (IP_TRANSPARENT)
 *   -i       SO_BINDTODEVICE; -w how long to wait (default 1000 ms); -n send, do not wait for an answer
 * Prints {"result":"connected","local":"10.0.1.39","lport":40000,"reply":{...}|null}; result is connected,
 * refused, timeout, unreachable, reset, denied, sent or failed. Status 0: connected or sent; else 1.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/securebits.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum proto { TCP, UDP, ICMP };

union any {
	struct sockaddr sa;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static int wait_ms = 1000;

static socklen_t parse(const char *text, const char *port, union any *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->four.sin_addr) == 1) {
		ret->sa.sa_family = AF_INET;
		ret->four.sin_port = htons((uint16_t)atoi(port));
		return sizeof(ret->four);
	}
	if (inet_pton(AF_INET6, text, &ret->six.sin6_addr) != 1)
		errx(2, "%s: no address", text);
	ret->sa.sa_family = AF_INET6;
	ret->six.sin6_port = htons((uint16_t)atoi(port));
	return sizeof(ret->six);
}

static void become(long uid, long gid)
{
	if (uid < 0 && gid < 0)
		return;
	/* a mark, a device and a low port need the capabilities after the ids have changed */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		err(2, "securebits");
	if (gid >= 0 && setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0)
		err(2, "setresgid");
	if (uid >= 0 && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
		err(2, "setresuid");
}

static int make_socket(enum proto proto, int family)
{
	int type = proto == TCP ? SOCK_STREAM : proto == UDP ? SOCK_DGRAM : SOCK_RAW;
	int protocol = proto != ICMP ? 0 : family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		err(2, "socket");
	return fd;
}

static const char *outcome(int error)
{
	switch (error) {
	case 0: return "connected";
	case ECONNREFUSED: return "refused";
	case ETIMEDOUT: return "timeout";
	case ECONNRESET: return "reset";
	case EPERM: case EACCES: return "denied";
	case ENETUNREACH: case EHOSTUNREACH: case EADDRNOTAVAIL: return "unreachable";
	default: return "failed";
	}
}

static int wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&p, 1, wait_ms) == 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Error of sending: the question of the protocol. */
static int ask(int fd, enum proto proto, int family)
{
	struct icmphdr echo = { .type = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST };

	echo.un.echo.id = htons((uint16_t)getpid());
	echo.un.echo.sequence = htons(1);
	if (family == AF_INET)
		echo.checksum = checksum((void *)&echo, sizeof(echo));
	if (proto == ICMP)
		return send(fd, &echo, sizeof(echo), 0) < 0 ? errno : 0;
	return send(fd, "hello\n", 6, 0) < 0 ? errno : 0;
}

static bool is_echo_reply(const uint8_t *data, ssize_t n, int family)
{
	size_t head = family == AF_INET ? (data[0] & 15u) * 4 : 0;

	return n >= (ssize_t)(head + 8) && data[head] == (family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
}

/* The answer, a line of JSON from a stand-in; other text is passed over. */
static int answer(int fd, enum proto proto, int family, char *reply, size_t size)
{
	for (;;) {
		int error = wait_for(fd, POLLIN);
		ssize_t n = error ? -1 : recv(fd, reply, size - 1, 0);

		if (error)
			return error;
		if (n < 0)
			return errno;
		if (proto == ICMP && !is_echo_reply((void *)reply, n, family))
			continue;
		reply[proto == ICMP ? 0 : n] = '\0';
		reply[strcspn(reply, "\n")] = '\0';
		return 0;
	}
}

static int talk(int fd, enum proto proto, const union any *to, socklen_t len, bool wait, char *reply, size_t size)
{
	int error = 0;

	if (connect(fd, &to->sa, len) < 0) {
		error = errno;
		if (error == EINPROGRESS)
			error = wait_for(fd, POLLOUT);
	}
	if (error)
		return error;
	if (proto != TCP)
		error = ask(fd, proto, to->sa.sa_family);
	if (error || !wait)
		return error;
	error = answer(fd, proto, to->sa.sa_family, reply, size);
	/* connected, but nobody speaks: still connected */
	return proto == TCP && error == ETIMEDOUT ? 0 : error;
}

static void report(int fd, const char *result, const char *reply)
{
	union any local = { 0 };
	socklen_t len = sizeof(local);
	char text[INET6_ADDRSTRLEN] = "";

	if (getsockname(fd, &local.sa, &len) == 0)
		inet_ntop(local.sa.sa_family,
			  local.sa.sa_family == AF_INET ? (void *)&local.four.sin_addr
							: (void *)&local.six.sin6_addr,
			  text, sizeof(text));
	printf("{\"result\":\"%s\",\"local\":\"%s\",\"lport\":%d,\"reply\":%s}\n", result, text,
	       ntohs(local.four.sin_port), reply[0] == '{' ? reply : "null");
}

int main(int argc, char **argv)
{
	const char *source = NULL, *sport = "0", *device = NULL;
	long uid = -1, gid = -1, mark = -1;
	char reply[2048] = "";
	union any to, from;
	enum proto proto;
	bool wait = true, transparent = false;
	socklen_t len;
	int c, fd, error;

	while ((c = getopt(argc, argv, "u:g:s:p:m:ti:w:n")) != -1) {
		switch (c) {
		case 'u': uid = strtol(optarg, NULL, 0); break;
		case 'g': gid = strtol(optarg, NULL, 0); break;
		case 's': source = optarg; break;
		case 'p': sport = optarg; break;
		case 'm': mark = strtol(optarg, NULL, 0); break;
		case 't': transparent = true; break;
		case 'i': device = optarg; break;
		case 'w': wait_ms = atoi(optarg); break;
		case 'n': wait = false; break;
		default: return 2;
		}
	}
	if (argc - optind < 2)
		errx(2, "usage: connect [options] tcp|udp|icmp ADDRESS [PORT]");
	proto = argv[optind][0] == 't' ? TCP : argv[optind][0] == 'u' ? UDP : ICMP;
	len = parse(argv[optind + 1], argc - optind > 2 && proto != ICMP ? argv[optind + 2] : "0", &to);
	become(uid, gid);
	fd = make_socket(proto, to.sa.sa_family);
	if (mark >= 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &(int){ (int)mark }, sizeof(int)) < 0)
		err(2, "SO_MARK");
	if (device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
		err(2, "SO_BINDTODEVICE");
	if (transparent && setsockopt(fd, to.sa.sa_family == AF_INET ? SOL_IP : IPPROTO_IPV6,
				      to.sa.sa_family == AF_INET ? IP_TRANSPARENT : 75 /* IPV6_TRANSPARENT */, &(int){ 1 },
				      sizeof(int)) < 0)
		err(2, "IP_TRANSPARENT");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (!source)
		source = to.sa.sa_family == AF_INET ? "0.0.0.0" : "::";
	parse(source, sport, &from);
	if (bind(fd, &from.sa, len) < 0)
		err(2, "bind");
	error = talk(fd, proto, &to, len, wait, reply, sizeof(reply));
	report(fd, !error && !wait && proto != TCP ? "sent" : outcome(error), reply);
	return error != 0;
}
