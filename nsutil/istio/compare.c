/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare - match the rules of a store with Istio's layout, chain by chain and in order */
#include "nsutil/istio/compare.h"

#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/align.h"

/* The work on one chain: the rules that may be Istio's, and their canonical forms. */
struct work {
	struct arena *a;
	struct istio_match *m;
	uint32_t *candidate; /* index in m->rules */
	struct canon *canon; /* of all of m->rules */
	uint32_t *above, *below;
	uint32_t n;
	const bool *was; /* of all of m->rules: Istio's by a former plan; NULL: there is none */
};

static bool is_wanted(const struct istio_chain *want, const struct canon *c)
{
	for (unsigned i = 0; want && i < want->n; i++)
		if (canon_same(&want->canon[i], c))
			return true;
	return false;
}

/*
 * In a chain of Istio's every rule is its business; in a shared one only its own and planned ones. Istio writes no
 * comments: whoever has written one made the rule.
 */
static bool is_candidate(const struct istio_match *m, uint32_t i, const struct canon *c)
{
	return istio_owns_chain(m->name) || istio_owns_rule(m->rules[i]) || (!m->rules[i]->comment && is_wanted(m->want, c));
}

static int load(struct work *w, struct err *e)
{
	struct istio_match *m = w->m;

	w->canon = arena_array(w->a, m->n + 1, sizeof(*w->canon));
	w->candidate = arena_array(w->a, m->n + 1, sizeof(*w->candidate));
	if (!w->canon || !w->candidate)
		return err_oom(e);
	for (uint32_t i = 0; i < m->n; i++) {
		if (canon_rule(w->a, m->rules[i], &w->canon[i]) < 0)
			return err_oom(e);
		if (is_candidate(m, i, &w->canon[i]) || (w->was && w->was[i]))
			w->candidate[w->n++] = i;
	}
	return 0;
}

/* The longest list of planned rules that stand in order. */
static int match_in_order(struct work *w, struct err *e)
{
	const struct istio_chain *want = w->m->want;
	uint64_t *left = arena_array(w->a, want->n + 1, sizeof(*left));
	uint64_t *right = arena_array(w->a, w->n + 1, sizeof(*right));
	uint32_t *partner = arena_array(w->a, want->n + 1, sizeof(*partner));

	if (!left || !right || !partner)
		return err_oom(e);
	for (uint32_t i = 0; i < want->n; i++)
		left[i] = want->canon[i].hash;
	for (uint32_t i = 0; i < w->n; i++)
		right[i] = w->canon[w->candidate[i]].hash;
	if (align_lcs(left, want->n, right, w->n, partner) < 0)
		return err_oom(e);
	for (uint32_t i = 0; i < want->n; i++) {
		uint32_t at = partner[i] == ALIGN_NONE ? ISTIO_NONE : w->candidate[partner[i]];

		/* The pod's rules are not trusted to have honest hashes. */
		if (at == ISTIO_NONE || !canon_same(&want->canon[i], &w->canon[at]))
			continue;
		w->m->from[i] = at;
		w->m->to[at] = i;
		w->m->state[at] = ISTIO_GOOD;
	}
	return 0;
}

static bool stands_alone(const struct work *w, uint32_t at)
{
	return w->m->state[at] == ISTIO_EXTRA;
}

/*
 * In a shared chain a foreign rule may be the same as one of Istio's. Istio's appended ones stand directly above
 * those that follow in the plan, so of several the lowest above the next is meant.
 */
static void prefer_lowest(struct work *w)
{
	const struct istio_chain *want = w->m->want;
	uint32_t below = ISTIO_NONE;

	for (uint32_t i = want->n; i-- > 0 && !istio_owns_chain(w->m->name);) {
		uint32_t from = w->m->from[i];

		if (from == ISTIO_NONE)
			continue;
		for (uint32_t k = w->n; below != ISTIO_NONE && want->plan[i]->position == 0 && k-- > 0;) {
			uint32_t at = w->candidate[k];

			if (at <= from)
				break;
			if (at >= below || !stands_alone(w, at) || !canon_same(&want->canon[i], &w->canon[at]))
				continue;
			w->m->state[from] = ISTIO_EXTRA;
			w->m->to[from] = ISTIO_NONE;
			w->m->state[at] = ISTIO_GOOD;
			w->m->to[at] = i;
			w->m->from[i] = from = at;
			break;
		}
		below = from;
	}
}

