/* SPDX-License-Identifier: GPL-2.0-or-later */
/* effect - what a difference does to the connections that matter, by following them */
#include "nsutil/istio/effect.h"

#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/edit.h"
#include "nsutil/istio/verify.h"
#include "nsutil/nft/write.h"

enum { TOLD = 2 }; /* connections named in one text */

#define NOBODY ", nobody listens"

/* The content of a chain: rules of the model, and for each the rule it is or is a copy of. */
struct content {
	struct rule **at;
	const struct rule **origin;
	uint32_t n;
};

struct kept {
	struct chain *chain;
	struct content was, should;
	bool other; /* of the store that should hold nothing */
};

struct istio_effects {
	struct arena *a;
	struct ruleset *rs;
	const struct netview *nv;
	struct err *e;
	uint8_t family;
	struct kept *kept;
	unsigned n_kept;
	struct istio_trial *right, *now;
	unsigned n;
	struct istio_taken natives;
	const char *residue;
	bool failed;
};

/* ---- chains ---- */

static void put(struct chain *c, const struct content *x)
{
	c->rules = NULL;
	c->rules_tail = &c->rules;
	for (uint32_t i = 0; i < x->n; i++) {
		x->at[i]->next = NULL;
		x->at[i]->chain = c;
		*c->rules_tail = x->at[i];
		c->rules_tail = &x->at[i]->next;
	}
	c->n_rules = x->n;
}

static int add_at(struct arena *a, struct content *x, uint32_t at, struct rule *r, const struct rule *origin)
{
	struct rule **rules = r ? arena_array(a, x->n + 1, sizeof(*rules)) : NULL;
	const struct rule **origins = arena_array(a, x->n + 1, sizeof(*origins));

	if (!rules || !origins)
		return -1;
	if (at > x->n)
		at = x->n;
	for (uint32_t i = 0; i < at; i++) {
		rules[i] = x->at[i];
		origins[i] = x->origin[i];
	}
	rules[at] = r;
	origins[at] = origin;
	for (uint32_t i = at; i < x->n; i++) {
		rules[i + 1] = x->at[i];
		origins[i + 1] = x->origin[i];
	}
	*x = (struct content){ rules, origins, x->n + 1 };
	return 0;
}

static int remove_at(struct arena *a, struct content *x, uint32_t at)
{
	struct content less = { .n = 0 };

	for (uint32_t i = 0; i < x->n; i++)
		if (i != at && add_at(a, &less, less.n, x->at[i], x->origin[i]) < 0)
			return -1;
	*x = less;
	return 0;
}

static struct rule *copy_rule(struct istio_effects *x, const struct rule *r)
{
	return arena_dup(x->rs->arena, r, sizeof(*r));
}

static struct chain *find_chain(struct istio_effects *x, enum store store, const char *table, const char *name)
{
	struct table *t = ruleset_find_table(x->rs, store, x->family, table);
	struct chain *c;

	if (!t)
		t = ruleset_add_table(x->rs, store, x->family, table);
	c = t ? table_find_chain(t, name) : NULL;
	if (t && !c) {
		c = table_add_chain(x->rs, t, name);
		if (c)
			nft_builtin_chain(table, name, c); /* of the tables Istio uses, legacy's are alike */
	}
	return c;
}

static struct kept *keep(struct istio_effects *x, enum store store, const char *table, const char *name)
{
	struct chain *c = find_chain(x, store, table, name);
	struct kept *at;

	for (unsigned i = 0; c && i < x->n_kept; i++)
		if (x->kept[i].chain == c)
			return &x->kept[i];
	at = c ? arena_grow(x->a, x->kept, x->n_kept, sizeof(*at)) : NULL;
	if (!at)
		return NULL;
	x->kept = at;
	at += x->n_kept++;
	*at = (struct kept){ .chain = c };
	for (struct rule *r = c->rules; r; r = r->next)
		if (add_at(x->a, &at->was, at->was.n, r, r) < 0)
			return NULL;
	at->should = at->was;
	return at;
}

/* ---- in order ---- */

