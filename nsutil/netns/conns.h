/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conns - connection-tracking entries of a network namespace */
#ifndef NSUTIL_NETNS_CONNS_H
#define NSUTIL_NETNS_CONNS_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"

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
	uint16_t icmp_id;
};

struct conn_list {
	struct arena *arena;
	struct conn *conns;
	unsigned n;
};

/**
 * conns_read() - all entries of the namespace
 * @ns:		namespace
 * @ret:	set on success, to be given back with conns_free(); empty when the kernel tracks nothing
 * @e:		error; errnum ENOPROTOOPT when asking would make the kernel load a module
 *
 * Return: 0, or -1
 */
int conns_read(const struct netns *ns, struct conn_list **ret, struct err *e);
void conns_free(struct conn_list *cl);

/* conns_record() - append the kernel's answers, for a bundle. Return: 0, or -1 */
int conns_record(const struct netns *ns, struct buf *ret, struct err *e);
/* conns_play() - what conns_read() would have made of such answers (aligned to 4). Return: 0, or -1: broken, memory */
int conns_play(const void *tape, size_t size, struct conn_list **ret, struct err *e);

/* conn_redirected() - where it was meant to go is not where it went (dnat, redirect) */
bool conn_redirected(const struct conn *c);
/* conn_masked() - the answers go to another address than it came from (snat, masquerade) */
bool conn_masked(const struct conn *c);

#endif
