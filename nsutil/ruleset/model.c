/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model - building and looking up tables, chains, rules and statements */
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/maker.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

struct ruleset *ruleset_new(void)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));

	if (!rs)
		return NULL;
	rs->arena = arena_new();
	if (!rs->arena) {
		free(rs);
		return NULL;
	}
	rs->tables_tail = &rs->tables;
	return rs;
}

void ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return;
	arena_free(rs->arena);
	free(rs);
}

struct table *ruleset_add_table(struct ruleset *rs, enum store store, uint8_t family, const char *name)
{
	struct table *t = arena_alloc(rs->arena, sizeof(*t));

	if (!t)
		return NULL;
	t->store = store;
	t->family = family;
	t->name = arena_strdup(rs->arena, name);
	if (!t->name)
		return NULL;
	t->chains_tail = &t->chains;
	t->sets_tail = &t->sets;
	t->objects_tail = &t->objects;
	t->flowtables_tail = &t->flowtables;
	*rs->tables_tail = t;
	rs->tables_tail = &t->next;
	return t;
}

/* The four kinds of things in a table are added alike: allocate, name, link at the tail. */
#define TABLE_ADD(kind, list)                                                                      \
	struct kind *table_add_##kind(struct ruleset *rs, struct table *t, const char *name)       \
	{                                                                                          \
		struct kind *it = arena_alloc(rs->arena, sizeof(*it));                             \
		if (!it)                                                                           \
			return NULL;                                                               \
		it->table = t;                                                                     \
		it->name = arena_strdup(rs->arena, name);                                          \
		if (!it->name)                                                                     \
			return NULL;                                                               \
		*t->list##_tail = it;                                                              \
		t->list##_tail = &it->next;                                                        \
		return it;                                                                         \
	}

TABLE_ADD(set, sets)
TABLE_ADD(object, objects)
TABLE_ADD(flowtable, flowtables)

struct chain *table_add_chain(struct ruleset *rs, struct table *t, const char *name)
{
	struct chain *c = arena_alloc(rs->arena, sizeof(*c));

	if (!c)
		return NULL;
	c->table = t;
	c->name = arena_strdup(rs->arena, name);
	if (!c->name)
		return NULL;
	c->policy = VERDICT_ACCEPT;
	c->rules_tail = &c->rules;
	*t->chains_tail = c;
	t->chains_tail = &c->next;
	return c;
}

struct rule *chain_add_rule(struct ruleset *rs, struct chain *c)
{
	struct rule *r = arena_alloc(rs->arena, sizeof(*r));

	if (!r)
		return NULL;
	r->chain = c;
	r->index = ++c->n_rules;
	*c->rules_tail = r;
	c->rules_tail = &r->next;
	return r;
}

const struct rule *rule_make(const struct rule *r, struct arena *scratch, struct rule *room)
{
	const struct rule_maker *m = r->chain->table->maker;

	if (!r->raw)
		return r;
	arena_reset(scratch);
	*room = *r;
	return m->make(m, scratch, r, &room->stmts) < 0 ? NULL : room;
}

int ruleset_add_unread(struct ruleset *rs, enum store store, uint8_t family, const char *table,
		       const char *why)
{
	struct unread *u = arena_alloc(rs->arena, sizeof(*u));

	if (!u)
		return -1;
	u->store = store;
	u->family = family;
	u->table = arena_strdup(rs->arena, table);
	u->why = arena_strdup(rs->arena, why);
	u->next = rs->unread;
	rs->unread = u;
	return u->why && (u->table || !table) ? 0 : -1;
}

