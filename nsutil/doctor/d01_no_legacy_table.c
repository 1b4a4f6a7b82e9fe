/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d01_no_legacy_table - istio-init uses legacy iptables, and the kernel has not loaded the table for it */
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/legacy.h"

/* What Istio's rules need in the legacy store; those that are there as files are loaded. */
static const char *const modules[] = {
	"iptable_nat", "iptable_mangle", "iptable_filter", "iptable_raw", "ip6table_nat", "ip6table_mangle",
	"ip6table_filter", "ip6table_raw", "xt_REDIRECT", "xt_owner", "xt_tcpudp", "nf_nat", NULL,
};

static void advise(struct doctor *d, struct doctor_finding *f, const struct legacy_want *w)
{
	bool any = false;

	for (unsigned i = 0; modules[i]; i++)
		if (facts_module(d, modules[i]) == MODULE_AVAILABLE) {
			doctor_mend_module(d, f, modules[i]);
			any = true;
		}
	doctor_fix(d, f, "modprobe %s_%s", w->v6 ? "ip6table" : "iptable", w->table);
	doctor_fix(d, f, "to keep it: the names of the modules in /etc/modules-load.d/istio-iptables.conf");
	doctor_fix_self(d, f, any ? "doctor --fix" : "istio apply");
	doctor_fix(d, f, "or have Istio use nft: FORCE_IPTABLES_BINARY=iptables-nft, or an Istio that probes the nat table");
}

/* The log tells of the past: since then somebody has loaded the module, or it is of another node. */
static void by_now(struct doctor *d, const struct legacy_want *w)
{
	struct doctor_finding *f;

	f = doctor_find(d, "istio-init could not write its rules: legacy iptables had no %s table; this kernel can have it now, but the rules"
			   " are still missing", w->table);
	legacy_evidence(d, f, w);
	f->mend = DOCTOR_MEND_RULES;
	doctor_fix(d, f, "delete the pod, so that istio-init runs again");
	doctor_fix_self(d, f, "istio apply");
	doctor_fix(d, f, "keep the modules at boot: their names in /etc/modules-load.d/istio-iptables.conf");
}

static void check(struct doctor *d)
{
	struct doctor_finding *f;
	struct legacy_want w;

	if (!legacy_wanted(d, &w) || w.state == TABLE_IMPOSSIBLE || strcmp(w.table, "raw") == 0) /* D02, D24 */
		return;
	if (w.state == TABLE_THERE || w.state == TABLE_POSSIBLE) {
		by_now(d, &w);
		return;
	}
	f = doctor_find(d, "istio-init could not write its rules: legacy iptables, but the kernel has no %s table for"
			   " it (%s_%s is not loaded)",
			w.table, w.v6 ? "ip6table" : "iptable", w.table);
	legacy_evidence(d, f, &w);
	advise(d, f, &w);
}

const struct doctor_entry doctor_d01 = {
	.id = "D01",
	.title = "istio-init: unable to initialize table 'nat'",
	.link = "https://github.com/istio/istio/issues/28897",
	.explain = "istio-init's image holds legacy iptables, whose tables are kernel modules (iptable_nat ...). On a node\n"
		   "that uses nf_tables nobody loads them, a container may not, and so istio-init writes no rule: the pod's\n"
		   "traffic flows past the proxy, or the pod does not start.\n"
		   "It is told by istio-init's log (--log FILE, or /var/log/pods), or by a sidecar without rules whose image\n"
		   "has legacy iptables; and by the modules of the node. Silent once Istio's rules are in place.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
