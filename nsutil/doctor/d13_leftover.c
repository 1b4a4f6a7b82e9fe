/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d13_leftover - something of Istio's is left that nothing leads to */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/istio/guard.h"

enum { PROXY_ID = 1337 };

static bool leads_to_istio(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT && s->verdict.to && chains_of(s->verdict.to, "Istio"))
			return true;
	return false;
}

static bool has_jump(const struct table *t)
{
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->base ? c->rules : NULL; r; r = r->next)
			if (leads_to_istio(r))
				return true;
	return false;
}

static const struct chain *istio_chain(const struct table *t)
{
	for (const struct chain *c = t->chains; c; c = c->next)
		if (!c->base && chains_of(c, "Istio") && (c->n_rules || t->store != STORE_NATIVE) &&
		    strcmp(c->name, "ISTIO_POSTRT") != 0) /* that is D27 */
			return c;
	return NULL;
}

/* A rule of a built-in chain that sends traffic to the proxy's ports, or asks for its user. */
static bool is_shaped(const struct rule *r)
{
	unsigned port = chains_port(r, NULL);
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text = chains_text(r, &b);

	return port == 15001 || port == 15006 || port == 15053 || chains_number_after(text, "uid-owner ") == PROXY_ID ||
	       chains_number_after(text, "gid-owner ") == PROXY_ID;
}

/* A proxy that is there wants complete rules, not none. */
static bool wanted(struct doctor *d)
{
	return facts_proxy(d) != NULL;
}

static bool has_rules_in_use(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (has_jump(t))
			return true;
	return false;
}

static bool is_reached(const struct chain *c)
{
	for (const struct chain *from = c->table->chains; from; from = from->next)
		for (const struct rule *r = from->rules; r; r = r->next)
			for (const struct stmt *s = r->stmts; s; s = s->next)
				if (s->kind == STMT_VERDICT && s->verdict.to == c)
					return true;
	return false;
}

/* Istio makes ISTIO_INBOUND in any case; it holds no rule that captures while nothing is to lead to it. */
static bool is_cut_off(const struct chain *c)
{
	if (!chains_named(c, "ISTIO_INBOUND") && !chains_named(c, "ISTIO_OUTPUT") && !chains_named(c, "ISTIO_PRERT"))
		return false;
	for (const struct rule *r = c->rules; r; r = r->next)
		if (chains_jump(r) || chains_port(r, NULL))
			return !is_reached(c);
	return false;
}

/* The others of the table are in use. */
static void check_cut_off(struct doctor *d, const struct table *t)
{
	struct doctor_finding *f;

	for (const struct chain *c = t->chains; c; c = c->next) {
		if (c->base || !chains_of(c, "Istio") || !is_cut_off(c))
			continue;
		f = doctor_find(d, "nothing leads to %s of %s %s %s any more: what it should capture goes past the proxy", c->name,
				store_name(t->store), family_name(t->family), t->name);
		doctor_see(d, f, c->name, chains_save_command(t->store, t->family == NFPROTO_IPV6), "%u rules, no jump to it", c->n_rules);
		if (t->store != STORE_NATIVE)
			f->mend = DOCTOR_MEND_RULES;
		doctor_fix_self(d, f, "istio verify");
		doctor_fix_self(d, f, "istio apply");
	}
}

static void check_chains(struct doctor *d, const struct table *t)
{
	const struct chain *c = istio_chain(t);
	struct doctor_finding *f;

	if (!c)
		return;
	if (has_jump(t)) {
		check_cut_off(d, t);
		return;
	}
	f = doctor_find(d, "chains of Istio's are left in %s %s %s, and nothing leads to them", store_name(t->store),
			family_name(t->family), t->name);
	doctor_see(d, f, c->name, chains_save_command(t->store, t->family == NFPROTO_IPV6), "%u rules, no jump to it", c->n_rules);
	if (t->store != STORE_NATIVE && (wanted(d) || !has_rules_in_use(facts_rules(d))))
		f->mend = wanted(d) ? DOCTOR_MEND_RULES : DOCTOR_MEND_REMOVE;
	doctor_fix_self(d, f, wanted(d) ? "istio apply" : "istio flush");
}

static void check_rules(struct doctor *d, const struct ruleset *rs, const struct table *t)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	if (chains_count(rs, t->store, t->family, "Istio"))
		return;
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->base ? c->rules : NULL; r; r = r->next) {
			if (!is_shaped(r))
				continue;
			f = doctor_find(d, "a rule of Istio's shape is left in %s %s %s, without Istio's chains", store_name(t->store),
					family_name(t->family), t->name);
			doctor_see(d, f, c->name, chains_save_command(t->store, t->family == NFPROTO_IPV6), "rule %u: %s",
				   r->index, chains_text(r, &b));
			doctor_fix(d, f, "iptables -t %s -D %s %u, with the iptables of that store, inside the namespace", t->name,
				   c->name, r->index);
			return;
		}
}

/* The six rules that Istio's programmer sets while it changes others: whoever was killed meanwhile left them. */
static void check_guardrails(struct doctor *d, const struct table *t)
{
	struct doctor_finding *f;

	if (strcmp(t->name, "filter") != 0 || !istio_guard_find(t))
		return;
	f = doctor_find(d, "Istio's guardrails were left in %s %s filter: every TCP and UDP packet of the pod is dropped", store_name(t->store),
			family_name(t->family));
	f->severity = DOCTOR_ERROR;
	doctor_see(d, f, "INPUT, FORWARD, OUTPUT", chains_save_command(t->store, t->family == NFPROTO_IPV6), "-p udp -j DROP, -p tcp -j DROP at their heads");
	f->mend = wanted(d) ? DOCTOR_MEND_RULES : DOCTOR_MEND_REMOVE;
	doctor_fix_self(d, f, wanted(d) ? "istio apply" : "istio flush");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next) {
		if (t->store != STORE_NATIVE)
			check_guardrails(d, t);
		check_chains(d, t);
		if (t->store != STORE_NATIVE)
			check_rules(d, rs, t);
	}
}

const struct doctor_entry doctor_d13 = {
	.id = "D13",
	.title = "something of Istio's is left behind",
	.link = "https://github.com/istio/istio/issues/49067",
	.explain = "After an uninstall, or when a pod left the mesh, chains or single rules may stay.\n"
		   "It is told by chains of Istio's to which nothing leads, or by redirects to the proxy's ports and rules for its user\n"
		   "in built-in chains of a store that has no chain of Istio's. So are the six rules that drop TCP and UDP while\n"
		   "Istio's programmer works, when it was killed and nobody took them away.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
