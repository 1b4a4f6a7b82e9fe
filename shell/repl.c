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
#include "shell/banner.h"
#include "shell/complete.h"
#include "shell/history.h"
#include "shell/line.h"
#include "shell/locale.h"
#include "shell/out/sink.h"
#include "shell/probe.h"
#include "shell/state.h"

/* readline's hooks take no argument. */
static struct {
	struct session *session;
	bool done;
	char *line;	/* NULL when done: end of input */
	struct complete found;
	char prompt[512];
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

/* Below the line, and the line again. */
static void say(const char *text)
{
	fprintf(rl_outstream, "\n%s\n", text);
	rl_on_new_line();
	rl_forced_update_display();
}

static const char *help_of(const char *word)
{
	for (unsigned i = 0; i < repl.found.n; i++)
		if (strcmp(repl.found.words[i], word) == 0)
			return repl.found.help[i];
	return NULL;
}

/* The list of candidates: each with its line of help, where there are such lines and room for them. */
static void show_candidates(char **matches, int n, int longest)
{
	int rows = 0, columns = 0;
	bool any = false;

	for (int i = 1; i <= n; i++)
		any |= help_of(matches[i]) != NULL;
	rl_get_screen_size(&rows, &columns);
	if (!any || n > rows - 2) {
		rl_display_match_list(matches, n, longest);
		rl_forced_update_display();
		return;
	}
	fputc('\n', rl_outstream);
	for (int i = 1; i <= n; i++) {
		const char *help = help_of(matches[i]);
		int room = columns - longest - 5;

		fprintf(rl_outstream, "  %-*s  %.*s\n", longest, matches[i], room > 0 ? room : 0, help ? help : "");
	}
	rl_on_new_line();
	rl_forced_update_display();
}

/* Behind "! " and behind a bar stands the name of a program. @len: of the line in front of the word */
static bool is_program_next(const char *line, int len)
{
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	return len > 0 && (line[len - 1] == '|' || (len == 1 && line[0] == '!'));
}

static char **on_tab(const char *text, int start, int end)
{
	_cleanup_line_ struct line l = { .n = 0 };
	char **matches;
	size_t blanks = strspn(rl_line_buffer, " \t");

	(void)end;
	complete_free(&repl.found); /* of the last time: its help may have been shown until now */
	if (is_program_next(rl_line_buffer + blanks, start - (int)blanks))
		complete_words(repl.session, 1, (char *[]){ (char *)"exec" }, text, &repl.found);
	else if (line_parse(rl_line_buffer, (size_t)start, &l, NULL) || l.pipe || l.to)
		return NULL; /* words of a shell command: files */
	else
		complete_words(repl.session, l.n, l.words, text, &repl.found);
	matches = rl_completion_matches(text, next_candidate);
	rl_attempted_completion_over = !repl.found.files;
	if (repl.found.no_space)
		rl_completion_suppress_append = 1;
	if (!matches && !repl.found.files && repl.found.hint[0])
		say(repl.found.hint);
	return matches;
}

static void set_up(struct session *s)
{
	repl.session = s;
	rl_readline_name = "cnish";
	rl_catch_signals = 0; /* the loop below sees to them */
	rl_catch_sigwinch = 0;
	rl_attempted_completion_function = on_tab;
	rl_completion_display_matches_hook = show_candidates;
	rl_completer_word_break_characters = " \t\n\"'|>";
	rl_completer_quote_characters = "\"'";
	if (!isatty(STDOUT_FILENO))
		rl_outstream = stderr;
	history_open();
}

static bool colored(const struct session *s)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (s->base.plain)
		return false;
	return s->base.color > 0 ||
	       (s->base.color < 0 && !(no && *no) && term && strcmp(term, "dumb") != 0 && *term);
}

/* "[sidecar]", "[sidecar, drift]"; nothing when it is in no mesh, or that is not known (yet). */
static void mesh_mark(const struct session *s, char *text, size_t size)
{
	const struct probe_facts *f = probe_facts(session_label(s));

	text[0] = '\0';
	if (f && strcmp(f->mesh, "none") != 0 && strcmp(f->mesh, "unknown") != 0)
		snprintf(text, size, " [%s%s]", f->mesh, f->drift > 0 ? ", drift" : "");
}

