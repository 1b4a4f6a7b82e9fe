/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace - which rules a connection hits, and what becomes of it */
#ifndef NSUTIL_TRACE_TRACE_H
#define NSUTIL_TRACE_TRACE_H

#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"
#include "nsutil/trace/parts.h"
#include "nsutil/trace/value.h"

struct ipset_list;
struct conn;
struct conn_list;

enum trace_path { TRACE_OUT, TRACE_IN, TRACE_FORWARD };

/* The connection asked about. What is not given is unknown, not zero. */
struct trace_request {
	enum trace_path path;
	uint8_t family;		/* NFPROTO_IPV4 or NFPROTO_IPV6 */
	uint8_t l4proto;	/* IPPROTO_* */
	struct addr src, dst;	/* src.family 0: chosen by routing (out), else unknown */
	int sport, dport;	/* -1: not given */
	int icmp_type, icmp_code; /* -1: echo request */
	bool has_uid, has_gid, has_mark, has_ct_mark, has_cgroup, has_priority;
	uint32_t uid, gid, mark, ct_mark, cgroup, priority;
	const char *cgroup_path; /* of version 2, the sender's, below the root; NULL: not given */
	uint64_t cgroup_id;	/* the same by its number, where it has no path here; 0: not given */
	const char *iif, *oif;	/* NULL: by routing */
	uint32_t ct_state;	/* one of TRACE_CT_*, 0 for a first packet (NEW) */
	int dscp, ttl, length, tcp_flags; /* -1: not given (tcp_flags: a SYN) */
	int icmp_id;		/* of a query; -1: not given */
	int mss;		/* TCP's option; -1: not given, or among the options in 'parts' */
	struct header_parts parts; /* options, extension headers, fragments */
	int ecn;		/* of the IP header; -1: not given */
	bool has_spi;
	uint32_t spi;		/* of ah and esp */
	bool has_smac, has_dmac;
	uint8_t smac[6], dmac[6]; /* of the frame that brings it */
	bool first;		/* its first packet is meant, though the connection may be tracked by now */
};

/* NF_CT_STATE_* bits of <linux/netfilter/nf_conntrack_common.h> */
enum {
	TRACE_CT_INVALID = 1 << 0,
	TRACE_CT_ESTABLISHED = 1 << 1,
	TRACE_CT_RELATED = 1 << 2,
	TRACE_CT_NEW = 1 << 3,
	TRACE_CT_UNTRACKED = 1 << 6,
};

#define TRACE_REQUEST_INIT \
	{ .sport = -1, .dport = -1, .icmp_type = -1, .icmp_code = -1, .dscp = -1, .ttl = -1, \
	  .length = -1, .tcp_flags = -1, .icmp_id = -1, .mss = -1, .ecn = -1 }

struct trace_options {
	/* Base chains in the order the kernel runs them where priorities are equal (any hooks, any
	 * families); chains that are not named stand in unknown order. */
	const struct chain *const *order;
	unsigned n_order;
	bool all;		/* also record rules that did not match, with why */
	unsigned max_branches;	/* 0: 256 */
	const struct ipset_list *ipsets; /* members of the ipsets that rules name; NULL: not read */
	const char *ipsets_unread; /* then: why */
	bool linear;		/* look at every rule, even where it can be told beforehand that it does not match;
				 * the answer is the same (for tests) */
};

struct trace_change {
	const char *what;	/* dnat, snat, redirect, masquerade, mark, ct mark, ct zone, tproxy, notrack ... */
	const char *text;	/* "127.0.0.1:15001", "0x539" */
	struct trace_change *next;
};

struct trace_step {
	unsigned branch;	/* the outcome this step leads to */
	unsigned leg;		/* 0 first, 1 after loopback */
	unsigned hook;		/* NF_INET_*, see 'chain' for the family */
	const struct chain *chain;
	const struct rule *rule; /* NULL: the chain's policy */
	enum tri matched;	/* UNKNOWN: not decided, and of no consequence */
	bool assumed;		/* matched (or not) by assumption: this branch */
	enum verdict verdict;
	bool reject;		/* drop, with an answer to the sender */
	const char *to;		/* chain of a jump or goto */
	struct trace_change *changes;
	const char *why;	/* not matched: the condition that failed; assumed: on what grounds */
};

struct trace_leg {
	unsigned branch, leg;
	enum trace_path path;
	const char *iif, *oif;	/* "" when none */
	const char *route;	/* "default via 10.0.1.1 dev eth0", in words */
};

