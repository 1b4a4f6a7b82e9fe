/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state - the session as the shell sees it; commands see session.h */
#ifndef SHELL_STATE_H
#define SHELL_STATE_H

#include "shell/out/open.h"
#include "shell/parse.h"
#include "shell/session.h"

struct session {
	struct session_options base;	/* what holds for every command */
	struct session_options now;	/* for this one: with the options of its line */
	char *kept[GLOBAL_COUNT];	/* strings of 'base' that 'set' and 'use' made */
	struct target *current;		/* of base; NULL until asked for */
	struct target *once;		/* of this line's -t and the like; NULL when it has none */
	bool use_once;
	bool format_asked;		/* -o stands on this line */
	bool interactive, piped, quit;
	int depth;			/* commands within commands */
	const char *where;		/* "FILE:LINE" of a script whose errors are to name it; else NULL */
	const struct command *running;	/* the last command that was begun */
	char *pager;			/* preference; NULL: $PAGER, else less */
	struct out *out;		/* of the running command; NULL between commands */
};

/**
 * session_init() - a session with the options of the program's arguments
 * @s:		session
 * @globals:	values by GLOBAL_*, as parse_words() gives them; they must outlive the session
 */
void session_init(struct session *s, const char *const globals[GLOBAL_COUNT]);
void session_close(struct session *s);

/**
 * session_enter() - put the options of one line in force
 * @s:		session
 * @globals:	values of the line
 */
void session_enter(struct session *s, const char *const globals[GLOBAL_COUNT]);
/* session_leave() - the line is done: its target is given back */
void session_leave(struct session *s);

/* session_label() - the current target's name for the prompt, without looking anything up */
const char *session_label(const struct session *s);

/* signals.c */
/* signals_init() - Ctrl-C, end of the terminal and broken pipes set flags instead of killing */
void signals_init(void);
void signals_stay(void);	/* an interactive shell: a second Ctrl-C does not end the program */
bool signals_interrupted(void); /* Ctrl-C, or leaving, since signals_clear() */
bool signals_leaving(void);	/* the terminal is gone or we are asked to end: SIGHUP, SIGTERM */
bool signals_resized(void);	/* the terminal changed its size since last asked */
void signals_clear(void);

/* keys.c */
/* keys_restore() - the terminal echoes again, when session_wait() ended that */
void keys_restore(void);

/* dispatch.c */
/**
 * dispatch_words() - run one command
 * @s:		session
 * @n, @words:	its words
 *
 * Prints its output and its error. Return: the exit status (DESIGN section 2)
 */
int dispatch_words(struct session *s, int n, char **words);
/* dispatch_line() - the same for a line of text; an empty line is done at once. Return: exit status */
int dispatch_line(struct session *s, const char *text, size_t len);
/* dispatch_error() - tell of a failure that no command had. Return: exit status */
int dispatch_error(struct session *s, const struct err *e);

/* repl.c: the interactive shell. Return: 0 */
int repl_run(struct session *s);
/* script.c: lines of a file or of standard input ("-") */
/* script_start_up() - the lines of $XDG_CONFIG_HOME/cnish/cnishrc, when there is one; errors name file and line */
void script_start_up(struct session *s);
int script_run(struct session *s, const char *path);
/* The status when a signal came before the script's end, as a shell gives it */
enum { SCRIPT_INTERRUPTED = 130 };

#endif
