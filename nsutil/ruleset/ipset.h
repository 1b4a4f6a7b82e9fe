/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset - the model of an ipset and its members, which xt rules name */
#ifndef NSUTIL_RULESET_IPSET_H
#define NSUTIL_RULESET_IPSET_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"

#define IPSET_DIMS_MAX 3

/* What one dimension of a type holds: "hash:ip,port,net" has ADDR, PORT, ADDR. */
enum ipset_dim { IPSET_DIM_NONE, IPSET_DIM_ADDR, IPSET_DIM_PORT, IPSET_DIM_MAC, IPSET_DIM_IFACE,
		 IPSET_DIM_MARK, IPSET_DIM_SET };

struct ipset_range {
	struct addr from, to; /* 'to' has family 0 when it is one address or a prefix */
	uint8_t cidr;	      /* full length when not a network */
};

struct ipset_elem {
	struct ipset_range ip, ip2; /* first and second address dimension; family 0 when absent */
	bool has_port, has_proto, has_mac, has_mark;
	uint8_t proto;
	uint16_t port, port_to; /* port_to 0 when one; ICMP: type << 8 | code */
	uint8_t mac[6];
	uint32_t mark;
	const char *iface;	/* NULL when absent */
	bool physdev, nomatch;
	const char *set;	/* list:set; NULL when absent */
	bool has_timeout, has_counters;
	uint32_t timeout;	/* seconds left; 0 never */
	uint64_t packets, bytes;
	const char *comment;
	uint32_t skbmark, skbmask, skbprio; /* of a set with 'skbinfo': what -j SET --map-set makes of the packet */
	uint16_t skbqueue;
	struct ipset_elem *next;
};

struct ipset {
	const char *name, *type; /* "KUBE-CLUSTER-IP", "hash:ip,port" */
	uint8_t family, revision; /* NFPROTO_*; bitmap and list types may say 0 */
	uint16_t index;		/* kernel's index; 0xffff when not told */
	enum ipset_dim dims[IPSET_DIMS_MAX];
	unsigned n_dims;
	uint32_t n_elems, references;
	uint8_t netmask;	/* of the set, 0 when none */
	uint32_t markmask;	/* hash:ip,mark; all ones when none */
	struct ipset_elem *elems, **elems_tail;
	struct ipset *next;
};

struct ipset_list {
	struct arena *arena;
	struct ipset *sets, **sets_tail;
};

/* ipset_list_new() - an empty list with its own arena; NULL when memory ran out */
struct ipset_list *ipset_list_new(void);
/* ipset_list_free() - give back a list and everything in it; NULL is fine */
void ipset_list_free(struct ipset_list *list);

/* ipset_find() - by exact name; NULL when there is none */
struct ipset *ipset_find(const struct ipset_list *list, const char *name);

/**
 * ipset_add() - add an empty set to the list
 * @type:	type name; its dimensions are derived, unknown ones become IPSET_DIM_NONE
 *
 * Return: the set, NULL when memory ran out
 */
struct ipset *ipset_add(struct ipset_list *list, const char *name, const char *type);

/* ipset_elem_text() - append a member as 'ipset save' prints it: "10.0.0.1,tcp:80 timeout 5" */
void ipset_elem_text(const struct ipset *set, const struct ipset_elem *elem, struct buf *b);

#endif
