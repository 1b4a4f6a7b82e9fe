/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - finds the command a word means: exact, else by unambiguous prefix */
#ifndef SHELL_MATCH_H
#define SHELL_MATCH_H

#include <stdbool.h>

#include "commands/command.h"

struct match {
	const struct command *command; /* NULL: a sub-command must follow */
	char group[32];		       /* "istio"; "" when the command has no sub-commands */
	bool exact;		       /* no prefix */
};

/**
 * match_first() - what the first word of a line means
 * @table:	commands, ended by NULL
 * @word:	the word
 * @ret:	set on success: a command, or a group of sub-commands
 * @e:		error (ERR_USAGE): unknown (with what was perhaps meant), ambiguous (with candidates),
 *		or a prefix of something that changes things and needs its full word
 *
 * Return: 0, or -1
 */
int match_first(const struct command *const *table, const char *word, struct match *ret, struct err *e);

/**
 * match_sub() - what the word after a group means
 * @table:	commands
 * @m:		what match_first() found; its 'command' is set on success
 * @word:	the word, or NULL when there is none
 * @e:		error, as of match_first()
 *
 * Return: 0, or -1
 */
int match_sub(const struct command *const *table, struct match *m, const char *word, struct err *e);

/**
 * match_near() - how far two words are apart: letters to insert, delete, change or swap
 *
 * Return: the distance; a large number when a word is too long to be a slip
 */
unsigned match_near(const char *a, const char *b);

#endif
