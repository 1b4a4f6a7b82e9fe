/* SPDX-License-Identifier: GPL-2.0-or-later */
/* align - put the rules of two or three chains side by side, equal ones on one line */
#include "nsutil/ruleset/align.h"

#include <string.h>

int align_load(struct arena *a, const struct chain *c, struct align_chain *ret)
{
	uint32_t n = 0;

	*ret = (struct align_chain){ .chain = c };
	for (const struct rule *r = c ? c->rules : NULL; r; r = r->next)
		n++;
	if (!n)
		return 0;
	ret->rules = arena_array(a, n, sizeof(*ret->rules));
	ret->canon = arena_array(a, n, sizeof(*ret->canon));
	ret->hashes = arena_array(a, n, sizeof(*ret->hashes));
	if (!ret->rules || !ret->canon || !ret->hashes)
		return -1;
	for (const struct rule *r = c->rules; r; r = r->next) {
		if (canon_rule(a, r, &ret->canon[ret->n]) != 0)
			return -1;
		ret->rules[ret->n] = r;
		ret->hashes[ret->n] = ret->canon[ret->n].hash;
		ret->n++;
	}
	return 0;
}

/* The hash a row stands for: that of any of its rules, since they are equal. */
static uint64_t row_hash(const struct align *al, const struct align_row *row)
{
	for (unsigned i = 0; i < al->n_sides; i++)
		if (row->index[i] != ALIGN_NONE)
			return al->side[i].hashes[row->index[i]];
	return 0;
}

static struct align_row empty_row(void)
{
	struct align_row row;

	for (unsigned i = 0; i < ALIGN_SIDES; i++)
		row.index[i] = ALIGN_NONE;
	return row;
}

/* Merge one more side into the rows there are: its unmatched rules get rows of their own, placed
 * before the row that their next matched neighbour shares. */
static int add_side(struct arena *a, struct align *al, unsigned side)
{
	const struct align_chain *c = &al->side[side];
	uint64_t *hashes = arena_array(a, al->n_rows + 1u, sizeof(*hashes));
	uint32_t *match = arena_array(a, al->n_rows + 1u, sizeof(*match));
	struct align_row *rows = arena_array(a, (size_t)al->n_rows + c->n + 1, sizeof(*rows));
	uint32_t n = 0, next = 0;

	if (!hashes || !match || !rows)
		return -1;
	for (uint32_t i = 0; i < al->n_rows; i++)
		hashes[i] = row_hash(al, &al->rows[i]);
	if (align_lcs(hashes, al->n_rows, c->hashes, c->n, match) != 0)
		return -1;
	for (uint32_t i = 0; i <= al->n_rows; i++) {
		uint32_t until = i == al->n_rows ? c->n : match[i];

		for (; until != ALIGN_NONE && next < until; next++) {
			rows[n] = empty_row();
			rows[n++].index[side] = next;
		}
		if (i == al->n_rows)
			break;
		rows[n] = al->rows[i];
		if (match[i] != ALIGN_NONE)
			rows[n].index[side] = next++;
		n++;
	}
	al->rows = rows;
	al->n_rows = n;
	return 0;
}

int align_chains(struct arena *a, const struct chain *const *chains, unsigned n, struct align *ret)
{
	struct align al = { .n_sides = n };

	if (n > ALIGN_SIDES)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (align_load(a, chains[i], &al.side[i]) != 0)
			return -1;
	for (unsigned i = 0; i < n; i++)
		if (add_side(a, &al, i) != 0)
			return -1;
	*ret = al;
	return 0;
}
