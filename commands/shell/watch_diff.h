/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch_diff - what changed between two outputs of a command: lines that came and went, counters that moved */
#ifndef COMMANDS_SHELL_WATCH_DIFF_H
#define COMMANDS_SHELL_WATCH_DIFF_H

#include "commands/command.h"

struct watch_text {
	char *text;	/* lines ended by NUL */
	char **line;	/* into the text */
	size_t n;
	uint64_t *shape; /* hash of a line without its counters */
};

/* watch_split() - take a text apart; it belongs to @ret then, in any case. Return: 0, or -1 */
int watch_split(char *text, struct watch_text *ret, struct err *e);
void watch_free(struct watch_text *t);

/**
 * watch_match() - which line is which
 * @before, @now: two runs
 * @ret:	set on success: by line of @before the index of the same line in @now, or UINT32_MAX; to be freed
 * @e:		error
 *
 * Lines are the same when they differ in their counters only: words of digits that are no option's argument.
 *
 * Return: 0, or -1
 */
int watch_match(const struct watch_text *before, const struct watch_text *now, uint32_t **ret, struct err *e);

/**
 * watch_show() - the lines of a run, what changed marked, and behind each line what its counters gained in a second
 * @before:	the run before it; may be empty
 * @now:	the run
 * @match:	of watch_match()
 * @seconds:	between the two
 * @o:		output
 */
void watch_show(const struct watch_text *before, const struct watch_text *now, const uint32_t *match, double seconds,
		struct out *o);

#endif
