/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse - words become a command, its options and operands, as its table entry says */
#ifndef SHELL_PARSE_H
#define SHELL_PARSE_H

#include "commands/command.h"
#include "shell/match.h"

struct script {		/* one -c or -f, in order */
	bool is_file;
	const char *text; /* the line, or the path */
};

struct parse {
	struct match match;			/* match.command NULL: no command was named */
	const char *globals[GLOBAL_COUNT];	/* NULL: not given; "" for a switch */
	struct script *scripts;
	int n_scripts;
	const char **opts;			/* by index in the command's options */
	struct command_args args;		/* its opts and argv are those here */
	char **argv;
};

/**
 * parse_words() - read the words of a command line
 * @table:	commands
 * @n, @words:	the words; they must outlive @ret
 * @program:	these are the program's arguments: -c, -f and -V are allowed
 * @ret:	set on success, to be given back with parse_free()
 * @e:		error (ERR_USAGE)
 *
 * Options may stand anywhere up to "--"; for a COMMAND_RAW command up to its first operand. The
 * command's own options go before the program's of the same name. A lone "-" and "->" are operands.
 *
 * Return: 0, or -1
 */
int parse_words(const struct command *const *table, int n, char **words, bool program, struct parse *ret,
		struct err *e);
void parse_free(struct parse *p);
#define _cleanup_parse_ __attribute__((cleanup(parse_free)))

/**
 * parse_format() - the OUT_* bit of a format's name
 *
 * Return: the bit; 0 when it is none
 */
unsigned parse_format(const char *name);

/**
 * parse_wants_json() - whether words that could not be parsed ask for JSON, so that the error is JSON
 */
bool parse_wants_json(int n, char **words);

#endif
