/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ktrace - the kernel's own trace of packets, legacy tables and nftables in one order */
#ifndef NSUTIL_LIVE_KTRACE_H
#define NSUTIL_LIVE_KTRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

/*
 * A packet whose trace bit is set is reported by both worlds: nftables tells its netlink group
 * NFNLGRP_NFTRACE, and legacy tables log a line "TRACE: nat:OUTPUT:rule:1", which arrives as a message of NFLOG
 * group 0 once nfnetlink_log is the namespace's logger. One socket takes both, so that their order is kept.
 */

enum ktrace_type { KTRACE_RULE, KTRACE_RETURN, KTRACE_POLICY };

/* One step of the kernel. Texts live until the next one. */
struct ktrace_step {
	bool legacy;
	uint8_t family;		/* NFPROTO_*, of the table */
	enum ktrace_type type;
	char table[64], chain[128];
	uint32_t number;	/* legacy: of the rule in its chain, also of "return" and "policy" */
	uint64_t handle;	/* nftables: of the rule */
	enum verdict verdict;	/* nftables */
	char to[128];		/* nftables: chain of a jump or goto */
	uint32_t id;		/* nftables: of the packet; 0 in the legacy store */
	int hook;		/* NF_INET_*; -1 when not told */
	uint32_t iif, oif;	/* 0: none, or not told */
	/* the packet at this step, as far as it is told */
	bool has_packet;
	uint8_t ip_family, l4proto; /* AF_*, IPPROTO_* */
	struct addr src, dst;
	int sport, dport;	/* -1: none */
	int icmp_type, tcp_flags; /* -1: none */
	uint16_t length;
	bool has_uid, has_mark;
	uint32_t uid, gid, mark;
};

struct ktrace;

/**
 * ktrace_open() - listen in a namespace
 * @ns:		namespace
 * @legacy:	also to legacy tables: nfnetlink_log becomes the logger of IPv4 and IPv6 in this namespace. To put
 *		the former one back is the caller's (see live/logger.h); a scratch needs none of that
 * @ret:	set on success, to be given back with ktrace_close()
 * @e:		error: what the kernel lacks, or ERR_PERM naming CAP_NET_ADMIN
 *
 * No module is loaded: what is not there yet is an error.
 *
 * Return: 0, or -1
 */
int ktrace_open(const struct netns *ns, bool legacy, struct ktrace **ret, struct err *e);
void ktrace_close(struct ktrace *kt);
/* ktrace_fd() - for poll(): readable when there are steps */
int ktrace_fd(const struct ktrace *kt);

/* ktrace_goes_on() - has the packet gone on behind what looked like its end? Behind postrouting its interface's own chains come,
 * of which only a drop says so */
bool ktrace_goes_on(const struct ktrace_step *step);

/**
 * ktrace_read() - hand over the steps that are there
 * @kt:		where
 * @wait_ms:	how long to wait for the first of them
 * @fn:		called per step
 * @arg:	passed on
 * @e:		error; errnum ENOBUFS: steps were lost, there were too many at once
 *
 * Return: number of steps, or -1
 */
int ktrace_read(struct ktrace *kt, int wait_ms, void (*fn)(void *arg, const struct ktrace_step *step), void *arg,
		struct err *e);

#endif