static int carry_out(struct istio_effects *x, enum store store, const struct istio_edit *d, bool other)
{
	struct kept *k = keep(x, store, d->table, d->chain);

	if (!k)
		return -1;
	k->other = other;
	switch (d->op) {
	case ISTIO_NEW_CHAIN:
	case ISTIO_DELETE_CHAIN:
		return 0;
	case ISTIO_FLUSH_CHAIN:
		k->should.n = 0;
		return 0;
	case ISTIO_DELETE_RULE:
		return remove_at(x->a, &k->should, d->position - 1);
	case ISTIO_INSERT_RULE:
		return add_at(x->a, &k->should, d->at_end ? k->should.n : d->position - 1, copy_rule(x, d->rule), d->rule);
	}
	return 0;
}

static int arrange(struct istio_effects *x, const struct istio_compare *c, bool other, struct err *e)
{
	struct istio_edits edits;

	if (istio_edits_make(x->a, c, &edits, e) < 0)
		return -1;
	for (unsigned i = 0; i < edits.n; i++)
		if (carry_out(x, c->store, &edits.at[i], other) < 0)
			return err_oom(e);
	return 0;
}

/* The other store, compared with nothing: all of Istio's is to go. */
static int clear(struct istio_effects *x, const struct istio_compare *other, struct err *e)
{
	struct istio_rules none = { .n = 0 };
	struct istio_layout empty;
	struct istio_compare c;
	int status;

	if (istio_layout_make(x->a, &none, x->family, &empty, e) < 0 || istio_layout_parse(&empty, other->store, e) < 0)
		return -1;
	status = istio_compare_make(x->a, x->rs, other->store, &empty, NULL, &c, e) < 0 ? -1 : arrange(x, &c, true, e);
	istio_layout_free(&empty);
	return status;
}

void istio_tables_take(struct ruleset *rs, struct istio_taken *ret)
{
	struct table **at = &rs->tables;

	ret->tables = NULL;
	ret->tail = &ret->tables;
	while (*at) {
		struct table *t = *at;

		if (!istio_owns_table(t)) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		t->next = NULL;
		*ret->tail = t;
		ret->tail = &t->next;
	}
	rs->tables_tail = at;
}

void istio_tables_back(struct ruleset *rs, struct istio_taken *taken)
{
	if (!taken->tables)
		return;
	*rs->tables_tail = taken->tables;
	rs->tables_tail = taken->tail;
	taken->tables = NULL;
}

static int link_all(struct istio_effects *x)
{
	for (struct table *t = x->rs->tables; t; t = t->next)
		if (t->store != STORE_NATIVE && t->family == x->family && ruleset_link(x->rs, t) < 0)
			return -1;
	return 0;
}

static int follow(struct istio_effects *x, struct istio_trial *trials)
{
	return link_all(x) < 0 ? -1 : istio_trials_run(x->a, x->rs, x->nv, trials, x->n, x->e);
}

int istio_effects_begin(struct arena *a, struct ruleset *rs, const struct netview *nv, const struct istio_config *c,
			const struct istio_compare *home, const struct istio_compare *other, struct istio_effects **ret,
			struct err *e)
{
	struct istio_effects *x = arena_alloc(a, sizeof(*x));

	*ret = NULL;
	if (!nv)
		return 0;
	if (!x)
		return err_oom(e);
	*x = (struct istio_effects){ .a = a, .rs = rs, .nv = nv, .family = home->family };
	if (istio_trials_make(a, nv, c, home->family, &x->right, &x->n) < 0)
		return err_oom(e);
	if (!x->right) /* without an address no connection is worth following */
		return 0;
	x->now = arena_dup(a, x->right, (x->n + 1) * sizeof(*x->now));
	if (!x->now)
		return err_oom(e);
	istio_tables_take(x->rs, &x->natives);
	if (arrange(x, home, false, e) < 0 || clear(x, other, e) < 0) {
		istio_tables_back(x->rs, &x->natives);
		return -1;
	}
	for (unsigned i = 0; i < x->n_kept; i++)
		put(x->kept[i].chain, &x->kept[i].should);
	*ret = x;
	if (follow(x, x->right) == 0)
		return 0;
	istio_effects_end(x); /* a rule that cannot be followed is no reason not to compare */
	*ret = NULL;
	return 0;
}

int istio_effects_end(struct istio_effects *x)
{
	if (!x)
		return 0;
	for (unsigned i = 0; i < x->n_kept; i++)
		put(x->kept[i].chain, &x->kept[i].was);
	istio_tables_back(x->rs, &x->natives);
	return link_all(x);
}