/* A planned rule with no partner in order may stand elsewhere. */
static void match_misplaced(struct work *w)
{
	struct istio_match *m = w->m;

	for (uint32_t i = 0; i < m->want->n; i++)
		for (uint32_t k = 0; k < w->n && m->from[i] == ISTIO_NONE; k++) {
			uint32_t at = w->candidate[k];

			if (m->state[at] != ISTIO_EXTRA || !canon_same(&m->want->canon[i], &w->canon[at]))
				continue;
			m->from[i] = at;
			m->to[at] = i;
			m->state[at] = ISTIO_MISPLACED;
		}
}

/* In a shared chain a plain twin of a rule about an interface, or about what is invalid, may be somebody else's. */
static bool may_be_foreign(const struct istio_match *m, uint32_t at, const struct istio_rule *twin)
{
	return !istio_owns_chain(m->name) && !istio_owns_rule(m->rules[at]) &&
	       (twin->role == ISTIO_ROLE_EXCLUDED_NIC || twin->role == ISTIO_ROLE_VIRTUAL_NIC || twin->role == ISTIO_ROLE_INVALID);
}

static void match_duplicates(struct work *w)
{
	struct istio_match *m = w->m;

	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t at = w->candidate[k];

		for (uint32_t i = 0; i < m->want->n && m->state[at] == ISTIO_EXTRA; i++)
			if (canon_same(&m->want->canon[i], &w->canon[at])) {
				m->state[at] = may_be_foreign(m, at, m->want->plan[i]) ? ISTIO_FOREIGN : ISTIO_DUPLICATE;
				m->to[at] = i;
			}
	}
}

/* Between the same two neighbours that are in order? The bounds were computed by find_gaps(). */
static bool same_gap(const struct work *w, uint32_t i, uint32_t at)
{
	return w->above[at] <= i && i < w->below[at];
}

/* For each rule: one more than the planned rule that the nearest good one above is, and the nearest below. */
static int find_gaps(struct work *w, struct err *e)
{
	const struct istio_match *m = w->m;
	uint32_t above = 0, below = ISTIO_NONE;

	w->above = arena_array(w->a, m->n + 1, sizeof(*w->above));
	w->below = arena_array(w->a, m->n + 1, sizeof(*w->below));
	if (!w->above || !w->below)
		return err_oom(e);
	for (uint32_t k = 0; k < m->n; k++) {
		if (m->state[k] == ISTIO_GOOD)
			above = m->to[k] + 1;
		w->above[k] = above;
	}
	for (uint32_t k = m->n; k-- > 0;) {
		if (m->state[k] == ISTIO_GOOD)
			below = m->to[k];
		w->below[k] = below;
	}
	return 0;
}

/* What is left over on both sides in the same place was changed; equal conditions go first. */
static void match_changed(struct work *w, bool same_conditions)
{
	struct istio_match *m = w->m;

	for (uint32_t i = 0; i < m->want->n; i++)
		for (uint32_t k = 0; k < w->n && m->from[i] == ISTIO_NONE; k++) {
			uint32_t at = w->candidate[k];

			if (m->state[at] != ISTIO_EXTRA || !same_gap(w, i, at))
				continue;
			if (same_conditions && m->want->canon[i].conditions != w->canon[at].conditions)
				continue;
			m->from[i] = at;
			m->to[at] = i;
			m->state[at] = ISTIO_CHANGED;
		}
}

static int compare_chain(struct arena *a, struct istio_match *m, const struct istio_chain *former, struct err *e);

/* Which rules of a shared chain stand where another plan has one of its own. */
static const bool *find_former(struct arena *a, const struct istio_match *m, const struct istio_chain *former, struct err *e)
{
	struct istio_match trial = { .table = m->table, .name = m->name, .want = former, .have = m->have };
	bool *was;

	if (compare_chain(a, &trial, NULL, e) < 0)
		return NULL;
	was = arena_array(a, trial.n + 1, sizeof(*was));
	if (!was)
		err_oom(e);
	for (uint32_t i = 0; was && i < trial.n; i++)
		was[i] = trial.state[i] == ISTIO_GOOD;
	return was;
}