struct table *ruleset_find_table(const struct ruleset *rs, enum store store, uint8_t family,
				 const char *name)
{
	for (struct table *t = rs->tables; t; t = t->next)
		if (t->store == store && t->family == family && strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

struct chain *table_find_chain(const struct table *t, const char *name)
{
	for (struct chain *c = t->chains; c; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

struct set *table_find_set(const struct table *t, const char *name)
{
	for (struct set *s = t->sets; s; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

/* kube-proxy makes tens of thousands of chains: jumps are resolved through a hash table. */
struct chain_index {
	struct chain **slots;
	size_t mask;
};

static size_t name_hash(const char *s)
{
	size_t h = 1469598103934665603u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 1099511628211u;
	return h ^ (h >> 29);
}

static int index_build(struct chain_index *ix, const struct table *t)
{
	size_t n = 0, room = 8;

	for (const struct chain *c = t->chains; c; c = c->next)
		n++;
	while (room < n * 2)
		room *= 2;
	ix->mask = room - 1;
	ix->slots = calloc(room, sizeof(*ix->slots));
	if (!ix->slots)
		return -1;
	for (struct chain *c = t->chains; c; c = c->next) {
		size_t i = name_hash(c->name) & ix->mask;

		while (ix->slots[i])
			i = (i + 1) & ix->mask;
		ix->slots[i] = c;
	}
	return 0;
}

static struct chain *index_find(const struct chain_index *ix, const char *name)
{
	size_t i = name_hash(name) & ix->mask;

	while (ix->slots[i] && strcmp(ix->slots[i]->name, name) != 0)
		i = (i + 1) & ix->mask;
	return ix->slots[i];
}

static void link_verdict(const struct chain_index *ix, struct stmt_verdict *v)
{
	if (v->chain)
		v->to = index_find(ix, v->chain);
}

static void link_set(const struct chain_index *ix, struct set *s)
{
	for (uint32_t i = 0; i < s->n_elems; i++)
		if (s->elems[i].verdict)
			link_verdict(ix, s->elems[i].verdict);
}

/* Returns whether the list holds something that is not understood. */
static bool link_stmts(const struct chain_index *ix, struct stmt *list)
{
	bool opaque = false;

	for (struct stmt *s = list; s; s = s->next) {
		switch (s->kind) {
		case STMT_VERDICT: link_verdict(ix, &s->verdict); break;
		case STMT_VMAP:
			if (s->vmap.map)
				link_set(ix, s->vmap.map);
			break;
		case STMT_XT: opaque |= link_stmts(ix, s->xt->meaning); break;
		case STMT_OPAQUE: opaque = true; break;
		default: break;
		}
	}
	return opaque;
}

int ruleset_link(struct ruleset *rs, struct table *t)
{
	struct chain_index ix;

	(void)rs;
	if (index_build(&ix, t) < 0)
		return -1;
	for (struct chain *c = t->chains; c; c = c->next) {
		uint32_t n = 0;

		for (struct rule *r = c->rules; r; r = r->next) {
			r->index = ++n;
			r->opaque = link_stmts(&ix, r->stmts);
		}
	}
	for (struct set *s = t->sets; s; s = s->next)
		link_set(&ix, s);
	free(ix.slots);
	return 0;
}

struct stmt *stmt_new(struct arena *a, enum stmt_kind kind)
{
	struct stmt *s = arena_alloc(a, sizeof(*s));

	if (s)
		s->kind = kind;
	return s;
}

struct stmt *stmt_match_new(struct arena *a, enum match_op op, struct expr *left, struct expr *right)
{
	struct stmt *s = left && right ? stmt_new(a, STMT_MATCH) : NULL;

	if (s)
		s->match = (struct stmt_match){ .op = op, .left = left, .right = right };
	return s;
}

struct stmt *stmt_verdict_new(struct arena *a, enum verdict code, const char *chain)
{
	struct stmt *s = stmt_new(a, STMT_VERDICT);

	if (!s)
		return NULL;
	s->verdict.code = code;
	s->verdict.chain = arena_strdup(a, chain);
	return chain && !s->verdict.chain ? NULL : s;
}

struct stmt *stmt_append(struct stmt **list, struct stmt *s)
{
	while (*list)
		list = &(*list)->next;
	*list = s;
	return s;
}

const char *store_name(enum store store)
{
	static const char *const names[] = { "legacy", "compat", "native" };

	return store < STORE_COUNT ? names[store] : "?";
}

const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4: return "ip";
	case NFPROTO_IPV6: return "ip6";
	case NFPROTO_INET: return "inet";
	case NFPROTO_ARP: return "arp";
	case NFPROTO_BRIDGE: return "bridge";
	case NFPROTO_NETDEV: return "netdev";
	}
	return "?";
}

const char *hook_name(uint8_t family, unsigned hook)
{
	static const char *const inet[] = { "prerouting", "input",	 "forward",
					    "output",	  "postrouting", "ingress" };
	static const char *const arp[] = { "input", "output", "forward" };
	static const char *const netdev[] = { "ingress", "egress" };

	if (family == NFPROTO_NETDEV)
		return hook < 2 ? netdev[hook] : "?";
	if (family == NFPROTO_ARP)
		return hook < 3 ? arp[hook] : "?";
	return hook < 6 ? inet[hook] : "?";
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = { "accept", "drop", "continue", "return",
					     "jump",   "goto", "queue",	   "stolen" };

	return v <= VERDICT_STOLEN ? names[v] : "?";
}

bool ruleset_has(const struct ruleset *rs, enum store store)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store == store)
			return true;
	return false;
}

bool ruleset_names_ipsets(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->store == STORE_NATIVE ? NULL : t->chains; c; c = c->next)
			for (const struct rule *r = c->rules; r; r = r->next)
				for (const struct stmt *s = r->stmts; s; s = s->next)
					if (s->kind == STMT_XT && s->xt->ipsets)
						return true;
	return false;
}
