/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo_change - the change that brings a former state back */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/fingerprint.h"
#include "nsutil/istio/undo_file.h"
#include "nsutil/ruleset/align.h"
#include "nsutil/ruleset/text.h"

static const struct table *find_filter(const struct ruleset *rs, unsigned store, unsigned v6)
{
	return ruleset_find_table(rs, (enum store)store, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, "filter");
}

/* Guardrails of the change still stand: it was cut off. */
static bool is_guarded(const struct istio_undo *u, const struct ruleset *rs, unsigned store, unsigned v6)
{
	return store <= STORE_COMPAT && u->guarded[store][v6] && istio_guard_find(find_filter(rs, store, v6));
}

static int judge_table(const struct istio_undo *u, const struct ruleset *rs, const struct istio_undo_table *t,
		       enum istio_undo_state *ret)
{
	const struct table *have = ruleset_find_table(rs, t->store, t->family, t->name);
	uint64_t now;

	if (istio_fingerprint(have, &now) < 0)
		return -1;
	if (now != t->before && now != t->after && strcmp(t->name, "filter") == 0 &&
	    is_guarded(u, rs, t->store, t->family == NFPROTO_IPV6) && istio_fingerprint_unguarded(have, &now) < 0)
		return -1;
	*ret = now == t->before ? ISTIO_UNDO_BEFORE : now == t->after ? ISTIO_UNDO_AFTER : ISTIO_UNDO_MOVED;
	return 0;
}

int istio_undo_judge(const struct istio_undo *u, const struct ruleset *rs, enum istio_undo_state *ret,
		     const struct istio_undo_table **ret_table, struct err *e)
{
	enum istio_undo_state state = ISTIO_UNDO_BEFORE;

	for (unsigned i = 0; i < u->n_tables; i++) {
		enum istio_undo_state of;

		if (judge_table(u, rs, &u->tables[i], &of) < 0)
			return err_oom(e);
		if (of == ISTIO_UNDO_MOVED && ret_table && state != ISTIO_UNDO_MOVED)
			*ret_table = &u->tables[i];
		state = of > state ? of : state;
	}
	for (unsigned i = 0; i < 4; i++)
		if (state == ISTIO_UNDO_BEFORE && is_guarded(u, rs, i & 1, i >> 1))
			state = ISTIO_UNDO_AFTER;
	*ret = state;
	return 0;
}

/* ---- a chain as it was, against the chain as it is ---- */

static bool has_words(const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return rule_iptables(r, &b);
}

/* The former chain as if it were a plan. */
static struct istio_chain *former_chain(struct arena *a, const char *table, const struct chain *c)
{
	struct istio_chain *want = arena_alloc(a, sizeof(*want));
	uint32_t n = c->n_rules;

	if (!want)
		return NULL;
	*want = (struct istio_chain){ .table = table, .name = c->name, .builtin = c->base };
	want->plan = arena_array(a, n + 1, sizeof(*want->plan));
	want->rules = arena_array(a, n + 1, sizeof(*want->rules));
	want->canon = arena_array(a, n + 1, sizeof(*want->canon));
	if (!want->plan || !want->rules || !want->canon)
		return NULL;
	for (const struct rule *r = c->rules; r; r = r->next) {
		struct istio_rule *plan = arena_alloc(a, sizeof(*plan));
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (!plan || !rule_iptables(r, &b) || canon_rule(a, r, &want->canon[want->n]) < 0)
			return NULL;
		*plan = (struct istio_rule){ .table = table, .chain = c->name,
					     .text = arena_strdup(a, buf_cstr(&b) + (buf_cstr(&b)[0] == ' ')) };
		want->plan[want->n] = plan;
		want->rules[want->n++] = r;
	}
	return want;
}

