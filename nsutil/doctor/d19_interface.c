/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d19_interface - an interface that is to be left out is captured, or a second one is without being meant */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/intent.h"

static bool is_istio(const struct rule *r)
{
	const char *to = chains_jump(r);

	return to && (strncmp(to, "ISTIO_", 6) == 0 || strncmp(to, "istio-", 6) == 0);
}

static bool names_interface(const char *text)
{
	return strstr(text, "-i ") || strstr(text, "-o ") || strstr(text, "iifname ") || strstr(text, "oifname ");
}

/* "-i net1 -j RETURN" in a built-in chain, behind the jump that captures. */
static bool check_order(struct doctor *d, const struct chain *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule *jump = NULL;
	struct doctor_finding *f;

	for (const struct rule *r = c->rules; r; r = r->next) {
		/* "-i eth1 -j ISTIO_REDIRECT" is of a machine's interface (KubeVirt), and a RETURN for it follows */
		if (!jump && is_istio(r) && !names_interface(chains_text(r, &b)))
			jump = r;
		if (!jump || !chains_returns(r) || !names_interface(chains_text(r, &b)) || strstr(buf_cstr(&b), "mark"))
			continue;
		f = doctor_find(d, "a rule lets an interface pass, but it stands behind the jump that captures");
		doctor_see(d, f, c->name, store_name(c->table->store), "rule %u: %s", r->index, buf_cstr(&b));
		doctor_see(d, f, c->name, store_name(c->table->store), "rule %u: %s", jump->index, chains_text(jump, &b));
		doctor_fix(d, f, "the rule must stand in front of the jump: -I %s %u in place of -A", c->name, jump->index);
		doctor_fix_self(d, f, "istio apply ISTIO_EXCLUDE_INTERFACES=NAME");
		return true;
	}
	return false;
}

struct search {
	const char *name;
	bool found;
};

static bool mentions(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search *s = arg;
	const char *text = chains_text(r, &b), *at = text;
	size_t n = strlen(s->name);

	while ((at = strstr(at, s->name))) {
		bool before = at > text && (at[-1] == ' ' || at[-1] == '"'), after = !at[n] || at[n] == ' ' || at[n] == '"';

		if (before && after && names_interface(text))
			return s->found = true;
		at++;
	}
	return false;
}

static bool in_rules(const struct ruleset *rs, const char *name)
{
	struct search s = { name, false };

	return chains_each(rs, mentions, &s);
}

static bool has_address(const struct netview *nv, const struct nv_link *l)
{
	for (unsigned i = 0; i < nv->n_addrs; i++)
		if (nv->addrs[i].ifindex == l->index && nv->addrs[i].scope == RT_SCOPE_UNIVERSE)
			return true;
	return false;
}

/* The one of the cluster's network has the default route, or the lowest number. */
static int main_link(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_routes; i++)
		if (nv->routes[i].dst_len == 0 && nv->routes[i].type == RTN_UNICAST && nv->routes[i].table == RT_TABLE_MAIN &&
		    nv->routes[i].n_hops)
			return nv->routes[i].hops[0].oif;
	for (unsigned i = 0; i < nv->n_links; i++)
		if (!(nv->links[i].flags & IFF_LOOPBACK) && has_address(nv, &nv->links[i]))
			return nv->links[i].index;
	return 0;
}

static void check_links(struct doctor *d, const struct ruleset *rs)
{
	const struct netview *nv = facts_net(d);
	struct doctor_finding *f;
	int first = nv ? main_link(nv) : 0;

	for (unsigned i = 0; nv && i < nv->n_links; i++) {
		const struct nv_link *l = &nv->links[i];

		if (l->index == first || !first || l->flags & IFF_LOOPBACK || !(l->flags & IFF_UP) || l->master || !has_address(nv, l) ||
		    in_rules(rs, l->name))
			continue;
		f = doctor_find(d, "the pod has a second interface (%s), and its connections are captured as well", l->name);
		doctor_see(d, f, "interface", "rtnetlink", "%s, up, with an address of its own", l->name);
		doctor_see(d, f, "rules", "all stores", "none names %s", l->name);
		doctor_fix(d, f, "if it is not meant: traffic.sidecar.istio.io/excludeInterfaces: %s, then delete the pod", l->name);
		return;
	}
}

static bool check_annotation(struct doctor *d, const struct ruleset *rs)
{
	const char *list = intent_annotation(d, "traffic.sidecar.istio.io/excludeInterfaces");
	struct doctor_finding *f;
	char name[16];

	for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',') {
		at += strspn(at, " ");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ", "), at);
		if (!name[0] || in_rules(rs, name))
			continue;
		f = doctor_find(d, "excludeInterfaces names %s, and no rule lets it pass", name);
		f->severity = DOCTOR_WARNING;
		doctor_see(d, f, "excludeInterfaces", "annotations of the pod", "%s", list);
		doctor_see(d, f, "rules", "all stores", "none names %s", name);
		doctor_fix(d, f, "delete the pod; istio-cni and istio-init know the annotation since 1.12");
		return true;
	}
	return false;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	bool any = false;

	if (!rs || !chains_stores(rs, 0, "Istio"))
		return;
	for (const struct table *t = rs->tables; t && !any; t = t->next)
		for (const struct chain *c = t->chains; c && !any; c = c->next)
			any = c->base && check_order(d, c);
	if (!any && !check_annotation(d, rs) && facts_mesh(d)->mode == MESH_SIDECAR)
		check_links(d, rs);
}

const struct doctor_entry doctor_d19 = {
	.id = "D19",
	.title = "an interface is captured that should not be",
	.link = "https://github.com/istio/istio/issues/40326",
	.explain = "Istio captures on all interfaces. One that is to be left out (a second network of multus, for one) needs a rule in\n"
		   "PREROUTING and OUTPUT in front of Istio's jump; behind it, it has no effect.\n"
		   "It is told by the order of the rules, by the annotation excludeInterfaces, and by a second interface with an\n"
		   "address that no rule names.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
