/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command - what a command is; the one header of commands/ */
#ifndef COMMANDS_COMMAND_H
#define COMMANDS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/err.h"
#include "shell/out/out.h"
#include "shell/session.h"

/*
 * One const entry per command file; table.c lists them. Help, usage, arity, completion and the
 * manual check are made from the entry, never typed twice.
 */

/* What an operand or an option's argument is, for completion and hints. */
enum arg_kind {
	ARG_NONE,
	ARG_TEXT,
	ARG_NUMBER,
	ARG_FILE,
	ARG_TARGET,
	ARG_TABLE,
	ARG_CHAIN,
	ARG_STORES,	/* comma list of legacy, compat, native */
	ARG_STORE,
	ARG_COMMAND,
	ARG_CONNECTION, /* the words of a trace connection */
	ARG_ISTIO_SETTING,
	ARG_INTERFACE,
	ARG_CHOICE,	/* one of 'choices' */
	ARG_PROGRAM,	/* the rest is a program and its arguments */
	ARG_SETTING,	/* NAME=VALUE of the session's preferences */
};

struct command_option {
	const char *name;	/* long name without dashes: "store" */
	char letter;		/* '4' for -4, 0 when none */
	enum arg_kind arg;	/* ARG_NONE: a switch */
	const char *arg_name;	/* "TABLE"; NULL for a switch */
	const char *const *choices; /* NULL-ended, for ARG_CHOICE */
	const char *help;	/* one line */
};

enum command_flags {
	COMMAND_MUTATES = 1 << 0, /* needs its full word; changes something when not --dry-run */
	COMMAND_RAW = 1 << 1,	  /* everything from the first operand on belongs to it (exec, watch) */
	COMMAND_SHELL = 1 << 2,	  /* about the shell itself (help, history, quit): listed last */
	COMMAND_REPEAT = 1 << 3,  /* an empty line at the prompt repeats it: it only looks, and is looked at again */
	COMMAND_ENDS = 1 << 4,	  /* the shell ends with it */
};

struct command_args {
	int argc;		/* operands, options taken out */
	char **argv;
	int dash_dash;		/* index in argv of the first operand that followed "--"; argc when none */
	/* values of options by their index in command->options; NULL when not given, "" for a switch. The whole
	 * NULL: none was given */
	const char *const *opts;
};

struct command {
	const char *name;	  /* "tables", or "istio verify" for a sub-command */
	const char *summary;	  /* one line, no full stop */
	const char *operands;	  /* "[CHAIN...]"; NULL when none */
	enum arg_kind operand_kind;
	const char *const *operand_choices; /* NULL-ended: for ARG_CHOICE the only words allowed; else,
			   * as the setting names of ARG_ISTIO_SETTING, offered by completion */
	int min_args, max_args;	  /* max -1: any number */
	const struct command_option *options; /* ended by an entry without name */
	unsigned formats;	  /* OUT_* bits beside OUT_TEXT and OUT_JSON, which all have */
	unsigned flags;		  /* COMMAND_* */
	const char *description;  /* a paragraph or more for 'help COMMAND' */
	const char *const *examples; /* NULL-ended command lines without "cnish" */
	/*
	 * Return: 0 done; 1 something was found; -1 failed, with 'e' set
	 */
	int (*run)(struct session *s, const struct command_args *args, struct out *o, struct err *e);
};

/* command_opt() - value of an option by name; NULL when not given */
const char *command_opt(const struct command *c, const struct command_args *args, const char *name);

/* The list, ended by NULL, in the order of help (table.c). */
extern const struct command *const command_table[];

/*
 * The options of the program, ended by an entry without name. The session's stand before or after any
 * command (session_options() has their values); those from GLOBAL_COMMAND on only start the program.
 */
enum command_global {
	GLOBAL_TARGET,
	GLOBAL_NAMESPACE,
	GLOBAL_OUTPUT,
	GLOBAL_HOST_ROOT,
	GLOBAL_RUNTIME,
	GLOBAL_COLOR,
	GLOBAL_PLAIN,
	GLOBAL_DRY_RUN,
	GLOBAL_YES,
	GLOBAL_HELP,
	GLOBAL_COMMAND,
	GLOBAL_FILE,
	GLOBAL_VERSION,
	GLOBAL_COUNT,
};
extern const struct command_option command_globals[];

/* command_format_name() - the word for one OUT_* bit; NULL when it is none */
const char *command_format_name(unsigned format);

#endif
