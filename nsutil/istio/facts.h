/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts - what Istio's configuration takes from the namespace and the pod's files */
#ifndef NSUTIL_ISTIO_FACTS_H
#define NSUTIL_ISTIO_FACTS_H

#include "nsutil/istio/config.h"
#include "nsutil/pod/target.h"

/**
 * istio_facts_read() - read the addresses and, when DNS capture needs it, resolv.conf
 * @a:		arena the facts live in
 * @t:		target; with a file as target nothing is known
 * @c:		configuration with all values set, not yet resolved
 * @ret:	set on success
 * @e:		error of reading the addresses; an unreadable resolv.conf is noted in the facts
 *
 * The pod's files are looked at through a living process of it, below its own root: a link in the pod
 * that points elsewhere stays inside, and only a regular file of bounded size is read.
 *
 * Return: 0, or -1
 */
int istio_facts_read(struct arena *a, const struct target *t, const struct istio_config *c,
		     struct istio_facts *ret, struct err *e);

/* istio_resolv_read() - of that, resolv.conf alone. Return: 0, or -1 (memory) */
int istio_resolv_read(struct arena *a, const struct target *t, struct istio_facts *f, struct err *e);

#endif
