/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipsec - is there IPsec in a namespace? Only counts are asked for: the states themselves hold keys */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/kmod.h"
#include "nsutil/netns/parts.h"

/* One answer to one request; -1 when there is none to make sense of. */
static int ask(int fd, uint16_t type, uint16_t answer_type, struct nv_attrs *a, char *room, size_t size)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr nlh;
		uint32_t flags;
	} request = { .nlh = { .nlmsg_len = sizeof(request), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST } };
	const struct nlmsghdr *nlh = (const void *)room;
	ssize_t n;

	if (sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -1;
	do
		n = recv(fd, room, size, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 || !mnl_nlmsg_ok(nlh, (int)n) || nlh->nlmsg_type != answer_type ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(uint32_t))
		return -1;
	nv_attrs(a, (const char *)mnl_nlmsg_get_payload(nlh) + sizeof(uint32_t),
		 mnl_nlmsg_get_payload_len(nlh) - sizeof(uint32_t));
	return 0;
}

static bool has_none(int fd)
{
	_Alignas(struct nlmsghdr) char room[1024];
	struct xfrmu_spdinfo policies, zero = { 0 };
	struct nv_attrs a;
	uint32_t states;

	if (ask(fd, XFRM_MSG_GETSADINFO, XFRM_MSG_NEWSADINFO, &a, room, sizeof(room)) < 0 ||
	    !nv_attr_u32(&a, XFRMA_SAD_CNT, &states) || states)
		return false;
	return ask(fd, XFRM_MSG_GETSPDINFO, XFRM_MSG_NEWSPDINFO, &a, room, sizeof(room)) == 0 &&
	       nv_attr_copy(&a, XFRMA_SPD_INFO, &policies, sizeof(policies)) && memcmp(&policies, &zero, sizeof(zero)) == 0;
}

/* A socket of NETLINK_XFRM loads xfrm_user; without it and af_key nobody can have made a policy. */
bool nv_has_no_ipsec(const struct netns *ns)
{
	enum kmod_state user = kmod_state("/", "xfrm_user", NULL), key = kmod_state("/", "af_key", NULL);
	_cleanup_close_ int fd = -1;

	if (user != KMOD_READY)
		return user == KMOD_ABSENT && key == KMOD_ABSENT;
	fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_XFRM, NULL);
	return fd >= 0 && has_none(fd);
}
