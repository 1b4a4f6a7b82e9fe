/* SPDX-License-Identifier: GPL-2.0-or-later */
/* effect - what a difference does to the connections that matter, by following them */
#ifndef NSUTIL_ISTIO_EFFECT_H
#define NSUTIL_ISTIO_EFFECT_H

#include "nsutil/istio/compare.h"
#include "nsutil/istio/native.h"
#include "nsutil/istio/trials.h"

/* Istio's native tables, out of the ruleset meanwhile. */
struct istio_taken {
	struct table *tables, **tail;
};

/* istio_tables_take() - take them out; the others stay in their order */
void istio_tables_take(struct ruleset *rs, struct istio_taken *ret);
/* istio_tables_back() - hang them behind the others again; nothing when there are none */
void istio_tables_back(struct ruleset *rs, struct istio_taken *taken);

/*
 * The model of the namespace is put in order, in memory: the store that should hold the rules holds them, the other
 * one none. The connections are followed there: so they should end. Then one difference at a time is put back, and
 * they are followed again. All else, foreign rules and other tables, stays as it is.
 */
struct istio_effects;

/**
 * istio_effects_begin() - put one family in order and follow the connections
 * @a:		arena of all texts
 * @rs:		ruleset that was read; its chains are exchanged until istio_effects_end()
 * @nv:		links, addresses, routes; NULL: nothing can be followed, *ret becomes NULL
 * @c:		configuration, resolved
 * @home:	comparison of the store that should hold the rules
 * @other:	comparison of the other one with what is planned
 * @ret:	set on success
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_effects_begin(struct arena *a, struct ruleset *rs, const struct netview *nv, const struct istio_config *c,
			const struct istio_compare *home, const struct istio_compare *other, struct istio_effects **ret,
			struct err *e);
/* istio_effects_end() - everything as it was read; NULL is fine. 0, or -1 (memory) */
int istio_effects_end(struct istio_effects *x);

/**
 * istio_effects_of() - what one difference changes
 * @x:		effects; NULL: not known
 * @m:		chain of 'home'
 * @have:	the rule of the chain that is put back, 0..; ISTIO_NONE: none
 * @want:	the planned rule that is taken away, 0..; ISTIO_NONE: none
 * @otherwise:	what is said when no connection that was followed ends elsewhere
 *
 * Return: a text, "application to a service: leaves the pod, port 80, instead of port 15001, redirected"; NULL when
 *	memory ran out
 */
const char *istio_effects_of(struct istio_effects *x, const struct istio_match *m, uint32_t have, uint32_t want,
			     const char *otherwise);

/* istio_effects_residue() - likewise, what all that the other store holds changes */
const char *istio_effects_residue(struct istio_effects *x, const char *otherwise);

/* istio_trials_tell() - which connections end elsewhere than they should, in words; @otherwise when none does */
const char *istio_trials_tell(struct arena *a, const struct istio_trial *right, const struct istio_trial *now, unsigned n_trials,
			      const char *otherwise);

/*
 * The same for the native tables: the plan's own stand in the ruleset in place of Istio's until
 * istio_native_effects_end(), and rules of a chain are exchanged there.
 */
struct istio_native_effects;

/* istio_native_effects_begin() - arguments and Return as istio_effects_begin(); *ret stays NULL when nothing can be followed */
int istio_native_effects_begin(struct arena *a, struct ruleset *rs, const struct netview *nv, const struct istio_config *c,
			       const struct istio_native *plan, struct istio_native_effects **ret, struct err *e);
void istio_native_effects_end(struct istio_native_effects *x);

/**
 * istio_native_effects_of() - what one difference changes
 * @x:		effects; NULL: not known
 * @want:	planned chain
 * @less:	planned rule that is not there, 0..; ISTIO_NONE: none
 * @more:	rule that is there besides; NULL: none
 * @at:		the planned rule that @more stands in front of, 0..; beyond the last: at the end
 * @otherwise:	what is said when no connection that was followed ends elsewhere
 *
 * Return: a text; NULL when memory ran out
 */
const char *istio_native_effects_of(struct istio_native_effects *x, const struct istio_native_chain *want, uint32_t less,
				    const struct rule *more, uint32_t at, const char *otherwise);

#endif
