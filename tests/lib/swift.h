/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swift - the answer without a look at every rule is compared with the one with */
#ifndef TESTS_LIB_SWIFT_H
#define TESTS_LIB_SWIFT_H

#include "nsutil/trace/trace.h"

static const struct trace_step *next_match(const struct trace_result *res, unsigned *i)
{
	while (*i < res->n_steps && (!res->steps[*i].rule || res->steps[*i].matched == TRI_FALSE))
		++*i;
	return *i < res->n_steps ? &res->steps[(*i)++] : NULL;
}

static bool same_end_told(const struct trace_outcome *a, const struct trace_outcome *b)
{
	return a->verdict == b->verdict && a->path == b->path && addr_equal(&a->src, &b->src) && a->sport == b->sport &&
	       addr_equal(&a->dst, &b->dst) && a->dport == b->dport && a->by == b->by && a->listener == b->listener;
}

static bool same_told(const struct trace_result *a, const struct trace_result *b)
{
	const struct trace_step *s, *o;
	unsigned i = 0, j = 0;

	do {
		s = next_match(a, &i);
		o = next_match(b, &j);
		if (!s != !o || (s && (s->rule != o->rule || s->branch != o->branch || s->verdict != o->verdict)))
			return false;
	} while (s);
	for (i = 0; i < a->n_outcomes && i < b->n_outcomes; i++)
		if (!same_end_told(&a->outcomes[i], &b->outcomes[i]))
			return false;
	return a->n_outcomes == b->n_outcomes;
}

/* Twice, since of a chain it is told from the second time on which rules need no look. */
static bool swift_agrees(const struct tracer *swift, const struct trace_request *rq, const struct trace_result *res)
{
	bool agrees = true;

	for (int i = 0; i < 2; i++) {
		struct trace_result *other;

		if (trace_run(swift, rq, &other, NULL) < 0)
			return false;
		agrees &= same_told(res, other);
		trace_result_free(other);
	}
	return agrees;
}

#endif
