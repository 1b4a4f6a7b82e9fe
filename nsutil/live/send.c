/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send - one packet into a scratch: by a socket inside, or as a frame from outside */
#include "nsutil/live/send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/packet.h"
#include "nsutil/trace/connection.h"

enum { TCP_SYN = 2, PORTS_FROM = 40000, PORTS = 20000, TRIES = 50, HELLO = 8 };

union sock_addr {
	struct sockaddr sa;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t fill(const struct addr *a, uint8_t family, int port, union sock_addr *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sa.sa_family = family;
	ret->four.sin_port = htons((uint16_t)(port < 0 ? 0 : port));
	if (family == AF_INET) {
		memcpy(&ret->four.sin_addr, a->b, 4);
		return sizeof(ret->four);
	}
	memcpy(&ret->six.sin6_addr, a->b, 16);
	return sizeof(ret->six);
}

static uint8_t af(const struct trace_request *rq)
{
	return rq->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET;
}

/* ---- packets made inside ---- */

static bool has_headers(const struct trace_request *rq)
{
	return rq->parts.ipopt || rq->parts.exthdr || rq->parts.has_id || live_is_fragment(rq);
}

static bool has_parts(const struct trace_request *rq)
{
	return has_headers(rq) || rq->parts.tcpopt || rq->mss >= 0 || rq->ecn >= 0;
}

/* A connecting socket sends what it sends; other flags and lengths are made by hand. */
static bool is_raw(const struct trace_request *rq)
{
	if (has_parts(rq))
		return true;
	if (rq->l4proto == IPPROTO_TCP)
		return (rq->tcp_flags >= 0 && rq->tcp_flags != TCP_SYN) || rq->length >= 0;
	return rq->l4proto != IPPROTO_UDP;
}

static void set_int(int fd, const struct trace_request *rq, int v4, int v6, int value)
{
	bool six = rq->family == NFPROTO_IPV6;

	setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? v6 : v4, &value, sizeof(value));
}