/* Of rules that mean the same, the one with the comment it had is the one that comes back. */
static uint64_t with_comment(uint64_t hash, const struct rule *r)
{
	for (const char *c = r->comment; c && *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3; /* FNV-1a */
	return hash;
}

static int match(struct arena *a, struct istio_match *m)
{
	uint64_t *left = arena_array(a, (m->want ? m->want->n : 0) + 1, sizeof(*left));
	uint64_t *right = arena_array(a, m->n + 1, sizeof(*right));
	struct canon canon;
	uint32_t i = 0;

	if (!left || !right)
		return -1;
	for (const struct rule *r = m->have ? m->have->rules : NULL; r; r = r->next, i++) {
		if (canon_rule(a, r, &canon) < 0)
			return -1;
		m->rules[i] = r;
		m->state[i] = has_words(r) ? ISTIO_EXTRA : ISTIO_FOREIGN;
		right[i] = with_comment(canon.hash, r);
	}
	if (!m->want)
		return 0;
	for (i = 0; i < m->want->n; i++)
		left[i] = with_comment(m->want->canon[i].hash, m->want->rules[i]);
	if (align_lcs(left, m->want->n, right, m->n, m->from) < 0)
		return -1;
	for (i = 0; i < m->want->n; i++)
		if (m->from[i] != ISTIO_NONE) {
			m->to[m->from[i]] = i;
			m->state[m->from[i]] = ISTIO_GOOD;
		}
	return 0;
}

static int add_chain(struct arena *a, struct istio_compare *c, const char *table, const struct chain *former,
		     const struct chain *have)
{
	struct istio_match *m = arena_grow(a, c->at, c->n, sizeof(*m));
	uint32_t n_want = former ? former->n_rules : 0, n = have ? have->n_rules : 0;

	if (!m)
		return -1;
	c->at = m;
	m += c->n++;
	*m = (struct istio_match){ .table = table, .name = former ? former->name : have->name, .have = have, .n = n };
	m->want = former ? former_chain(a, table, former) : NULL;
	m->rules = arena_array(a, n + 1, sizeof(*m->rules));
	m->state = arena_array(a, n + 1, sizeof(*m->state));
	m->to = arena_array(a, n + 1, sizeof(*m->to));
	m->from = arena_array(a, n_want + 1, sizeof(*m->from));
	if ((former && !m->want) || !m->rules || !m->state || !m->to || !m->from)
		return -1;
	memset(m->to, 0xff, (n + 1) * sizeof(*m->to));
	memset(m->from, 0xff, (n_want + 1) * sizeof(*m->from));
	return match(a, m);
}

static int compare_table(struct arena *a, struct istio_compare *c, const char *name, const struct table *former,
			 const struct table *have)
{
	for (const struct chain *ch = former ? former->chains : NULL; ch; ch = ch->next)
		if (add_chain(a, c, name, ch, have ? table_find_chain(have, ch->name) : NULL) < 0)
			return -1;
	for (const struct chain *ch = have ? have->chains : NULL; ch; ch = ch->next)
		if (!(former && table_find_chain(former, ch->name)) && (ch->base || istio_owns_chain(ch->name)) &&
		    add_chain(a, c, name, NULL, ch) < 0)
			return -1;
	return 0;
}

/* ---- the change ---- */

/* Nothing but what the change put there is in a table that was not there. */
static bool may_go(const struct istio_undo_table *t, const struct table *have)
{
	uint64_t now;

	return t->absent && have && have->store == STORE_COMPAT && istio_fingerprint_unguarded(have, &now) == 0 &&
	       (now == t->after || now == t->before);
}

static bool is_listed(const struct istio_undo *u, const struct table *t)
{
	for (unsigned i = 0; i < u->n_tables; i++)
		if (u->tables[i].store == t->store && u->tables[i].family == t->family &&
		    strcmp(u->tables[i].name, t->name) == 0)
			return true;
	return false;
}

/* Guardrails in a table that the change touched for nothing else. */
static int remove_guards(struct arena *a, const struct istio_undo *u, const struct ruleset *rs, struct istio_compare *c)
{
	unsigned v6 = c->family == NFPROTO_IPV6;
	const struct table *t = find_filter(rs, c->store, v6);

	if (!is_guarded(u, rs, c->store, v6) || is_listed(u, t))
		return 0;
	for (const struct chain *ch = t->chains; ch; ch = ch->next) {
		struct istio_match *m;

		if (!ch->base)
			continue;
		if (add_chain(a, c, "filter", NULL, ch) < 0)
			return -1;
		m = &c->at[c->n - 1];
		for (uint32_t i = 0; i < m->n; i++)
			m->state[i] = istio_is_guardrail(m->rules[i]) ? ISTIO_EXTRA : ISTIO_FOREIGN;
	}
	return 0;
}

static int make_part(struct istio_change *c, const struct istio_undo *u, enum store store, uint8_t family,
		     const struct ruleset *saved, struct err *e)
{
	struct istio_part *part = arena_alloc(c->arena, sizeof(*part));

	if (!part)
		return err_oom(e);
	*part = (struct istio_part){ .compare = { .store = store, .family = family }, .clears = true };
	for (unsigned i = 0; i < u->n_tables; i++) {
		const struct istio_undo_table *t = &u->tables[i];
		const struct table *have = ruleset_find_table(c->before, store, family, t->name);

		if (t->store != store || t->family != family)
			continue;
		if (may_go(t, have)) {
			if (istio_change_drop(c, have, e) < 0)
				return -1;
		} else if (compare_table(c->arena, &part->compare, t->name,
					 ruleset_find_table(saved, store, family, t->name), have) < 0) {
			return err_oom(e);
		}
	}
	if (remove_guards(c->arena, u, c->before, &part->compare) < 0)
		return err_oom(e);
	if (istio_edits_make(c->arena, &part->compare, &part->edits, e) < 0)
		return -1;
	for (unsigned i = 0; i < part->edits.n; i++)
		if (part->edits.at[i].op == ISTIO_INSERT_RULE)
			part->clears = false; /* rules come back before others go */
	if (part->edits.n)
		c->parts[c->n_parts++] = part;
	c->n_edits += part->edits.n;
	return 0;
}

static const struct istio_native_table *find_native(const struct istio_native *n, const char *name)
{
	for (unsigned i = 0; i < n->n; i++)
		if (strcmp(n->tables[i].table->name, name) == 0)
			return &n->tables[i];
	return NULL;
}

static int undo_native(struct istio_change *c, const struct istio_undo *u, const struct istio_native *n, struct err *e)
{
	for (unsigned i = 0; i < u->n_tables; i++) {
		const struct istio_undo_table *t = &u->tables[i];
		const struct table *have = ruleset_find_table(c->before, STORE_NATIVE, t->family, t->name);
		const struct istio_native_table *former = find_native(n, t->name);

		if (t->store != STORE_NATIVE)
			continue;
		if (t->absent && have && istio_change_drop(c, have, e) < 0)
			return -1;
		if (!t->absent && former && istio_native_same(c->arena, former, have) != 1 && istio_change_make(c, former, e) < 0)
			return -1;
	}
	return 0;
}

static int read_saved(struct arena *a, const struct istio_undo *u, struct ruleset *saved, struct istio_native *native,
		      struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (istio_undo_rules(u, saved, &b, e) < 0)
		return -1;
	if (buf_failed(&b))
		return err_oom(e);
	if (istio_native_parse(a, buf_cstr(&b), NULL, native, e) < 0)
		return err_wrap(e, "%s holds a native rule that is not Istio's", u->path);
	return 0;
}

/* By family: Istio has rules when all is as it was. */
static unsigned keeps(const struct istio_undo *u, const struct ruleset *rs, const struct ruleset *saved,
		      const struct istio_native *native)
{
	unsigned bits = native->n ? 3 : 0;

	for (unsigned v6 = 0; v6 < 2; v6++)
		bits |= istio_guard_has(saved, v6) ? 1U << v6 : 0;
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (is_listed(u, t))
			continue;
		if (istio_owns_table(t))
			bits = 3;
		for (const struct chain *c = t->store == STORE_NATIVE ? NULL : t->chains; c; c = c->next)
			if (istio_owns_chain(c->name))
				bits |= t->family == NFPROTO_IPV6 ? 2 : 1;
	}
	return bits;
}

int istio_undo_change(struct arena *a, const struct istio_undo *u, const struct ruleset *rs,
		      const struct netview *nv, struct ruleset *saved, struct istio_native *native,
		      struct istio_change *ret, struct err *e)
{
	struct istio_change c = { .arena = a, .families = 3, .before = rs, .flush = true };

	if (read_saved(a, u, saved, native, e) < 0)
		return -1;
	for (unsigned store = STORE_LEGACY; store <= STORE_COMPAT; store++)
		for (unsigned v6 = 0; v6 < 2; v6++)
			if (make_part(&c, u, (enum store)store, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, saved, e) < 0)
				return -1;
	if (undo_native(&c, u, native, e) < 0)
		return -1;
	if (istio_routing_restore(a, nv, u->steps, u->n_steps, &c.routing) < 0)
		return err_oom(e);
	c.n_edits += c.routing.n;
	if (istio_guard_plan(&c, keeps(u, rs, saved, native), e) < 0) {
		istio_change_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}
