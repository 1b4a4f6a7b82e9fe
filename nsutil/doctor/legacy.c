/* SPDX-License-Identifier: GPL-2.0-or-later */
/* legacy - did legacy iptables fail here for want of a table? */
#include "nsutil/doctor/legacy.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"

enum { PORT_OUT = 15001, PORT_IN = 15006, PROXY_ID = 1337 };

/* Beside a gateway's proxy no application listens. */
static const struct nv_socket *application(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->protocol == IPPROTO_TCP && s->listening && s->process[0] && (s->lport < 15000 || s->lport > 15099) &&
		    !addr_is_loopback(&s->local) && strcmp(s->process, "envoy") != 0 && strcmp(s->process, "pilot-agent") != 0)
			return s;
	}
	return NULL;
}

/* Gateways and waypoints have neither. */
static bool has_init(const struct pod *pod)
{
	for (const struct launch *l = pod ? pod->launches : NULL; l; l = l->next)
		if (strcmp(l->container, "istio-init") == 0 || strcmp(l->container, "istio-validation") == 0)
			return true;
	return false;
}

static bool by_surroundings(struct doctor *d, const struct netview *nv, const struct fact_process *p, char why[160])
{
	const struct nv_socket *app = nv && !nv->sockets_unread && p->uid == PROXY_ID ? application(nv) : NULL;

	if (has_init(d->t->pod))
		snprintf(why, 160, "%s (pid %d) runs, and the pod has istio-init or istio-validation", p->comm, (int)p->pid);
	else if (app)
		snprintf(why, 160, "%s (pid %d) runs as %u beside %s, which listens on %u", p->comm, (int)p->pid, p->uid, app->process,
			 app->lport);
	else
		return false;
	return true;
}

/* Envoy in the node's own namespace (a gateway's, a CNI's) stands beside programs that are not its pod's. */
static bool in_node(struct doctor *d)
{
	static const char *const agents[] = { "kubelet", "kubelite", "k3s-server", "k3s-agent", "rke2", NULL };

	if (d->opt->host || (d->t->pod && d->t->pod->host_network))
		return true;
	for (const struct fact_process *p = facts_processes(d); p; p = p->next)
		for (unsigned i = 0; agents[i]; i++)
			if (strcmp(p->comm, agents[i]) == 0)
				return true;
	return false;
}

bool is_sidecar(struct doctor *d, char why[160])
{
	const struct netview *nv = facts_net(d);
	const struct fact_process *p = facts_proxy(d);
	bool out, in;

	if (facts_is_gateway(d) || in_node(d))
		return false;
	if (p && (strstr(p->args, " proxy sidecar") || strstr(p->args, " sidecar~"))) {
		snprintf(why, 160, "%s (pid %d) runs as a sidecar", p->comm, (int)p->pid);
		return true;
	}
	out = nv && facts_listens(nv, IPPROTO_TCP, PORT_OUT);
	in = nv && facts_listens(nv, IPPROTO_TCP, PORT_IN);
	if (!(out && in) && !((out || in) && p))
		return p && by_surroundings(d, nv, p, why);
	snprintf(why, 160, "port %d%s listened on%s%s", out ? PORT_OUT : PORT_IN, out && in ? " and 15006 are" : " is", p ? ", by " : "",
		 p ? p->comm : "");
	return true;
}

/* The image of the proxy is the one istio-init ran with. */
static const struct fact_iptables *proxy_image(struct doctor *d)
{
	for (const struct fact_iptables *i = facts_iptables(d); i; i = i->next)
		if (strncmp(i->where, "container istio-", 16) == 0)
			return i->found.variant == IPT_LEGACY ? i : NULL;
	return NULL;
}

bool legacy_wanted(struct doctor *d, struct legacy_want *ret)
{
	struct legacy_want w = { .table = "nat" };
	const struct ruleset *rs = facts_rules(d);
	char why[160];

	if (rs && chains_stores(rs, 0, "Istio"))
		return false;
	w.hit = log_hit(facts_log(d), LOG_NO_TABLE);
	if (!w.hit && (!rs || rs->unread || !is_sidecar(d, why) || !(w.image = proxy_image(d))))
		return false;
	if (w.hit && w.hit->name)
		w.table = w.hit->name;
	w.v6 = w.hit && strstr(w.hit->text, "ip6tables");
	w.state = facts_table(d, w.v6, w.table);
	*ret = w;
	return w.hit || w.state == TABLE_LOADABLE || w.state == TABLE_IMPOSSIBLE;
}

static void kernel_evidence(struct doctor *d, struct doctor_finding *f, const struct legacy_want *w)
{
	const char *file = w->v6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names";
	const char *names = facts_proc(d, file + 6);
	char module[64];

	snprintf(module, sizeof(module), "%s_%s", w->v6 ? "ip6table" : "iptable", w->table);
	doctor_see(d, f, "module", "/proc/modules, /lib/modules", "%s: %s", module,
		   facts_module_name(facts_module(d, module)));
	doctor_see(d, f, "legacy tables of the namespace", file, "%s",
		   !names ? "no such file" : names[0] ? names : "none");
	doctor_see(d, f, "module", "/proc/modules, /lib/modules", "nf_tables: %s",
		   facts_module_name(facts_module(d, "nf_tables")));
}

void legacy_evidence(struct doctor *d, struct doctor_finding *f, const struct legacy_want *w)
{
	const struct log *l = facts_log(d);
	char where[400];

	if (w->hit) {
		snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, w->hit->line);
		doctor_see(d, f, "istio-init's log", where, "%s", w->hit->text);
	}
	if (w->image)
		doctor_see(d, f, "iptables of the proxy's image", w->image->where, "legacy %s", w->image->found.version);
	if (l && l->variant)
		doctor_see(d, f, "iptables that istio-init used", d->facts.log_where, "%s %s", l->variant, l->version);
	kernel_evidence(d, f, w);
	if (facts_rules(d))
		doctor_see(d, f, "rules", "all stores", "none of Istio's");
}
