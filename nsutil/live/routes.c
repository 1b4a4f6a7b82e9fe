/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routes - the addresses, routes and policy rules of a target in the scratch */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/parts.h"
#include "nsutil/netns/rtnl.h"

enum { ROOM = 8192, HOPS_MOST = 64, AWAIT_TIMES = 500, PROC_MOST = 64 << 20 };
#define RTF_LOCAL 0x80000000u /* linux/ipv6_route.h */

static struct nlmsghdr *message(void *room, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);

	msg->nlmsg_type = type;
	msg->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return msg;
}

static void put_addr(struct nlmsghdr *msg, uint16_t type, const struct addr *a)
{
	if (a->family)
		mnl_attr_put(msg, type, addr_len(a), a->b);
}

/* Routes are copied one by one, so that an address need bring none. */
static int add_address(int fd, const struct nv_addr *a)
{
	_Alignas(struct nlmsghdr) char room[ROOM];
	struct nlmsghdr *msg = message(room, RTM_NEWADDR, NLM_F_CREATE);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(msg, sizeof(*m));
	struct ifa_cacheinfo deprecated = { .ifa_prefered = 0, .ifa_valid = UINT32_MAX };
	uint32_t flags = IFA_F_NOPREFIXROUTE | (a->addr.family == AF_INET6 ? IFA_F_NODAD : 0);

	m->ifa_family = a->addr.family;
	m->ifa_prefixlen = a->prefix_len;
	m->ifa_scope = a->scope;
	m->ifa_index = (uint32_t)a->ifindex;
	put_addr(msg, IFA_LOCAL, &a->addr);
	put_addr(msg, IFA_ADDRESS, a->peer.family ? &a->peer : &a->addr);
	mnl_attr_put_u32(msg, IFA_FLAGS, flags);
	if (a->flags & IFA_F_DEPRECATED)
		mnl_attr_put(msg, IFA_CACHEINFO, sizeof(deprecated), &deprecated);
	return rtnl_talk(fd, msg);
}

static void put_gateway(struct nlmsghdr *msg, uint8_t family, const struct addr *via)
{
	uint8_t rtvia[18];
	uint16_t other = via->family;

	if (!via->family)
		return;
	if (via->family == family) {
		put_addr(msg, RTA_GATEWAY, via);
		return;
	}
	memcpy(rtvia, &other, sizeof(other)); /* struct rtvia */
	memcpy(rtvia + sizeof(other), via->b, addr_len(via));
	mnl_attr_put(msg, RTA_VIA, sizeof(other) + addr_len(via), rtvia);
}

static void put_realm(struct nlmsghdr *msg, uint16_t attribute, uint32_t realm)
{
	if (realm)
		mnl_attr_put_u32(msg, attribute, realm);
}

static void put_hops(struct nlmsghdr *msg, const struct nv_route *r)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, RTA_MULTIPATH);

	for (unsigned i = 0; i < r->n_hops && i < HOPS_MOST; i++) {
		struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(msg);
		uint32_t before = msg->nlmsg_len;

		memset(nh, 0, sizeof(*nh));
		msg->nlmsg_len += sizeof(*nh);
		nh->rtnh_ifindex = r->hops[i].oif;
		nh->rtnh_hops = r->hops[i].weight ? (uint8_t)(r->hops[i].weight - 1) : 0;
		nh->rtnh_flags = r->hops[i].via.family ? RTNH_F_ONLINK : 0;
		put_gateway(msg, r->family, &r->hops[i].via);
		put_realm(msg, RTA_FLOW, r->hops[i].realm);
		nh->rtnh_len = (uint16_t)(msg->nlmsg_len - before);
	}
	mnl_attr_nest_end(msg, nest);
}

/* The kernel refuses bits behind the prefix. */
static struct addr masked(struct addr a, unsigned len)
{
	for (unsigned bit = len; bit < addr_len(&a) * 8; bit++)
		a.b[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	return a;
}

static void put_mtu(struct nlmsghdr *msg, uint32_t mtu)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, RTA_METRICS);

	mnl_attr_put_u32(msg, RTAX_MTU, mtu);
	mnl_attr_nest_end(msg, nest);
}

