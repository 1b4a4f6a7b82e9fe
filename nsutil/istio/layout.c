/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout - the chains as they stand when a plan was carried out */
#include "nsutil/istio/layout.h"

#include <string.h>

#include "nsutil/base/cleanup.h"

bool istio_owns_chain(const char *name)
{
	return strncmp(name, "ISTIO_", 6) == 0;
}

const struct istio_chain *istio_layout_find(const struct istio_layout *l, const char *table,
					    const char *chain)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->chains[i].table, table) == 0 && strcmp(l->chains[i].name, chain) == 0)
			return &l->chains[i];
	return NULL;
}

static struct istio_chain *want_chain(struct istio_layout *l, const char *table, const char *name)
{
	struct istio_chain *c = (struct istio_chain *)istio_layout_find(l, table, name);

	if (c)
		return c;
	c = arena_grow(l->arena, l->chains, l->n, sizeof(*c));
	if (!c)
		return NULL;
	l->chains = c;
	c += l->n++;
	*c = (struct istio_chain){ .table = table, .name = name, .builtin = istio_is_builtin(name) };
	return c;
}

/* Put a rule where the plan wants it: at its position, or at the end. */
static int place(struct istio_layout *l, const struct istio_rule *r, struct err *e)
{
	struct istio_chain *c = want_chain(l, r->table, r->chain);
	const struct istio_rule **plan = c ? arena_grow(l->arena, c->plan, c->n, sizeof(*plan)) : NULL;
	unsigned at = r->position > 0 ? (unsigned)r->position - 1 : c ? c->n : 0;

	if (!plan)
		return err_oom(e);
	if (at > c->n)
		return err_set(e, ERR_SYS, "plan", "rule %d of chain %s has no rule before it", r->position, r->chain);
	memmove(plan + at + 1, plan + at, (c->n - at) * sizeof(*plan));
	plan[at] = r;
	c->plan = plan;
	c->n++;
	return 0;
}

/* A chain that is only jumped to exists all the same (SPEC B2). */
static int place_target(struct istio_layout *l, const struct istio_rule *r, struct err *e)
{
	const char *target = istio_rule_target(r->text);

	if (!target || istio_is_builtin(target) || !istio_owns_chain(target))
		return 0;
	return want_chain(l, r->table, target) ? 0 : err_oom(e);
}

int istio_layout_make(struct arena *a, const struct istio_rules *rules, uint8_t family,
		      struct istio_layout *ret, struct err *e)
{
	struct istio_layout l = { .arena = a, .family = family };

	for (unsigned i = 0; i < rules->n; i++)
		if (place(&l, &rules->at[i], e) < 0)
			return -1;
	for (unsigned i = 0; i < rules->n; i++)
		if (place_target(&l, &rules->at[i], e) < 0)
			return -1;
	*ret = l;
	return 0;
}

void istio_layout_free(struct istio_layout *l)
{
	ruleset_free(l->parsed);
	l->parsed = NULL;
}

static void save_table(const struct istio_layout *l, const char *table, struct buf *b)
{
	bool begun = false;

	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < l->n; i++) {
			const struct istio_chain *c = &l->chains[i];

			if (strcmp(c->table, table) != 0)
				continue;
			if (!begun)
				buf_fmt(b, "*%s\n", table);
			begun = true;
			if (pass == 0)
				buf_fmt(b, ":%s %s [0:0]\n", c->name, c->builtin ? "ACCEPT" : "-");
			for (unsigned k = 0; pass == 1 && k < c->n; k++)
				buf_fmt(b, "-A %s %s\n", c->name, c->plan[k]->text);
		}
	if (begun)
		buf_str(b, "COMMIT\n");
}

void istio_layout_save(const struct istio_layout *l, struct buf *b)
{
	static const char *const tables[] = { "filter", "mangle", "nat", "raw" };

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		save_table(l, tables[i], b);
}
