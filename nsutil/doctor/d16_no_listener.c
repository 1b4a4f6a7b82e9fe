/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d16_no_listener - rules send connections to a port on which nobody listens */
#include <netinet/in.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/early.h"

enum { PORTS_MOST = 32, PORT_IN = 15006 };

struct ports {
	struct doctor *d;
	const struct netview *nv;
	const struct rule *dead[PORTS_MOST];
	unsigned port[PORTS_MOST], n;
};

static bool seen(const struct ports *p, unsigned port)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->port[i] == port)
			return true;
	return p->n == PORTS_MOST;
}

/* The proxy is there, and the rule goes past it: that is D46. */
static bool is_wrong_port(const struct ports *p, const struct rule *r)
{
	return chains_named(r->chain, "ISTIO_IN_REDIRECT") && facts_listens(p->nv, IPPROTO_TCP, PORT_IN);
}

/* The two ports of DNS are opened together: one stands for both. */
static bool somebody_listens(const struct ports *p, const struct rule *r, unsigned port)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return facts_listens(p->nv, IPPROTO_TCP, port) || (strstr(chains_text(r, &b), "udp") && facts_listens_udp(p->d, port));
}

static bool look(const struct rule *r, void *arg)
{
	struct ports *p = arg;
	unsigned port = chains_of(r->chain, "Istio") ? chains_port(r, NULL) : 0;

	if (!port || is_wrong_port(p, r) || seen(p, port) || somebody_listens(p, r, port))
		return false;
	p->dead[p->n] = r;
	p->port[p->n++] = port;
	return false;
}

/* Does it mean to listen there? */
static void see_envoy(struct doctor *d, struct doctor_finding *f, unsigned port)
{
	const struct doctor_envoy *env = facts_envoy(d);
	bool any = false;

	for (unsigned i = 0; i < env->n_listeners; i++)
		any |= env->listeners[i] == port;
	if (env->listeners_asked)
		doctor_see(d, f, "Envoy", "127.0.0.1:15000/listeners", "%s listener for %u", any ? "it has a" : "it has no", port);
	if (env->ready)
		doctor_see(d, f, "Envoy", "127.0.0.1:15021/healthz/ready", "HTTP status %d", env->ready);
}

static void report(struct doctor *d, const struct rule *r, unsigned port)
{
	const struct fact_process *proxy = facts_proxy(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	f = doctor_find(d, "connections are sent to port %u, and nobody listens there: they are refused", port);
	doctor_see(d, f, "rule", store_name(r->chain->table->store), "%s %u: %s", r->chain->name, r->index, chains_text(r, &b));
	doctor_see(d, f, "listeners", "sockets of the namespace", "none on %u", port);
	if (proxy)
		doctor_see(d, f, "proxy", "/proc", "%s runs, pid %d", proxy->comm, (int)proxy->pid);
	else
		doctor_see(d, f, "proxy", "/proc", "%s", facts_mesh(d)->mode == MESH_AMBIENT ? "ztunnel has no socket here" : "none runs");
	see_envoy(d, f, port);
	doctor_fix(d, f, "look at the proxy: kubectl logs POD -c istio-proxy (in ambient: at ztunnel of this node)");
	doctor_fix(d, f, "init containers that need the network before the proxy runs: runAsUser 1337, or a native sidecar");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	const struct netview *nv = rs && chains_stores(rs, 0, "Istio") ? doctor_sockets(d) : NULL;
	struct ports p = { .d = d, .nv = nv };

	if (!nv || doctor_found(d, "D13") || early_program(d))
		return;
	chains_each(rs, look, &p);
	for (unsigned i = 0; i < p.n; i++)
		report(d, p.dead[i], p.port[i]);
}

const struct doctor_entry doctor_d16 = {
	.id = "D16",
	.title = "nobody listens where the rules lead",
	.link = "https://github.com/istio/istio/issues/11130",
	.explain = "The rules are in place and the proxy is not there: it has not started, has died, or this is an init\n"
		   "container's time. Every connection of the pod is refused.\n"
		   "It is told by the ports of Istio's REDIRECT and TPROXY rules and the listeners of the namespace.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
