/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d28_flushed - kube-proxy runs, and its rules are gone */
#include <linux/netfilter.h>
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

static bool is_led_to(const struct table *t, const char *chain)
{
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->base ? c->rules : NULL; r; r = r->next)
			if (chains_jump(r) && strcmp(chains_jump(r), chain) == 0)
				return true;
	return false;
}

/* Of kube-proxy: its native table, or KUBE-SERVICES of a nat table with a jump to it (also in IPVS mode). */
static bool in_place(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if ((t->store == STORE_NATIVE && strcmp(t->name, "kube-proxy") == 0 && t->chains) ||
		    (strcmp(t->name, "nat") == 0 && is_led_to(t, "KUBE-SERVICES")))
			return true;
	return false;
}

static void check_kube_proxy(struct doctor *d, const struct ruleset *rs)
{
	const struct fact_process *p = kube_proxy(d);
	bool some = chains_stores(rs, 0, "kube-proxy") != 0;
	struct doctor_finding *f;

	if (!p || in_place(rs))
		return;
	f = doctor_find(d, "kube-proxy runs, and %s: somebody flushed the rules (a reload of firewalld or nftables does)",
			some ? "no built-in chain of nat leads to its KUBE-SERVICES" : "there is not one chain of its");
	doctor_see(d, f, "process", "/proc", "kube-proxy, pid %d", (int)p->pid);
	doctor_see(d, f, "rules", "all stores", "%s", some ? "KUBE- chains, but no jump to KUBE-SERVICES" : "no KUBE- chain, no table kube-proxy");
	doctor_fix(d, f, "restart kube-proxy and the CNI plugin's agents; FlushAllOnReload=no in firewalld.conf");
}

/* portmap makes its jumps when a pod starts, and nobody makes them again. */
static void check_hostports(struct doctor *d, const struct table *t)
{
	const struct chain *c = table_find_chain(t, "CNI-HOSTPORT-DNAT");
	struct doctor_finding *f;

	if (!c || !c->n_rules || is_led_to(t, c->name))
		return;
	f = doctor_find(d, "nothing leads to CNI-HOSTPORT-DNAT in %s %s: hostPorts do not work; somebody flushed PREROUTING and OUTPUT",
			store_name(t->store), family_name(t->family));
	doctor_see(d, f, c->name, chains_save_command(t->store, t->family == NFPROTO_IPV6), "%u rules, no jump to it", c->n_rules);
	doctor_fix(d, f, "delete the pods that have hostPorts; FlushAllOnReload=no in firewalld.conf");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	if (!rs || rs->unread)
		return;
	check_kube_proxy(d, rs);
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store != STORE_NATIVE && strcmp(t->name, "nat") == 0)
			check_hostports(d, t);
}

const struct doctor_entry doctor_d28 = {
	.id = "D28",
	.title = "the rules of the node were flushed",
	.link = "https://github.com/rancher/rke2/issues/10469",
	.explain = "A reload of firewalld or nftables.service may flush all rules, also those of kube-proxy, of hostPorts and\n"
		   "of Istio's probes. It is told by a kube-proxy process without its table, or without a jump to its chain\n"
		   "KUBE-SERVICES in any store, or by chains of hostPorts to which nothing leads.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_NODE,
	.check = check,
};
