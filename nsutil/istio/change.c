/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change - what apply and flush would do to a namespace */
#include "nsutil/istio/change.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/former.h"

static uint8_t family_of(unsigned v6)
{
	return v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

/* A store that cannot be read must not be changed by guess. */
static int check_read(const struct ruleset *rs, struct err *e)
{
	for (const struct unread *u = rs->unread; u; u = u->next) {
		char what[128];

		if (u->store == STORE_NATIVE)
			continue;
		snprintf(what, sizeof(what), "cannot read %s of the %s store", u->table ? u->table : "the tables",
			 store_name(u->store));
		return err_set(e, ERR_SYS, what, "%s; nothing is changed", u->why);
	}
	return 0;
}

static struct istio_part *make_part(struct arena *a, const struct ruleset *rs, enum store store,
				    const struct istio_plan *p, unsigned v6, struct err *e)
{
	const struct istio_rules *rules = v6 ? &p->v6 : &p->v4;
	uint8_t family = family_of(v6);
	struct istio_part *part = arena_alloc(a, sizeof(*part));

	if (!part) {
		err_oom(e);
		return NULL;
	}
	if (istio_layout_make(a, rules, family, &part->layout, e) < 0 ||
	    istio_layout_parse(&part->layout, store, e) < 0)
		return NULL;
	if (istio_former_compare(a, rs, store, &part->layout, &p->config->known, &part->compare, e) < 0) {
		istio_layout_free(&part->layout);
		return NULL;
	}
	return part;
}

static int add_part(struct istio_change *c, struct istio_part *part, struct err *e)
{
	if (istio_edits_make(c->arena, &part->compare, &part->edits, e) < 0) {
		istio_layout_free(&part->layout);
		return -1;
	}
	c->parts[c->n_parts++] = part;
	c->n_edits += part->edits.n;
	return 0;
}

/* Everything of Istio's is to go: what was planned counts as found, not as wanted. */
static void unwant(struct istio_part *part)
{
	struct istio_compare *c = &part->compare;

	part->clears = true;
	for (unsigned i = 0; i < c->n; i++) {
		struct istio_match *m = &c->at[i];

		for (uint32_t k = 0; k < m->n; k++)
			if (m->state[k] != ISTIO_FOREIGN)
				m->state[k] = c->any ? ISTIO_EXTRA : ISTIO_FOREIGN;
		m->want = NULL;
	}
}

int istio_change_drop(struct istio_change *c, const struct table *t, struct err *e)
{
	const struct table **native = arena_grow(c->arena, c->native, c->n_native, sizeof(*native));

	if (!native)
		return err_oom(e);
	c->native = native;
	native[c->n_native++] = t;
	c->n_edits++;
	return 0;
}

int istio_change_make(struct istio_change *c, const struct istio_native_table *t, struct err *e)
{
	const struct istio_native_table **made = arena_grow(c->arena, c->made, c->n_made, sizeof(*made));

	if (!made)
		return err_oom(e);
	c->made = made;
	made[c->n_made++] = t;
	c->n_edits++;
	return 0;
}

static bool is_planned(const struct istio_native *n, const struct table *t)
{
	for (unsigned i = 0; n && i < n->n; i++)
		if (t->family == NFPROTO_INET && strcmp(n->tables[i].table->name, t->name) == 0)
			return true;
	return false;
}

static int add_native(struct istio_change *c, const struct ruleset *rs, const struct istio_native *n, struct err *e)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (istio_owns_table(t) && !is_planned(n, t) && istio_change_drop(c, t, e) < 0)
			return -1;
	return 0;
}

int istio_change_routing(struct istio_change *c, const struct netview *nv, const struct istio_config *config,
			 bool flush, struct err *e)
{
	if (nv->routes_unread)
		return err_set(e, ERR_SYS, "cannot read routes and routing rules", "%s; nothing is changed",
			       nv->routes_unread);
	if ((!flush && istio_routing_plan(c->arena, config, c->families, &c->routing) < 0) ||
	    istio_routing_compare(c->arena, nv, c->before, config, c->families, &c->routing) < 0)
		return err_oom(e);
	c->flush = flush;
	c->n_edits += c->routing.n;
	return 0;
}

void istio_change_free(struct istio_change *c)
{
	for (unsigned i = 0; i < c->n_parts; i++)
		istio_layout_free(&c->parts[i]->layout);
	c->n_parts = 0;
	istio_guard_free(&c->guard);
}

