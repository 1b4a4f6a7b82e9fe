/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assume - what a trace takes for granted where a file holds rules but no links, routes and sockets */
#include "nsutil/dump/assume.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { LO = 1, ETH0 = 2, LINKS_MAX = 4, ADDRS_MAX = 3, ROUTES_MAX = 8 };

const char *const assume_says[] = {
	"links lo and eth0, with a default route through eth0",
	"the target has the address that the connection comes from (out) or goes to (in), and no other",
	"no policy routing; forwarding is on",
	NULL,
};

static struct nv_link *add_link(struct netview *nv, const char *name, unsigned flags)
{
	struct nv_link *l = &nv->links[nv->n_links++];

	l->index = (int)nv->n_links;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->type = flags & IFF_LOOPBACK ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	l->flags = flags | IFF_UP | IFF_RUNNING;
	l->mtu = l->mtu6 = flags & IFF_LOOPBACK ? 65536 : 1500;
	l->peer_nsid = -1;
	return l;
}

static void add_route(struct netview *nv, uint8_t type, uint32_t table, const struct addr *dst, uint8_t len, int oif,
		      struct nv_nexthop *hop)
{
	struct nv_route *r = &nv->routes[nv->n_routes++];

	*hop = (struct nv_nexthop){ .oif = oif, .weight = 1 };
	*r = (struct nv_route){ .family = dst->family, .type = type, .table = table, .dst = *dst, .dst_len = len,
				.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
				.hops = hop, .n_hops = 1 };
}

static void add_addr(struct netview *nv, const struct addr *a, uint8_t len, int ifindex, struct nv_nexthop *hop)
{
	uint8_t full = a->family == AF_INET6 ? 128 : 32;

	nv->addrs[nv->n_addrs++] = (struct nv_addr){ .ifindex = ifindex, .addr = *a, .prefix_len = len,
						     .scope = ifindex == LO ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
						     .flags = IFA_F_PERMANENT };
	add_route(nv, RTN_LOCAL, RT_TABLE_LOCAL, a, ifindex == LO ? len : full, ifindex, hop);
}

static void fill(struct netview *nv, struct nv_nexthop *hops, const struct assume_known *known)
{
	const struct addr lo4 = { .family = AF_INET, .b = { 127, 0, 0, 1 } };
	const struct addr lo6 = { .family = AF_INET6, .b = { [15] = 1 } };
	const struct addr any4 = { .family = AF_INET }, any6 = { .family = AF_INET6 };
	const char *named[] = { known->iif, known->oif };

	add_link(nv, "lo", IFF_LOOPBACK);
	add_link(nv, "eth0", IFF_BROADCAST);
	for (unsigned i = 0; i < 2; i++)
		if (named[i] && strlen(named[i]) < 16 && !nv_link_by_name(nv, named[i]))
			add_link(nv, named[i], IFF_BROADCAST);
	add_addr(nv, &lo4, 8, LO, hops++);
	add_addr(nv, &lo6, 128, LO, hops++);
	if (known->own.family && !addr_is_loopback(&known->own))
		add_addr(nv, &known->own, known->own.family == AF_INET6 ? 64 : 24, ETH0, hops++);
	add_route(nv, RTN_UNICAST, RT_TABLE_MAIN, &any4, 0, ETH0, hops++);
	add_route(nv, RTN_UNICAST, RT_TABLE_MAIN, &any6, 0, ETH0, hops++);
	nv->ip_forward = nv->ip6_forward = true;
	nv->port_low = 32768;
	nv->port_high = 60999;
	nv->sockets_unread = "a file of rules says nothing of sockets";
}

int assume_netview(const struct assume_known *known, struct netview **ret, struct err *e)
{
	struct arena *a = arena_new();
	struct netview *nv = a ? arena_alloc(a, sizeof(*nv)) : NULL;
	struct nv_nexthop *hops = a ? arena_array(a, ROUTES_MAX, sizeof(*hops)) : NULL;

	if (nv) {
		nv->links = arena_array(a, LINKS_MAX, sizeof(*nv->links));
		nv->addrs = arena_array(a, ADDRS_MAX, sizeof(*nv->addrs));
		nv->routes = arena_array(a, ROUTES_MAX, sizeof(*nv->routes));
	}
	if (!hops || !nv || !nv->links || !nv->addrs || !nv->routes) {
		arena_free(a);
		return err_oom(e);
	}
	nv->arena = a;
	fill(nv, hops, known);
	*ret = nv;
	return 0;
}
