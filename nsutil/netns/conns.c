/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conns - reads the connection-tracking entries of a network namespace */
#include "nsutil/netns/conns.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/kmod.h"
#include "nsutil/netns/parts.h"

/* Numbers of the conntrack messages are in network order; 0 where there is none. */
static uint16_t number16(const struct nv_attrs *a, unsigned type)
{
	uint16_t v = 0;

	nv_attr_copy(a, type, &v, sizeof(v));
	return ntohs(v);
}

static uint32_t number32(const struct nv_attrs *a, unsigned type)
{
	uint32_t v = 0;

	nv_attr_u32(a, type, &v);
	return ntohl(v);
}

static uint64_t number64(const struct nv_attrs *a, unsigned type)
{
	uint64_t v = 0;

	nv_attr_copy(a, type, &v, sizeof(v));
	return be64toh(v);
}

static uint16_t icmp_id(const struct nv_attrs *proto, bool v6)
{
	return number16(proto, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID);
}

/* An ICMP query has a type, a code and an id where others have ports. */
static void get_icmp(const struct nv_attrs *proto, bool v6, struct conn *c)
{
	nv_attr_u8(proto, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, &c->icmp_type);
	nv_attr_u8(proto, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, &c->icmp_code);
	c->icmp_id = icmp_id(proto, v6);
}

/* The addresses and ports of a tuple; Return: its zone, when it has one of its own, else @zone */
static uint16_t get_tuple(const struct nv_attrs *ct, unsigned type, uint8_t family, uint16_t zone, struct conn_tuple *t,
			  struct nv_attrs *proto)
{
	struct nv_attrs tuple, ip;
	bool v6 = family == AF_INET6;

	nv_attrs_in(ct, type, &tuple);
	nv_attrs_in(&tuple, CTA_TUPLE_IP, &ip);
	nv_attrs_in(&tuple, CTA_TUPLE_PROTO, proto);
	nv_attr_addr(&ip, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, family, &t->src);
	nv_attr_addr(&ip, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, family, &t->dst);
	t->sport = number16(proto, CTA_PROTO_SRC_PORT);
	t->dport = number16(proto, CTA_PROTO_DST_PORT);
	return tuple.tb[CTA_TUPLE_ZONE] ? number16(&tuple, CTA_TUPLE_ZONE) : zone;
}

static void get_tuples(const struct nv_attrs *ct, struct conn *c)
{
	uint16_t zone = number16(ct, CTA_ZONE); /* of the whole entry, or of one direction of it */
	struct nv_attrs proto;

	c->zone = get_tuple(ct, CTA_TUPLE_ORIG, c->family, zone, &c->orig, &proto);
	nv_attr_u8(&proto, CTA_PROTO_NUM, &c->protocol);
	get_icmp(&proto, c->family == AF_INET6, c);
	c->reply_zone = get_tuple(ct, CTA_TUPLE_REPLY, c->family, zone, &c->reply, &proto);
	c->icmp_reply_id = icmp_id(&proto, c->family == AF_INET6);
	c->has_master = ct->tb[CTA_TUPLE_MASTER] != NULL;
	if (c->has_master)
		get_tuple(ct, CTA_TUPLE_MASTER, c->family, 0, &c->master, &proto);
}

static const char *tcp_state(const struct nv_attrs *ct)
{
	static const char *const names[] = {
		[TCP_CONNTRACK_NONE] = "NONE",		     [TCP_CONNTRACK_SYN_SENT] = "SYN_SENT",
		[TCP_CONNTRACK_SYN_RECV] = "SYN_RECV",	     [TCP_CONNTRACK_ESTABLISHED] = "ESTABLISHED",
		[TCP_CONNTRACK_FIN_WAIT] = "FIN_WAIT",	     [TCP_CONNTRACK_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_CONNTRACK_LAST_ACK] = "LAST_ACK",	     [TCP_CONNTRACK_TIME_WAIT] = "TIME_WAIT",
		[TCP_CONNTRACK_CLOSE] = "CLOSE",	     [TCP_CONNTRACK_SYN_SENT2] = "SYN_SENT2",
	};
	struct nv_attrs info, tcp;
	uint8_t state;

	nv_attrs_in(ct, CTA_PROTOINFO, &info);
	nv_attrs_in(&info, CTA_PROTOINFO_TCP, &tcp);
	if (!nv_attr_u8(&tcp, CTA_PROTOINFO_TCP_STATE, &state) || state >= ARRAY_SIZE(names))
		return NULL;
	return names[state];
}

