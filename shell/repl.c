/* SPDX-License-Identifier: GPL-2.0-or-later */
/* repl - the interactive shell: prompt, editing, completion; Ctrl-C, Ctrl-D, end of the terminal */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* readline's headers want stdio first */
#include <readline/readline.h>

#include "nsutil/base/cleanup.h"
#include "shell/complete.h"
#include "shell/history.h"
#include "shell/line.h"
#include "shell/locale.h"
#include "shell/state.h"

/* readline's hooks take no argument. */
static struct {
	struct session *session;
	bool done;
	char *line;	/* NULL when done: end of input */
	struct complete found;
} repl;

static void on_line(char *line)
{
	rl_callback_handler_remove();
	repl.line = line;
	repl.done = true;
}

static char *next_candidate(const char *text, int state)
{
	static unsigned i;

	(void)text;
	if (state == 0)
		i = 0;
	return i < repl.found.n ? strdup(repl.found.words[i++]) : NULL;
}

static char **on_tab(const char *text, int start, int end)
{
	_cleanup_line_ struct line l = { .n = 0 };
	char **matches;
	size_t blanks = strspn(rl_line_buffer, " \t");

	(void)end;
	if (rl_line_buffer[blanks] == '!' || line_parse(rl_line_buffer, (size_t)start, &l, NULL) || l.pipe)
		return NULL; /* words of a shell command: files */
	complete_words(repl.session, l.n, l.words, text, &repl.found);
	matches = rl_completion_matches(text, next_candidate);
	rl_attempted_completion_over = !repl.found.files;
	if (repl.found.no_space)
		rl_completion_suppress_append = 1;
	complete_free(&repl.found);
	return matches;
}

static void set_up(struct session *s)
{
	repl.session = s;
	rl_readline_name = "cnish";
	rl_catch_signals = 0; /* the loop below sees to them */
	rl_catch_sigwinch = 0;
	rl_attempted_completion_function = on_tab;
	rl_completer_word_break_characters = " \t\n\"'|";
	rl_completer_quote_characters = "\"'";
	if (!isatty(STDOUT_FILENO))
		rl_outstream = stderr;
	history_open();
}

static bool colored(const struct session *s)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return s->base.color > 0 ||
	       (s->base.color < 0 && !(no && *no) && term && strcmp(term, "dumb") != 0 && *term);
}

static void make_prompt(const struct session *s, char *text, size_t size)
{
	if (colored(s))
		snprintf(text, size, "\001\033[1m\002cnish\001\033[0m\002 \001\033[36m\002%s\001\033[0m\002> ",
			 session_label(s));
	else
		snprintf(text, size, "cnish %s> ", session_label(s));
	for (char *p = text; *p; p++) /* a name from outside must not steer the terminal */
		if ((unsigned char)*p < ' ' && *p != '\001' && *p != '\002' && *p != '\033')
			*p = '?';
}

/* One event: a key, a signal, or the end of the terminal. */
static void wait_event(const char *prompt, const sigset_t *open)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int n = ppoll(&in, 1, NULL, open);

	if (signals_leaving()) {
		on_line(NULL);
	} else if (signals_interrupted()) {
		signals_clear();
		rl_callback_sigcleanup();
		rl_callback_handler_remove();
		fputs("^C\n", rl_outstream ? rl_outstream : stdout);
		rl_callback_handler_install(prompt, on_line);
	} else if (signals_resized()) {
		rl_resize_terminal();
	} else if (n > 0 && (in.revents & POLLIN)) {
		rl_callback_read_char();
	} else if (n > 0) {
		on_line(NULL);
	}
}

/* Return: the line, to be freed; NULL at the end of input */
static char *read_line(const struct session *s)
{
	char prompt[512];
	sigset_t block, open;

	make_prompt(s, prompt, sizeof(prompt));
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGWINCH);
	/* Blocked but while waiting, so that no signal is lost between a look at its flag and the wait. */
	sigprocmask(SIG_BLOCK, &block, &open);
	signals_clear();
	repl.done = false;
	repl.line = NULL;
	rl_callback_handler_install(prompt, on_line);
	while (!repl.done)
		wait_event(prompt, &open);
	sigprocmask(SIG_SETMASK, &open, NULL);
	return repl.line;
}

int repl_run(struct session *s)
{
	s->interactive = true;
	locale_need_utf8(); /* the line editor moves by characters */
	signals_stay();
	set_up(s);
	while (!s->quit && !signals_leaving()) {
		_cleanup_free_ char *line = read_line(s);

		if (!line) {
			if (!signals_leaving())
				fputc('\n', stdout);
			break;
		}
		history_keep(line);
		dispatch_line(s, line, strlen(line));
	}
	fflush(stdout);
	return 0;
}
