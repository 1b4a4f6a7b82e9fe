/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_settle - waits for a change that is under way, and says whether it was done then */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/nft/nlsock.h"
#include "nsutil/nft/settle.h"

static int on_answer(void *arg, const void *batch, size_t len, struct err *e)
{
	const struct nlmsghdr *msg = batch;
	const struct nlattr *at;

	(void)len;
	(void)e;
	if (msg->nlmsg_type == NLMSG_ERROR)
		return 0;
	mnl_attr_for_each(at, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(at) == NFTA_GEN_ID)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(at));
	return 0;
}

static uint32_t generation(int fd, void *buf)
{
	char req[MNL_SOCKET_BUFFER_SIZE];
	uint32_t ret = 0;

	nlsock_batches(fd, nlsock_request(req, NFT_MSG_GETGEN, 0, NLM_F_ACK), buf, on_answer, &ret, NULL);
	return ret;
}

/*
 * nft_settle: once a change is under way in its namespace, prints "settled" when it is done as soon as settle_wait()
 * returns, "not settled" when it is not; "too fast" when the change was done before. Status 77: this kernel is not
 * waited for.
 */
int main(void)
{
	struct netns ns _cleanup_netns_ = NETNS_INIT;
	void *buf = malloc(NLSOCK_BUF);
	uint32_t before;
	bool known, wait;
	int fd;

	if (!buf || netns_open_self(&ns, NULL) < 0 || (fd = nlsock_open(&ns, NULL)) < 0)
		return 1;
	while (settle_idle(&ns, &known))
		;
	usleep(10000);
	before = generation(fd, buf);
	wait = !settle_idle(&ns, &known);
	if (!settle_wait(&ns))
		return 77;
	puts(generation(fd, buf) != before ? "settled" : wait ? "not settled" : "too fast");
	free(buf);
	return 0;
}
