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
};

static bool take(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct marks *m = arg;
	bool tproxy = false, v6 = r->chain->table->family == NFPROTO_IPV6;
	const char *text;

	if (r->chain->table->store == STORE_NATIVE || !chains_of(r->chain, "Istio") || !chains_port(r, &tproxy) || !tproxy)
		return false;
	text = chains_text(r, &b);
	m->mark[v6] = chains_number_after(text, "--tproxy-mark ");
	m->rule[v6] = r;
	return false;
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
	struct marks m = { { -1, -1 }, { NULL, NULL } };
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
