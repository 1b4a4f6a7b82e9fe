/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines - connections out of a file or a pipe, a line each: bounded, however long it goes on */
#ifndef COMMANDS_TRACE_LINES_H
#define COMMANDS_TRACE_LINES_H

#include "nsutil/base/err.h"
#include "nsutil/trace/trace.h"

#define LINES_MAX 16384 /* bytes of one line; longer ones are wrong, and passed over */

/* What happens to the lines. */
struct lines_to {
	/* a connection; Return: 0 to go on, 1 enough, -1 with @e set: the line is wrong, as trace_run() finds */
	int (*connection)(void *ctx, const struct trace_request *rq, struct err *e);
	/* a line that is wrong, and why; the stream goes on */
	void (*wrong)(void *ctx, unsigned long line, const struct err *e);
	/* no line is there yet: what was written so far should be seen. Return: 0, 1 enough */
	int (*wait)(void *ctx);
	void *ctx;
};

/**
 * lines_read() - read connections, as connection_parse_line() takes them; empty lines and remarks ('#') are passed over
 * @path:	file, or "-" for standard input
 * @to:		what to do with them
 * @e:		error: the file cannot be read (ERR_SYS), memory ran out, or of class ERR_USAGE: lines were wrong,
 *		which is known at the end; it names the first one
 *
 * Return: 0, or -1
 */
int lines_read(const char *path, const struct lines_to *to, struct err *e);

#endif
