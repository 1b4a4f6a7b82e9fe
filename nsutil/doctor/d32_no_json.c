/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d32_no_json - an nft that cannot speak JSON, for a program that needs it to */
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/nfts.h"

static bool needs_json(struct doctor *d, const struct fact_nft *n, const char **ret_who)
{
	const struct ruleset *rs = facts_rules(d);

	if (strncmp(n->where, "process kube-proxy", 18) == 0 && rs && chains_stores(rs, 0, "kube-proxy") == 1U << STORE_NATIVE)
		*ret_who = "kube-proxy in nftables mode";
	else if (strncmp(n->where, "container istio-", 16) == 0 && rs && chains_stores(rs, 0, "Istio") & 1U << STORE_NATIVE)
		*ret_who = "Istio's native nftables rules";
	else
		return false;
	return true;
}

static void told_by_log(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_NO_JSON);
	struct doctor_finding *f;
	char where[400];

	if (!hit)
		return;
	f = doctor_find(d, "the nft that was used cannot speak JSON: the program that asked it fails again and again");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "log", where, "%s", hit->text);
	doctor_fix(d, f, "use an image whose nft is built with JSON (linked with libjansson)");
}

static void check(struct doctor *d)
{
	struct doctor_finding *f;
	const char *who;

	told_by_log(d);
	for (const struct fact_nft *n = facts_nfts(d); n; n = n->next) {
		if (!n->bin.json_known || n->bin.json || !needs_json(d, n, &who))
			continue;
		f = doctor_find(d, "nft of the %s cannot speak JSON, which %s needs", n->where, who);
		doctor_see(d, f, n->where, n->bin.path, "nft %s, without libjansson", n->bin.version);
		doctor_fix(d, f, "use an image whose nft is built with JSON (linked with libjansson)");
		return;
	}
}

const struct doctor_entry doctor_d32 = {
	.id = "D32",
	.title = "nft: JSON support not compiled-in",
	.link = "https://github.com/kubernetes/kubernetes/pull/140405",
	.explain = "Programs that use nft ask it for JSON. One that was built without the library for it answers with an error, and\n"
		   "the program tries again for ever. cnish itself runs no nft and needs none.\n"
		   "It is told by a log, or by the nft (its files) of a kube-proxy or proxy container that uses native rules.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_BOTH,
	.check = check,
};
