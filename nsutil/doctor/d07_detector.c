/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d07_detector - the program that looks for the right iptables would take the wrong one here */
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/verdict.h"

static void see_all(struct doctor *d, struct doctor_finding *f, const struct doctor_verdict *v)
{
	for (unsigned i = 0; i < DOCTOR_VERDICTS; i++)
		doctor_see(d, f, v[i].detector, "replayed, nothing was run", "%s: %s", v[i].store, v[i].why);
}

/* Istio's rules are in one store, and Istio would write to the other when it comes again. */
static void check_pod(struct doctor *d, const struct ruleset *rs, const struct doctor_verdict *v)
{
	unsigned stores = chains_stores(rs, 0, "Istio");
	const char *chosen = v[VERDICT_ISTIO].store;
	struct doctor_finding *f;

	if (stores != 1U << STORE_LEGACY && stores != 1U << STORE_COMPAT)
		return;
	if (strcmp(chosen, stores == 1U << STORE_LEGACY ? "legacy" : "compat") == 0)
		return;
	f = doctor_find(d, "Istio's rules are in the %s store, but its detector would take %s when it comes again",
			stores == 1U << STORE_LEGACY ? "legacy" : "compat", chosen);
	see_all(d, f, v);
	doctor_fix(d, f, "pin it: FORCE_IPTABLES_BINARY=iptables-%s", stores == 1U << STORE_LEGACY ? "legacy" : "nft");
}

/* kubelet says by its hint which store is in use; Felix counts and comes to another answer. */
static void check_node(struct doctor *d, const struct ruleset *rs, const struct doctor_verdict *v)
{
	struct doctor_finding *f;

	if (strncmp(v[VERDICT_WRAPPERS].why, "kubelet", 7) != 0 || !chains_stores(rs, 0, "Calico") ||
	    strcmp(v[VERDICT_WRAPPERS].store, v[VERDICT_FELIX].store) == 0)
		return;
	f = doctor_find(d, "kubelet uses the %s store, but Felix would choose %s", v[VERDICT_WRAPPERS].store,
			v[VERDICT_FELIX].store);
	see_all(d, f, v);
	doctor_fix(d, f, "FELIX_IPTABLESBACKEND=%s in calico-node",
		   strcmp(v[VERDICT_WRAPPERS].store, "legacy") == 0 ? "Legacy" : "NFT");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	struct doctor_verdict v[DOCTOR_VERDICTS];

	if (!rs)
		return;
	verdict_all(d, v);
	if (d->opt->host)
		check_node(d, rs, v);
	else
		check_pod(d, rs, v);
}

const struct doctor_entry doctor_d07 = {
	.id = "D07",
	.title = "a detector would take the wrong iptables",
	.link = "https://github.com/projectcalico/calico/issues/3634",
	.explain = "iptables-wrappers (kube-proxy and others), Felix and Istio each look for the iptables in use, by different\n"
		   "rules: kubelet's hint chains; more rules, a tie going to legacy; any legacy table at all. On one node they\n"
		   "may disagree. 'doctor' always prints the three answers, replayed from what was read.\n"
		   "It is a finding when the answer of the program concerned is not where its rules are.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
