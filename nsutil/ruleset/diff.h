/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff - what differs between two stores or two rulesets, by meaning */
#ifndef NSUTIL_RULESET_DIFF_H
#define NSUTIL_RULESET_DIFF_H

#include "nsutil/base/arena.h"
#include "nsutil/ruleset/model.h"

enum diff_kind {
	DIFF_MISSING, /* only on the left */
	DIFF_EXTRA,   /* only on the right */
	DIFF_MOVED,   /* the same rule, elsewhere in its chain */
	DIFF_CHANGED, /* same conditions, another action; a chain with another hook; a set with other elements */
	DIFF_STORE,   /* the same table is in another store */
};

/* diff_kind_name() - "missing", "extra", "moved", "changed", "store" */
const char *diff_kind_name(enum diff_kind kind);

/* One difference; what it is about is the innermost that is not NULL: rule, set, chain, table. */
struct diff_entry {
	enum diff_kind kind;
	const struct table *left_table, *right_table; /* NULL when that side has none */
	const struct chain *left_chain, *right_chain;
	const struct rule *left, *right;
	const struct set *left_set, *right_set;
	unsigned chain_bits; /* CHAIN_* of canon.h, of a changed chain */
	struct diff_entry *next;
};

struct diff {
	struct diff_entry *entries, **tail;
	unsigned n;		   /* differences */
	unsigned n_kind[DIFF_STORE + 1];
	unsigned same_rules;	   /* rules that mean the same and stand in the same order */
	unsigned left_rules, right_rules;
};

struct diff_side {
	const struct ruleset *rs;
	unsigned stores; /* 1 << STORE_* */
};

/**
 * diff_rulesets() - compare tables of the same family and name
 * @a:		arena for the result
 * @left:	one side
 * @right:	the other; may be the same ruleset with other stores
 * @table:	only the tables of this name; NULL: all
 * @ret:	set on success
 *
 * A table is compared with that of the same store on the other side, else with that of another
 * store, which is a difference by itself unless the two sides were asked for different stores.
 * A table or base chain that does nothing (no rules, policy accept) is as good as none.
 *
 * Return: 0, or -1 when memory ran out
 */
int diff_rulesets(struct arena *a, const struct diff_side *left, const struct diff_side *right,
		  const char *table, struct diff *ret);

#endif
