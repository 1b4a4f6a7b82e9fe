/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan - the rules that Istio programs for a configuration, in its own order and words; pure */
#ifndef NSUTIL_ISTIO_PLAN_H
#define NSUTIL_ISTIO_PLAN_H

#include <stdbool.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/istio/config.h"

/*
 * Istio plans rules one after the other, some of them as an insert at a position; what a chain
 * holds in the end follows from replaying them. Both are kept: the plan is the text that Istio hands
 * to iptables-restore or nft, its replay is what a verifier expects.
 */

/* What a rule is for: the words for people are in role.c. */
enum istio_role {
	ISTIO_ROLE_EXCLUDED_NIC,
	ISTIO_ROLE_VIRTUAL_NIC,
	ISTIO_ROLE_INVALID,
	ISTIO_ROLE_TUNNEL,
	ISTIO_ROLE_TO_PROXY_OUT,
	ISTIO_ROLE_TO_PROXY_IN,
	ISTIO_ROLE_DIVERT,
	ISTIO_ROLE_TPROXY,
	ISTIO_ROLE_JUMP_IN,
	ISTIO_ROLE_EXCLUDED_IN,
	ISTIO_ROLE_CAPTURE_IN,
	ISTIO_ROLE_JUMP_OUT,
	ISTIO_ROLE_EXCLUDED_OUT,
	ISTIO_ROLE_PASSTHROUGH,
	ISTIO_ROLE_SELF_PROXIED,
	ISTIO_ROLE_SELF_DIRECT,
	ISTIO_ROLE_PROXY_OWN,
	ISTIO_ROLE_GROUPS,
	ISTIO_ROLE_DNS_JUMP,
	ISTIO_ROLE_DNS,
	ISTIO_ROLE_DNS_PROXY_ZONE,
	ISTIO_ROLE_DNS_APP_ZONE,
	ISTIO_ROLE_LOOPBACK,
	ISTIO_ROLE_EXCLUDED_DST,
	ISTIO_ROLE_PORT_OUT,
	ISTIO_ROLE_CAPTURE_OUT,
	ISTIO_ROLE_MARKS,
	ISTIO_ROLE_TPROXY_LOOP,
	ISTIO_ROLE_AMBIENT_JUMP,
	ISTIO_ROLE_AMBIENT_NIC,
	ISTIO_ROLE_REMEMBER,
	ISTIO_ROLE_PROBE,
	ISTIO_ROLE_ZTUNNEL_IN,
	ISTIO_ROLE_RESTORE,
	ISTIO_ROLE_ZTUNNEL_DNS,
	ISTIO_ROLE_ZTUNNEL_ZONE,
	ISTIO_ROLE_ANSWERS,
	ISTIO_ROLE_AMBIENT_SELF,
	ISTIO_ROLE_ZTUNNEL_OUT,
};

/* istio_role_does() - what such a rule does; istio_role_without() - what happens when it is not there */
const char *istio_role_does(enum istio_role role);
const char *istio_role_without(enum istio_role role);

struct istio_rule {
	const char *table, *chain;
	int position;	  /* iptables: 0 append, else 1..; nft: -1 append, else index 0.. */
	const char *text; /* iptables: words behind the chain; nft: the rule's body */
	enum istio_role role; /* what the rule is for */
};

struct istio_rules {
	struct istio_rule *at;
	unsigned n;
};

struct istio_plan {
	struct arena *arena;
	const struct istio_config *config;
	struct istio_rules v4, v6; /* iptables backend; v6 is empty when IPv6 is off */
	struct istio_rules nft;	   /* native nftables backend */
};

/**
 * istio_plan_make() - all rules for a configuration
 * @a:		arena the plan lives in
 * @c:		resolved configuration; must outlive the plan
 * @ret:	set on success; the backend that the configuration does not name is empty
 * @e:		out of memory
 *
 * Return: 0, or -1
 */
int istio_plan_make(struct arena *a, const struct istio_config *c, struct istio_plan **ret, struct err *e);

/**
 * istio_plan_restore() - one family's rules as the text for "iptables-restore --noflush" (SPEC B2)
 * @rules:	&plan->v4 or &plan->v6
 * @b:		text is appended; nothing for an empty list
 */
void istio_plan_restore(const struct istio_rules *rules, struct buf *b);

/**
 * istio_plan_nft() - the native rules as one transaction for "nft -f" (SPEC F2)
 * @p:		plan
 * @b:		text is appended
 */
void istio_plan_nft(const struct istio_plan *p, struct buf *b);

/* istio_is_builtin() - one of the chains iptables itself has, or one of its verdicts */
bool istio_is_builtin(const char *chain);
/* istio_rule_target() - X of a text that ends in "-j X"; NULL of any other */
const char *istio_rule_target(const char *text);

/*
 * For the generators (sidecar.c, sidecar_nft.c, ambient.c). A failed allocation sticks in 'failed'
 * and is reported once. In @fmt, '@' stands for the family's address.
 */
struct istio_maker {
	struct arena *arena;
	const struct istio_config *c;
	struct istio_plan *plan;
	enum istio_role role; /* of the rules that follow */
	bool failed;
};

enum { ISTIO_V4 = 1, ISTIO_V6 = 2, ISTIO_BOTH = 3 };

/**
 * istio_make_rule() - plan a rule for iptables
 * @m:		maker
 * @families:	ISTIO_V4 and ISTIO_V6 bits; IPv6 is left out when the configuration has it off
 * @table:	constant
 * @chain:	constant
 * @position:	0 append, else insert there
 * @at4:	text for '@' in IPv4, @at6: in IPv6; may be NULL when @fmt has none. Must hold no '%'
 * @fmt:	printf format of the words behind the chain
 */
void istio_make_rule(struct istio_maker *m, unsigned families, const char *table, const char *chain,
		     int position, const char *at4, const char *at6, const char *fmt, ...)
	__attribute__((format(printf, 8, 9)));

/* istio_make_nft() - plan a native rule; @index -1 appends, else inserts before that rule */
void istio_make_nft(struct istio_maker *m, const char *table, const char *chain, int index,
		    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The three generators. */
void istio_make_sidecar(struct istio_maker *m);
/* Of istio_make_sidecar(), for Istio before 1.25. */
void istio_make_old_dns_tcp(struct istio_maker *m);
void istio_make_old_dns_udp(struct istio_maker *m);
void istio_make_sidecar_nft(struct istio_maker *m);
void istio_make_ambient(struct istio_maker *m);
void istio_make_ambient_nft(struct istio_maker *m);

#endif
