/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d31_nft_too_old - an nft that crashes on sets which a newer one made */
#include <string.h>

#include "nsutil/doctor/check.h"
#include "nsutil/doctor/nfts.h"

/* Older ones than 1.0.6.1 do not stand descriptions of sets that 1.1 and newer write; than 1.0.1, those of 1.0.1. */
enum { STANDS_ALL = 1000601, WRITES_NEW = 1010000, STANDS_TYPEOF = 1000100 };

static bool crashes(const struct fact_nft *old, const struct fact_nft *new)
{
	long a = nftbin_number(old->bin.version), b = nftbin_number(new->bin.version);

	return a && b && ((a < STANDS_ALL && b >= WRITES_NEW) || (a < STANDS_TYPEOF && b >= STANDS_TYPEOF));
}

static const struct set *named_set(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct set *s = t->sets; s; s = s->next)
			if (!(s->flags & SET_ANONYMOUS))
				return s;
	return NULL;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	const struct set *set = rs ? named_set(rs) : NULL;
	const struct fact_nft *all = set ? facts_nfts(d) : NULL;
	struct doctor_finding *f;

	for (const struct fact_nft *old = all; old; old = old->next)
		for (const struct fact_nft *new = all; new; new = new->next) {
			if (!crashes(old, new))
				continue;
			f = doctor_find(d, "nft %s of the %s may crash on sets that nft %s of the %s makes", old->bin.version, old->where,
					new->bin.version, new->where);
			doctor_see(d, f, old->where, old->bin.path, "nft %s", old->bin.version);
			doctor_see(d, f, new->where, new->bin.path, "nft %s", new->bin.version);
			doctor_see(d, f, "named set", "nft list sets", "%s of table %s", set->name, set->table->name);
			doctor_fix(d, f, "update the older one: 1.0.6.1 and newer stand these sets; cnish reads them too");
			return;
		}
}

const struct doctor_entry doctor_d31 = {
	.id = "D31",
	.title = "an nft is too old for the sets",
	.link = "https://github.com/kubernetes/kubernetes/issues/136786",
	.explain = "nft keeps a description of each set with it. Versions before 1.0.6.1 end with a segmentation fault when they meet\n"
		   "what 1.1 and newer write there, those before 1.0.1 also with that of 1.0.1: a program that lists sets (kube-proxy)\n"
		   "then fails for ever.\n"
		   "It is told by named sets and the versions of nft of the node, the containers and kube-proxy (from their files).",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
