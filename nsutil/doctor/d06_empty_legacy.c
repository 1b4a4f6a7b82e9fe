/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d06_empty_legacy - somebody's look has made empty legacy tables where nft is used */
#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/ruleset/mislead.h"

/* A table nobody has put anything in: no rule, no chain of a user's, policies accept. */
static bool is_empty(const struct table *t)
{
	for (const struct chain *c = t->chains; c; c = c->next)
		if (c->n_rules || !c->base || c->policy != VERDICT_ACCEPT)
			return false;
	return true;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf names = BUF_INIT;
	struct doctor_finding *f;
	unsigned n = 0;

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next) {
		if (t->store != STORE_LEGACY)
			continue;
		if (!is_empty(t))
			return;
		buf_fmt(&names, "%s%s %s", n++ ? ", " : "", family_name(t->family), t->name);
	}
	if (!n || !(mislead_rules(rs, STORE_COMPAT) + chains_stores(rs, 0, "Istio")))
		return;
	f = doctor_find(d, "there are %u empty legacy tables where the rules are nft's: somebody ran iptables-legacy here, which"
			   " makes detectors take legacy for the one in use", n);
	doctor_see(d, f, "legacy tables", "/proc/net/ip_tables_names, ip6_tables_names", "%s", buf_cstr(&names));
	doctor_see(d, f, "rules", "compat", "%u", mislead_rules(rs, STORE_COMPAT));
	doctor_fix(d, f, "they do no harm to packets, and go with the namespace only: restart the pod, or pin the kind with"
			 " FORCE_IPTABLES_BINARY");
}

const struct doctor_entry doctor_d06 = {
	.id = "D06",
	.title = "empty legacy tables beside nft rules",
	.link = "https://github.com/istio/istio/issues/61020",
	.explain = "Asking a legacy table for its rules makes it: iptables-legacy -t nat -S leaves an empty table behind, which\n"
		   "stays. Istio and others count the lines of iptables-legacy-save and take legacy from then on.\n"
		   "It is told by legacy tables that hold nothing at all while there are rules in nft.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_BOTH,
	.check = check,
};
