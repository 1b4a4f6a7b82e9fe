/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recognise - settings that can be told from the rules alone */
#ifndef NSUTIL_ISTIO_RECOGNISE_H
#define NSUTIL_ISTIO_RECOGNISE_H

#include "nsutil/istio/config.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

/**
 * istio_recognise() - tell mode, version and settings from the rules
 * @c:		configuration, not yet resolved; only settings that nobody typed are changed, and what
 *		differs from the preset is noted; c->known helps where interfaces' rules look like anybody's
 * @rs:		ruleset
 * @nv:		routing rules, which alone tell TPROXY's table; NULL: not known
 * @e:		error
 *
 * A rule that is there, in the place where Istio puts it, is evidence of a setting. One that is missing
 * is not, where the setting's default has it: it must stay a difference. So what is read is completed to
 * what an installer passes where a single rule lacks; and where IPv4 and IPv6 do not agree, the default
 * wins. The version is the newest whose rules differ least from what is there: 'versions' is set to all
 * of them. Where nothing of Istio's is found, nothing is changed.
 *
 * Return: 0, or -1
 */
int istio_recognise(struct istio_config *c, const struct ruleset *rs, const struct netview *nv, struct err *e);

/**
 * istio_recognise_store() - what the rules of one store say by themselves, whatever is wanted now
 * @a:		arena of the result
 * @rs:		ruleset
 * @store:	store; of the native one the sidecar's tables
 * @known:	what a record says of interfaces; may be NULL
 * @ret:	set: a resolved configuration; NULL when the store has nothing of Istio's, or nothing that makes sense
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_recognise_store(struct arena *a, const struct ruleset *rs, enum store store,
			  const struct istio_known *known, struct istio_config **ret, struct err *e);

#endif
