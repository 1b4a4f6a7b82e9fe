/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common - what the istio commands share: their operands, the configuration, words for it */
#include "commands/istio/common.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/facts.h"
#include "nsutil/istio/pod_config.h"
#include "nsutil/istio/recognise.h"
#include "nsutil/istio/undo.h"
#include "nsutil/istio/verify.h"
#include "nsutil/load.h"
#include "nsutil/ruleset/model.h"

const char *const istio_preset_names[] = { "istio-init", "cni", "vm", "ambient", "none", NULL };
const char *const istio_store_names[] = { "legacy", "compat", "native", NULL };

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
	if (command_opt(c, args, "istio-version")) {
		static const char name[] = "Version";

		if (istio_config_value(job->config, istio_setting_find(name, strlen(name)), command_opt(c, args, "istio-version"),
				       ISTIO_FROM_ARGV, e) < 0)
			return -1;
	}
	return istio_config_argv(job->config, args->argc - typed, args->argv + typed, e);
}

int istio_job_begin(struct session *s, const struct command *c, const struct command_args *args,
		    struct istio_job *job, struct err *e)
{
	bool v4 = command_opt(c, args, "ipv4"), v6 = command_opt(c, args, "ipv6");

	job->families = v4 == v6 ? 3 : v4 ? 1 : 2;
	job->typed = args->argc > 0 || command_opt(c, args, "preset");
	if (make_config(c, args, job, e) < 0 || session_target(s, &job->target, e) < 0)
		return -1;
	if (job->target->netns.inode && istio_undo_known(job->arena, &job->target->netns, &job->config->known) < 0)
		return err_oom(e);
	return 0;
}

int istio_job_plan(struct istio_job *job, struct err *e)
{
	struct istio_facts facts;

	if (istio_facts_read(job->arena, job->target, job->config, &facts, e) < 0 ||
	    istio_config_resolve(job->config, &facts, e) < 0)
		return -1;
	return istio_plan_make(job->arena, job->config, &job->plan, e);
}

void istio_put_notes(const struct istio_config *c, struct out *o)
{
	for (unsigned i = 0; i < c->notes.n; i++)
		out_note(o, "%s", c->notes.items[i]);
}

static bool has_native(const struct ruleset *rs)
{
	bool native = false;

	for (const struct table *t = rs->tables; t; t = t->next) {
		native |= istio_owns_table(t);
		for (const struct chain *c = t->chains; c && t->store != STORE_NATIVE; c = c->next)
			if (istio_owns_chain(c->name))
				return false;
	}
	return native;
}

int istio_job_native(struct istio_job *job, const struct ruleset *rs, int store, struct err *e)
{
	struct istio_config *c = job->config;

	if (store == STORE_NATIVE)
		c->native_nftables = true;
	else if (store >= 0 && c->native_nftables)
		return err_set(e, ERR_USAGE, "NATIVE_NFTABLES='true'", "the %s store holds iptables rules",
			       store_name((enum store)store));
	if (!job->typed && store < 0 && has_native(rs))
		c->native_nftables = true;
	if (c->native_nftables && job->families != 3)
		return err_set(e, ERR_USAGE, "NATIVE_NFTABLES='true'", "native tables are of both families; -4 and -6 cannot be used");
	return 0;
}

/* Of a file, what a bundle noted of the pod. */
static int pod_config(struct istio_job *job, struct istio_config **found, enum istio_pod_knows *knows, struct err *e)
{
	struct bundle_about about;
	int r = load_about(job->target, job->arena, &about, e);

	if (r < 0)
		return -1;
	if (r == 1)
		return istio_pod_config_of(job->arena, &about.istio, found, knows, e);
	return job->target->kind == TARGET_FILE ? 0 : istio_pod_config(job->arena, job->target, found, knows, e);
}

int istio_job_recognise(struct istio_job *job, const struct ruleset *rs, const struct netview *nv, struct err *e)
{
	struct istio_config *found = NULL;
	enum istio_pod_knows knows = ISTIO_POD_NOTHING;

	if (job->typed)
		return 0;
	if (pod_config(job, &found, &knows, e) < 0)
		return -1;
	if (knows != ISTIO_POD_NOTHING) {
		found->native_nftables |= job->config->native_nftables;
		found->known = job->config->known;
		job->config = found;
	}
	return rs ? istio_recognise(job->config, rs, nv, e) : 0;
}

