/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracked - a trace beside the connection-tracking entry that its connection has already */
#ifndef COMMANDS_TRACE_TRACKED_H
#define COMMANDS_TRACE_TRACKED_H

#include "nsutil/trace/trace.h"
#include "shell/out/out.h"

/* put_tracked() - key "connection" of an outcome; null when it is not tracked */
void put_tracked(const struct trace_outcome *u, struct out *o);
/* text_tracked() - a line behind the outcome's; nothing when it is not tracked */
void text_tracked(const struct trace_outcome *u, struct out *o);

#endif
