/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnl - one change through rtnetlink */
#ifndef NSUTIL_NETNS_RTNL_H
#define NSUTIL_NETNS_RTNL_H

#include <linux/netlink.h>

/* FRA_* newer than the headers (Linux 6.11, 6.13, 6.14) */
enum {
	NV_FRA_DSCP = 25, NV_FRA_FLOWLABEL = 26, NV_FRA_FLOWLABEL_MASK = 27, NV_FRA_SPORT_MASK = 28, NV_FRA_DPORT_MASK = 29,
	NV_FRA_DSCP_MASK = 30,
};

/**
 * rtnl_talk() - send a request that asks for an acknowledgement, and take that
 * @fd:		NETLINK_ROUTE socket in the namespace
 * @msg:	request with NLM_F_ACK
 *
 * Return: 0, or the positive errno of the kernel (EBADMSG: no answer to make sense of)
 */
int rtnl_talk(int fd, const struct nlmsghdr *msg);

#endif
