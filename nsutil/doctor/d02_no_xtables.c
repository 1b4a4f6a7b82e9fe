/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d02_no_xtables - legacy iptables is used on a kernel that was built without it */
#include "nsutil/doctor/legacy.h"

static void check_node(struct doctor *d)
{
	const struct fact_iptables *node = facts_iptables(d);
	struct doctor_finding *f;

	if (!node || node->found.variant != IPT_LEGACY || facts_table(d, false, "filter") != TABLE_IMPOSSIBLE)
		return;
	f = doctor_find(d, "the node's iptables is legacy, and this kernel has no legacy tables");
	doctor_see(d, f, "iptables of the node", node->found.path, "legacy %s", node->found.version);
	doctor_see(d, f, "module", "/lib/modules", "iptable_filter: %s",
		   facts_module_name(facts_module(d, "iptable_filter")));
	doctor_fix(d, f, "install iptables of the nf_tables kind (update-alternatives --set iptables /usr/sbin/iptables-nft)");
}

static void check(struct doctor *d)
{
	struct doctor_finding *f;
	struct legacy_want w;

	if (d->opt->host) {
		check_node(d);
		return;
	}
	if (!legacy_wanted(d, &w) || w.state != TABLE_IMPOSSIBLE)
		return;
	f = doctor_find(d, "istio-init could not write its rules: legacy iptables, and this kernel has no legacy %s table"
			   " at all", w.table);
	legacy_evidence(d, f, &w);
	doctor_fix_self(d, f, "istio apply --store compat");
	doctor_fix(d, f, "have Istio use nft for good: FORCE_IPTABLES_BINARY=iptables-nft, or an Istio that probes the nat table");
}

const struct doctor_entry doctor_d02 = {
	.id = "D02",
	.title = "the kernel has no legacy tables at all",
	.link = "https://github.com/rancher/rancher/issues/54862",
	.explain = "Kernels from 6.17, RHEL 10 and others are built without legacy iptables. What brings its own legacy\n"
		   "iptables in a container image fails there, and no module can be loaded to help.\n"
		   "It is told as D01 is, on a kernel whose modules do not name the table. On the node: its own iptables\n"
		   "is legacy.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_BOTH,
	.check = check,
};
