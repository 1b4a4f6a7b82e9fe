/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset_copy - the ipsets of a namespace made again in another one, under the same numbers */
#include "nsutil/xt/ipset_copy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/cleanup.h"

enum {
	REPLY_MAX = 32768,	 /* netlink_dump() fills at most so much */
	ROOM = REPLY_MAX + 1024, /* a message of ours holds what one of the kernel's held, and a few words */
	PROTOCOL = 7,		 /* the first in which sets tell their numbers (Linux 4.18) */
	MOST = 1 << 26,		 /* bytes of members */
	SETS = 65535,
};

/* A message of the kernel's list: the head of a set, some of its members, or both. */
struct part {
	const struct nlattr *name, *type, *revision, *family, *data, *members;
	int number; /* of a head; -1: not told */
	struct part *next;
};

struct copy {
	struct arena *a;
	struct part *first, **tail;
	size_t bytes;
	int fd, to;
	uint32_t seq;
	char *room;
	struct gaps *gaps;
};

static void take_attr(struct part *p, const struct nlattr *attr)
{
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case IPSET_ATTR_SETNAME: p->name = len && len <= IPSET_MAXNAMELEN ? attr : NULL; break;
	case IPSET_ATTR_TYPENAME: p->type = attr; break;
	case IPSET_ATTR_REVISION: p->revision = attr; break;
	case IPSET_ATTR_FAMILY: p->family = attr; break;
	case IPSET_ATTR_DATA: p->data = attr; break;
	case IPSET_ATTR_ADT: p->members = attr; break;
	case IPSET_ATTR_INDEX: p->number = len >= 2 ? ntohs(mnl_attr_get_u16(attr)) : -1; break;
	default: break;
	}
}

/* Addresses are told without the flag that is wanted of them (nla_put_ipaddr4(), ip_set_get_ipaddr4()). */
static void mark_order(const struct nlattr *data)
{
	struct nlattr *attr, *in;

	mnl_attr_for_each_payload(mnl_attr_get_payload(data), mnl_attr_get_payload_len(data)) {
		if (!(attr->nla_type & NLA_F_NESTED))
			continue;
		for (in = mnl_attr_get_payload(attr);
		     mnl_attr_ok(in, (int)((char *)mnl_attr_get_payload(attr) + mnl_attr_get_payload_len(attr) - (char *)in));
		     in = mnl_attr_next(in))
			in->nla_type |= NLA_F_NET_BYTEORDER;
	}
}

static void mark_orders(const struct part *p)
{
	const struct nlattr *attr;

	if (p->data)
		mark_order(p->data);
	if (p->members)
		mnl_attr_for_each_payload(mnl_attr_get_payload(p->members), mnl_attr_get_payload_len(p->members))
			mark_order(attr);
}

static int take_part(struct copy *c, const struct nlmsghdr *msg, struct err *e)
{
	const struct nlmsghdr *own = arena_dup(c->a, msg, msg->nlmsg_len);
	struct part *p = arena_alloc(c->a, sizeof(*p));
	const struct nlattr *attr;

	c->bytes += msg->nlmsg_len;
	if (!own || !p)
		return err_oom(e);
	if (c->bytes > MOST)
		return err_set(e, ERR_SYS, "cannot copy ipsets", "they have more than %d MiB of members", MOST >> 20);
	p->number = -1;
	mnl_attr_for_each(attr, own, sizeof(struct nfgenmsg))
		take_attr(p, attr);
	if (!p->name)
		return 0;
	mark_orders(p);
	*c->tail = p;
	c->tail = &p->next;
	return 0;
}

static struct nlmsghdr *begin(struct copy *c, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(c->room);
	struct nfgenmsg *gen;

	msg->nlmsg_type = NFNL_SUBSYS_IPSET << 8 | command;
	msg->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	msg->nlmsg_seq = ++c->seq;
	gen = mnl_nlmsg_put_extra_header(msg, sizeof(*gen));
	gen->nfgen_family = NFPROTO_IPV4;
	gen->version = NFNETLINK_V0;
	mnl_attr_put_u8(msg, IPSET_ATTR_PROTOCOL, PROTOCOL);
	return msg;
}

static int answer(const struct nlmsghdr *msg)
{
	return msg->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(struct nlmsgerr) ? -((const struct nlmsgerr *)mnl_nlmsg_get_payload(msg))->error
									   : EBADMSG;
}

/* Return: 1 when there is more to come, 0 at the end, -1 */
static int take_messages(struct copy *c, ssize_t n, struct err *e)
{
	const struct nlmsghdr *msg = (const void *)c->room;
	int left = (int)n, error;

	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left)) {
		if (msg->nlmsg_type == NLMSG_DONE)
			return 0;
		if (msg->nlmsg_type == NLMSG_ERROR) {
			error = answer(msg);
			return error ? err_sys(e, error, "cannot read ipsets") : 0;
		}
		if (take_part(c, msg, e) < 0)
			return -1;
	}
	return 1;
}

