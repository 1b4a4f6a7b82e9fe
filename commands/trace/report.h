/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report - a trace as a person and as a script read it */
#ifndef COMMANDS_TRACE_REPORT_H
#define COMMANDS_TRACE_REPORT_H

#include <stdbool.h>

#include "commands/trace/texts.h"
#include "nsutil/trace/trace.h"
#include "shell/out/out.h"

/* report_trace() - packet, legs, steps, outcomes and order; the keys of DESIGN section 2
 * @namespace: the target's label, which each leg is marked with
 * @explain: also show the rules that did not match, and why
 * @texts: of rules that were shown before, for a batch; or NULL */
void report_trace(const struct trace_result *res, const char *namespace, bool explain, struct texts *texts, struct out *o);
/* report_cases() - the combinations of answers that lead to an outcome, as lines of text */
void report_cases(const struct trace_outcome *u, struct out *o);

#endif
