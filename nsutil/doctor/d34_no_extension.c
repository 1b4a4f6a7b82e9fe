/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d34_no_extension - a match or target that the rules need is not in the kernel */
#include <stdio.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/legacy.h"

static const char *const needed[] = { "xt_owner", "xt_REDIRECT", "xt_tcpudp", "xt_conntrack", "xt_multiport", NULL };

static void advise(struct doctor *d, struct doctor_finding *f)
{
	for (unsigned i = 0; needed[i]; i++) {
		enum module_state s = facts_module(d, needed[i]);

		if (s == MODULE_LOADED || s == MODULE_BUILTIN)
			continue;
		doctor_see(d, f, "module", "/proc/modules, /lib/modules", "%s: %s", needed[i], facts_module_name(s));
		if (s != MODULE_AVAILABLE)
			continue;
		doctor_mend_module(d, f, needed[i]);
		doctor_fix(d, f, "modprobe %s", needed[i]);
	}
	doctor_fix(d, f, "or use Istio's native nftables rules, which need none of them (NATIVE_NFTABLES=true)");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = facts_rules(d);
	const struct log_hit *hit = log_hit(facts_log(d), LOG_NO_EXTENSION);
	struct doctor_finding *f;
	char where[400], why[160];

	if (rs && chains_stores(rs, 0, "Istio"))
		return;
	if (hit) {
		f = doctor_find(d, "istio-init could not write its rules: the kernel lacks a match or target (%s)",
				hit->name ? hit->name : "the log does not name it");
		snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
		doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
		advise(d, f);
		return;
	}
	if (!rs || doctor_found(d, "D01") || doctor_found(d, "D02") || facts_module(d, "xt_owner") != MODULE_MISSING ||
	    !is_sidecar(d, why))
		return;
	f = doctor_find(d, "the pod is in the mesh without rules, and the kernel has no xt_owner, which iptables' rules need");
	doctor_see(d, f, "mesh", "/proc", "%s", why);
	advise(d, f);
}

const struct doctor_entry doctor_d34 = {
	.id = "D34",
	.title = "a match or target is missing in the kernel",
	.link = "https://github.com/telepresenceio/telepresence/issues/3966",
	.explain = "Istio's iptables rules need xt_owner, xt_REDIRECT and others as kernel modules, in either store. Minimal\n"
		   "kernels and sandboxes (gVisor) lack some; on others they are only not loaded.\n"
		   "It is told by istio-init's log (\"No chain/target/match by that name\", \"Extension owner ... not supported\"),\n"
		   "or by a sidecar without rules on a kernel that has no xt_owner.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
