/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d05_istio_twice - Istio's rules are in more than one store */
#include <linux/netfilter.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

static void check_family(struct doctor *d, const struct ruleset *rs, uint8_t family)
{
	unsigned stores = chains_stores(rs, family, "Istio");
	struct doctor_finding *f;
	char names[40];

	if (!(stores & (stores - 1)))
		return;
	f = doctor_find(d, "Istio's rules for %s are in the %s stores at once; packets pass all of them, the one that was"
			   " made last first", family == NFPROTO_IPV4 ? "IPv4" : "IPv6", chains_store_names(stores, names));
	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (stores & (1U << s))
			doctor_see(d, f, store_name((enum store)s), chains_save_command((enum store)s, family == NFPROTO_IPV6),
				   "%u chains of Istio's", chains_count(rs, (enum store)s, family, "Istio"));
	if (!(stores & 1U << STORE_NATIVE))
		f->mend = DOCTOR_MEND_RULES;
	doctor_fix_self(d, f, "istio verify");
	doctor_fix_self(d, f, stores & 1U << STORE_NATIVE ? "istio flush --store compat,legacy" : "istio apply");
	doctor_fix(d, f, "pin the kind that istio-cni uses: FORCE_IPTABLES_BINARY");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	if (!rs)
		return;
	check_family(d, rs, NFPROTO_IPV4);
	check_family(d, rs, NFPROTO_IPV6);
}

const struct doctor_entry doctor_d05 = {
	.id = "D05",
	.title = "Istio's rules are in two stores",
	.link = "https://github.com/istio/istio/issues/61019",
	.explain = "istio-cni looks for the right iptables each time it starts. When it comes to another answer than before,\n"
		   "it writes a second set of rules; the first one stays, and its updates go past it.\n"
		   "It is told by Istio's chains in more than one of legacy, compat and native for one family.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_BOTH,
	.check = check,
};
