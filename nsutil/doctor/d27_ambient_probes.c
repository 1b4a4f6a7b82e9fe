/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d27_ambient_probes - ambient: the node's rule that marks kubelet's probes is not first */
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

static const struct rule *jump_of(const struct chain *base)
{
	for (const struct rule *r = base->rules; r; r = r->next)
		for (const struct stmt *s = r->stmts; s; s = s->next)
			if (s->kind == STMT_VERDICT && s->verdict.chain && strcmp(s->verdict.chain, "ISTIO_POSTRT") == 0)
				return r;
	return NULL;
}

static void check_table(struct doctor *d, const struct table *t)
{
	const struct chain *base = table_find_chain(t, "POSTROUTING");
	const struct rule *jump = base ? jump_of(base) : NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	if (jump && jump->index == 1)
		return;
	f = doctor_find(d, "%s in %s %s POSTROUTING: kubelet's probes of ambient pods do not get the address that Istio lets pass",
			jump ? "Istio's jump is not the first rule" : "Istio's jump is missing", store_name(t->store), t->name);
	doctor_see(d, f, "POSTROUTING", store_name(t->store), "%s", jump ? chains_text(base->rules, &b) : "no jump to ISTIO_POSTRT");
	doctor_fix(d, f, "restart istio-cni-node on this node; update Istio, which inserts its jump in front since 1.26");
}

static bool has_snat(const struct chain *c)
{
	for (const struct rule *r = c->rules; r; r = r->next)
		for (const struct stmt *s = r->stmts; s; s = s->next)
			if (s->kind == STMT_NAT && s->nat.kind == NAT_SNAT)
				return true;
	return false;
}

/* The native table of the node has the sets of probed pods, and one rule for each in its postrouting. */
static void check_native(struct doctor *d, const struct table *t)
{
	const struct chain *base = table_find_chain(t, "postrouting");
	struct doctor_finding *f;

	if (!t->sets || (base && has_snat(base)))
		return;
	f = doctor_find(d, "Istio's rule is missing in native %s postrouting: kubelet's probes of ambient pods do not get the address that"
			   " Istio lets pass", t->name);
	doctor_see(d, f, "postrouting", "nft list ruleset", "%s", base ? "no rule that changes the source" : "no such chain");
	doctor_fix(d, f, "restart istio-cni-node on this node");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		if (t->store == STORE_NATIVE && strcmp(t->name, "istio-ambient-nat") == 0)
			check_native(d, t);
		else if (table_find_chain(t, "ISTIO_POSTRT"))
			check_table(d, t);
}

const struct doctor_entry doctor_d27 = {
	.id = "D27",
	.title = "ambient: kubelet's probes fail",
	.link = "https://github.com/istio/istio/issues/58531",
	.explain = "On the node, Istio's chain ISTIO_POSTRT gives kubelet's probes of ambient pods an address that the pods' rules\n"
		   "let pass. When somebody flushed the jump or put a masquerade in front of it, probes go to ztunnel and fail.\n"
		   "It is told by the jump in POSTROUTING of the node, or by the native table istio-ambient-nat without its rule.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_NODE,
	.check = check,
};
