/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnl - one change through rtnetlink */
#ifndef NSUTIL_NETNS_RTNL_H
#define NSUTIL_NETNS_RTNL_H

#include <linux/netlink.h>

/**
 * rtnl_talk() - send a request that asks for an acknowledgement, and take that
 * @fd:		NETLINK_ROUTE socket in the namespace
 * @msg:	request with NLM_F_ACK
 *
 * Return: 0, or the positive errno of the kernel (EBADMSG: no answer to make sense of)
 */
int rtnl_talk(int fd, const struct nlmsghdr *msg);

#endif
