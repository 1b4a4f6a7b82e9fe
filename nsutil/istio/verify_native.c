/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify_native - differences between native tables and Istio's native plan */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/verify_parts.h"
#include "nsutil/ruleset/align.h"

static int missing(struct istio_reporter *r, const struct istio_native_chain *want, uint32_t i, uint32_t place)
{
	const struct istio_native_rule *rule = &want->rules[i];

	return istio_report_add(r, (struct istio_diff){
		.kind = ISTIO_DIFF_MISSING, .store = STORE_NATIVE, .family = NFPROTO_INET,
		.table = want->chain->table->name, .chain = want->chain->name, .index = place,
		.rule = rule->text, .effect = istio_role_without(rule->role) });
}

static int extra(struct istio_reporter *r, const struct rule *x, const char *effect)
{
	return istio_report_add(r, (struct istio_diff){
		.kind = ISTIO_DIFF_EXTRA, .store = STORE_NATIVE, .family = NFPROTO_INET, .table = x->chain->table->name,
		.chain = x->chain->name, .index = x->index, .rule = istio_report_text(r->a, x),
		.effect = effect ? effect : istio_report_effect(r->a, x) });
}

static int whole(struct istio_reporter *r, enum istio_diff_kind kind, const struct chain *c, const char *effect)
{
	return istio_report_add(r, (struct istio_diff){
		.kind = kind, .store = STORE_NATIVE, .family = NFPROTO_INET, .table = c->table->name, .chain = c->name,
		.rule = arena_printf(r->a, "chain %s", c->name), .effect = effect });
}

static int report_chain(struct istio_reporter *r, const struct istio_native_chain *want, const struct chain *have)
{
	const struct chain *sides[2] = { want->chain, have };
	struct align al;
	uint32_t place = 1;

	if (!have && want->n == 0)
		return whole(r, ISTIO_DIFF_MISSING, want->chain, "the jump to it cannot be made");
	if (have && canon_chain(want->chain, have) != CHAIN_SAME &&
	    whole(r, ISTIO_DIFF_CHANGED, have, "its rules are evaluated at another moment than Istio means") < 0)
		return -1;
	if (align_chains(r->a, sides, 2, &al) < 0)
		return err_oom(r->e);
	for (uint32_t i = 0; i < al.n_rows; i++) {
		const struct align_row *row = &al.rows[i];

		if (row->index[1] == ALIGN_NONE && missing(r, want, row->index[0], place) < 0)
			return -1;
		if (row->index[0] == ALIGN_NONE && extra(r, align_rule(&al, row, 1), NULL) < 0)
			return -1;
		place += row->index[1] != ALIGN_NONE;
	}
	return 0;
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

int istio_report_native(struct istio_reporter *r, const struct ruleset *rs, const struct istio_native *n)
{
	for (unsigned i = 0; n && i < n->n; i++)
		if (report_table(r, &n->tables[i],
				 ruleset_find_table(rs, STORE_NATIVE, NFPROTO_INET, n->tables[i].table->name)) < 0)
			return -1;
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (!istio_owns_table(t))
			continue;
		r->to->stores |= 1U << STORE_NATIVE;
		if (n && is_planned(n, t))
			continue;
		for (const struct chain *c = t->chains; c; c = c->next)
			for (const struct rule *x = c->rules; x; x = x->next)
				if (extra(r, x, n ? "residue: the kernel evaluates it besides the tables that are planned"
						  : "residue: the kernel evaluates it besides the iptables rules") < 0)
					return -1;
	}
	return 0;
}