/* ---- one difference ---- */

/* Whether somebody listens is not what the rules decide. */
static int said(const char *ends)
{
	size_t n = strlen(ends), tail = strlen(NOBODY);

	return (int)(n > tail && strcmp(ends + n - tail, NOBODY) == 0 ? n - tail : n);
}

/* Of both families alike: said once. */
static bool said_before(const struct istio_trial *right, const struct istio_trial *now, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (strcmp(right[k].name, right[i].name) == 0 && strcmp(right[k].ends, right[i].ends) == 0 &&
		    strcmp(now[k].ends, now[i].ends) == 0)
			return true;
	return false;
}

const char *istio_trials_tell(struct arena *a, const struct istio_trial *right, const struct istio_trial *now, unsigned n_trials,
			      const char *otherwise)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	unsigned n = 0;

	for (unsigned i = 0; i < n_trials; i++) {
		if (strcmp(now[i].ends, right[i].ends) == 0 || said_before(right, now, i))
			continue;
		if (n++ < TOLD)
			buf_fmt(&b, "%s%s: %.*s, instead of %.*s", n > 1 ? "; " : "", right[i].name, said(now[i].ends), now[i].ends,
				said(right[i].ends), right[i].ends);
	}
	if (n > TOLD)
		buf_fmt(&b, "; and %u more", n - TOLD);
	if (!n)
		return otherwise;
	return buf_failed(&b) ? NULL : arena_strdup(a, buf_cstr(&b));
}

static const char *tell(struct istio_effects *x, const char *otherwise)
{
	return istio_trials_tell(x->a, x->right, x->now, x->n, otherwise);
}

/* Behind the nearest rule that stood in front of it and is there. */
static int put_in(struct istio_effects *x, struct content *to, const struct istio_match *m, uint32_t have)
{
	uint32_t at = 0;

	for (uint32_t j = 0; j < have; j++)
		for (uint32_t i = 0; i < to->n; i++)
			if (to->origin[i] == m->rules[j])
				at = i + 1;
	return add_at(x->a, to, at, copy_rule(x, m->rules[have]), m->rules[have]);
}

static const struct rule *planned(const struct istio_match *m, uint32_t want)
{
	uint32_t from = m->from[want];

	return from != ISTIO_NONE && m->state[from] == ISTIO_GOOD ? m->rules[from] : m->want->rules[want];
}

const char *istio_effects_of(struct istio_effects *x, const struct istio_match *m, uint32_t have, uint32_t want,
			     const char *otherwise)
{
	const struct rule *less = x && want != ISTIO_NONE ? planned(m, want) : NULL;
	struct content with = { .n = 0 };
	struct kept *k = NULL;

	for (unsigned i = 0; x && i < x->n_kept; i++)
		if (!x->kept[i].other && strcmp(x->kept[i].chain->name, m->name) == 0 &&
		    strcmp(x->kept[i].chain->table->name, m->table) == 0)
			k = &x->kept[i];
	if (!k)
		return otherwise;
	for (uint32_t i = 0; i < k->should.n; i++)
		if ((!less || k->should.origin[i] != less) &&
		    add_at(x->a, &with, with.n, k->should.at[i], k->should.origin[i]) < 0)
			return NULL;
	if (have != ISTIO_NONE && put_in(x, &with, m, have) < 0)
		return NULL;
	put(k->chain, &with);
	if (follow(x, x->now) < 0)
		otherwise = "what it does cannot be followed";
	else
		otherwise = tell(x, otherwise);
	put(k->chain, &k->should);
	return otherwise;
}

const char *istio_effects_residue(struct istio_effects *x, const char *otherwise)
{
	int status;

	if (!x)
		return otherwise;
	if (x->residue)
		return x->residue;
	for (unsigned i = 0; i < x->n_kept; i++)
		if (x->kept[i].other)
			put(x->kept[i].chain, &x->kept[i].was);
	status = follow(x, x->now);
	for (unsigned i = 0; i < x->n_kept; i++)
		if (x->kept[i].other)
			put(x->kept[i].chain, &x->kept[i].should);
	x->residue = status < 0 ? otherwise : tell(x, otherwise);
	if (x->residue && x->residue != otherwise)
		x->residue = arena_printf(x->a, "residue, with which %s", x->residue);
	return x->residue;
}
