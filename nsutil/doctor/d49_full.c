/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d49_full - the connection tracking table is full or nearly so */
#include <time.h>

#include "nsutil/doctor/check.h"
#include "nsutil/doctor/conntrack.h"
#include "nsutil/netns/conns.h"

static void count_entries(struct doctor *d, long long *count, long long *max)
{
	uint32_t n, most;

	if (conns_count(&d->t->netns, &n, &most, NULL) == 0 && most) {
		*count = n;
		*max = most;
		return;
	}
	*count = facts_number(d, "sys/net/netfilter/nf_conntrack_count", -1);
	*max = *count > 0 ? facts_number(d, "sys/net/netfilter/nf_conntrack_max", -1) : -1;
}

static void check(struct doctor *d)
{
	struct doctor_finding *f;
	long long count, max;

	count_entries(d, &count, &max);
	if (max <= 0 || count * 10 <= max * 9)
		return;
	f = doctor_find(d, "the connection tracking table is %lld%% full: new connections are dropped when it has no room",
			count * 100 / max);
	doctor_see(d, f, "nf_conntrack_count", "/proc/sys/net/netfilter", "%lld", count);
	doctor_see(d, f, "nf_conntrack_max", "/proc/sys/net/netfilter", "%lld", max);
	doctor_see(d, f, "drop", "/proc/net/stat/nf_conntrack", "%llu packets dropped so far", conntrack_stat(d, "drop"));
	doctor_see(d, f, "insert_failed", "/proc/net/stat/nf_conntrack", "%llu entries not made so far", conntrack_stat(d, "insert_failed"));
	doctor_fix(d, f, "sysctl -w net.netfilter.nf_conntrack_max=%lld on the node", max * 2);
	doctor_fix_self(d, f, "conns");
}

const struct doctor_entry doctor_d49 = {
	.id = "D49",
	.title = "the connection tracking table is full",
	.link = "https://github.com/kubernetes/kubernetes/issues/71261",
	.explain = "Each redirected connection needs an entry. When the table is full, new connections are dropped.\n"
		   "It is told by the namespace's count and the kernel's limit: more than 90 %.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
