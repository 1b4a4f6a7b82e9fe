/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d18_include_outbound - some outbound ports are included, and all the rest is captured as well */
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/intent.h"

static bool captures(const struct rule *r)
{
	const char *to = chains_jump(r);

	return to ? strcmp(to, "ISTIO_REDIRECT") == 0 || strcmp(to, "istio-redirect") == 0 : chains_port(r, NULL) == 15001;
}

static bool check_chain(struct doctor *d, const struct chain *c)
{
	const char *list = intent_annotation(d, "traffic.sidecar.istio.io/includeOutboundPorts");
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule *one = NULL, *all = NULL;
	struct doctor_finding *f;

	for (const struct rule *r = c->rules; r && !all; r = r->next) {
		const char *text = chains_text(r, &b);

		if (!captures(r))
			continue;
		if (!one && chains_dport(text))
			one = r;
		else if (one && chains_catches_all(text))
			all = r;
	}
	if (!all)
		return false;
	f = doctor_find(d, "outbound port %u is included by a rule of its own, but the rules behind it capture all ports anyway",
			chains_dport(chains_text(one, &b)));
	doctor_see(d, f, c->name, store_name(c->table->store), "rule %u: %s", one->index, chains_text(one, &b));
	doctor_see(d, f, c->name, store_name(c->table->store), "rule %u: %s", all->index, chains_text(all, &b));
	if (list)
		doctor_see(d, f, "includeOutboundPorts", "annotations of the pod", "%s", list);
	doctor_fix(d, f, "to capture these ports only: traffic.sidecar.istio.io/includeOutboundIPRanges: \"\" beside includeOutboundPorts");
	doctor_fix(d, f, "then delete the pod");
	return true;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (chains_named(c, "ISTIO_OUTPUT") && check_chain(d, c))
				return;
}

const struct doctor_entry doctor_d18 = {
	.id = "D18",
	.title = "included outbound ports do not leave the rest out",
	.link = "https://github.com/istio/istio/issues/32677",
	.explain = "includeOutboundPorts adds ports to what is captured; it takes nothing out. As long as includeOutboundIPRanges is\n"
		   "\"*\", everything is captured, and the list has no effect.\n"
		   "It is told by a rule for one port in ISTIO_OUTPUT and one that captures all behind it.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
