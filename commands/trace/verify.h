/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify - a trace beside what the kernel did with the same connection */
#ifndef COMMANDS_TRACE_VERIFY_H
#define COMMANDS_TRACE_VERIFY_H

#include "nsutil/live/verify.h"
#include "shell/out/out.h"

/* report_verify() - the key "verify" beside the trace @res; @v NULL: it was not asked for. Return: 1 when they
 * disagree, else 0 */
int report_verify(const struct verify *v, const struct trace_result *res, struct out *o);

/**
 * report_comparison() - what came of a comparison: as members of an object, and in words
 * @c:		comparison
 * @end:	where the kernel's packet came to
 * @o:		sink
 *
 * Return: 1 when they disagree, else 0
 */
int report_comparison(const struct live_comparison *c, const struct live_end *end, struct out *o);

/* report_live_step() - one step as an object with key @key (NULL in an array); says nothing in text */
void report_live_step(const char *key, const struct live_step *s, struct out *o);
/* report_step_text() - "legacy ip nat OUTPUT 1  -p tcp -j ISTIO_OUTPUT"; report_end() - the object "end" */
void report_step_text(const struct live_step *s, struct out *o);
void report_end(const struct live_end *end, struct out *o);

#endif
