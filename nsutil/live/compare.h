/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare - the kernel's steps in terms of a ruleset, and beside those of the evaluator */
#ifndef NSUTIL_LIVE_COMPARE_H
#define NSUTIL_LIVE_COMPARE_H

#include "nsutil/live/ktrace.h"
#include "nsutil/trace/trace.h"

/* A step of either side. */
struct live_step {
	const struct chain *chain; /* of the target's ruleset; NULL: it knows no such chain */
	const struct rule *rule;   /* NULL: the policy */
	bool tells_verdict;	   /* nftables does, legacy tables do not */
	enum verdict verdict;
	const char *to;		   /* jump, goto; NULL */
	bool maybe;		   /* the evaluator left open whether the rule matches */
	const char *strange;	   /* what the kernel names and the ruleset does not have; else NULL */
};

/**
 * live_step_of() - what a step of the kernel is about
 * @k:		the kernel's step
 * @shown:	ruleset whose rules are to be named
 * @ran:	ruleset of the namespace where the packet was, whose handles the kernel tells; @shown itself, or
 *		that of its copy, where rules have the same places
 * @ret:	filled; its texts live as long as @k and @shown
 *
 * Return: false when there is nothing to show: the ends of user chains, and base chains without rules that
 * accept, which may stand in any order
 */
bool live_step_of(const struct ktrace_step *k, const struct ruleset *shown, const struct ruleset *ran,
		  struct live_step *ret);

/* live_step_expected() - the same of a step of the evaluator */
bool live_step_expected(const struct trace_step *s, struct live_step *ret);

/* live_step_same() - both name the same rule (or policy), with the same verdict where both tell one */
bool live_step_same(const struct live_step *kernel, const struct live_step *expected);

/* What came of a comparison. */
enum live_judgement {
	LIVE_AGREES,
	LIVE_DIFFERS,
	LIVE_ENDS_ALIKE, /* several ways lead to the outcome, and the kernel took another one than the one shown */
	LIVE_UNKNOWN,	 /* the evaluator does not know what becomes of the packet */
};

struct live_comparison {
	enum live_judgement judgement;
	unsigned branch;	/* the outcome that the kernel came to, or came nearest to */
	unsigned steps;		/* of the kernel, compared */
	unsigned same;		/* how many of them agree, from the beginning */
	bool end_differs;	/* all steps agree, but not where the packet ended */
	struct live_step kernel, expected; /* DIFFERS: the first that differ; chain NULL and strange NULL: there is none */
};

struct live_end {		/* where the packet came to; see struct probe_result */
	bool known;		/* it was looked for */
	bool local, out;	/* neither: gone */
	struct addr src, dst;
	int sport, dport;
};

/**
 * live_compare() - the kernel's steps with every outcome of the evaluator; the best is taken
 * @k:		the kernel's steps
 * @n:		their number
 * @end:	where it ended
 * @shown:	ruleset of @res
 * @ran:	as in live_step_of()
 * @res:	what the evaluator said
 * @ret:	filled
 */
void live_compare(const struct ktrace_step *k, unsigned n, const struct live_end *end, const struct ruleset *shown,
		  const struct ruleset *ran, const struct trace_result *res, struct live_comparison *ret);

/* live_ends_alike() - does the outcome end as the kernel's packet did? What is not known (no address, port -1) is not compared */
bool live_ends_alike(const struct trace_outcome *u, const struct live_end *end);
/* live_outcome() - the outcome that ends as the kernel's packet did; -1 when there is none */
int live_outcome(const struct trace_result *res, const struct live_end *end);

#endif
