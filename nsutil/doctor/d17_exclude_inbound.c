/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d17_exclude_inbound - excluded inbound ports are captured all the same */
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/intent.h"

#define ANNOTATION "traffic.sidecar.istio.io/"

static bool captures(const struct rule *r)
{
	const char *to = chains_jump(r);

	if (to)
		return strcmp(to, "ISTIO_IN_REDIRECT") == 0 || strcmp(to, "ISTIO_TPROXY") == 0 || strcmp(to, "istio-in-redirect") == 0 ||
		       strcmp(to, "istio-tproxy") == 0;
	return chains_port(r, NULL) != 0;
}

/* The first rule that decides about a port: it captures, it lets pass, or there is none. */
static const struct rule *decides(const struct chain *c, unsigned port)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (const struct rule *r = c->rules; r; r = r->next) {
		const char *text = chains_text(r, &b);

		if ((captures(r) || chains_returns(r)) && (chains_dport(text) == port || chains_catches_all(text)))
			return r;
	}
	return NULL;
}

/* A rule for one port that stands behind the one that takes all, and alone: when one stands in front too, it is D12. */
static const struct rule *too_late(const struct chain *c, const struct rule **ret_all)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule *all = NULL;

	for (const struct rule *r = c->rules; r; r = r->next) {
		const char *text = chains_text(r, &b);

		if (all && chains_returns(r) && chains_dport(text) && decides(c, chains_dport(text)) == all) {
			*ret_all = all;
			return r;
		}
		if (captures(r) && chains_catches_all(text))
			all = r;
	}
	return NULL;
}

static void see_rule(struct doctor *d, struct doctor_finding *f, const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	doctor_see(d, f, r->chain->name, store_name(r->chain->table->store), "rule %u: %s", r->index, chains_text(r, &b));
}

static void report_order(struct doctor *d, const struct rule *late, const struct rule *all)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	f = doctor_find(d, "port %u is to be left out of capture, but its rule stands behind the one that captures all",
			chains_dport(chains_text(late, &b)));
	see_rule(d, f, all);
	see_rule(d, f, late);
	doctor_fix_self(d, f, "istio verify");
	doctor_fix(d, f, "the RETURN must stand in front: apply the rules anew with the port in ISTIO_LOCAL_EXCLUDE_PORTS");
}

static void report_port(struct doctor *d, const struct rule *r, unsigned port, const char *include)
{
	struct doctor_finding *f;
	bool list = include && strcmp(include, "*") != 0;

	f = doctor_find(d, "excludeInboundPorts names port %u, and it is captured all the same%s", port,
			list ? ": the exclusion counts only when all ports are included" : "");
	doctor_see(d, f, "excludeInboundPorts", "annotations of the pod", "%s", intent_annotation(d, ANNOTATION "excludeInboundPorts"));
	doctor_see(d, f, "includeInboundPorts", "annotations of the pod", "%s", include ? include : "not set");
	see_rule(d, f, r);
	if (list)
		doctor_fix(d, f, ANNOTATION "includeInboundPorts: \"*\", or take %u out of its list; then delete the pod", port);
	else
		doctor_fix(d, f, "delete the pod: its rules were written before the annotation, or by a program that did not see it");
}

static bool check_chain(struct doctor *d, const struct chain *c)
{
	const char *list = intent_annotation(d, ANNOTATION "excludeInboundPorts");
	const struct rule *all = NULL, *late = too_late(c, &all);
	unsigned port;

	if (late) {
		report_order(d, late, all);
		return true;
	}
	while ((port = intent_each(&list))) {
		const struct rule *r = decides(c, port);

		if (!r || !captures(r))
			continue;
		report_port(d, r, port, intent_annotation(d, ANNOTATION "includeInboundPorts"));
		return true;
	}
	return false;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (chains_named(c, "ISTIO_INBOUND") && !strstr(t->name, "raw") && check_chain(d, c))
				return;
}

const struct doctor_entry doctor_d17 = {
	.id = "D17",
	.title = "an excluded inbound port is captured",
	.link = "https://github.com/istio/istio/issues/11660",
	.explain = "excludeInboundPorts counts only while includeInboundPorts is \"*\"; a port that both lists name is captured. And\n"
		   "a rule that lets a port pass must stand in front of the one that captures all.\n"
		   "It is told by the order of the rules in ISTIO_INBOUND, and by the pod's annotations (as the proxy has them)\n"
		   "against the first rule that decides about each port.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_POD,
	.check = check,
};
