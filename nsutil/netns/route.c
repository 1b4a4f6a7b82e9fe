/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route - routes of all tables from rtnetlink messages */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/netns/parts.h"

static unsigned full_len(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* RTA_GATEWAY is of the route's family; RTA_VIA names its own (IPv4 over an IPv6 gateway). RTA_FLOW is a realm. */
static void parse_gateway(const struct nv_attrs *a, uint8_t family, struct nv_nexthop *hop)
{
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} via;

	nv_attr_u32(a, RTA_FLOW, &hop->realm);
	if (nv_attr_addr(a, RTA_GATEWAY, family, &hop->via))
		return;
	memset(&via, 0, sizeof(via));
	if (nv_attr_copy(a, RTA_VIA, &via, 2 + 16) && via.family == AF_INET6)
		hop->via = addr_from(AF_INET6, via.bytes);
	else if (nv_attr_copy(a, RTA_VIA, &via, 2 + 4) && via.family == AF_INET)
		hop->via = addr_from(AF_INET, via.bytes);
}

static int add_hop(struct netview *nv, struct nv_route *r, const struct nv_nexthop *hop, struct err *e)
{
	struct nv_nexthop *slot = nv_more(nv, r->hops, r->n_hops);

	if (!slot)
		return err_oom(e);
	*slot = *hop;
	return 0;
}

/* An array of struct rtnexthop, each with attributes of its own and its own length. */
static int parse_multipath(const struct nv_attrs *a, struct netview *nv, struct nv_route *r, struct err *e)
{
	size_t len;
	const char *at = nv_attr_nested(a, RTA_MULTIPATH, &len);
	struct rtnexthop nh;

	while (at && len >= sizeof(nh)) {
		struct nv_nexthop hop = { 0 };
		struct nv_attrs inner;
		size_t step;

		memcpy(&nh, at, sizeof(nh));
		if (nh.rtnh_len < sizeof(nh) || nh.rtnh_len > len)
			break;
		nv_attrs(&inner, at + sizeof(nh), nh.rtnh_len - sizeof(nh));
		hop.oif = nh.rtnh_ifindex;
		/* the kernel counts from 0, everybody else (and RTA_MULTIPATH's weight 256) from 1 */
		hop.weight = nh.rtnh_hops == 255 ? 255 : nh.rtnh_hops + 1;
		parse_gateway(&inner, r->family, &hop);
		nv->realms |= inner.tb[RTA_FLOW] != NULL;
		/* a dead hop is never chosen (net/ipv4/fib_semantics.c fib_select_multipath()) */
		if (!(nh.rtnh_flags & RTNH_F_DEAD) && add_hop(nv, r, &hop, e) < 0)
			return -1;
		step = RTNH_ALIGN(nh.rtnh_len);
		if (step >= len)
			break;
		at += step;
		len -= step;
	}
	return 0;
}

static int parse_hops(const struct nv_attrs *a, struct netview *nv, struct nv_route *r, struct err *e)
{
	struct nv_nexthop hop = { .weight = 1 };
	uint32_t oif = 0;

	if (a->tb[RTA_MULTIPATH])
		return parse_multipath(a, nv, r, e);
	parse_gateway(a, r->family, &hop);
	if (!nv_attr_u32(a, RTA_OIF, &oif) && !hop.via.family)
		return 0;
	hop.oif = (int)oif;
	return add_hop(nv, r, &hop, e);
}

static bool is_route(const struct nlmsghdr *nlh, const struct rtmsg *head)
{
	return nlh->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(nlh) >= sizeof(*head) &&
	       (head->rtm_family == AF_INET || head->rtm_family == AF_INET6) &&
	       head->rtm_dst_len <= full_len(head->rtm_family) && head->rtm_src_len <= full_len(head->rtm_family);
}

/* fib_dump_info_fnhe(), rt6_nh_dump_exceptions(): told among the routes, as copies of them */
static int parse_learned(const struct nv_attrs *a, uint8_t family, struct netview *nv, struct err *e)
{
	struct nv_learned l = { 0 }, *slot;

	if (!nv_attr_addr(a, RTA_DST, family, &l.dst))
		return 0;
	slot = nv_more(nv, nv->learned, nv->n_learned);
	if (!slot)
		return err_oom(e);
	*slot = l;
	return 0;
}

int nv_parse_route(const struct nlmsghdr *nlh, struct netview *nv, struct err *e)
{
	static const uint8_t zero[16];
	const struct rtmsg *head = mnl_nlmsg_get_payload(nlh);
	struct nv_route r = { 0 }, *slot;
	struct nv_attrs a, metrics;

	if (!is_route(nlh, head))
		return 0;
	nv_attrs(&a, head + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*head));
	if (head->rtm_flags & RTM_F_CLONED)
		return parse_learned(&a, head->rtm_family, nv, e);
	if (head->rtm_flags & RTNH_F_DEAD)
		return 0; /* never chosen */
	r.family = head->rtm_family;
	r.type = head->rtm_type;
	r.scope = head->rtm_scope;
	r.proto = head->rtm_protocol;
	r.tos = head->rtm_tos;
	r.dst_len = head->rtm_dst_len;
	r.table = head->rtm_table;
	nv_attr_u32(&a, RTA_TABLE, &r.table);
	nv_attr_u32(&a, RTA_PRIORITY, &r.priority);
	nv_attr_addr(&a, RTA_PREFSRC, r.family, &r.prefsrc);
	nv_attrs_in(&a, RTA_METRICS, &metrics);
	nv_attr_u32(&metrics, RTAX_MTU, &r.mtu);
	nv->realms |= a.tb[RTA_FLOW] != NULL;
	if (nv_attr_addr(&a, RTA_SRC, r.family, &r.src))
		r.src_len = head->rtm_src_len;
	if (!nv_attr_addr(&a, RTA_DST, r.family, &r.dst))
		r.dst = addr_from(r.family, zero);
	if (parse_hops(&a, nv, &r, e) < 0)
		return -1;
	if (!r.n_hops && r.type == RTN_UNICAST)
		nv_attr_u32(&a, RTA_NH_ID, &r.nhid);
	slot = nv_more(nv, nv->routes, nv->n_routes);
	if (!slot)
		return err_oom(e);
	*slot = r;
	return 0;
}
