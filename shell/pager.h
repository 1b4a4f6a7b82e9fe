/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pager - programs that read what a command prints: the pager, and the right side of a '|' */
#ifndef SHELL_PAGER_H
#define SHELL_PAGER_H

#include <sys/types.h>

struct pager {
	pid_t pid;
	int fd;		/* what is written here, the program reads */
	const char *command; /* for pager_start(): goes before $PAGER; NULL or "": none */
};

#define PAGER_INIT { .pid = -1, .fd = -1 }

/**
 * pager_start() - start the pager that is preferred, $PAGER, else less -FRX; as a hook of the output sink
 * @arg:	a struct pager
 *
 * Return: descriptor to write to, or -1 when there is no pager (PAGER empty or "cat", no less)
 */
int pager_start(void *arg);

/* pager_shell() - start "/bin/sh -c COMMAND" as the reader. Return: 0, or -1 with errno set */
int pager_shell(struct pager *p, const char *command);

/* pager_stop() - no more to read; waits until the program ends. Does nothing when none was started */
void pager_stop(struct pager *p);

#endif
