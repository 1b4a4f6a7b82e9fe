/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted - a plan made ready for a quick look at the rules of many namespaces */
#ifndef NSUTIL_ISTIO_WANTED_H
#define NSUTIL_ISTIO_WANTED_H

#include "nsutil/istio/layout.h"

struct istio_wanted {
	struct istio_layout at[2][2]; /* by family (IPv4, IPv6) and store (legacy, compat) */
};

/**
 * istio_wanted_make() - parse what a plan wants
 * @a:		arena of the result
 * @p:		plan for iptables; must outlive the result
 * @ret:	set on success, to be given back with istio_wanted_free()
 *
 * Return: 0, or -1: out of memory, or a rule that cannot be made
 */
int istio_wanted_make(struct arena *a, const struct istio_plan *p, struct istio_wanted *ret);
void istio_wanted_free(struct istio_wanted *w);

/**
 * istio_wanted_holds() - all is as planned: istio_verify() with this plan and no view of the routes finds nothing
 * @w:		what is wanted
 * @rs:		ruleset that was read
 *
 * Return: false also when memory ran out, when Istio's rules stand in two stores, or when a rule of a shared chain
 * may be Istio's by another plan
 */
bool istio_wanted_holds(const struct istio_wanted *w, const struct ruleset *rs);

#endif
