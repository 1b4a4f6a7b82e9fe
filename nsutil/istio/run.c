/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run - carries a change out, store by store */
#include <linux/netfilter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/change.h"
#include "nsutil/istio/still.h"
#include "nsutil/netns/owner.h"
#include "nsutil/nft/write.h"
#include "nsutil/xt/iptc.h"
#include "nsutil/xt/write.h"

#define ATTEMPTS 50 /* of a transaction, while others change tables that are none of ours */

struct run {
	const struct netns *ns;
	const struct istio_change *c;
	unsigned lock_ms;
	uint32_t generation; /* of nftables, as the edits expect it */
	unsigned commits;    /* done */
	struct err *e;
};

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

static int batch_edit(struct batch *b, const struct istio_edits *edits, const struct istio_edit *edit,
		      bool has_home, struct err *e)
{
	struct nft_edit x = { .family = edits->family, .table = edit->table, .chain_name = edit->chain };

	switch (edit->op) {
	case ISTIO_NEW_CHAIN:
		return batch_home(b, x.family, edit, e);
	case ISTIO_DELETE_RULE:
		x.op = NFT_EDIT_DELETE_RULE;
		x.handle = edit->rule->handle;
		break;
	case ISTIO_INSERT_RULE:
		if (!has_home && batch_home(b, x.family, edit, e) < 0)
			return -1;
		x.op = edit->at_end ? NFT_EDIT_APPEND_RULE : NFT_EDIT_INSERT_RULE;
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
	err_hint(e, "what was shown was not carried out there; run the command again");
	return -1;
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

/* What of nftables belongs to a phase of the run. */
static int collect_nft(struct run *r, enum istio_phase phase, struct batch *b)
{
	const struct istio_change *c = r->c;

	for (unsigned i = 0; i < c->n_parts; i++) {
		const struct istio_edits *edits = &c->parts[i]->edits;

		for (unsigned k = 0; edits->store == STORE_COMPAT && k < edits->n; k++)
			if (istio_guard_phase(&c->guard, edits->store, edits->family, edits->at[k].table) == phase &&
			    batch_edit(b, edits, &edits->at[k], has_chain(c->parts[i], &edits->at[k]), r->e) < 0)
				return -1;
	}
	for (unsigned i = 0; i < c->n_native; i++) {
		const struct table *t = c->native[i];

		if ((t->store == STORE_NATIVE ? ISTIO_PHASE_MAIN : istio_guard_phase(&c->guard, t->store, t->family, t->name)) ==
			    phase &&
		    batch_add(b, (struct nft_edit){ .op = NFT_EDIT_DELETE_TABLE, .family = t->family, .table = t->name },
			      r->e) < 0)
			return -1;
	}
	for (unsigned i = 0; phase == ISTIO_PHASE_MAIN && i < c->n_made; i++)
		if (batch_make(b, c, c->made[i], r->e) < 0)
			return -1;
	for (unsigned v6 = 0; phase == ISTIO_PHASE_ON && v6 < 2; v6++)
		for (unsigned k = 0; c->guard.on[v6] && c->guard.store[v6] == STORE_COMPAT && k < c->guard.at[v6].n; k++)
			if (batch_edit(b, &c->guard.at[v6], &c->guard.at[v6].at[k], false, r->e) < 0)
				return -1;
	return 0;
}

/*
 * The generation covers all of nftables: where somebody changed a table that is none of ours, what
 * matters still stands and the same edits are right for the new generation.
 */
static int commit_nft(struct run *r, const struct batch *b)
{
	for (unsigned i = 0;; i++) {
		int status = nft_commit(r->ns, b->at, b->n, r->generation, r->e);

		if (status != NFT_COMMIT_CHANGED) {
			r->generation += status == 0;
			return status;
		}
		err_clear(r->e);
		status = i < ATTEMPTS ? istio_still(r->ns, r->c, &r->generation, r->e) : 0;
		if (status <= 0)
			return status < 0 ? -1 : moved_on("nftables", r->e);
	}
}

/* All of nftables, both families and native tables, is one transaction. */
static int run_nft(struct run *r, enum istio_phase phase)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct batch b = { .a = a };

	if (!a)
		return err_oom(r->e);
	if (collect_nft(r, phase, &b) < 0)
		return -1;
	if (!b.n)
		return 0;
	if (commit_nft(r, &b) < 0)
		return r->e && r->e->errnum ? err_wrap(r->e, "changing nftables") : -1;
	r->commits++;
	return 0;
}

static struct xt_edit legacy_edit(const struct istio_edits *edits, const struct istio_edit *edit)
{
	static const enum xt_edit_op ops[] = {
		[ISTIO_NEW_CHAIN] = XT_EDIT_NEW_CHAIN,	     [ISTIO_DELETE_RULE] = XT_EDIT_DELETE_RULE,
		[ISTIO_INSERT_RULE] = XT_EDIT_INSERT_RULE,   [ISTIO_FLUSH_CHAIN] = XT_EDIT_FLUSH_CHAIN,
		[ISTIO_DELETE_CHAIN] = XT_EDIT_DELETE_CHAIN,
	};

	return (struct xt_edit){
		.op = edit->op == ISTIO_INSERT_RULE && edit->at_end ? XT_EDIT_APPEND_RULE : ops[edit->op],
		.family = edits->family, .table = edit->table, .chain = edit->chain,
		.position = edit->position, .rule = edit->rule,
	};
}

static size_t collect_legacy(const struct istio_change *c, enum istio_phase phase, bool clears, struct xt_edit *ret)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->n_parts; i++) {
		const struct istio_edits *edits = &c->parts[i]->edits;

		if (edits->store != STORE_LEGACY || (phase == ISTIO_PHASE_MAIN && c->parts[i]->clears != clears))
			continue;
		for (unsigned k = 0; k < edits->n; k++)
			if (istio_guard_phase(&c->guard, STORE_LEGACY, edits->family, edits->at[k].table) == phase)
				ret[n++] = legacy_edit(edits, &edits->at[k]);
	}
	for (unsigned v6 = 0; phase == ISTIO_PHASE_ON && v6 < 2; v6++)
		for (unsigned k = 0; c->guard.on[v6] && c->guard.store[v6] == STORE_LEGACY && k < c->guard.at[v6].n; k++)
			ret[n++] = legacy_edit(&c->guard.at[v6], &c->guard.at[v6].at[k]);
	return n;
}