static int add_route(int fd, const struct nv_route *r)
{
	_Alignas(struct nlmsghdr) char room[ROOM];
	/* of IPv4, routes alike keep their order; of IPv6, "append" would make one route of several */
	struct nlmsghdr *msg = message(room, RTM_NEWROUTE, NLM_F_CREATE | (r->family == AF_INET ? NLM_F_APPEND : 0));
	struct rtmsg *m = mnl_nlmsg_put_extra_header(msg, sizeof(*m));
	struct addr dst;

	m->rtm_family = r->family;
	m->rtm_dst_len = r->dst_len;
	m->rtm_tos = r->tos;
	m->rtm_table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC;
	m->rtm_protocol = r->proto ? r->proto : RTPROT_BOOT;
	m->rtm_scope = r->scope;
	m->rtm_type = r->type;
	mnl_attr_put_u32(msg, RTA_TABLE, r->table);
	dst = masked(r->dst, r->dst_len);
	if (r->dst_len || r->dst.family)
		put_addr(msg, RTA_DST, &dst);
	if (r->priority)
		mnl_attr_put_u32(msg, RTA_PRIORITY, r->priority);
	if (r->src_len) {
		m->rtm_src_len = r->src_len;
		put_addr(msg, RTA_SRC, &r->src);
	}
	put_addr(msg, RTA_PREFSRC, &r->prefsrc);
	if (r->mtu)
		put_mtu(msg, r->mtu);
	if (r->n_hops == 1) {
		m->rtm_flags = r->hops[0].via.family ? RTNH_F_ONLINK : 0;
		if (r->hops[0].oif)
			mnl_attr_put_u32(msg, RTA_OIF, (uint32_t)r->hops[0].oif);
		put_gateway(msg, r->family, &r->hops[0].via);
		put_realm(msg, RTA_FLOW, r->hops[0].realm);
	} else if (r->n_hops) {
		put_hops(msg, r);
	}
	return rtnl_talk(fd, msg);
}

static bool has_gateway(const struct nv_route *r)
{
	for (unsigned i = 0; i < r->n_hops; i++)
		if (r->hops[i].via.family)
			return true;
	return false;
}

/* The kernel makes these itself: with its addresses, links, and one of all multicast. */
static bool is_automatic(const struct nv_route *r)
{
	return r->family == AF_INET6 && (r->type == RTN_ANYCAST || r->type == RTN_MULTICAST ||
					 (r->type == RTN_LOCAL && r->proto == RTPROT_KERNEL && r->table == RT_TABLE_LOCAL));
}

static void note_route(struct scratch *s, const struct nv_route *r, int error)
{
	char text[ADDR_TEXT];

	gaps_add(&s->gaps, strerror(error), "the route to %s/%u in table %u",
		 r->dst.family ? addr_fmt(&r->dst, text) : "0", r->dst_len, r->table);
}

static void add_routes(struct scratch *s, int fd, const struct netview *nv, bool gateways)
{
	for (unsigned i = 0; i < nv->n_routes; i++) {
		const struct nv_route *r = &nv->routes[i];
		int error;

		if (has_gateway(r) != gateways || is_automatic(r))
			continue;
		error = add_route(fd, r);
		if (error && error != EEXIST)
			note_route(s, r, error);
	}
}

/* ---- policy rules ---- */

static void put_range(struct nlmsghdr *msg, uint16_t type, uint16_t from, uint16_t to)
{
	struct fib_rule_port_range range = { from, to };

	if (from || to)
		mnl_attr_put(msg, type, sizeof(range), &range);
}

static void put_selectors(struct nlmsghdr *msg, const struct nv_rule *r)
{
	struct fib_rule_uid_range uids = { r->uid_from, r->uid_to };

	put_addr(msg, FRA_SRC, &r->src);
	put_addr(msg, FRA_DST, &r->dst);
	if (r->fwmask) {
		mnl_attr_put_u32(msg, FRA_FWMARK, r->fwmark);
		mnl_attr_put_u32(msg, FRA_FWMASK, r->fwmask);
	}
	if (r->iif[0])
		mnl_attr_put_strz(msg, FRA_IIFNAME, r->iif);
	if (r->oif[0])
		mnl_attr_put_strz(msg, FRA_OIFNAME, r->oif);
	if (uids.start != 0 || uids.end != UINT32_MAX)
		mnl_attr_put(msg, FRA_UID_RANGE, sizeof(uids), &uids);
	if (r->ipproto)
		mnl_attr_put_u8(msg, FRA_IP_PROTO, r->ipproto);
	if (r->dscp_mask == 0xfc)
		mnl_attr_put_u8(msg, NV_FRA_DSCP, r->dscp >> 2);
	put_realm(msg, FRA_FLOW, r->realm);
	put_range(msg, FRA_SPORT_RANGE, r->sport_from, r->sport_to);
	put_range(msg, FRA_DPORT_RANGE, r->dport_from, r->dport_to);
}

static int change_rule(int fd, const struct nv_rule *r, bool add)
{
	_Alignas(struct nlmsghdr) char room[ROOM];
	struct nlmsghdr *msg = message(room, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(msg, sizeof(*m));

	m->family = r->family;
	m->src_len = r->src_len;
	m->dst_len = r->dst_len;
	m->tos = r->tos;
	m->action = r->action;
	m->table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC;
	m->flags = r->invert ? FIB_RULE_INVERT : 0;
	mnl_attr_put_u32(msg, FRA_PRIORITY, r->priority);
	if (r->table)
		mnl_attr_put_u32(msg, FRA_TABLE, r->table);
	if (r->action == FR_ACT_GOTO)
		mnl_attr_put_u32(msg, FRA_GOTO, r->goto_target);
	if (r->l3mdev)
		mnl_attr_put_u8(msg, FRA_L3MDEV, 1);
	if (r->suppress_prefixlen >= 0)
		mnl_attr_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, (uint32_t)r->suppress_prefixlen);
	if (r->suppresses_group)
		mnl_attr_put_u32(msg, FRA_SUPPRESS_IFGROUP, r->suppress_group);
	put_selectors(msg, r);
	return rtnl_talk(fd, msg);
}

