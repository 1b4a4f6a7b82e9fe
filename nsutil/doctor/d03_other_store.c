/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d03_other_store - the node's iptables shows nothing of the rules: they are in the other store */
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/ruleset/mislead.h"

static void report(struct doctor *d, const struct ruleset *rs, const struct fact_iptables *node, const struct mislead *m)
{
	struct doctor_finding *f = doctor_find(d, "%s", m->text);
	enum store hidden = node->found.variant == IPT_LEGACY ? STORE_COMPAT : STORE_LEGACY;

	doctor_see(d, f, "iptables of the node", node->found.path, "%s %s", ipt_name(node->found.variant),
		   node->found.version);
	for (unsigned s = 0; s < STORE_COUNT; s++)
		doctor_see(d, f, "rules", store_name((enum store)s), "%u", mislead_rules(rs, (enum store)s));
	doctor_fix_self(d, f, "tables");
	doctor_fix(d, f, "or, inside the namespace: %s", chains_save_command(hidden, false));
}

static void check(struct doctor *d)
{
	const struct fact_iptables *node = facts_iptables(d);
	const struct ruleset *rs = doctor_rules(d);
	struct mislead_viewer v;
	struct mislead *list;
	char name[80];

	if (!rs || !node || (node->found.variant != IPT_LEGACY && node->found.variant != IPT_NFT))
		return;
	snprintf(name, sizeof(name), "`iptables` on this node (%s%s%.30s)", ipt_name(node->found.variant),
		 node->found.version[0] ? " " : "", node->found.version);
	v = (struct mislead_viewer){ name, node->found.variant == IPT_LEGACY ? STORE_LEGACY : STORE_COMPAT };
	if (mislead_find(d->arena, &v, rs, &list) < 0) {
		d->failed = true;
		return;
	}
	for (const struct mislead *m = list; m; m = m->next)
		if (strcmp(m->id, "legacy-hidden") == 0 || strcmp(m->id, "compat-hidden") == 0)
			report(d, rs, node, m);
}

const struct doctor_entry doctor_d03 = {
	.id = "D03",
	.title = "the node's iptables does not show the rules",
	.link = "https://github.com/canonical/microk8s/issues/2180",
	.explain = "A namespace has a legacy store and an nft one, and each kind of iptables shows only its own. Who looks\n"
		   "with the node's iptables into a pod whose image wrote the other kind sees an empty ruleset. The rules\n"
		   "work all the same; only the view is wrong.\n"
		   "It is told by which program the node's iptables is (by its file) and by the rules of both stores.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_BOTH,
	.check = check,
};
