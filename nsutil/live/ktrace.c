/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ktrace - the kernel's own trace of packets, legacy tables and nftables in one order */
#include "nsutil/live/ktrace.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/kmod.h"

#define BUF_SIZE (1u << 17)
#define QUEUE_SIZE (8 << 20)
#define COPY_BYTES 128
#define RESULT_GROUP 0 /* where the kernel's "TRACE" lines go (net/netfilter/nf_log.c, default_loginfo) */

struct ktrace {
	int fd;
	uint32_t seq;
	char *buf;
	struct ktrace_step step;
};

/* ---- packets ---- */

static void take_ports(struct ktrace_step *s, const uint8_t *th, unsigned len)
{
	bool ports = s->l4proto == IPPROTO_TCP || s->l4proto == IPPROTO_UDP || s->l4proto == IPPROTO_SCTP ||
		     s->l4proto == IPPROTO_UDPLITE || s->l4proto == IPPROTO_DCCP;

	if (ports && len >= 4) {
		s->sport = th[0] << 8 | th[1];
		s->dport = th[2] << 8 | th[3];
	}
	if ((s->l4proto == IPPROTO_ICMP || s->l4proto == IPPROTO_ICMPV6) && len >= 1)
		s->icmp_type = th[0];
	if (s->l4proto == IPPROTO_TCP && len >= 14)
		s->tcp_flags = th[13];
}

/* Return: where the transport header begins; 0 when there is none to be seen */
static unsigned take_network(struct ktrace_step *s, const uint8_t *n, unsigned len)
{
	bool v6 = len && n[0] >> 4 == 6;
	unsigned head;

	if (len < (v6 ? 40u : 20u) || (!v6 && n[0] >> 4 != 4))
		return 0;
	head = v6 ? 40 : (n[0] & 15u) * 4;
	s->has_packet = true;
	s->ip_family = v6 ? AF_INET6 : AF_INET;
	s->src = addr_from(s->ip_family, n + (v6 ? 8 : 12));
	s->dst = addr_from(s->ip_family, n + (v6 ? 24 : 16));
	s->l4proto = n[v6 ? 6 : 9];
	s->length = (uint16_t)(v6 ? (n[4] << 8 | n[5]) + 40 : n[2] << 8 | n[3]);
	return v6 || !((n[6] & 0x1f) << 8 | n[7]) ? head : 0;
}

static void step_clear(struct ktrace_step *s)
{
	memset(s, 0, sizeof(*s));
	s->hook = s->sport = s->dport = s->icmp_type = s->tcp_flags = -1;
}

/* ---- attributes, checked ---- */

struct attrs {
	const struct nlattr *at[32];
};

static void index_attrs(struct attrs *t, const void *start, size_t size)
{
	const struct nlattr *attr;

	memset(t, 0, sizeof(*t));
	mnl_attr_for_each_payload(start, size) {
		if (mnl_attr_get_type(attr) < ARRAY_SIZE(t->at))
			t->at[mnl_attr_get_type(attr)] = attr;
	}
}

static bool get_be32(const struct attrs *t, unsigned type, uint32_t *ret)
{
	const struct nlattr *a = t->at[type];

	if (!a || mnl_attr_get_payload_len(a) < 4)
		return false;
	*ret = ntohl(mnl_attr_get_u32(a));
	return true;
}

static void get_text(const struct attrs *t, unsigned type, char *ret, size_t size)
{
	const struct nlattr *a = t->at[type];

	ret[0] = '\0';
	if (a)
		snprintf(ret, size, "%.*s", (int)mnl_attr_get_payload_len(a), (const char *)mnl_attr_get_payload(a));
}

/* ---- legacy ---- */

static bool take_line(struct ktrace_step *s, const char *line)
{
	char type[16];

	if (sscanf(line, "TRACE: %63[^:]:%127[^:]:%15[^:]:%u", s->table, s->chain, type, &s->number) != 4)
		return false;
	s->type = strcmp(type, "rule") == 0 ? KTRACE_RULE : strcmp(type, "return") == 0 ? KTRACE_RETURN : KTRACE_POLICY;
	return true;
}

