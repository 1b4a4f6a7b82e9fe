/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run - carries a change out, store by store */
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/change.h"
#include "nsutil/nft/write.h"
#include "nsutil/xt/write.h"

/* Edits of the nftables store, collected for one transaction. */
struct batch {
	struct arena *a;
	struct nft_edit *at;
	size_t n;
};

static int batch_add(struct batch *b, struct nft_edit edit, struct err *e)
{
	struct nft_edit *at = arena_grow(b->a, b->at, b->n, sizeof(*at));

	if (!at)
		return err_oom(e);
	b->at = at;
	at[b->n++] = edit;
	return 0;
}

/* A table and the built-in chain that a rule goes into may not exist yet; adding again is no error. */
static int batch_home(struct batch *b, uint8_t family, const struct istio_edit *edit, struct err *e)
{
	struct nft_edit table = { .op = NFT_EDIT_ADD_TABLE, .family = family, .table = edit->table };
	struct nft_edit add = { .op = NFT_EDIT_ADD_CHAIN, .family = family, .table = edit->table };
	struct chain *chain = arena_alloc(b->a, sizeof(*chain));

	if (!chain)
		return err_oom(e);
	if (batch_add(b, table, e) < 0)
		return -1;
	if (nft_builtin_chain(edit->table, edit->chain, chain)) {
		chain->base = true;
		chain->policy = VERDICT_ACCEPT;
	} else if (edit->op != ISTIO_NEW_CHAIN) {
		return 0;
	}
	chain->name = edit->chain;
	add.chain = chain;
	add.chain_name = edit->chain;
	return batch_add(b, add, e);
}

static bool has_chain(const struct istio_part *part, const struct istio_edit *edit)
{
	for (unsigned i = 0; i < part->compare.n; i++) {
		const struct istio_match *m = &part->compare.at[i];

		if (strcmp(m->table, edit->table) == 0 && strcmp(m->name, edit->chain) == 0)
			return m->have;
	}
	return false;
}

static int batch_edit(struct batch *b, const struct istio_part *part, const struct istio_edit *edit,
		      struct err *e)
{
	struct nft_edit x = { .family = part->edits.family, .table = edit->table, .chain_name = edit->chain };

	switch (edit->op) {
	case ISTIO_NEW_CHAIN:
		return batch_home(b, x.family, edit, e);
	case ISTIO_DELETE_RULE:
		x.op = NFT_EDIT_DELETE_RULE;
		x.handle = edit->rule->handle;
		break;
	case ISTIO_INSERT_RULE:
		if (!has_chain(part, edit) && batch_home(b, x.family, edit, e) < 0)
			return -1;
		x.op = edit->before ? NFT_EDIT_INSERT_RULE : NFT_EDIT_APPEND_RULE;
		x.handle = edit->before ? edit->before->handle : 0;
		x.rule = edit->rule;
		break;
	case ISTIO_FLUSH_CHAIN:
		x.op = NFT_EDIT_FLUSH_CHAIN;
		break;
	case ISTIO_DELETE_CHAIN:
		x.op = NFT_EDIT_DELETE_CHAIN;
		break;
	}
	return batch_add(b, x, e);
}

static int moved_on(const char *store, struct err *e)
{
	char what[64];

	snprintf(what, sizeof(what), "cannot change the %s store", store);
	err_clear(e);
	err_set(e, ERR_SYS, what, "another program changed its rules since they were read");
	return err_hint(e, "what was shown was not carried out there; run the command again");
}

/* A native table, filled anew. */
static int batch_make(struct batch *b, const struct istio_change *c, const struct istio_native_table *t, struct err *e)
{
	struct nft_edit x = { .op = NFT_EDIT_DELETE_TABLE, .family = NFPROTO_INET, .table = t->table->name };

	if (ruleset_find_table(c->before, STORE_NATIVE, NFPROTO_INET, x.table) && batch_add(b, x, e) < 0)
		return -1;
	x.op = NFT_EDIT_ADD_TABLE;
	if (batch_add(b, x, e) < 0)
		return -1;
	x.op = NFT_EDIT_ADD_CHAIN;
	for (unsigned i = 0; i < t->n; i++) {
		x.chain = t->chains[i].chain;
		x.chain_name = x.chain->name;
		if (batch_add(b, x, e) < 0)
			return -1;
	}
	x.op = NFT_EDIT_APPEND_RULE;
	x.chain = NULL;
	for (unsigned i = 0; i < t->n; i++)
		for (unsigned k = 0; k < t->chains[i].n; k++) {
			x.chain_name = t->chains[i].chain->name;
			x.body = &t->chains[i].rules[k].body;
			if (batch_add(b, x, e) < 0)
				return -1;
		}
	return 0;
}

