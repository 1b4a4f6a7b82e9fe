/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change - what apply and flush share: show a change, ask, carry it out, say what was done */
#ifndef COMMANDS_ISTIO_CHANGE_H
#define COMMANDS_ISTIO_CHANGE_H

#include "commands/istio/common.h"
#include "nsutil/istio/change.h"

#define ISTIO_OPTION_WAIT \
	{ "wait", 'w', ARG_NUMBER, "SECS", NULL, "how long to wait for the xtables lock; default 30" }

#define ISTIO_OPTION_GUARDS \
	{ "no-guardrails", 0, ARG_NONE, NULL, NULL, "let traffic pass while the change is half done" }

struct istio_deed {
	const char *schema;   /* "istio-apply" */
	const char *nothing;  /* what to say when nothing is to be done */
	const char *question; /* "apply" */
	const char *wait;     /* value of --wait; NULL when not given */
	bool expects;	      /* show what the configuration asks for, and the store that was chosen */
	/* Not NULL: puts the "rehearsal" object, and nothing is changed. */
	int (*rehearse)(void *arg, struct out *o, struct err *e);
	void *arg;
};

/**
 * istio_change_do() - show a change and, unless it is a dry run, ask and carry it out
 * @s:		session
 * @job:	job
 * @c:		change
 * @deed:	words
 * @o:		sink
 * @e:		error; ERR_UNCONFIRMED when the answer is no
 *
 * Return: 0, or -1
 */
int istio_change_do(struct session *s, const struct istio_job *job, const struct istio_change *c,
		    const struct istio_deed *deed, struct out *o, struct err *e);

/* istio_change_note_lock() - where legacy tables are to change and somebody has their lock: who, before it is waited for */
void istio_change_note_lock(const struct istio_change *c, unsigned wait, struct out *o);

/**
 * istio_flush_plan() - make the plan of a job whose rules are to be removed, whatever they were made for
 * @job:	job that was begun
 * @rs, @nv:	rules, routes and addresses of the target
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_flush_plan(struct istio_job *job, const struct ruleset *rs, const struct netview *nv, struct err *e);

#endif
