/* SPDX-License-Identifier: GPL-2.0-or-later */
/* align - put the rules of two or three chains side by side, equal ones on one line */
#ifndef NSUTIL_RULESET_ALIGN_H
#define NSUTIL_RULESET_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#include "nsutil/base/arena.h"
#include "nsutil/ruleset/canon.h"
#include "nsutil/ruleset/model.h"

#define ALIGN_NONE UINT32_MAX
#define ALIGN_SIDES STORE_COUNT

/**
 * align_lcs() - match two sequences of hashes in order, as many as can be found in bounded time
 * @left:	first sequence
 * @n:		its length, below 2^31
 * @right:	second sequence
 * @m:		its length, likewise
 * @ret_match:	for each of @left the index of its partner in @right, or ALIGN_NONE; partners are equal
 *		and their order is the same on both sides
 *
 * The longest common subsequence where the differing parts are small (up to 512 x 512); between
 * them anchors that occur once on both sides, as in a patience diff, and where there are none the
 * k-th occurrence on either side. Costs about (n + m) log(n + m), never n * m.
 *
 * Return: 0, or -1 when memory ran out
 */
int align_lcs(const uint64_t *left, size_t n, const uint64_t *right, size_t m, uint32_t *ret_match);

/* A chain with the canonical forms of its rules. */
struct align_chain {
	const struct chain *chain;
	const struct rule **rules;
	struct canon *canon;
	uint64_t *hashes;
	uint32_t n;
};

/* align_load() - canonical forms of a chain's rules; @c NULL gives an empty one. 0, or -1 */
int align_load(struct arena *a, const struct chain *c, struct align_chain *ret);

struct align_row {
	uint32_t index[ALIGN_SIDES]; /* of the rule on each side, from 0; ALIGN_NONE is a gap */
};

struct align {
	struct align_chain side[ALIGN_SIDES];
	unsigned n_sides;
	struct align_row *rows;
	uint32_t n_rows;
};

/**
 * align_chains() - put chains side by side
 * @a:		arena for the result
 * @chains:	up to ALIGN_SIDES of them; NULL where a side has no such chain
 * @n:		number of sides
 * @ret:	set on success
 *
 * Every rule is in exactly one row, and on each side the rows are in the chain's order. Rules share
 * a row only when they mean the same.
 *
 * Return: 0, or -1 when memory ran out
 */
int align_chains(struct arena *a, const struct chain *const *chains, unsigned n, struct align *ret);

/* align_rule() - the rule of a side in a row; NULL at a gap */
static inline const struct rule *align_rule(const struct align *al, const struct align_row *row, unsigned side)
{
	return row->index[side] == ALIGN_NONE ? NULL : al->side[side].rules[row->index[side]];
}

#endif
