/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route_index - the routes of a view by their table, those that are asked first in front */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/trace/route.h"

/* The first 32 bits of a prefix; what it has beyond them is compared in full. */
struct entry {
	uint32_t net, mask;
	const struct nv_route *route;
};

struct part {
	uint32_t table;
	uint8_t family;
	unsigned from, to; /* entries */
};

struct route_index {
	struct entry *entries;
	struct part *parts;
	unsigned n, n_parts;
	const struct nv_rule *rules; /* of the view */
	bool *plain;	/* by the rule's place */
};

static uint32_t first_bits(const struct addr *a)
{
	uint32_t n;

	memcpy(&n, a->b, sizeof(n));
	return ntohl(n);
}

static struct entry entry_of(const struct nv_route *r)
{
	uint32_t mask = !r->dst_len ? 0 : r->dst_len >= 32 ? UINT32_MAX : UINT32_MAX << (32 - r->dst_len);

	return (struct entry){ first_bits(&r->dst) & mask, mask, r };
}

/* Tables, then what table_lookup() prefers, then the earlier one */
static int compare(const void *a, const void *b)
{
	const struct nv_route *x = ((const struct entry *)a)->route, *y = ((const struct entry *)b)->route;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (route_before(x, y))
		return -1;
	if (route_before(y, x))
		return 1;
	return x < y ? -1 : x > y;
}

static void divide(struct route_index *x)
{
	for (unsigned i = 0; i < x->n; i++) {
		const struct nv_route *r = x->entries[i].route;
		struct part *p = x->n_parts ? &x->parts[x->n_parts - 1] : NULL;

		if (!p || p->table != r->table || p->family != r->family) {
			p = &x->parts[x->n_parts++];
			*p = (struct part){ r->table, r->family, i, i };
		}
		p->to = i + 1;
	}
}

/* It matches whatever the packet. */
static bool is_plain(const struct nv_rule *r)
{
	return !r->iif[0] && !r->oif[0] && (!r->src.family || !r->src_len) && (!r->dst.family || !r->dst_len) && !r->ipproto &&
	       !r->l3mdev && !r->tos && !r->dscp_mask && !r->unread && !r->fwmask && !r->fwmark && r->uid_from == 0 && r->uid_to == UINT32_MAX &&
	       !r->sport_from && !r->sport_to && !r->dport_from && !r->dport_to && !r->invert;
}

struct route_index *route_index_new(struct arena *a, const struct netview *nv)
{
	struct route_index *x = arena_alloc(a, sizeof(*x));

	if (!x)
		return NULL;
	x->rules = nv->rules;
	x->entries = arena_array(a, nv->n_routes + 1u, sizeof(*x->entries));
	x->parts = arena_array(a, nv->n_routes + 1u, sizeof(*x->parts));
	x->plain = arena_array(a, nv->n_rules + 1u, sizeof(*x->plain));
	if (!x->entries || !x->parts || !x->plain)
		return NULL;
	for (unsigned i = 0; i < nv->n_routes; i++)
		x->entries[x->n++] = entry_of(&nv->routes[i]);
	qsort(x->entries, x->n, sizeof(*x->entries), compare);
	divide(x);
	for (unsigned i = 0; i < nv->n_rules; i++)
		x->plain[i] = is_plain(&nv->rules[i]);
	return x;
}

static bool leads(const struct entry *e, const struct addr *dst, uint32_t first)
{
	return (first & e->mask) == e->net && (e->route->dst_len <= 32 || addr_in(dst, &e->route->dst, e->route->dst_len));
}

const struct nv_route *route_index_find(const struct route_index *x, uint32_t table, const struct route_key *k)
{
	const struct addr *dst = &k->dst;
	uint32_t first = first_bits(dst);

	for (const struct part *p = x->parts; p < x->parts + x->n_parts; p++) {
		if (p->table != table || p->family != dst->family)
			continue;
		for (const struct entry *e = x->entries + p->from; e < x->entries + p->to; e++)
			if (leads(e, dst, first) && route_fits(e->route, k))
				return e->route;
	}
	return NULL;
}

bool route_index_plain(const struct route_index *x, const struct nv_rule *r)
{
	return x->plain[r - x->rules];
}
