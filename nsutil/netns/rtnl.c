/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnl - one change through rtnetlink */
#include "nsutil/netns/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

int rtnl_talk(int fd, const struct nlmsghdr *msg)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	_Alignas(struct nlmsghdr) char room[4096];
	const struct nlmsghdr *answer = (const void *)room;
	ssize_t n;

	while (sendto(fd, msg, msg->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		if (errno != EINTR)
			return errno;
	do
		n = recv(fd, room, sizeof(room), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	if (!mnl_nlmsg_ok(answer, (int)n) || answer->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(answer) < sizeof(struct nlmsgerr))
		return EBADMSG;
	return -((const struct nlmsgerr *)mnl_nlmsg_get_payload(answer))->error;
}