enum trace_verdict {
	TRACE_ACCEPT,
	TRACE_DROP,
	TRACE_REJECT,
	TRACE_UNREACHABLE, /* no route: the kernel itself gives up */
	TRACE_UNKNOWN,
};

enum trace_end { TRACE_END_LOCAL, TRACE_END_OUT, TRACE_END_FORWARD };

struct trace_assumption {
	const char *what;	/* "meta skuid == 1337" */
	const char *answer;	/* "yes", "no", or which */
	const char *why;	/* "the uid is not given" */
};

/* One way to come to an outcome: all assumptions hold. */
struct trace_case {
	struct trace_assumption *a;
	unsigned n;
};

struct trace_outcome {
	enum trace_verdict verdict;
	enum trace_end path;
	struct addr src, dst;	/* as the packet ends; family 0 when not known */
	int sport, dport;	/* -1 when none or not known */
	const char *oif;	/* out and forward */
	const struct nv_socket *listener; /* local: NULL when nobody listens */
	const char *listener_unknown; /* why the listener could not be told; else NULL */
	const struct rule *by;	/* the rule that decided: rewrote the destination, or dropped */
	const struct chain *by_policy; /* the chain whose policy dropped it; else NULL */
	const char *why;	/* UNREACHABLE, UNKNOWN, DROP by the kernel: why */
	const struct conn *conn; /* the packet's connection is tracked already; NULL: not, or not known */
	bool conn_used, reply;	/* state, mark and mapping are its own; the packet goes as its replies do */
	struct trace_case *cases; /* none when it depends on nothing */
	unsigned n_cases;
};

struct trace_result {
	struct arena *arena;
	struct trace_step *steps;
	unsigned n_steps;
	struct trace_leg *legs;
	unsigned n_legs;
	struct trace_outcome *outcomes; /* at least one */
	unsigned n_outcomes;
	bool order_unknown;	/* chains of equal priority ran in assumed orders */
	unsigned branches;	/* followed in all */
	bool gathers;		/* it is a fragment, and put together with the others of its packet on some way */
	bool lent;		/* belongs to a room */
	struct trace_request request; /* with what routing chose filled in */
};

struct tracer;
struct trace_room;

/**
 * tracer_new() - prepare a ruleset for tracing: its hooks in order
 * @rs:		ruleset; must outlive the tracer
 * @nv:		links, routes and sockets of the namespace; must outlive the tracer
 * @opt:	options; copied, but what it points to must outlive the tracer
 * @ret:	set on success, to be given back with tracer_free()
 * @e:		error
 *
 * Return: 0, or -1 when memory ran out
 */
int tracer_new(const struct ruleset *rs, const struct netview *nv, const struct trace_options *opt,
	       struct tracer **ret, struct err *e);
void tracer_free(struct tracer *t);

/**
 * tracer_know() - which connections are tracked at the moment. A packet of one of them is no first packet, and
 *	has the mapping that was decided when it was
 * @t:		tracer
 * @conns:	with its index; must outlive the tracer; NULL: not known, every connection is taken for a new one
 */
void tracer_know(struct tracer *t, const struct conn_list *conns);

/* trace_may_be_tracked() - are all parts of the request given that tracked connections are told apart by? */
bool trace_may_be_tracked(const struct trace_request *rq);

/**
 * trace_run() - follow one connection
 * @t:		tracer
 * @rq:		connection
 * @ret:	set on success, to be given back with trace_result_free(); some of its texts are the tracer's
 * @e:		error: ERR_USAGE when the connection makes no sense here (no such interface ...)
 *
 * Return: 0, or -1
 */
int trace_run(const struct tracer *t, const struct trace_request *rq, struct trace_result **ret,
	      struct err *e);
void trace_result_free(struct trace_result *res);

/**
 * trace_room_new() - memory for one answer after another, for many connections in a row
 *
 * Return: room, to be given back with trace_room_free(); NULL when memory ran out
 */
struct trace_room *trace_room_new(void);
void trace_room_free(struct trace_room *room);

/**
 * trace_run_in() - trace_run() with memory that is used again
 * @t:		tracer
 * @room:	room; what the call before left in it is overwritten
 * @rq:		connection
 * @ret:	set on success; good until the next call with @room (trace_result_free() does nothing to it)
 * @e:		as trace_run()
 *
 * Return: 0, or -1
 */
int trace_run_in(const struct tracer *t, struct trace_room *room, const struct trace_request *rq,
		 struct trace_result **ret, struct err *e);

#endif
