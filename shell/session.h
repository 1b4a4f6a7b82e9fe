/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session - what stays between two commands: options, the current target, what was read of it */
#ifndef SHELL_SESSION_H
#define SHELL_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/err.h"
#include "shell/out/out.h"

struct target;	/* nsutil/pod/target.h */
struct ruleset; /* nsutil/ruleset/model.h */
struct netview; /* nsutil/ruleset/netview.h */
struct netns;	/* nsutil/netns/netns.h */

struct session_options {
	const char *target;	   /* -t; NULL: self */
	const char *k8s_namespace; /* -n */
	const char *host_root;	   /* --host-root; "/" by default, /host in a node debug pod */
	const char *runtime;	   /* --runtime; NULL: look for one; "none" */
	bool dry_run, yes;
	enum out_format format;
	int color;		   /* -1 auto, 0 never, 1 always */
	bool plain;		   /* for screen readers: one fact a line, nothing side by side, no colour */
};

struct session;

const struct session_options *session_options(const struct session *s);
bool session_interactive(const struct session *s); /* a person at a prompt */

/**
 * session_target() - the current target, resolved when first asked for
 * @s:		session
 * @ret:	set on success; owned by the session, valid until the target changes
 * @e:		error
 *
 * Before it answers, the target is checked to be alive (the PID lives and started when it
 * did before); a target that died is an error of class ERR_TARGET.
 *
 * Return: 0, or -1
 */
int session_target(struct session *s, struct target **ret, struct err *e);

/* session_use() - make another target current; on failure the former one stays. Return: 0, or -1 */
int session_use(struct session *s, const char *spec, struct err *e);

/**
 * session_open_target() - resolve some target without making it current ("diff A B")
 * @ret:	set on success; to be given back with target_free()
 *
 * Return: 0, or -1
 */
int session_open_target(struct session *s, const char *spec, struct target **ret, struct err *e);

/**
 * session_confirm() - ask before a change, after the plan was shown
 * @s:		session
 * @question:	"apply these 23 changes to shop/cart?"
 * @e:		error, set to ERR_UNCONFIRMED when the answer is no, or there is nobody to ask and no --yes
 *
 * Return: 0 when the change may be made, or -1
 */
int session_confirm(struct session *s, const char *question, struct err *e);

/* session_quit() - leave the shell after this command */
void session_quit(struct session *s);

/* One preference of the session, for 'set': an option of the program by its long name. */
/* session_setting() - its value as text; "" when not set; NULL when there is no such preference */
const char *session_setting(const struct session *s, const char *name);
/* session_setting_name() - name of setting @i; NULL behind the last one */
const char *session_setting_name(unsigned i);
/* session_setting_choices() - its values, ended by NULL; NULL when any text will do */
const char *const *session_setting_choices(const char *name);
/* session_set() - change it. Return: 0, or -1 with ERR_USAGE */
int session_set(struct session *s, const char *name, const char *value, struct err *e);
/* session_history() - line @i of what was typed before, oldest first; NULL behind the last one */
const char *session_history(const struct session *s, unsigned i);

/**
 * session_capture() - run a command inside a command and keep what it printed ('watch')
 * @s:		session
 * @argc, @argv: its words
 * @format:	of its output; options among the words may ask for another
 * @ret:	set on success, also when the command found something: its output, to be freed
 * @ret_status:	0, or 1 when it found something
 * @e:		error of the command
 *
 * Return: 0, or -1
 */
int session_capture(struct session *s, int argc, char **argv, enum out_format format, char **ret,
		    int *ret_status, struct err *e);

/**
 * session_complete() - what may stand for the last word of a line
 * @s:		session
 * @n, @words:	the words; the last one is as far as it was typed, perhaps ""
 * @each:	called for each candidate, with a line of help or NULL
 * @arg:	for @each
 */
void session_complete(struct session *s, int n, char **words,
		      void (*each)(void *arg, const char *word, const char *help), void *arg);

/**
 * session_wait() - wait for a key of the person, Ctrl-C, a new size of the terminal, or the end of a time
 * @s:		session
 * @seconds:	the longest; 0: not at all; less: for ever
 *
 * Keys are asked for where standard input and output are a terminal; they are not echoed from the first
 * call to the end of the command.
 *
 * Return: the key, as a byte; SESSION_WAIT_RESIZED; or 0: the time is over, or session_interrupted()
 */
int session_wait(struct session *s, double seconds);
enum { SESSION_WAIT_RESIZED = 256 };

/* session_interrupted() - Ctrl-C was pressed since the command began; long loops ask for it */
bool session_interrupted(const struct session *s);

#endif
