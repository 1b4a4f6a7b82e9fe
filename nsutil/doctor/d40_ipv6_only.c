/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d40_ipv6_only - the pod has addresses of a family for which there are no rules at all */
#include <linux/netfilter.h>
#include <sys/socket.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/families.h"

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	unsigned have = rs ? families_of_addresses(d) : 0, rules = rs ? families_of_rules(rs) : 0;
	struct doctor_finding *f;

	if (!rules || !have || rules & have)
		return;
	f = doctor_find(d, "the pod has %s addresses only, and Istio's rules are for %s only: nothing is captured",
			have == FAMILY_V6 ? "IPv6" : "IPv4", rules == FAMILY_V6 ? "IPv6" : "IPv4");
	doctor_see(d, f, "addresses", "rtnetlink", "%s", have == FAMILY_V6 ? "IPv6" : "IPv4");
	doctor_see(d, f, "rules of Istio's", "all stores", "%s", rules == FAMILY_V6 ? "IPv6" : "IPv4");
	doctor_fix_self(d, f, "istio apply");
}

const struct doctor_entry doctor_d40 = {
	.id = "D40",
	.title = "rules for the wrong IP family",
	.link = "https://github.com/istio/istio/issues/19380",
	.explain = "In an IPv6-only cluster, or where the IPv6 tools failed, the rules may be there for the family that the pod\n"
		   "does not use. It is told by the addresses of the namespace and the families of Istio's chains.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
