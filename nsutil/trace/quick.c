/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick - which rules of a chain need no look, told from the fields that they begin with */
#include "nsutil/trace/quick.h"

#include <stdlib.h>

#include "nsutil/trace/run.h"

#define LINE 64	     /* bytes that memory comes in */
#define EXPECTED 512 /* bytes of a chain that are fetched beforehand */
#define FEW 8	     /* rules: of longer chains most are not met */

/* What belongs to a thing of the model, by its address; open addressing. */
struct entry {
	const void *of;
	void *what;
};

struct table_of {
	struct entry *slots;
	uint32_t mask, n;
};

struct quick {
	struct quick_shared shared;
	struct table_of chains; /* struct quick_chain */
	struct table_of sets;	/* struct quick_set */
	struct table_of texts;	/* of conditions */
};

static int table_make(struct table_of *t, uint32_t room)
{
	t->slots = calloc(room, sizeof(*t->slots));
	t->mask = room - 1;
	t->n = 0;
	return t->slots ? 0 : -1;
}

struct quick *quick_new(void)
{
	struct quick *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->shared.arena = arena_new();
	k->shared.blank = calloc(1, sizeof(*k->shared.blank));
	if (!k->shared.arena || !k->shared.blank || table_make(&k->chains, 64) < 0 || table_make(&k->sets, 16) < 0 || table_make(&k->texts, 16) < 0) {
		quick_free(k);
		return NULL;
	}
	return k;
}

void quick_free(struct quick *k)
{
	if (!k)
		return;
	arena_free(k->shared.arena);
	free(k->shared.blank);
	free(k->chains.slots);
	free(k->sets.slots);
	free(k->texts.slots);
	free(k);
}

static struct entry *table_at(const struct table_of *t, const void *of)
{
	uint32_t i = (uint32_t)(((uintptr_t)of >> 4) * 0x9e3779b97f4a7c15u >> 32) & t->mask;

	while (t->slots[i].of && t->slots[i].of != of)
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

/* A new entry stands there with 'what' NULL; NULL when memory ran out. */
static struct entry *table_add(struct table_of *t, const void *of)
{
	struct table_of bigger;

	if (t->n * 2 > t->mask) {
		if (table_make(&bigger, 2 * (t->mask + 1)) < 0)
			return NULL;
		for (uint32_t i = 0; i <= t->mask; i++)
			if (t->slots[i].of)
				*table_at(&bigger, t->slots[i].of) = t->slots[i];
		bigger.n = t->n;
		free(t->slots);
		*t = bigger;
	}
	t->n++;
	*table_at(t, of) = (struct entry){ of, NULL };
	return table_at(t, of);
}

const char *quick_said(struct quick *k, const struct stmt *s)
{
	struct entry *e = table_at(&k->texts, s);

	if (!e->of)
		e = table_add(&k->texts, s);
	if (e && !e->what)
		e->what = (void *)describe_condition(k->shared.arena, s);
	return e ? e->what : NULL;
}

const struct quick_chain *quick_chain(struct quick *k, const struct chain *c)
{
	const struct quick_chain *q;
	struct entry *e;

	if (!k)
		return NULL;
	e = table_at(&k->chains, c);
	if (!e->of) {
		table_add(&k->chains, c);
		return NULL;
	}
	if (!e->what)
		e->what = quick_make(&k->shared, c);
	q = e->what;
	return q && q->rules ? q : NULL;
}

const struct quick_chain *quick_jump(struct quick *k, const struct quick_rule *q)
{
	if (!q->to) /* what is kept of a rule is the tracer's */
		((struct quick_rule *)q)->to = quick_chain(k, q->verdict.to);
	return q->to;
}

void quick_expect(const struct quick_chain *q)
{
	for (uint32_t i = 0; i < q->n && q->n <= FEW; i++) {
		const struct quick_chain *to = q->rules[i].to;

		for (uint32_t at = 0; to && at < EXPECTED; at += LINE)
			__builtin_prefetch((const char *)to + at);
	}
}

const struct quick_set *quick_set(struct quick *k, const struct set *s)
{
	struct entry *e = k ? table_at(&k->sets, s) : NULL;

	if (!e)
		return NULL;
	if (!e->of) {
		table_add(&k->sets, s);
		return NULL;
	}
	if (!e->what)
		e->what = quick_set_make(k->shared.arena, s);
	return e->what;
}

/* ---- the places to look at ---- */

static struct quick_list find(const struct quick_key *key, const struct quick_number *v)
{
	for (uint32_t i = quick_hash(v) & key->mask;; i = (i + 1) & key->mask) {
		const struct quick_slot *s = &key->slots[i];
		const uint32_t *at = s->n == 1 ? &s->one : s->many;

		if (!s->n || (s->want.lo == v->lo && s->want.hi == v->hi))
			return (struct quick_list){ at, at + s->n };
	}
}

static void skip_to(struct quick_list *l, uint32_t from)
{
	const uint32_t *lo = l->at, *hi = l->end;

	while (lo < hi) {
		const uint32_t *mid = lo + (hi - lo) / 2;

		if (*mid < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	l->at = lo;
}

static void look_up(const struct quick_chain *q, const struct packet *p, struct quick_cursor *c, uint32_t from)
{
	const struct quick_index *x = q->index;
	struct quick_number v;

	c->q = q;
	c->version = p->version;
	c->all = false;
	for (unsigned i = 0; i < x->n_guards; i++)
		if (quick_load(&x->guards[i], p, &v) == TRI_UNKNOWN) {
			c->all = true;
			return;
		}
	c->n = 0;
	c->list[c->n++] = x->rest;
	for (unsigned i = 0; i < x->n_keys; i++)
		switch (quick_load(&x->keys[i].f, p, &v)) {
		case TRI_TRUE: c->list[c->n++] = find(&x->keys[i], &v); break;
		case TRI_FALSE: break; /* no such thing: equal to nothing */
		case TRI_UNKNOWN: c->list[c->n++] = x->keys[i].all; break;
		}
	for (unsigned i = 0; i < c->n; i++)
		skip_to(&c->list[i], from);
}

static uint32_t candidate(const struct quick_chain *q, const struct packet *p, struct quick_cursor *c, uint32_t from)
{
	uint32_t best = q->n;

	if (c->q != q || c->version != p->version || from < c->from)
		look_up(q, p, c, from);
	c->from = from;
	if (c->all)
		return from;
	for (unsigned i = 0; i < c->n; i++) {
		struct quick_list *l = &c->list[i];

		while (l->at < l->end && *l->at < from)
			l->at++;
		if (l->at < l->end && *l->at < best)
			best = *l->at;
	}
	return best;
}

/* All tests of a rule, up to one that is not true. */
static enum tri test_all(const struct quick_chain *q, const struct quick_rule *r, const struct packet *p)
{
	for (uint32_t i = 0; i < r->n; i++) {
		enum tri t = quick_test(&q->tests[r->tests + i], p);

		if (t != TRI_TRUE)
			return t;
	}
	return TRI_TRUE;
}

uint32_t quick_next(const struct quick_chain *q, const struct packet *p, struct quick_cursor *c, uint32_t from, bool *sure)
{
	for (; from < q->n; from++) {
		enum tri t;

		if (q->index)
			from = candidate(q, p, c, from);
		if (from >= q->n)
			break;
		t = test_all(q, &q->rules[from], p);
		*sure = t == TRI_TRUE;
		if (t != TRI_FALSE)
			break;
	}
	return from;
}
