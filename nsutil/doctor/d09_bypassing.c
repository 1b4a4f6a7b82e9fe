/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d09_bypassing - pods of the node that are marked for the mesh and go past it */
#include <stdio.h>

#include "nsutil/doctor/check.h"
#include "nsutil/doctor/scan.h"

enum { NAMED_MOST = 20 };

static void see(struct doctor *d, struct doctor_finding *f, const struct scan_pod *p)
{
	const char *ns = p->pod && p->pod->k8s_namespace ? p->pod->k8s_namespace : NULL;
	const struct doctor_finding *why = p->report.findings;
	char name[300];

	snprintf(name, sizeof(name), "%.120s%s%.160s", ns ? ns : "netns:", ns ? "/" : "", p->name ? p->name : "?");
	doctor_see(d, f, name, "its network namespace", "%s: %s", why ? why->entry->id : "no rules", why ? why->cause : p->mesh.reason);
}

static void check(struct doctor *d)
{
	const struct scan *s = facts_scan(d);
	struct doctor_finding *f = NULL;
	unsigned n = 0, unknown = 0;

	if (!s) {
		doctor_unsure(d, "%s", d->facts.scan_why);
		return;
	}
	for (unsigned i = 0; i < s->n; i++) {
		n += s->at[i].capture == SCAN_NONE;
		unknown += s->at[i].why.code != ERR_NONE;
	}
	if (n)
		f = doctor_find(d, "%u pod%s of this node %s in the mesh, and none of %s traffic is captured", n, n == 1 ? "" : "s",
				n == 1 ? "is" : "are", n == 1 ? "its" : "their");
	for (unsigned i = 0, named = 0; f && i < s->n; i++)
		if (s->at[i].capture == SCAN_NONE && named++ < NAMED_MOST)
			see(d, f, &s->at[i]);
	if (f && n > NAMED_MOST)
		doctor_see(d, f, "and", "cnish scan", "%u more", n - NAMED_MOST);
	if (f) {
		doctor_fix(d, f, "cnish scan -o wide");
		doctor_fix(d, f, "delete these pods, so that they are set up anew; look at istio-cni-node of this node first");
	}
	if (unknown)
		doctor_unsure(d, "%u namespaces could not be looked at (cnish scan -o wide says why)", unknown);
}

const struct doctor_entry doctor_d09 = {
	.id = "D09",
	.title = "pods of the node go past the mesh",
	.link = "https://github.com/istio/istio.io/pull/16749",
	.explain = "Istio's control plane sees which pods are marked for the mesh, and nobody sees which of them have no rules.\n"
		   "'doctor host' looks into every pod's namespace as 'scan' does, and names the pods that are in the mesh\n"
		   "(D08, D01 and others say why for each) while nothing of their traffic is captured.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_NODE,
	.check = check,
};
