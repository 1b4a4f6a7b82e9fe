/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set - look-ups in sets and maps by a key of which bits may be unknown */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/trace/quick.h"
#include "nsutil/trace/run.h"

#define SOON_MS 2000 /* an element that expires sooner may be gone when a packet comes */
#define PICK_MAX 32 /* elements a partly known key may select before it is too many to follow */

void set_key_eval(struct run *r, const struct expr *x, struct set_key *k)
{
	if (x->kind != EXPR_CONCAT) {
		k->n = 1;
		eval_expr(r, x, &k->part[0]);
		return;
	}
	k->n = x->concat.n < SET_PARTS ? x->concat.n : SET_PARTS;
	for (unsigned i = 0; i < k->n; i++)
		eval_expr(r, x->concat.parts[i], &k->part[i]);
}

static enum tri part_match(const struct value *v, const struct expr *x)
{
	struct value a, b;

	switch (x->kind) {
	case EXPR_VALUE: return value_literal(&a, x) < 0 ? TRI_UNKNOWN : value_eq(v, &a);
	case EXPR_PREFIX:
		return value_literal(&a, x->prefix.value) < 0 ? TRI_UNKNOWN
							      : value_in_prefix(v, &a, x->prefix.len);
	case EXPR_RANGE:
		if (value_literal(&a, x->range.from) < 0 || value_literal(&b, x->range.to) < 0)
			return TRI_UNKNOWN;
		return value_in_range(v, &a, &b);
	default: return TRI_UNKNOWN;
	}
}

static enum tri elem_match(const struct set_key *k, const struct set_elem *e)
{
	enum tri t = TRI_TRUE;

	if (e->catchall || !e->key)
		return TRI_FALSE; /* only when nothing else is */
	if (e->key->kind != EXPR_CONCAT)
		return k->n == 1 ? part_match(&k->part[0], e->key) : TRI_UNKNOWN;
	for (unsigned i = 0; i < k->n && i < e->key->concat.n && t != TRI_FALSE; i++)
		t = tri_and(t, part_match(&k->part[i], e->key->concat.parts[i]));
	return t;
}

static const struct set_elem *catchall(const struct set *s)
{
	for (uint32_t i = 0; i < s->n_elems; i++)
		if (s->elems[i].catchall)
			return &s->elems[i];
	return NULL;
}

/* Statements of an element that may refuse it; one that has no time left may be gone by now. */
static enum tri elem_stmts(struct run *r, const struct set_elem *e)
{
	enum tri t = TRI_TRUE;

	if (e->timeout_ms && e->expires_ms && e->expires_ms < SOON_MS) {
		r->why = "the element is about to expire";
		return TRI_UNKNOWN;
	}

	for (const struct stmt *s = e->stmts; s; s = s->next)
		t = tri_and(t, eval_condition(r, s));
	return t;
}

static const char *key_reason(const struct set_key *k)
{
	for (unsigned i = 0; i < k->n; i++)
		if (!value_known(&k->part[i]) && k->part[i].why)
			return k->part[i].why;
	return "the key is not known";
}

enum tri set_has_room(struct run *r, const struct stmt_setop *s)
{
	struct set_key k;
	enum tri t;

	if (s->set->unread || !s->set->has_size || !s->set->size || s->set->n_elems < s->set->size)
		return TRI_TRUE;
	set_key_eval(r, s->key, &k);
	t = set_has(r, s->set, &k);
	r->why = t == TRI_TRUE ? NULL : "the set is full";
	return t;
}

void set_touch(struct run *r, const struct stmt_setop *s)
{
	struct set_key *k;

	if (r->n_touched == RUN_TOUCHED) {
		run_end(r, TRACE_UNKNOWN, "too many elements are added to sets on the way");
		return;
	}
	k = arena_alloc(r->arena, sizeof(*k));
	if (!k) {
		r->oom = true;
		return;
	}
	set_key_eval(r, s->key, k);
	r->touched[r->n_touched] = s;
	r->touched_key[r->n_touched++] = k;
}

static enum tri same_keys(const struct set_key *a, const struct set_key *b)
{
	enum tri t = a->n == b->n ? TRI_TRUE : TRI_FALSE;

	for (unsigned i = 0; i < a->n && t != TRI_FALSE; i++)
		t = tri_and(t, value_eq(&a->part[i], &b->part[i]));
	return t;
}

/* What a rule before did with that key: the last one counts. Return: FALSE when none did, or perhaps */
static enum tri was_touched(struct run *r, const struct set *s, const struct set_key *k, enum setop_kind *op)
{
	for (unsigned i = r->n_touched; i-- > 0;) {
		enum tri t = r->touched[i]->set == s ? same_keys(r->touched_key[i], k) : TRI_FALSE;

		*op = r->touched[i]->op;
		if (t != TRI_FALSE)
			return t;
	}
	return TRI_FALSE;
}

