/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d48_invalid - connection tracking calls more and more packets invalid */
#include <time.h>
#include <string.h>

#include "nsutil/doctor/check.h"
#include "nsutil/doctor/conntrack.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/base/buf.h"

static bool drops_invalid(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text = chains_text(r, &b);

	(void)arg;
	return (strstr(text, "INVALID") && strstr(text, "DROP")) || (strstr(text, "invalid") && strstr(text, "drop"));
}

static void check(struct doctor *d)
{
	const struct timespec pause = { .tv_nsec = 300000000 };
	const struct ruleset *rs;
	struct doctor_finding *f;
	unsigned long long before, after;

	if (d->opt->quick)
		return;
	before = conntrack_stat(d, "invalid");
	if (!before || facts_number(d, "sys/net/netfilter/nf_conntrack_tcp_be_liberal", 1) != 0)
		return;
	nanosleep(&pause, NULL);
	after = conntrack_stat(d, "invalid");
	rs = after > before ? doctor_rules(d) : NULL;
	if (!rs || chains_each(rs, drops_invalid, NULL))
		return;
	f = doctor_find(d, "connection tracking calls packets invalid (%llu in 0.3 s), and no rule drops them: addresses are not"
			   " translated back, and connections are reset", after - before);
	doctor_see(d, f, "invalid", "/proc/net/stat/nf_conntrack", "%llu, then %llu", before, after);
	doctor_see(d, f, "nf_conntrack_tcp_be_liberal", "/proc/sys/net/netfilter", "0");
	doctor_fix(d, f, "INVALID_DROP=true in Istio, or sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1 in the namespace");
}

const struct doctor_entry doctor_d48 = {
	.id = "D48",
	.title = "packets are invalid to connection tracking",
	.link = "https://github.com/kubernetes/kubernetes/issues/74839",
	.explain = "A packet that connection tracking cannot place is not translated back; the peer sees an address it does not\n"
		   "know and resets the connection. It is told by the counter that grows between two looks, while packets out of\n"
		   "the window are not allowed and no rule drops invalid ones.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