static bool take_legacy(struct ktrace_step *s, const struct nlmsghdr *msg)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(msg);
	const struct nfulnl_msg_packet_hdr *hdr;
	struct attrs t;
	char line[256];

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*gen))
		return false;
	index_attrs(&t, gen + 1, mnl_nlmsg_get_payload_len(msg) - sizeof(*gen));
	get_text(&t, NFULA_PREFIX, line, sizeof(line));
	if (!take_line(s, line))
		return false;
	s->legacy = true;
	s->family = gen->nfgen_family;
	if (t.at[NFULA_PACKET_HDR] && mnl_attr_get_payload_len(t.at[NFULA_PACKET_HDR]) >= sizeof(*hdr)) {
		hdr = mnl_attr_get_payload(t.at[NFULA_PACKET_HDR]);
		s->hook = hdr->hook;
	}
	get_be32(&t, NFULA_IFINDEX_INDEV, &s->iif);
	get_be32(&t, NFULA_IFINDEX_OUTDEV, &s->oif);
	s->has_mark = get_be32(&t, NFULA_MARK, &s->mark);
	s->has_uid = get_be32(&t, NFULA_UID, &s->uid) && get_be32(&t, NFULA_GID, &s->gid);
	if (t.at[NFULA_PAYLOAD]) {
		const uint8_t *p = mnl_attr_get_payload(t.at[NFULA_PAYLOAD]);
		unsigned len = mnl_attr_get_payload_len(t.at[NFULA_PAYLOAD]), head = take_network(s, p, len);

		if (head && head < len)
			take_ports(s, p + head, len - head);
	}
	return true;
}

/* ---- nftables ---- */

static enum verdict verdict_of(int code)
{
	switch (code) {
	case NF_ACCEPT: return VERDICT_ACCEPT;
	case NF_DROP: return VERDICT_DROP;
	case NF_STOLEN: return VERDICT_STOLEN;
	case NFT_CONTINUE:
	case NFT_BREAK: return VERDICT_CONTINUE;
	case NFT_JUMP: return VERDICT_JUMP;
	case NFT_GOTO: return VERDICT_GOTO;
	case NFT_RETURN: return VERDICT_RETURN;
	}
	return (code & NF_VERDICT_MASK) == NF_QUEUE ? VERDICT_QUEUE : VERDICT_CONTINUE;
}

static void take_verdict(struct ktrace_step *s, const struct attrs *t)
{
	struct attrs v = { .at = { NULL } };
	uint32_t code;

	s->verdict = VERDICT_CONTINUE;
	if (s->type == KTRACE_POLICY) {
		s->verdict = get_be32(t, NFTA_TRACE_POLICY, &code) ? verdict_of((int)code) : VERDICT_ACCEPT;
		return;
	}
	if (!t->at[NFTA_TRACE_VERDICT])
		return;
	index_attrs(&v, mnl_attr_get_payload(t->at[NFTA_TRACE_VERDICT]), mnl_attr_get_payload_len(t->at[NFTA_TRACE_VERDICT]));
	if (get_be32(&v, NFTA_VERDICT_CODE, &code))
		s->verdict = verdict_of((int)code);
	get_text(&v, NFTA_VERDICT_CHAIN, s->to, sizeof(s->to));
}

static void take_headers(struct ktrace_step *s, const struct attrs *t)
{
	const struct nlattr *nh = t->at[NFTA_TRACE_NETWORK_HEADER], *th = t->at[NFTA_TRACE_TRANSPORT_HEADER];

	get_be32(t, NFTA_TRACE_IIF, &s->iif);
	get_be32(t, NFTA_TRACE_OIF, &s->oif);
	s->has_mark = get_be32(t, NFTA_TRACE_MARK, &s->mark);
	if (nh && take_network(s, mnl_attr_get_payload(nh), mnl_attr_get_payload_len(nh)) && th)
		take_ports(s, mnl_attr_get_payload(th), mnl_attr_get_payload_len(th));
}

