/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d26_tproxy_route - TPROXY rules without what delivers the marked packets to the proxy */
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

enum { CAP_NET_ADMIN_BIT = 12 };

struct marks {
	long mark[2]; /* of IPv4 and IPv6; -1: no TPROXY rule */
	const struct rule *rule[2];
	const struct rule *redirects; /* sends inbound connections on by REDIRECT; NULL */
};

/* "--tproxy-mark 0x539", "tproxy ip to :15006 meta mark set 0x00000539" */
static long mark_of(const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text = chains_text(r, &b);

	return chains_number_after(text, r->chain->table->store == STORE_NATIVE ? "mark set " : "--tproxy-mark ");
}

/* A rule of an inet table is for the family it says, or for both. */
static bool is_for(const struct rule *r, bool v6)
{
	uint8_t family = r->chain->table->family;

	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_TPROXY && s->tproxy.family)
			family = s->tproxy.family;
	return family == NFPROTO_INET || family == (v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
}

/* A built-in chain for what comes in leads to ISTIO_INBOUND, and that to the redirect. */
static bool redirects_inbound(const struct chain *redirect)
{
	bool led = false, comes_in = false;

	for (const struct chain *c = redirect->table->chains; c; c = c->next)
		for (const struct rule *r = c->rules; r; r = r->next)
			for (const struct stmt *s = r->stmts; s; s = s->next) {
				const struct chain *to = s->kind == STMT_VERDICT ? s->verdict.to : NULL;

				led |= to && to == redirect && chains_named(c, "ISTIO_INBOUND");
				comes_in |= to && c->base && c->hook == NF_INET_PRE_ROUTING && chains_named(to, "ISTIO_INBOUND");
			}
	return comes_in && (led || chains_named(redirect, "ISTIO_INBOUND"));
}

static bool take(const struct rule *r, void *arg)
{
	struct marks *m = arg;
	bool tproxy = false;

	if (!chains_of(r->chain, "Istio") || !chains_port(r, &tproxy))
		return false;
	if (!tproxy) {
		m->redirects = !m->redirects && redirects_inbound(r->chain) ? r : m->redirects;
		return false;
	}
	for (unsigned v6 = 0; v6 < 2; v6++)
		if (is_for(r, v6)) {
			m->mark[v6] = mark_of(r);
			m->rule[v6] = r;
		}
	return false;
}

static void check_mixed(struct doctor *d, const struct marks *m)
{
	const struct rule *tproxy = m->rule[0] ? m->rule[0] : m->rule[1];
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	if (!m->redirects)
		return;
	f = doctor_find(d, "inbound connections are taken by TPROXY and by REDIRECT at once: rules of both modes are in place");
	doctor_see(d, f, tproxy->chain->name, store_name(tproxy->chain->table->store), "rule %u: %s", tproxy->index,
		   chains_text(tproxy, &b));
	doctor_see(d, f, m->redirects->chain->name, store_name(m->redirects->chain->table->store), "rule %u: %s", m->redirects->index,
		   chains_text(m->redirects, &b));
	doctor_fix(d, f, "delete the pod, so that its rules are written for one mode");
	doctor_fix_self(d, f, "istio verify");
}

static bool has_local_default(const struct netview *nv, uint8_t family, uint32_t table)
{
	for (unsigned i = 0; i < nv->n_routes; i++) {
		const struct nv_route *r = &nv->routes[i];

		if (r->family == family && r->table == table && r->type == RTN_LOCAL && r->dst_len == 0)
			return true;
	}
	return false;
}

/* A policy rule for the mark that leads to a table whose default route is local. */
static bool delivered(const struct netview *nv, uint8_t family, uint32_t mark)
{
	for (unsigned i = 0; i < nv->n_rules; i++) {
		const struct nv_rule *r = &nv->rules[i];

		if (r->family == family && r->action == FR_ACT_TO_TBL && !r->invert && r->fwmask &&
		    (mark & r->fwmask) == r->fwmark && r->fwmark && has_local_default(nv, family, r->table))
			return true;
	}
	return false;
}

static void check_caps(struct doctor *d)
{
	const struct fact_process *p = facts_proxy(d);
	struct doctor_finding *f;

	if (!p || p->caps & 1ULL << CAP_NET_ADMIN_BIT)
		return;
	f = doctor_find(d, "the rules use TPROXY, and %s has no CAP_NET_ADMIN to take such connections", p->comm);
	doctor_see(d, f, "capabilities", "/proc/PID/status", "pid %d: CapEff %016llx", (int)p->pid, (unsigned long long)p->caps);
	doctor_fix(d, f, "the proxy's container needs NET_ADMIN in TPROXY mode (the injector adds it), or use REDIRECT");
}

static void check(struct doctor *d)
{
	static const char *const words[] = { "-4", "-6" };
	const struct ruleset *rs = doctor_rules(d);
	struct marks m = { { -1, -1 }, { NULL, NULL }, NULL };
	const struct netview *nv;
	struct doctor_finding *f;

	if (rs)
		chains_each(rs, take, &m);
	if (m.mark[0] < 0 && m.mark[1] < 0)
		return;
	nv = facts_net(d);
	if (!nv || nv->routes_unread) {
		doctor_unsure(d, "routes: %s", nv ? nv->routes_unread : d->facts.net_why.why);
		return;
	}
	for (unsigned v6 = 0; v6 < 2; v6++) {
		if (m.mark[v6] < 0 || delivered(nv, v6 ? AF_INET6 : AF_INET, (uint32_t)m.mark[v6]))
			continue;
		f = doctor_find(d, "%s packets that TPROXY marks are not delivered locally: there is no policy rule for mark %ld to"
				   " a table with a local default route", v6 ? "IPv6" : "IPv4", m.mark[v6]);
		doctor_see(d, f, "rule", m.rule[v6]->chain->name, "TPROXY with mark %ld", m.mark[v6]);
		doctor_see(d, f, "policy rules and routes", "rtnetlink", "no match");
		doctor_fix(d, f, "ip %s rule add fwmark %ld lookup 133", words[v6], m.mark[v6]);
		doctor_fix(d, f, "ip %s route add local default dev lo table 133", words[v6]);
	}
	check_mixed(d, &m);
	check_caps(d);
}

const struct doctor_entry doctor_d26 = {
	.id = "D26",
	.title = "TPROXY without its route or capability",
	.link = "https://github.com/istio/istio/issues/37701",
	.explain = "TPROXY only marks packets: a policy rule must send the marked ones to a routing table whose default route is\n"
		   "local, else they are dropped or go round. The proxy needs CAP_NET_ADMIN for such sockets.\n"
		   "It is told by the rules, the policy rules and routes, and the proxy's capabilities.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
