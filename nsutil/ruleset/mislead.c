/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mislead - where one tool's view of the rules misleads about what the namespace really has */
#include "nsutil/ruleset/mislead.h"

#include <string.h>

#include "nsutil/ruleset/diff.h"
#include "nsutil/ruleset/owner.h"

struct counts {
	unsigned rules[STORE_COUNT];
	const char *owner;	     /* whose rules are counted below; NULL: no owner stands out */
	unsigned owned[STORE_COUNT];
	unsigned common, owned_common; /* legacy rules that compat has as well */
};

unsigned mislead_rules(const struct ruleset *rs, enum store store)
{
	unsigned n = 0;

	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->store == store ? t->chains : NULL; c; c = c->next)
			n += c->n_rules;
	return n;
}

static bool is(const char *whose, const char *owner)
{
	return whose && strcmp(whose, owner) == 0;
}

/* A rule belongs to the owner of its chain, or of the chain it leads to. */
static bool belongs(const struct rule *r, const char *owner)
{
	const char *whose = owner_chain(r->chain);

	return is(whose ? whose : owner_rule(r), owner);
}

static unsigned chain_owned(const struct chain *c, const char *owner)
{
	const char *whose = owner_chain(c);
	unsigned n = 0;

	if (whose)
		return is(whose, owner) ? c->n_rules : 0;
	for (const struct rule *r = c->rules; r; r = r->next)
		n += is(owner_rule(r), owner);
	return n;
}

static unsigned count_owned(const struct ruleset *rs, enum store store, const char *owner)
{
	unsigned n = 0;

	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->store == store ? t->chains : NULL; c; c = c->next)
			n += chain_owned(c, owner);
	return n;
}

/* The first owner found in the legacy store, else in compat: in a pod there is hardly another. */
static const char *main_owner(const struct ruleset *rs)
{
	for (unsigned s = STORE_LEGACY; s <= STORE_COMPAT; s++)
		for (const struct table *t = rs->tables; t; t = t->next)
			for (const struct chain *c = t->store == s ? t->chains : NULL; c; c = c->next)
				if (owner_chain(c))
					return owner_chain(c);
	return NULL;
}

static int compare(struct counts *n, const struct ruleset *rs)
{
	struct arena *scratch _cleanup_arena_ = arena_new();
	struct diff_side legacy = { rs, 1u << STORE_LEGACY }, compat = { rs, 1u << STORE_COMPAT };
	struct diff d;

	if (!scratch || diff_rulesets(scratch, &legacy, &compat, NULL, &d) != 0)
		return -1;
	n->common = d.same_rules + d.n_kind[DIFF_MOVED];
	n->owned_common = n->owned[STORE_LEGACY];
	for (const struct diff_entry *e = d.entries; e; e = e->next)
		if (n->owner && e->left && (e->kind == DIFF_MISSING || e->kind == DIFF_CHANGED) &&
		    belongs(e->left, n->owner))
			n->owned_common--;
	return 0;
}

static int tell(struct arena *a, struct mislead ***tail, const char *id, const char *text)
{
	struct mislead *m = arena_alloc(a, sizeof(*m));

	if (!m || !text)
		return -1;
	m->id = id;
	m->text = text;
	**tail = m;
	*tail = &m->next;
	return 0;
}

/* Who shows the compat store: the iptables at hand, or some other of that kind. */
static const char *compat_viewer(const struct mislead_viewer *v)
{
	return v->name && v->store == STORE_COMPAT ? v->name : "an iptables of the nf_tables kind";
}

static const char *legacy_viewer(const struct mislead_viewer *v)
{
	return v->name && v->store == STORE_LEGACY ? v->name : "an iptables of the legacy kind";
}

/* Both xt stores have rules. */
static int tell_both(struct arena *a, const struct mislead_viewer *v, const struct counts *n,
		     struct mislead ***tail)
{
	unsigned l = n->rules[STORE_LEGACY], c = n->rules[STORE_COMPAT], owned = n->owned[STORE_LEGACY];

	if (n->owner && owned && n->owned[STORE_COMPAT] && n->owned_common < owned)
		return tell(a, tail, "compat-stale",
			    arena_printf(a, "the %s rules are in the legacy store (%u); %s shows the compat store,"
					    " which is stale: it has %u of them",
					 n->owner, owned, compat_viewer(v), n->owned_common));
	if (n->owner && owned && !n->owned[STORE_COMPAT])
		return tell(a, tail, "legacy-hidden",
			    arena_printf(a, "the %s rules are in the legacy store (%u); %s shows the compat store,"
					    " which has none of them", n->owner, owned, compat_viewer(v)));
	if (n->common == l && n->common == c)
		return tell(a, tail, "both-stores",
			    arena_printf(a, "the same %u rules are in the legacy and in the compat store;"
					    " packets pass both", l));
	return tell(a, tail, "compat-differs",
		    arena_printf(a, "legacy holds %u rules and compat %u, of which %u are the same;"
				    " each kind of iptables shows only its own, packets pass both", l, c, n->common));
}

/* Rules in one of the two only: misleading for whoever looks with the other kind. */
static int tell_one(struct arena *a, const struct mislead_viewer *v, const struct counts *n, enum store s,
		    struct mislead ***tail)
{
	const char *what = n->owner && n->owned[s] == n->rules[s] ? n->owner : "";

	if (v->name && v->store == s)
		return 0;
	if (s == STORE_COMPAT && !v->name) /* what most nodes have and show today */
		return 0;
	return tell(a, tail, s == STORE_LEGACY ? "legacy-hidden" : "compat-hidden",
		    arena_printf(a, "the%s%s rules are in the %s store (%u); %s shows nothing of them",
				 *what ? " " : "", what, store_name(s), n->rules[s],
				 s == STORE_LEGACY ? compat_viewer(v) : legacy_viewer(v)));
}

static int tell_all(struct arena *a, const struct mislead_viewer *v, const struct counts *n,
		    struct mislead ***tail)
{
	unsigned l = n->rules[STORE_LEGACY], c = n->rules[STORE_COMPAT], r = n->rules[STORE_NATIVE];

	if (l && c && tell_both(a, v, n, tail) != 0)
		return -1;
	if (!l != !c && tell_one(a, v, n, l ? STORE_LEGACY : STORE_COMPAT, tail) != 0)
		return -1;
	if (r && tell(a, tail, "native-hidden",
		      arena_printf(a, "%u rule%s in native nftables tables; no iptables shows %s", r,
				   r == 1 ? " is" : "s are", r == 1 ? "it" : "them")) != 0)
		return -1;
	return 0;
}

int mislead_find(struct arena *a, const struct mislead_viewer *viewer, const struct ruleset *rs,
		 struct mislead **ret)
{
	struct mislead *list = NULL, **tail = &list;
	struct counts n = { .owner = main_owner(rs) };
	struct mislead_viewer nobody = { NULL, STORE_COUNT };

	for (unsigned s = 0; s < STORE_COUNT; s++)
		n.rules[s] = mislead_rules(rs, (enum store)s);
	for (unsigned s = 0; n.owner && s < STORE_COUNT; s++)
		n.owned[s] = count_owned(rs, (enum store)s, n.owner);
	if (n.rules[STORE_LEGACY] && n.rules[STORE_COMPAT] && compare(&n, rs) != 0)
		return -1;
	if (tell_all(a, viewer ? viewer : &nobody, &n, &tail) != 0)
		return -1;
	*ret = list;
	return 0;
}