/* What every namespace has from the start. */
static const struct { uint8_t family; uint32_t priority, table; } defaults[] = {
	{ AF_INET, 32766, RT_TABLE_MAIN }, { AF_INET, 32767, RT_TABLE_DEFAULT }, { AF_INET, 0, RT_TABLE_LOCAL },
	{ AF_INET6, 32766, RT_TABLE_MAIN }, { AF_INET6, 0, RT_TABLE_LOCAL },
};

static bool has_selectors(const struct nv_rule *r)
{
	return r->invert || r->src_len || r->dst_len || r->fwmask || r->iif[0] || r->oif[0] || r->uid_from ||
	       r->uid_to != UINT32_MAX || r->ipproto || r->tos || r->sport_from || r->sport_to || r->dport_from ||
	       r->dport_to || r->l3mdev || r->suppress_prefixlen >= 0;
}

static bool is_default(const struct nv_rule *r, size_t i)
{
	return r->family == defaults[i].family && r->priority == defaults[i].priority &&
	       r->table == defaults[i].table && r->action == FR_ACT_TO_TBL && !has_selectors(r);
}

static bool is_any_default(const struct nv_rule *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (is_default(r, i))
			return true;
	return false;
}

/* Those that the target has not. */
static void drop_default_rules(int fd, const struct netview *nv)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct nv_rule r = { .family = defaults[i].family, .action = FR_ACT_TO_TBL, .priority = defaults[i].priority,
				     .table = defaults[i].table, .uid_to = UINT32_MAX, .suppress_prefixlen = -1 };
		bool there = false;

		for (unsigned k = 0; k < nv->n_rules; k++)
			there = there || is_default(&nv->rules[k], i);
		if (!there)
			change_rule(fd, &r, false);
	}
}

/* From the end, so that a rule that others go to ("goto") is there when they come. */
static void add_rules(struct scratch *s, int fd, const struct netview *nv)
{
	for (unsigned i = nv->n_rules; i-- > 0;) {
		int error = is_any_default(&nv->rules[i]) ? 0 : change_rule(fd, &nv->rules[i], true);

		if (error)
			gaps_add(&s->gaps, strerror(error), "the policy rule with priority %u", nv->rules[i].priority);
	}
	if (nv->n_rules)
		drop_default_rules(fd, nv);
}

/* "fd000001000000000000000000000039 80 ..." with RTF_LOCAL among the flags, of /proc/net/ipv6_route */
static bool has_local_route(const char *table, const struct addr *a)
{
	char hex[40];

	for (unsigned i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", a->b[i]);
	strcat(hex, " 80 ");
	for (const char *at = table; (at = strstr(at, hex)); at += 32) {
		unsigned flags = 0;

		if ((at == table || at[-1] == '\n') &&
		    sscanf(at, "%*s %*s %*s %*s %*s %*s %*s %*s %x", &flags) == 1 && flags & RTF_LOCAL)
			return true;
	}
	return false;
}

static bool all_local(const struct scratch *s, const struct netview *nv)
{
	_cleanup_free_ char *table = NULL;

	if (netns_read_proc(&s->ns, "net/ipv6_route", PROC_MOST, &table, NULL, NULL) < 0)
		return true; /* no IPv6 */
	for (unsigned i = 0; i < nv->n_addrs; i++) {
		const struct nv_link *l = nv_link_by_index(nv, nv->addrs[i].ifindex);

		if (nv->addrs[i].addr.family == AF_INET6 && l && l->flags & IFF_UP && nv_addr_is_ready(&nv->addrs[i]) &&
		    !has_local_route(table, &nv->addrs[i].addr))
			return false;
	}
	return true;
}

/* The kernel's own routes to IPv6 addresses come a moment later, from a work queue (addrconf_dad_work()). */
static void await_addresses(struct scratch *s, const struct netview *nv)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	for (unsigned i = 0; i < AWAIT_TIMES; i++) {
		if (all_local(s, nv))
			return;
		nanosleep(&moment, NULL);
	}
	gaps_add(&s->gaps, "the kernel has not taken them up", "IPv6 addresses");
}

int scratch_routes(struct scratch *s, const struct netview *nv, struct err *e)
{
	_cleanup_close_ int fd = netns_socket(&s->ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, e);

	if (fd < 0)
		return -1;
	if (nv->routes_unread)
		gaps_add(&s->gaps, nv->routes_unread, "routes and policy rules");
	for (unsigned i = 0; i < nv->n_addrs; i++) {
		/* the kernel takes one that it is still trying neither for a source nor for its own */
		int error = nv_addr_is_ready(&nv->addrs[i]) ? add_address(fd, &nv->addrs[i]) : 0;
		char text[ADDR_TEXT];

		if (error && error != EEXIST)
			gaps_add(&s->gaps, strerror(error), "address %s", addr_fmt(&nv->addrs[i].addr, text));
	}
	add_routes(s, fd, nv, false);
	add_routes(s, fd, nv, true);
	add_rules(s, fd, nv);
	await_addresses(s, nv);
	return 0;
}
