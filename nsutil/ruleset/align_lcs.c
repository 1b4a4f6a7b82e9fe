/* SPDX-License-Identifier: GPL-2.0-or-later */
/* align_lcs - match two sequences of hashes in order, in bounded time */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/ruleset/align.h"

/* The exact way is taken up to so many cells; more would be felt on long chains. */
#define EXACT_CELLS (512u * 512u)
/* Anchors are looked for again between anchors; no level is sure to make the parts smaller, so their number is bounded. */
#define MAX_DEPTH 40

struct lcs {
	const uint64_t *left, *right;
	uint32_t *match;
};

struct span {
	uint32_t l0, l1, r0, r1; /* half open */
};

struct occurrence {
	uint64_t hash;
	uint32_t at, count; /* index; how many there are (unique) or which one it is (k-th) */
	bool right;
};

struct pair {
	uint32_t l, r;
};

/* Equal ends are matched at once; nearly everything is decided here. */
static void trim(const struct lcs *x, struct span *s)
{
	while (s->l0 < s->l1 && s->r0 < s->r1 && x->left[s->l0] == x->right[s->r0])
		x->match[s->l0++] = s->r0++;
	while (s->l0 < s->l1 && s->r0 < s->r1 && x->left[s->l1 - 1] == x->right[s->r1 - 1])
		x->match[--s->l1] = --s->r1;
}

/* The textbook table, from the end, so that it can be walked from the start. */
static int exact(const struct lcs *x, const struct span *s)
{
	size_t n = s->l1 - s->l0, m = s->r1 - s->r0, width = m + 1;
	uint32_t *cell = calloc((n + 1) * width, sizeof(*cell));

	if (!cell)
		return -1;
	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			uint32_t down = cell[(i + 1) * width + j], right = cell[i * width + j + 1];

			if (x->left[s->l0 + i] == x->right[s->r0 + j])
				cell[i * width + j] = cell[(i + 1) * width + j + 1] + 1;
			else
				cell[i * width + j] = down > right ? down : right;
		}
	for (size_t i = 0, j = 0; i < n && j < m;) {
		if (x->left[s->l0 + i] == x->right[s->r0 + j])
			x->match[s->l0 + i++] = s->r0 + (uint32_t)j++;
		else if (cell[(i + 1) * width + j] >= cell[i * width + j + 1])
			i++;
		else
			j++;
	}
	free(cell);
	return 0;
}

static int by_hash(const void *a, const void *b)
{
	const struct occurrence *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->right != y->right)
		return x->right ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

static int by_left(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->l > y->l) - (x->l < y->l);
}

/*
 * Candidate anchors: hashes that occur once on either side or, with 'repeated', the k-th occurrence
 * on the left with the k-th on the right. Sorted by their place on the left.
 */
static size_t candidates(const struct lcs *x, const struct span *s, bool repeated, struct occurrence *occ,
			 struct pair *pairs)
{
	size_t n = 0, found = 0, i = 0;

	for (uint32_t k = s->l0; k < s->l1; k++)
		occ[n++] = (struct occurrence){ .hash = x->left[k], .at = k };
	for (uint32_t k = s->r0; k < s->r1; k++)
		occ[n++] = (struct occurrence){ .hash = x->right[k], .at = k, .right = true };
	qsort(occ, n, sizeof(*occ), by_hash);
	while (i < n) {
		size_t first = i, split, both;

		while (i < n && occ[i].hash == occ[first].hash && !occ[i].right)
			i++;
		split = i;
		while (i < n && occ[i].hash == occ[first].hash)
			i++;
		both = split - first < i - split ? split - first : i - split;
		if (!repeated && (split - first != 1 || i - split != 1))
			continue;
		for (size_t k = 0; k < both; k++)
			pairs[found++] = (struct pair){ occ[first + k].at, occ[split + k].at };
	}
	qsort(pairs, found, sizeof(*pairs), by_left);
	return found;
}

/* The longest run of pairs that also rises on the right; left in pairs[0..result). */
static size_t longest_rising(struct pair *pairs, size_t n, uint32_t *tail, uint32_t *before)
{
	size_t len = 0;
	uint32_t at;

	for (uint32_t i = 0; i < n; i++) {
		size_t low = 0, high = len;

		while (low < high) {
			size_t mid = (low + high) / 2;

			if (pairs[tail[mid]].r < pairs[i].r)
				low = mid + 1;
			else
				high = mid;
		}
		before[i] = low ? tail[low - 1] : ALIGN_NONE;
		tail[low] = i;
		if (low == len)
			len++;
	}
	at = len ? tail[len - 1] : 0;
	for (size_t i = len; i-- > 0;) { /* tail becomes the chosen ones, in order */
		tail[i] = at;
		at = before[at];
	}
	for (size_t i = 0; i < len; i++)
		pairs[i] = pairs[tail[i]];
	return len;
}

static int solve(const struct lcs *x, struct span s, unsigned depth);

/* Match the anchors and go on in the gaps between them. */
static int between(const struct lcs *x, const struct span *s, const struct pair *anchor, size_t n,
		   unsigned depth)
{
	struct span gap = { s->l0, 0, s->r0, 0 };

	for (size_t i = 0; i <= n; i++) {
		gap.l1 = i < n ? anchor[i].l : s->l1;
		gap.r1 = i < n ? anchor[i].r : s->r1;
		if (gap.l0 < gap.l1 && gap.r0 < gap.r1 && solve(x, gap, depth) != 0)
			return -1;
		if (i == n)
			break;
		x->match[anchor[i].l] = anchor[i].r;
		gap.l0 = anchor[i].l + 1;
		gap.r0 = anchor[i].r + 1;
	}
	return 0;
}

static int anchored(const struct lcs *x, const struct span *s, unsigned depth)
{
	size_t n = (s->l1 - s->l0) + (size_t)(s->r1 - s->r0), found;
	struct occurrence *occ = malloc(n * sizeof(*occ));
	struct pair *pairs = malloc(n * sizeof(*pairs));
	uint32_t *tail = malloc(2 * n * sizeof(*tail));
	int r = -1;

	if (occ && pairs && tail) {
		found = depth < MAX_DEPTH ? candidates(x, s, false, occ, pairs) : 0;
		if (!found) {
			found = candidates(x, s, true, occ, pairs);
			depth = MAX_DEPTH; /* what this leaves is finished exactly or not at all */
		}
		found = longest_rising(pairs, found, tail, tail + n);
		free(occ);
		occ = NULL;
		r = found ? between(x, s, pairs, found, depth + 1) : 0;
	}
	free(occ);
	free(pairs);
	free(tail);
	return r;
}

static int solve(const struct lcs *x, struct span s, unsigned depth)
{
	trim(x, &s);
	if (s.l0 == s.l1 || s.r0 == s.r1)
		return 0;
	if ((uint64_t)(s.l1 - s.l0) * (s.r1 - s.r0) <= EXACT_CELLS)
		return exact(x, &s);
	return depth > MAX_DEPTH ? 0 : anchored(x, &s, depth);
}

int align_lcs(const uint64_t *left, size_t n, const uint64_t *right, size_t m, uint32_t *ret_match)
{
	struct lcs x = { .left = left, .right = right, .match = ret_match };

	for (size_t i = 0; i < n; i++)
		ret_match[i] = ALIGN_NONE;
	return solve(&x, (struct span){ 0, (uint32_t)n, 0, (uint32_t)m }, 0);
}
