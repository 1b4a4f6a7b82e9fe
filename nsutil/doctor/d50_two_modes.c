/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d50_two_modes - kube-proxy's rules of two modes */
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

static const struct table *native(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store == STORE_NATIVE && strcmp(t->name, "kube-proxy") == 0 && t->chains)
			return t;
	return NULL;
}

/* kubelet makes chains called KUBE- too, some of them the same as kube-proxy's; these are of Services. */
static bool is_of_service(const struct chain *c)
{
	return strcmp(c->name, "KUBE-SERVICES") == 0 || strncmp(c->name, "KUBE-SVC-", 9) == 0 || strncmp(c->name, "KUBE-SEP-", 9) == 0;
}

static unsigned stores_of_services(const struct ruleset *rs)
{
	unsigned stores = 0;

	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->store != STORE_NATIVE ? t->chains : NULL; c; c = c->next)
			if (is_of_service(c))
				stores |= 1U << t->store;
	return stores;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	const struct table *t = rs ? native(rs) : NULL;
	unsigned xt = t ? stores_of_services(rs) : 0;
	struct doctor_finding *f;
	char names[40];

	if (!xt)
		return;
	f = doctor_find(d, "kube-proxy's rules are in its nftables table and in iptables (%s) at once: a mode was changed without"
			   " cleaning up", chains_store_names(xt, names));
	doctor_see(d, f, "table", "nft list ruleset", "%s %s", family_name(t->family), t->name);
	doctor_see(d, f, "chains", names, "KUBE-SERVICES, KUBE-SVC-..., KUBE-SEP-...");
	doctor_fix(d, f, "kube-proxy --cleanup, or reboot the node");
}

const struct doctor_entry doctor_d50 = {
	.id = "D50",
	.title = "kube-proxy's rules of two modes",
	.link = "https://github.com/kubernetes/kubernetes/issues/102314",
	.explain = "After a change of kube-proxy's mode the rules of the former one stay until they are cleaned up or the node\n"
		   "is rebooted. It is told by Services' chains of iptables beside the nftables table kube-proxy.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
