/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set - shows and changes the preferences of the session */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"

static int set_one(struct session *s, const char *word, struct err *e)
{
	const char *eq = strchr(word, '=');
	char name[64];

	if (!eq)
		return err_set(e, ERR_USAGE, word, "not of the form NAME=VALUE");
	snprintf(name, sizeof(name), "%.*s", (int)(eq - word), word);
	return session_set(s, name, eq + 1, e);
}

static void show_all(const struct session *s, struct out *o)
{
	static const struct out_column columns[] = { { .head = "SETTING" }, { .head = "VALUE" }, { .head = NULL } };

	out_begin(o, "set");
	out_table(o, columns);
	out_object(o, "settings");
	for (unsigned i = 0; session_setting_name(i); i++) {
		const char *name = session_setting_name(i);

		out_row(o);
		out_cell(o);
		out_text(o, "%s", name);
		out_cell(o);
		out_str(o, name, "%s", session_setting(s, name));
	}
	out_object_end(o);
	out_table_end(o);
	out_end(o);
}

static int run_set(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	for (int i = 0; i < args->argc; i++)
		if (set_one(s, args->argv[i], e))
			return -1;
	if (args->argc == 0 || out_structured(o))
		show_all(s, o);
	return 0;
}

const struct command command_set = {
	.name = "set",
	.summary = "show or change the preferences of the session",
	.operands = "[NAME=VALUE...]",
	.operand_kind = ARG_SETTING,
	.max_args = -1,
	.flags = COMMAND_SHELL,
	.description = "Preferences are the options of the program by their long names: namespace, output,\n"
		       "host-root, runtime, color, plain, dry-run, yes; and pager: a shell command that long output\n"
		       "goes through at the prompt, or off. They hold until the shell is left; an option on a line\n"
		       "goes before them. An output format that a command does not offer is text there. Lines of\n"
		       "$XDG_CONFIG_HOME/cnish/cnishrc (~/.config/cnish/cnishrc) are run when the interactive shell starts.",
	.examples = (const char *const[]){ "set", "set output=json", "set dry-run=yes", "set pager=off", NULL },
	.run = run_set,
};