static void make_prompt(const struct session *s, char *text, size_t size)
{
	const struct probe_facts *f = probe_facts(session_label(s));
	char mark[48];

	mesh_mark(s, mark, sizeof(mark));
	if (colored(s))
		snprintf(text, size,
			 "\001\033[1m\002cnish\001\033[0m\002 \001%s\002%s\001\033[0m\002\001%s\002%s\001\033[0m\002> ",
			 text_sgr(STYLE_NAME, false), session_label(s),
			 text_sgr(f && f->drift > 0 ? STYLE_BAD : STYLE_DIM, false), mark);
	else
		snprintf(text, size, "cnish %s%s> ", session_label(s), mark);
	for (char *p = text; *p; p++) /* a name from outside must not steer the terminal */
		if ((unsigned char)*p < ' ' && *p != '\001' && *p != '\002' && *p != '\033')
			*p = '?';
}

/* The answer about the target is there: the prompt is drawn anew if it says something else then. */
static void take_probe(const struct session *s)
{
	char prompt[sizeof(repl.prompt)];

	if (!probe_take())
		return;
	make_prompt(s, prompt, sizeof(prompt));
	if (strcmp(prompt, repl.prompt) == 0)
		return;
	memcpy(repl.prompt, prompt, sizeof(prompt));
	if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_COMPLETING | RL_STATE_NUMERICARG))
		return; /* shown at the next line */
	rl_set_prompt(repl.prompt);
	rl_redisplay();
}

/* One event: a key, a signal, an answer about the target, or the end of the terminal. */
static void wait_event(const struct session *s, const sigset_t *open)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = probe_fd(), .events = POLLIN } };
	int n = ppoll(fds, 2, NULL, open);
	struct pollfd in = fds[0];

	if (signals_leaving()) {
		on_line(NULL);
	} else if (signals_interrupted()) {
		signals_clear();
		rl_callback_sigcleanup();
		rl_callback_handler_remove();
		fputs("^C\n", rl_outstream ? rl_outstream : stdout);
		rl_callback_handler_install(repl.prompt, on_line);
	} else if (signals_resized()) {
		rl_resize_terminal();
	} else if (n > 0 && (in.revents & POLLIN)) {
		rl_callback_read_char();
	} else if (n > 0 && in.revents) {
		on_line(NULL);
	} else if (n > 0) {
		take_probe(s);
	}
}

/* Return: the line, to be freed; NULL at the end of input */
static char *read_line(const struct session *s)
{
	sigset_t block, open;

	make_prompt(s, repl.prompt, sizeof(repl.prompt));
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
	rl_callback_handler_install(repl.prompt, on_line);
	while (!repl.done)
		wait_event(s, &open);
	sigprocmask(SIG_SETMASK, &open, NULL);
	return repl.line;
}

/* The line to run: an empty one is the last again, when that only looked and is looked at again and again. */
static const char *meant(const struct session *s, char **last, char *line)
{
	if (line[strspn(line, " \t")] == '\0')
		return *last && s->running && (s->running->flags & COMMAND_REPEAT) ? *last : line;
	free(*last);
	*last = strdup(line);
	return line;
}

static void run_line(struct session *s, const char *line)
{
	s->running = NULL;
	/* the terminal has shown ^C, and stands behind it; of a program the status tells, as it got the signal */
	if ((dispatch_line(s, line, strlen(line)) == 128 + SIGINT || signals_interrupted()) && isatty(STDOUT_FILENO)) {
		fputc('\n', stdout);
		fflush(stdout);
	}
	/* a program that was run may have changed anything */
	probe_start(s, s->running && ((s->running->flags & COMMAND_MUTATES) || s->running->operand_kind == ARG_PROGRAM));
}

int repl_run(struct session *s)
{
	_cleanup_free_ char *last = NULL;

	s->interactive = true;
	locale_need_utf8(); /* the line editor moves by characters */
	signals_stay();
	set_up(s);
	script_start_up(s);
	if (isatty(STDOUT_FILENO) && !s->quit)
		banner_show(s);
	while (!s->quit && !signals_leaving()) {
		_cleanup_free_ char *line = read_line(s);

		if (!line) {
			if (!signals_leaving())
				fputc('\n', stdout);
			break;
		}
		history_keep(line);
		run_line(s, meant(s, &last, line));
	}
	probe_stop();
	complete_free(&repl.found);
	fflush(stdout);
	return 0;
}
