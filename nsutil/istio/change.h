/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change - what apply and flush would do to a namespace, as a plan that can be shown and carried out */
#ifndef NSUTIL_ISTIO_CHANGE_H
#define NSUTIL_ISTIO_CHANGE_H

#include "nsutil/istio/edit.h"
#include "nsutil/istio/guard.h"
#include "nsutil/istio/native.h"
#include "nsutil/istio/verify.h"
#include "nsutil/netns/netns.h"

/*
 * A change is computed from a ruleset that was read and carried out later, when a person has
 * agreed. In between the rules may move on: then nothing is done and the answer is an error, because
 * what was shown would not be what happens.
 *
 * Order: first the store that is to hold the rules, then the others are cleared, so that at no moment
 * neither has them. Within a store each table is changed all or nothing. Where that takes
 * several commits and Istio's rules were there before, guardrails stand meanwhile (guard.h).
 */

struct istio_part { /* of one store and family */
	struct istio_layout layout;
	struct istio_compare compare;
	struct istio_edits edits;
	bool clears; /* it only removes */
};

struct istio_change {
	struct arena *arena;
	struct istio_choice choice[2];	 /* apply: for IPv4 and IPv6 */
	unsigned families;		 /* as asked */
	struct istio_part *parts[4];	 /* those that are to hold rules before those that are cleared */
	unsigned n_parts;
	const struct table **native;	 /* native tables of Istio's that go */
	unsigned n_native;
	const struct istio_native_table **made; /* native tables that are made anew, what was there before gone */
	unsigned n_made;
	struct istio_routing routing;	 /* additions come before the packet rules, removals after */
	unsigned n_edits;		 /* of all parts, native tables included */
	struct istio_guard guard;	 /* while it takes several commits */
	bool flush;			 /* it removes Istio: see istio_change_run() */
	const struct ruleset *before;	 /* what it was computed from */
	const struct istio_config *wanted; /* apply: what for; NULL else */
};

/**
 * istio_change_apply() - what makes the namespace hold the plan, in one store, and nothing else of Istio's
 * @a:		arena of the result
 * @rs:		ruleset of all stores; must outlive the result
 * @p:		plan for iptables
 * @families:	bit 0: IPv4, bit 1: IPv6
 * @store:	-1: choose, or STORE_LEGACY, STORE_COMPAT
 * @ret:	set on success; to be given back with istio_change_free()
 * @e:		error; something that matters could not be read
 *
 * Return: 0, or -1
 */
int istio_change_apply(struct arena *a, const struct ruleset *rs, const struct istio_plan *p,
		       unsigned families, int store, struct istio_change *ret, struct err *e);

/**
 * istio_change_native() - what makes the namespace hold the native plan, and nothing else of Istio's
 * @n:		native plan; must outlive the result
 * @p:		the same plan; has no iptables rules
 * @families:	must be 3: native tables are of both families
 *
 * Other arguments and Return: as istio_change_apply(). Tables that say what they should are left alone.
 */
int istio_change_native(struct arena *a, const struct ruleset *rs, const struct istio_native *n,
			const struct istio_plan *p, struct istio_change *ret, struct err *e);

/* istio_change_make() - let a native table be made anew; 0, or -1 */
int istio_change_make(struct istio_change *c, const struct istio_native_table *t, struct err *e);
/* istio_change_drop() - let an nftables table go; 0, or -1 */
int istio_change_drop(struct istio_change *c, const struct table *t, struct err *e);

/**
 * istio_change_flush() - what removes everything of Istio's, and nothing foreign
 * @p:		plan for the configuration the rules were made for, as far as known: its rules in
 *		built-in chains that are not Istio's by their look are removed too, where chains of
 *		Istio's are in the same store
 * @stores:	1 << STORE_*: which ones; others are left alone
 *
 * Other arguments and Return: as istio_change_apply()
 */
int istio_change_flush(struct arena *a, const struct ruleset *rs, const struct istio_plan *p,
		       unsigned families, unsigned stores, struct istio_change *ret, struct err *e);

/**
 * istio_change_routing() - add what is to be done to address, routing rules and routes
 * @c:		change made by one of the above
 * @nv:		links, addresses, routes and rules of the namespace
 * @config:	resolved configuration
 * @flush:	nothing is wanted
 * @e:		out of memory; what is there could not be read
 *
 * Return: 0, or -1
 */
int istio_change_routing(struct istio_change *c, const struct netview *nv, const struct istio_config *config,
			 bool flush, struct err *e);

void istio_change_free(struct istio_change *c);
#define _cleanup_istio_change_ __attribute__((cleanup(istio_change_free)))

#define ISTIO_LOCK_NONE UINT32_MAX /* as lock_secs: nobody else can be there, the lock is not taken */

/**
 * istio_change_run() - carry a change out
 * @ns:		namespace
 * @c:		change
 * @lock_secs:	how long to wait for the xtables lock
 * @e:		error; says so when guardrails stay because a later part failed
 *
 * From the first guardrail to the last, signals that can wait do.
 *
 * Return: 0, or -1
 */
int istio_change_run(const struct netns *ns, const struct istio_change *c, unsigned lock_secs, struct err *e);

#endif
