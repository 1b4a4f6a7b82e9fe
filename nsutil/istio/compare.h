/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare - match the rules of a store with Istio's layout, chain by chain and in order */
#ifndef NSUTIL_ISTIO_COMPARE_H
#define NSUTIL_ISTIO_COMPARE_H

#include "nsutil/istio/layout.h"

enum istio_state {
	ISTIO_FOREIGN,	 /* somebody else's, in a shared chain: no business of ours */
	ISTIO_GOOD,	 /* planned, and in order */
	ISTIO_EXTRA,	 /* Istio's, not planned */
	ISTIO_DUPLICATE, /* planned, and already there */
	ISTIO_MISPLACED, /* planned, but stands elsewhere in the chain */
	ISTIO_CHANGED,	 /* stands where a planned rule belongs that is not there */
};

#define ISTIO_NONE UINT32_MAX

struct istio_match {
	const char *table, *name;
	const struct istio_chain *want; /* NULL: nothing is planned for it */
	const struct chain *have;	/* NULL: there is no such chain */
	const struct rule **rules;	/* of 'have' */
	uint32_t n;
	enum istio_state *state; /* of each */
	uint32_t *to;		 /* of each: the planned rule meant; ISTIO_NONE */
	uint32_t *from;		 /* of each planned rule: the rule that is or was to be it; ISTIO_NONE: missing */
};

struct istio_compare {
	enum store store;
	uint8_t family;
	struct istio_match *at; /* planned chains in the plan's order, then unplanned ones */
	unsigned n;
	unsigned good, differences;
	bool any; /* the store holds something of Istio's */
};

/**
 * istio_compare_make() - match one store and family with what is wanted
 * @a:		arena of the result
 * @rs:		ruleset that was read; must outlive the result
 * @store:	STORE_LEGACY or STORE_COMPAT
 * @l:		parsed layout; its family is compared; must outlive the result
 * @former:	parsed layout of what was there before, or NULL: a rule of a shared chain that stands where it wants
 *		one is Istio's too, though @l may not want it
 * @ret:	set on success
 * @e:		out of memory
 *
 * Return: 0, or -1
 */
int istio_compare_make(struct arena *a, const struct ruleset *rs, enum store store,
		       const struct istio_layout *l, const struct istio_layout *former, struct istio_compare *ret,
		       struct err *e);

/* istio_match_place() - where planned rule @i belongs in the chain as it is; 1.. as iptables -I counts */
uint32_t istio_match_place(const struct istio_match *m, uint32_t i);

/* istio_owns_rule() - a rule of a built-in chain that cannot be anybody else's: it leads to a chain of
 * Istio's, has the shape of Istio's TPROXY marks, is an orphan, or is what a killed programmer leaves behind: the
 * rule that probes the kernel, or one of the six that cut the pod off meanwhile */
bool istio_owns_rule(const struct rule *r);

/* istio_is_orphan() - what other configurations had beside others' rules and a clean-up for this one leaves there:
 * TPROXY's mark 1337 in the words of Istio's, DNS capture of before 1.25 with user 1337; never a rule with a comment */
bool istio_is_orphan(const struct rule *r);

/* istio_is_guardrail() - one of the six rules that cut the pod off while Istio's rules are mended: UDP's directly
 * above TCP's, in INPUT, FORWARD and OUTPUT of filter (SPEC D3); see guard.h */
bool istio_is_guardrail(const struct rule *r);

#endif