/* Both stores of one family: the home store first, then the other is cleared. */
static int apply_family(struct istio_change *c, const struct ruleset *rs, const struct istio_plan *p,
			unsigned v6, int store, struct istio_part *cleared[2], struct err *e)
{
	struct istio_part *sides[2] = { NULL, NULL };
	struct istio_choice *choice = &c->choice[v6];

	for (unsigned s = 0; s < 2; s++) {
		sides[s] = make_part(c->arena, rs, (enum store)s, p, v6, e);
		if (!sides[s]) {
			if (s)
				istio_layout_free(&sides[0]->layout);
			return -1;
		}
	}
	istio_store_choose(rs, family_of(v6), p->config->force_binary, &sides[STORE_LEGACY]->compare,
			   &sides[STORE_COMPAT]->compare, choice);
	if (store >= 0) {
		choice->store = (enum store)store;
		strcpy(choice->why, "as asked");
	}
	cleared[v6] = sides[!choice->store];
	unwant(cleared[v6]);
	if (add_part(c, sides[choice->store], e) < 0) {
		istio_layout_free(&cleared[v6]->layout);
		cleared[v6] = NULL;
		return -1;
	}
	return 0;
}

int istio_change_apply(struct arena *a, const struct ruleset *rs, const struct istio_plan *p,
		       unsigned families, int store, struct istio_change *ret, struct err *e)
{
	struct istio_change c = { .arena = a, .families = families, .before = rs, .wanted = p->config };
	struct istio_part *cleared[2] = { NULL, NULL };
	int status = check_read(rs, e);

	for (unsigned v6 = 0; v6 < 2 && !status; v6++)
		if (families & (1U << v6))
			status = apply_family(&c, rs, p, v6, store, cleared, e);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		if (!cleared[v6])
			continue;
		if (status)
			istio_layout_free(&cleared[v6]->layout);
		else
			status = add_part(&c, cleared[v6], e);
	}
	if (!status && families == 3)
		status = add_native(&c, rs, NULL, e);
	if (!status)
		status = istio_guard_plan(&c, families & (p->v6.n ? 3 : 1), e);
	if (status) {
		istio_change_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

/* All iptables rules of Istio's go: none is planned. */
static int clear_iptables(struct istio_change *c, const struct ruleset *rs, const struct istio_plan *p,
			  unsigned families, unsigned stores, struct err *e)
{
	for (unsigned i = 0; i < 4; i++) {
		enum store store = (enum store)(i & 1);
		unsigned v6 = i >> 1;
		struct istio_part *part;

		if (!(families & (1U << v6)) || !(stores & (1U << store)))
			continue;
		part = make_part(c->arena, rs, store, p, v6, e);
		if (!part)
			return -1;
		unwant(part);
		if (add_part(c, part, e) < 0)
			return -1;
	}
	return 0;
}

int istio_change_native(struct arena *a, const struct ruleset *rs, const struct istio_native *n,
			const struct istio_plan *p, struct istio_change *ret, struct err *e)
{
	struct istio_change c = { .arena = a, .families = 3, .before = rs, .wanted = p->config };
	int status = check_read(rs, e);

	for (unsigned i = 0; i < n->n && !status; i++) {
		const struct istio_native_table *t = &n->tables[i];
		int same = istio_native_same(a, t, ruleset_find_table(rs, STORE_NATIVE, NFPROTO_INET, t->table->name));

		status = same < 0 ? err_oom(e) : same ? 0 : istio_change_make(&c, t, e);
	}
	for (unsigned v6 = 0; v6 < 2; v6++) {
		c.choice[v6].store = STORE_NATIVE;
		strcpy(c.choice[v6].why, "native nftables, as configured");
	}
	if (!status)
		status = clear_iptables(&c, rs, p, 3, 3, e);
	if (!status)
		status = add_native(&c, rs, n, e);
	if (!status)
		status = istio_guard_plan(&c, 3, e);
	if (status) {
		istio_change_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

int istio_change_flush(struct arena *a, const struct ruleset *rs, const struct istio_plan *p,
		       unsigned families, unsigned stores, struct istio_change *ret, struct err *e)
{
	struct istio_change c = { .arena = a, .families = families, .before = rs };
	int status = check_read(rs, e);

	if (!status)
		status = clear_iptables(&c, rs, p, families, stores, e);
	if (!status && families == 3 && stores & (1U << STORE_NATIVE))
		status = add_native(&c, rs, NULL, e);
	if (!status)
		status = istio_guard_plan(&c, 0, e);
	if (status) {
		istio_change_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}
