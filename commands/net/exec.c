/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec - runs a program inside the target's network namespace */
#include "commands/command.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/netns/run.h"
#include "nsutil/pod/target.h"

extern const struct command command_exec;

static const struct {
	const char *option;
	unsigned bits;
} also_options[] = { { "mount", RUN_MOUNT }, { "pid", RUN_PID }, { "all", RUN_ALL } };

/* Which namespaces besides that of the network. */
static int read_also(const struct command_args *args, const struct target *t, unsigned *ret, struct err *e)
{
	*ret = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(also_options); i++)
		if (command_opt(&command_exec, args, also_options[i].option))
			*ret |= also_options[i].bits;
	if (*ret && !t->pid) {
		err_set(e, ERR_TARGET, t->label, "no process is in it, so it has a network namespace and no other");
		return err_hint(e, "leave out --mount, --pid and --all");
	}
	return 0;
}

static int run(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct target *t;
	unsigned also;
	int status = 0;

	if (session_target(s, &t, e) < 0)
		return -1;
	if (t->kind == TARGET_FILE)
		return err_set(e, ERR_USAGE, "exec", "a file target has no network namespace");
	if (read_also(args, t, &also, e) < 0)
		return -1;
	if (session_options(s)->dry_run) {
		out_text(o, "would run in %s:", t->label);
		for (int i = 0; i < args->argc; i++)
			out_text(o, " %s", args->argv[i]);
		out_nl(o);
		return 0;
	}
	if (run_inside_also(&t->netns, t->proc, t->pid, also, args->argv, &status, e) < 0)
		return -1;
	return status;
}

static const struct command_option options[] = {
	{ "mount", 'm', ARG_NONE, NULL, NULL, "among the target's files too: the program is one of the container's" },
	{ "pid", 'p', ARG_NONE, NULL, NULL, "among the target's processes too" },
	{ "all", 'a', ARG_NONE, NULL, NULL, "network, files, processes, IPC, host name and cgroups of the target" },
	{ .name = NULL },
};

static const char *const examples[] = { "-t shop/cart exec ip address", "-t pid:4711 exec ss -tlnp",
					"-t shop/cart exec --all sh", "!ping -c 1 10.0.1.1", NULL };

const struct command command_exec = {
	.name = "exec",
	.summary = "run a program inside the target's network namespace",
	.operands = "PROGRAM [ARG...]",
	.operand_kind = ARG_PROGRAM,
	.min_args = 1,
	.max_args = -1,
	.options = options,
	.flags = COMMAND_RAW,
	.description = "Runs PROGRAM with the target's network and with this system's files, users and processes, so "
		       "that tools the container lacks can be used on it. What the program prints is all that is "
		       "printed, in every format, and its exit status is the command's (128 + N when signal N ended "
		       "it). At the prompt, '!LINE' runs LINE with the shell in the same way. With --dry-run nothing is run.\n\n"
		       "--mount, --pid and --all enter further namespaces of the target's process, as nsenter does; the\n"
		       "program keeps this user's rights. The options stand in front of PROGRAM; what follows is its own.",
	.examples = examples,
	.run = run,
};
