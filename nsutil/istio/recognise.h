/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recognise - settings that can be told from the rules alone */
#ifndef NSUTIL_ISTIO_RECOGNISE_H
#define NSUTIL_ISTIO_RECOGNISE_H

#include "nsutil/istio/config.h"
#include "nsutil/ruleset/model.h"

/**
 * istio_recognise_mode() - what kind of rules these are: TPROXY, DNS capture, drop-invalid, the CNI's defaults
 * @c:		configuration, not yet resolved; only settings that nobody typed are changed, and each
 *		change is noted
 * @rs:		ruleset
 * @e:		error
 *
 * Only what whole chains or a whole list of Istio's own say is taken: a single rule more or less must stay
 * a difference.
 *
 * Return: 0, or -1
 */
int istio_recognise_mode(struct istio_config *c, const struct ruleset *rs, struct err *e);

/**
 * istio_recognise_shared() - what decides about Istio's rules in built-in chains: mode, mark, interfaces
 * @c, @rs, @e:	as above; nothing is noted
 *
 * An excluded interface is told by Istio's shape: "-o NIC -j RETURN" directly above the jump of
 * nat OUTPUT and "-i NIC -j RETURN" likewise in PREROUTING. For removing only.
 *
 * Return: 0, or -1
 */
int istio_recognise_shared(struct istio_config *c, const struct ruleset *rs, struct err *e);

#endif
