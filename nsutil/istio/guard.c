/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard - the guardrails: whether a change needs them, and taking them away again */
#include "nsutil/istio/guard.h"

#include <linux/membarrier.h>
#include <linux/netfilter.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/change.h"
#include "nsutil/nft/nft.h"
#include "nsutil/nft/write.h"
#include "nsutil/xt/write.h"
#include "nsutil/xt/xt.h"

#define FILTER	 "filter"
#define ATTEMPTS 50 /* to remove them, against somebody who keeps changing the tables */

static const char *const chains[] = { "INPUT", "FORWARD", "OUTPUT" };

/* Each goes to the head, so that UDP's ends on top (SPEC D3). */
static const struct istio_rule rules[] = {
	{ FILTER, "INPUT", 1, "-p tcp -j DROP", ISTIO_ROLE_INVALID },
	{ FILTER, "INPUT", 1, "-p udp -j DROP", ISTIO_ROLE_INVALID },
	{ FILTER, "FORWARD", 1, "-p tcp -j DROP", ISTIO_ROLE_INVALID },
	{ FILTER, "FORWARD", 1, "-p udp -j DROP", ISTIO_ROLE_INVALID },
	{ FILTER, "OUTPUT", 1, "-p tcp -j DROP", ISTIO_ROLE_INVALID },
	{ FILTER, "OUTPUT", 1, "-p udp -j DROP", ISTIO_ROLE_INVALID },
};

static uint8_t family_of(unsigned v6)
{
	return v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

/* ---- what is there ---- */

bool istio_guard_find(const struct table *filter)
{
	const struct chain *c = filter ? table_find_chain(filter, chains[0]) : NULL;

	for (const struct rule *r = c ? c->rules : NULL; r; r = r->next)
		if (istio_is_guardrail(r))
			return true;
	return false;
}

bool istio_guard_alone(const struct table *filter)
{
	if (!istio_guard_find(filter))
		return false;
	for (const struct chain *c = filter->chains; c; c = c->next)
		if (!c->base || c->policy != VERDICT_ACCEPT || c->n_rules != 2)
			return false;
	return true;
}

bool istio_guard_has(const struct ruleset *rs, unsigned v6)
{
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (istio_owns_table(t))
			return true;
		for (const struct chain *c = t->family == family_of(v6) ? t->chains : NULL; c; c = c->next)
			if (t->store != STORE_NATIVE && istio_owns_chain(c->name))
				return true;
	}
	return false;
}

/* ---- whether they are needed ---- */

static unsigned legacy_tables(const struct istio_edits *edits)
{
	const char *last = "";
	unsigned n = 0;

	for (unsigned i = 0; i < edits->n; i++) {
		n += strcmp(last, edits->at[i].table) != 0 && strcmp(edits->at[i].table, FILTER) != 0;
		last = edits->at[i].table;
	}
	return n;
}

/* Commits that change what becomes of this family's packets: one for each legacy table, one for all of nftables. */
static void count_commits(const struct istio_change *c, unsigned v6, unsigned *legacy, bool *nft)
{
	*legacy = 0;
	*nft = c->n_made > 0;
	for (unsigned i = 0; i < c->n_parts; i++) {
		const struct istio_edits *edits = &c->parts[i]->edits;

		if (edits->family != family_of(v6))
			continue;
		if (edits->store == STORE_LEGACY)
			*legacy += legacy_tables(edits);
		else
			*nft |= legacy_tables(edits) > 0;
	}
	for (unsigned i = 0; i < c->n_native; i++)
		*nft |= (c->native[i]->family == family_of(v6) || c->native[i]->store == STORE_NATIVE) &&
			strcmp(c->native[i]->name, FILTER) != 0;
}

static bool are_left(const struct ruleset *rs, unsigned v6)
{
	return istio_guard_find(ruleset_find_table(rs, STORE_LEGACY, family_of(v6), FILTER)) ||
	       istio_guard_find(ruleset_find_table(rs, STORE_COMPAT, family_of(v6), FILTER));
}

static int add_insert(struct arena *a, struct istio_edits *to, const struct rule *rule, const struct istio_rule *plan)
{
	struct istio_edit *at = arena_grow(a, to->at, to->n, sizeof(*at));

	if (!at)
		return -1;
	to->at = at;
	at[to->n++] = (struct istio_edit){ .op = ISTIO_INSERT_RULE, .table = FILTER, .chain = plan->chain, .position = 1,
					   .rule = rule, .text = plan->text };
	return 0;
}

