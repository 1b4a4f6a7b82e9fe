/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard - the guardrails: nothing passes while a change that takes several commits is half done */
#ifndef NSUTIL_ISTIO_GUARD_H
#define NSUTIL_ISTIO_GUARD_H

#include "nsutil/istio/edit.h"
#include "nsutil/netns/netns.h"

/*
 * A repair that needs more than one commit for a family (several legacy tables, or both kinds of tables) passes
 * through states that are neither the old rules nor the new ones: a connection made then may bypass the
 * proxy, or reach a port that nobody meant. So, as Istio's own reconciling does, six rules drop TCP and UDP
 * meanwhile, at the head of INPUT, FORWARD and OUTPUT of the filter table. They look as Istio's do: what a run
 * that was cut off leaves behind is known for what it is, by cnish and by Istio, and goes with the next one.
 *
 * Where all of it is one commit (one legacy table, or anything in nftables) there are none. Nor are there any
 * where no capture is lost half-way: a first apply, or a flush.
 */
struct istio_guard {
	bool on[2];		  /* by family, IPv4 and IPv6: they are set, and removed at the end */
	bool left[2];		  /* a run that was cut off left some: they serve, and are removed at the end */
	enum store store[2];	  /* of those that are set: legacy, or compat when nftables is changed too */
	struct istio_edits at[2]; /* the six inserts */
	struct istio_layout layout[2];
};

struct istio_change;

/**
 * istio_guard_plan() - decide whether a change needs guardrails, and prepare them
 * @c:		change with all its edits; its guard is set
 * @keeps:	bit 0: IPv4, bit 1: IPv6: Istio has rules after the change too
 * @e:		out of memory
 *
 * Return: 0, or -1
 */
int istio_guard_plan(struct istio_change *c, unsigned keeps, struct err *e);

/* istio_guard_none() - do without them; those left behind are still removed at the end */
void istio_guard_none(struct istio_change *c);
void istio_guard_free(struct istio_guard *g);

/* istio_guard_has() - Istio has rules of this family (0: IPv4, 1: IPv6) in the ruleset */
bool istio_guard_has(const struct ruleset *rs, unsigned v6);

/* istio_guard_find() - guardrails stand in this table; NULL is none */
bool istio_guard_find(const struct table *filter);

/* istio_guard_alone() - there is nothing but guardrails in this table, as in one that was made for them */
bool istio_guard_alone(const struct table *filter);

/* What stands for one of the six: of an edit's table, to be left to the beginning or the end of a run. */
enum istio_phase {
	ISTIO_PHASE_ON,	  /* with the guardrails, in one commit */
	ISTIO_PHASE_MAIN,
	ISTIO_PHASE_OFF,  /* removes guardrails that were left behind */
};

/* istio_guard_phase() - when an edit of this store, family and table is carried out */
enum istio_phase istio_guard_phase(const struct istio_guard *g, enum store store, uint8_t family, const char *table);

/**
 * istio_guard_off() - remove the guardrails that are set, wherever they stand by now
 * @ns:		namespace
 * @g:		guard
 * @before:	what there was before: a table or chain that was made for them goes too
 * @lock_ms:	how long to wait for the xtables lock
 * @e:		error
 *
 * Waits until no packet is on its way that met the rules half-way, so that none escapes at the end.
 *
 * Return: 0, or -1
 */
int istio_guard_off(const struct netns *ns, const struct istio_guard *g, const struct ruleset *before,
		    unsigned lock_ms, struct err *e);

#endif
