/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netview - the rest of a network namespace that decides a packet's way: links, addresses, routes,
 * policy rules, sockets. netns/ fills it, trace/ and doctor/ read it. */
#ifndef NSUTIL_RULESET_NETVIEW_H
#define NSUTIL_RULESET_NETVIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"

struct nv_link {
	int index;
	char name[16];
	char kind[16];		/* "veth", "bridge" ...; "" when none */
	uint8_t mac[6];
	uint16_t type;		/* ARPHRD_* */
	uint32_t flags, mtu, group; /* flags: IFF_* */
	uint32_t mtu6;		/* net.ipv6.conf of it, which a router may have told; 0: not known */
	int master;		/* ifindex of the bridge or bond, 0 when none */
	int peer;		/* ifindex of a veth's peer (in its namespace), 0 when unknown */
	int peer_nsid;		/* -1 when the peer is in this namespace or unknown */
	/* net.ipv4.conf of it, without what is set for all */
	bool has_conf;		/* the following were read */
	uint8_t rp_filter;	/* 0 none, 1 strict, 2 loose */
	bool forwarding, route_localnet, accept_local, src_valid_mark;
	bool no_redirects;	/* send_redirects is 0 */
};

struct nv_addr {
	int ifindex;
	struct addr addr;
	uint8_t prefix_len, scope; /* RT_SCOPE_* */
	uint32_t flags;		/* IFA_F_* */
	struct addr peer;	/* point to point; family 0 when none */
};

struct nv_group {		/* multicast, that an interface belongs to */
	int ifindex;
	struct addr group;
};

struct nv_nexthop {
	int oif;
	struct addr via;	/* family 0 when on link */
	uint8_t weight;
	uint32_t realm;		/* RTA_FLOW: 0 none */
};

struct nv_nexthop_object {	/* ip nexthop; only while routes are read */
	uint32_t id;
	struct nv_nexthop hop;
	bool blackhole, dead;
	uint32_t *members;	/* of a group: their ids */
	unsigned n_members;
};

struct nv_route {
	uint8_t family, type, scope, proto; /* RTN_*, RT_SCOPE_* */
	struct addr dst;
	uint8_t dst_len, tos;
	struct addr src;	/* IPv6: for packets from there only; family 0 when any */
	uint8_t src_len;
	uint32_t table, priority;
	struct addr prefsrc;	/* family 0 when none */
	uint32_t mtu;		/* RTAX_MTU; 0: the device's */
	struct nv_nexthop *hops;
	unsigned n_hops;
	uint32_t nhid;		/* of an object that is all the route says of its hops; 0: none. They are in hops then too */
};

struct nv_learned {		/* a destination that has a path MTU of its own, or another router */
	struct addr dst;
};

struct nv_rule {		/* ip rule */
	uint8_t family, action;	/* FR_ACT_* */
	bool invert;
	uint32_t priority, table;
	struct addr src, dst;	/* family 0 when any */
	uint8_t src_len, dst_len;
	uint32_t fwmark, fwmask;
	char iif[16], oif[16];
	uint32_t uid_from, uid_to; /* 0..UINT32_MAX when any */
	uint8_t ipproto, tos;
	uint8_t dscp, dscp_mask; /* FRA_DSCP, as bits of the header's byte; mask 0 when any */
	bool unread;		/* it has a condition that is not read: tun_id, flowlabel, masks of ports */
	uint16_t sport_from, sport_to, dport_from, dport_to; /* 0-0 when any */
	bool l3mdev;
	int suppress_prefixlen; /* -1 when none */
	bool suppresses_group;
	uint32_t suppress_group; /* of the route's device */
	uint32_t realm;		/* FRA_FLOW: 0 none */
	uint32_t goto_target;
};

#define NV_TCP_SYN_RECV 3  /* include/net/tcp_states.h */
#define NV_TCP_TIME_WAIT 6

