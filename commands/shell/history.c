/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history - shows the lines typed before */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "commands/command.h"

static int run_history(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	unsigned n = 0, last;
	const char *line;
	char *end = NULL;

	if (args->argc && (!isdigit((unsigned char)args->argv[0][0]) || (strtoul(args->argv[0], &end, 10), *end)))
		return err_set(e, ERR_USAGE, "history", "'%s' is no number", args->argv[0]);
	while (session_history(s, n))
		n++;
	last = args->argc ? (unsigned)strtoul(args->argv[0], NULL, 10) : n;
	out_begin(o, "history");
	out_array(o, "lines");
	for (unsigned i = n > last ? n - last : 0; (line = session_history(s, i)) != NULL; i++) {
		out_object(o, NULL);
		out_uint(o, "index", "%5" PRIu64 "  ", i + 1);
		out_str(o, "line", "%s", line);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
	out_end(o);
	return 0;
}

const struct command command_history = {
	.name = "history",
	.summary = "show the lines typed before",
	.operands = "[COUNT]",
	.operand_kind = ARG_NUMBER,
	.max_args = 1,
	.flags = COMMAND_SHELL,
	.description = "Shows the lines typed at the prompt, oldest first; with COUNT only the last ones. They are\n"
		       "kept in $XDG_STATE_HOME/cnish/history (by default ~/.local/state/cnish/history), which only\n"
		       "its owner may read. A line that begins with a blank is not kept.",
	.examples = (const char *const[]){ "history", "history 20", NULL },
	.run = run_history,
};