static int set_options(struct sending *w, struct err *e)
{
	const struct trace_request *rq = &w->rq;
	int one = 1, mark = (int)rq->mark, priority = (int)rq->priority;

	setsockopt(w->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	set_int(w->fd, rq, IP_TRANSPARENT, IPV6_TRANSPARENT, 1);
	set_int(w->fd, rq, IP_FREEBIND, IPV6_FREEBIND, 1);
	if (rq->dscp >= 0 || rq->ecn >= 0)
		set_int(w->fd, rq, IP_TOS, IPV6_TCLASS, (rq->dscp < 0 ? 0 : rq->dscp << 2) | (rq->ecn < 0 ? 0 : rq->ecn));
	if (rq->ttl >= 0)
		set_int(w->fd, rq, IP_TTL, IPV6_UNICAST_HOPS, rq->ttl);
	if (rq->has_priority)
		setsockopt(w->fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	if (rq->has_mark && rq->mark && setsockopt(w->fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return err_cap(e, errno, "CAP_NET_ADMIN", "cannot set the mark of the socket");
	if (rq->oif && setsockopt(w->fd, SOL_SOCKET, SO_BINDTODEVICE, rq->oif, (socklen_t)strlen(rq->oif)) < 0)
		return err_sys(e, errno, "cannot bind the socket to link %s", rq->oif);
	return 0;
}

/* A port of one's own choice, so that it is known before the packet leaves. */
static int bind_source(struct sending *w, struct err *e)
{
	struct addr any = { .family = af(&w->rq) };
	bool ports = connection_has_ports(w->rq.l4proto), choose = ports && w->rq.sport < 0;
	union sock_addr sa;
	socklen_t len;

	for (unsigned i = 0; i < TRIES; i++) {
		if (choose)
			w->rq.sport = PORTS_FROM + (int)((unsigned)random() % PORTS);
		len = fill(w->rq.src.family ? &w->rq.src : &any, af(&w->rq), w->raw ? 0 : w->rq.sport, &sa);
		if (bind(w->fd, &sa.sa, len) == 0)
			return 0;
		if (errno != EADDRINUSE || !choose)
			break;
	}
	return err_sys(e, errno, "cannot send from this address and port");
}

static int socket_inside(void *arg, struct err *e)
{
	struct sending *w = arg;
	int type = w->raw ? SOCK_RAW : w->rq.l4proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, uid, gid, error;

	gid = setfsgid(w->rq.has_gid ? w->rq.gid : 0);
	uid = setfsuid(w->rq.has_uid ? w->rq.uid : 0);
	w->fd = socket(af(&w->rq), type | SOCK_NONBLOCK | SOCK_CLOEXEC, !w->raw ? 0 : has_headers(&w->rq) ? IPPROTO_RAW : w->rq.l4proto);
	error = errno;
	if (w->rq.has_uid && (uint32_t)setfsuid((uid_t)-1) != w->rq.uid)
		error = EPERM;
	setfsuid((uid_t)uid);
	setfsgid((gid_t)gid);
	if (w->fd >= 0 && error == EPERM && w->rq.has_uid && w->rq.uid != (uint32_t)uid)
		return err_cap(e, EPERM, "CAP_SETUID", "cannot send as user %u", w->rq.uid);
	if (w->fd < 0)
		return err_cap(e, error, w->raw ? "CAP_NET_RAW" : "CAP_NET_ADMIN", "cannot make the socket that sends");
	return set_options(w, e) < 0 || bind_source(w, e) < 0 ? -1 : 0;
}

struct outlet {
	int fd;
	const uint8_t *bytes;
	size_t before; /* of what is in front of the packet */
};

static int send_part(void *arg, size_t n)
{
	const struct outlet *o = arg;

	return send(o->fd, o->bytes, o->before + n, 0) < 0 ? errno : 0;
}

/* @bytes: @before of them are there, and the packet comes behind them */
static int send_packet(const struct sending *w, uint8_t *bytes, size_t before)
{
	struct outlet o = { .fd = w->fd, .bytes = bytes, .before = before };
	struct live_emit to = { .room = bytes + before, .send = send_part, .arg = &o };
	const char *why;

	if (live_is_fragment(&w->rq))
		return live_fragments(&w->rq, w->others, &to, &why);
	return send_part(&o, live_packet(&w->rq, bytes + before));
}

/* A raw packet's checksum has the source in it, which routing chooses. */
static int send_raw(struct sending *w, const union sock_addr *to, socklen_t len)
{
	_cleanup_free_ uint8_t *bytes = malloc(LIVE_PACKET_MAX + 1);
	union sock_addr self;
	socklen_t self_len = sizeof(self);

	if (!bytes)
		return ENOMEM;
	if (connect(w->fd, &to->sa, len) < 0 || getsockname(w->fd, &self.sa, &self_len) < 0)
		return errno;
	w->rq.src = addr_from(af(&w->rq), self.sa.sa_family == AF_INET6 ? (const void *)&self.six.sin6_addr
									  : (const void *)&self.four.sin_addr);
	/* behind IPPROTO_RAW the network header is part of what is sent */
	if (has_headers(&w->rq))
		return send_packet(w, bytes, 0);
	return send(w->fd, bytes, live_transport(&w->rq, bytes), 0) < 0 ? errno : 0;
}

static int send_inside(struct sending *w)
{
	size_t head = w->rq.family == NFPROTO_IPV6 ? 48 : 28;
	_cleanup_free_ char *payload = calloc(1, LIVE_PACKET_MAX);
	size_t n = w->rq.length >= (int)head ? (size_t)w->rq.length - head : HELLO;
	union sock_addr to;
	socklen_t len = fill(&w->rq.dst, af(&w->rq), w->raw ? 0 : w->rq.dport, &to);

	if (w->raw)
		return send_raw(w, &to, len);
	if (w->rq.l4proto == IPPROTO_TCP)
		return connect(w->fd, &to.sa, len) < 0 && errno != EINPROGRESS ? errno : 0;
	return !payload ? ENOMEM : sendto(w->fd, payload, n, 0, &to.sa, len) < 0 ? errno : 0;
}

/* ---- packets that come in: a frame on the other end of the link ---- */

static int socket_far(void *arg, struct err *e)
{
	struct sending *w = arg;
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(w->rq.family == NFPROTO_IPV6 ? ETH_P_IPV6 : ETH_P_IP) };

	to.sll_ifindex = (int)if_nametoindex(w->iif);
	if (!to.sll_ifindex) {
		err_set(e, ERR_SYS, "cannot send through this link", "the scratch has no link '%s' that can be reached from outside",
			w->iif);
		if (e)
			e->errnum = EOPNOTSUPP;
		return -1;
	}
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return err_cap(e, errno, "CAP_NET_RAW", "cannot send frames");
	if (bind(w->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_sys(e, errno, "cannot send frames");
	return 0;
}

struct mac_job {
	const char *link;
	uint8_t mac[6];
};

static int read_mac(void *arg, struct err *e)
{
	struct mac_job *job = arg;
	struct ifreq ifr = { .ifr_ifindex = 0 };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(ifr.ifr_name, job->link, sizeof(ifr.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		return err_sys(e, errno, "cannot read the address of link %s", job->link);
	memcpy(job->mac, ifr.ifr_hwaddr.sa_data, sizeof(job->mac));
	return 0;
}

static int send_frame(struct sending *w)
{
	static const uint8_t other[6] = { 0x02, 0, 0, 0, 0, 0x01 };
	_cleanup_free_ uint8_t *frame = calloc(1, LIVE_PACKET_MAX + 64);
	struct mac_job job = { .link = w->iif };

	if (!frame)
		return ENOMEM;
	if (netns_call(&w->s->ns, read_mac, &job, NULL) < 0)
		return ENODEV;
	memcpy(frame, w->rq.has_dmac ? w->rq.dmac : job.mac, 6);
	memcpy(frame + 6, w->rq.has_smac ? w->rq.smac : other, 6);
	frame[12] = w->rq.family == NFPROTO_IPV6 ? 0x86 : 0x08;
	frame[13] = w->rq.family == NFPROTO_IPV6 ? 0xdd : 0x00;
	return send_packet(w, frame, 14);
}

/* ---- both ---- */

static int cannot(struct err *e, const char *why)
{
	err_set(e, ERR_SYS, "this connection cannot be sent", "%s", why);
	if (e)
		e->errnum = EOPNOTSUPP;
	return -1;
}

static int send_nothing(void *arg, size_t n)
{
	(void)arg;
	(void)n;
	return 0;
}

static int check_fragment(const struct sending *w, struct err *e)
{
	_cleanup_free_ uint8_t *room = malloc(LIVE_PACKET_MAX + 1);
	struct live_emit nowhere = { .room = room, .send = send_nothing };
	const char *why = NULL;

	if (!room)
		return err_oom(e);
	if (w->rq.family == NFPROTO_IPV4 && w->rq.path == TRACE_OUT && !w->rq.parts.id)
		return cannot(e, "of what is sent here, the kernel replaces fragid 0 by another one");
	live_fragments(&w->rq, w->others, &nowhere, &why);
	return why ? cannot(e, why) : 0;
}

static int check(const struct sending *w, struct err *e)
{
	const struct trace_request *rq = &w->rq;

	if (rq->ct_state && rq->ct_state != TRACE_CT_NEW)
		return cannot(e, "one packet is a new connection's, and ctstate asks for another one");
	if (rq->has_ct_mark)
		return cannot(e, "ctmark asks for a connection that is known already");
	if (rq->has_cgroup || rq->cgroup_path)
		return cannot(e, "the packet would have to come from that cgroup");
	if (rq->l4proto == IPPROTO_DCCP)
		return cannot(e, "there is no packet of this protocol at hand");
	if (rq->path != TRACE_OUT && (!w->iif || !w->iif[0]))
		return cannot(e, "no link is known that it could come in through");
	if (rq->path != TRACE_OUT && strcmp(w->iif, "lo") == 0)
		return cannot(e, "nothing comes in through lo from outside");
	if (rq->path != TRACE_OUT && !rq->src.family)
		return cannot(e, "its source is not given");
	return live_is_fragment(rq) ? check_fragment(w, e) : 0;
}

int send_prepare(struct sending *w, struct err *e)
{
	w->fd = -1;
	live_choose_fragment(&w->rq, (uint32_t)random());
	if (check(w, e) < 0)
		return -1;
	if (connection_has_ports(w->rq.l4proto) && w->rq.dport < 0 && (w->others || !live_is_fragment(&w->rq) || !w->rq.parts.offset))
		return cannot(e, "its destination port is not given");
	w->raw = is_raw(&w->rq);
	if (w->rq.path == TRACE_OUT)
		return netns_call(&w->s->ns, socket_inside, w, e);
	if (connection_has_ports(w->rq.l4proto) && w->rq.sport < 0)
		w->rq.sport = PORTS_FROM + (int)((unsigned)random() % PORTS);
	return netns_call(&w->s->far, socket_far, w, e);
}

int send_now(struct sending *w)
{
	return w->rq.path == TRACE_OUT ? send_inside(w) : send_frame(w);
}

void send_end(struct sending *w)
{
	struct linger l = { 1, 0 };

	if (w->fd < 0)
		return;
	setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(w->fd);
	w->fd = -1;
}
