/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d40_ipv6_only - the pod has addresses of a family for which there are no rules at all */
#include <linux/netfilter.h>
#include <stdio.h>
#include <sys/socket.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/families.h"

/* The programs were started for a family that the kernel does not have. */
static void told_by_log(struct doctor *d, const struct ruleset *rs)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_NO_FAMILY);
	struct doctor_finding *f;
	char where[400];

	if (!hit || (rs && families_of_rules(rs)))
		return;
	f = doctor_find(d, "istio-init wanted rules for a family that this kernel does not have, and gave up");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	doctor_see(d, f, "disable_ipv6", "/proc/sys/net/ipv6/conf/all", "%lld",
		   facts_number(d, "sys/net/ipv6/conf/all/disable_ipv6", -1));
	doctor_fix(d, f, "switch dual stack off in Istio (ISTIO_DUAL_STACK=false), or IPv6 on in the kernel (ipv6.disable=0)");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	unsigned have = rs ? families_of_addresses(d) : 0, rules = rs ? families_of_rules(rs) : 0;
	struct doctor_finding *f;

	told_by_log(d, rs);
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
		   "does not use. It is told by the addresses of the namespace and the families of Istio's chains, or by\n"
		   "istio-init's log (\"Address family not supported\").",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
