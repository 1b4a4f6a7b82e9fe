/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch - one transaction of nf_tables: its frame, the sending, the answers */
#include "nsutil/nft/batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/nlsock.h"

void batch_frame(struct buf *batch, uint16_t type, uint32_t seq, uint32_t generation)
{
	char room[64] = "";
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct nfgenmsg *gen;

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST;
	msg->nlmsg_seq = seq;
	gen = mnl_nlmsg_put_extra_header(msg, sizeof(*gen));
	gen->version = NFNETLINK_V0;
	gen->res_id = htons(NFNL_SUBSYS_NFTABLES);
	if (generation)
		mnl_attr_put_u32(msg, NFNL_BATCH_GENID, htonl(generation));
	buf_add(batch, msg, msg->nlmsg_len);
}

/* A batch must fit the socket's buffer as a whole. */
static void make_room(int fd, size_t len)
{
	int size = len > INT32_MAX / 4 ? INT32_MAX / 2 : (int)len * 2;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int batch_send(int fd, const struct buf *batch, struct err *e)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	make_room(fd, batch->len);
	while (sendto(fd, batch->data, batch->len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "cannot change the nftables rules");
	return 0;
}

static void take(const void *p, size_t len, void (*fn)(void *arg, uint32_t seq, int error), void *arg)
{
	const struct nlmsghdr *msg = p;
	int left = (int)len;

	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left)) {
		const struct nlmsgerr *ne = mnl_nlmsg_get_payload(msg);

		if (msg->nlmsg_type == NLMSG_ERROR && mnl_nlmsg_get_payload_len(msg) >= sizeof(*ne))
			fn(arg, msg->nlmsg_seq, -ne->error);
	}
}

/* The kernel has done its work, and answered, when sendto() returns. */
int batch_answers(int fd, void (*fn)(void *arg, uint32_t seq, int error), void *arg, struct err *e)
{
	void *room _cleanup_free_ = malloc(NLSOCK_BUF);

	if (!room)
		return err_oom(e);
	for (;;) {
		ssize_t n = recv(fd, room, NLSOCK_BUF, MSG_DONTWAIT);

		if (n > 0)
			take(room, (size_t)n, fn, arg);
		else if (n == 0 || errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		else if (errno != EINTR)
			return err_sys(e, errno, "cannot read the kernel's answer to the change of nftables rules");
	}
}
