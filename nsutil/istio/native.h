/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native - Istio's native nftables tables: planned, compared with what is there, made so */
#ifndef NSUTIL_ISTIO_NATIVE_H
#define NSUTIL_ISTIO_NATIVE_H

#include "nsutil/istio/plan.h"
#include "nsutil/nft/body.h"
#include "nsutil/ruleset/model.h"

/*
 * Istio hands nft a text that empties its tables and fills them anew, in one transaction. Here a table
 * that says what it should is left alone, with its counters; one that differs is made anew; what is left
 * of another configuration goes. The text is the plan: chains and rules are read from it.
 */
struct istio_native_rule {
	const char *text;
	struct nft_body body;
	const struct rule *rule; /* in the model */
	enum istio_role role;
};

struct istio_native_chain {
	struct chain *chain;
	struct istio_native_rule *rules; /* in the order they stand in the end */
	unsigned n;
};

struct istio_native_table {
	struct table *table;
	struct istio_native_chain *chains;
	unsigned n;
};

struct istio_native {
	struct arena *arena;
	struct ruleset *model; /* owns chains and rules */
	struct istio_native_table *tables;
	unsigned n;
};

/**
 * istio_native_parse() - read nft commands as istio_plan_nft() writes them
 * @a:		arena of the result
 * @text:	lines "add table", "flush table", "add chain", "add rule", "insert rule ... index"; others are
 *		passed over when they begin with '#'
 * @plan:	rules of which the roles are taken; may be NULL
 * @ret:	set on success, to be given back with istio_native_free()
 * @e:		error naming the line's rule and the word
 *
 * Return: 0, or -1
 */
int istio_native_parse(struct arena *a, const char *text, const struct istio_rules *plan,
		       struct istio_native *ret, struct err *e);
void istio_native_free(struct istio_native *n);

/* istio_native_save() - a table of the namespace as text for istio_native_parse() */
void istio_native_save(const struct table *t, struct buf *b);

/* istio_native_put() - a planned table as commands for nft -f, which make it anew */
void istio_native_put(const struct istio_native_table *t, struct buf *b);

/* istio_native_same() - the table says what it should; @have may be NULL. 1, 0, or -1 (memory) */
int istio_native_same(struct arena *a, const struct istio_native_table *want, const struct table *have);

#endif
