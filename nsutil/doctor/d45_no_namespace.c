/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d45_no_namespace - a running pod whose network namespace cannot be found */
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/check.h"
#include "nsutil/doctor/scan.h"

enum { NAMED_MOST = 20 };

static bool is_lost(const struct pod *p)
{
	bool alive = p->state && (strcmp(p->state, "ready") == 0 || strcmp(p->state, "running") == 0);

	return alive && !p->host_network && !p->netns_inode;
}

static void check(struct doctor *d)
{
	const struct scan *s = facts_scan(d);
	struct doctor_finding *f = NULL;
	unsigned n = 0, named = 0;

	if (!s) {
		doctor_unsure(d, "%s", d->facts.scan_why);
		return;
	}
	for (const struct pod *p = s->pods->pods; p; p = p->next)
		n += is_lost(p);
	if (!n)
		return;
	f = doctor_find(d, "the network namespace of %u running pod%s was not found", n, n == 1 ? "" : "s");
	for (const struct pod *p = s->pods->pods; p; p = p->next) {
		char name[300];

		if (!is_lost(p) || named++ >= NAMED_MOST)
			continue;
		snprintf(name, sizeof(name), "%.120s/%.160s", p->k8s_namespace ? p->k8s_namespace : "", p->name ? p->name : "?");
		doctor_see(d, f, name, p->runtime ? p->runtime : "runtime", "process %d, namespace %s", (int)p->pid,
			   p->netns_path ? p->netns_path : "not told");
	}
	doctor_fix(d, f, "nsenter from the node, or run cnish with the node's /run and /proc in view (--host-root, hostPID)");
	doctor_fix(d, f, "CRI-O: drop_infra_ctr = false keeps a process in each pod's namespace");
}

const struct doctor_entry doctor_d45 = {
	.id = "D45",
	.title = "a pod's network namespace is not found",
	.link = "https://github.com/istio/istio/issues/60478",
	.explain = "CRI-O runs no pause process (drop_infra_ctr): the namespace is kept by a mount only, and who looks for a process\n"
		   "finds none. cnish asks the runtime, looks at processes and at all mounts below /run/netns.\n"
		   "It is told by a running pod for which none of these leads to a namespace.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_NODE,
	.check = check,
};
