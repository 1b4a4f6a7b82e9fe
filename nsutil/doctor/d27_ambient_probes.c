/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d27_ambient_probes - ambient: the node's rule that marks kubelet's probes is not first */
#include <linux/netfilter.h>
#include <sys/socket.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/scan.h"
#include "nsutil/load.h"

enum { NAMED_MOST = 20 };

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

/* ---- who is in the sets ---- */

/* The node's sets of pods that are probed: ipsets, or sets of the native table. */
struct probed {
	const struct ipset_list *ipsets;
	const struct table *native;
	bool v4, v6; /* there is a set for the family */
};

static bool is_probe_set(const char *name)
{
	return strncmp(name, "istio-inpod-probes", 18) == 0;
}

static bool in_ipset(const struct ipset *s, const struct addr *a)
{
	for (const struct ipset_elem *x = s->elems; x; x = x->next)
		if (x->ip.from.family == a->family && addr_in(a, &x->ip.from, x->ip.cidr))
			return true;
	return false;
}

static bool in_set(const struct set *s, const struct addr *a)
{
	size_t n = a->family == AF_INET ? 4 : 16;

	for (uint32_t i = 0; i < s->n_elems; i++) {
		const struct expr *k = s->elems[i].key;

		if (k && k->kind == EXPR_VALUE && k->bits == 8 * n && memcmp(k->value, a->b, n) == 0)
			return true;
	}
	return s->unread != NULL; /* not known */
}

static bool is_probed(const struct probed *x, const struct addr *a)
{
	for (const struct ipset *s = x->ipsets ? x->ipsets->sets : NULL; s; s = s->next)
		if (is_probe_set(s->name) && in_ipset(s, a))
			return true;
	for (const struct set *s = x->native ? x->native->sets : NULL; s; s = s->next)
		if (is_probe_set(s->name) && in_set(s, a))
			return true;
	return !(a->family == AF_INET ? x->v4 : x->v6);
}

static bool any_probed(const struct probed *x, const struct scan_pod *p, uint8_t family)
{
	for (unsigned i = 0; i < p->n_addrs; i++)
		if (p->addrs[i].family == family && is_probed(x, &p->addrs[i]))
			return true;
	return false;
}

/* An address of an ambient pod of which none of the family is in the sets; NULL. Kubelet knows one of each only: those
 * of further interfaces are not meant to be there. */
static const struct addr *left_out(const struct probed *x, const struct scan_pod *p)
{
	bool captured = p->mesh.mode == MESH_AMBIENT && p->stores;

	for (unsigned i = 0; captured && i < p->n_addrs; i++)
		if (!any_probed(x, p, p->addrs[i].family))
			return &p->addrs[i];
	return NULL;
}

static void check_members(struct doctor *d, const struct probed *x)
{
	const struct scan *s = facts_scan(d);
	struct doctor_finding *f = NULL;
	unsigned n = 0, named = 0;

	if (!s) {
		doctor_unsure(d, "%s", d->facts.scan_why);
		return;
	}
	for (unsigned i = 0; i < s->n; i++)
		n += left_out(x, &s->at[i]) != NULL;
	if (!n)
		return;
	f = doctor_find(d, "%u ambient pod%s not in the set of those that kubelet probes: the probes do not get the address that Istio lets pass",
			n, n == 1 ? " is" : "s are");
	for (unsigned i = 0; i < s->n && named < NAMED_MOST; i++) {
		const struct addr *a = left_out(x, &s->at[i]);
		char text[ADDR_TEXT];

		if (!a)
			continue;
		doctor_see(d, f, s->at[i].name ? s->at[i].name : "?", x->native ? "nft list sets" : "ipset list", "%s is not in istio-inpod-probes",
			   addr_fmt(a, text));
		named++;
	}
	doctor_fix(d, f, "restart istio-cni-node on this node");
}

static void find_families(struct probed *x)
{
	for (const struct ipset *s = x->ipsets ? x->ipsets->sets : NULL; s; s = s->next) {
		x->v4 |= is_probe_set(s->name) && s->family == NFPROTO_IPV4;
		x->v6 |= is_probe_set(s->name) && s->family == NFPROTO_IPV6;
	}
	for (const struct set *s = x->native ? x->native->sets : NULL; s; s = s->next) {
		x->v4 |= is_probe_set(s->name) && strstr(s->name, "-v4");
		x->v6 |= is_probe_set(s->name) && strstr(s->name, "-v6");
	}
}

static void free_sets(struct ipset_list **list)
{
	ipset_list_free(*list);
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_(free_sets) struct ipset_list *sets = NULL;
	struct probed x = { NULL, NULL, false, false };
	bool iptables = false;

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		if (t->store == STORE_NATIVE && strcmp(t->name, "istio-ambient-nat") == 0) {
			check_native(d, t);
			x.native = t;
		} else if (table_find_chain(t, "ISTIO_POSTRT")) {
			check_table(d, t);
			iptables = true;
		}
	if (iptables && (sets = ipset_list_new()) && load_ipset(d->t, NULL, sets, NULL) == 0)
		x.ipsets = sets;
	find_families(&x);
	if (x.v4 || x.v6)
		check_members(d, &x);
}

const struct doctor_entry doctor_d27 = {
	.id = "D27",
	.title = "ambient: kubelet's probes fail",
	.link = "https://github.com/istio/istio/issues/58531",
	.explain = "On the node, Istio's chain ISTIO_POSTRT gives kubelet's probes of ambient pods an address that the pods' rules\n"
		   "let pass. When somebody flushed the jump or put a masquerade in front of it, probes go to ztunnel and fail.\n"
		   "It is told by the jump in POSTROUTING of the node, by the native table istio-ambient-nat without its rule, or by\n"
		   "an ambient pod whose address is not in the set istio-inpod-probes of that rule.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_NODE,
	.check = check,
};