static enum tri has_as_read(struct run *r, const struct set *s, const struct set_key *k);

enum tri set_has(struct run *r, const struct set *s, const struct set_key *k)
{
	enum setop_kind op = SETOP_ADD;
	enum tri touched = r->n_touched ? was_touched(r, s, k, &op) : TRI_FALSE, t;

	if (touched == TRI_TRUE)
		return op == SETOP_DELETE ? TRI_FALSE : TRI_TRUE;
	t = has_as_read(r, s, k);
	if (touched == TRI_FALSE || t == (op == SETOP_DELETE ? TRI_FALSE : TRI_TRUE))
		return t;
	r->why = "a rule before changes the set";
	return TRI_UNKNOWN;
}

static enum tri has_as_read(struct run *r, const struct set *s, const struct set_key *k)
{
	const struct set_elem *rest;
	enum tri any = TRI_FALSE;
	struct quick_elems may;

	if (s->unread) {
		r->why = s->unread;
		return TRI_UNKNOWN;
	}
	may = quick_elems(r->t->quick, s, k);
	rest = may.rest_known ? may.rest : catchall(s);
	for (uint32_t i = quick_elem(&may, 0); i < s->n_elems; i = quick_elem(&may, i + 1)) {
		enum tri t = elem_match(k, &s->elems[i]);

		if (t == TRI_TRUE)
			return elem_stmts(r, &s->elems[i]);
		any = tri_or(any, t);
	}
	if (rest)
		return any == TRI_FALSE ? elem_stmts(r, rest) : TRI_TRUE;
	r->why = key_reason(k);
	return any;
}

/* Random keys stay below their modulus: when every number has an element, one of them is taken. */
static bool key_is_covered(const struct set *s, const struct expr *key)
{
	uint32_t modulus = key->kind == EXPR_NUMGEN ? key->numgen.modulus
			   : key->kind == EXPR_HASH ? key->hash.modulus : 0;
	uint64_t covered = 0;

	if (!modulus)
		return false;
	for (uint32_t i = 0; i < s->n_elems; i++) {
		const struct expr *x = s->elems[i].key;

		if (x && x->kind == EXPR_VALUE)
			covered++;
		else if (x && x->kind == EXPR_RANGE && x->range.from->kind == EXPR_VALUE)
			covered += expr_uint(x->range.to) - expr_uint(x->range.from) + 1;
	}
	return covered >= modulus;
}

static const char *elem_text(struct run *r, const struct set_elem *e)
{
	if (!e)
		return "no element";
	return e->catchall ? "*" : describe_expr(r->arena, e->key);
}

static const struct set_elem *ask_which(struct run *r, const struct set_key *k, const struct expr *key,
					const struct set_elem **may, unsigned n)
{
	unsigned i = run_decide(r, n, NULL, describe_expr(r->arena, key), key_reason(k));

	run_answer(r, elem_text(r, may[i]));
	return may[i];
}

const struct set_elem *set_pick(struct run *r, const struct set *s, const struct expr *key)
{
	const struct set_elem *may[PICK_MAX + 1], *rest;
	struct quick_elems look;
	struct set_key k;
	unsigned n = 0;

	if (s->unread) {
		run_end(r, TRACE_UNKNOWN, s->unread);
		return NULL;
	}
	set_key_eval(r, key, &k);
	for (unsigned i = 0; i < k.n; i++)
		if (k.part[i].absent)
			return NULL;
	if (r->n_touched && was_touched(r, s, &k, &(enum setop_kind){ SETOP_ADD }) != TRI_FALSE) {
		run_end(r, TRACE_UNKNOWN, "a rule before changes the map");
		return NULL;
	}
	look = quick_elems(r->t->quick, s, &k);
	rest = look.rest_known ? look.rest : catchall(s);
	for (uint32_t i = quick_elem(&look, 0); i < s->n_elems; i = quick_elem(&look, i + 1)) {
		enum tri t = elem_match(&k, &s->elems[i]);

		if (t == TRI_FALSE)
			continue;
		if (t == TRI_TRUE && n == 0)
			return &s->elems[i];
		if (n == PICK_MAX) {
			run_end(r, TRACE_UNKNOWN, "too many elements of a map may be meant");
			return NULL;
		}
		may[n++] = &s->elems[i];
	}
	if (n == 0)
		return rest;
	if (!key_is_covered(s, key))
		may[n++] = rest;
	return ask_which(r, &k, key, may, n);
}
