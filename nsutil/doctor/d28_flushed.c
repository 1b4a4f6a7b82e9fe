/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d28_flushed - kube-proxy runs, and its rules are gone */
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

static const struct fact_process *kube_proxy(struct doctor *d)
{
	for (const struct fact_process *p = facts_processes(d); p; p = p->next)
		if (strcmp(p->comm, "kube-proxy") == 0)
			return p;
	return NULL;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	const struct fact_process *p = rs ? kube_proxy(d) : NULL;
	struct doctor_finding *f;

	if (!p || rs->unread || chains_stores(rs, 0, "kube-proxy"))
		return;
	f = doctor_find(d, "kube-proxy runs, and there is not one chain of its: somebody flushed the rules (a reload of firewalld or"
			   " nftables does)");
	doctor_see(d, f, "process", "/proc", "kube-proxy, pid %d", (int)p->pid);
	doctor_see(d, f, "rules", "all stores", "no KUBE- chain, no table kube-proxy");
	doctor_fix(d, f, "restart kube-proxy and the CNI plugin's agents; FlushAllOnReload=no in firewalld.conf");
}

const struct doctor_entry doctor_d28 = {
	.id = "D28",
	.title = "the rules of the node were flushed",
	.link = "https://github.com/rancher/rke2/issues/10469",
	.explain = "A reload of firewalld or nftables.service may flush all rules, also those of kube-proxy, of hostPorts and\n"
		   "of Istio's probes. It is told by a kube-proxy process without a chain in any store.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_NODE,
	.check = check,
};
