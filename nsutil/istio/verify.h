/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify - what a namespace holds of Istio's rules, against what the configuration asks for */
#ifndef NSUTIL_ISTIO_VERIFY_H
#define NSUTIL_ISTIO_VERIFY_H

#include "nsutil/istio/compare.h"
#include "nsutil/istio/routing.h"

/*
 * Istio's own check never compares the order of rules and looks into one store only; this one does
 * both. Foreign rules of built-in chains are no difference; chains of Istio's that nothing plans
 * are, and so is everything of Istio's in a second store, because the kernel evaluates all stores.
 */

enum istio_diff_kind { ISTIO_DIFF_MISSING, ISTIO_DIFF_EXTRA, ISTIO_DIFF_MISPLACED, ISTIO_DIFF_CHANGED,
		       ISTIO_DIFF_DUPLICATE };

struct istio_diff {
	enum istio_diff_kind kind;
	enum store store;
	uint8_t family;
	const char *table, *chain;
	uint32_t index; /* 1..: of the rule, or of a missing one where it belongs; 0: a chain as a whole */
	const char *rule; /* the rule that is there, or that is missing */
	const char *expected; /* changed: what should stand there; else NULL */
	const char *effect;
};

struct istio_report {
	bool clean;	 /* nothing differs, and all that matters could be read */
	unsigned stores; /* 1 << STORE_*: hold something of Istio's */
	enum store checked[2]; /* for IPv4 and IPv6 */
	struct istio_diff *at;
	unsigned n;
	struct istio_routing routing; /* differences of address, routing rules and routes; none when not looked at */
	const struct unread *unread; /* of the ruleset; NULL when all was read */
};

/* Why a store was taken, for a person. */
struct istio_choice {
	enum store store;
	char why[160]; /* no pointer: the structure is copied */
};

/**
 * istio_store_choose() - the store that Istio's rules are in, else the one its detector would take
 * @rs:		ruleset that was read
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6
 * @force:	value of FORCE_IPTABLES_BINARY; "" when nothing is forced
 * @legacy, @compat: comparisons of the two stores with what is planned
 * @ret:	set always
 *
 * Istio's detector (SPEC D4) takes legacy when a legacy table exists, else nft when the kernel has it.
 * It finds out by writing a probe rule, which makes a legacy table; this function only looks.
 */
void istio_store_choose(const struct ruleset *rs, uint8_t family, const char *force,
			const struct istio_compare *legacy, const struct istio_compare *compat,
			struct istio_choice *ret);

/**
 * istio_verify() - compare a ruleset with a plan
 * @a:		arena of the result
 * @rs:		ruleset of all stores; must outlive the result. Its chains are exchanged meanwhile, to follow
 *		connections through the rules as they should be, and are as before when this returns
 * @p:		plan for iptables
 * @families:	bit 0: IPv4, bit 1: IPv6
 * @store:	-1, or the store that should hold the rules
 * @nv:		links, addresses, routes, rules, sockets; NULL: not known, not compared, no effect is followed
 * @ret:	set on success
 * @e:		error: a planned rule that cannot be made (an unknown group name), out of memory
 *
 * Return: 0, or -1
 */
int istio_verify(struct arena *a, struct ruleset *rs, const struct istio_plan *p, unsigned families,
		 int store, const struct netview *nv, struct istio_report *ret, struct err *e);

const char *istio_diff_name(enum istio_diff_kind kind); /* "missing", "extra" ... */

/* istio_owns_table() - one of the six native tables that Istio writes, all of family inet */
bool istio_owns_table(const struct table *t);

#endif