static bool take_nft(struct ktrace_step *s, const struct nlmsghdr *msg)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(msg);
	struct attrs t;
	uint32_t type;

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*gen))
		return false;
	index_attrs(&t, gen + 1, mnl_nlmsg_get_payload_len(msg) - sizeof(*gen));
	if (!get_be32(&t, NFTA_TRACE_TYPE, &type) || type < NFT_TRACETYPE_POLICY || type > NFT_TRACETYPE_RULE)
		return false;
	s->type = type == NFT_TRACETYPE_POLICY ? KTRACE_POLICY : type == NFT_TRACETYPE_RETURN ? KTRACE_RETURN : KTRACE_RULE;
	s->family = gen->nfgen_family;
	get_be32(&t, NFTA_TRACE_ID, &s->id);
	get_text(&t, NFTA_TRACE_TABLE, s->table, sizeof(s->table));
	get_text(&t, NFTA_TRACE_CHAIN, s->chain, sizeof(s->chain));
	if (t.at[NFTA_TRACE_RULE_HANDLE] && mnl_attr_get_payload_len(t.at[NFTA_TRACE_RULE_HANDLE]) >= 8)
		s->handle = be64toh(mnl_attr_get_u64(t.at[NFTA_TRACE_RULE_HANDLE]));
	take_verdict(s, &t);
	take_headers(s, &t);
	return true;
}

static bool take_step(struct ktrace_step *s, const struct nlmsghdr *msg)
{
	step_clear(s);
	if (NFNL_SUBSYS_ID(msg->nlmsg_type) == NFNL_SUBSYS_ULOG && NFNL_MSG_TYPE(msg->nlmsg_type) == NFULNL_MSG_PACKET)
		return take_legacy(s, msg);
	if (NFNL_SUBSYS_ID(msg->nlmsg_type) == NFNL_SUBSYS_NFTABLES && NFNL_MSG_TYPE(msg->nlmsg_type) == NFT_MSG_TRACE)
		return take_nft(s, msg);
	return false;
}

/* ---- the socket ---- */

static int send_config(struct ktrace *kt, const struct nlmsghdr *msg, struct err *e)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;
	int error = EBADMSG;

	if (sendto(kt->fd, msg, msg->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return err_sys(e, errno, "cannot ask nfnetlink_log");
	do
		n = recv(kt->fd, kt->buf, BUF_SIZE, 0);
	while (n < 0 && errno == EINTR);
	if (n >= (ssize_t)(sizeof(struct nlmsghdr) + sizeof(struct nlmsgerr)) &&
	    ((const struct nlmsghdr *)(const void *)kt->buf)->nlmsg_type == NLMSG_ERROR)
		error = -((const struct nlmsgerr *)mnl_nlmsg_get_payload((const void *)kt->buf))->error;
	if (error == EBUSY)
		return err_sys(e, error, "somebody else listens to NFLOG group %d of this namespace", RESULT_GROUP);
	return error ? err_cap(e, error, "CAP_NET_ADMIN", "cannot listen to what legacy tables trace (nfnetlink_log)") : 0;
}

static struct nlmsghdr *config(struct ktrace *kt, void *room, uint8_t family)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct nfgenmsg *gen;

	msg->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->nlmsg_seq = ++kt->seq;
	gen = mnl_nlmsg_put_extra_header(msg, sizeof(*gen));
	gen->nfgen_family = family;
	gen->version = NFNETLINK_V0;
	gen->res_id = htons(RESULT_GROUP);
	return msg;
}