/* All of nftables, both families and native tables, is one transaction. */
static int run_nft(const struct netns *ns, const struct istio_change *c, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct batch b = { .a = a };

	if (!a)
		return err_oom(e);
	for (unsigned i = 0; i < c->n_parts; i++)
		for (unsigned k = 0; c->parts[i]->edits.store == STORE_COMPAT && k < c->parts[i]->edits.n; k++)
			if (batch_edit(&b, c->parts[i], &c->parts[i]->edits.at[k], e) < 0)
				return -1;
	for (unsigned i = 0; i < c->n_native; i++)
		if (batch_add(&b, (struct nft_edit){ .op = NFT_EDIT_DELETE_TABLE, .family = c->native[i]->family,
						     .table = c->native[i]->name }, e) < 0)
			return -1;
	for (unsigned i = 0; i < c->n_made; i++)
		if (batch_make(&b, c, c->made[i], e) < 0)
			return -1;
	if (!b.n)
		return 0;
	switch (nft_commit(ns, b.at, b.n, c->before->nft_generation, e)) {
	case 0:
		return 0;
	case NFT_COMMIT_CHANGED:
		return moved_on("nftables", e);
	default:
		return err_wrap(e, "changing the compat store");
	}
}

static struct xt_edit legacy_edit(const struct istio_part *part, const struct istio_edit *edit)
{
	static const enum xt_edit_op ops[] = {
		[ISTIO_NEW_CHAIN] = XT_EDIT_NEW_CHAIN,	     [ISTIO_DELETE_RULE] = XT_EDIT_DELETE_RULE,
		[ISTIO_INSERT_RULE] = XT_EDIT_INSERT_RULE,   [ISTIO_FLUSH_CHAIN] = XT_EDIT_FLUSH_CHAIN,
		[ISTIO_DELETE_CHAIN] = XT_EDIT_DELETE_CHAIN,
	};

	return (struct xt_edit){
		.op = edit->op == ISTIO_INSERT_RULE && edit->at_end ? XT_EDIT_APPEND_RULE : ops[edit->op],
		.family = part->edits.family, .table = edit->table, .chain = edit->chain,
		.position = edit->position, .rule = edit->rule,
	};
}

/* One commit for each table; those that only lose rules come in a second round. */
static int run_legacy(const struct netns *ns, const struct istio_change *c, bool clears, unsigned lock_secs,
		      struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct xt_edit *edits = a ? arena_array(a, c->n_edits + 1, sizeof(*edits)) : NULL;
	size_t n = 0;

	if (!edits)
		return err_oom(e);
	for (unsigned i = 0; i < c->n_parts; i++) {
		const struct istio_part *part = c->parts[i];

		for (unsigned k = 0; k < part->edits.n; k++)
			if (part->edits.store == STORE_LEGACY && part->clears == clears)
				edits[n++] = legacy_edit(part, &part->edits.at[k]);
	}
	if (!n)
		return 0;
	switch (xt_commit(ns, edits, n, c->before, lock_secs * 1000, e)) {
	case 0:
		return 0;
	case XT_COMMIT_CHANGED:
		return moved_on("legacy", e);
	default:
		return err_wrap(e, "changing the legacy store");
	}
}

int istio_change_run(const struct netns *ns, const struct istio_change *c, unsigned lock_secs, struct err *e)
{
	if (istio_routing_run(ns, &c->routing, true, e) < 0)
		return -1;
	/* While the packet rules stand they tell whose a mark of one's own choice is; should this be the
	 * last thing done, a second run still knows. */
	if (c->flush && istio_routing_run(ns, &c->routing, false, e) < 0)
		return -1;
	if (run_legacy(ns, c, false, lock_secs, e) < 0)
		return -1;
	if (run_nft(ns, c, e) < 0)
		return -1;
	if (run_legacy(ns, c, true, lock_secs, e) < 0)
		return -1;
	return c->flush ? 0 : istio_routing_run(ns, &c->routing, false, e);
}
