/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d10_probe_left - Istio's probe rule was left behind */
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

/* No packet has this protocol: nobody else asks for it. */
static bool asks_for_255(const char *text)
{
	return chains_number_after(text, "-p ") == 255 || chains_number_after(text, "protocol ") == 255 ||
	       chains_number_after(text, "l4proto ") == 255;
}

static bool is_probe(const struct rule *r, void *arg)
{
	const struct rule **found = arg;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!(r->comment && strstr(r->comment, "Istio no-op iptables capability probe")) && !asks_for_255(chains_text(r, &b)))
		return false;
	*found = r;
	return true;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	const struct rule *probe = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	if (!rs || !chains_each(rs, is_probe, &probe))
		return;
	f = doctor_find(d, "the rule that Istio tries iptables out with was left in %s %s", store_name(probe->chain->table->store),
			probe->chain->table->name);
	doctor_see(d, f, probe->chain->name, chains_save_command(probe->chain->table->store, false), "%s",
		   chains_text(probe, &b));
	doctor_fix(d, f, "it matches nothing; remove it with -D in its place of -A, and update Istio");
}

const struct doctor_entry doctor_d10 = {
	.id = "D10",
	.title = "Istio's probe rule was left behind",
	.link = "https://github.com/istio/istio/issues/56587",
	.explain = "Istio finds out whether an iptables works by writing a rule that matches nothing, and removes it again.\n"
		   "When it was ended in between, the rule stays. It does no harm, but tells that a set-up was interrupted.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_BOTH,
	.check = check,
};
