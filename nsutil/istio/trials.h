/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trials - the connections that matter to a pod of the mesh, and where they end */
#ifndef NSUTIL_ISTIO_TRIALS_H
#define NSUTIL_ISTIO_TRIALS_H

#include "nsutil/istio/config.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/base/buf.h"
#include "nsutil/live/scratch.h"
#include "nsutil/ruleset/netview.h"
#include "nsutil/trace/trace.h"

struct istio_trial {
	const char *name;	/* "application to a service" */
	const char *connection; /* as words for 'cnish trace' */
	const char *ends;	/* where it ends: set by istio_trials_run(); outcomes that depend on something unknown
				 * are joined by " or " */
	bool sent;		/* the kernel said so; else it was followed through the rules */
};

/**
 * istio_trials_make() - list the connections
 * @a:		arena of the result
 * @nv:		the pod's addresses and listeners: the application is the first listener that is not the proxy's
 * @c:		resolved configuration: ids and ports of the proxy
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6; NFPROTO_UNSPEC: both
 * @ret:	set on success; of each family that the pod has an address of
 * @ret_n:	set on success
 *
 * Return: 0, or -1 when memory ran out
 */
int istio_trials_make(struct arena *a, const struct netview *nv, const struct istio_config *c, uint8_t family,
		      struct istio_trial **ret, unsigned *ret_n);

/**
 * istio_trials_run() - follow each through a ruleset
 * @a:		arena of the texts
 * @rs, @nv:	rules, and what else decides
 * @trials, @n:	connections; 'ends' of each is set
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_trials_run(struct arena *a, const struct ruleset *rs, const struct netview *nv, struct istio_trial *trials,
		     unsigned n, struct err *e);

/**
 * istio_trials_send() - send each through the kernel in a copy of the namespace
 * @a:		arena of the texts
 * @scratch:	the copy, as it is now; it is listened to meanwhile
 * @rs, @nv:	its rules and the rest, as they were read
 * @trials, @n:	connections; 'ends' of each is set, and 'sent' where the kernel told
 * @ret_why:	why some were not sent but followed through the rules; NULL when all were
 * @e:		error
 *
 * A connection from inside is made by a socket of its user and group, one from outside is a frame on the other end of
 * the link; where its first packet ends, the kernel's trace tells.
 *
 * Return: 0, or -1
 */
int istio_trials_send(struct arena *a, struct scratch *scratch, const struct ruleset *rs, const struct netview *nv,
		      struct istio_trial *trials, unsigned n, const char **ret_why, struct err *e);

/* istio_trial_outcome() - an outcome in words: "port 15001, redirected" */
void istio_trial_outcome(const struct trace_outcome *o, const struct trace_request *rq, struct buf *b);

#endif
