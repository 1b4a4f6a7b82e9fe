/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify - differences between the rules of a namespace and Istio's plan, with what they do */
#include "nsutil/istio/verify_parts.h"

#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/former.h"
#include "nsutil/ruleset/reach.h"
#include "nsutil/ruleset/text.h"

const char *istio_diff_name(enum istio_diff_kind kind)
{
	static const char *const names[] = { "missing", "extra", "misplaced", "changed", "duplicate" };

	return names[kind];
}

bool istio_owns_table(const struct table *t)
{
	static const char *const names[] = { "istio-proxy-nat", "istio-proxy-mangle", "istio-proxy-raw",
					     "istio-ambient-nat", "istio-ambient-mangle", "istio-ambient-raw" };

	if (t->store != STORE_NATIVE || t->family != NFPROTO_INET)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(t->name, names[i]) == 0)
			return true;
	return false;
}

int istio_report_add(struct istio_reporter *r, struct istio_diff diff)
{
	struct istio_diff *at = arena_grow(r->a, r->to->at, r->to->n, sizeof(*at));

	/* names of what is planned go with the plan */
	diff.table = arena_strdup(r->a, diff.table);
	diff.chain = arena_strdup(r->a, diff.chain);
	if (!at || !diff.rule || !diff.effect || !diff.table || !diff.chain)
		return err_oom(r->e);
	if (r->c) {
		diff.store = r->c->store;
		diff.family = r->c->family;
	}
	r->to->at = at;
	at[r->to->n++] = diff;
	return 0;
}

const char *istio_report_text(struct arena *a, const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text;

	if (!rule_iptables(r, &b))
		rule_nft(r, false, &b);
	text = buf_cstr(&b);
	return buf_failed(&b) ? NULL : arena_strdup(a, text + (text[0] == ' '));
}

/* What happens to a packet that an unplanned rule matches. */
const char *istio_report_effect(struct arena *a, const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next) {
		if (s->kind == STMT_NAT || (s->kind == STMT_XT && s->xt->target))
			return "what it matches is treated in another way than Istio means";
		if (s->kind != STMT_VERDICT)
			continue;
		switch (s->verdict.code) {
		case VERDICT_RETURN:
			return "what it matches leaves the chain before Istio's rules below it";
		case VERDICT_ACCEPT:
			return "what it matches is accepted before Istio's rules below it";
		case VERDICT_DROP:
			return "what it matches is dropped";
		case VERDICT_JUMP:
		case VERDICT_GOTO:
			return arena_printf(a, "what it matches goes on to chain %s", s->verdict.chain);
		default:
			return "what it matches leaves the chain";
		}
	}
	return "it changes nothing by itself";
}

static int report_rule(struct istio_reporter *r, const struct istio_match *m, uint32_t i)
{
	const struct istio_rule *plan = m->to[i] == ISTIO_NONE ? NULL : m->want->plan[m->to[i]];
	struct istio_diff diff = { .table = m->table, .chain = m->name, .index = i + 1,
				   .rule = istio_report_text(r->a, m->rules[i]) };

	switch (m->state[i]) {
	case ISTIO_FOREIGN:
	case ISTIO_GOOD:
		return 0;
	case ISTIO_EXTRA:
		diff.kind = ISTIO_DIFF_EXTRA;
		diff.effect = istio_effects_of(r->effects, m, i, ISTIO_NONE, istio_report_effect(r->a, m->rules[i]));
		break;
	case ISTIO_DUPLICATE:
		diff.kind = ISTIO_DIFF_DUPLICATE;
		diff.effect = "the same rule stands in the chain already; the lower one is never reached, "
			      "or repeats it";
		break;
	case ISTIO_MISPLACED:
		diff.kind = ISTIO_DIFF_MISPLACED;
		diff.effect = arena_printf(r->a, "rules are tried in another order; it %s: should be number %u of Istio's",
					   istio_role_does(plan->role), m->to[i] + 1);
		diff.effect = istio_effects_of(r->effects, m, i, m->to[i], diff.effect);
		break;
	case ISTIO_CHANGED:
		diff.kind = ISTIO_DIFF_CHANGED;
		diff.expected = plan->text;
		diff.effect = istio_effects_of(r->effects, m, i, m->to[i], istio_role_without(plan->role));
		break;
	}
	return istio_report_add(r, diff);
}

