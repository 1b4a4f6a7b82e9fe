/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify_native - differences between native tables and Istio's native plan */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/verify_parts.h"
#include "nsutil/ruleset/align.h"

/* One chain's rows, and what each planned rule that is not in its row has come to. */
struct rows {
	const struct istio_native_chain *want;
	struct align al;
	bool *told; /* by planned rule: said together with another one */
	uint32_t place; /* of the row at hand in the chain that is there, 1.. */
	uint32_t next;  /* planned rule behind the last one that is in its row */
};

static struct istio_diff begin_diff(const struct istio_native_chain *want, enum istio_diff_kind kind, uint32_t index)
{
	return (struct istio_diff){ .kind = kind, .store = STORE_NATIVE, .family = NFPROTO_INET, .table = want->chain->table->name,
				    .chain = want->chain->name, .index = index };
}

static int missing(struct istio_reporter *r, const struct rows *x, uint32_t i)
{
	const struct istio_native_rule *rule = &x->want->rules[i];
	struct istio_diff d = begin_diff(x->want, ISTIO_DIFF_MISSING, x->place);

	d.rule = rule->text;
	d.effect = istio_native_effects_of(r->native, x->want, i, NULL, 0, istio_role_without(rule->role));
	return istio_report_add(r, d);
}

static int extra(struct istio_reporter *r, const struct rule *x, const char *effect)
{
	return istio_report_add(r, (struct istio_diff){
		.kind = ISTIO_DIFF_EXTRA, .store = STORE_NATIVE, .family = NFPROTO_INET, .table = x->chain->table->name,
		.chain = x->chain->name, .index = x->index, .rule = istio_report_text(r->a, x),
		.effect = effect ? effect : istio_report_effect(r->a, x) });
}

static bool is_lost(const struct rows *x, uint32_t i)
{
	for (uint32_t k = 0; k < x->al.n_rows; k++)
		if (x->al.rows[k].index[0] == i)
			return x->al.rows[k].index[1] == ALIGN_NONE && !x->told[i];
	return false;
}

/* A planned rule that says the same as rule @have of the chain; @lost: only one that is not in its row. */
static uint32_t same_rule(const struct rows *x, uint32_t have, bool lost)
{
	for (uint32_t i = 0; i < x->want->n; i++)
		if (canon_same(&x->al.side[0].canon[i], &x->al.side[1].canon[have]) && (!lost || is_lost(x, i)))
			return i;
	return ALIGN_NONE;
}

/* The planned rule that is lost where this one stands: in the row before, or in the next. */
static uint32_t lost_beside(const struct rows *x, uint32_t row)
{
	for (uint32_t k = row ? row - 1 : row + 1; k <= row + 1 && k < x->al.n_rows; k += 2)
		if (x->al.rows[k].index[0] != ALIGN_NONE && x->al.rows[k].index[1] == ALIGN_NONE && is_lost(x, x->al.rows[k].index[0]))
			return x->al.rows[k].index[0];
	return ALIGN_NONE;
}

/* A lost rule that stands somewhere else in the chain was moved, not changed. */
static uint32_t same_rule_elsewhere(const struct rows *x, uint32_t i)
{
	for (uint32_t k = 0; k < x->al.n_rows; k++)
		if (x->al.rows[k].index[0] == ALIGN_NONE && canon_same(&x->al.side[0].canon[i], &x->al.side[1].canon[x->al.rows[k].index[1]]))
			return k;
	return ALIGN_NONE;
}

/* A rule that has no planned one beside it. */
static int other(struct istio_reporter *r, struct rows *x, uint32_t row)
{
	const struct rule *have = align_rule(&x->al, &x->al.rows[row], 1);
	uint32_t index = x->al.rows[row].index[1], moved = same_rule(x, index, true), changed;
	struct istio_diff d = begin_diff(x->want, ISTIO_DIFF_EXTRA, have->index);
	const struct istio_native_rule *rules = x->want->rules;

	d.rule = istio_report_text(r->a, have);
	if (moved != ALIGN_NONE) {
		x->told[moved] = true;
		d.kind = ISTIO_DIFF_MISPLACED;
		d.effect = istio_native_effects_of(r->native, x->want, moved, have, x->next, arena_printf(r->a,
			"rules are tried in another order; it %s: should be number %u of Istio's", istio_role_does(rules[moved].role), moved + 1));
	} else if (same_rule(x, index, false) != ALIGN_NONE) {
		d.kind = ISTIO_DIFF_DUPLICATE;
		d.effect = "the same rule stands in the chain already; the lower one is never reached, or repeats it";
	} else if ((changed = lost_beside(x, row)) != ALIGN_NONE && same_rule_elsewhere(x, changed) == ALIGN_NONE) {
		x->told[changed] = true;
		d.kind = ISTIO_DIFF_CHANGED;
		d.expected = rules[changed].text;
		d.effect = istio_native_effects_of(r->native, x->want, changed, have, x->next, istio_role_without(rules[changed].role));
	} else {
		d.effect = istio_native_effects_of(r->native, x->want, ISTIO_NONE, have, x->next, istio_report_effect(r->a, have));
	}
	return istio_report_add(r, d);
}

