/* SPDX-License-Identifier: GPL-2.0-or-later */
/* near - how far two words are from each other, for "did you mean" */
#include "nsutil/base/near.h"

#include <string.h>

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Its table is small: each page of the stack that is touched costs a short run a fault. */
unsigned near_distance(const char *a, const char *b)
{
	unsigned char d[NEAR_MAX + 1][NEAR_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > NEAR_MAX || m > NEAR_MAX)
		return NEAR_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = (unsigned char)i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = (unsigned char)j;
	for (unsigned i = 1; i <= n; i++)
		for (unsigned j = 1; j <= m; j++) {
			unsigned cost = a[i - 1] != b[j - 1];
			unsigned best = min3(d[i - 1][j] + 1u, d[i][j - 1] + 1u, d[i - 1][j - 1] + cost);

			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = min3(best, d[i - 2][j - 2] + 1u, best);
			d[i][j] = (unsigned char)best;
		}
	return d[n][m];
}

const char *near_word(const char *const *list, const char *word)
{
	unsigned best = strlen(word) > 3 ? 3 : 2; /* a slip or two, not another word */
	const char *near = NULL;

	for (; *list; list++) {
		unsigned d = near_distance(*list, word);

		if (d < best) {
			best = d;
			near = *list;
		}
	}
	return near;
}
