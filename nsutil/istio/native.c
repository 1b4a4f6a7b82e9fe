/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native - Istio's native nftables tables: planned, and compared with what is there */
#include "nsutil/istio/native.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/align.h"
#include "nsutil/ruleset/text.h"

static const char *const hooks[] = { "prerouting", "input", "forward", "output", "postrouting" };

static struct istio_native_table *find_table(struct istio_native *n, const char *name)
{
	struct istio_native_table *at;

	for (unsigned i = 0; i < n->n; i++)
		if (strcmp(n->tables[i].table->name, name) == 0)
			return &n->tables[i];
	at = arena_grow(n->arena, n->tables, n->n, sizeof(*at));
	if (!at)
		return NULL;
	n->tables = at;
	at[n->n] = (struct istio_native_table){
		.table = ruleset_add_table(n->model, STORE_NATIVE, NFPROTO_INET, arena_strdup(n->arena, name)) };
	return at[n->n].table ? &at[n->n++] : NULL;
}

static struct istio_native_chain *find_chain(struct istio_native *n, const char *table, const char *name)
{
	struct istio_native_table *t = find_table(n, table);
	struct istio_native_chain *at;

	for (unsigned i = 0; t && i < t->n; i++)
		if (strcmp(t->chains[i].chain->name, name) == 0)
			return &t->chains[i];
	at = t ? arena_grow(n->arena, t->chains, t->n, sizeof(*at)) : NULL;
	if (!at)
		return NULL;
	t->chains = at;
	at[t->n] = (struct istio_native_chain){ .chain = table_add_chain(n->model, t->table, arena_strdup(n->arena, name)) };
	return at[t->n].chain ? &at[t->n++] : NULL;
}

static int parse_hook(struct chain *c, const char *text)
{
	char type[16], hook[16];
	int priority;

	if (sscanf(text, " { type %15s hook %15s priority %d", type, hook, &priority) != 3)
		return -1;
	for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++)
		if (strcmp(hooks[i], hook) == 0) {
			c->base = true;
			c->type = strcmp(type, "nat") == 0 ? "nat" : strcmp(type, "route") == 0 ? "route" : "filter";
			c->hook = i;
			c->priority = priority;
			c->policy = VERDICT_ACCEPT;
			return 0;
		}
	return -1;
}

static enum istio_role role_of(const struct istio_rules *plan, const char *table, const char *chain, const char *text)
{
	for (unsigned i = 0; plan && i < plan->n; i++)
		if (strcmp(plan->at[i].table, table) == 0 && strcmp(plan->at[i].chain, chain) == 0 &&
		    strcmp(plan->at[i].text, text) == 0)
			return plan->at[i].role;
	return ISTIO_ROLE_CAPTURE_OUT;
}

static int parse_rule(struct istio_native *n, const struct istio_rules *plan, const char *table, const char *chain,
		      int index, const char *text, struct err *e)
{
	struct istio_native_chain *c = find_chain(n, table, chain);
	struct istio_native_rule *at = c ? arena_grow(n->arena, c->rules, c->n, sizeof(*at)) : NULL;
	struct istio_native_rule r = { .text = arena_strdup(n->arena, text) };
	unsigned place;

	if (!at || !r.text)
		return err_oom(e);
	if (nft_body_parse(n->arena, text, &r.body, e) < 0)
		return -1;
	r.role = role_of(plan, table, chain, text);
	place = index >= 0 && (unsigned)index < c->n ? (unsigned)index : c->n;
	c->rules = at;
	memmove(at + place + 1, at + place, (c->n - place) * sizeof(*at));
	at[place] = r;
	c->n++;
	return 0;
}

static int parse_line(struct istio_native *n, const struct istio_rules *plan, const char *line, struct err *e)
{
	char table[128], chain[128];
	int at = 0, index = -1;

	if (sscanf(line, "add table inet %127s", table) == 1)
		return find_table(n, table) ? 0 : err_oom(e);
	if (sscanf(line, "add chain inet %127s %127s%n", table, chain, &at) == 2) {
		struct istio_native_chain *c = find_chain(n, table, chain);

		if (!c)
			return err_oom(e);
		return line[at] && parse_hook(c->chain, line + at) < 0 ? err_set(e, ERR_USAGE, line, "no such hook") : 0;
	}
	if (sscanf(line, "add rule inet %127s %127s %n", table, chain, &at) == 2 && at)
		return parse_rule(n, plan, table, chain, -1, line + at, e);
	if (sscanf(line, "insert rule inet %127s %127s index %d %n", table, chain, &index, &at) == 3 && at)
		return parse_rule(n, plan, table, chain, index, line + at, e);
	if (strncmp(line, "flush table ", 12) == 0 || line[0] == '#' || !line[0])
		return 0;
	return err_set(e, ERR_USAGE, line, "not a command that Istio hands to nft");
}

