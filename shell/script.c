/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script - runs the lines of a file or of standard input */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Lines that whoever else may write to the file made us run would run with our rights. */
static bool is_ours(FILE *f)
{
	struct stat st;

	return fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == geteuid() || st.st_uid == 0) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int start_up_file(char *path, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n = -1;

	if (config && config[0] == '/')
		n = snprintf(path, size, "%s/cnish/cnishrc", config);
	else if (home && home[0] == '/')
		n = snprintf(path, size, "%s/.config/cnish/cnishrc", home);
	return n < 0 || n >= (int)size ? -1 : 0;
}

void script_start_up(struct session *s)
{
	_cleanup_free_ char *line = malloc(LINE_MAX_BYTES + 1);
	_cleanup_fclose_ FILE *f = NULL;
	char path[PATH_MAX], where[PATH_MAX + 16];
	struct err e = ERR_INIT;
	ssize_t n;

	if (!line || start_up_file(path, sizeof(path)) || !(f = fopen(path, "re")))
		return;
	if (!is_ours(f)) {
		err_set(&e, ERR_USAGE, path, "not read: it must be a file of yours that nobody else can write to");
		dispatch_error(s, &e);
		return;
	}
	s->where = where;
	for (unsigned i = 1; !s->quit && (n = read_line(f, line, LINE_MAX_BYTES + 1)) >= 0; i++) {
		snprintf(where, sizeof(where), "%s:%u", path, i);
		dispatch_line(s, line, (size_t)n);
	}
	s->where = NULL;
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
