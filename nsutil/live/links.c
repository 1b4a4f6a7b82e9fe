/* SPDX-License-Identifier: GPL-2.0-or-later */
/* links - the links of a target in the scratch: each is one end of a veth pair, the other one is in 'far' */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/parts.h"
#include "nsutil/netns/rtnl.h"

enum { LO = 1, ROOM = 1024, MTU_MOST = 65535 };

static struct nlmsghdr *link_message(void *room, uint16_t flags, int index, struct ifinfomsg **ret)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);

	msg->nlmsg_type = RTM_NEWLINK;
	msg->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	*ret = mnl_nlmsg_put_extra_header(msg, sizeof(**ret));
	(*ret)->ifi_family = AF_UNSPEC;
	(*ret)->ifi_index = index;
	return msg;
}

/* Nobody is asked for neighbours' addresses: what leaves need not arrive anywhere. */
static int set_flags(int fd, int index, uint32_t flags, uint32_t mask)
{
	_Alignas(struct nlmsghdr) char room[ROOM] = "";
	struct ifinfomsg *info;
	struct nlmsghdr *msg = link_message(room, 0, index, &info);

	info->ifi_flags = flags;
	info->ifi_change = mask;
	return rtnl_talk(fd, msg);
}

static bool has_mac(const struct nv_link *l)
{
	static const uint8_t none[6];

	return l->type == ARPHRD_ETHER && memcmp(l->mac, none, sizeof(none)) != 0 && !(l->mac[0] & 1);
}

/* drivers/net/veth.c, veth_newlink() */
static int make_pair(int fd, const struct scratch *s, const struct nv_link *l)
{
	_Alignas(struct nlmsghdr) char room[ROOM] = "";
	struct ifinfomsg *info;
	struct nlmsghdr *msg = link_message(room, NLM_F_CREATE | NLM_F_EXCL, l->index, &info);
	struct nlattr *linkinfo, *data, *peer;

	mnl_attr_put_strz(msg, IFLA_IFNAME, l->name);
	if (l->mtu)
		mnl_attr_put_u32(msg, IFLA_MTU, l->mtu < MTU_MOST ? l->mtu : MTU_MOST);
	if (has_mac(l))
		mnl_attr_put(msg, IFLA_ADDRESS, sizeof(l->mac), l->mac);
	if (l->group)
		mnl_attr_put_u32(msg, IFLA_GROUP, l->group);
	linkinfo = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(msg, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, l->name);
	mnl_attr_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)s->far.fd);
	mnl_attr_nest_end(msg, peer);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, linkinfo);
	return rtnl_talk(fd, msg);
}

static void note_kind(struct scratch *s, const struct nv_link *l)
{
	if (l->type != ARPHRD_ETHER)
		gaps_add(&s->gaps, "an Ethernet link stands in for it", "link %s of another type (%s)", l->name,
			 l->kind[0] ? l->kind : "no Ethernet");
	else if (l->kind[0] && strcmp(l->kind, "veth") != 0 && strcmp(l->kind, "dummy") != 0)
		gaps_add(&s->gaps, "one end of a veth pair stands in for it", "what link %s does as a %s", l->name, l->kind);
	else if (l->master)
		gaps_add(&s->gaps, "it stands alone", "that link %s is part of another one", l->name);
}

struct far_job {
	const char *name;
	int index;
};

static int far_index(void *arg, struct err *e)
{
	struct far_job *job = arg;

	(void)e;
	job->index = (int)if_nametoindex(job->name);
	return 0;
}

static void add_link(struct scratch *s, int fd, int far, const struct nv_link *l)
{
	struct far_job job = { l->name, 0 };
	uint32_t up = l->flags & IFF_UP;
	int error;

	if (l->flags & IFF_LOOPBACK) {
		error = up ? set_flags(fd, LO, IFF_UP, IFF_UP) : 0;
	} else {
		error = make_pair(fd, s, l);
		if (error == EEXIST)
			return; /* one that every namespace has (sit0, tunl0): it stays down */
		if (!error)
			error = set_flags(fd, l->index, up | IFF_NOARP, IFF_UP | IFF_NOARP);
		if (!error && up && netns_call(&s->far, far_index, &job, NULL) == 0 && job.index)
			error = set_flags(far, job.index, IFF_UP, IFF_UP);
		note_kind(s, l);
	}
	if (error)
		gaps_add(&s->gaps, error == EOPNOTSUPP ? "this kernel has no veth links" : strerror(error), "link %s", l->name);
}

/* Nothing is to move by itself in there: no router is looked for, no address is made up or tested. */
static void make_quiet(const struct scratch *s)
{
	static const struct { const char *path, *value; bool far; } quiet[] = {
		{ "net/ipv6/conf/default/accept_dad", "0", false }, { "net/ipv6/conf/all/accept_dad", "0", false },
		{ "net/ipv6/conf/default/accept_ra", "0", false }, { "net/ipv6/conf/all/accept_ra", "0", false },
		{ "net/ipv6/conf/default/router_solicitations", "0", false },
		{ "net/ipv6/conf/default/addr_gen_mode", "1", false },
		{ "net/ipv6/conf/all/disable_ipv6", "1", true }, { "net/ipv6/conf/default/disable_ipv6", "1", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++)
		scratch_set(quiet[i].far ? &s->far : &s->ns, quiet[i].path, quiet[i].value);
}

int scratch_links(struct scratch *s, const struct netview *nv, struct err *e)
{
	_cleanup_close_ int fd = netns_socket(&s->ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, e), far = -1;

	if (fd < 0)
		return -1;
	far = netns_socket(&s->far, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, e);
	if (far < 0)
		return -1;
	make_quiet(s);
	for (unsigned i = 0; i < nv->n_links; i++)
		add_link(s, fd, far, &nv->links[i]);
	return 0;
}