/* One commit for each table; those that only lose rules come in a second round. */
static int run_legacy(struct run *r, enum istio_phase phase, bool clears)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct istio_guard *g = &r->c->guard;
	struct xt_edit *edits = a ? arena_array(a, r->c->n_edits + g->at[0].n + g->at[1].n + 1, sizeof(*edits)) : NULL;
	unsigned commits = 0;
	size_t n;
	int status;

	if (!edits)
		return err_oom(r->e);
	n = collect_legacy(r->c, phase, clears, edits);
	if (!n)
		return 0;
	status = xt_commit(r->ns, edits, n, r->c->before, r->lock_ms, &commits, r->e);
	r->commits += commits;
	if (status == XT_COMMIT_CHANGED)
		return moved_on("legacy", r->e);
	return status < 0 ? err_wrap(r->e, "changing the legacy store") : 0;
}

static int run_main(struct run *r)
{
	if (run_legacy(r, ISTIO_PHASE_MAIN, false) < 0 || run_nft(r, ISTIO_PHASE_MAIN) < 0 ||
	    run_legacy(r, ISTIO_PHASE_MAIN, true) < 0)
		return -1;
	return r->c->flush ? 0 : istio_routing_run(r->ns, &r->c->routing, false, r->e);
}

/* Nothing was changed yet: the pod gets its traffic back. Else some tables are old and some new, and what was
 * to be prevented would begin. */
static int give_up(struct run *r)
{
	struct err other = ERR_INIT;

	if (!r->commits && istio_guard_off(r->ns, &r->c->guard, r->c->before, r->lock_ms, &other) == 0)
		return -1;
	return err_hint(r->e, "guardrails stay: TCP and UDP are dropped until 'istio apply' or 'istio undo' has mended the rules");
}

static int run_guarded(struct run *r)
{
	const struct istio_guard *g = &r->c->guard;

	if (run_nft(r, ISTIO_PHASE_ON) < 0 || run_legacy(r, ISTIO_PHASE_ON, false) < 0)
		return give_up(r);
	r->commits = 0;
	if (run_main(r) < 0)
		return give_up(r);
	if (run_legacy(r, ISTIO_PHASE_OFF, false) < 0 || run_nft(r, ISTIO_PHASE_OFF) < 0 ||
	    istio_guard_off(r->ns, g, r->c->before, r->lock_ms, r->e) < 0)
		return err_hint(r->e, "guardrails stay: TCP and UDP are dropped; run the command again");
	return 0;
}

/* A person's Ctrl-C must not leave a pod cut off half-way. */
static void hold_signals(sigset_t *old)
{
	static const int later[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE };
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < ARRAY_SIZE(later); i++)
		sigaddset(&set, later[i]);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

/* Where no table was changed, all is to be as it was; else a second run needs the routing. */
static void take_routing_back(const struct run *r)
{
	if (r->commits)
		return;
	if (r->c->flush)
		istio_routing_back(r->ns, &r->c->routing, false);
	istio_routing_back(r->ns, &r->c->routing, true);
}

/* What it takes to write is looked for before the first change, in whatever store that is. */
static int ready(const struct istio_change *c, struct err *e)
{
	for (unsigned i = 0; i < c->n_parts; i++)
		if (c->parts[i]->edits.store == STORE_LEGACY && c->parts[i]->edits.n)
			return iptc_load(e);
	return 0;
}

static int run_here(const struct netns *ns, const struct istio_change *c, unsigned lock_secs, struct err *e)
{
	struct run r = { .ns = ns, .c = c, .generation = c->before->nft_generation, .e = e };
	const struct istio_guard *g = &c->guard;
	sigset_t old;
	int status;

	r.lock_ms = lock_secs == ISTIO_LOCK_NONE ? XT_LOCK_NOT_NEEDED : lock_secs * 1000;
	/* While the packet rules stand they tell whose a mark of one's own choice is; should this be the
	 * last thing done, a second run still knows. */
	if (istio_routing_run(ns, &c->routing, true, e) < 0 || (c->flush && istio_routing_run(ns, &c->routing, false, e) < 0)) {
		take_routing_back(&r);
		return -1;
	}
	if (g->on[0] || g->on[1] || g->left[0] || g->left[1]) {
		hold_signals(&old);
		status = run_guarded(&r);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	} else {
		status = run_main(&r);
	}
	if (status < 0)
		take_routing_back(&r);
	return status;
}

struct order {
	const struct netns *ns;
	const struct istio_change *c;
	unsigned lock_secs;
};

static int run_order(void *arg, struct err *e)
{
	const struct order *o = arg;

	return run_here(o->ns, o->c, o->lock_secs, e);
}

int istio_change_run(const struct netns *ns, const struct istio_change *c, unsigned lock_secs, struct err *e)
{
	struct order o = { ns, c, lock_secs };

	if (ready(c, e) < 0)
		return -1;
	/* a rule about users is taken from the owner's user namespace only */
	return netns_owned_elsewhere(ns) ? netns_call_as_owner(ns, run_order, &o, e) : run_here(ns, c, lock_secs, e);
}