static int read_all(struct copy *c, struct err *e)
{
	struct nlmsghdr *msg = begin(c, IPSET_CMD_LIST, NLM_F_DUMP);
	int more = 1;

	if (send(c->fd, msg, msg->nlmsg_len, 0) < 0)
		return err_sys(e, errno, "cannot read ipsets");
	while (more > 0) {
		ssize_t n = recv(c->fd, c->room, REPLY_MAX, 0);

		if (n < 0)
			return err_sys(e, errno, "cannot read ipsets");
		more = take_messages(c, n, e);
	}
	return more;
}

/* Return: the kernel's errno */
static int talk(struct copy *c, const struct nlmsghdr *msg)
{
	ssize_t n;

	if (send(c->to, msg, msg->nlmsg_len, 0) < 0)
		return errno;
	n = recv(c->to, c->room, REPLY_MAX, 0);
	return n < 0 ? errno : n < (ssize_t)MNL_NLMSG_HDRLEN ? EBADMSG : answer((const void *)c->room);
}

static void put_same(struct nlmsghdr *msg, const struct nlattr *a)
{
	if (a)
		mnl_attr_put(msg, a->nla_type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
}

/* What is told of a set that is there is not taken when one is made (nla_parse_nested() of a policy without it). */
static void put_settings(struct nlmsghdr *msg, const struct nlattr *data)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, IPSET_ATTR_DATA);
	const struct nlattr *attr;

	mnl_attr_for_each_payload(mnl_attr_get_payload(data), mnl_attr_get_payload_len(data))
		switch (mnl_attr_get_type(attr)) {
		case IPSET_ATTR_ELEMENTS:
		case IPSET_ATTR_REFERENCES:
		case IPSET_ATTR_MEMSIZE: break;
		default: put_same(msg, attr);
		}
	mnl_attr_nest_end(msg, nest);
}

static const char *name_of(const struct part *p)
{
	const char *name = mnl_attr_get_payload(p->name);

	return name[mnl_attr_get_payload_len(p->name) - 1] == '\0' ? name : "?";
}

static void add_gap(const struct copy *c, int error, const char *what, const char *name)
{
	char why[64];

	if (error >= IPSET_ERR_PRIVATE)
		snprintf(why, sizeof(why), "the kernel does not take what it lists (ipset error %d)", error);
	gaps_add(c->gaps, error >= IPSET_ERR_PRIVATE ? why : strerror(error), "%s %s", what, name);
}

static void make_set(struct copy *c, const struct part *p, const char *name)
{
	struct nlmsghdr *msg = begin(c, IPSET_CMD_CREATE, NLM_F_CREATE | NLM_F_EXCL);
	int error;

	mnl_attr_put_strz(msg, IPSET_ATTR_SETNAME, name);
	put_same(msg, p->type);
	put_same(msg, p->revision);
	put_same(msg, p->family);
	if (p->data)
		put_settings(msg, p->data);
	error = talk(c, msg);
	if (error)
		add_gap(c, error, "ipset", name);
}

static const struct part *head_with(const struct copy *c, int number)
{
	const struct part *p = c->first;

	while (p && (!p->type || p->number != number))
		p = p->next;
	return p;
}

/* find_free_id() in ip_set_core.c: from 0 on */
static void make_sets(struct copy *c)
{
	int most = -1;

	for (const struct part *p = c->first; p; p = p->next)
		if (p->type && p->number > most)
			most = p->number;
	for (int i = 0; i <= most && i < SETS; i++) {
		const struct part *p = head_with(c, i);
		char name[IPSET_MAXNAMELEN];

		snprintf(name, sizeof(name), "cnish-gap-%d", i);
		make_set(c, p ? p : head_with(c, most), p ? name_of(p) : name);
	}
}

static void add_members(struct copy *c, const struct part *p)
{
	struct nlmsghdr *msg = begin(c, IPSET_CMD_ADD, 0);
	int error;

	put_same(msg, p->name);
	mnl_attr_put_u32(msg, IPSET_ATTR_LINENO, 0);
	put_same(msg, p->members);
	error = talk(c, msg);
	if (error)
		add_gap(c, error, "members of ipset", name_of(p));
}

static int copy_all(struct copy *c, struct err *e)
{
	if (read_all(c, e) < 0)
		return -1;
	for (const struct part *p = c->first; p; p = p->next)
		if (p->type && p->number < 0)
			return err_set(e, ERR_SYS, "cannot copy ipsets", "this kernel does not tell their numbers (Linux before 4.18)");
	make_sets(c);
	/* lists of sets name others, so all must be there */
	for (const struct part *p = c->first; p; p = p->next)
		if (p->members && mnl_attr_get_payload_len(p->members))
			add_members(c, p);
	return 0;
}

int ipset_copy(const struct netns *from, const struct netns *to, struct gaps *gaps, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *room = malloc(ROOM);
	_cleanup_close_ int fd = netns_socket(from, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e), sink = -1;
	struct timeval limit = { .tv_sec = 10 };
	struct copy c = { .a = a, .room = room, .gaps = gaps, .fd = fd };

	if (!a || !room)
		return err_oom(e);
	sink = fd < 0 ? -1 : netns_socket(to, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
	if (sink < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(sink, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	c.to = sink;
	c.tail = &c.first;
	return copy_all(&c, e);
}
