/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script - runs the lines of a file or of standard input */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "shell/line.h"
#include "shell/state.h"

/*
 * Read one line; an endless one is cut where the tokenizer says that it is too long.
 * Return: its length, or -1 at the end
 */
static ssize_t read_line(FILE *f, char *line, size_t size)
{
	size_t n = 0;
	int c = EOF;

	while (n < size && (c = getc_unlocked(f)) != EOF && c != '\n')
		line[n++] = (char)c;
	return n == 0 && c == EOF ? -1 : (ssize_t)n;
}

/*
 * A line that fails ends the script, since what follows may rest on it ("use shop/cart", then
 * "istio flush"); one that found something (status 1) does not.
 */
static int run_lines(struct session *s, FILE *f, const char *name)
{
	const size_t size = LINE_MAX_BYTES + 1;
	_cleanup_free_ char *line = malloc(size);
	struct err e = ERR_INIT;
	int status = 0;
	ssize_t n;

	if (!line) {
		err_oom(&e);
		return dispatch_error(s, &e);
	}
	while (!s->quit && (n = read_line(f, line, size)) >= 0) {
		int r = signals_interrupted() ? SCRIPT_INTERRUPTED : dispatch_line(s, line, (size_t)n);

		if (r > 1)
			return r;
		status = r ? r : status;
	}
	if (!ferror(f))
		return status;
	if (errno == EINTR)
		return SCRIPT_INTERRUPTED;
	err_sys(&e, errno, "cannot read %s", name);
	return dispatch_error(s, &e);
}

int script_run(struct session *s, const char *path)
{
	_cleanup_fclose_ FILE *f = NULL;

	if (strcmp(path, "-") == 0)
		return run_lines(s, stdin, "standard input");
	f = fopen(path, "re");
	if (!f) {
		struct err e = ERR_INIT;

		err_sys(&e, errno, "cannot read %s", path);
		return dispatch_error(s, &e);
	}
	return run_lines(s, f, path);
}
