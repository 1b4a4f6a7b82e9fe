/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d11_chain_exists - istio-init was run a second time and stumbled over its own chains */
#include <stdio.h>

#include "nsutil/doctor/check.h"

static void check(struct doctor *d)
{
	const struct log *l = facts_log(d);
	const struct log_hit *hit = log_hit(l, LOG_CHAIN_EXISTS);
	struct doctor_finding *f;
	char where[400];

	if (!l && facts_mesh(d)->mode == MESH_SIDECAR)
		doctor_unsure(d, "%s", d->facts.log_why);
	if (!hit)
		return;
	f = doctor_find(d, "istio-init was run again in a namespace that has its chains already, and failed");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	doctor_fix(d, f, "delete the pod; do not prune stopped containers on the node, and update Istio (1.24 runs twice without harm)");
	doctor_fix_self(d, f, "istio verify");
}

const struct doctor_entry doctor_d11 = {
	.id = "D11",
	.title = "istio-init: Chain already exists",
	.link = "https://github.com/istio/istio/issues/42792",
	.explain = "The init container ran, was removed (docker system prune does it), and kubelet runs it again in the same\n"
		   "namespace. Before Istio 1.24 it fails then, and the pod does not start any more.\n"
		   "It is told by istio-init's log.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
