/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_align - chains side by side: every rule once, in order, partners equal, at a bounded cost */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nsutil/ruleset/align.h"

/* A chain that marks packets with the letters of a word: rules are told apart by their letter. */
static struct chain *word(struct ruleset *rs, enum store store, const char *letters)
{
	struct table *t = ruleset_add_table(rs, store, NFPROTO_IPV4, "nat");
	struct chain *c = table_add_chain(rs, t, "C");

	for (; *letters; letters++) {
		struct rule *r = chain_add_rule(rs, c);

		r->stmts = stmt_match_new(rs->arena, OP_EQ, expr_meta(rs->arena, NFT_META_MARK),
					  expr_u32(rs->arena, DT_MARK, (uint8_t)*letters));
		stmt_append(&r->stmts, stmt_verdict_new(rs->arena, VERDICT_ACCEPT, NULL));
	}
	return c;
}

static char letter(const struct align *al, const struct align_row *row, unsigned side)
{
	const struct rule *r = align_rule(al, row, side);

	return r ? (char)expr_uint(r->stmts->match.right) : '.';
}

/* Aligns words and compares each side, gaps shown as dots. */
static void check(unsigned n, const char *const *words, const char *const *expected)
{
	struct ruleset *rs _cleanup_ruleset_ = ruleset_new();
	const struct chain *chains[ALIGN_SIDES] = { NULL };
	struct align al;

	for (unsigned i = 0; i < n; i++)
		chains[i] = words[i] ? word(rs, (enum store)i, words[i]) : NULL;
	assert_int_equal(align_chains(rs->arena, chains, n, &al), 0);
	for (unsigned i = 0; i < n; i++) {
		char seen[100] = "";

		for (unsigned k = 0; k < al.n_rows; k++)
			seen[k] = letter(&al, &al.rows[k], i);
		assert_string_equal(seen, expected[i]);
	}
}
#define W(...) (const char *const[]){ __VA_ARGS__ }

static void words_side_by_side(void **state)
{
	(void)state;
	check(2, W("abc", "abc"), W("abc", "abc"));
	check(2, W("abc", "ac"), W("abc", "a.c"));
	check(2, W("ac", "abc"), W("a.c", "abc"));
	check(2, W("abc", NULL), W("abc", "..."));
	check(2, W("", ""), W("", ""));
	check(2, W("abcd", "xbyd"), W("a.bc.d", ".xb.yd"));
	check(1, W("aab"), W("aab"));
}

static void three_words_side_by_side(void **state)
{
	(void)state;
	check(3, W("abcd", "bd", "acd"), W("abcd", ".b.d", "a.cd"));
	check(3, W("ab", "bc", "abc"), W("ab.", ".bc", "abc"));
	check(3, W("a", NULL, "a"), W("a", ".", "a"));
	check(3, W(NULL, NULL, "ab"), W("..", "..", "ab"));
}

/* What must hold of every answer: partners equal, in order. Returns how many were matched. */
static size_t valid(const uint64_t *l, size_t n, const uint64_t *r, size_t m, const uint32_t *match)
{
	size_t found = 0;
	int64_t last = -1;

	for (size_t i = 0; i < n; i++) {
		if (match[i] == ALIGN_NONE)
			continue;
		assert_true(match[i] < m);
		assert_true(l[i] == r[match[i]]);
		assert_true((int64_t)match[i] > last);
		last = match[i];
		found++;
	}
	return found;
}

/* The textbook length, by another way than the program's. */
static size_t longest(const uint64_t *l, size_t n, const uint64_t *r, size_t m)
{
	size_t row[201] = { 0 };

	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = 0;

		for (size_t j = 1; j <= m; j++) {
			size_t up = row[j];

			if (l[i - 1] == r[j - 1])
				row[j] = diagonal + 1;
			else if (row[j - 1] > row[j])
				row[j] = row[j - 1];
			diagonal = up;
		}
	}
	return row[m];
}

static void short_ones_are_longest(void **state)
{
	uint64_t l[200], r[200];
	uint32_t match[200];

	(void)state;
	srand(7);
	for (int round = 0; round < 2000; round++) {
		size_t n = (size_t)rand() % 60, m = (size_t)rand() % 60;
		unsigned letters = 1 + (unsigned)rand() % 20;

		for (size_t i = 0; i < n; i++)
			l[i] = (unsigned)rand() % letters;
		for (size_t i = 0; i < m; i++)
			r[i] = (unsigned)rand() % letters;
		assert_int_equal(align_lcs(l, n, r, m, match), 0);
		assert_int_equal(valid(l, n, r, m, match), longest(l, n, r, m));
	}
}

static void shuffle(uint64_t *v, size_t n, size_t swaps)
{
	while (swaps--) {
		size_t i = (size_t)rand() % n, j = (size_t)rand() % n;
		uint64_t t = v[i];

		v[i] = v[j];
		v[j] = t;
	}
}

/* Processor time of one alignment of n rules of 'kinds' kinds, some moved. */
static double cost(size_t n, size_t kinds, size_t swaps, size_t *ret_found)
{
	uint64_t *l = calloc(n, sizeof(*l)), *r = calloc(n, sizeof(*r));
	uint32_t *match = calloc(n, sizeof(*match));
	clock_t start;
	double secs;

	for (size_t i = 0; i < n; i++)
		l[i] = r[i] = (uint64_t)((size_t)rand() % kinds);
	shuffle(r, n, swaps);
	start = clock();
	assert_int_equal(align_lcs(l, n, r, n, match), 0);
	secs = (double)(clock() - start) / CLOCKS_PER_SEC;
	*ret_found = valid(l, n, r, n, match);
	free(l);
	free(r);
	free(match);
	return secs;
}

static void long_ones_are_found_at_linear_cost(void **state)
{
	static const struct { size_t kinds, swaps; } shapes[] = {
		{ SIZE_MAX / 2, 100 },	/* all different, a few moved */
		{ SIZE_MAX / 2, 1 << 20 }, /* all different, nothing in order */
		{ 3, 1 << 20 },		/* hardly any different: no anchors */
		{ 1000, 1 << 20 },
	};

	(void)state;
	srand(8);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		size_t found;
		double small = cost(20000, shapes[i].kinds, shapes[i].swaps, &found);
		double big = cost(200000, shapes[i].kinds, shapes[i].swaps, &found);

		/* ten times the rules: 100 times would be quadratic; 20 ms of slack for the clock */
		assert_true(big < 30 * small + 0.02);
		if (shapes[i].swaps == 100)
			assert_true(found >= 200000 - 400);
	}
}

static void random_permutations_are_valid(void **state)
{
	static uint64_t l[3000], r[3000];
	static uint32_t match[3000];

	(void)state;
	srand(9);
	for (int round = 0; round < 60; round++) {
		size_t n = 600 + (size_t)rand() % 2400;

		for (size_t i = 0; i < n; i++)
			l[i] = r[i] = (uint64_t)(rand() % (round % 3 ? 100000 : 50));
		shuffle(r, n, (size_t)rand() % n);
		assert_int_equal(align_lcs(l, n, r, n, match), 0);
		assert_true(valid(l, n, r, n, match) >= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_side_by_side),
		cmocka_unit_test(three_words_side_by_side),
		cmocka_unit_test(short_ones_are_longest),
		cmocka_unit_test(random_permutations_are_valid),
		cmocka_unit_test(long_ones_are_found_at_linear_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
