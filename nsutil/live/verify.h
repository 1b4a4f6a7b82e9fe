/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify - a connection through the kernel in a scratch namespace, compared with what the evaluator said */
#ifndef NSUTIL_LIVE_VERIFY_H
#define NSUTIL_LIVE_VERIFY_H

#include "nsutil/live/compare.h"
#include "nsutil/live/probe.h"

struct verify {
	struct scratch *scratch;
	struct tracer *tracer;	/* of the target, with the order of the copy */
	struct trace_result *expected; /* of exactly what is sent, with every step */
	const struct chain **order;
	const struct ruleset *shown; /* src->rs */
	struct ruleset *ran;	/* the rules of the scratch */
	struct probe_result *probe;
	struct live_end end;
	struct live_comparison comparison; /* with 'expected' */
	int outcome;		/* of the result that was shown: the one that the kernel came to; -1: none of them */
};

/**
 * verify_run() - copy the target, send the connection in the copy, compare
 * @src:	the target
 * @res:	what the evaluator said of the connection, with src->rs and src->nv
 * @ret:	set on success, to be given back with verify_free()
 *
 * What the connection leaves open (user, mark, source port) is chosen, and the order of chains of equal priority is
 * that of the copy: so the evaluator is asked again, about exactly what is sent, and has one answer where nothing
 * random is involved.
 *
 * @e:		error: what the caller or the kernel lacks for it, or a connection that cannot be sent
 *
 * Return: 0, also when they disagree; -1
 */
int verify_run(const struct scratch_source *src, const struct trace_result *res, struct verify **ret, struct err *e);
void verify_free(struct verify *v);

#endif
