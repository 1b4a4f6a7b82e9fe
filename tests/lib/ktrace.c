/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ktrace - collects the kernel's own trace of both worlds while a command runs, as one ordered list */
/*
 * ktrace [-o FILE] CMD...
 *   -o FILE  where CMD's output goes; else it is thrown away
 * Runs CMD and prints what the kernel said meanwhile in this network namespace, a JSON object per line:
 *   {"world":"legacy","family":"ip","hook":3,"table":"nat","chain":"OUTPUT","type":"rule","rule":1}
 *   {"world":"nft","family":"ip","id":7,"table":"nat","chain":"OUTPUT","type":"rule","handle":9,
 *    "verdict":"jump","to":"ISTIO_OUTPUT"}
 * type is rule, return (the end of a chain) or policy. Something must set the trace bit of the packets
 * ("meta nftrace set 1"). One socket takes both sources (nftables' trace group, and NFLOG group 0, where
 * the TRACE lines of legacy tables go once nfnetlink_log is bound), so that their order is kept.
 * Ends with CMD's status.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUIET_MS 50 /* nothing came for so long after CMD ended: that was all */

static const char *family(unsigned f)
{
	return f == NFPROTO_IPV4 ? "ip" : f == NFPROTO_IPV6 ? "ip6" : f == NFPROTO_INET ? "inet"
	       : f == NFPROTO_NETDEV ? "netdev" : "?";
}

/* ---- legacy: NFLOG messages with a prefix "TRACE: nat:OUTPUT:rule:1 " ---- */

static int log_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= NFULA_MAX)
		tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static void legacy_event(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NFULA_MAX + 1] = { 0 };
	const struct nfulnl_msg_packet_hdr *hdr;
	char table[32], chain[64], type[16];
	unsigned n;

	mnl_attr_parse(nlh, sizeof(*nfg), log_attr, tb);
	if (!tb[NFULA_PREFIX] || !tb[NFULA_PACKET_HDR])
		return;
	if (sscanf(mnl_attr_get_str(tb[NFULA_PREFIX]), "TRACE: %31[^:]:%63[^:]:%15[^:]:%u", table, chain, type,
		   &n) != 4)
		return;
	hdr = mnl_attr_get_payload(tb[NFULA_PACKET_HDR]);
	printf("{\"world\":\"legacy\",\"family\":\"%s\",\"hook\":%u,\"table\":\"%s\",\"chain\":\"%s\","
	       "\"type\":\"%s\",\"rule\":%u}\n", family(nfg->nfgen_family), hdr->hook, table, chain, type, n);
}

/* ---- nftables ---- */

static int nft_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= NFTA_TRACE_MAX)
		tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int verdict_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= NFTA_VERDICT_MAX)
		tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static const char *verdict(int code)
{
	switch (code) {
	case NF_ACCEPT: return "accept";
	case NF_DROP: return "drop";
	case NF_STOLEN: return "stolen";
	case NF_QUEUE: return "queue";
	case NFT_CONTINUE: return "continue";
	case NFT_BREAK: return "break";
	case NFT_JUMP: return "jump";
	case NFT_GOTO: return "goto";
	case NFT_RETURN: return "return";
	}
	return (code & NF_VERDICT_MASK) == NF_QUEUE ? "queue" : "?";
}

static void print_verdict(const struct nlattr *nest)
{
	const struct nlattr *tb[NFTA_VERDICT_MAX + 1] = { 0 };

	mnl_attr_parse_nested(nest, verdict_attr, tb);
	if (tb[NFTA_VERDICT_CODE])
		printf(",\"verdict\":\"%s\"", verdict((int)ntohl(mnl_attr_get_u32(tb[NFTA_VERDICT_CODE]))));
	if (tb[NFTA_VERDICT_CHAIN])
		printf(",\"to\":\"%s\"", mnl_attr_get_str(tb[NFTA_VERDICT_CHAIN]));
}

