/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dispatch - runs one command: its sink, its options, its error, its exit status */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "shell/line.h"
#include "shell/pager.h"
#include "shell/state.h"

extern const struct command command_help;

static bool want_color(const struct session *s, bool terminal)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (s->now.plain)
		return false;
	if (s->now.color >= 0)
		return s->now.color;
	return terminal && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* A terminal with the fixed palette of 256 colours, which no theme changes. */
static bool colors_rich(void)
{
	const char *term = getenv("TERM"), *more = getenv("COLORTERM");

	return (term && (strstr(term, "256color") || strstr(term, "direct"))) || (more && *more);
}

static bool addressable(void)
{
	const char *term = getenv("TERM");

	return term && *term && strcmp(term, "dumb") != 0 && strcmp(term, "unknown") != 0;
}

/* The sink that prints to standard output. */
static struct out *open_stdout(struct session *s, enum out_format format, struct pager *pager)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize ws = { 0 };
	struct out_config c = {
		.format = format,
		.fd = STDOUT_FILENO,
		.note_fd = STDERR_FILENO,
		.notes_inline = terminal,
		.color = want_color(s, terminal),
		.plain = s->now.plain,
	};

	c.in_place = terminal && isatty(STDIN_FILENO) && !s->now.plain && format & (OUT_TEXT | OUT_WIDE) && addressable();
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		c.width = ws.ws_col;
	c.rich = c.color && colors_rich();
	if (terminal && s->interactive && ws.ws_row && strcmp(session_setting(s, "pager"), "off") != 0) {
		pager->command = session_setting(s, "pager");
		c.page_rows = ws.ws_row;
		c.pager = pager_start;
		c.pager_arg = pager;
	}
	return out_open(&c);
}

/* One line, whatever the texts hold. @where: the line of a script, or NULL */
static void print_error(const char *where, const struct err *e)
{
	char line[2048];
	int n;

	n = snprintf(line, sizeof(line), "cnish: %s%s%s%s%s%s%s%s", where ? where : "", where ? ": " : "", e->what, e->what[0] && e->why[0] ? ": " : "", e->why,
		     e->hint[0] ? " (" : "", e->hint, e->hint[0] ? ")" : "");
	if (n >= (int)sizeof(line))
		n = (int)sizeof(line) - 1;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	dprintf(STDERR_FILENO, "%s\n", line);
}

static int report(const struct session *s, struct out *o, const struct err *e)
{
	if (out_structured(o)) {
		out_fail(o, e);
	} else {
		out_flush(o);
		print_error(s->where, e);
	}
	return e->code ? (int)e->code : ERR_SYS;
}

/* Whether the output arrived; told once. */
static int finish(struct out *o, struct pager *pager, int status)
{
	int failed = out_close(o);
	struct err e = ERR_INIT;

	pager_stop(pager);
	if (!failed)
		return status;
	err_sys(&e, failed, "writing the output");
	print_error(NULL, &e);
	return ERR_SYS;
}

/* The format of the output; 'ret' is set in any case, for the error. */
static int check_format(const struct session *s, const struct command *c, enum out_format *ret, struct err *e)
{
	unsigned offered = OUT_TEXT | OUT_JSON | c->formats, format = s->now.format;
	char list[128] = "";

	*ret = format & (OUT_JSON | OUT_JSONL) ? OUT_JSON : OUT_TEXT;
	if (format & offered) {
		*ret = format;
		return 0;
	}
	if (!s->format_asked) /* a preference, for those commands that have it */
		return 0;
	for (unsigned bit = 1; command_format_name(bit); bit <<= 1)
		if (offered & bit)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", list[0] ? ", " : "",
				 command_format_name(bit));
	return err_set(e, ERR_USAGE, c->name, "has no format '%s', only: %s", command_format_name(format), list);
}

/* A command that has nothing to say says at least in JSON that it is done. */
static void say_done(struct out *o, const struct command *c, int status)
{
	if (!out_structured(o) || !out_empty(o) || (c->flags & COMMAND_RAW))
		return;
	out_begin(o, "done");
	out_str(o, "command", NULL, c->name);
	out_int(o, "status", NULL, status);
	out_end(o);
}

/* Run a parsed command into a sink. Return: as the command's run() */
static int run_into(struct session *s, struct parse *p, struct out *o, struct err *e)
{
	struct out *outer = s->out;
	char *name[] = { (char *)p->match.group, NULL };
	struct command_args help = { .argc = 1, .argv = name, .dash_dash = 1 };
	int status;

	s->out = o;
	if (p->globals[GLOBAL_HELP]) {
		if (p->match.command)
			name[0] = (char *)p->match.command->name;
		help.argc = help.dash_dash = name[0][0] != '\0';
		status = command_help.run(s, &help, o, e);
	} else {
		status = p->match.command->run(s, &p->args, o, e);
		if (status >= 0)
			say_done(o, p->match.command, status);
	}
	s->out = outer;
	return status;
}

