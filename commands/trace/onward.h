/* SPDX-License-Identifier: GPL-2.0-or-later */
/* onward - where a connection goes on when it has left its namespace, or has come to a proxy */
#ifndef COMMANDS_TRACE_ONWARD_H
#define COMMANDS_TRACE_ONWARD_H

#include "commands/trace/scene.h"
#include "shell/session.h"

struct onward;

/**
 * onward_new() - prepare to follow traces on
 * @s:		session
 * @own:	the target; must outlive it
 * @proxy:	go on with the connection that a proxy makes of one that was redirected to it
 * @node:	go on through the pod's veth into the node, and from there into the pod behind another one
 * @ret:	set on success, to be given back with onward_free()
 * @e:		error
 *
 * Return: 0, or -1
 */
int onward_new(struct session *s, struct scene *own, bool proxy, bool node, struct onward **ret, struct err *e);
void onward_free(struct onward *w);

/**
 * onward_report() - follow each outcome of a trace as far as it goes: arrays "onward" and "stops"
 * @first:	the trace, in the namespace of 'own'
 * @explain:	as for report_trace()
 * @o:		sink
 * @e:		error
 *
 * What cannot be followed is no error, but a stop with its reason.
 *
 * Return: 0, or -1 when memory ran out
 */
int onward_report(struct onward *w, struct trace_result *first, bool explain, struct out *o, struct err *e);

#endif