static int make(struct istio_change *c, unsigned v6, struct err *e)
{
	struct istio_guard *g = &c->guard;
	struct istio_rules list = { (struct istio_rule *)rules, ARRAY_SIZE(rules) };
	struct istio_layout l;

	if (istio_layout_make(c->arena, &list, family_of(v6), &l, e) < 0 || istio_layout_parse(&l, g->store[v6], e) < 0)
		return -1;
	g->layout[v6] = l;
	g->at[v6] = (struct istio_edits){ .store = g->store[v6], .family = family_of(v6) };
	for (unsigned i = 0; i < l.n; i++)
		for (unsigned k = l.chains[i].n; k-- > 0;) /* as they stand: UDP first; put in: TCP first */
			if (add_insert(c->arena, &g->at[v6], l.chains[i].rules[k], l.chains[i].plan[k]) < 0)
				return err_oom(e);
	g->on[v6] = true;
	return 0;
}

/* A table of nftables that was made for guardrails which were left behind goes as a whole. */
static int drop_made(struct istio_change *c, const struct istio_part *part, struct istio_edits *edits, struct err *e)
{
	const struct table *t = ruleset_find_table(c->before, STORE_COMPAT, edits->family, FILTER);
	unsigned n = 0, gone = 0;

	if (part->edits.store != STORE_COMPAT || !istio_guard_alone(t))
		return 0;
	for (unsigned i = 0; i < edits->n; i++)
		if (strcmp(edits->at[i].table, FILTER) == 0)
			gone += edits->at[i].op == ISTIO_DELETE_RULE ? 1 : edits->n;
	if (gone != 2 * ARRAY_SIZE(chains))
		return 0;
	for (unsigned i = 0; i < edits->n; i++)
		if (strcmp(edits->at[i].table, FILTER) != 0)
			edits->at[n++] = edits->at[i];
	edits->n = n;
	c->n_edits -= gone;
	return istio_change_drop(c, t, e);
}

int istio_guard_plan(struct istio_change *c, unsigned keeps, struct err *e)
{
	for (unsigned i = 0; i < c->n_parts; i++)
		if (drop_made(c, c->parts[i], &c->parts[i]->edits, e) < 0)
			return -1;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		unsigned legacy;
		bool nft;

		count_commits(c, v6, &legacy, &nft);
		c->guard.left[v6] = are_left(c->before, v6);
		if (legacy + nft < 2 || !(keeps & (1U << v6)) || !istio_guard_has(c->before, v6) || c->guard.left[v6])
			continue;
		c->guard.store[v6] = nft ? STORE_COMPAT : STORE_LEGACY;
		if (make(c, v6, e) < 0)
			return -1;
	}
	return 0;
}

void istio_guard_none(struct istio_change *c)
{
	c->guard.on[0] = c->guard.on[1] = false;
}

void istio_guard_free(struct istio_guard *g)
{
	istio_layout_free(&g->layout[0]);
	istio_layout_free(&g->layout[1]);
}

enum istio_phase istio_guard_phase(const struct istio_guard *g, enum store store, uint8_t family, const char *table)
{
	unsigned v6 = family == NFPROTO_IPV6;

	if (strcmp(table, FILTER) != 0)
		return ISTIO_PHASE_MAIN;
	if (g->left[v6])
		return ISTIO_PHASE_OFF;
	return g->on[v6] && g->store[v6] == store ? ISTIO_PHASE_ON : ISTIO_PHASE_MAIN;
}

/* ---- taking them away ---- */

/* Of rules that are guardrails: from the last to the first, so that the numbers of the others hold. */
static size_t legacy_edits(const struct ruleset *now, unsigned v6, struct xt_edit *edits)
{
	const struct table *t = ruleset_find_table(now, STORE_LEGACY, family_of(v6), FILTER);
	size_t n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(chains); i++) {
		const struct chain *c = t ? table_find_chain(t, chains[i]) : NULL;
		uint32_t at = 0, first = 0;

		for (const struct rule *r = c ? c->rules : NULL; r && !first; r = r->next, at++)
			first = istio_is_guardrail(r) ? at + 1 : 0;
		for (uint32_t k = 2; first && k-- > 0;)
			edits[n++] = (struct xt_edit){ .op = XT_EDIT_DELETE_RULE, .family = family_of(v6), .table = FILTER,
						       .chain = chains[i], .position = first + k };
	}
	return n;
}

