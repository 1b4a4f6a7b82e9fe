/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify - compares Istio's rules of a namespace with what the configuration asks for */
#include <inttypes.h>
#include <string.h>

#include "commands/head.h"
#include "commands/istio/common.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/verify.h"
#include "nsutil/load.h"

static enum out_style style_of(enum istio_diff_kind kind)
{
	return kind == ISTIO_DIFF_MISSING ? STYLE_DEL : kind == ISTIO_DIFF_EXTRA ? STYLE_ADD : STYLE_WARN;
}

static void put_place(const struct istio_diff *d, struct out *o)
{
	out_cell(o);
	out_str(o, "store", "%s", store_name(d->store));
	out_cell(o);
	out_str(o, "family", "%s ", family_name(d->family));
	out_str(o, "table", "%s", d->table);
	out_cell(o);
	out_str(o, "chain", "%s", d->chain);
	out_cell(o);
	if (d->index)
		out_uint(o, "index", "%" PRIu64, d->index);
	else
		out_null(o, "index");
}

static void put_difference(const struct istio_diff *d, struct out *o)
{
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_style(o, style_of(d->kind));
	out_str(o, "kind", "%s", istio_diff_name(d->kind));
	out_style(o, STYLE_PLAIN);
	put_place(d, o);
	out_cell(o);
	out_str(o, "rule", "%s", d->rule);
	out_str(o, "expected", NULL, d->expected);
	if (d->expected)
		out_text(o, "  instead of  %s", d->expected);
	out_cell(o);
	out_str(o, "effect", "%s", d->effect);
	out_object_end(o);
}

static void put_differences(const struct istio_report *r, struct out *o)
{
	static const struct out_column columns[] = {
		{ .head = "WHAT" },  { .head = "STORE" }, { .head = "TABLE" },	{ .head = "CHAIN" },
		{ .head = "#", .right = true }, { .head = "RULE" }, { .head = "EFFECT" }, { .head = NULL },
	};

	if (r->n)
		out_table(o, columns);
	out_array(o, "differences");
	for (unsigned i = 0; i < r->n; i++)
		put_difference(&r->at[i], o);
	out_array_end(o);
	if (r->n)
		out_table_end(o);
}

static void put_stores(const struct istio_report *r, unsigned families, struct out *o)
{
	static const char *const keys[] = { "ip", "ip6" };

	out_array(o, "stores");
	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (r->stores & (1U << s))
			out_str(o, NULL, NULL, store_name((enum store)s));
	out_array_end(o);
	out_object(o, "checked");
	for (unsigned v6 = 0; v6 < 2; v6++)
		if (families & (1U << v6))
			out_str(o, keys[v6], NULL, store_name(r->checked[v6]));
		else
			out_null(o, keys[v6]);
	out_object_end(o);
}

static void put_unread(const struct ruleset *rs, struct out *o)
{
	out_array(o, "unread");
	for (const struct unread *u = rs->unread; u; u = u->next) {
		out_object(o, NULL);
		out_style(o, STYLE_BAD);
		out_text(o, "not read: ");
		out_style(o, STYLE_PLAIN);
		out_str(o, "store", "%s ", store_name(u->store));
		out_str(o, "table", NULL, u->table);
		out_str(o, "why", "%s", u->why);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

static void put_summary(const struct istio_report *r, struct out *o)
{
	unsigned held = 0, n = r->n + r->routing.n;

	out_nl(o);
	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (r->stores & (1U << s))
			out_text(o, "%s%s", held++ ? ", " : "Istio's rules are in: ", store_name((enum store)s));
	if (!held)
		out_text(o, "no store holds rules of Istio's");
	out_text(o, ". ");
	out_style(o, r->clean ? STYLE_GOOD : STYLE_BAD);
	if (r->clean)
		out_text(o, "They are as they should be.");
	else
		out_text(o, "%u difference%s.", n, n == 1 ? "" : "s");
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

static void put_report(const struct istio_job *job, const struct ruleset *rs, const struct istio_report *r,
		       struct out *o)
{
	out_begin(o, "istio-verify");
	head_target(job->target, o);
	out_bool(o, "clean", NULL, r->clean);
	out_text(o, "expected: ");
	istio_put_expected(job, o);
	put_stores(r, job->families, o);
	if (r->n || r->routing.n)
		out_nl(o);
	put_differences(r, o);
	if (r->n && r->routing.n)
		out_nl(o);
	istio_put_routing(&r->routing, true, o);
	put_unread(rs, o);
	put_summary(r, o);
	out_end(o);
	istio_put_notes(job->config, o);
}

extern const struct command command_istio_verify;

static int run_verify(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_netview_ struct netview *nv = NULL;
	struct istio_job job = { .arena = a };
	struct istio_report report;
	int store;

	if (!a)
		return err_oom(e);
	if (istio_job_store(&command_istio_verify, args, &store, e) < 0 ||
	    istio_job_begin(s, &command_istio_verify, args, &job, e) < 0 ||
	    load_ruleset(job.target, LOAD_ALL, &rs, e) < 0 || istio_job_native(&job, rs, store, e) < 0)
		return -1;
	if (load_netview(job.target, NETVIEW_ALL, &nv, e) < 0 || istio_job_recognise(&job, rs, nv, e) < 0 || istio_job_plan(&job, e) < 0 ||
	    istio_verify(a, rs, job.plan, job.families, store, nv, &report, e) < 0)
		return -1;
	put_report(&job, rs, &report, o);
	return !report.clean;
}

static const struct command_option options[] = {
	ISTIO_OPTION_PRESET, ISTIO_OPTION_VERSION, ISTIO_OPTION_IPV4, ISTIO_OPTION_IPV6,
	ISTIO_OPTION_STORE("the store that should hold the rules; by default the one that does"),
	{ .name = NULL },
};

static const char *const examples[] = {
	"istio verify",
	"istio verify -o json ISTIO_SERVICE_EXCLUDE_CIDR=10.0.0.0/8",
	NULL,
};

const struct command command_istio_verify = {
	.name = "istio verify",
	.summary = "compare Istio's rules with what the configuration asks for; status 1 when they differ",
	.operands = ISTIO_OPERANDS,
	.operand_kind = ARG_ISTIO_SETTING,
	.operand_choices = istio_setting_names,
	.max_args = -1,
	.options = options,
	.flags = COMMAND_REPEAT,
	.description = "Finds rules that are missing, extra, misplaced, changed or duplicate, in order and by\n"
		       "meaning, and says what each does to the traffic: the connections that matter are followed\n"
		       "through the rules as they should be, and again with this one difference in them. Foreign\n"
		       "rules in built-in chains are no\n"
		       "difference; Istio's rules in a second store are, because the kernel evaluates them too.\n"
		       ISTIO_ABOUT_SETTINGS,
	.examples = examples,
	.run = run_verify,
};