static int whole(struct istio_reporter *r, enum istio_diff_kind kind, const struct chain *c, const char *effect)
{
	return istio_report_add(r, (struct istio_diff){
		.kind = kind, .store = STORE_NATIVE, .family = NFPROTO_INET, .table = c->table->name, .chain = c->name,
		.rule = arena_printf(r->a, "chain %s", c->name), .effect = effect });
}

static int report_rows(struct istio_reporter *r, struct rows *x)
{
	for (uint32_t i = 0; i < x->al.n_rows; i++) {
		const struct align_row *row = &x->al.rows[i];

		if (row->index[0] == ALIGN_NONE && other(r, x, i) < 0)
			return -1;
		if (row->index[0] != ALIGN_NONE && row->index[1] != ALIGN_NONE)
			x->next = row->index[0] + 1;
	}
	for (uint32_t i = 0; i < x->al.n_rows; i++) {
		const struct align_row *row = &x->al.rows[i];

		if (row->index[1] == ALIGN_NONE && !x->told[row->index[0]] && missing(r, x, row->index[0]) < 0)
			return -1;
		x->place += row->index[1] != ALIGN_NONE;
	}
	return 0;
}

static int report_chain(struct istio_reporter *r, const struct istio_native_chain *want, const struct chain *have)
{
	const struct chain *sides[2] = { want->chain, have };
	struct rows x = { .want = want, .place = 1 };

	if (!have && want->n == 0)
		return whole(r, ISTIO_DIFF_MISSING, want->chain, "the jump to it cannot be made");
	if (have && canon_chain(want->chain, have) != CHAIN_SAME &&
	    whole(r, ISTIO_DIFF_CHANGED, have, "its rules are evaluated at another moment than Istio means") < 0)
		return -1;
	x.told = arena_array(r->a, want->n + 1, sizeof(*x.told));
	if (!x.told || align_chains(r->a, sides, 2, &x.al) < 0)
		return err_oom(r->e);
	return report_rows(r, &x);
}

static const struct istio_native_chain *wanted(const struct istio_native_table *t, const char *name)
{
	for (unsigned i = 0; i < t->n; i++)
		if (strcmp(t->chains[i].chain->name, name) == 0)
			return &t->chains[i];
	return NULL;
}

static int report_table(struct istio_reporter *r, const struct istio_native_table *want, const struct table *have)
{
	for (unsigned i = 0; i < want->n; i++)
		if (report_chain(r, &want->chains[i], have ? table_find_chain(have, want->chains[i].chain->name) : NULL) < 0)
			return -1;
	for (const struct chain *c = have ? have->chains : NULL; c; c = c->next) {
		if (wanted(want, c->name))
			continue;
		if (!c->rules && whole(r, ISTIO_DIFF_EXTRA, c, "an empty chain that nothing plans") < 0)
			return -1;
		for (const struct rule *x = c->rules; x; x = x->next)
			if (extra(r, x, NULL) < 0)
				return -1;
	}
	return 0;
}

static bool is_planned(const struct istio_native *n, const struct table *t)
{
	for (unsigned i = 0; i < n->n; i++)
		if (t->family == NFPROTO_INET && strcmp(n->tables[i].table->name, t->name) == 0)
			return true;
	return false;
}

/* Followed only when something differs, and when no iptables rule of Istio's takes part. */
static int begin(struct istio_reporter *r, struct ruleset *rs, const struct istio_native *n, const struct table **have,
		 const struct netview *nv, const struct istio_config *c)
{
	bool differs = false;

	for (unsigned i = 0; i < n->n; i++) {
		int same = istio_native_same(r->a, &n->tables[i], have[i]);

		if (same < 0)
			return err_oom(r->e);
		differs |= !same;
	}
	if (!differs || r->to->stores & (1U << STORE_LEGACY | 1U << STORE_COMPAT))
		return 0;
	return istio_native_effects_begin(r->a, rs, nv, c, n, &r->native, r->e);
}

static int report_planned(struct istio_reporter *r, struct ruleset *rs, const struct istio_native *n, const struct netview *nv,
			  const struct istio_config *c)
{
	const struct table **have = arena_array(r->a, n->n + 1, sizeof(*have));
	int status;

	if (!have)
		return err_oom(r->e);
	for (unsigned i = 0; i < n->n; i++)
		have[i] = ruleset_find_table(rs, STORE_NATIVE, NFPROTO_INET, n->tables[i].table->name);
	status = begin(r, rs, n, have, nv, c);
	for (unsigned i = 0; i < n->n && !status; i++)
		status = report_table(r, &n->tables[i], have[i]);
	istio_native_effects_end(r->native);
	r->native = NULL;
	return status;
}

int istio_report_native(struct istio_reporter *r, struct ruleset *rs, const struct istio_native *n, const struct netview *nv,
			const struct istio_config *c)
{
	if (n && report_planned(r, rs, n, nv, c) < 0)
		return -1;
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (!istio_owns_table(t))
			continue;
		r->to->stores |= 1U << STORE_NATIVE;
		if (n && is_planned(n, t))
			continue;
		for (const struct chain *ch = t->chains; ch; ch = ch->next)
			for (const struct rule *x = ch->rules; x; x = x->next)
				if (extra(r, x, n ? "residue: the kernel evaluates it besides the tables that are planned"
						  : "residue: the kernel evaluates it besides the iptables rules") < 0)
					return -1;
	}
	return 0;
}
