/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe - what the prompt tells of the target, found out by a child so that nobody waits for it */
#ifndef SHELL_PROBE_H
#define SHELL_PROBE_H

#include <stdbool.h>

#include "shell/state.h"

struct probe_facts {
	bool read;		/* the target could be looked at */
	char mesh[16];		/* "sidecar", "ambient", "none", "unknown" */
	int drift;		/* 1: Istio's rules are not as they should be; 0: they are; -1: not known */
	unsigned rules[3];	/* of each store */
	unsigned pods;		/* of this node */
	char pod[256];		/* one of them, in the mesh by its containers when there is such a one */
};

/**
 * probe_start() - begin to look at the current target, unless that is being done or was done just now
 * @s:		session
 * @again:	something may have changed: what was found is to be found out anew
 *
 * The child reads as a command does, changes nothing, and is ended after some seconds, and when we end.
 */
void probe_start(struct session *s, bool again);

/* probe_fd() - to be polled for reading: there is an answer. -1: nobody is looking */
int probe_fd(void);

/**
 * probe_take() - take the answer
 *
 * Return: whether it differs from what was known
 */
bool probe_take(void);

/* probe_wait() - wait for the answer, at most that long */
void probe_wait(int milliseconds);

/* probe_facts() - what is known of the target of this label; NULL: nothing */
const struct probe_facts *probe_facts(const char *label);

/* probe_stop() - nobody needs it any more */
void probe_stop(void);

#endif
