/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netview - read what else decides a packet's way in a namespace */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/parts.h"

/* A small number of a sysctl; @missing when there is no such file (no IPv6, /proc/sys not mounted). */
static unsigned long read_sysctl(const struct netns *ns, const char *path, unsigned long missing)
{
	_cleanup_free_ char *text = NULL;

	if (netns_read_proc(ns, path, 64, &text, NULL, NULL) < 0)
		return missing;
	return strtoul(text, NULL, 10);
}

static void read_port_range(const struct netns *ns, struct netview *nv)
{
	_cleanup_free_ char *text = NULL;
	unsigned low, high;

	/* the kernel's own default (net/ipv4/af_inet.c inet_init_net()) */
	nv->port_low = 32768;
	nv->port_high = 60999;
	if (netns_read_proc(ns, "sys/net/ipv4/ip_local_port_range", 64, &text, NULL, NULL) == 0 &&
	    sscanf(text, "%u %u", &low, &high) == 2 && low <= high && high <= UINT16_MAX) {
		nv->port_low = (uint16_t)low;
		nv->port_high = (uint16_t)high;
	}
}

struct sysctls {
	const struct netns *ns;
	struct netview *nv;
};

static int read_sysctls_inside(void *arg, struct err *e)
{
	const struct sysctls *s = arg;
	struct netview *nv = s->nv;

	(void)e;
	nv->ip_forward = read_sysctl(s->ns, "sys/net/ipv4/ip_forward", 0) != 0;
	nv->ip6_forward = read_sysctl(s->ns, "sys/net/ipv6/conf/all/forwarding", 0) != 0;
	nv->ipv6_disabled = read_sysctl(s->ns, "sys/net/ipv6/conf/all/disable_ipv6", 1) != 0;
	nv->route_localnet = read_sysctl(s->ns, "sys/net/ipv4/conf/all/route_localnet", 0) != 0;
	nv->accept_local = read_sysctl(s->ns, "sys/net/ipv4/conf/all/accept_local", 0) != 0;
	nv->src_valid_mark = read_sysctl(s->ns, "sys/net/ipv4/conf/all/src_valid_mark", 0) != 0;
	nv->no_redirects = read_sysctl(s->ns, "sys/net/ipv4/conf/all/send_redirects", 1) == 0;
	nv->keeps_priority = read_sysctl(s->ns, "sys/net/ipv4/ip_forward_update_priority", 1) == 0;
	nv->bridge_calls_ip = read_sysctl(s->ns, "sys/net/bridge/bridge-nf-call-iptables", 0) != 0;
	nv->bridge_calls_ip6 = read_sysctl(s->ns, "sys/net/bridge/bridge-nf-call-ip6tables", 0) != 0;
	nv->no_demux = read_sysctl(s->ns, "sys/net/ipv4/ip_early_demux", 1) == 0;
	nv->no_demux_tcp = read_sysctl(s->ns, "sys/net/ipv4/tcp_early_demux", 1) == 0;
	nv->no_demux_udp = read_sysctl(s->ns, "sys/net/ipv4/udp_early_demux", 1) == 0;
	nv->rp_filter = (uint8_t)read_sysctl(s->ns, "sys/net/ipv4/conf/all/rp_filter", 0);
	read_port_range(s->ns, nv);
	return 0;
}

/* Entered once for all of them, where it can be; else each file has its own reason. */
static void read_sysctls(const struct netns *ns, struct netview *nv)
{
	struct sysctls s = { ns, nv };

	if (netns_call(ns, read_sysctls_inside, &s, NULL) < 0)
		read_sysctls_inside(&s, NULL);
}

/*
 * The kernel gives the other end's namespace a number (nsid) in this one when it is first asked
 * for a veth; this is the one trace a look leaves, the same as any "ip link" (rtnl_fill_link_netnsid()).
 */