/* Counters are there when net.netfilter.nf_conntrack_acct was on. */
static void get_counters(const struct nv_attrs *ct, struct conn *c)
{
	for (unsigned i = 0; i < 2; i++) {
		struct nv_attrs counters;

		nv_attrs_in(ct, i ? CTA_COUNTERS_REPLY : CTA_COUNTERS_ORIG, &counters);
		c->has_counters |= counters.tb[CTA_COUNTERS_PACKETS] != NULL;
		c->packets[i] = number64(&counters, CTA_COUNTERS_PACKETS);
		c->bytes[i] = number64(&counters, CTA_COUNTERS_BYTES);
	}
}

/* nf_conntrack's labels stand only there when one is set; so does a helper. */
static void get_extras(const struct nv_attrs *ct, struct arena *a, struct conn *c)
{
	struct nv_attrs help;
	char name[64] = "";
	size_t len = 0;
	const void *labels = nv_attr_nested(ct, CTA_LABELS, &len);

	if (labels && len <= sizeof(c->labels))
		memcpy(c->labels, labels, len);
	nv_attrs_in(ct, CTA_HELP, &help);
	nv_attr_name(&help, CTA_HELP_NAME, name, sizeof(name));
	if (name[0])
		c->helper = arena_strdup(a, name);
}

static void take(uint8_t family, const struct nv_attrs *ct, struct arena *a, struct conn *c)
{
	c->family = family;
	get_tuples(ct, c);
	c->state = tcp_state(ct);
	c->status = number32(ct, CTA_STATUS);
	c->mark = number32(ct, CTA_MARK);
	c->timeout = number32(ct, CTA_TIMEOUT);
	get_counters(ct, c);
	get_extras(ct, a, c);
}

struct reading {
	struct conn_list *list;
	struct buf *tape; /* where the messages are kept; NULL: nowhere */
};

static int parse(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct reading *to = arg;
	struct conn_list *cl = to->list;
	struct nv_attrs ct;
	struct conn *grown;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return 0;
	/* entries of other families do not exist today; if they come, they are not misread */
	if (nfg->nfgen_family != AF_INET && nfg->nfgen_family != AF_INET6)
		return 0;
	if (to->tape)
		buf_add(to->tape, nlh, MNL_ALIGN(nlh->nlmsg_len));
	grown = cl->n < NV_MOST ? arena_grow(cl->arena, cl->conns, cl->n, sizeof(*grown)) : NULL;
	if (!grown)
		return err_oom(e);
	cl->conns = grown;
	nv_attrs(&ct, nfg + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*nfg));
	memset(&grown[cl->n], 0, sizeof(*grown));
	take(nfg->nfgen_family, &ct, cl->arena, &grown[cl->n++]);
	return 0;
}

static void restart(void *arg)
{
	struct reading *to = arg;

	to->list->n = 0;
	if (to->tape)
		buf_reset(to->tape);
}

static int dump(int fd, struct reading *to, struct err *e)
{
	struct {
		struct nlmsghdr nlh;
		struct nfgenmsg nfg; /* AF_UNSPEC: both families */
	} request = { .nlh = { .nlmsg_len = sizeof(request),
			       .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET } };
	struct nv_dump d = { fd, "connections", &request.nlh, parse, restart, to };

	return nv_dump(&d, e);
}

/* Without the module there may be entries, but asking for them would load it. */
static int may_ask(struct err *e)
{
	if (kmod_state("/", "nf_conntrack_netlink", "ctnetlink_dump_table") == KMOD_READY)
		return 0;
	err_sys(e, ENOPROTOOPT, "cannot list the connections");
	err_hint(e, "the module nf_conntrack_netlink is not loaded, and looking does not load modules; "
		    "'modprobe nf_conntrack_netlink' on the node does");
	return -1;
}

