/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d25_dns_since - older ambient pods have no DNS capture, newer ones have */
#include <stdio.h>

#include "nsutil/doctor/check.h"
#include "nsutil/doctor/scan.h"

enum { NAMED_MOST = 20 };

/* One without, older than one that has it: what the switch of the default leaves behind. */
static const struct scan_pod *newer(const struct scan *s, const struct scan_pod *old)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct scan_pod *p = &s->at[i];

		if (p->mesh.mode == MESH_AMBIENT && p->dns && p->started > old->started)
			return p;
	}
	return NULL;
}

static bool is_left(const struct scan *s, const struct scan_pod *p)
{
	return p->mesh.mode == MESH_AMBIENT && p->stores && !p->dns && p->started && newer(s, p);
}

static void check(struct doctor *d)
{
	const struct scan *s = facts_scan(d);
	struct doctor_finding *f = NULL;
	unsigned n = 0;

	if (!s) {
		doctor_unsure(d, "%s", d->facts.scan_why);
		return;
	}
	for (unsigned i = 0; i < s->n; i++)
		n += is_left(s, &s->at[i]);
	if (!n)
		return;
	f = doctor_find(d, "%u ambient pod%s no DNS capture, while newer ones have it", n, n == 1 ? " has" : "s have");
	for (unsigned i = 0, named = 0; i < s->n; i++) {
		if (!is_left(s, &s->at[i]) || named++ >= NAMED_MOST)
			continue;
		doctor_see(d, f, s->at[i].name ? s->at[i].name : "?", "rules of its namespace", "no redirect of UDP port 53; %s has one",
			   newer(s, &s->at[i])->name);
	}
	doctor_fix(d, f, "restart these pods, or istio-cni with reconcileIptablesOnStartup=true");
	doctor_fix(d, f, "unless they say so themselves: annotation ambient.istio.io/dns-capture: \"false\"");
}

const struct doctor_entry doctor_d25 = {
	.id = "D25",
	.title = "ambient: older pods have no DNS capture",
	.link = "https://github.com/istio/istio/releases/tag/1.25.0",
	.explain = "DNS capture became the default of ambient mode; pods that run since before keep their rules until they are\n"
		   "restarted or istio-cni reconciles them, so that a node holds both kinds.\n"
		   "It is told by 'doctor host', from the rules of all ambient pods of the node and the age of their processes.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_NODE,
	.check = check,
};