static int command(struct ktrace *kt, uint8_t family, uint8_t cmd, struct err *e)
{
	struct nfulnl_msg_config_cmd c = { .command = cmd };
	char room[256];
	struct nlmsghdr *msg = config(kt, room, family);

	mnl_attr_put(msg, NFULA_CFG_CMD, sizeof(c), &c);
	return send_config(kt, msg, e);
}

/* Each line at once, so that the order among the two worlds is kept. */
static int set_mode(struct ktrace *kt, struct err *e)
{
	struct nfulnl_msg_config_mode m = { .copy_range = htonl(COPY_BYTES), .copy_mode = NFULNL_COPY_PACKET };
	char room[256];
	struct nlmsghdr *msg = config(kt, room, AF_UNSPEC);

	mnl_attr_put(msg, NFULA_CFG_MODE, sizeof(m), &m);
	mnl_attr_put_u32(msg, NFULA_CFG_QTHRESH, htonl(1));
	return send_config(kt, msg, e);
}

static int listen_legacy(struct ktrace *kt, struct err *e)
{
	if (kmod_state("/", "nfnetlink_log", "nfulnl_recv_config") != KMOD_READY) {
		err_set(e, ERR_SYS, "cannot listen to what legacy tables trace", "nfnetlink_log is not loaded");
		return err_hint(e, "on the node: modprobe nfnetlink_log");
	}
	return command(kt, AF_INET, NFULNL_CFG_CMD_PF_BIND, e) < 0 || command(kt, AF_INET6, NFULNL_CFG_CMD_PF_BIND, e) < 0 ||
			       command(kt, AF_UNSPEC, NFULNL_CFG_CMD_BIND, e) < 0 || set_mode(kt, e) < 0 ? -1 : 0;
}

static int start(struct ktrace *kt, const struct netns *ns, bool legacy, struct err *e)
{
	int group = NFNLGRP_NFTRACE, size = QUEUE_SIZE;
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };

	kt->fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
	if (kt->fd < 0)
		return -1;
	if (bind(kt->fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return err_sys(e, errno, "cannot listen to the kernel's trace");
	if (setsockopt(kt->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(kt->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (legacy && listen_legacy(kt, e) < 0)
		return -1;
	if (setsockopt(kt->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return err_cap(e, errno, "CAP_NET_ADMIN", "cannot listen to the trace of nftables");
	return 0;
}

int ktrace_open(const struct netns *ns, bool legacy, struct ktrace **ret, struct err *e)
{
	struct ktrace *kt = calloc(1, sizeof(*kt));

	if (!kt)
		return err_oom(e);
	kt->fd = -1;
	kt->buf = malloc(BUF_SIZE);
	if (!kt->buf || start(kt, ns, legacy, e) < 0) {
		if (!kt->buf)
			err_oom(e);
		ktrace_close(kt);
		return -1;
	}
	*ret = kt;
	return 0;
}

void ktrace_close(struct ktrace *kt)
{
	if (!kt)
		return;
	if (kt->fd >= 0)
		close(kt->fd);
	free(kt->buf);
	free(kt);
}

bool ktrace_goes_on(const struct ktrace_step *step)
{
	return step->family != NFPROTO_NETDEV || step->verdict == VERDICT_DROP;
}

int ktrace_fd(const struct ktrace *kt)
{
	return kt->fd;
}

int ktrace_read(struct ktrace *kt, int wait_ms, void (*fn)(void *arg, const struct ktrace_step *step), void *arg,
		struct err *e)
{
	struct pollfd p = { .fd = kt->fd, .events = POLLIN };
	int steps = 0;

	while (poll(&p, 1, steps ? 0 : wait_ms) > 0) {
		ssize_t n = recv(kt->fd, kt->buf, BUF_SIZE, 0);
		const struct nlmsghdr *msg = (const void *)kt->buf;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read the kernel's trace");
		for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left))
			if (take_step(&kt->step, msg)) {
				fn(arg, &kt->step);
				steps++;
			}
	}
	return steps;
}