static struct conn_list *list_new(struct err *e)
{
	struct arena *arena = arena_new();
	struct conn_list *cl = arena ? arena_alloc(arena, sizeof(*cl)) : NULL;

	if (!cl) {
		arena_free(arena);
		err_oom(e);
		return NULL;
	}
	cl->arena = arena;
	return cl;
}

static int ask_kernel(const struct netns *ns, struct buf *tape, struct conn_list **ret, struct err *e)
{
	_cleanup_close_ int fd = -1;
	struct reading to = { NULL, tape };

	if (may_ask(e) < 0)
		return -1;
	fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
	to.list = fd < 0 ? NULL : list_new(e);
	if (!to.list)
		return -1;
	if (dump(fd, &to, e) < 0) {
		conns_free(to.list);
		return -1;
	}
	*ret = to.list;
	return 0;
}

int conns_read(const struct netns *ns, struct conn_list **ret, struct err *e)
{
	return ask_kernel(ns, NULL, ret, e);
}

int conns_count(const struct netns *ns, uint32_t *ret_count, uint32_t *ret_max, struct err *e)
{
	struct {
		struct nlmsghdr nlh;
		struct nfgenmsg nfg;
	} request = { .nlh = { .nlmsg_len = sizeof(request), .nlmsg_flags = NLM_F_REQUEST,
			       .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS } };
	_Alignas(8) char answer[1024];
	const struct nlmsghdr *nlh = (const void *)answer;
	_cleanup_close_ int fd = -1;
	struct nv_attrs a;
	ssize_t n = -1;

	if (may_ask(e) < 0)
		return -1;
	fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
	if (fd < 0)
		return -1;
	if (send(fd, &request, sizeof(request), 0) == sizeof(request))
		do
			n = recv(fd, answer, sizeof(answer), 0);
		while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_cap(e, errno, "CAP_NET_ADMIN", "cannot ask how many connections there are");
	if (!mnl_nlmsg_ok(nlh, (int)n) || nlh->nlmsg_type != request.nlh.nlmsg_type ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(request.nfg))
		return err_sys(e, EBADMSG, "cannot ask how many connections there are");
	nv_attrs(&a, (const char *)mnl_nlmsg_get_payload(nlh) + sizeof(request.nfg),
		 mnl_nlmsg_get_payload_len(nlh) - sizeof(request.nfg));
	*ret_count = number32(&a, CTA_STATS_GLOBAL_ENTRIES);
	*ret_max = number32(&a, CTA_STATS_GLOBAL_MAX_ENTRIES);
	return 0;
}

int conns_record(const struct netns *ns, struct buf *ret, struct err *e)
{
	_cleanup_buf_ struct buf tape = BUF_INIT;
	struct conn_list *cl;

	if (ask_kernel(ns, &tape, &cl, e) < 0)
		return -1;
	conns_free(cl);
	buf_add(ret, buf_cstr(&tape), tape.len);
	return buf_failed(&tape) || buf_failed(ret) ? err_oom(e) : 0;
}

/* mnl_nlmsg_ok() takes a length for a signed number, and believes one beyond 2 GiB. */
static bool whole(const struct nlmsghdr *nlh, size_t left)
{
	return left >= sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) && nlh->nlmsg_len <= left;
}

int conns_play(const void *tape, size_t size, struct conn_list **ret, struct err *e)
{
	struct reading to = { list_new(e), NULL };
	size_t at = 0;
	int r = 0;

	if (!to.list)
		return -1;
	while (r == 0 && at < size) {
		const struct nlmsghdr *nlh = (const void *)((const char *)tape + at);

		if (!whole(nlh, size - at))
			r = err_set(e, ERR_USAGE, "connections of the bundle", "they are broken at byte %zu", at);
		else
			r = parse(nlh, &to, e);
		at += r == 0 ? MNL_ALIGN((size_t)nlh->nlmsg_len) : 0;
	}
	if (r < 0) {
		conns_free(to.list);
		return -1;
	}
	*ret = to.list;
	return 0;
}

void conns_free(struct conn_list *cl)
{
	if (cl)
		arena_free(cl->arena);
}
