/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group - tables and chains of the same name in the three stores, brought together */
#include "nsutil/ruleset/group.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

static struct table_group *find_group(struct table_group *groups, unsigned n, const struct table *t)
{
	for (unsigned i = 0; i < n; i++)
		if (groups[i].family == t->family && !groups[i].table[t->store] &&
		    strcmp(groups[i].name, t->name) == 0)
			return &groups[i];
	return NULL;
}

static unsigned family_rank(uint8_t family)
{
	static const uint8_t order[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET,
					 NFPROTO_NETDEV, NFPROTO_BRIDGE, NFPROTO_ARP };

	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i] == family)
			return i;
	return ARRAY_SIZE(order);
}

static unsigned name_rank(const char *name)
{
	static const char *const order[] = { "raw", "mangle", "nat", "filter", "security" };

	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		if (strcmp(order[i], name) == 0)
			return i;
	return ARRAY_SIZE(order);
}

static bool goes_before(const struct table_group *a, const struct table_group *b)
{
	unsigned fa = family_rank(a->family), fb = family_rank(b->family);

	return fa != fb ? fa < fb : name_rank(a->name) < name_rank(b->name);
}

/* Stable, and there are few tables. */
static void sort_groups(struct table_group *g, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct table_group it = g[i];
		unsigned at = i;

		for (; at > 0 && goes_before(&it, &g[at - 1]); at--)
			g[at] = g[at - 1];
		g[at] = it;
	}
}

static int group_order(const void *a, const void *b)
{
	return strcmp(((const struct chain_group *const *)a)[0]->name, ((const struct chain_group *const *)b)[0]->name);
}

/* Chains of one more store: found by name among those there are, else added behind. */
static int add_chains(struct arena *a, struct table_group *g, enum store store, uint32_t room)
{
	struct chain_group **index = arena_array(a, room + 1u, sizeof(*index));
	uint32_t n = g->n_chains;

	if (!index)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		index[i] = &g->chains[i];
	qsort(index, n, sizeof(*index), group_order);
	for (const struct chain *c = g->table[store]->chains; c; c = c->next) {
		struct chain_group key = { .name = c->name }, *k = &key, **at;

		at = n ? bsearch(&k, index, n, sizeof(*index), group_order) : NULL;
		if (!at) {
			g->chains[g->n_chains].name = c->name;
			g->chains[g->n_chains++].chain[store] = c;
		} else {
			at[0]->chain[store] = c;
		}
	}
	return 0;
}

static int group_chains(struct arena *a, struct table_group *g)
{
	uint32_t room = 0;

	for (unsigned s = 0; s < STORE_COUNT; s++)
		for (const struct chain *c = g->table[s] ? g->table[s]->chains : NULL; c; c = c->next)
			room++;
	g->chains = arena_array(a, room + 1u, sizeof(*g->chains));
	if (!g->chains)
		return -1;
	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (g->table[s] && add_chains(a, g, (enum store)s, room) != 0)
			return -1;
	return 0;
}

int group_tables(struct arena *a, const struct ruleset *rs, struct table_group **ret, unsigned *ret_n)
{
	struct table_group *groups;
	unsigned n = 0, room = 0;

	for (const struct table *t = rs->tables; t; t = t->next)
		room++;
	groups = arena_array(a, room + 1u, sizeof(*groups));
	if (!groups)
		return -1;
	for (const struct table *t = rs->tables; t; t = t->next) {
		struct table_group *g = find_group(groups, n, t);

		if (!g) {
			g = &groups[n++];
			g->family = t->family;
			g->name = t->name;
		}
		g->table[t->store] = t;
		g->n_stores++;
	}
	sort_groups(groups, n);
	for (unsigned i = 0; i < n; i++)
		if (group_chains(a, &groups[i]) != 0)
			return -1;
	*ret = groups;
	*ret_n = n;
	return 0;
}
