/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict - what the programs that look for the right iptables would choose here */
#include "nsutil/doctor/verdict.h"

#include <string.h>

#include "nsutil/ruleset/mislead.h"

/* kubelet makes these in the mangle table of the store that it uses. */
static bool has_hint(const struct ruleset *rs, enum store store)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store == store && strcmp(t->name, "mangle") == 0 &&
		    (table_find_chain(t, "KUBE-IPTABLES-HINT") || table_find_chain(t, "KUBE-KUBELET-CANARY")))
			return true;
	return false;
}

static unsigned legacy_tables(const struct ruleset *rs)
{
	unsigned n = 0;

	for (const struct table *t = rs->tables; t; t = t->next)
		n += t->store == STORE_LEGACY;
	return n;
}

static void wrappers(const struct ruleset *rs, struct doctor_verdict *v)
{
	bool nft = has_hint(rs, STORE_COMPAT), legacy = has_hint(rs, STORE_LEGACY);

	v->store = !nft && legacy ? "legacy" : "compat";
	v->why = nft	  ? "kubelet's hint chains are in the nft mangle table"
		 : legacy ? "kubelet's hint chains are in the legacy mangle table"
			  : "there are no hint chains of kubelet, and nft is its default";
}

static void felix(struct doctor *d, const struct ruleset *rs, struct doctor_verdict *v)
{
	unsigned legacy = mislead_rules(rs, STORE_LEGACY), nft = mislead_rules(rs, STORE_COMPAT);

	v->store = legacy >= nft ? "legacy" : "compat";
	v->why = arena_printf(d->arena, "it counts %u legacy and %u nft rules%s", legacy, nft,
			      legacy == nft ? "; a tie goes to legacy" : "");
}

static void istio(struct doctor *d, const struct ruleset *rs, struct doctor_verdict *v)
{
	unsigned n = legacy_tables(rs);

	v->store = n ? "legacy" : "compat";
	v->why = n ? arena_printf(d->arena, "iptables-legacy-save shows %u table%s, empty ones too", n, n == 1 ? "" : "s")
		   : "iptables-legacy-save shows no table";
}

void verdict_all(struct doctor *d, struct doctor_verdict ret[DOCTOR_VERDICTS])
{
	static const char *const names[] = { "iptables-wrappers", "Felix", "Istio" };
	const struct ruleset *rs = facts_rules(d);

	for (unsigned i = 0; i < DOCTOR_VERDICTS; i++) {
		ret[i].detector = names[i];
		ret[i].store = "unknown";
		ret[i].why = "the rules could not be read";
	}
	if (!rs || rs->unread)
		return;
	wrappers(rs, &ret[VERDICT_WRAPPERS]);
	felix(d, rs, &ret[VERDICT_FELIX]);
	istio(d, rs, &ret[VERDICT_ISTIO]);
}

bool verdict_agree(const struct doctor_verdict v[DOCTOR_VERDICTS])
{
	for (unsigned i = 0; i < DOCTOR_VERDICTS; i++)
		if (strcmp(v[i].store, "unknown") == 0 || strcmp(v[i].store, v[0].store) != 0)
			return false;
	return true;
}