static int report_missing(struct istio_reporter *r, const struct istio_match *m, uint32_t i)
{
	const struct istio_rule *plan = m->want->plan[i];
	struct istio_diff diff = { .kind = ISTIO_DIFF_MISSING, .table = m->table, .chain = m->name,
				   .index = istio_match_place(m, i), .rule = plan->text };

	if (m->from[i] != ISTIO_NONE)
		return 0;
	diff.effect = istio_effects_of(r->effects, m, ISTIO_NONE, i, istio_role_without(plan->role));
	return istio_report_add(r, diff);
}

/* A chain without rules has no rule to report. */
static int report_chain(struct istio_reporter *r, const struct istio_match *m)
{
	struct istio_diff diff = { .table = m->table, .chain = m->name,
				   .rule = arena_printf(r->a, "-N %s", m->name) };

	if (!istio_owns_chain(m->name))
		return 0;
	if (!m->want && m->n == 0) {
		diff.kind = ISTIO_DIFF_EXTRA;
		diff.effect = "an empty chain that nothing plans";
		return istio_report_add(r, diff);
	}
	if (m->want && !m->have && m->want->n == 0) {
		diff.kind = ISTIO_DIFF_MISSING;
		diff.effect = "the jump to it cannot be made";
		return istio_report_add(r, diff);
	}
	return 0;
}

static int report_compare(struct istio_reporter *r, const struct istio_compare *c)
{
	r->c = c;
	for (unsigned k = 0; k < c->n; k++) {
		const struct istio_match *m = &c->at[k];

		if (report_chain(r, m) < 0)
			return -1;
		for (uint32_t i = 0; i < m->n; i++)
			if (report_rule(r, m, i) < 0)
				return -1;
		for (uint32_t i = 0; m->want && i < m->want->n; i++)
			if (report_missing(r, m, i) < 0)
				return -1;
	}
	return 0;
}

/* Everything of Istio's in a store that should hold nothing of it. */
static int report_residue(struct istio_reporter *r, const struct istio_compare *c, const bool *reached, enum store home)
{
	r->c = c;
	for (unsigned k = 0; k < c->n; k++) {
		const struct istio_match *m = &c->at[k];
		struct istio_diff diff = { .kind = ISTIO_DIFF_EXTRA, .table = m->table, .chain = m->name };

		if (!reached[k])
			diff.effect = "residue without effect: no base chain leads there";
		else
			diff.effect = istio_effects_residue(r->effects, arena_printf(r->a,
				"residue: the kernel evaluates it besides the rules of the %s store", store_name(home)));
		for (uint32_t i = 0; i < m->n; i++) {
			if (m->state[i] == ISTIO_FOREIGN || !c->any)
				continue;
			diff.index = i + 1;
			diff.rule = istio_report_text(r->a, m->rules[i]);
			if (istio_report_add(r, diff) < 0)
				return -1;
		}
		diff.index = 0;
		diff.rule = arena_printf(r->a, "-N %s", m->name);
		if (m->have && m->n == 0 && istio_owns_chain(m->name) && istio_report_add(r, diff) < 0)
			return -1;
	}
	return 0;
}

/* Which chains of the comparison a base chain leads to; asked while the rules are as they were read. */
static const bool *find_reached(struct arena *a, const struct istio_compare *c)
{
	bool *reached = arena_array(a, c->n + 1, sizeof(*reached));

	for (unsigned k = 0; reached && k < c->n; k++)
		reached[k] = !c->at[k].have || chain_reached(c->at[k].have);
	return reached;
}

/* The rules of both layouts must live while the comparisons do. */
struct side {
	struct istio_layout layout;
	struct istio_compare compare;
};

static void free_sides(struct side (*sides)[2])
{
	for (unsigned i = 0; i < 2; i++)
		istio_layout_free(&(*sides)[i].layout);
}

