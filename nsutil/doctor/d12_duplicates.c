/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d12_duplicates - the same rule stands twice */
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/ruleset/owner.h"

struct search {
	unsigned n;
	const struct rule *first; /* the second of the first pair */
};

static const char *jumps_to(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT && s->verdict.code == VERDICT_JUMP)
			return s->verdict.chain;
	return NULL;
}

/* Rules that follow each other and read the same: what an apply that is not idempotent makes. */
static void look(const struct chain *c, struct search *s)
{
	_cleanup_buf_ struct buf a = BUF_INIT, b = BUF_INIT;
	struct buf *last = &a, *this = &b;

	for (const struct rule *r = c->rules; r; r = r->next) {
		struct buf *swap = last;

		chains_text(r, this);
		if (r != c->rules && strcmp(buf_cstr(last), buf_cstr(this)) == 0 && (owner_chain(c) || jumps_to(r)) &&
		    s->n++ == 0)
			s->first = r;
		last = this;
		this = swap;
	}
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search s = { .n = 0 };
	struct doctor_finding *f;

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (owner_chain(c) || c->base)
				look(c, &s);
	if (!s.n)
		return;
	f = doctor_find(d, "%u rule%s twice in a row: something writes them again and again", s.n,
			s.n == 1 ? " stands" : "s stand");
	doctor_see(d, f, "the first one", s.first->chain->name, "%s %s rule %u: %s", store_name(s.first->chain->table->store),
		   s.first->chain->table->name, s.first->index, chains_text(s.first, &b));
	doctor_fix_self(d, f, "istio verify");
	doctor_fix(d, f, "bring the iptables versions of node and images together (1.8.2 is known to double rules)");
}

const struct doctor_entry doctor_d12 = {
	.id = "D12",
	.title = "rules stand twice",
	.link = "https://github.com/kubernetes/kubernetes/issues/82361",
	.explain = "A program that cannot read its own rules back (another version of iptables wrote them) adds them again, and\n"
		   "the chains grow. It is told by equal rules in a row, in chains of a known owner, or jumps in built-in chains.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
