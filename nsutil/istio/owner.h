/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner - takes another program's chains out of one store: its stale copy; pure */
#ifndef NSUTIL_ISTIO_OWNER_H
#define NSUTIL_ISTIO_OWNER_H

#include "nsutil/istio/change.h"

/**
 * istio_change_owner() - what takes the chains of one owner, and the rules that lead to them, out of one store
 * @a:		arena of the result
 * @rs:		ruleset of all stores; must outlive the result
 * @store:	STORE_LEGACY or STORE_COMPAT; the other one is not touched
 * @owner:	as owner_chain() names it ("kube-proxy")
 * @ret:	set on success, for istio_change_run(); to be given back with istio_change_free()
 * @e:		error; the store could not be read
 *
 * What else stands in the tables stays, with its counters and in its order.
 *
 * Return: 0, or -1
 */
int istio_change_owner(struct arena *a, const struct ruleset *rs, enum store store, const char *owner,
		       struct istio_change *ret, struct err *e);

#endif
