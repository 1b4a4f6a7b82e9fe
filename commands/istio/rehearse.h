/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rehearse - the change made in a copy of the namespace, and what becomes of the connections that matter */
#ifndef COMMANDS_ISTIO_REHEARSE_H
#define COMMANDS_ISTIO_REHEARSE_H

#include "commands/istio/change.h"
#include "nsutil/istio/trials.h"
#include "nsutil/live/scratch.h"

/**
 * istio_rehearse() - make the change in a scratch copy, and put the "rehearsal" object: connections before and after
 * @job:	job, planned
 * @rs:		rules of the target
 * @compute:	makes the change for a ruleset and routing: the same way as for the target
 * @arg:	passed on
 * @o:		sink
 * @e:		error; the change failed in the copy, so it would fail in the target
 *
 * The target is not changed.
 *
 * Return: 0, or -1
 */
int istio_rehearse(const struct istio_job *job, const struct ruleset *rs,
		   int (*compute)(void *arg, const struct ruleset *rs, const struct netview *nv, struct istio_change *ret,
				  struct err *e),
		   void *arg, struct out *o, struct err *e);

#endif
