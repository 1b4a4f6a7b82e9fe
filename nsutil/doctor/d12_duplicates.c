/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d12_duplicates - the same rule stands twice */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/ruleset/owner.h"

struct search {
	unsigned n;
	const struct rule *first; /* the second of the first pair */
};

struct seen {
	uint64_t hash; /* of the rule's text */
	const struct rule *rule;
};

static uint64_t hash_of(const char *text)
{
	uint64_t h = 14695981039346656037U; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211U;
	return h;
}

static int by_hash(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash ? 1 : x->rule->index < y->rule->index ? -1 : 1;
}

static bool reads_same(const struct rule *a, const struct rule *b)
{
	_cleanup_buf_ struct buf one = BUF_INIT, two = BUF_INIT;

	return strcmp(chains_text(a, &one), chains_text(b, &two)) == 0;
}

/*
 * What an apply that is not idempotent makes. Istio and kube-proxy never write a rule twice into a chain, nor
 * does anybody want the same jump twice in a built-in one; chains of others may hold equal rules apart.
 */
static bool counts(const struct chain *c, const struct rule *a, const struct rule *b)
{
	bool near = b->index == a->index + 1;

	if (c->base && c->table->store != STORE_NATIVE)
		return chains_jump(b) && (near || owner_rule(b));
	return near || chains_of(c, "Istio") || chains_of(c, "kube-proxy");
}

static void look(struct doctor *d, const struct chain *c, struct search *s)
{
	struct seen *all = c->n_rules > 1 ? arena_alloc(d->arena, c->n_rules * sizeof(*all)) : NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	unsigned n = 0;

	for (const struct rule *r = all ? c->rules : NULL; r && n < c->n_rules; r = r->next)
		all[n++] = (struct seen){ hash_of(chains_text(r, &b)), r };
	if (n)
		qsort(all, n, sizeof(*all), by_hash);
	for (unsigned i = 1; i < n; i++) {
		const struct rule *r = all[i].rule, *before = all[i - 1].rule;

		if (all[i].hash != all[i - 1].hash || !counts(c, before, r) || !reads_same(before, r))
			continue;
		s->n++;
		if (!s->first || s->first->chain != c || r->index < s->first->index)
			s->first = s->first && s->first->chain != c ? s->first : r;
	}
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search s = { .n = 0 };
	struct doctor_finding *f;

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (owner_chain(c) || c->base)
				look(d, c, &s);
	if (!s.n)
		return;
	f = doctor_find(d, "%u rule%s twice in one chain: something writes them again and again", s.n,
			s.n == 1 ? " stands" : "s stand");
	doctor_see(d, f, "the first one", s.first->chain->name, "%s %s rule %u: %s", store_name(s.first->chain->table->store),
		   s.first->chain->table->name, s.first->index, chains_text(s.first, &b));
	doctor_fix_self(d, f, "istio verify");
	doctor_fix(d, f, "bring the iptables versions of node and images together (1.8.2 is known to double rules)");
}

const struct doctor_entry doctor_d12 = {
	.id = "D12",
	.title = "rules stand twice",
	.link = "https://github.com/kubernetes/kubernetes/issues/82361",
	.explain = "A program that cannot read its own rules back (another version of iptables wrote them) adds them again, and\n"
		   "the chains grow. It is told by equal rules of a chain of Istio's or kube-proxy's, equal rules in a row in\n"
		   "chains of another known owner, or equal jumps in built-in chains.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
