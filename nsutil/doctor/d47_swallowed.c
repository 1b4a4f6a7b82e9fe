/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d47_swallowed - an option of istio-init was taken for another's value */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/intent.h"

enum { PORT_IN = 15006 };

static struct doctor_finding *report(struct doctor *d)
{
	struct doctor_finding *f;

	f = doctor_find(d, "istio-init took one option for the value of another, so that a part of the traffic is not captured");
	doctor_fix(d, f, "look at the injector's template and values: an empty value needs quotes (-x '')");
	doctor_fix_self(d, f, "istio verify");
	return f;
}

/* The options of istio-init that take a value. */
static bool takes_value(const char *arg)
{
	return arg[0] == '-' && arg[1] && !arg[2] && strchr("pzeugmbdcixqoktr", arg[1]);
}

/* "-x", "-b", "*": the arguments themselves, as the runtime knows them. */
static bool told_by_args(struct doctor *d)
{
	for (const struct launch *l = d->t->pod ? d->t->pod->launches : NULL; l; l = l->next)
		for (unsigned i = 0; l->args && l->args[i] && l->args[i + 1]; i++) {
			const char *value = l->args[i + 1];
			struct doctor_finding *f;

			if (!takes_value(l->args[i]))
				continue;
			if (!takes_value(value)) {
				i++;
				continue;
			}
			f = report(d);
			doctor_see(d, f, "arguments", l->container, "%s %.200s", l->args[i], value);
			return true;
		}
	return false;
}

static bool told_by_log(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_SWALLOWED);
	struct doctor_finding *f;
	char where[400];

	if (!hit)
		return false;
	f = report(d);
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	return true;
}

static bool is_inbound(const struct rule *r, void *arg)
{
	(void)arg;
	return chains_named(r->chain, "ISTIO_INBOUND");
}

static bool is_outbound(const struct rule *r, void *arg)
{
	const struct rule **found = arg;

	if (!chains_named(r->chain, "ISTIO_OUTPUT") || !chains_jump(r))
		return false;
	*found = r;
	return true;
}

/*
 * Every Istio makes ISTIO_INBOUND and puts a rule into it, also where nothing inbound is to be captured; one that
 * read its options wrong does not.
 */
static void told_by_rules(struct doctor *d)
{
	const struct ruleset *rs = facts_rules(d);
	const char *include = intent_annotation(d, "traffic.sidecar.istio.io/includeInboundPorts");
	const struct netview *nv = rs && facts_mesh(d)->mode == MESH_SIDECAR ? doctor_sockets(d) : NULL;
	const struct rule *out = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	if (!nv || (include && !*include) || !facts_listens(nv, IPPROTO_TCP, PORT_IN) || chains_each(rs, is_inbound, NULL) ||
	    !chains_each(rs, is_outbound, &out))
		return;
	f = report(d);
	doctor_see(d, f, "rules", store_name(out->chain->table->store), "no ISTIO_INBOUND; outbound is captured by %s rule %u: %s",
		   out->chain->name, out->index, chains_text(out, &b));
	doctor_see(d, f, "listener", "sockets of the namespace", "%d, for inbound connections", PORT_IN);
}

static void check(struct doctor *d)
{
	if (!told_by_log(d) && !told_by_args(d))
		told_by_rules(d);
}

const struct doctor_entry doctor_d47 = {
	.id = "D47",
	.title = "an option of istio-init was swallowed",
	.link = "https://github.com/istio/istio/issues/28106",
	.explain = "A template that leaves an empty value out makes \"-x -b *\": -b becomes the value of -x, and no inbound port\n"
		   "is captured. It is told by istio-init's log, which prints its configuration, by its arguments as the runtime\n"
		   "knows them, or by outbound rules without a chain ISTIO_INBOUND beside a proxy that listens on 15006. Where\n"
		   "that chain is there and nothing leads to it, the pod may be meant so (includeInboundPorts: \"\").",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
