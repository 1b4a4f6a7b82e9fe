/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsid - the number by which one network namespace knows another */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/netns.h"
#include "nsutil/netns/parts.h"

int netns_number_of(const struct netns *ns, const struct netns *other, int *ret, struct err *e)
{
	char buf[256] __attribute__((aligned(8))) = "";
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtgenmsg *g;
	_cleanup_close_ int fd = -1;
	struct nv_attrs a;
	uint32_t number;
	ssize_t n;

	nlh->nlmsg_type = RTM_GETNSID;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)other->fd);
	fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, e);
	if (fd < 0)
		return -1;
	if (send(fd, buf, nlh->nlmsg_len, 0) < 0)
		return err_sys(e, errno, "cannot ask for the number of a namespace");
	n = recv(fd, buf, sizeof(buf), 0);
	if (n < 0 || !mnl_nlmsg_ok(nlh, (int)n) || nlh->nlmsg_type != RTM_NEWNSID)
		return err_set(e, ERR_SYS, "namespace", "the kernel does not tell its number");
	g = mnl_nlmsg_get_payload(nlh);
	if (mnl_nlmsg_get_payload_len(nlh) < NLMSG_ALIGN(sizeof(*g)))
		return err_set(e, ERR_SYS, "namespace", "the kernel's answer is too short");
	nv_attrs(&a, (char *)g + NLMSG_ALIGN(sizeof(*g)), mnl_nlmsg_get_payload_len(nlh) - NLMSG_ALIGN(sizeof(*g)));
	*ret = nv_attr_u32(&a, NETNSA_NSID, &number) ? (int)number : -1;
	return 0;
}
