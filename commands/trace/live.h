/* SPDX-License-Identifier: GPL-2.0-or-later */
/* live - the kernel's trace of real packets, as a command */
#ifndef COMMANDS_TRACE_LIVE_H
#define COMMANDS_TRACE_LIVE_H

#include "nsutil/pod/target.h"
#include "nsutil/trace/trace.h"
#include "shell/out/out.h"
#include "shell/session.h"

struct live_request {
	struct session *s;
	struct target *target;
	const struct ruleset *rs;
	const struct tracer *tracer;	  /* not NULL: each packet is compared with the evaluator */
	const struct netview *nv;
	const struct trace_request *only; /* NULL: all packets */
	const char *count, *time;	  /* as given; NULL: the defaults */
};

#define LIVE_COUNT 10 /* packets, when not given */
#define LIVE_TIME 30  /* seconds, when not given */

/* trace_live() - show the plan, ask, watch. Return: 0; 1 a packet's trace differs from the evaluator's; -1 */
int trace_live(const struct live_request *lr, struct out *o, struct err *e);

#endif
