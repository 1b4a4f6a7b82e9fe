/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rehearse - the change made in a copy of the namespace, and what becomes of the connections that matter */
#include "commands/istio/rehearse.h"

#include <inttypes.h>
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"

struct rehearsal {
	struct istio_trial *before, *after;
	unsigned n, n_edits, again; /* changes made in the copy; what a second run would have changed there */
	struct scratch *scratch;
	const char *why; /* some were not sent; NULL: all were */
};

static int copy_target(const struct istio_job *job, const struct ruleset *rs, struct netview **ret_nv,
		       struct scratch **ret, struct err *e)
{
	struct scratch_source src = { .rs = rs };

	if (load_netview(job->target, NETVIEW_ALL, ret_nv, e) < 0)
		return -1;
	if (!*ret_nv)
		return err_set(e, ERR_USAGE, "--rehearse", "%s is a file that holds rules only: there is no namespace to copy",
			       job->target->label);
	src.ns = job->target->kind == TARGET_FILE ? NULL : &job->target->netns;
	src.nv = *ret_nv;
	return scratch_new(&src, ret, e);
}

/* Rules and routing of the copy as they are now, and the change they call for. */
static int look(const struct scratch *s, int (*compute)(void *, const struct ruleset *, const struct netview *,
							struct istio_change *, struct err *),
		void *arg, struct ruleset **rs, struct netview **nv, struct istio_change *ret, struct err *e)
{
	if (scratch_load(s, rs, e) < 0 || netview_read(&s->ns, NETVIEW_ALL, "/proc", nv, e) < 0)
		return -1;
	return compute(arg, *rs, *nv, ret, e);
}

static int send_all(const struct istio_job *job, struct rehearsal *r, const struct ruleset *rs, const struct netview *nv,
		    struct istio_trial *trials, struct err *e)
{
	const char *why;

	if (istio_trials_send(job->arena, r->scratch, rs, nv, trials, r->n, &why, e) < 0)
		return -1;
	if (why && !r->why)
		r->why = why;
	return 0;
}

static int play(const struct istio_job *job, struct rehearsal *r,
		int (*compute)(void *, const struct ruleset *, const struct netview *, struct istio_change *, struct err *),
		void *arg, struct err *e)
{
	_cleanup_ruleset_ struct ruleset *rs = NULL, *done = NULL;
	_cleanup_netview_ struct netview *nv = NULL, *nv_done = NULL;
	_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 }, second = { .n_parts = 0 };

	if (look(r->scratch, compute, arg, &rs, &nv, &change, e) < 0)
		return -1;
	if (send_all(job, r, rs, nv, r->before, e) < 0)
		return -1;
	if (istio_change_run(&r->scratch->ns, &change, ISTIO_LOCK_NONE, e) < 0)
		return err_wrap(e, "in the copy");
	if (look(r->scratch, compute, arg, &done, &nv_done, &second, e) < 0)
		return -1;
	r->n_edits = change.n_edits;
	r->again = second.n_edits;
	return send_all(job, r, done, nv_done, r->after, e);
}

static void put_trials(const struct rehearsal *r, struct out *o)
{
	static const struct out_column columns[] = { { .head = "CONNECTION" }, { .head = "BEFORE" }, { .head = "AFTER" },
						     { .head = "TRACE" }, { .head = NULL } };

	out_table(o, columns);
	out_array(o, "connections");
	for (unsigned i = 0; i < r->n; i++) {
		bool differs = strcmp(r->before[i].ends, r->after[i].ends) != 0;

		out_object(o, NULL);
		out_row(o);
		out_cell(o);
		out_str(o, "name", "%s", r->before[i].name);
		out_cell(o);
		out_str(o, "before", "%s", r->before[i].ends);
		out_cell(o);
		if (differs)
			out_style(o, STYLE_WARN);
		out_str(o, "after", differs ? "%s" : NULL, r->after[i].ends);
		if (!differs)
			out_text(o, "=");
		out_style(o, STYLE_PLAIN);
		out_cell(o);
		out_str(o, "connection", "%s", r->before[i].connection);
		out_bool(o, "differs", NULL, differs);
		out_bool(o, "sent", NULL, r->before[i].sent && r->after[i].sent);
		out_object_end(o);
	}
	out_array_end(o);
	out_table_end(o);
}

static void put_rehearsal(const struct rehearsal *r, struct out *o)
{
	out_nl(o);
	out_object(o, "rehearsal");
	put_trials(r, o);
	out_nl(o);
	out_text(o, "Rehearsed in a copy of the namespace: ");
	out_uint(o, "changes", "%" PRIu64 " changes were made there", r->n_edits);
	out_uint(o, "second_run", NULL, r->again);
	if (r->again)
		out_text(o, ", and a second run would make %u more.\n", r->again);
	else
		out_text(o, ", a second run would make none.\n");
	out_str(o, "not_sent", NULL, r->why);
	if (r->why)
		out_text(o, "Followed through the rules, not sent: %s.\n", r->why);
	else
		out_text(o, "Each was sent there through the kernel, before and after.\n");
	out_array(o, "gaps");
	for (const struct gap *g = r->scratch->gaps.first; g; g = g->next) {
		out_object(o, NULL);
		out_str(o, "what", NULL, g->what);
		out_str(o, "why", NULL, g->why);
		out_object_end(o);
	}
	out_array_end(o);
	out_object_end(o);
	for (const struct gap *g = r->scratch->gaps.first; g; g = g->next)
		out_note(o, "not in the copy: %s: %s", g->what, g->why);
}

int istio_rehearse(const struct istio_job *job, const struct ruleset *rs,
		   int (*compute)(void *arg, const struct ruleset *rs, const struct netview *nv, struct istio_change *ret,
				  struct err *e),
		   void *arg, struct out *o, struct err *e)
{
	_cleanup_netview_ struct netview *nv = NULL;
	_cleanup_scratch_ struct scratch *scratch = NULL;
	struct rehearsal r = { .n = 0 };

	if (copy_target(job, rs, &nv, &scratch, e) < 0)
		return -1;
	r.scratch = scratch;
	if (istio_trials_make(job->arena, nv, job->config, NFPROTO_UNSPEC, &r.before, &r.n) < 0)
		return err_oom(e);
	r.after = arena_array(job->arena, r.n + 1, sizeof(*r.after));
	if (!r.after)
		return err_oom(e);
	memcpy(r.after, r.before, r.n * sizeof(*r.after));
	if (play(job, &r, compute, arg, e) < 0)
		return -1;
	put_rehearsal(&r, o);
	return 0;
}
