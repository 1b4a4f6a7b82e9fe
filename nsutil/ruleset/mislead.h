/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mislead - where one tool's view of the rules misleads about what the namespace really has */
#ifndef NSUTIL_RULESET_MISLEAD_H
#define NSUTIL_RULESET_MISLEAD_H

#include "nsutil/base/arena.h"
#include "nsutil/ruleset/model.h"

struct mislead {
	const char *id;	  /* "legacy-hidden", "compat-stale", "compat-differs", "both-stores",
			   * "compat-hidden", "native-hidden" */
	const char *text; /* one sentence for a person */
	struct mislead *next;
};

/* mislead_rules() - how many rules a store has; the base chains' policies do not count */
unsigned mislead_rules(const struct ruleset *rs, enum store store);

/* The iptables that a person would look with. */
struct mislead_viewer {
	const char *name; /* "`iptables` on this node (nf_tables 1.8.9)"; NULL: not known */
	enum store store; /* STORE_LEGACY or STORE_COMPAT, which it shows; of no meaning without a name */
};

/**
 * mislead_find() - find what a person with one iptables would get wrong
 * @a:		arena for the result
 * @viewer:	that iptables, or NULL: either kind may be used
 * @rs:		ruleset with every store that could be read
 * @ret:	set on success: a list, most important first; NULL when nothing misleads
 *
 * The legacy rules do not show in an iptables of the nf_tables kind and the other way round; rules of native
 * tables show in neither. Rules are compared by meaning, and those of one owner (Istio) are
 * counted for themselves, since a stale set of them is the usual story.
 *
 * Return: 0, or -1 when memory ran out
 */
int mislead_find(struct arena *a, const struct mislead_viewer *viewer, const struct ruleset *rs,
		 struct mislead **ret);

#endif
