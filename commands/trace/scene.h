/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scene - all that is read of a target for tracing */
#ifndef COMMANDS_TRACE_SCENE_H
#define COMMANDS_TRACE_SCENE_H

#include "commands/trace/texts.h"
#include "nsutil/pod/target.h"
#include "nsutil/trace/trace.h"
#include "shell/out/out.h"

struct scene {
	struct target *target;	/* whoever made the scene sees to it */
	struct ruleset *rs;
	struct netview *nv;	/* NULL: the target is a file of rules, and each connection gets an assumed one */
	struct conn_list *conns; /* tracked connections; NULL until they are needed, or they could not be read */
	bool asked_conns;
	struct ipset_list *ipsets; /* NULL: none is named, or they could not be read */
	struct tracer *tracer;
	struct netview *assumed; /* of the last connection, whose own address that was, and named: its interfaces too */
	struct addr own;
	bool named;
	struct trace_room *room; /* of a batch that only needs one result at a time; else NULL */
	struct texts *texts;	/* of its rules, for the report; or NULL */
	struct trace_options opt;
	char why_no_ipsets[160];
};

/* scene_make() - read rules, links, routes and sockets of a target. Return: 0, or -1; to be cleared in any case */
int scene_make(struct target *t, const struct trace_options *opt, struct scene *sc, struct err *e);
void scene_clear(struct scene *sc);

/* scene_trace() - as trace_run(); of a file without links and routes the connection itself says whose addresses
 * are the target's; with a room, the result is good until the next one */
int scene_trace(struct scene *sc, const struct trace_request *rq, struct trace_result **ret, struct err *e);

/* scene_put_assumed() - array "assumed": what stands for the links and routes of a file */
void scene_put_assumed(const struct scene *sc, struct out *o);

#endif