static int run_parsed(struct session *s, struct parse *p)
{
	const struct command *c = p->match.command ? p->match.command : &command_help;
	bool help = p->globals[GLOBAL_HELP];
	struct pager pager = PAGER_INIT;
	struct err e = ERR_INIT;
	enum out_format format = OUT_TEXT;
	struct out *o;
	int status;

	if (!help && !p->match.command)
		return ERR_NONE;
	s->running = help ? NULL : c;
	session_enter(s, p->globals);
	status = check_format(s, c, &format, &e);
	if (help)
		format = format & (OUT_JSON | OUT_JSONL) ? OUT_JSON : OUT_TEXT;
	o = open_stdout(s, format, &pager);
	if (!o) {
		err_oom(&e);
		return dispatch_error(s, &e);
	}
	if (status == 0)
		status = run_into(s, p, o, &e);
	if (status < 0)
		status = report(s, o, &e);
	status = finish(o, &pager, status);
	session_leave(s);
	return status;
}

int dispatch_error(struct session *s, const struct err *e)
{
	struct pager pager = PAGER_INIT;
	struct out *o = open_stdout(s, s->now.format, &pager);
	int status;

	if (!o)
		return ERR_SYS;
	status = report(s, o, e);
	return finish(o, &pager, status);
}

/* Return: 0, or -1 with the error told and its exit status in 'ret_status' */
static int parse_or_tell(struct session *s, int n, char **words, struct parse *p, int *ret_status)
{
	struct err e = ERR_INIT;

	signals_clear();
	if (parse_words(command_table, n, words, false, p, &e) == 0)
		return 0;
	if (parse_wants_json(n, words))
		s->now.format = OUT_JSON;
	*ret_status = dispatch_error(s, &e);
	s->now = s->base;
	return -1;
}

int dispatch_words(struct session *s, int n, char **words)
{
	_cleanup_parse_ struct parse p = { .n_scripts = 0 };
	int status;

	return parse_or_tell(s, n, words, &p, &status) ? status : run_parsed(s, &p);
}

/* Standard output goes elsewhere while the command runs, also that of programs we start. @saved: where it went */
static int run_elsewhere(struct session *s, struct parse *p, int saved)
{
	int status;

	s->piped = true;
	status = run_parsed(s, p);
	s->piped = false;
	dup2(saved, STDOUT_FILENO);
	return status;
}

/* "COMMAND > FILE" */
static int run_redirected(struct session *s, struct parse *p, const struct line *l)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (l->append ? O_APPEND : O_TRUNC);
	_cleanup_close_ int out = -1, fd = -1;
	struct err e = ERR_INIT;

	fflush(stdout);
	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	fd = out < 0 ? -1 : open(l->to, flags, 0666);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) {
		err_sys(&e, errno, "cannot write to '%s'", l->to);
		return dispatch_error(s, &e);
	}
	return run_elsewhere(s, p, out);
}

/* "COMMAND | shell command" */
static int run_piped(struct session *s, struct parse *p, const struct line *l)
{
	_cleanup_close_ int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	struct pager reader = PAGER_INIT;
	struct err e = ERR_INIT;
	int status;

	fflush(stdout);
	if (out < 0 || pager_shell(&reader, l->pipe) || dup2(reader.fd, STDOUT_FILENO) < 0) {
		err_sys(&e, errno, "cannot start '%s'", l->pipe);
		pager_stop(&reader);
		return dispatch_error(s, &e);
	}
	status = run_elsewhere(s, p, out);
	pager_stop(&reader);
	return status;
}

/* What is no command starts no shell and empties no file: the words are looked at before. */
int dispatch_line(struct session *s, const char *text, size_t len)
{
	_cleanup_parse_ struct parse p = { .n_scripts = 0 };
	_cleanup_line_ struct line l = { .n = 0 };
	struct err e = ERR_INIT;
	int status;

	if (line_parse(text, len, &l, &e))
		return dispatch_error(s, &e);
	if (l.n == 0)
		return 0;
	if (parse_or_tell(s, l.n, l.words, &p, &status))
		return status;
	if (l.pipe)
		return run_piped(s, &p, &l);
	return l.to ? run_redirected(s, &p, &l) : run_parsed(s, &p);
}

/* The columns of the running command's output, so that what is captured for it fits, with a mark in front. */
static unsigned out_width_of(const struct session *s)
{
	unsigned width = s->out ? out_width(s->out) : 0;

	return width > 2 ? width - 2 : 0;
}

int session_capture(struct session *s, int argc, char **argv, enum out_format format, char **ret,
		    int *ret_status, struct err *e)
{
	_cleanup_parse_ struct parse p = { .n_scripts = 0 };
	struct buf b = BUF_INIT;
	struct out_config c = { .fd = -1, .memory = &b, .note_fd = -1, .format = format, .width = out_width_of(s),
				.plain = s->now.plain };
	struct session_options now = s->now;
	struct out *o;
	int status;

	if (parse_words(command_table, argc, argv, false, &p, e))
		return -1;
	if (!p.match.command || (p.match.command->flags & (COMMAND_RAW | COMMAND_MUTATES | COMMAND_ENDS)))
		return err_set(e, ERR_USAGE, argv[0], "cannot be repeated");
	if (p.globals[GLOBAL_OUTPUT])
		c.format = parse_format(p.globals[GLOBAL_OUTPUT]);
	o = out_open(&c);
	if (!o)
		return err_oom(e);
	status = run_into(s, &p, o, e);
	out_close(o);
	s->now = now;
	if (status < 0 || buf_failed(&b)) {
		buf_free(&b);
		return status < 0 ? -1 : err_oom(e);
	}
	*ret = b.data ? b.data : strdup("");
	*ret_status = status;
	return *ret ? 0 : err_oom(e);
}
