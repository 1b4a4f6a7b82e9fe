/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sock - TCP and UDP sockets of a network namespace: by sock_diag, else from /proc/net */
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/kmod.h"
#include "nsutil/netns/parts.h"

/* include/net/tcp_states.h; UDP sockets use the first and the third */
enum { STATE_ESTABLISHED = 1, STATE_CLOSE = 7, STATE_LISTEN = 10 };

#define PROC_MOST (256u << 20)

static const struct part {
	uint8_t family, protocol;
	const char *module, *symbol, *file;
} parts[] = {
	{ AF_INET, IPPROTO_TCP, "tcp_diag", "tcp_diag_dump", "net/tcp" },
	{ AF_INET6, IPPROTO_TCP, "tcp_diag", "tcp_diag_dump", "net/tcp6" },
	{ AF_INET, IPPROTO_UDP, "udp_diag", "udp_diag_dump", "net/udp" },
	{ AF_INET6, IPPROTO_UDP, "udp_diag", "udp_diag_dump", "net/udp6" },
};

static bool state_listens(uint8_t protocol, uint8_t state, uint16_t lport)
{
	return lport && state == (protocol == IPPROTO_TCP ? STATE_LISTEN : STATE_CLOSE);
}

/* An IPv6 socket has IPv4 connections by mapped addresses; packets and conntrack know them as IPv4. */
static void unmap_ends(struct nv_socket *s)
{
	struct addr remote = s->remote;

	if (s->rport && addr_unmap(&remote) && addr_unmap(&s->local))
		s->remote = remote;
}

/* Kernels before 5.8 do not tell the options, those before 5.9 the control group; mark needs CAP_NET_ADMIN. */
static void parse_details(const struct nv_attrs *a, struct nv_socket *s)
{
	struct inet_diag_sockopt opt;
	bool mark = nv_attr_u32(a, INET_DIAG_MARK, &s->mark);
	bool options = nv_attr_copy(a, INET_DIAG_SOCKOPT, &opt, sizeof(opt));
	uint8_t v6only;

	s->transparent = options && opt.transparent;
	s->v6only = nv_attr_u8(a, INET_DIAG_SKV6ONLY, &v6only) && v6only;
	s->details = mark && options;
	nv_attr_copy(a, INET_DIAG_CGROUP_ID, &s->cgroup, sizeof(s->cgroup));
}

int nv_parse_socket(const struct nlmsghdr *nlh, uint8_t protocol, struct netview *nv, struct err *e)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct nv_attrs a;
	struct nv_socket *s;

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(nlh) < sizeof(*m) ||
	    (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
		return 0;
	nv_attrs(&a, m + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*m));
	s = nv_more(nv, nv->sockets, nv->n_sockets);
	if (!s)
		return err_oom(e);
	s->family = m->idiag_family;
	s->protocol = protocol;
	s->tcp_state = m->idiag_state;
	s->local = addr_from(s->family, m->id.idiag_src);
	s->remote = addr_from(s->family, m->id.idiag_dst);
	s->lport = ntohs(m->id.idiag_sport);
	s->rport = ntohs(m->id.idiag_dport);
	s->ifindex = m->id.idiag_if;
	s->uid = m->idiag_uid;
	s->inode = m->idiag_inode;
	s->listening = state_listens(protocol, s->tcp_state, s->lport);
	unmap_ends(s);
	parse_details(&a, s);
	return 0;
}

struct diag {
	const struct part *part;
	struct netview *nv;
	unsigned before; /* sockets of the former parts */
};

static int diag_parse(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	struct diag *d = arg;

	return nv_parse_socket(nlh, d->part->protocol, d->nv, e);
}

static void diag_restart(void *arg)
{
	struct diag *d = arg;

	d->nv->n_sockets = d->before;
}

static int dump_part(int fd, const struct part *p, bool all, struct netview *nv, struct err *e)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} request = {
		.nlh = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY },
		.req = { .sdiag_family = p->family, .sdiag_protocol = p->protocol, 
			 .idiag_states = all || p->protocol != IPPROTO_TCP ? UINT32_MAX : 1U << STATE_LISTEN },
	};
	struct diag arg = { p, nv, nv->n_sockets };
	struct nv_dump d = { fd, "sockets", &request.nlh, diag_parse, diag_restart, &arg };

	if (nv_dump(&d, e) == 0)
		return 0;
	diag_restart(&arg);
	return -1;
}

