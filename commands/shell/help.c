/* SPDX-License-Identifier: GPL-2.0-or-later */
/* help - lists the commands and describes one, from the table entries alone */
#include <stdio.h>
#include <string.h>

#include "commands/shell/completion.h"

static void usage_text(const struct command *c, struct out *o)
{
	out_style(o, STYLE_NAME);
	out_text(o, "%s", c->name);
	out_style(o, STYLE_PLAIN);
	if (c->options && c->options[0].name)
		out_text(o, " [OPTION...]");
	if (c->operands)
		out_text(o, " %s", c->operands);
}

/* "-t, --target TARGET" */
static void option_usage(const struct command_option *opt, char *text, size_t size)
{
	char letter[8] = "    ";

	if (opt->letter)
		snprintf(letter, sizeof(letter), "-%c, ", opt->letter);
	snprintf(text, size, "%s--%s%s%s", letter, opt->name, opt->arg_name ? " " : "",
		 opt->arg_name ? opt->arg_name : "");
}

static void choices(const char *key, const char *const *words, struct out *o)
{
	out_array(o, key);
	for (; words && *words; words++)
		out_str(o, NULL, NULL, *words);
	out_array_end(o);
}

static void one_option(const struct command_option *opt, struct out *o)
{
	char letter[2] = { opt->letter, '\0' }, text[96];

	option_usage(opt, text, sizeof(text));
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_text(o, "  %s", text);
	out_str(o, "name", NULL, opt->name);
	out_str(o, "letter", NULL, opt->letter ? letter : NULL);
	out_str(o, "argument", NULL, opt->arg_name);
	out_cell(o);
	out_str(o, "help", "%s", opt->help);
	if (opt->choices)
		out_text(o, ":");
	for (unsigned i = 0; opt->choices && opt->choices[i]; i++)
		out_text(o, " %s", opt->choices[i]);
	choices("choices", opt->choices, o);
	out_object_end(o);
}

static void options(const struct command_option *list, const char *title, struct out *o)
{
	static const struct out_column columns[] = { { .head = "" }, { .head = "" }, { .head = NULL } };

	out_array(o, "options");
	if (list && list->name) {
		out_style(o, STYLE_HEAD);
		out_text(o, "\n%s\n", title);
		out_style(o, STYLE_PLAIN);
		out_table(o, columns);
		for (; list->name; list++)
			one_option(list, o);
		out_table_end(o);
	}
	out_array_end(o);
}

static void formats(const struct command *c, struct out *o)
{
	unsigned all = OUT_TEXT | OUT_JSON | c->formats;

	out_text(o, "\nFormats (-o):");
	out_array(o, "formats");
	for (unsigned bit = 1; command_format_name(bit); bit <<= 1)
		if (all & bit)
			out_str(o, NULL, " %s", command_format_name(bit));
	out_array_end(o);
	out_nl(o);
}

static void examples(const struct command *c, struct out *o)
{
	out_array(o, "examples");
	if (c->examples && c->examples[0]) {
		out_style(o, STYLE_HEAD);
		out_text(o, "\nExamples\n");
		out_style(o, STYLE_PLAIN);
		for (const char *const *x = c->examples; *x; x++) {
			out_str(o, NULL, "  cnish %s", *x);
			out_nl(o);
		}
	}
	out_array_end(o);
}

static void entry_values(const struct command *c, struct out *o)
{
	out_str(o, "name", NULL, c->name);
	out_str(o, "summary", NULL, c->summary);
	out_str(o, "operands", NULL, c->operands);
	out_bool(o, "mutates", NULL, c->flags & COMMAND_MUTATES);
}

/* One command in full. */
static void describe(const struct command *c, struct out *o)
{
	out_object(o, NULL);
	entry_values(c, o);
	usage_text(c, o);
	out_text(o, "\n    %s\n", c->summary);
	out_str(o, "description", NULL, c->description);
	if (c->description)
		out_text(o, "\n%s\n", c->description);
	options(c->options, "Options", o);
	formats(c, o);
	examples(c, o);
	out_object_end(o);
}

