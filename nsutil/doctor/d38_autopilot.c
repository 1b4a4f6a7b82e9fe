/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d38_autopilot - a platform that lets no pod have NET_ADMIN */
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

/* GKE names the nodes of Autopilot gk3-CLUSTER-POOL-NUMBER. */
static const char *autopilot_node(struct doctor *d)
{
	const char *name = facts_host_file(d, "/etc/hostname");

	return name && strncmp(name, "gk3-", 4) == 0 ? arena_strndup(d->arena, name, strcspn(name, "\n")) : NULL;
}

static void check(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_AUTOPILOT);
	const char *name = doctor_found(d, "D37") ? autopilot_node(d) : NULL;
	struct doctor_finding *f;
	char where[400];

	if (!name && !hit)
		return;
	f = doctor_find(d, "%s GKE Autopilot, which lets no pod have NET_ADMIN", name ? "this is a node of" : "the pod was rejected by");
	if (name) {
		doctor_see(d, f, "name of the node", "/etc/hostname", "%s", name);
		doctor_see(d, f, "what was refused", "D37", "see there");
	}
	if (hit) {
		snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
		doctor_see(d, f, "log", where, "%s", hit->text);
	}
	doctor_fix(d, f, "use Google's managed service mesh, whose CNI plugin runs on the node, or create the cluster with"
			 " --workload-policies=allow-net-admin");
}

const struct doctor_entry doctor_d38 = {
	.id = "D38",
	.title = "the platform denies NET_ADMIN (GKE Autopilot)",
	.link = "https://github.com/istio/istio/issues/37150",
	.explain = "GKE Autopilot rejects or strips NET_ADMIN, so that istio-init cannot work there whatever its pod says, and neither\n"
		   "can a debugging container.\n"
		   "It is told by the node's name (gk3-...) when something was refused for want of a capability (D37), or by the words of\n"
		   "its admission (GKE Warden) in a log.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_BOTH,
	.check = check,
};
