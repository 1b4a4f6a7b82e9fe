/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conns - connection-tracking entries of a network namespace */
#include "nsutil/netns/conns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/kmod.h"
#include "nsutil/netns/parts.h"

/* Attribute numbers of one direction. */
struct direction {
	enum nf_conntrack_attr src4, dst4, src6, dst6, sport, dport;
};

static const struct direction original = { ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_SRC,
					   ATTR_ORIG_IPV6_DST, ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST };
static const struct direction answer = { ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_SRC,
					 ATTR_REPL_IPV6_DST, ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_DST };

static struct addr get_addr(const struct nf_conntrack *ct, uint8_t family, enum nf_conntrack_attr v4,
			    enum nf_conntrack_attr v6)
{
	const void *bytes = nfct_get_attr(ct, family == AF_INET ? v4 : v6);

	return bytes ? addr_from(family, bytes) : (struct addr){ 0 };
}

static void get_tuple(const struct nf_conntrack *ct, uint8_t family, const struct direction *d,
		      struct conn_tuple *ret)
{
	ret->src = get_addr(ct, family, d->src4, d->src6);
	ret->dst = get_addr(ct, family, d->dst4, d->dst6);
	ret->sport = ntohs(nfct_get_attr_u16(ct, d->sport));
	ret->dport = ntohs(nfct_get_attr_u16(ct, d->dport));
}

static const char *tcp_state(const struct nf_conntrack *ct)
{
	static const char *const names[] = {
		[TCP_CONNTRACK_NONE] = "NONE",		     [TCP_CONNTRACK_SYN_SENT] = "SYN_SENT",
		[TCP_CONNTRACK_SYN_RECV] = "SYN_RECV",	     [TCP_CONNTRACK_ESTABLISHED] = "ESTABLISHED",
		[TCP_CONNTRACK_FIN_WAIT] = "FIN_WAIT",	     [TCP_CONNTRACK_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_CONNTRACK_LAST_ACK] = "LAST_ACK",	     [TCP_CONNTRACK_TIME_WAIT] = "TIME_WAIT",
		[TCP_CONNTRACK_CLOSE] = "CLOSE",	     [TCP_CONNTRACK_SYN_SENT2] = "SYN_SENT2",
	};
	unsigned state = nfct_get_attr_u8(ct, ATTR_TCP_STATE);

	if (!nfct_attr_is_set(ct, ATTR_TCP_STATE) || state >= ARRAY_SIZE(names))
		return NULL;
	return names[state];
}

static void get_zones(const struct nf_conntrack *ct, struct conn *c)
{
	c->zone = c->reply_zone = nfct_get_attr_u16(ct, ATTR_ZONE);
	if (nfct_attr_is_set(ct, ATTR_ORIG_ZONE))
		c->zone = nfct_get_attr_u16(ct, ATTR_ORIG_ZONE);
	if (nfct_attr_is_set(ct, ATTR_REPL_ZONE))
		c->reply_zone = nfct_get_attr_u16(ct, ATTR_REPL_ZONE);
}

/* Counters are there when net.netfilter.nf_conntrack_acct was on. */
static void get_counters(const struct nf_conntrack *ct, struct conn *c)
{
	c->has_counters = nfct_attr_is_set(ct, ATTR_ORIG_COUNTER_PACKETS);
	c->packets[0] = nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_PACKETS);
	c->packets[1] = nfct_get_attr_u64(ct, ATTR_REPL_COUNTER_PACKETS);
	c->bytes[0] = nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES);
	c->bytes[1] = nfct_get_attr_u64(ct, ATTR_REPL_COUNTER_BYTES);
}

static void take(const struct nf_conntrack *ct, struct conn *c)
{
	c->family = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO);
	c->protocol = nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO);
	get_tuple(ct, c->family, &original, &c->orig);
	get_tuple(ct, c->family, &answer, &c->reply);
	c->state = tcp_state(ct);
	c->status = nfct_get_attr_u32(ct, ATTR_STATUS);
	c->mark = nfct_get_attr_u32(ct, ATTR_MARK);
	c->timeout = nfct_get_attr_u32(ct, ATTR_TIMEOUT);
	get_zones(ct, c);
	get_counters(ct, c);
	c->icmp_type = nfct_get_attr_u8(ct, ATTR_ICMP_TYPE);
	c->icmp_code = nfct_get_attr_u8(ct, ATTR_ICMP_CODE);
	c->icmp_id = ntohs(nfct_get_attr_u16(ct, ATTR_ICMP_ID));
}

static void destroyp(struct nf_conntrack **ct)
{
	if (*ct)
		nfct_destroy(*ct);
}

static int parse(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	_cleanup_(destroyp) struct nf_conntrack *ct = NULL;
	struct conn_list *cl = arg;
	struct conn *grown;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return 0;
	ct = nfct_new();
	grown = ct && cl->n < NV_MOST ? arena_grow(cl->arena, cl->conns, cl->n, sizeof(*grown)) : NULL;
	if (!grown)
		return err_oom(e);
	cl->conns = grown;
	if (nfct_nlmsg_parse(nlh, ct) < 0)
		return 0;
	memset(&grown[cl->n], 0, sizeof(*grown));
	take(ct, &grown[cl->n]);
	/* entries of other families do not exist today; if they come, they are not misread */
	if (grown[cl->n].family == AF_INET || grown[cl->n].family == AF_INET6)
		cl->n++;
	return 0;
}

static void restart(void *arg)
{
	((struct conn_list *)arg)->n = 0;
}

static int dump(int fd, struct conn_list *cl, struct err *e)
{
	struct {
		struct nlmsghdr nlh;
		struct nfgenmsg nfg; /* AF_UNSPEC: both families */
	} request = { .nlh = { .nlmsg_len = sizeof(request),
			       .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET } };
	struct nv_dump d = { fd, "connections", &request.nlh, parse, restart, cl };

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

int conns_read(const struct netns *ns, struct conn_list **ret, struct err *e)
{
	_cleanup_close_ int fd = -1;
	struct arena *arena;
	struct conn_list *cl;

	if (may_ask(e) < 0)
		return -1;
	fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
	if (fd < 0)
		return -1;
	arena = arena_new();
	cl = arena ? arena_alloc(arena, sizeof(*cl)) : NULL;
	if (!cl) {
		arena_free(arena);
		return err_oom(e);
	}
	cl->arena = arena;
	if (dump(fd, cl, e) < 0) {
		conns_free(cl);
		return -1;
	}
	*ret = cl;
	return 0;
}

void conns_free(struct conn_list *cl)
{
	if (cl)
		arena_free(cl->arena);
}

bool conn_redirected(const struct conn *c)
{
	return !addr_equal(&c->orig.dst, &c->reply.src) || c->orig.dport != c->reply.sport;
}

bool conn_masked(const struct conn *c)
{
	return !addr_equal(&c->orig.src, &c->reply.dst) || c->orig.sport != c->reply.dport;
}