/* Rules of the model, once all stand in their order. */
static int make_rules(struct istio_native *n, struct err *e)
{
	for (unsigned i = 0; i < n->n; i++)
		for (unsigned k = 0; k < n->tables[i].n; k++) {
			struct istio_native_chain *c = &n->tables[i].chains[k];

			for (unsigned r = 0; r < c->n; r++) {
				c->rules[r].rule = nft_body_rule(n->model, c->chain, &c->rules[r].body);
				if (!c->rules[r].rule)
					return err_oom(e);
			}
		}
	for (unsigned i = 0; i < n->n; i++)
		if (ruleset_link(n->model, n->tables[i].table) < 0)
			return err_oom(e);
	return 0;
}

int istio_native_parse(struct arena *a, const char *text, const struct istio_rules *plan,
		       struct istio_native *ret, struct err *e)
{
	struct istio_native n = { .arena = a, .model = ruleset_new() };
	char *copy = arena_strdup(a, text), *save = NULL;
	int status = copy && n.model ? 0 : err_oom(e);

	for (char *line = status ? NULL : strtok_r(copy, "\n", &save); line && !status; line = strtok_r(NULL, "\n", &save))
		status = parse_line(&n, plan, line, e);
	if (!status)
		status = make_rules(&n, e);
	if (status) {
		istio_native_free(&n);
		return -1;
	}
	*ret = n;
	return 0;
}

void istio_native_free(struct istio_native *n)
{
	ruleset_free(n->model);
	n->model = NULL;
}

void istio_native_save(const struct table *t, struct buf *b)
{
	buf_fmt(b, "add table inet %s\n", t->name);
	for (const struct chain *c = t->chains; c; c = c->next) {
		buf_fmt(b, "add chain inet %s %s", t->name, c->name);
		if (c->base && c->hook < ARRAY_SIZE(hooks))
			buf_fmt(b, " { type %s hook %s priority %d ; }", c->type, hooks[c->hook], c->priority);
		buf_chr(b, '\n');
	}
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->rules; r; r = r->next) {
			buf_fmt(b, "add rule inet %s %s ", t->name, c->name);
			rule_nft(r, false, b);
			buf_chr(b, '\n');
		}
}

void istio_native_put(const struct istio_native_table *t, struct buf *b)
{
	const char *name = t->table->name;

	buf_fmt(b, "add table inet %s\ndelete table inet %s\nadd table inet %s\n", name, name, name);
	for (unsigned i = 0; i < t->n; i++) {
		const struct chain *c = t->chains[i].chain;

		buf_fmt(b, "add chain inet %s %s", name, c->name);
		if (c->base)
			buf_fmt(b, " { type %s hook %s priority %d ; }", c->type, hooks[c->hook], c->priority);
		buf_chr(b, '\n');
	}
	for (unsigned i = 0; i < t->n; i++)
		for (unsigned k = 0; k < t->chains[i].n; k++)
			buf_fmt(b, "add rule inet %s %s %s\n", name, t->chains[i].chain->name, t->chains[i].rules[k].text);
}

static int chain_same(struct arena *a, const struct chain *x, const struct chain *y)
{
	struct align_chain left, right;

	if (canon_chain(x, y) != CHAIN_SAME || x->n_rules != y->n_rules)
		return 0;
	if (align_load(a, x, &left) < 0 || align_load(a, y, &right) < 0)
		return -1;
	for (uint32_t i = 0; i < left.n; i++)
		if (!canon_same(&left.canon[i], &right.canon[i]))
			return 0;
	return 1;
}

int istio_native_same(struct arena *a, const struct istio_native_table *want, const struct table *have)
{
	unsigned n = 0;

	for (const struct chain *c = have ? have->chains : NULL; c; c = c->next)
		n++;
	if (!have || n != want->n)
		return 0;
	for (unsigned i = 0; i < want->n; i++) {
		const struct chain *c = table_find_chain(have, want->chains[i].chain->name);
		int same = c ? chain_same(a, want->chains[i].chain, c) : 0;

		if (same <= 0)
			return same;
	}
	return 1;
}
