/* SPDX-License-Identifier: GPL-2.0-or-later */
/* still - does what a change was computed from still stand in nftables? */
#ifndef NSUTIL_ISTIO_STILL_H
#define NSUTIL_ISTIO_STILL_H

#include "nsutil/istio/change.h"

/**
 * istio_still() - compare the chains and tables that a change touches with what they were
 * @ns:		namespace
 * @c:		change
 * @ret_generation: of nftables now; set when all is the same
 * @e:		error
 *
 * Rules must be the same ones, by handle, in the same order. The filter table is not looked at once guardrails
 * of the change's own stand in it. A change goes on when only others' tables and chains moved.
 *
 * Return: 1 all is the same, 0 it is not, -1 error
 */
int istio_still(const struct netns *ns, const struct istio_change *c, uint32_t *ret_generation, struct err *e);

#endif
