/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d52_log_nowhere - LOG and TRACE rules of a pod write nowhere */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/proc.h"

struct search {
	const struct rule *rule;
};

static bool is_log(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search *s = arg;
	const char *text = chains_text(r, &b);

	if (!strstr(text, "-j LOG") && !strstr(text, "-j TRACE") && !strstr(text, "log prefix"))
		return false;
	s->rule = r;
	return true;
}

/* Unless the switch is set, the kernel log takes lines of the first namespace only. */
static bool logs_all(struct doctor *d)
{
	_cleanup_free_ char *text = NULL;
	char path[4200];

	snprintf(path, sizeof(path), "%s/sys/net/netfilter/nf_log_all_netns", d->t->proc);
	return hostfs_read_at(-1, path, 64, &text) > 0 && text[0] == '1';
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search s = { NULL };
	struct doctor_finding *f;
	const char *logger;
	uint64_t first;

	if (!rs || !chains_each(rs, is_log, &s))
		return;
	logger = facts_proc(d, "sys/net/netfilter/nf_log/2");
	if (!logger || strncmp(logger, "nfnetlink_log", 13) == 0 || logs_all(d))
		return;
	if (proc_netns(d->t->proc, 1, &first) == 0 && first == d->t->netns.inode)
		return;
	f = doctor_find(d, "a rule logs or traces, but outside the node's own namespace the kernel log takes nothing");
	doctor_see(d, f, s.rule->chain->name, store_name(s.rule->chain->table->store), "rule %u: %s", s.rule->index,
		   chains_text(s.rule, &b));
	doctor_see(d, f, "logger", "/proc/sys/net/netfilter/nf_log/2", "%.*s", (int)strcspn(logger, "\n"), logger);
	doctor_fix(d, f, "use NFLOG, or sysctl net.netfilter.nf_log_all_netns=1 on the node");
	doctor_fix_self(d, f, "trace --live");
}

const struct doctor_entry doctor_d52 = {
	.id = "D52",
	.title = "LOG and TRACE of a pod go nowhere",
	.link = "https://github.com/moby/moby/issues/10540",
	.explain = "The kernel log takes netfilter's lines from the first network namespace only. In a pod, LOG and TRACE rules\n"
		   "count packets and print nothing. It is told by such a rule, the namespace's logger and nf_log_all_netns.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
