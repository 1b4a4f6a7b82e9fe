/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset - read ipsets and their members from the kernel */
#include "nsutil/xt/ipset.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "nsutil/base/cleanup.h"

/* The kernel fills at most this much per message of a dump (net/netlink/af_netlink.c, netlink_dump()). */
#define REPLY_MAX 32768

/* The attributes of one level by type; later ones win, as in nla_parse(). */
struct attrs {
	const struct nlattr *at[32];
};

static void attrs_index(struct attrs *t, const void *start, size_t size)
{
	const struct nlattr *attr;

	memset(t, 0, sizeof(*t));
	mnl_attr_for_each_payload(start, size)
	{
		if (mnl_attr_get_type(attr) < ARRAY_SIZE(t->at))
			t->at[mnl_attr_get_type(attr)] = attr;
	}
}

static void attrs_nested(struct attrs *t, const struct nlattr *nest)
{
	attrs_index(t, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
}

static const struct nlattr *attr_of(const struct attrs *t, unsigned type, size_t min)
{
	const struct nlattr *a = t->at[type];

	return a && mnl_attr_get_payload_len(a) >= min ? a : NULL;
}

static bool get_u8(const struct attrs *t, unsigned type, uint8_t *ret)
{
	const struct nlattr *a = attr_of(t, type, 1);

	if (a)
		*ret = mnl_attr_get_u8(a);
	return a != NULL;
}

static bool get_be16(const struct attrs *t, unsigned type, uint16_t *ret)
{
	const struct nlattr *a = attr_of(t, type, 2);

	if (a)
		*ret = ntohs(mnl_attr_get_u16(a));
	return a != NULL;
}

static bool get_be32(const struct attrs *t, unsigned type, uint32_t *ret)
{
	const struct nlattr *a = attr_of(t, type, 4);

	if (a)
		*ret = ntohl(mnl_attr_get_u32(a));
	return a != NULL;
}

static const char *get_text(struct arena *arena, const struct attrs *t, unsigned type)
{
	const struct nlattr *a = attr_of(t, type, 1);

	return a ? arena_strndup(arena, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a)) : NULL;
}

static bool get_addr(const struct attrs *t, unsigned type, struct addr *ret)
{
	const struct nlattr *nest = attr_of(t, type, 0), *a;
	struct attrs in;

	if (!nest)
		return false;
	attrs_nested(&in, nest);
	a = attr_of(&in, IPSET_ATTR_IPADDR_IPV4, 4);
	if (a)
		*ret = addr_from(AF_INET, mnl_attr_get_payload(a));
	a = attr_of(&in, IPSET_ATTR_IPADDR_IPV6, 16);
	if (a)
		*ret = addr_from(AF_INET6, mnl_attr_get_payload(a));
	return ret->family != 0;
}

static void get_range(const struct attrs *t, unsigned from, unsigned to, unsigned cidr,
		      struct ipset_range *ret)
{
	if (!get_addr(t, from, &ret->from))
		return;
	get_addr(t, to, &ret->to);
	ret->cidr = (uint8_t)(addr_len(&ret->from) * 8);
	get_u8(t, cidr, &ret->cidr);
	if (ret->cidr > addr_len(&ret->from) * 8)
		ret->cidr = (uint8_t)(addr_len(&ret->from) * 8);
}

static void get_match_part(struct arena *arena, const struct attrs *t, struct ipset_elem *e)
{
	const struct nlattr *mac = attr_of(t, IPSET_ATTR_ETHER, 6);

	get_range(t, IPSET_ATTR_IP, IPSET_ATTR_IP_TO, IPSET_ATTR_CIDR, &e->ip);
	get_range(t, IPSET_ATTR_IP2, IPSET_ATTR_IP2_TO, IPSET_ATTR_CIDR2, &e->ip2);
	e->has_port = get_be16(t, IPSET_ATTR_PORT, &e->port);
	get_be16(t, IPSET_ATTR_PORT_TO, &e->port_to);
	e->has_proto = get_u8(t, IPSET_ATTR_PROTO, &e->proto);
	e->has_mark = get_be32(t, IPSET_ATTR_MARK, &e->mark);
	e->has_mac = mac != NULL;
	if (mac)
		memcpy(e->mac, mnl_attr_get_payload(mac), 6);
	e->iface = get_text(arena, t, IPSET_ATTR_IFACE);
	e->set = get_text(arena, t, IPSET_ATTR_NAME);
}

