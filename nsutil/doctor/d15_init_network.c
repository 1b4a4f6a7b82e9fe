/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d15_init_network - a program runs before the proxy does, in a pod whose rules are in place already (istio-cni) */
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/early.h"
#include "nsutil/pod/proc.h"

static bool redirects(const struct rule *r, void *arg)
{
	unsigned *port = arg;

	if (!chains_of(r->chain, "Istio") || (!chains_named(r->chain, "ISTIO_REDIRECT") && !chains_named(r->chain, "ISTIO_OUTPUT")))
		return false;
	*port = chains_port(r, NULL);
	return *port == 15001;
}

/* This program and those that started it, when a person looks from within the pod. */
static bool is_ours(struct doctor *d, pid_t pid)
{
	pid_t at = getpid();

	for (int i = 0; at > 1 && i < 32; i++) {
		struct proc_stat st;

		if (at == pid)
			return true;
		if (proc_stat(d->t->proc, at, &st))
			return false;
		at = st.ppid;
	}
	return false;
}

/* The first process holds the namespace (pause); what runs beside it while nothing listens yet is an init program. */
static const struct fact_process *init_program(struct doctor *d)
{
	const struct fact_process *first = facts_processes(d);

	for (const struct fact_process *p = first ? first->next : NULL; p; p = p->next)
		if (strcmp(p->comm, "pause") != 0 && !is_ours(d, p->pid))
			return p;
	return NULL;
}

static bool proxy_was_there(struct doctor *d)
{
	for (const struct pod_container *c = d->t->pod ? d->t->pod->containers : NULL; c; c = c->next)
		if (c->name && strcmp(c->name, "istio-proxy") == 0)
			return true;
	return facts_proxy(d) != NULL;
}

const struct fact_process *early_program(struct doctor *d)
{
	const struct ruleset *rs = facts_rules(d);
	const struct netview *nv;
	unsigned port = 0;

	if (d->opt->host || !rs || facts_mesh(d)->mode != MESH_SIDECAR || !chains_each(rs, redirects, &port) || proxy_was_there(d))
		return NULL;
	nv = facts_net(d);
	if (!nv || nv->sockets_unread)
		return NULL;
	for (unsigned i = 0; i < nv->n_sockets; i++)
		if (nv->sockets[i].listening && nv->sockets[i].protocol == IPPROTO_TCP)
			return NULL;
	return init_program(d);
}

static void check(struct doctor *d)
{
	const struct fact_process *p = early_program(d);
	struct doctor_finding *f;

	if (!p)
		return;
	f = doctor_find(d, "%s runs before the proxy does: the rules are in place, so each of its connections is refused", p->comm);
	doctor_see(d, f, "process", "/proc", "pid %d, %s, uid %u; no proxy runs or ran", (int)p->pid, p->comm, p->uid);
	doctor_see(d, f, "listeners", "sockets of the namespace", "none, so none on 15001");
	doctor_fix(d, f, "run the init container as user 1337 (runAsUser), whose connections pass");
	doctor_fix(d, f, "or exclude what it needs: traffic.sidecar.istio.io/excludeOutboundPorts, excludeOutboundIPRanges");
	doctor_fix(d, f, "or let the proxy start first: native sidecars (ENABLE_NATIVE_SIDECARS=true)");
}

const struct doctor_entry doctor_d15 = {
	.id = "D15",
	.title = "an init container has no network",
	.link = "https://github.com/istio/istio/issues/23802",
	.explain = "istio-cni writes the rules before the first container starts, and the proxy starts after the init containers:\n"
		   "whatever these want from the network is sent to a port on which nobody listens yet.\n"
		   "It is told by rules that lead to 15001, no listener at all, no proxy that runs or ran, and a program beside\n"
		   "the one that holds the namespace. When a proxy was there and is gone it is D16.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