static int legacy_off(const struct netns *ns, unsigned v6, unsigned lock_ms, struct err *e)
{
	for (unsigned i = 0;; i++) {
		_cleanup_ruleset_ struct ruleset *now = ruleset_new();
		struct xt_edit edits[2 * ARRAY_SIZE(chains)];
		size_t n;
		int r;

		if (!now)
			return err_oom(e);
		if (xt_read(ns, 1U << v6, now, e) < 0)
			return -1;
		n = legacy_edits(now, v6, edits);
		r = n ? xt_commit(ns, edits, n, now, lock_ms, NULL, e) : 0;
		if (r != XT_COMMIT_CHANGED || i == ATTEMPTS)
			return r ? -1 : 0;
		err_clear(e);
	}
}

/* One family's table: the rules, the chains that were made for them, or all of it. */
static size_t nft_edits(const struct ruleset *now, const struct ruleset *before, unsigned v6, struct nft_edit *edits)
{
	const struct table *t = ruleset_find_table(now, STORE_COMPAT, family_of(v6), FILTER);
	const struct table *old = ruleset_find_table(before, STORE_COMPAT, family_of(v6), FILTER);
	struct nft_edit x = { .op = NFT_EDIT_DELETE_TABLE, .family = family_of(v6), .table = FILTER };
	size_t n = 0;

	if (!istio_guard_find(t))
		return 0;
	if (!old && istio_guard_alone(t)) {
		edits[0] = x;
		return 1;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(chains); i++) {
		const struct chain *c = table_find_chain(t, chains[i]);

		x.chain_name = chains[i];
		x.op = NFT_EDIT_DELETE_RULE;
		for (const struct rule *r = c ? c->rules : NULL; r; r = r->next)
			if (istio_is_guardrail(r) && n < (i + 1) * 3) {
				x.handle = r->handle;
				edits[n++] = x;
			}
		x.op = NFT_EDIT_DELETE_CHAIN;
		if (c && c->n_rules == 2 && !(old && table_find_chain(old, chains[i])))
			edits[n++] = x;
	}
	return n;
}

static int nft_off(const struct netns *ns, const struct istio_guard *g, const struct ruleset *before, struct err *e)
{
	for (unsigned i = 0;; i++) {
		_cleanup_ruleset_ struct ruleset *now = ruleset_new();
		struct nft_edit edits[2 * 3 * ARRAY_SIZE(chains)];
		size_t n = 0;
		int r;

		if (!now)
			return err_oom(e);
		if (nft_read(ns, 1U << STORE_COMPAT, 0, now, e) < 0)
			return -1;
		for (unsigned v6 = 0; v6 < 2; v6++)
			if (g->on[v6] && g->store[v6] == STORE_COMPAT)
				n += nft_edits(now, before, v6, edits + n);
		r = n ? nft_commit(ns, edits, n, now->nft_generation, e) : 0;
		if (r != NFT_COMMIT_CHANGED || i == ATTEMPTS)
			return r ? -1 : 0;
		err_clear(e);
	}
}

/*
 * A packet that met some tables before the last commit and others after it must meet the guardrails, which stand
 * behind them in the same hook. The kernel walks a hook in one RCU reading section (nf_hook), and this call
 * returns when all that are open now have ended (kernel/sched/membarrier.c: synchronize_rcu).
 */
static void let_packets_pass(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

int istio_guard_off(const struct netns *ns, const struct istio_guard *g, const struct ruleset *before,
		    unsigned lock_ms, struct err *e)
{
	bool nft = false;

	if (!g->on[0] && !g->on[1])
		return 0;
	let_packets_pass();
	for (unsigned v6 = 0; v6 < 2; v6++) {
		if (!g->on[v6])
			continue;
		nft |= g->store[v6] == STORE_COMPAT;
		if (g->store[v6] == STORE_LEGACY && legacy_off(ns, v6, lock_ms, e) < 0)
			return -1;
	}
	return nft ? nft_off(ns, g, before, e) : 0;
}