struct nv_socket {
	uint8_t family, protocol; /* AF_*, IPPROTO_* */
	bool listening;		/* TCP listen; UDP unconnected */
	struct addr local, remote;
	uint16_t lport, rport;	/* host order */
	uint32_t uid, ifindex, mark;
	uint8_t tcp_state;
	bool details;		/* mark, v6only, transparent are known (not from /proc/net alone) */
	bool v6only, transparent;
	uint64_t inode;
	pid_t pid;		/* 0 when the process is not known */
	char process[16];	/* its comm; "" when not known */
	bool has_gid;		/* gid is known: that of the process */
	uint32_t gid;
	uint64_t cgroup;	/* nv_cgroup.id of the one it was made in; 0 when not known */
};

#define NV_CGROUP_ROOT 1 /* what the kernel numbers first */

/* A control group of version 2. cgroups.h looks them up. */
struct nv_cgroup {
	uint64_t id, parent;	/* numbers of the directories' inodes; the root's parent is 0 */
	char name[256];		/* "" of the root */
};

/* Users or groups as a user namespace numbers them; no range: as this one does. */
struct nv_id_range {
	uint32_t inside, outside, count;
};

struct nv_ids {
	struct nv_id_range *ranges;
	unsigned n;
};

struct netview {
	struct arena *arena;
	struct nv_link *links;
	unsigned n_links;
	struct nv_addr *addrs;
	unsigned n_addrs;
	struct nv_group *groups;
	unsigned n_groups;
	bool groups_read;	/* false: there may be others */
	struct nv_route *routes;
	unsigned n_routes;
	struct nv_learned *learned; /* exceptions of the routes */
	unsigned n_learned;
	struct nv_nexthop_object *nexthops;
	unsigned n_nexthops;
	struct nv_rule *rules;
	unsigned n_rules;
	struct nv_socket *sockets;
	unsigned n_sockets;
	struct nv_ids uids, gids; /* of the user namespace that the network namespace belongs to */
	bool realms;		/* some route or policy rule has one */
	bool no_ipsec;		/* neither policies nor states: no packet comes or goes by one. false: it may have */
	uint8_t rp_filter;	/* net.ipv4.conf.all: the higher of this and the link's counts */
	bool route_localnet, accept_local, src_valid_mark; /* net.ipv4.conf.all: or the link's */
	bool no_redirects;	/* net.ipv4.conf.all.send_redirects is 0: then the link's counts */
	bool keeps_priority;	/* net.ipv4.ip_forward_update_priority is 0 */
	bool bridge_calls_ip, bridge_calls_ip6; /* br_netfilter is there, and net.bridge.bridge-nf-call-iptables, -ip6tables are 1 */
	bool no_demux, no_demux_tcp, no_demux_udp; /* net.ipv4.ip_early_demux, tcp_early_demux, udp_early_demux are 0 */
	bool ip_forward, ip6_forward, ipv6_disabled;
	uint16_t port_low, port_high; /* net.ipv4.ip_local_port_range */
	struct nv_cgroup *cgroups; /* those of sockets, with all above them, by their id; none until nv_read_cgroups() */
	unsigned n_cgroups;
	/* Why a part is missing; NULL when it was read. The trace treats a missing part as unknown. */
	const char *routes_unread, *sockets_unread;
	const char *cgroups_unread; /* why some are missing; NULL too where none were asked for */
};

/* nv_link_by_index(), nv_link_by_name() - NULL when there is none */
const struct nv_link *nv_link_by_index(const struct netview *nv, int index);
const struct nv_link *nv_link_by_name(const struct netview *nv, const char *name);
/* nv_id_inside() - what rules call a user or group of this user namespace; 65534 for one that has no number there */
uint32_t nv_id_inside(const struct nv_ids *ids, uint32_t id);
/* nv_socket_is_full() - sk_fullsock(): not one that only waits, for the end of a connection or for its first answer */
bool nv_socket_is_full(const struct nv_socket *s);
/* nv_addr_is_ready() - the kernel uses it: no IPv6 address that is still tried, or was found to be another's
 * (ipv6_dev_get_saddr, addrconf_dad_completed) */
bool nv_addr_is_ready(const struct nv_addr *a);
/* nv_addr_is_local() - some interface has the address, or it is loopback */
bool nv_addr_is_local(const struct netview *nv, const struct addr *a);

#endif
