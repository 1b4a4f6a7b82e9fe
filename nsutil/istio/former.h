/* SPDX-License-Identifier: GPL-2.0-or-later */
/* former - rules of shared chains that Istio wrote for another configuration */
#ifndef NSUTIL_ISTIO_FORMER_H
#define NSUTIL_ISTIO_FORMER_H

#include "nsutil/istio/compare.h"

/**
 * istio_former_compare() - istio_compare_make() with what the store's own rules say they were made for
 * @a:		arena of the result
 * @rs:		ruleset that was read; must outlive the result
 * @store:	STORE_LEGACY or STORE_COMPAT
 * @l:		parsed layout of what is wanted; must outlive the result
 * @known:	what a record says of interfaces; may be NULL
 * @ret:	set on success
 * @e:		out of memory
 *
 * Rules for another mode, version or list than the wanted ones stand in PREROUTING and OUTPUT without a name of
 * Istio's in them. Those that the recognised configuration puts there are taken as Istio's, not as foreign.
 *
 * Return: 0, or -1
 */
int istio_former_compare(struct arena *a, const struct ruleset *rs, enum store store, const struct istio_layout *l,
			 const struct istio_known *known, struct istio_compare *ret, struct err *e);

/* istio_former_matters() - are there rules in shared chains besides, not Istio's as far as @c knows and without a
 * comment, that another configuration may explain? */
bool istio_former_matters(const struct ruleset *rs, const struct istio_compare *c);

#endif