static void nft_event(const struct nlmsghdr *nlh)
{
	static const char *const types[] = { "?", "policy", "return", "rule" };
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NFTA_TRACE_MAX + 1] = { 0 };
	unsigned type;

	mnl_attr_parse(nlh, sizeof(*nfg), nft_attr, tb);
	if (!tb[NFTA_TRACE_TYPE] || !tb[NFTA_TRACE_TABLE] || !tb[NFTA_TRACE_CHAIN])
		return;
	type = ntohl(mnl_attr_get_u32(tb[NFTA_TRACE_TYPE]));
	printf("{\"world\":\"nft\",\"family\":\"%s\",\"id\":%u,\"table\":\"%s\",\"chain\":\"%s\",\"type\":\"%s\"",
	       family(nfg->nfgen_family), tb[NFTA_TRACE_ID] ? ntohl(mnl_attr_get_u32(tb[NFTA_TRACE_ID])) : 0,
	       mnl_attr_get_str(tb[NFTA_TRACE_TABLE]), mnl_attr_get_str(tb[NFTA_TRACE_CHAIN]),
	       types[type == NFT_TRACETYPE_POLICY ? 1 : type == NFT_TRACETYPE_RETURN ? 2
		     : type == NFT_TRACETYPE_RULE ? 3 : 0]);
	if (tb[NFTA_TRACE_RULE_HANDLE])
		printf(",\"handle\":%llu",
		       (unsigned long long)be64toh(mnl_attr_get_u64(tb[NFTA_TRACE_RULE_HANDLE])));
	if (tb[NFTA_TRACE_VERDICT])
		print_verdict(tb[NFTA_TRACE_VERDICT]);
	else if (tb[NFTA_TRACE_POLICY])
		printf(",\"verdict\":\"%s\"", verdict((int)ntohl(mnl_attr_get_u32(tb[NFTA_TRACE_POLICY]))));
	printf("}\n");
}

static int event(const struct nlmsghdr *nlh, void *data)
{
	(void)data;
	switch (NFNL_SUBSYS_ID(nlh->nlmsg_type)) {
	case NFNL_SUBSYS_ULOG: legacy_event(nlh); break;
	case NFNL_SUBSYS_NFTABLES:
		if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_TRACE)
			nft_event(nlh);
		break;
	}
	return MNL_CB_OK;
}

/* ---- the socket ---- */

/* One nfnetlink_log configuration message; waits for its answer. */
static void log_config(struct mnl_socket *nl, unsigned pf, unsigned group, int cmd)
{
	static unsigned seq;
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	ssize_t n;

	nlh->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = (uint8_t)pf;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons((uint16_t)group);
	if (cmd >= 0) {
		struct nfulnl_msg_config_cmd c = { .command = (uint8_t)cmd };

		mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(c), &c);
	} else {
		struct nfulnl_msg_config_mode m = { .copy_range = htonl(0), .copy_mode = NFULNL_COPY_META };

		mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(m), &m);
		mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htonl(1)); /* at once, to keep the order */
	}
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(2, "nfnetlink_log");
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), NULL, NULL) < 0)
		err(2, "nfnetlink_log: pf %u command %d", pf, cmd);
}

static struct mnl_socket *listen_both(void)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	int group = NFNLGRP_NFTRACE, size = 8 << 20;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		err(2, "netlink");
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	log_config(nl, AF_INET, 0, NFULNL_CFG_CMD_PF_BIND);
	log_config(nl, AF_INET6, 0, NFULNL_CFG_CMD_PF_BIND);
	log_config(nl, AF_UNSPEC, 0, NFULNL_CFG_CMD_BIND);
	log_config(nl, AF_UNSPEC, 0, -1);
	if (mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		err(2, "nftables' trace group");
	return nl;
}

static void drain(struct mnl_socket *nl)
{
	static char buf[1 << 17];
	struct pollfd p = { .fd = mnl_socket_get_fd(nl), .events = POLLIN };

	while (poll(&p, 1, QUIET_MS) > 0) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		if (n < 0 && errno == ENOBUFS)
			errx(2, "the kernel's trace overran the socket");
		if (n <= 0)
			err(2, "netlink");
		mnl_cb_run(buf, (size_t)n, 0, 0, event, NULL);
	}
}

static pid_t start(char **argv, const char *output)
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		err(2, "fork");
	if (pid)
		return pid;
	fd = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || dup2(fd, 1) < 0)
		err(2, "%s", output ? output : "/dev/null");
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

int main(int argc, char **argv)
{
	const char *output = NULL;
	struct mnl_socket *nl;
	int status, c;
	pid_t pid;

	while ((c = getopt(argc, argv, "+o:")) != -1) {
		if (c != 'o')
			return 2;
		output = optarg;
	}
	if (optind == argc)
		errx(2, "usage: ktrace [-o FILE] CMD...");
	nl = listen_both();
	pid = start(argv + optind, output);
	if (waitpid(pid, &status, 0) < 0)
		err(2, "waitpid");
	drain(nl);
	mnl_socket_close(nl);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