static uint64_t get_be64(const struct attrs *t, unsigned type)
{
	const struct nlattr *a = attr_of(t, type, 8);

	return a ? be64toh(mnl_attr_get_u64(a)) : 0;
}

static int parse_elem(struct ipset_list *list, struct ipset *set, const struct nlattr *data)
{
	struct ipset_elem *e = arena_alloc(list->arena, sizeof(*e));
	uint32_t flags = 0;
	struct attrs t;

	if (!e)
		return -1;
	attrs_nested(&t, data);
	get_match_part(list->arena, &t, e);
	get_be32(&t, IPSET_ATTR_CADT_FLAGS, &flags);
	e->physdev = flags & IPSET_FLAG_PHYSDEV;
	e->nomatch = flags & IPSET_FLAG_NOMATCH;
	e->has_timeout = get_be32(&t, IPSET_ATTR_TIMEOUT, &e->timeout);
	e->has_counters = t.at[IPSET_ATTR_PACKETS] != NULL;
	e->packets = get_be64(&t, IPSET_ATTR_PACKETS);
	e->bytes = get_be64(&t, IPSET_ATTR_BYTES);
	e->comment = get_text(list->arena, &t, IPSET_ATTR_COMMENT);
	e->skbmark = (uint32_t)(get_be64(&t, IPSET_ATTR_SKBMARK) >> 32);
	e->skbmask = (uint32_t)get_be64(&t, IPSET_ATTR_SKBMARK);
	get_be32(&t, IPSET_ATTR_SKBPRIO, &e->skbprio);
	get_be16(&t, IPSET_ATTR_SKBQUEUE, &e->skbqueue);
	*set->elems_tail = e;
	set->elems_tail = &e->next;
	set->n_elems++;
	return 0;
}

static void parse_header(struct ipset *set, const struct attrs *t)
{
	const struct nlattr *data = attr_of(t, IPSET_ATTR_DATA, 0);
	struct attrs in;

	get_u8(t, IPSET_ATTR_FAMILY, &set->family);
	get_u8(t, IPSET_ATTR_REVISION, &set->revision);
	get_be16(t, IPSET_ATTR_INDEX, &set->index);
	if (!data)
		return;
	attrs_nested(&in, data);
	get_be32(&in, IPSET_ATTR_REFERENCES, &set->references);
	get_u8(&in, IPSET_ATTR_NETMASK, &set->netmask);
	get_be32(&in, IPSET_ATTR_MARKMASK, &set->markmask);
}

int ipset_parse(const void *payload, size_t size, struct ipset_list *list)
{
	const char *name, *type;
	const struct nlattr *adt, *attr;
	struct ipset *set;
	struct attrs t;

	if (size < sizeof(struct nfgenmsg))
		return 0;
	attrs_index(&t, (const char *)payload + MNL_ALIGN(sizeof(struct nfgenmsg)),
		    size - MNL_ALIGN(sizeof(struct nfgenmsg)));
	name = get_text(list->arena, &t, IPSET_ATTR_SETNAME);
	if (!name)
		return 0;
	/* A long set comes in several messages; only the first carries the type. */
	set = ipset_find(list, name);
	type = get_text(list->arena, &t, IPSET_ATTR_TYPENAME);
	if (!set) {
		set = ipset_add(list, name, type ? type : "?");
		if (!set)
			return -1;
	}
	if (type)
		parse_header(set, &t);
	adt = attr_of(&t, IPSET_ATTR_ADT, 0);
	if (!adt)
		return 0;
	mnl_attr_for_each_payload(mnl_attr_get_payload(adt), mnl_attr_get_payload_len(adt))
		if (mnl_attr_get_type(attr) == IPSET_ATTR_DATA && parse_elem(list, set, attr) < 0)
			return -1;
	return 0;
}

