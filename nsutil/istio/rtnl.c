/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnl - carries routing edits out through rtnetlink */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/routing.h"
#include "nsutil/netns/rtnl.h"

enum { LO = 1, ROOM = 512 }; /* lo is the first link of every namespace */

static void put_address(struct nlmsghdr *msg)
{
	static const uint8_t six[16] = { [15] = 6 };
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(msg, sizeof(*m));

	m->ifa_family = AF_INET6;
	m->ifa_prefixlen = 128;
	m->ifa_index = LO;
	mnl_attr_put(msg, IFA_LOCAL, sizeof(six), six);
	mnl_attr_put(msg, IFA_ADDRESS, sizeof(six), six);
}

static void put_route(struct nlmsghdr *msg, const struct istio_step *s)
{
	struct rtmsg *m = mnl_nlmsg_put_extra_header(msg, sizeof(*m));

	m->rtm_family = s->family;
	m->rtm_type = RTN_LOCAL;
	m->rtm_scope = RT_SCOPE_HOST;
	m->rtm_protocol = RTPROT_BOOT;
	m->rtm_table = s->table < 256 ? (uint8_t)s->table : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(msg, RTA_OIF, LO);
	mnl_attr_put_u32(msg, RTA_TABLE, s->table);
}

static void put_rule(struct nlmsghdr *msg, const struct istio_step *s)
{
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(msg, sizeof(*m));

	m->family = s->family;
	m->action = FR_ACT_TO_TBL;
	m->table = s->table < 256 ? (uint8_t)s->table : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(msg, FRA_TABLE, s->table);
	mnl_attr_put_u32(msg, FRA_FWMARK, s->mark);
	mnl_attr_put_u32(msg, FRA_FWMASK, s->mask);
	if (s->priority)
		mnl_attr_put_u32(msg, FRA_PRIORITY, s->priority);
}

static struct nlmsghdr *make_message(void *room, const struct istio_routing_edit *edit)
{
	static const uint16_t types[][2] = {
		[ISTIO_STEP_ADDRESS] = { RTM_DELADDR, RTM_NEWADDR },
		[ISTIO_STEP_RULE] = { RTM_DELRULE, RTM_NEWRULE },
		[ISTIO_STEP_ROUTE] = { RTM_DELROUTE, RTM_NEWROUTE },
	};
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);

	msg->nlmsg_type = types[edit->step.kind][edit->add];
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (edit->add)
		msg->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	switch (edit->step.kind) {
	case ISTIO_STEP_ADDRESS:
		put_address(msg);
		break;
	case ISTIO_STEP_ROUTE:
		put_route(msg, &edit->step);
		break;
	case ISTIO_STEP_RULE:
		put_rule(msg, &edit->step);
		break;
	}
	return msg;
}

static bool harmless(const struct istio_routing_edit *edit, int error)
{
	if (edit->add)
		return error == EEXIST;
	return error == ESRCH || error == ENOENT || error == EADDRNOTAVAIL;
}

static int run_edit(int fd, const struct istio_routing_edit *edit, struct err *e)
{
	_Alignas(struct nlmsghdr) char room[ROOM] = "";
	_cleanup_buf_ struct buf b = BUF_INIT;
	int error = rtnl_talk(fd, make_message(room, edit));

	if (error == 0 || harmless(edit, error))
		return 0;
	istio_step_words(&edit->step, edit->add, &b);
	return err_cap(e, error, "CAP_NET_ADMIN", "cannot do 'ip %s'", buf_cstr(&b));
}

void istio_routing_back(const struct netns *ns, const struct istio_routing *r, bool adds)
{
	_cleanup_close_ int fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, NULL);

	for (unsigned i = r->n; fd >= 0 && i-- > 0;) {
		struct istio_routing_edit back = r->at[i];

		if (back.add != adds)
			continue;
		back.add = !adds;
		run_edit(fd, &back, NULL);
	}
}

int istio_routing_run(const struct netns *ns, const struct istio_routing *r, bool adds, struct err *e)
{
	_cleanup_close_ int fd = -1;

	for (unsigned i = 0; i < r->n; i++) {
		if (r->at[i].add != adds)
			continue;
		if (fd < 0)
			fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, e);
		if (fd < 0 || run_edit(fd, &r->at[i], e) < 0)
			return -1;
	}
	return 0;
}
