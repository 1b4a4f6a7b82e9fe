/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main - start of the program; the only exit */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shell/state.h"

static int print_version(struct session *s)
{
	struct err e = ERR_INIT;

	printf(s->base.format & (OUT_JSON | OUT_JSONL) ? "{\"schema\":\"cnish.version/1\",\"version\":\"%s\"}\n" : "cnish %s\n",
	       CNISH_VERSION);
	if (!fflush(stdout))
		return 0;
	err_sys(&e, errno, "writing the output");
	return dispatch_error(s, &e);
}

/* -c and -f in their order; the first that fails ends the run. */
static int run_scripts(struct session *s, const struct parse *p)
{
	int status = 0;

	for (int i = 0; i < p->n_scripts && !s->quit; i++) {
		const struct script *c = &p->scripts[i];
		int r;

		if (signals_interrupted())
			return SCRIPT_INTERRUPTED;
		r = c->is_file ? script_run(s, c->text) : dispatch_line(s, c->text, strlen(c->text));
		if (r > 1)
			return r;
		status = r ? r : status;
	}
	return status;
}

static int run(struct session *s, const struct parse *p, int n, char **words)
{
	struct err e = ERR_INIT;

	if (p->globals[GLOBAL_VERSION])
		return print_version(s);
	if (p->match.command || p->globals[GLOBAL_HELP]) {
		if (p->n_scripts == 0)
			return dispatch_words(s, n, words);
		err_set(&e, ERR_USAGE, "command line", "either a COMMAND, or -c and -f");
		return dispatch_error(s, &e);
	}
	if (p->n_scripts)
		return run_scripts(s, p);
	if (isatty(STDIN_FILENO))
		return repl_run(s);
	return script_run(s, "-");
}

/*
 * Started with a standard stream closed, the next file opened would take its number, and what is
 * meant for the user would be written into a socket. Reading and writing these places fails.
 */
static void hold_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const char *const none[GLOBAL_COUNT];
	_cleanup_parse_ struct parse p = { .n_scripts = 0 };
	struct err e = ERR_INIT;
	struct session s;
	int status;

	hold_streams();
	signals_init();
	if (parse_words(command_table, argc - 1, argv + 1, true, &p, &e)) {
		session_init(&s, none);
		if (parse_wants_json(argc - 1, argv + 1))
			s.now.format = OUT_JSON;
		return dispatch_error(&s, &e);
	}
	/* With a command the options are those of its line, else they are the session's. */
	session_init(&s, p.match.command ? none : p.globals);
	status = run(&s, &p, argc - 1, argv + 1);
	session_close(&s);
	return status;
}
