/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick_make - what can be told of the rules of a chain, put together in one piece of memory */
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/trace/quick.h"
#include "nsutil/trace/run.h"

#define TESTS 16     /* of one rule */
#define INDEX_FROM 12 /* rules: shorter chains are walked as fast */

/* Tests and mappings are collected first, since how many there are is not known; only what is used costs memory. */
struct draft {
	struct quick_shared *shared;
	struct quick_rule *rules;
	struct quick_test *tests;
	struct nat_words *nats;
	uint32_t n_tests, n_nats;
};

/* ---- what a rule does ---- */

static const struct quick_ask *ask_for(struct quick_shared *k, const struct stmt *s, const char *why)
{
	struct quick_ask ask = { describe_condition(k->arena, s), why };
	const struct quick_ask *made;

	if (!ask.what)
		return NULL;
	for (unsigned i = 0; i < k->n_asks; i++)
		if (k->asks[i]->why == why && strcmp(k->asks[i]->what, ask.what) == 0)
			return k->asks[i];
	made = arena_dup(k->arena, &ask, sizeof(ask));
	if (made && k->n_asks < QUICK_ASKS)
		k->asks[k->n_asks++] = made;
	return made;
}

static const struct stmt *behind_notes(const struct stmt *s)
{
	while (s && (s->kind == STMT_COUNTER || s->kind == STMT_LOG || s->kind == STMT_LAST))
		s = s->next;
	return s;
}

/* Return: the mapping that a statement is, and nothing else; NULL when it is none */
static const struct stmt_nat *only_nat(const struct stmt *s)
{
	if (s->kind == STMT_XT && (!s->xt->target || !s->xt->meaning || s->xt->meaning->next))
		return NULL;
	s = s->kind == STMT_XT ? s->xt->meaning : s;
	return s->kind == STMT_NAT ? &s->nat : NULL;
}

/* What stands behind the conditions: an act, or something to be looked at. */
static void take_act(struct draft *d, const struct stmt *s, struct quick_rule *q)
{
	const struct stmt_nat *nat;

	if (!s)
		return;
	if (s->kind == STMT_VERDICT && s->verdict.code != VERDICT_CONTINUE) {
		q->act = ACT_VERDICT;
		q->code = s->verdict.code;
		q->verdict.name = s->verdict.chain;
		q->verdict.to = s->verdict.to;
		return;
	}
	nat = only_nat(s);
	if (nat && nat_words(nat, &d->nats[d->n_nats])) {
		q->act = ACT_NAT;
		q->nat = &d->nats[d->n_nats++];
	}
}

/* Does a condition hang on nothing of the packet? */
static bool is_drawn(const struct stmt *s)
{
	switch (s->kind) {
	case STMT_MATCH:
		return eval_drawn(s->match.left) && (s->match.right->kind == EXPR_VALUE || s->match.right->kind == EXPR_RANGE);
	case STMT_LIMIT:
	case STMT_QUOTA:
	case STMT_CONNLIMIT: return true;
	case STMT_XT: break;
	default: return false;
	}
	if (s->xt->target || !s->xt->meaning)
		return !s->xt->target && s->xt->why_unknown && !match_can_tell(s->xt);
	for (s = s->xt->meaning; s; s = s->next)
		if (s->kind != STMT_MATCH || !is_drawn(s))
			return false;
	return true;
}

/* Some of them are certain all the same ("numgen inc mod 1"). */
static bool is_asked(struct quick_shared *k, const struct stmt *s, const char **why)
{
	bool asked = s && is_drawn(s) && eval_condition(k->blank, s) == TRI_UNKNOWN;

	*why = k->blank->why;
	return asked;
}

static int take_rest(struct draft *d, struct quick_rule *q)
{
	const struct stmt *s = behind_notes(q->rest);
	const struct quick_ask *ask = NULL;
	const char *why;

	if (is_asked(d->shared, s, &why)) {
		ask = ask_for(d->shared, s, why);
		if (!ask)
			return -1;
		q->rest = s;
		s = behind_notes(s->next);
	}
	take_act(d, s, q);
	q->ask = q->act == ACT_LOOK ? NULL : ask; /* nothing may hang on it */
	return 0;
}

/* ---- rules ---- */

/* Rules are named by their place: they must be numbered as they stand. */
static bool is_numbered(const struct chain *c)
{
	uint32_t n = 0;

	for (const struct rule *r = c->rules; r; r = r->next)
		if (r->index != ++n)
			return false;
	return n > 0 && n == c->n_rules;
}

static int draft_rules(struct draft *d, const struct chain *c)
{
	struct quick_rule *q = d->rules;

	for (const struct rule *r = c->rules; r; r = r->next, q++) {
		unsigned n = quick_tests(r, d->tests + d->n_tests, TESTS, &q->rest);

		q->rule = r;
		q->tests = d->n_tests;
		q->n = (uint8_t)n;
		d->n_tests += n;
		if (take_rest(d, q) < 0)
			return -1;
	}
	return 0;
}

/* The chain, its rules, their tests, and their mappings, one behind the other. */
static struct quick_chain *put_together(const struct draft *d, const struct chain *c)
{
	size_t rules = c->n_rules * sizeof(*d->rules), tests = d->n_tests * sizeof(*d->tests),
	       nats = d->n_nats * sizeof(*d->nats), size = sizeof(struct quick_chain) + rules + tests + nats;
	struct quick_chain *q = arena_alloc(d->shared->arena, size);
	char *at = (char *)(q + 1);

	if (!q)
		return NULL;
	q->chain = c;
	q->n = c->n_rules;
	q->rules = memcpy(at, d->rules, rules);
	q->tests = memcpy(at + rules, d->tests, tests);
	memcpy(at + rules + tests, d->nats, nats);
	for (uint32_t i = 0; i < q->n; i++)
		if (q->rules[i].act == ACT_NAT)
			q->rules[i].nat = (struct nat_words *)(at + rules + tests) + (q->rules[i].nat - d->nats);
	return q;
}

static struct quick_chain *make_rules(struct quick_shared *k, const struct chain *c)
{
	_cleanup_free_ struct quick_rule *rules = calloc(c->n_rules, sizeof(*rules));
	_cleanup_free_ struct quick_test *tests = calloc(c->n_rules, TESTS * sizeof(*tests));
	_cleanup_free_ struct nat_words *nats = calloc(c->n_rules, sizeof(*nats));
	struct draft d = { k, rules, tests, nats, 0, 0 };

	if (!rules || !tests || !nats || draft_rules(&d, c) < 0)
		return NULL;
	return put_together(&d, c);
}

struct quick_chain *quick_make(struct quick_shared *k, const struct chain *c)
{
	struct quick_chain *q = is_numbered(c) ? make_rules(k, c) : arena_alloc(k->arena, sizeof(*q));

	if (!q)
		return NULL;
	q->chain = c;
	if (q->n >= INDEX_FROM && quick_index(k->arena, q) < 0)
		q->rules = NULL; /* when memory runs out, all rules are looked at */
	return q;
}