static int compare_chain(struct arena *a, struct istio_match *m, const struct istio_chain *former, struct err *e)
{
	struct work w = { .a = a, .m = m };
	uint32_t n_want = m->want ? m->want->n : 0;

	m->n = m->have ? m->have->n_rules : 0;
	m->rules = arena_array(a, m->n + 1, sizeof(*m->rules));
	m->state = arena_array(a, m->n + 1, sizeof(*m->state));
	m->to = arena_array(a, m->n + 1, sizeof(*m->to));
	m->from = arena_array(a, n_want + 1, sizeof(*m->from));
	if (!m->rules || !m->state || !m->to || !m->from)
		return err_oom(e);
	memset(m->to, 0xff, (m->n + 1) * sizeof(*m->to));
	memset(m->from, 0xff, (n_want + 1) * sizeof(*m->from));
	m->n = 0;
	for (const struct rule *r = m->have ? m->have->rules : NULL; r; r = r->next)
		m->rules[m->n++] = r;
	if (former && m->have && !istio_owns_chain(m->name)) {
		w.was = find_former(a, m, former, e);
		if (!w.was)
			return -1;
	}
	if (load(&w, e) < 0)
		return -1;
	for (uint32_t k = 0; k < w.n; k++)
		m->state[w.candidate[k]] = ISTIO_EXTRA;
	if (!m->want)
		return 0;
	if (match_in_order(&w, e) < 0)
		return -1;
	prefer_lowest(&w);
	match_misplaced(&w);
	match_duplicates(&w);
	if (find_gaps(&w, e) < 0)
		return -1;
	match_changed(&w, true);
	match_changed(&w, false);
	return 0;
}

static int add_match(struct arena *a, struct istio_compare *c, const struct istio_layout *former, const char *table,
		     const char *name, const struct istio_chain *want, const struct chain *have, struct err *e)
{
	struct istio_match *at = arena_grow(a, c->at, c->n, sizeof(*at));

	if (!at)
		return err_oom(e);
	c->at = at;
	at[c->n] = (struct istio_match){ .table = table, .name = name, .want = want, .have = have };
	return compare_chain(a, &at[c->n++], former ? istio_layout_find(former, table, name) : NULL, e);
}

/* Has an unplanned chain anything to report? */
static bool has_business(const struct chain *c)
{
	if (istio_owns_chain(c->name))
		return true;
	for (const struct rule *r = c->rules; r; r = r->next)
		if (istio_owns_rule(r))
			return true;
	return false;
}

static void count(struct istio_compare *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		const struct istio_match *m = &c->at[i];

		c->any |= m->have && istio_owns_chain(m->name);
		for (uint32_t k = 0; k < m->n; k++) {
			c->good += m->state[k] == ISTIO_GOOD;
			c->differences += m->state[k] > ISTIO_GOOD;
			c->any |= istio_owns_rule(m->rules[k]);
		}
		for (uint32_t k = 0; m->want && k < m->want->n; k++)
			c->differences += m->from[k] == ISTIO_NONE;
		c->differences += istio_owns_chain(m->name) && (!m->want != !m->have) &&
				  (m->want ? m->want->n == 0 : m->n == 0);
	}
}

int istio_compare_make(struct arena *a, const struct ruleset *rs, enum store store,
		       const struct istio_layout *l, const struct istio_layout *former, struct istio_compare *ret,
		       struct err *e)
{
	struct istio_compare c = { .store = store, .family = l->family };

	for (unsigned i = 0; i < l->n; i++) {
		const struct istio_chain *want = &l->chains[i];
		const struct table *t = ruleset_find_table(rs, store, l->family, want->table);

		if (add_match(a, &c, former, want->table, want->name, want, t ? table_find_chain(t, want->name) : NULL, e) < 0)
			return -1;
	}
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (t->store != store || t->family != l->family)
			continue;
		for (const struct chain *ch = t->chains; ch; ch = ch->next)
			if ((has_business(ch) || (former && istio_layout_find(former, t->name, ch->name))) &&
			    !istio_layout_find(l, t->name, ch->name) &&
			    add_match(a, &c, former, t->name, ch->name, NULL, ch, e) < 0)
				return -1;
	}
	count(&c);
	*ret = c;
	return 0;
}

/* Behind the nearest planned rule above it that is there, else before the nearest below, else where
 * the plan puts it in a chain of others: an insert goes to the top, the rest to the end. */
uint32_t istio_match_place(const struct istio_match *m, uint32_t i)
{
	for (uint32_t k = i; k-- > 0;)
		if (m->from[k] != ISTIO_NONE && m->state[m->from[k]] == ISTIO_GOOD)
			return m->from[k] + 2;
	for (uint32_t k = i + 1; k < m->want->n; k++)
		if (m->from[k] != ISTIO_NONE && m->state[m->from[k]] == ISTIO_GOOD)
			return m->from[k] + 1;
	return m->want->plan[i]->position > 0 ? 1 : m->n + 1;
}