int istio_job_know(struct istio_job *job, struct err *e)
{
	struct istio_known *known = &job->config->known;
	struct istio_config *found = NULL;
	enum istio_pod_knows knows = ISTIO_POD_NOTHING;
	struct istio_list lists[2];

	if (job->typed)
		return 0;
	if (pod_config(job, &found, &knows, e) < 0)
		return -1;
	if (knows == ISTIO_POD_NOTHING)
		return 0;
	if (istio_split(job->arena, found->exclude_interfaces, &lists[0]) < 0 ||
	    istio_split(job->arena, found->virtual_interfaces, &lists[1]) < 0)
		return err_oom(e);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < lists[i].n; k++)
			if (istio_list_add(job->arena, i ? &known->virtual_nics : &known->excluded, lists[i].items[k]) < 0)
				return err_oom(e);
	return 0;
}

int istio_job_store(const struct command *c, const struct command_args *args, int *ret, struct err *e)
{
	const char *name = command_opt(c, args, "store");

	*ret = -1;
	if (!name)
		return 0;
	for (int s = STORE_LEGACY; s <= STORE_NATIVE; s++)
		if (strcmp(name, store_name((enum store)s)) == 0)
			*ret = s;
	if (*ret < 0)
		return err_set(e, ERR_USAGE, "--store", "'%s' is none of legacy, compat, native", name);
	return 0;
}

int istio_job_netview(const struct istio_job *job, struct netview **ret, struct err *e)
{
	return load_netview(job->target, NETVIEW_LINKS | NETVIEW_ROUTES, ret, e);
}

static void put_step(const struct istio_routing_edit *edit, bool diffs, struct out *o)
{
	static const char *const kinds[] = { "address", "rule", "route" };
	_cleanup_buf_ struct buf b = BUF_INIT;

	istio_step_words(&edit->step, diffs ? true : edit->add, &b);
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_style(o, edit->add != diffs ? STYLE_ADD : STYLE_DEL);
	out_str(o, "kind", diffs ? "%s" : NULL, edit->kind);
	out_str(o, "op", diffs ? NULL : "%s", edit->add ? "add" : "delete");
	out_style(o, STYLE_PLAIN);
	out_cell(o);
	out_str(o, "family", NULL, edit->step.family == AF_INET6 ? "ip6" : "ip");
	out_str(o, "what", "%s", kinds[edit->step.kind]);
	out_cell(o);
	out_str(o, "words", "ip %s", buf_cstr(&b));
	out_cell(o);
	out_str(o, "effect", diffs ? "%s" : NULL, edit->effect);
	out_object_end(o);
}

void istio_put_routing(const struct istio_routing *r, bool diffs, struct out *o)
{
	static const struct out_column columns[] = { { .head = "WHAT" }, { .head = "ROUTING" }, { .head = "COMMAND" },
						     { .head = "" }, { .head = NULL } };
	static const struct out_column effects[] = { { .head = "WHAT" }, { .head = "ROUTING" }, { .head = "COMMAND" },
						     { .head = "EFFECT" }, { .head = NULL } };

	if (r->n)
		out_table(o, diffs ? effects : columns);
	out_array(o, "routing");
	for (unsigned i = 0; i < r->n; i++)
		put_step(&r->at[i], diffs, o);
	out_array_end(o);
	if (r->n)
		out_table_end(o);
}

static const char *mode_of(const struct istio_config *c)
{
	return c->ambient ? "ambient" : c->tproxy ? "TPROXY" : "REDIRECT";
}

/* Whose word it is. */
static const char *from_of(const struct istio_job *job)
{
	return job->typed ? "settings" : job->config->told_by ? "pod" : job->config->recognised ? "rules" : "preset";
}

static void put_from(const struct istio_job *job, struct out *o)
{
	const struct istio_config *c = job->config;

	out_str(o, "from", NULL, from_of(job));
	out_str(o, "told_by", c->told_by ? "; as told by %s" : NULL, c->told_by);
	if (!c->told_by && c->recognised)
		out_text(o, "; recognised from the rules");
	out_str(o, "versions", c->versions && c->minor < 25 ? ", Istio %s" : NULL, c->versions);
}

void istio_put_expected(const struct istio_job *job, struct out *o)
{
	const struct istio_config *c = job->config;

	out_object(o, "expected");
	out_text(o, "Istio ");
	out_str(o, "mode", c->minor < 25 ? "%s " : "%s", mode_of(c));
	out_str(o, "version", c->minor < 25 ? "%s" : NULL, c->version);
	out_str(o, "backend", NULL, c->native_nftables ? "nftables" : "iptables");
	out_text(o, ", IPv4%s%s%s", c->ipv6 ? " and IPv6" : "", c->dns ? ", DNS capture" : "",
		 c->native_nftables ? ", native nftables" : "");
	put_from(job, o);
	out_bool(o, "ipv6", NULL, c->ipv6);
	out_bool(o, "dns", NULL, c->dns);
	out_object(o, "settings");
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		out_str(o, s->env, NULL, istio_config_text(c, s));
	out_object_end(o);
	out_object_end(o);
	out_nl(o);
}