static void list_rows(struct out *o, bool shell)
{
	for (const struct command *const *c = command_table; *c; c++) {
		if (!((*c)->flags & COMMAND_SHELL) == shell)
			continue;
		out_object(o, NULL);
		entry_values(*c, o);
		out_row(o);
		out_cell(o);
		out_style(o, STYLE_NAME);
		out_text(o, "  %s", (*c)->name); /* operands would make the list too wide for a terminal */
		out_style(o, STYLE_PLAIN);
		out_cell(o);
		out_text(o, "%s", (*c)->summary);
		out_object_end(o);
	}
}

static void list_all(struct out *o)
{
	static const struct out_column columns[] = { { .head = "" }, { .head = "" }, { .head = NULL } };

	out_text(o, "cnish [OPTIONS] [COMMAND [ARG...]]        with no COMMAND: the interactive shell\n\n");
	out_array(o, "commands");
	out_table(o, columns);
	list_rows(o, false);
	list_rows(o, true);
	out_table_end(o);
	out_array_end(o);
	options(command_globals, "Options, before or after the command", o);
	out_text(o, "\n'help COMMAND' tells more. COMMAND | shell command works, and !CMD runs CMD in the target.\n");
}

/* The command of this name, or the sub-commands of this group. Return: how many */
static int describe_matching(const char *name, struct out *o, bool count_only)
{
	size_t n = strlen(name);
	int found = 0;

	for (const struct command *const *c = command_table; *c; c++) {
		const char *full = (*c)->name;

		if (strncmp(full, name, n) != 0 || (full[n] != '\0' && full[n] != ' '))
			continue;
		if (!count_only && found)
			out_nl(o);
		found++;
		if (!count_only)
			describe(*c, o);
	}
	return found;
}

extern const struct command command_help;

static const char *const shells[] = { "bash", "zsh", "fish", NULL };

static const struct command_option help_options[] = {
	{ "completion", 0, ARG_CHOICE, "SHELL", shells, "print the completion script for this shell" },
	{ "complete", 0, ARG_NONE, NULL, NULL, "print what may stand for the last of the words behind '--'; for such scripts" },
	{ .name = NULL },
};

static int run_help(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	char name[64] = "";

	if (command_opt(&command_help, args, "completion")) {
		completion_script(command_opt(&command_help, args, "completion"), o);
		return 0;
	}
	if (command_opt(&command_help, args, "complete")) {
		if (args->argc == 0)
			return err_set(e, ERR_USAGE, "help --complete", "needs the words, at least \"\"");
		completion_candidates(s, args->argc, args->argv, o);
		return 0;
	}
	for (int i = 0; i < args->argc; i++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%s", i ? " " : "", args->argv[i]);
	if (name[0] && describe_matching(name, o, true) == 0) {
		err_set(e, ERR_USAGE, name, "no such command");
		return err_hint(e, "'help' lists the commands");
	}
	out_begin(o, "help");
	if (name[0]) {
		out_array(o, "commands");
		describe_matching(name, o, false);
		out_array_end(o);
	} else {
		list_all(o);
	}
	out_end(o);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.summary = "list the commands, or describe one",
	.operands = "[COMMAND]",
	.operand_kind = ARG_COMMAND,
	.max_args = -1,
	.options = help_options,
	.flags = COMMAND_SHELL,
	.description = "Without COMMAND, lists all commands and the options of the program.\n"
		       "With COMMAND, tells its usage, options, formats and examples.\n"
		       "--completion prints a script that makes a shell complete the words of cnish with the Tab key:\n"
		       "source <(cnish help --completion bash); 'make install' puts the scripts where the shells look.",
	.examples = (const char *const[]){ "help tables", "tables --help", "help --completion bash", NULL },
	.run = run_help,
};
