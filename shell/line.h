/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line - the tokenizer: one line of the command language becomes words */
#ifndef SHELL_LINE_H
#define SHELL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/err.h"

enum { LINE_MAX_BYTES = 1 << 16, LINE_MAX_WORDS = 4096 };

struct line {
	char **words;	/* NULL-ended */
	int n;		/* 0: nothing but blanks or a comment */
	const char *pipe; /* the shell command that reads the output; NULL when there is none */
	const char *to;	  /* the file the output goes to; NULL when there is none */
	bool append;	  /* behind what the file holds: '>>' */
	char *storage;
};

/**
 * line_parse() - split a line into words
 * @text:	the line
 * @len:	its length in bytes
 * @ret:	set on success, to be given back with line_free()
 * @e:		error (ERR_USAGE): open quote, nothing after '|' or '>', a control character
 *		(a blank is none), too long
 *
 * Words are parted by blanks. '...' is taken as it is; within "..." a backslash protects " and \;
 * elsewhere it protects any character. '#' at the beginning of a word starts a comment. What
 * follows an unquoted '|' is a command for /bin/sh. A word that begins with an unquoted '>' or '>>' names
 * the file for the output, and ends the line. "!CMD" is "exec CMD", run by /bin/sh when CMD has
 * characters only a shell understands.
 *
 * Return: 0, or -1
 */
int line_parse(const char *text, size_t len, struct line *ret, struct err *e);
void line_free(struct line *l);
#define _cleanup_line_ __attribute__((cleanup(line_free)))

#endif
