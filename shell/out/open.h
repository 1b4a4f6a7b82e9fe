/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open - the shell's side of the output sink: opening, closing, failures; not for commands */
#ifndef SHELL_OUT_OPEN_H
#define SHELL_OUT_OPEN_H

#include <stdbool.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "shell/out/out.h"

struct out_config {
	enum out_format format;
	int fd;			/* where the output goes; not closed by the sink */
	struct buf *memory;	/* instead of 'fd', when not NULL: text is appended here */
	int note_fd;		/* where notes go when they do not belong among the text; -1: nowhere */
	bool notes_inline;	/* a terminal: notes stand among the text */
	bool color;
	bool rich;		/* the colours of the 256-colour palette, which themes leave alone */
	bool plain;		/* one fact a line: no tables */
	bool in_place;		/* a terminal that can be drawn on anywhere, with a person in front of it */
	unsigned width;		/* columns; 0: unlimited */
	unsigned page_rows;	/* rows of the terminal when a pager may be started; 0: no pager */
	int (*pager)(void *arg); /* starts the pager: descriptor to write to, or -1: none to be had */
	void *pager_arg;
};

/**
 * out_open() - make a sink
 * @c:		what it should be; copied
 *
 * Return: the sink, to be given back with out_close(); NULL when memory ran out
 */
struct out *out_open(const struct out_config *c);

/**
 * out_flush() - write out what is complete: text up to now, JSON up to now
 * @o:		sink
 */
void out_flush(struct out *o);

/**
 * out_fail() - tell of a failed command in a structured sink
 * @o:		sink
 * @e:		the failure
 *
 * Writes {"error":{...}} in place of whatever the command had begun; when part of that is
 * already written out, the open levels are closed and "error" becomes a key of the top object,
 * so the output stays JSON. Text sinks do nothing: the shell prints the line on standard error.
 */
void out_fail(struct out *o, const struct err *e);

/* out_empty() - nothing was written yet, not even to the buffer */
bool out_empty(const struct out *o);

/* out_broken() - the reader is gone or a write failed: more output is in vain */
bool out_broken(const struct out *o);

/**
 * out_close() - write the rest and give the sink back
 * @o:		sink, or NULL
 *
 * Return: 0, or the errno of the first write that failed. A reader who left (EPIPE) is no failure.
 */
int out_close(struct out *o);

#endif
