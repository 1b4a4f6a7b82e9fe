/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d04_stale_store - one program's rules are in two stores: the old copy still runs */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/ruleset/owner.h"

enum { NAMES_MAX = 12 };

static void add_name(struct buf *b, const char *name)
{
	size_t len = strcspn(name, "*");

	buf_fmt(b, "%s%.*s%s", b->len ? "|" : "", (int)len, name, name[len] ? "" : "( |$)");
}

/* For grep -E: the names of an owner's chains when they are few, else how such names begin. */
static const char *names(const struct ruleset *rs, enum store store, uint8_t family, const char *owner, struct buf *b)
{
	if (chains_count(rs, store, family, owner) > NAMES_MAX) {
		for (unsigned i = 0; owner_pattern(owner, i); i++)
			add_name(b, owner_pattern(owner, i));
		return buf_cstr(b);
	}
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->store == store && t->family == family ? t->chains : NULL; c; c = c->next)
			if (chains_of(c, owner))
				add_name(b, c->name);
	return buf_cstr(b);
}

/* A line goes when it declares, fills or leads to one of the chains; what else is in the tables stays. */
static void fix_command(struct doctor *d, struct doctor_finding *f, const struct ruleset *rs, enum store store, uint8_t family,
			const char *owner)
{
	const char *tool = family == NFPROTO_IPV6 ? "ip6tables" : "iptables", *kind = store == STORE_LEGACY ? "legacy" : "nft";
	_cleanup_buf_ struct buf b = BUF_INIT;

	doctor_fix(d, f, "%s-%s-save -c | grep -vE '(^:|-[Ajg] )(%s)' | %s-%s-restore -c", tool, kind,
		   names(rs, store, family, owner, &b), tool, kind);
}

static bool has_hint(const struct ruleset *rs, enum store store)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store == store && (table_find_chain(t, "KUBE-IPTABLES-HINT") || table_find_chain(t, "KUBE-KUBELET-CANARY")))
			return true;
	return false;
}

/* The store that no iptables here writes to, and of which kubelet does not say otherwise; STORE_COUNT: not sure. */
static enum store unused(struct doctor *d, const struct ruleset *rs)
{
	bool legacy = false, nft = false;
	enum store stale;

	for (const struct fact_iptables *i = facts_iptables(d); i; i = i->next) {
		legacy |= i->found.variant == IPT_LEGACY;
		nft |= i->found.variant == IPT_NFT;
	}
	if (legacy == nft)
		return STORE_COUNT;
	stale = nft ? STORE_LEGACY : STORE_COMPAT;
	return has_hint(rs, stale) && !has_hint(rs, nft ? STORE_COMPAT : STORE_LEGACY) ? STORE_COUNT : stale;
}

static void report(struct doctor *d, const struct ruleset *rs, uint8_t family, const char *owner)
{
	bool v6 = family == NFPROTO_IPV6;
	enum store stale = unused(d, rs);
	struct doctor_finding *f = doctor_find(d, "%s has chains in the legacy store and in the compat store; packets"
						  " pass both, and one of them is stale", owner);

	for (unsigned s = STORE_LEGACY; s <= STORE_COMPAT; s++)
		doctor_see(d, f, family_name(family), chains_save_command((enum store)s, v6), "%u chains of %s in %s",
			   chains_count(rs, (enum store)s, family, owner), owner, store_name((enum store)s));
	doctor_fix(d, f, "find out which store %s uses now; 'cnish diff --store' shows where they differ", owner);
	doctor_fix(d, f, "reboot the node, or remove its chains from the other one; the legacy copy, then the compat copy, by:");
	for (unsigned s = STORE_LEGACY; s <= STORE_COMPAT; s++)
		fix_command(d, f, rs, (enum store)s, family, owner);
	if (stale == STORE_COUNT)
		return;
	doctor_see(d, f, "iptables in use here", "programs by their files", "%s, so the copy in %s is the stale one",
		   stale == STORE_LEGACY ? "nf_tables" : "legacy", store_name(stale));
	doctor_fix_self(d, f, "doctor --fix");
	doctor_mend_stale(d, f, store_name(stale), owner);
}

/* Each owner once: at its first chain of the legacy store. */
static bool first_of(const struct table *table, const struct chain *chain, const char *owner)
{
	for (const struct chain *c = table->chains; c != chain; c = c->next)
		if (chains_of(c, owner))
			return false;
	return true;
}

static bool seen_before(const struct ruleset *rs, const struct table *table, const char *owner)
{
	for (const struct table *t = rs->tables; t != table; t = t->next)
		for (const struct chain *c = t->store == STORE_LEGACY && t->family == table->family ? t->chains : NULL; c;
		     c = c->next)
			if (chains_of(c, owner))
				return true;
	return false;
}

static void check_table(struct doctor *d, const struct ruleset *rs, const struct table *t)
{
	for (const struct chain *c = t->chains; c; c = c->next) {
		const char *owner = owner_chain(c);

		if (!owner || strncmp(owner, "Istio", 5) == 0 || !first_of(t, c, owner) || seen_before(rs, t, owner))
			continue;
		if (chains_count(rs, STORE_COMPAT, t->family, owner))
			report(d, rs, t->family, owner);
	}
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		if (t->store == STORE_LEGACY)
			check_table(d, rs, t);
}

const struct doctor_entry doctor_d04 = {
	.id = "D04",
	.title = "stale rules of the other iptables still run",
	.link = "https://github.com/kubernetes/kubernetes/issues/109811",
	.explain = "After an upgrade of the system or of an image, a program (kube-proxy, a CNI plugin, docker ...) writes to\n"
		   "the other store than before. The old rules stay and are evaluated as well, with old addresses.\n"
		   "It is told by chains of one program in both stores. Istio's own are D05. Where one kind of iptables is all that\n"
		   "node and containers have, the copy of the other kind is taken for the stale one, and --fix removes it.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