static int read_links(int fd, struct netview *nv, struct err *e)
{
	if (nv_rtnl(fd, RTM_GETLINK, "links", nv_parse_link, &nv->n_links, nv, e) < 0)
		return -1;
	return nv_rtnl(fd, RTM_GETADDR, "addresses", nv_parse_addr, &nv->n_addrs, nv, e);
}

static int read_routes(int fd, struct netview *nv, struct err *e)
{
	if (nv_rtnl(fd, RTM_GETROUTE, "routes", nv_parse_route, &nv->n_routes, nv, e) < 0)
		return -1;
	if (nv_names_nexthops(nv) &&
	    (nv_rtnl(fd, RTM_GETNEXTHOP, "nexthops", nv_parse_nexthop, &nv->n_nexthops, nv, e) < 0 || nv_resolve_nexthops(nv, e) < 0))
		return -1;
	return nv_rtnl(fd, RTM_GETRULE, "policy rules", nv_parse_rule, &nv->n_rules, nv, e);
}

static int read_rtnetlink(const struct netns *ns, unsigned parts, struct netview *nv, struct err *e)
{
	_cleanup_close_ int fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, e);
	struct err why = ERR_INIT;

	if (fd < 0)
		return -1;
	if ((parts & NETVIEW_LINKS) && read_links(fd, nv, e) < 0)
		return -1;
	if (!(parts & NETVIEW_ROUTES))
		return 0;
	if (read_routes(fd, nv, &why) < 0) {
		nv->n_routes = nv->n_rules = nv->n_learned = 0;
		nv->routes_unread = arena_printf(nv->arena, "%s: %s", why.what, why.why);
		return nv->routes_unread ? 0 : err_oom(e);
	}
	nv->routes_unread = NULL;
	return 0;
}

static int read_sockets(const struct netns *ns, unsigned parts, const char *proc, struct netview *nv,
			struct err *e)
{
	struct err why = ERR_INIT;

	if (nv_read_sockets(ns, parts, nv, &why) < 0) {
		nv->n_sockets = 0;
		nv->sockets_unread = arena_printf(nv->arena, "%s: %s", why.what, why.why);
		return nv->sockets_unread ? 0 : err_oom(e);
	}
	nv->sockets_unread = NULL;
	if (parts & NETVIEW_PROCESSES)
		nv_find_processes(ns, proc, nv);
	return 0;
}

static int read_parts(const struct netns *ns, unsigned parts, const char *proc, struct netview *nv,
		      struct err *e)
{
	nv->routes_unread = nv->sockets_unread = "not asked for";
	if (!(parts & NETVIEW_NO_SYSCTLS))
		read_sysctls(ns, nv);
	if ((parts & (NETVIEW_LINKS | NETVIEW_ROUTES)) && read_rtnetlink(ns, parts, nv, e) < 0)
		return -1;
	if ((parts & NETVIEW_ROUTES) && !(parts & NETVIEW_NO_SYSCTLS) && nv_read_groups(ns, nv, e) < 0)
		return -1;
	nv->no_ipsec = (parts & NETVIEW_IPSEC) && nv_has_no_ipsec(ns);
	if (parts & (NETVIEW_SOCKETS | NETVIEW_PROCESSES))
		return read_sockets(ns, parts, proc, nv, e);
	return 0;
}

int netview_read(const struct netns *ns, unsigned parts, const char *proc, struct netview **ret,
		 struct err *e)
{
	struct arena *arena = arena_new();
	struct netview *nv = arena ? arena_alloc(arena, sizeof(*nv)) : NULL;

	if (!nv) {
		arena_free(arena);
		return err_oom(e);
	}
	nv->arena = arena;
	if (read_parts(ns, parts, proc, nv, e) < 0) {
		netview_free(nv);
		return -1;
	}
	*ret = nv;
	return 0;
}

void netview_free(struct netview *nv)
{
	if (nv)
		arena_free(nv->arena);
}
