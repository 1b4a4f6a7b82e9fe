/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common - what the istio commands share: their operands, the configuration, words for it */
#include "commands/istio/common.h"

#include <inttypes.h>
#include <string.h>

#include "nsutil/istio/facts.h"

const char *const istio_preset_names[] = { "istio-init", "cni", "vm", "ambient", "none", NULL };

static int make_config(const struct command *c, const struct command_args *args, struct istio_job *job,
		       struct err *e)
{
	const char *preset = command_opt(c, args, "preset");
	int typed = args->dash_dash;

	if (!preset)
		preset = typed < args->argc ? "none" : "istio-init";
	if (istio_config_new(job->arena, preset, &job->config, e) < 0)
		return -1;
	for (int i = 0; i < typed; i++)
		if (istio_config_set(job->config, args->argv[i], e) < 0)
			return -1;
	return istio_config_argv(job->config, args->argc - typed, args->argv + typed, e);
}

int istio_job_make(struct session *s, const struct command *c, const struct command_args *args, bool native,
		   struct istio_job *job, struct err *e)
{
	bool v4 = command_opt(c, args, "ipv4"), v6 = command_opt(c, args, "ipv6");
	struct istio_facts facts;

	job->families = v4 == v6 ? 3 : v4 ? 1 : 2;
	if (make_config(c, args, job, e) < 0 || session_target(s, &job->target, e) < 0)
		return -1;
	if (native)
		job->config->native_nftables = true;
	if (istio_facts_read(job->arena, job->target, job->config, &facts, e) < 0 ||
	    istio_config_resolve(job->config, &facts, e) < 0)
		return -1;
	return istio_plan_make(job->arena, job->config, &job->plan, e);
}

void istio_put_target(const struct target *t, struct out *o)
{
	out_object(o, "target");
	out_str(o, "label", NULL, t->label);
	out_uint(o, "pid", NULL, (uint64_t)t->pid);
	out_uint(o, "inode", NULL, t->netns.inode);
	out_object_end(o);
}

void istio_put_notes(const struct istio_config *c, struct out *o)
{
	for (unsigned i = 0; i < c->notes.n; i++)
		out_note(o, "%s", c->notes.items[i]);
}

static const char *mode_of(const struct istio_config *c)
{
	return c->ambient ? "ambient" : c->tproxy ? "TPROXY" : "REDIRECT";
}

void istio_put_expected(const struct istio_job *job, struct out *o)
{
	const struct istio_config *c = job->config;

	out_object(o, "expected");
	out_text(o, "Istio ");
	out_str(o, "mode", "%s", mode_of(c));
	out_str(o, "version", NULL, "1.30");
	out_str(o, "backend", NULL, c->native_nftables ? "nftables" : "iptables");
	out_text(o, ", IPv4%s%s%s", c->ipv6 ? " and IPv6" : "", c->dns ? ", DNS capture" : "",
		 c->native_nftables ? ", native nftables" : "");
	out_bool(o, "ipv6", NULL, c->ipv6);
	out_bool(o, "dns", NULL, c->dns);
	out_object(o, "settings");
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		out_str(o, s->env, NULL, istio_config_text(c, s));
	out_object_end(o);
	out_object_end(o);
	out_nl(o);
}