static int send_list(int fd, const char *name, uint32_t seq, struct err *e)
{
	char req[MNL_NLMSG_HDRLEN + 256] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_IPV4;
	nfg->version = NFNETLINK_V0;
	/* 6 is the oldest protocol with all we read; every kernel since 2.6.39 speaks it. */
	mnl_attr_put_u8(nlh, IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL_MIN);
	if (name)
		mnl_attr_put_strz(nlh, IPSET_ATTR_SETNAME, name);
	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0)
		return err_sys(e, errno, "cannot ask for ipsets");
	return 0;
}

/* Returns 1 when there is more to come, 0 at the end, -1 on failure. */
static int take_message(const struct nlmsghdr *nlh, struct ipset_list *list, struct buf *tape, struct err *e)
{
	uint32_t len;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *ne = mnl_nlmsg_get_payload(nlh);

		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ne))
			return err_set(e, ERR_SYS, "cannot read ipsets", "truncated answer");
		return ne->error ? err_sys(e, ne->error, "cannot read ipsets") : 0;
	}
	if (nlh->nlmsg_type == NLMSG_DONE)
		return 0;
	len = (uint32_t)mnl_nlmsg_get_payload_len(nlh);
	if (tape) {
		buf_add(tape, &len, sizeof(len));
		buf_add(tape, mnl_nlmsg_get_payload(nlh), len);
		buf_add(tape, "\0\0\0", MNL_ALIGN(len) - len);
	}
	if (list && ipset_parse(mnl_nlmsg_get_payload(nlh), len, list) < 0)
		return err_oom(e);
	return 1;
}

static int receive_list(int fd, uint32_t seq, struct ipset_list *list, struct buf *tape, struct err *e)
{
	char *room _cleanup_free_ = malloc(REPLY_MAX);
	int more = 1;

	if (!room)
		return err_oom(e);
	while (more > 0) {
		ssize_t n = recv(fd, room, REPLY_MAX, 0);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)room;
		int left = (int)n;

		if (n < 0)
			return err_sys(e, errno, "cannot read ipsets");
		for (; more > 0 && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_seq == seq)
				more = take_message(nlh, list, tape, e);
	}
	return more;
}

static int ask_kernel(const struct netns *ns, const char *name, struct ipset_list *list, struct buf *tape, struct err *e)
{
	struct timeval limit = { .tv_sec = 10 };
	int fd _cleanup_close_ = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
	uint32_t seq = 1;

	if (fd < 0)
		return -1;
	if (name && strlen(name) >= IPSET_MAXNAMELEN)
		return err_set(e, ERR_SYS, "cannot read ipset", "'%s' is too long a name", name);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (send_list(fd, name, seq, e) < 0)
		return -1;
	return receive_list(fd, seq, list, tape, e);
}

int ipset_read(const struct netns *ns, const char *name, struct ipset_list *list, struct err *e)
{
	return ask_kernel(ns, name, list, NULL, e);
}

int ipset_record(const struct netns *ns, struct buf *ret, struct err *e)
{
	return ask_kernel(ns, NULL, NULL, ret, e);
}

int ipset_play(const void *tape, size_t size, struct ipset_list *list, struct err *e)
{
	const char *at = tape;
	uint32_t len;

	while (size) {
		if (size < sizeof(len))
			return err_set(e, ERR_USAGE, "ipsets of the bundle", "they end too early");
		memcpy(&len, at, sizeof(len));
		at += sizeof(len);
		size -= sizeof(len);
		if (len > size || MNL_ALIGN((size_t)len) > size)
			return err_set(e, ERR_USAGE, "ipsets of the bundle", "they end too early");
		if (ipset_parse(at, len, list) < 0)
			return err_oom(e);
		at += MNL_ALIGN((size_t)len);
		size -= MNL_ALIGN((size_t)len);
	}
	return 0;
}
