/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show - the rules Istio would program, as a table, as its own text, as JSON */
#include <inttypes.h>
#include <string.h>

#include "commands/head.h"
#include "commands/istio/common.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"

static void put_sources(const struct istio_config *c, bool all, struct out *o)
{
	static const struct out_column columns[] = { { .head = "SETTING" }, { .head = "VALUE" }, { .head = "FROM" },
						     { .head = NULL } };

	if (!all && !out_structured(o))
		return;
	out_table(o, columns);
	out_object(o, "sources");
	for (const struct istio_setting *s = istio_settings; s->field; s++) {
		out_row(o);
		out_cell(o);
		out_text(o, "%s", s->env);
		out_cell(o);
		out_text(o, "%s", istio_config_text(c, s));
		out_cell(o);
		out_str(o, s->env, "%s", istio_config_origin(c, s));
	}
	out_object_end(o);
	out_table_end(o);
	if (all)
		out_nl(o);
}

static void put_rule(const struct istio_rule *r, const char *family, struct out *o)
{
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "family", "%s", family);
	out_cell(o);
	out_style(o, STYLE_NAME);
	out_str(o, "table", "%s", r->table);
	out_cell(o);
	out_str(o, "chain", "%s", r->chain);
	out_style(o, STYLE_PLAIN);
	out_int(o, "position", NULL, r->position);
	out_cell(o);
	out_str(o, "rule", "%s", r->text);
	out_cell(o);
	out_style(o, STYLE_DIM);
	out_str(o, "purpose", "%s", istio_role_does(r->role));
	out_style(o, STYLE_PLAIN);
	out_object_end(o);
}

static void put_rules(const struct istio_job *job, struct out *o)
{
	static const struct out_column columns[] = {
		{ .head = "FAMILY" }, { .head = "TABLE" }, { .head = "CHAIN" },
		{ .head = "RULE" },   { .head = "WHAT FOR", .wide = true }, { .head = NULL },
	};
	const struct {
		const char *family;
		const struct istio_rules *rules;
		unsigned bit;
	} lists[] = { { "ip", &job->plan->v4, 1 }, { "ip6", &job->plan->v6, 2 }, { "inet", &job->plan->nft, 3 } };

	out_table(o, columns);
	out_array(o, "rules");
	for (unsigned l = 0; l < ARRAY_SIZE(lists); l++)
		for (unsigned i = 0; i < lists[l].rules->n && (job->families & lists[l].bit); i++)
			put_rule(&lists[l].rules->at[i], lists[l].family, o);
	out_array_end(o);
	out_table_end(o);
}

/* What Istio would hand to iptables-restore or to nft. */
static void plan_text(const struct istio_job *job, unsigned families, struct buf *b)
{
	if (families & 1)
		istio_plan_restore(&job->plan->v4, b);
	if (families & 2)
		istio_plan_restore(&job->plan->v6, b);
	istio_plan_nft(job->plan, b);
}

static void put_texts(const struct istio_job *job, struct out *o)
{
	static const char *const names[] = { "ip", "ip6" };
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!out_structured(o))
		return;
	out_object(o, "restore");
	for (unsigned i = 0; i < 2; i++) {
		buf_reset(&b);
		istio_plan_restore(i ? &job->plan->v6 : &job->plan->v4, &b);
		out_str(o, names[i], NULL, b.len ? buf_cstr(&b) : NULL);
	}
	out_object_end(o);
	buf_reset(&b);
	istio_plan_nft(job->plan, &b);
	out_str(o, "nft", NULL, b.len ? buf_cstr(&b) : NULL);
}

/* Done beside the packet rules, through rtnetlink. */
static int put_steps(const struct istio_job *job, struct out *o, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct istio_routing r;

	if (istio_routing_plan(job->arena, job->config, job->families, &r) < 0)
		return err_oom(e);
	if (r.n_wanted)
		out_nl(o);
	out_array(o, "routing");
	for (unsigned i = 0; i < r.n_wanted; i++) {
		buf_reset(&b);
		istio_step_words(&r.wanted[i], true, &b);
		out_str(o, NULL, "ip %s\n", buf_cstr(&b));
	}
	out_array_end(o);
	return buf_failed(&b) ? err_oom(e) : 0;
}

static int put_all(const struct istio_job *job, bool explain, struct out *o, struct err *e)
{
	out_begin(o, "istio-show");
	head_target(job->target, o);
	istio_put_expected(job, o);
	out_nl(o);
	put_sources(job->config, explain, o);
	put_rules(job, o);
	if (put_steps(job, o, e) < 0)
		return -1;
	put_texts(job, o);
	out_end(o);
	istio_put_notes(job->config, o);
	return 0;
}

/* Nothing was typed: the pod's own configuration, or what its rules say. Who may not read rules, or has none, gets
 * the preset. */
static int find_config(struct istio_job *job, struct err *e)
{
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_netview_ struct netview *nv = NULL;

	if (job->typed)
		return 0;
	if (load_ruleset(job->target, LOAD_ALL, &rs, NULL) == 0)
		istio_job_netview(job, &nv, NULL);
	return istio_job_recognise(job, rs, nv, e);
}

extern const struct command command_istio_show;

static int run_show(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct istio_job job = { .arena = a };

	if (!a)
		return err_oom(e);
	if (istio_job_begin(s, &command_istio_show, args, &job, e) < 0 || find_config(&job, e) < 0)
		return -1;
	job.config->native_nftables |= out_format(o) == OUT_NFT;
	if (istio_job_plan(&job, e) < 0)
		return -1;
	if (out_format(o) == OUT_SAVE || out_format(o) == OUT_NFT) {
		plan_text(&job, job.families, &b);
		if (buf_failed(&b))
			return err_oom(e);
		out_raw(o, buf_cstr(&b), b.len);
		istio_put_notes(job.config, o);
		return 0;
	}
	return put_all(&job, command_opt(&command_istio_show, args, "explain"), o, e);
}

static const struct command_option options[] = {
	ISTIO_OPTION_PRESET, ISTIO_OPTION_VERSION, ISTIO_OPTION_IPV4, ISTIO_OPTION_IPV6,
	{ "explain", 0, ARG_NONE, NULL, NULL, "every setting with its value and where that comes from" },
	{ .name = NULL },
};

static const char *const examples[] = {
	"istio show -o save",
	"istio show -o nft ISTIO_META_DNS_CAPTURE=true DNS_SERVERS=10.96.0.10",
	"istio show -- -p 15001 -z 15006 -u 1337 -m TPROXY -i '*' -x '' -b '*' -d 15090,15021,15020",
	NULL,
};

const struct command command_istio_show = {
	.name = "istio show",
	.summary = "the rules Istio programs for a configuration",
	.operands = ISTIO_OPERANDS,
	.operand_kind = ARG_ISTIO_SETTING,
	.operand_choices = istio_setting_names,
	.max_args = -1,
	.options = options,
	.formats = OUT_WIDE | OUT_SAVE | OUT_NFT,
	.description = "Shows every rule in the order Istio plans it. -o save prints the text Istio hands to\n"
		       "iptables-restore --noflush (IPv4, then IPv6), -o nft its native nftables transaction.\n\n"
		       ISTIO_ABOUT_SETTINGS "\nSettings:\n" ISTIO_SETTING_HELP,
	.examples = examples,
	.run = run_show,
};
