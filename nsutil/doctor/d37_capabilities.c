/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d37_capabilities - a capability is missing: to istio-init, or to cnish itself */
#include <linux/capability.h>
#include <stdio.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/proc.h"

static const struct {
	unsigned cap;
	const char *name, *blocks;
} caps[] = {
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "reading rules" },
	{ CAP_NET_RAW, "CAP_NET_RAW", "reading legacy rules" },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "entering another namespace" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "seeing other users' processes" },
};

static void told_by_log(struct doctor *d)
{
	const struct ruleset *rs = facts_rules(d);
	const struct log_hit *hit = log_hit(facts_log(d), LOG_NOT_ROOT);
	struct doctor_finding *f;
	char where[400];

	if (!hit || (rs && chains_stores(rs, 0, "Istio")))
		return;
	f = doctor_find(d, "istio-init was not allowed to write its rules: it ran without root or without NET_ADMIN");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	doctor_fix(d, f, "give istio-init NET_ADMIN and NET_RAW and user 0 (pod security, securityContext), or use istio-cni");
}

/* What is missing counts only when something could not be seen for it. */
static void check(struct doctor *d)
{
	const struct ruleset *rs = facts_rules(d);
	struct doctor_finding *f;

	told_by_log(d);
	if (rs || d->facts.rules_why.code != ERR_PERM)
		return;
	f = doctor_find(d, "cnish itself may not read the rules here: %s", d->facts.rules_why.why);
	for (unsigned i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (!proc_has_cap(caps[i].cap))
			doctor_see(d, f, caps[i].name, "/proc/self/status", "missing: it is needed for %s", caps[i].blocks);
	doctor_see(d, f, "rules", "the kernel", "%s", d->facts.rules_why.what);
	doctor_fix(d, f, "kubectl debug --profile=netadmin -it POD --image=... (in the pod), or --profile=sysadmin node/NODE");
}

const struct doctor_entry doctor_d37 = {
	.id = "D37",
	.title = "not permitted: a capability is missing",
	.link = "https://github.com/istio/istio/issues/13577",
	.explain = "istio-init needs NET_ADMIN (and NET_RAW for legacy iptables) and user 0; pod security or a securityContext of\n"
		   "the pod may take them away. It is told by its log (\"Permission denied (you must be root)\").\n"
		   "cnish needs NET_ADMIN to read rules and SYS_ADMIN to enter another namespace: what it lacks is named.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_BOTH,
	.check = check,
};
