/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quit - leaves the shell */
#include "commands/command.h"

static int run_quit(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	(void)args;
	(void)o;
	(void)e;
	session_quit(s);
	return 0;
}

const struct command command_quit = {
	.name = "quit",
	.summary = "leave the shell",
	.flags = COMMAND_SHELL | COMMAND_ENDS,
	.description = "Leaves the interactive shell, as Ctrl-D does, or ends a script. 'exit' is the same.",
	.run = run_quit,
};
