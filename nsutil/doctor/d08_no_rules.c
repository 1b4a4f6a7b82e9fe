/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d08_no_rules - a pod of the mesh has none of Istio's rules: its traffic goes past the proxy */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/legacy.h"
#include "nsutil/doctor/raw.h"

enum { PORT_HBONE = 15008 };

/* ztunnel listens in the pod's namespace, mostly from outside; in a pod of its own it needs no rules. */
static bool is_ambient(struct doctor *d, char why[160])
{
	const struct netview *nv = facts_net(d);
	const struct nv_socket *s = nv ? facts_listens(nv, IPPROTO_TCP, PORT_HBONE) : NULL;
	const char *name = d->t->pod && d->t->pod->name ? d->t->pod->name : "";

	if (!s || strncmp(name, "ztunnel", 7) == 0 || strcmp(s->process, "ztunnel") != 0)
		return false;
	snprintf(why, 160, "ztunnel (pid %d) listens on %d in it", (int)s->pid, PORT_HBONE);
	return true;
}

/* The log tells a cause that has a diagnosis of its own. */
static bool told_by_log(struct doctor *d)
{
	static const enum log_kind kinds[] = { LOG_NOT_ROOT, LOG_NO_EXTENSION, LOG_LOCKED, LOG_INCOMPATIBLE, LOG_NO_EXPRESSION,
					       LOG_READ_ONLY, LOG_CHAIN_EXISTS, LOG_NO_JSON, LOG_SELINUX, LOG_AUTOPILOT,
					       LOG_SWALLOWED, LOG_NO_FAMILY };
	const struct log *l = facts_log(d);
	struct raw_missing m;

	if (raw_missing(d, &m)) /* D24 */
		return true;
	for (unsigned i = 0; l && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (log_hit(l, kinds[i]))
			return true;
	return false;
}

/* istio-validation looks before the proxy starts, and keeps the pod from starting when nothing is captured. */
static bool failed_validation(struct doctor *d, char why[160])
{
	if (!log_hit(facts_log(d), LOG_VALIDATION))
		return false;
	snprintf(why, 160, "istio-validation says that nothing is captured");
	return true;
}

static void see_log(struct doctor *d, struct doctor_finding *f)
{
	const struct log *l = facts_log(d);
	char where[400];

	for (unsigned i = 0; l && i < l->n; i++) {
		snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, l->hits[i].line);
		doctor_see(d, f, "istio-init's log", where, "%s", l->hits[i].text);
	}
}

/* Telemetry that is silently gone: the proxy is well and counts no request. */
static void see_envoy(struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_envoy *env = facts_envoy(d);

	if (env->stats_asked)
		doctor_see(d, f, "Envoy", "127.0.0.1:15000/stats", "%s", env->requests_total ? "istio_requests_total is there"
										   : "no istio_requests_total: it has seen no request");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	struct doctor_finding *f;
	char why[160];
	bool ambient;

	if (!rs || chains_stores(rs, 0, "Istio") || doctor_found(d, "D01") || doctor_found(d, "D02") || told_by_log(d))
		return;
	if (rs->unread) {
		doctor_unsure(d, "a store could not be read: %s", rs->unread->why);
		return;
	}
	ambient = is_ambient(d, why);
	if (!ambient && facts_module(d, "xt_owner") == MODULE_MISSING) /* D34 */
		return;
	if (!ambient && !is_sidecar(d, why) && !failed_validation(d, why))
		return;
	f = doctor_find(d, "the pod is in the mesh, but there is no rule of Istio's: all its traffic goes past the proxy");
	doctor_see(d, f, "mesh", "/proc", "%s", why);
	doctor_see(d, f, "rules", "all stores", "none of Istio's");
	see_log(d, f);
	see_envoy(d, f);
	if (!ambient)
		f->mend = DOCTOR_MEND_RULES;
	doctor_fix(d, f, "delete the pod, so that it is set up anew; look at istio-cni-node of this node when it comes again");
	if (!ambient)
		doctor_fix_self(d, f, "istio apply");
}

const struct doctor_entry doctor_d08 = {
	.id = "D08",
	.title = "in the mesh, but nothing is captured",
	.link = "https://github.com/istio/istio/issues/14327",
	.explain = "The pod started before the CNI plugin was ready, or istio-init failed and was passed over: the proxy runs,\n"
		   "and no rule leads to it. Traffic flows, without mTLS, policy and telemetry.\n"
		   "It is told by a sidecar (the proxy's role, its listeners on 15001 or 15006, an application beside it, or istio-init\n"
		   "among the pod's containers), ztunnel's listener in the namespace or istio-validation's log, and no chain of\n"
		   "Istio's in any store. Gateways and waypoints have no rules by design.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
