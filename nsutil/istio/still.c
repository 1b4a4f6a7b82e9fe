/* SPDX-License-Identifier: GPL-2.0-or-later */
/* still - does what a change was computed from still stand in nftables? */
#include "nsutil/istio/still.h"

#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/fingerprint.h"
#include "nsutil/nft/nft.h"

static bool same_chain(const struct chain *a, const struct chain *b)
{
	const struct rule *x, *y;

	if (!a || !b)
		return a == b;
	x = a->rules;
	y = b->rules;
	while (x && y && x->handle == y->handle) {
		x = x->next;
		y = y->next;
	}
	return !x && !y && a->base == b->base && a->policy == b->policy;
}

static const struct chain *find(const struct ruleset *rs, const struct istio_edits *edits, const char *table,
				const char *chain)
{
	const struct table *t = ruleset_find_table(rs, STORE_COMPAT, edits->family, table);

	return t ? table_find_chain(t, chain) : NULL;
}

static bool same_edits(const struct istio_change *c, const struct istio_edits *edits, const struct ruleset *now)
{
	for (unsigned i = 0; i < edits->n; i++) {
		const struct istio_edit *x = &edits->at[i];

		if (istio_guard_phase(&c->guard, STORE_COMPAT, edits->family, x->table) != ISTIO_PHASE_ON &&
		    !same_chain(find(c->before, edits, x->table, x->chain), find(now, edits, x->table, x->chain)))
			return false;
	}
	return true;
}

/* 1, 0, or -1 (memory) */
static int same_table(const struct ruleset *before, const struct ruleset *now, const struct table *t)
{
	uint64_t x, y;

	if (istio_fingerprint(ruleset_find_table(before, t->store, t->family, t->name), &x) < 0 ||
	    istio_fingerprint(ruleset_find_table(now, t->store, t->family, t->name), &y) < 0)
		return -1;
	return x == y;
}

int istio_still(const struct netns *ns, const struct istio_change *c, uint32_t *ret_generation, struct err *e)
{
	_cleanup_ruleset_ struct ruleset *now = ruleset_new();
	int same = 1;

	if (!now)
		return err_oom(e);
	if (nft_read(ns, 1U << STORE_COMPAT | 1U << STORE_NATIVE, 0, now, e) < 0)
		return -1;
	for (unsigned i = 0; i < c->n_parts && same > 0; i++)
		if (c->parts[i]->edits.store == STORE_COMPAT)
			same = same_edits(c, &c->parts[i]->edits, now);
	for (unsigned i = 0; i < c->n_native && same > 0; i++)
		same = same_table(c->before, now, c->native[i]);
	for (unsigned i = 0; i < c->n_made && same > 0; i++)
		same = same_table(c->before, now, c->made[i]->table);
	if (same < 0)
		return err_oom(e);
	if (same)
		*ret_generation = now->nft_generation;
	return same;
}
