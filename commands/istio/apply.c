/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply - makes a namespace hold Istio's rules, in one store, and nothing else of Istio's */
#include "commands/istio/rehearse.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"

extern const struct command command_istio_apply;

/* What it takes to compute the change: for the target, and for a copy of it before and after. */
struct apply {
	struct istio_job job;
	int store;
	struct istio_native native[3];
	unsigned n_native;
	const struct ruleset *rs; /* of the target */
};

static void apply_clear(struct apply *x)
{
	for (unsigned i = 0; i < x->n_native; i++)
		istio_native_free(&x->native[i]);
}

static int compute(void *arg, const struct ruleset *rs, const struct netview *nv, struct istio_change *ret, struct err *e)
{
	struct apply *x = arg;
	struct istio_job *job = &x->job;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!job->config->native_nftables) {
		if (istio_change_apply(job->arena, rs, job->plan, job->families, x->store, ret, e) < 0)
			return -1;
		return nv ? istio_change_routing(ret, nv, job->config, false, e) : 0;
	}
	istio_plan_nft(job->plan, &b);
	if (buf_failed(&b))
		return err_oom(e);
	if (istio_native_parse(job->arena, buf_cstr(&b), &job->plan->nft, &x->native[x->n_native], e) < 0)
		return -1;
	x->n_native++;
	if (istio_change_native(job->arena, rs, &x->native[x->n_native - 1], job->plan, ret, e) < 0)
		return -1;
	return nv ? istio_change_routing(ret, nv, job->config, false, e) : 0;
}

static int rehearse(void *arg, struct out *o, struct err *e)
{
	struct apply *x = arg;

	return istio_rehearse(&x->job, x->rs, compute, x, o, e);
}

static int run_apply(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_netview_ struct netview *nv = NULL;
	_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 };
	_cleanup_(apply_clear) struct apply x = { .job = { .arena = a } };
	const struct istio_deed deed = {
		.wait = command_opt(&command_istio_apply, args, "wait"),
		.schema = "istio-apply",
		.nothing = "The rules are as they should be; nothing to do.",
		.question = "istio apply",
		.expects = true,
		.rehearse = command_opt(&command_istio_apply, args, "rehearse") ? rehearse : NULL,
		.arg = &x,
	};

	if (!a)
		return err_oom(e);
	if (istio_job_store(&command_istio_apply, args, &x.store, e) < 0 ||
	    istio_job_begin(s, &command_istio_apply, args, &x.job, e) < 0 ||
	    load_ruleset(x.job.target, LOAD_ALL, &rs, e) < 0 || istio_job_native(&x.job, rs, x.store, e) < 0)
		return -1;
	x.rs = rs;
	if (istio_job_netview(&x.job, &nv, e) < 0 || istio_job_recognise(&x.job, rs, nv, e) < 0 ||
	    istio_job_plan(&x.job, e) < 0 || compute(&x, rs, nv, &change, e) < 0)
		return -1;
	if (command_opt(&command_istio_apply, args, "no-guardrails"))
		istio_guard_none(&change);
	return istio_change_do(s, &x.job, &change, &deed, o, e);
}

static const struct command_option options[] = {
	ISTIO_OPTION_PRESET, ISTIO_OPTION_VERSION, ISTIO_OPTION_IPV4, ISTIO_OPTION_IPV6,
	ISTIO_OPTION_STORE("where to; by default where Istio's rules are, else where Istio would put them"),
	ISTIO_OPTION_WAIT, ISTIO_OPTION_GUARDS,
	{ "rehearse", 0, ARG_NONE, NULL, NULL, "make the change in a copy, show what becomes of connections; change nothing" },
	{ .name = NULL },
};

static const char *const examples[] = {
	"--dry-run istio apply",
	"-t shop/cart --yes istio apply --store compat",
	"-t shop/cart istio apply --rehearse --store compat",
	"istio apply -- -p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' -x '' -b '*' -d 15090,15021,15020",
	NULL,
};

const struct command command_istio_apply = {
	.name = "istio apply",
	.summary = "make the target hold Istio's rules",
	.operands = ISTIO_OPERANDS,
	.operand_kind = ARG_ISTIO_SETTING,
	.operand_choices = istio_setting_names,
	.max_args = -1,
	.options = options,
	.formats = OUT_SAVE,
	.flags = COMMAND_MUTATES,
	.description = "Puts in what is missing and takes out what is wrong, in one store; what Istio has in\n"
		       "another store is removed afterwards. Rules that are right keep their counters, foreign\n"
		       "rules are not touched. Each table is changed all or nothing, the legacy store under the\n"
		       "xtables lock. When all is right nothing is done.\n\n"
		       "With --store native, or NATIVE_NFTABLES=true, the rules are native nftables: a table that\n"
		       "differs is made anew, all in one transaction.\n\n"
		       "Without settings, what kind of rules there are is told from them, as 'istio verify' does;\n"
		       "--preset istio-init asks for the defaults in any case.\n"
		       "A repair or a move that takes more than one commit would let connections through that bypass\n"
		       "the proxy, or reach a wrong port, when it is half done. Meanwhile guardrails, six rules at the\n"
		       "head of the filter table, drop TCP and UDP, as Istio's own do; the plan shows them. They are\n"
		       "removed last; what a run that was killed leaves behind goes with the next apply, flush or undo.\n"
		       "One commit needs none: one legacy table, or anything that is in nftables before and after.\n\n"
		       "With --rehearse the change is made in a copy of the namespace, and a table shows where the\n"
		       "connections that matter end, before and after: each is sent through the kernel there, or, where\n"
		       "that cannot be done, followed through the rules, which is said. The target stays as it is.\n\n"
		       "--dry-run shows the plan; with -o save it is the text for iptables-restore --noflush.\n"
		       "The address ::6, the routing rules and the routes that Istio adds besides are set before the\n"
		       "rules, once, and those that nothing asks for are removed after them.\n\n"
		       ISTIO_ABOUT_SETTINGS,
	.examples = examples,
	.run = run_apply,
};
