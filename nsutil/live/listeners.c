/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listeners - sockets in the scratch that stand where the target's do */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/parts.h"

enum { MOST = 4096, BACKLOG = 16 };

struct listen_job {
	struct scratch *s;
	const struct netview *nv;
};

static socklen_t fill(const struct addr *a, uint8_t family, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = family;
	if (family == AF_INET) {
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, a->b, 4);
		return sizeof(*four);
	}
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, a->b, 16);
	return sizeof(*six);
}

static void set_options(int fd, const struct nv_socket *k)
{
	int one = 1, only = k->details ? k->v6only : 0, mark = (int)k->mark;
	bool v6 = k->family == AF_INET6;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (k->mark)
		setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (k->transparent)
		setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, &one, sizeof(one));
	if (k->ifindex)
		setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &(int){ (int)k->ifindex }, sizeof(int));
}

/* Return: errno */
static int stand_in(const struct nv_socket *k, int *ret)
{
	int type = k->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct sockaddr_storage sa;
	_cleanup_close_ int fd = -1;
	socklen_t len;
	int was;

	was = setfsuid(k->uid);
	fd = socket(k->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, k->protocol);
	setfsuid((uid_t)was);
	if (fd < 0)
		return errno;
	set_options(fd, k);
	len = fill(&k->local, k->family, k->lport, &sa);
	if (bind(fd, (struct sockaddr *)&sa, len) < 0)
		return errno;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return errno;
	if (type == SOCK_DGRAM && k->rport) {
		len = fill(&k->remote, k->family, k->rport, &sa);
		if (connect(fd, (struct sockaddr *)&sa, len) < 0)
			return errno;
	}
	*ret = steal_fd(fd);
	return 0;
}

static bool wanted(const struct nv_socket *k)
{
	return (k->protocol == IPPROTO_TCP && k->listening) || k->protocol == IPPROTO_UDP;
}

static int listen_inside(void *arg, struct err *e)
{
	struct listen_job *job = arg;
	struct scratch *s = job->s;

	for (unsigned i = 0; i < job->nv->n_sockets; i++) {
		const struct nv_socket *k = &job->nv->sockets[i];
		char text[ADDR_TEXT];
		int error, *more;

		if (!wanted(k))
			continue;
		more = s->n_listeners < MOST ? arena_grow(s->arena, s->listeners, s->n_listeners, sizeof(*more)) : NULL;
		if (!more)
			return err_oom(e);
		s->listeners = more;
		error = stand_in(k, &s->listeners[s->n_listeners]);
		if (!error)
			s->n_listeners++;
		else
			gaps_add(&s->gaps, strerror(error), "the socket at %s port %u", addr_fmt(&k->local, text), k->lport);
	}
	return 0;
}

int scratch_listeners(struct scratch *s, const struct netview *nv, struct err *e)
{
	struct listen_job job = { s, nv };

	return netns_call(&s->ns, listen_inside, &job, e);
}
