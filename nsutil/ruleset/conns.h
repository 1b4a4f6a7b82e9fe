/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conns - connections as connection tracking knows them. netns/ reads them, trace/ looks them up */
#ifndef NSUTIL_RULESET_CONNS_H
#define NSUTIL_RULESET_CONNS_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"

struct conn_tuple {
	struct addr src, dst;
	uint16_t sport, dport; /* host order; 0 for protocols without ports */
};

struct conn {
	uint8_t family, protocol; /* AF_*, IPPROTO_* */
	struct conn_tuple orig, reply;
	const char *state;	/* "ESTABLISHED", of TCP only; else NULL */
	uint32_t status;	/* IPS_* of <linux/netfilter/nf_conntrack_common.h> */
	uint32_t mark, timeout;	/* timeout in seconds */
	uint16_t zone;		/* of both directions, or of the original one */
	uint16_t reply_zone;
	bool has_counters;
	uint64_t packets[2], bytes[2]; /* original, reply */
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_reply_id; /* source NAT may change it */
	uint8_t labels[16];	/* as the kernel has them in memory; zero when it has none */
	const char *helper;	/* that watches it; NULL when none */
	bool has_master;	/* it was expected by the helper of another connection, */
	struct conn_tuple master; /* whose original direction this is */
};

struct conn_index;

struct conn_list {
	struct arena *arena;
	struct conn *conns;
	unsigned n;
	struct conn_index *index; /* NULL until conn_list_index() */
};

/* conn_redirected() - where it was meant to go is not where it went (dnat, redirect) */
bool conn_redirected(const struct conn *c);
/* conn_masked() - the answers go to another address than it came from (snat, masquerade) */
bool conn_masked(const struct conn *c);

/* What a packet is looked up by. Of ICMP the id and the type with the code stand in place of the ports. */
struct conn_key {
	uint8_t family, protocol;
	struct conn_tuple t;
};

/* conn_icmp_key() - put the id, type and code of an ICMP query in place of the ports */
void conn_icmp_key(struct conn_key *k, uint16_t id, uint8_t type, uint8_t code);

/* conn_key_of() - what its packets of a direction are looked up by */
struct conn_key conn_key_of(const struct conn *c, bool reply);

/* conn_list_index() - prepare for conn_list_find(); returns -1 when memory ran out */
int conn_list_index(struct conn_list *cl);

/**
 * conn_list_find() - the connection that a packet belongs to (nf_conntrack_find_get)
 * @cl:		list, with its index
 * @k:		packet
 * @zones:	the zone it is in, should it be of the original direction, or of replies; NULL: any
 * @ret_reply:	set when found: it goes in the direction of the replies
 *
 * Return: the connection, NULL when there is none
 */
const struct conn *conn_list_find(const struct conn_list *cl, const struct conn_key *k, const uint16_t zones[2], bool *ret_reply);

#endif
