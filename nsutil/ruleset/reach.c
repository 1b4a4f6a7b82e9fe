/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach - does the kernel ever come to a chain? */
#include "nsutil/ruleset/reach.h"

/* The kernel itself allows 16 (NFT_JUMP_STACK_SIZE, and as many for each table of xtables in use). */
#define MAX_DEPTH 16

static bool map_leads(const struct set *map, const struct chain *to)
{
	for (uint32_t i = 0; map && i < map->n_elems; i++)
		if (map->elems[i].verdict && map->elems[i].verdict->to == to)
			return true;
	return false;
}

static bool list_leads(const struct stmt *s, const struct chain *to)
{
	for (; s; s = s->next) {
		if ((s->kind == STMT_VERDICT && s->verdict.to == to) ||
		    (s->kind == STMT_VMAP && map_leads(s->vmap.map, to)) ||
		    (s->kind == STMT_XT && list_leads(s->xt->meaning, to)) || s->kind == STMT_OPAQUE)
			return true;
	}
	return false;
}

static bool chain_leads(const struct chain *from, const struct chain *to)
{
	for (const struct rule *r = from->rules; r; r = r->next)
		if (list_leads(r->stmts, to))
			return true;
	return false;
}

static bool reached(const struct chain *c, unsigned depth)
{
	if (c->base || depth == MAX_DEPTH)
		return true;
	for (const struct chain *from = c->table->chains; from; from = from->next)
		if (from != c && chain_leads(from, c) && reached(from, depth + 1))
			return true;
	return false;
}

bool chain_reached(const struct chain *c)
{
	return reached(c, 0);
}
