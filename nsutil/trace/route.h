/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route - the kernel's route lookup on a view of a namespace: policy rules, tables, source address */
#ifndef NSUTIL_TRACE_ROUTE_H
#define NSUTIL_TRACE_ROUTE_H

#include "nsutil/ruleset/netview.h"

/* A question that the lookup cannot answer ("is bit 3 of the mark set?"); returns 0..n-1. */
struct route_ask {
	unsigned (*fn)(void *ctx, unsigned n, const char *what);
	void *ctx;
};

struct route_index;
struct route_result;

struct route_key {
	struct addr dst, src;	/* src.family 0: none yet */
	int iif;		/* 0: made here (policy rules then see "lo") */
	int oif;		/* 0: any */
	int near;		/* of routes to one prefix, that by this device comes first, whatever its metric; 0: none */
	uint32_t mark, mark_known;
	uint32_t uid;
	bool uid_known;
	uint8_t tos, tos_known;	/* the byte of the header; bits that are known */
	uint8_t l4proto;
	int sport, dport;	/* -1: not known */
	const struct route_result *before; /* where the same route is found again, its hop is taken again; NULL: none */
	struct route_ask ask;	/* fn NULL: an unknown counts as no match */
	const struct route_index *index; /* of the view; NULL: all its routes are looked at, the answer is the same */
};

enum route_kind { ROUTE_UNICAST, ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST, ROUTE_UNREACHABLE };

struct route_result {
	enum route_kind kind;
	const struct nv_route *route; /* NULL when an address stood in for the local table */
	int oif;		/* loopback when local and made here */
	struct addr via;	/* family 0: on link */
	struct addr src;	/* chosen source address; family 0 when none fits */
	uint32_t table;
	uint32_t realm, rule_realm; /* of the hop, and of the policy rule */
	const char *why;	/* UNREACHABLE: why */
};

/**
 * route_lookup() - where a packet goes (fib_lookup, ip_route_output_key_hash_rcu, ip6_route_output)
 * @nv:		view; when routes_unread is set the caller must not ask
 * @key:	packet
 * @res:	filled
 */
void route_lookup(const struct netview *nv, const struct route_key *key, struct route_result *res);

/* route_leads() - is there a table, whatever the policy rules say, that leads to key->dst through @oif? */
bool route_leads(const struct netview *nv, const struct route_key *key, int oif);

/* ---- route_index.c ---- */

/* route_index_new() - of a view that does not change any more; NULL when memory ran out */
struct route_index *route_index_new(struct arena *a, const struct netview *nv);
/* route_index_find() - the best route of a table that route_fits(); NULL when there is none */
const struct nv_route *route_index_find(const struct route_index *x, uint32_t table, const struct route_key *k);
/* route_index_plain() - does a rule of the view match whatever the packet? */
bool route_index_plain(const struct route_index *x, const struct nv_rule *r);
/* route_fits() - is it a route for the packet: its device, source and type of service? The destination is for the caller to see. */
bool route_fits(const struct nv_route *r, const struct route_key *k);
/* route_before() - of two routes to a destination, does the kernel look at the first one first? */
bool route_before(const struct nv_route *a, const struct nv_route *b);

/* ---- route.c ---- */

/**
 * route_source() - the source address for a way out (inet_select_addr, ipv6_dev_get_saddr)
 * @nv:		view
 * @oif:	device
 * @dst:	destination; for IPv4 the gateway, and of family 0 where there is none: then the first address is taken
 * @scope:	IPv4: RT_SCOPE_* that the address has at most
 *
 * Return: an address; family 0 when the device and all others have none
 */
struct addr route_source(const struct netview *nv, int oif, const struct addr *dst, uint8_t scope);

/**
 * route_primary() - first address of a device that is not secondary (nf_nat_redirect.c)
 * @like:	IPv6: prefer an address of the scope of this one
 */
struct addr route_primary(const struct netview *nv, int ifindex, const struct addr *like);

/** route_limited_broadcast() - Return: is it 255.255.255.255? */
bool route_limited_broadcast(const struct addr *a);

/**
 * route_addr_type() - RTN_* of an address, as "addrtype" and "fib daddr type" see it
 * @oif:	restrict to a device, or 0
 * @strict:	IPv6: an address of another device has no route (match_lookup_rt6), instead of being
 *		unicast (__nft_fib6_eval_type)
 */
unsigned route_addr_type(const struct netview *nv, const struct addr *a, int oif, bool strict);

/**
 * route_listener() - the socket that takes a first packet (inet_lookup_listener, udp4_lib_lookup2)
 * @sockets, @n: sockets that have its port; the first of equals is taken
 * @k:		the packet: dst, dport, src (of family 0 when not known) and sport (-1) for connected UDP sockets,
 *		l4proto, and iif, the device it came in through
 *
 * Return: the best match, or NULL
 */
const struct nv_socket *route_listener(const struct nv_socket *const *sockets, unsigned n, const struct route_key *k);

#endif
