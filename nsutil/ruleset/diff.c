/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff - what differs between two stores or two rulesets, by meaning */
#include "nsutil/ruleset/diff.h"

#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/align.h"
#include "nsutil/ruleset/canon.h"
#include "nsutil/ruleset/canon_form.h"

struct differ {
	struct arena *arena;
	struct diff *d;
	const struct table *lt, *rt;
};

const char *diff_kind_name(enum diff_kind kind)
{
	static const char *const names[] = { "missing", "extra", "moved", "changed", "store" };

	return kind <= DIFF_STORE ? names[kind] : "?";
}

static struct diff_entry *entry(struct differ *x, enum diff_kind kind)
{
	struct diff_entry *e = arena_alloc(x->arena, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = kind;
	e->left_table = x->lt;
	e->right_table = x->rt;
	*x->d->tail = e;
	x->d->tail = &e->next;
	x->d->n++;
	x->d->n_kind[kind]++;
	return e;
}

static int add_rule(struct differ *x, enum diff_kind kind, const struct chain *const pair[2],
		    const struct rule *l, const struct rule *r)
{
	struct diff_entry *e = entry(x, kind);

	if (!e)
		return -1;
	e->left_chain = pair[0];
	e->right_chain = pair[1];
	e->left = l;
	e->right = r;
	return 0;
}

/* A rule that is alone in its row, waiting for a partner elsewhere in the chain. */
struct lone {
	uint64_t hash;
	uint32_t row, gap;
	unsigned side;
	bool taken;
};

static int lone_order(const void *a, const void *b)
{
	const struct lone *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Pair up, hash by hash, what stands alone on the left with what stands alone on the right. */
static void pair_up(struct lone *lone, uint32_t n, uint32_t *partner, enum diff_kind kind, uint8_t *kinds)
{
	qsort(lone, n, sizeof(*lone), lone_order);
	for (uint32_t i = 0; i < n;) {
		uint32_t l = i, r, end;

		for (r = l; r < n && lone[r].hash == lone[l].hash && lone[r].side == 0;)
			r++;
		for (end = r; end < n && lone[end].hash == lone[l].hash;)
			end++;
		for (uint32_t k = r; l < r && k < end; l++, k++) {
			partner[lone[l].row] = lone[k].row;
			partner[lone[k].row] = lone[l].row;
			kinds[lone[l].row] = kinds[lone[k].row] = (uint8_t)kind;
		}
		i = end > i ? end : i + 1;
	}
}

/* The rows that have a rule on one side only and no partner yet. */
static uint32_t collect(const struct align *al, const uint32_t *partner, bool conditions, struct lone *lone)
{
	uint32_t n = 0, gap = 0;

	for (uint32_t i = 0; i < al->n_rows; i++) {
		const struct align_row *row = &al->rows[i];
		unsigned side = row->index[0] == ALIGN_NONE ? 1 : 0;
		const struct canon *c = &al->side[side].canon[row->index[side]];

		if (row->index[0] != ALIGN_NONE && row->index[1] != ALIGN_NONE) {
			gap++;
			continue;
		}
		if (partner[i] != ALIGN_NONE)
			continue;
		/* a changed rule is looked for in the same gap only: conditions alone tell little */
		lone[n++] = (struct lone){ .hash = conditions ? c->conditions ^ gap * 0x9e3779b97f4a7c15u : c->hash,
					   .row = i, .gap = gap, .side = side };
	}
	return n;
}

static int report_rows(struct differ *x, const struct align *al, const struct chain *const pair[2],
		       const uint32_t *partner, const uint8_t *kinds)
{
	for (uint32_t i = 0; i < al->n_rows; i++) {
		const struct rule *l = align_rule(al, &al->rows[i], 0), *r = align_rule(al, &al->rows[i], 1);
		enum diff_kind kind = l ? DIFF_MISSING : DIFF_EXTRA;

		if (l && r) {
			x->d->same_rules++;
			continue;
		}
		if (partner[i] != ALIGN_NONE) {
			if (r) /* told with its partner on the left */
				continue;
			r = align_rule(al, &al->rows[partner[i]], 1);
			kind = (enum diff_kind)kinds[i];
		}
		if (add_rule(x, kind, pair, l, r) != 0)
			return -1;
	}
	return 0;
}

static int diff_rules(struct differ *x, const struct chain *l, const struct chain *r)
{
	const struct chain *const pair[2] = { l, r };
	struct arena *scratch _cleanup_arena_ = arena_new();
	struct align al;
	uint32_t *partner;
	struct lone *lone;
	uint8_t *kinds;

	if (!scratch || align_chains(scratch, pair, 2, &al) != 0)
		return -1;
	partner = arena_array(scratch, al.n_rows + 1u, sizeof(*partner));
	lone = arena_array(scratch, al.n_rows + 1u, sizeof(*lone));
	kinds = arena_array(scratch, al.n_rows + 1u, sizeof(*kinds));
	if (!partner || !lone || !kinds)
		return -1;
	memset(partner, 0xff, (al.n_rows + 1u) * sizeof(*partner));
	pair_up(lone, collect(&al, partner, false, lone), partner, DIFF_MOVED, kinds);
	pair_up(lone, collect(&al, partner, true, lone), partner, DIFF_CHANGED, kinds);
	x->d->left_rules += al.side[0].n;
	x->d->right_rules += al.side[1].n;
	return report_rows(x, &al, pair, partner, kinds);
}

/* As good as none: a chain of a hook that lets everything pass. */
static bool does_nothing(const struct chain *c)
{
	return c->base && !c->rules && c->policy == VERDICT_ACCEPT;
}

static bool table_does_nothing(const struct table *t)
{
	for (const struct chain *c = t->chains; c; c = c->next)
		if (!does_nothing(c))
			return false;
	return !t->sets && !t->objects && !t->flowtables;
}

static int diff_chains(struct differ *x, const struct chain *l, const struct chain *r)
{
	unsigned bits = l && r ? canon_chain(l, r) : 0;
	struct diff_entry *e;

	if (bits || !l || !r) {
		if (!(l && r) && does_nothing(l ? l : r))
			return 0;
		e = entry(x, bits ? DIFF_CHANGED : l ? DIFF_MISSING : DIFF_EXTRA);
		if (!e)
			return -1;
		e->left_chain = l;
		e->right_chain = r;
		e->chain_bits = bits;
	}
	return diff_rules(x, l, r);
}

/* Elements as canonical text, as if the set were anonymous. */
static int set_text(const struct set *s, struct buf *b)
{
	struct set content = *s;

	content.flags |= SET_ANONYMOUS;
	canon_set(&content, s->typeof_key, CANON_ANY, b);
	return buf_failed(b) ? -1 : 0;
}

static int diff_sets(struct differ *x, const struct set *l, const struct set *r)
{
	struct buf lb _cleanup_buf_ = BUF_INIT, rb _cleanup_buf_ = BUF_INIT;
	struct diff_entry *e;

	if (l && r) {
		if (set_text(l, &lb) != 0 || set_text(r, &rb) != 0)
			return -1;
		if (strcmp(buf_cstr(&lb), buf_cstr(&rb)) == 0)
			return 0;
	}
	e = entry(x, l && r ? DIFF_CHANGED : l ? DIFF_MISSING : DIFF_EXTRA);
	if (!e)
		return -1;
	e->left_set = l;
	e->right_set = r;
	return 0;
}

static int name_order(const void *a, const void *b)
{
	return strcmp((*(const struct chain *const *)a)->name, (*(const struct chain *const *)b)->name);
}

/* The chains of a table by name, to be found in a time that bears kube-proxy's 20,000. */
struct by_name {
	const struct chain **v;
	size_t n;
};

static int index_chains(struct arena *a, const struct table *t, struct by_name *ret)
{
	size_t n = 0;

	for (const struct chain *c = t ? t->chains : NULL; c; c = c->next)
		n++;
	ret->v = arena_array(a, n + 1, sizeof(*ret->v));
	ret->n = 0;
	if (!ret->v)
		return -1;
	for (const struct chain *c = t ? t->chains : NULL; c; c = c->next)
		ret->v[ret->n++] = c;
	qsort(ret->v, n, sizeof(*ret->v), name_order);
	return 0;
}

static const struct chain *find_chain(const struct by_name *index, const struct chain *like)
{
	const struct chain **at = bsearch(&like, index->v, index->n, sizeof(*index->v), name_order);

	return at ? *at : NULL;
}

static int all_chains(struct differ *x)
{
	struct arena *scratch _cleanup_arena_ = arena_new();
	struct by_name left, right;

	if (!scratch || index_chains(scratch, x->lt, &left) != 0 || index_chains(scratch, x->rt, &right) != 0)
		return -1;
	for (const struct chain *c = x->lt ? x->lt->chains : NULL; c; c = c->next)
		if (diff_chains(x, c, find_chain(&right, c)) != 0)
			return -1;
	for (const struct chain *c = x->rt ? x->rt->chains : NULL; c; c = c->next)
		if (!find_chain(&left, c) && diff_chains(x, NULL, c) != 0)
			return -1;
	return 0;
}

static int diff_tables(struct differ *x)
{
	if (x->lt && x->rt) {
		for (const struct set *s = x->lt->sets; s; s = s->next)
			if (!(s->flags & SET_ANONYMOUS) && diff_sets(x, s, table_find_set(x->rt, s->name)) != 0)
				return -1;
		for (const struct set *s = x->rt->sets; s; s = s->next)
			if (!(s->flags & SET_ANONYMOUS) && !table_find_set(x->lt, s->name) &&
			    diff_sets(x, NULL, s) != 0)
				return -1;
	} else if (!entry(x, x->lt ? DIFF_MISSING : DIFF_EXTRA)) {
		return -1;
	}
	return all_chains(x);
}

static bool wanted(const struct diff_side *side, const struct table *t, const char *name)
{
	return side->stores & 1u << t->store && (!name || strcmp(t->name, name) == 0);
}

/* The table to compare with: in the same store if there is one, else in another of the side's. */
static const struct table *counterpart(const struct diff_side *side, const struct table *t)
{
	const struct table *same = NULL;

	if (side->stores & 1u << t->store)
		same = ruleset_find_table(side->rs, t->store, t->family, t->name);
	for (unsigned s = 0; !same && s < STORE_COUNT; s++)
		if (side->stores & 1u << s)
			same = ruleset_find_table(side->rs, (enum store)s, t->family, t->name);
	return same;
}

static int one_table(struct arena *a, struct diff *d, const struct table *l, const struct table *r, bool mixed)
{
	struct differ x = { .arena = a, .d = d, .lt = l, .rt = r };

	if ((!l || !r) && table_does_nothing(l ? l : r))
		return 0;
	if (l && r && l->store != r->store && !mixed && !entry(&x, DIFF_STORE))
		return -1;
	return diff_tables(&x);
}

int diff_rulesets(struct arena *a, const struct diff_side *left, const struct diff_side *right,
		  const char *table, struct diff *ret)
{
	bool mixed = left->stores != right->stores;

	*ret = (struct diff){ 0 };
	ret->tail = &ret->entries;
	for (const struct table *t = left->rs->tables; t; t = t->next) {
		const struct table *other = counterpart(right, t);

		/* the partner of another store may have a closer one */
		if (other && other->store != t->store && counterpart(left, other) != t)
			other = NULL;
		if (wanted(left, t, table) && one_table(a, ret, t, other, mixed) != 0)
			return -1;
	}
	for (const struct table *t = right->rs->tables; t; t = t->next) {
		const struct table *other = counterpart(left, t);

		if (other && counterpart(right, other) != t)
			other = NULL;
		if (wanted(right, t, table) && !other && one_table(a, ret, NULL, t, mixed) != 0)
			return -1;
	}
	return 0;
}
