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
 * A line that fails ends the script, since what follows may rest on it ("use shop/cart", then
 * "istio flush"); one that found something (status 1) does not.
 */
static int run_lines(struct session *s, FILE *f, const char *name)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	int status = 0;
	ssize_t n;

	while (!s->quit && !signals_leaving() && (n = getline(&line, &room, f)) >= 0) {
		int r = dispatch_line(s, line, (size_t)n);

		if (r > 1)
			return r;
		status = r ? r : status;
	}
	if (ferror(f) && errno != EINTR) {
		struct err e = ERR_INIT;

		err_sys(&e, errno, "cannot read %s", name);
		return dispatch_error(s, &e);
	}
	return status;
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
