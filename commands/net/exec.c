/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec - runs a program inside the target's network namespace */
#include "commands/command.h"
#include "nsutil/netns/run.h"
#include "nsutil/pod/target.h"

static int run(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct target *t;
	int status = 0;

	if (session_target(s, &t, e) < 0)
		return -1;
	if (t->kind == TARGET_FILE)
		return err_set(e, ERR_USAGE, "exec", "a file target has no network namespace");
	if (session_options(s)->dry_run) {
		out_text(o, "would run in %s:", t->label);
		for (int i = 0; i < args->argc; i++)
			out_text(o, " %s", args->argv[i]);
		out_nl(o);
		return 0;
	}
	if (run_inside(&t->netns, args->argv, &status, e) < 0)
		return -1;
	return status;
}

static const char *const examples[] = { "-t shop/cart exec ip address", "-t pid:4711 exec ss -tlnp", "!ping -c 1 10.0.1.1",
					NULL };

const struct command command_exec = {
	.name = "exec",
	.summary = "run a program inside the target's network namespace",
	.operands = "PROGRAM [ARG...]",
	.operand_kind = ARG_PROGRAM,
	.min_args = 1,
	.max_args = -1,
	.flags = COMMAND_RAW,
	.description = "Runs PROGRAM with the target's network and with this system's files, users and processes, so "
		       "that tools the container lacks can be used on it. What the program prints is all that is "
		       "printed, in every format, and its exit status is the command's (128 + N when signal N ended "
		       "it). At the prompt, '!LINE' runs LINE with the shell in the same way. With --dry-run nothing is run.",
	.examples = examples,
	.run = run,
};
