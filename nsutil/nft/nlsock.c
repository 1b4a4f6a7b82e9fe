/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nlsock - a netfilter netlink socket in a namespace: requests, dumps, acknowledgements */
#include "nsutil/nft/nlsock.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

int nlsock_open(const struct netns *ns, struct err *e)
{
	return netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
}

struct nlmsghdr *nlsock_request(void *buf, uint8_t type, uint8_t family, uint16_t flags)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *gen;

	msg->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	msg->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	gen = mnl_nlmsg_put_extra_header(msg, sizeof(*gen));
	gen->nfgen_family = family;
	gen->version = NFNETLINK_V0;
	return msg;
}

int nlsock_send(int fd, const struct nlmsghdr *req, struct err *e)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	while (sendto(fd, req, req->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		if (errno != EINTR)
			return err_cap(e, errno, "CAP_NET_ADMIN", "cannot ask the kernel for nftables rules");
	return 0;
}

/* NLMSG_DONE may carry an errno; NLMSG_ERROR with 0 is an acknowledgement. */
static void scan_end(const struct nlmsghdr *msg, struct nlsock_end *end)
{
	int code = msg->nlmsg_type == NLMSG_ERROR ? -EBADMSG : 0;

	if (mnl_nlmsg_get_payload_len(msg) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(msg), sizeof(code));
	end->done = true;
	end->error = code < 0 ? -code : 0;
}

ssize_t nlsock_recv(int fd, void *buf, size_t room, struct nlsock_end *end, struct err *e)
{
	const struct nlmsghdr *msg = buf;
	ssize_t n;
	int left;

	do
		n = recv(fd, buf, room, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "cannot read nftables rules from the kernel");
	if (n == 0 || (size_t)n > room)
		return err_sys(e, EMSGSIZE, "cannot read nftables rules from the kernel");
	for (left = (int)n; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left)) {
		if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
			end->torn = true;
		if (msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR)
			scan_end(msg, end);
	}
	return n;
}

int nlsock_batches(int fd, struct nlmsghdr *req, void *buf,
		   int (*fn)(void *arg, const void *batch, size_t len, struct err *e), void *arg,
		   struct err *e)
{
	struct nlsock_end end = { .done = false };

	if (nlsock_send(fd, req, e) < 0)
		return -1;
	while (!end.done) {
		ssize_t n = nlsock_recv(fd, buf, NLSOCK_BUF, &end, e);

		if (n < 0)
			return -1;
		if (end.error == EINTR || end.error == EAGAIN)
			return NLSOCK_TORN;
		if (end.error)
			return err_cap(e, end.error, "CAP_NET_ADMIN", "cannot read nftables rules from the kernel");
		if (fn(arg, buf, (size_t)n, e) < 0)
			return -1;
	}
	return end.torn ? NLSOCK_TORN : 0;
}

int nlsock_each(const void *batch, size_t len,
		int (*fn)(void *arg, const struct nlmsghdr *msg, struct err *e), void *arg, struct err *e)
{
	const struct nlmsghdr *msg = batch;
	int left = (int)len;

	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left)) {
		int ret;

		if (msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR ||
		    msg->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
			continue;
		ret = fn(arg, msg, e);
		if (ret != 0)
			return ret;
	}
	return 0;
}