/*
 * "0100007F:1F90": the address is printed as words of the host's byte order
 * (net/ipv4/tcp_ipv4.c get_tcp4_sock()), so that storing a word gives network order again.
 */
static bool parse_hex_addr(const char *text, uint8_t family, struct addr *ret, uint16_t *port)
{
	unsigned words = family == AF_INET ? 1 : 4, p;
	uint32_t word[4];

	for (unsigned i = 0; i < words; i++)
		if (sscanf(text + 8 * i, "%8" SCNx32, &word[i]) != 1)
			return false;
	if (text[8 * words] != ':' || sscanf(text + 8 * words + 1, "%4x", &p) != 1)
		return false;
	*ret = addr_from(family, word);
	*port = (uint16_t)p;
	return true;
}

static bool parse_proc_line(const char *line, uint8_t family, uint8_t protocol, struct nv_socket *s)
{
	char local[48], remote[48];
	unsigned state, uid;
	size_t want = family == AF_INET ? 13 : 37;

	if (sscanf(line, "%*d: %47s %47s %2x %*s %*s %*s %u %*u %" SCNu64, local, remote, &state, &uid,
		   &s->inode) != 5)
		return false;
	if (strlen(local) != want || strlen(remote) != want ||
	    !parse_hex_addr(local, family, &s->local, &s->lport) ||
	    !parse_hex_addr(remote, family, &s->remote, &s->rport))
		return false;
	s->family = family;
	s->protocol = protocol;
	s->tcp_state = (uint8_t)state;
	s->uid = uid;
	s->listening = state_listens(protocol, s->tcp_state, s->lport);
	unmap_ends(s);
	return true;
}

int nv_parse_proc_sockets(const char *text, uint8_t family, uint8_t protocol, struct netview *nv,
			  struct err *e)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		struct nv_socket s = { 0 }, *slot;
		char line[512];

		snprintf(line, sizeof(line), "%.*s", n < sizeof(line) ? (int)n : (int)sizeof(line) - 1, text);
		text += n + (text[n] == '\n');
		if (!parse_proc_line(line, family, protocol, &s))
			continue;
		slot = nv_more(nv, nv->sockets, nv->n_sockets);
		if (!slot)
			return err_oom(e);
		*slot = s;
	}
	return 0;
}

/* No such file: the kernel has no IPv6, so there are no such sockets. */
static int read_part(const struct netns *ns, const struct part *p, struct netview *nv, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct err why = ERR_INIT;

	if (netns_read_proc(ns, p->file, PROC_MOST, &text, NULL, &why) < 0) {
		if (why.errnum == ENOENT)
			return 0;
		if (e)
			*e = why;
		return -1;
	}
	return nv_parse_proc_sockets(text, p->family, p->protocol, nv, e);
}

/*
 * After a failure the rest of a dump may still be on its way, so the next part has a socket of its own. That the
 * module is there was checked by the caller.
 */
static int diag_part(const struct netns *ns, const struct part *p, bool all, int *fd, struct netview *nv)
{
	if (*fd < 0)
		*fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG, NULL);
	if (*fd < 0)
		return -1;
	if (dump_part(*fd, p, all, nv, NULL) == 0)
		return 0;
	close(*fd);
	*fd = -1;
	return -1;
}

int nv_read_sockets(const struct netns *ns, unsigned wanted, struct netview *nv, struct err *e)
{
	_cleanup_close_ int fd = -1;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct part *p = &parts[i];

		if (p->protocol == IPPROTO_UDP && (wanted & NETVIEW_NO_UDP))
			continue;
		if (kmod_state("/", p->module, p->symbol) == KMOD_READY &&
		    diag_part(ns, p, !(wanted & NETVIEW_LISTENERS), &fd, nv) == 0)
			continue;
		if (read_part(ns, p, nv, e) < 0)
			return -1;
	}
	return 0;
}