/* No iptables rule is planned: all of them are residue. */
static int native_family(struct istio_reporter *r, struct side (*sides)[2], bool v6)
{
	const bool *reached;

	r->to->checked[v6] = STORE_NATIVE;
	for (unsigned s = 0; s < 2; s++) {
		r->to->stores |= (*sides)[s].compare.any ? 1U << s : 0;
		reached = find_reached(r->a, &(*sides)[s].compare);
		if (!reached)
			return err_oom(r->e);
		if (report_residue(r, &(*sides)[s].compare, reached, STORE_NATIVE) < 0)
			return -1;
	}
	return 0;
}

/* With each difference what it does, followed through the rules as they should be. */
static int report_family(struct istio_reporter *r, struct ruleset *rs, const struct istio_plan *p, const struct netview *nv,
			 const struct istio_compare *home, const struct istio_compare *other)
{
	const bool *reached = find_reached(r->a, other);
	int status;

	if (!reached)
		return err_oom(r->e);
	if ((home->differences || other->any) &&
	    istio_effects_begin(r->a, rs, nv, p->config, home, other, &r->effects, r->e) < 0)
		return -1;
	status = report_compare(r, home) < 0 || report_residue(r, other, reached, home->store) < 0 ? -1 : 0;
	if (istio_effects_end(r->effects) < 0)
		status = err_oom(r->e);
	r->effects = NULL;
	return status;
}

static int verify_family(struct istio_reporter *r, struct ruleset *rs, const struct istio_plan *p, bool v6, int store,
			 const struct netview *nv)
{
	_cleanup_(free_sides) struct side sides[2] = { 0 };
	uint8_t family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	struct istio_choice choice;

	for (unsigned s = 0; s < 2; s++)
		if (istio_layout_make(r->a, v6 ? &p->v6 : &p->v4, family, &sides[s].layout, r->e) < 0 ||
		    istio_layout_parse(&sides[s].layout, (enum store)s, r->e) < 0 ||
		    istio_former_compare(r->a, rs, (enum store)s, &sides[s].layout, &p->config->known, &sides[s].compare,
					 r->e) < 0)
			return -1;
	istio_store_choose(rs, family, p->config->force_binary, &sides[STORE_LEGACY].compare,
			   &sides[STORE_COMPAT].compare, &choice);
	if (p->config->native_nftables)
		return native_family(r, &sides, v6);
	if (store >= 0)
		choice.store = (enum store)store;
	r->to->checked[v6] = choice.store;
	for (unsigned s = 0; s < 2; s++)
		r->to->stores |= sides[s].compare.any ? 1U << s : 0;
	return report_family(r, rs, p, nv, &sides[choice.store].compare, &sides[!choice.store].compare);
}

static const struct unread *find_unread(const struct ruleset *rs)
{
	for (const struct unread *u = rs->unread; u; u = u->next)
		if (u->store != STORE_NATIVE)
			return u;
	return NULL;
}

static int verify_native(struct istio_reporter *r, struct ruleset *rs, const struct istio_plan *p, const struct netview *nv)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_(istio_native_free) struct istio_native n = { .n = 0 };

	r->c = NULL;
	if (!p->config->native_nftables)
		return istio_report_native(r, rs, NULL, nv, p->config);
	istio_plan_nft(p, &b);
	if (buf_failed(&b))
		return err_oom(r->e);
	if (istio_native_parse(r->a, buf_cstr(&b), &p->nft, &n, r->e) < 0)
		return -1;
	return istio_report_native(r, rs, &n, nv, p->config);
}

int istio_verify(struct arena *a, struct ruleset *rs, const struct istio_plan *p, unsigned families,
		 int store, const struct netview *nv, struct istio_report *ret, struct err *e)
{
	struct istio_report report = { .unread = find_unread(rs) };
	struct istio_reporter r = { .a = a, .to = &report, .e = e };

	for (unsigned v6 = 0; v6 < 2; v6++)
		if (families & (1U << v6) && verify_family(&r, rs, p, v6, store, nv) < 0)
			return -1;
	if (verify_native(&r, rs, p, nv) < 0)
		return -1;
	if (nv && (istio_routing_plan(a, p->config, families, &report.routing) < 0 ||
		   istio_routing_compare(a, nv, rs, p->config, families, &report.routing) < 0))
		return err_oom(e);
	report.clean = report.n == 0 && report.routing.n == 0 && !report.unread;
	*ret = report;
	return 0;
}
