/* SPDX-License-Identifier: GPL-2.0-or-later */
/* surroundings - the end of a doctor's report: detectors, kernel, iptables programs, Envoy */
#include <inttypes.h>
#include <string.h>

#include "commands/doctor/doctor.h"
#include "nsutil/doctor/doctor.h"

static void put_verdicts(const struct doctor_report *r, struct out *o)
{
	out_array(o, "verdicts");
	for (unsigned i = 0; i < DOCTOR_VERDICTS; i++) {
		const struct doctor_verdict *v = &r->verdicts[i];

		out_object(o, NULL);
		out_str(o, "detector", "%s would choose ", v->detector);
		out_str(o, "store", "%s: ", v->store);
		out_str(o, "why", "%s", v->why);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
	out_bool(o, "verdicts_agree", NULL, r->verdicts_agree);
	if (!r->verdicts_agree && strcmp(r->verdicts[0].store, "unknown") != 0)
		out_text(o, "they disagree: what one of them writes, another may not see\n");
}

static void put_kernel(const struct doctor_kernel *k, struct out *o)
{
	if (!k->release) {
		if (out_structured(o))
			out_null(o, "kernel");
		return;
	}
	out_object(o, "kernel");
	out_str(o, "release", "kernel %s:", k->release);
	out_array(o, "modules");
	for (unsigned i = 0; i < k->n_modules; i++) {
		out_object(o, NULL);
		out_str(o, "name", NULL, k->modules[i].name);
		out_str(o, "state", NULL, k->modules[i].state);
		if (i < 6)
			out_text(o, "%s %s %s", i ? "," : "", k->modules[i].name, k->modules[i].state);
		out_object_end(o);
	}
	out_array_end(o);
	out_nl(o);
	if (k->xtables_legacy && !*k->xtables_legacy && out_structured(o))
		out_str(o, "xtables_legacy", NULL, "no such option");
	else
		out_str(o, "xtables_legacy", NULL, k->xtables_legacy);
	if (k->xtables_legacy && *k->xtables_legacy)
		out_text(o, "CONFIG_NETFILTER_XTABLES_LEGACY=%s (%s); ", k->xtables_legacy, k->config);
	out_str(o, "config", NULL, k->config);
	out_str(o, "selinux", "SELinux %s; ", k->selinux);
	out_bool(o, "modprobe", NULL, k->modprobe);
	out_text(o, "modules can%s be loaded from here: ", k->modprobe ? "" : "not");
	out_str(o, "modprobe_why", "%s", k->modprobe_why);
	out_nl(o);
	out_object_end(o);
}

static void put_programs(const struct doctor_program *p, struct out *o)
{
	out_array(o, "iptables");
	for (; p; p = p->next) {
		out_object(o, NULL);
		out_str(o, "where", "iptables of the %s: ", p->where);
		out_str(o, "variant", "%s ", p->variant);
		out_str(o, "version", "%s ", p->version);
		out_str(o, "path", "(%s)", p->path);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

static void put_listeners(const struct doctor_envoy *env, struct out *o)
{
	out_text(o, "listeners ");
	out_array(o, "listeners");
	for (unsigned i = 0; i < env->n_listeners; i++) {
		out_text(o, "%s", i ? "," : "");
		out_uint(o, NULL, "%" PRIu64, env->listeners[i]);
	}
	out_array_end(o);
	if (!env->listeners_asked)
		out_text(o, "not known (%s)", env->listeners_why);
	else if (!env->n_listeners)
		out_text(o, "none");
	out_str(o, "listeners_why", NULL, env->listeners_why[0] ? env->listeners_why : NULL);
}

static void put_envoy(const struct doctor_envoy *env, struct out *o)
{
	if (!env->asked) {
		if (out_structured(o))
			out_null(o, "envoy");
		return;
	}
	out_object(o, "envoy");
	if (env->ready)
		out_int(o, "ready", "Envoy: /healthz/ready %" PRId64 "; ", env->ready);
	else if (out_structured(o))
		out_null(o, "ready");
	else
		out_text(o, "Envoy: /healthz/ready not known (%s); ", env->ready_why);
	out_str(o, "ready_why", NULL, env->ready_why[0] ? env->ready_why : NULL);
	put_listeners(env, o);
	if (env->stats_asked)
		out_bool(o, "requests_total", NULL, env->requests_total);
	else if (out_structured(o))
		out_null(o, "requests_total");
	out_str(o, "stats_why", NULL, env->stats_why[0] ? env->stats_why : NULL);
	if (env->stats_asked)
		out_text(o, "; istio_requests_total is %sthere", env->requests_total ? "" : "not ");
	else
		out_text(o, "; istio_requests_total not known (%s)", env->stats_why);
	out_nl(o);
	out_object_end(o);
}

void doctor_put_surroundings(const struct doctor_report *r, struct out *o)
{
	out_style(o, STYLE_DIM);
	put_verdicts(r, o);
	put_kernel(&r->kernel, o);
	put_programs(r->programs, o);
	put_envoy(&r->envoy, o);
	out_style(o, STYLE_PLAIN);
}
