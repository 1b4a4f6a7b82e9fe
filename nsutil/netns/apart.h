/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apart - run a function in a process and a network namespace of its own, and take the bytes it gives */
#ifndef NSUTIL_NETNS_APART_H
#define NSUTIL_NETNS_APART_H

#include <stddef.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"

struct apart_limits {
	unsigned seconds; /* of time, and of the processor */
	size_t memory;	  /* bytes of address space more than the caller has */
	size_t answer;	  /* most bytes to take */
};

/**
 * apart_run() - run a function where it can touch nothing
 * @fn:		function, run in the child: it appends its answer and returns 0, or sets its error and returns -1
 * @arg:	passed on
 * @limits:	of the child
 * @ret:	the answer is appended
 * @e:		error: of @fn; or the child could not be made, took too long, or died
 *
 * The child is alone in an empty network namespace, has standard streams that lead nowhere, may write no file,
 * and of the rights of root keeps but that to change its own network. Without CAP_SYS_ADMIN the namespace
 * belongs to a user namespace of its own, where the kernel lets one be made. The child dies with the caller,
 * by SIGKILL too, and the namespace with it.
 *
 * Return: 0, or -1
 */
int apart_run(int (*fn)(void *arg, struct buf *answer, struct err *e), void *arg, const struct apart_limits *limits,
	      struct buf *ret, struct err *e);

#endif
