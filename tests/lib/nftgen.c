/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftgen - prints the generation of nftables' ruleset in this namespace: it grows with every change */
#include <arpa/inet.h>
#include <err.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

static int on_generation(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *at;

	mnl_attr_for_each(at, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(at) == NFTA_GEN_ID)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(at));
	return MNL_CB_OK;
}

int main(void)
{
	char buf[8192];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	uint32_t generation = 0;
	ssize_t n;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink");
	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(1, "send");
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, n, 0, mnl_socket_get_portid(nl), on_generation, &generation) < 0)
		err(1, "receive");
	printf("%u\n", generation);
	mnl_socket_close(nl);
	return 0;
}
