/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fix - mends what a diagnosis knows how to mend: shown, asked, done once, looked at again */
#include <stdio.h>
#include <string.h>

#include "commands/doctor/doctor.h"
#include "commands/istio/change.h"
#include "nsutil/doctor/mend.h"
#include "nsutil/istio/undo.h"
#include "nsutil/load.h"
#include "nsutil/pod/target.h"

enum { KINDS = DOCTOR_MEND_RULES + 1, LOCK_SECS = 30 };

extern const struct command command_istio_apply;

/* The first finding that can be mended in a way that was not tried yet. */
static const struct doctor_finding *next_mend(const struct doctor_report *r, const bool tried[KINDS], bool host)
{
	for (const struct doctor_finding *f = r->findings; f; f = f->next) {
		if (f->mend == DOCTOR_MEND_NOTHING || tried[f->mend] || (host && f->mend == DOCTOR_MEND_RULES))
			continue;
		return f;
	}
	return NULL;
}

static void put_command(const char *text, struct out *o)
{
	out_text(o, "    ");
	out_str(o, NULL, "%s", text);
	out_nl(o);
}

/* What will be done, before it is asked for. */
static void put_step(const struct target *t, const struct doctor_finding *f, struct arena *a, struct out *o)
{
	const char *line = "modprobe -a";

	out_object(o, NULL);
	out_style(o, STYLE_NAME);
	out_str(o, "id", "%s ", f->entry->id);
	out_style(o, STYLE_PLAIN);
	out_str(o, "cause", "%s", f->cause);
	out_nl(o);
	out_array(o, "commands");
	if (f->mend == DOCTOR_MEND_MODULES) {
		for (const struct doctor_line *l = f->modules; l && line; l = l->next)
			line = arena_printf(a, "%s %s", line, l->text);
		put_command(line ? line : "modprobe", o);
		put_command("write the same names to " MEND_MODULES_FILE " of the node", o);
	} else {
		line = arena_printf(a, "cnish -t %s istio apply", t->spec ? t->spec : t->label);
		put_command(line ? line : "cnish istio apply", o);
	}
	out_array_end(o);
	out_object_end(o);
}

/* What 'istio apply' without words does; the undo file is written likewise. */
static int apply_rules(struct session *s, struct arena *a, struct out *o, struct err *e)
{
	const char *no_options[8] = { NULL };
	const struct command_args args = { .opts = no_options };
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_netview_ struct netview *nv = NULL;
	_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 };
	struct istio_job job = { .arena = a };
	const char *undo = NULL;

	if (istio_job_begin(s, &command_istio_apply, &args, &job, e) < 0 ||
	    load_ruleset(job.target, LOAD_ALL, &rs, e) < 0 || istio_job_recognise(&job, rs, NULL, e) < 0 ||
	    istio_job_plan(&job, e) < 0 || istio_change_apply(a, rs, job.plan, job.families, -1, &change, e) < 0 ||
	    istio_job_netview(&job, &nv, e) < 0 || (nv && istio_change_routing(&change, nv, job.config, false, e) < 0))
		return -1;
	if (istio_undo_write(a, &job.target->netns, &change, "doctor --fix", job.target->label, &undo, NULL) == 0 && undo)
		out_note(o, "the former state is in %s", undo);
	if (istio_change_run(&job.target->netns, &change, LOCK_SECS, e) < 0)
		return -1;
	out_text(o, "    %u changes made\n", change.n_edits);
	return 0;
}

static int mend(struct session *s, struct arena *a, const struct target *t, const struct doctor_finding *f,
		struct out *o, struct err *e)
{
	char question[128];

	snprintf(question, sizeof(question), "doctor --fix: mend %s?", f->entry->id);
	if (session_confirm(s, question, e) < 0)
		return -1;
	return f->mend == DOCTOR_MEND_MODULES ? mend_modules(t, f->modules, e) : apply_rules(s, a, o, e);
}

static int mend_all(struct session *s, struct arena *a, const struct target *t, const struct doctor_options *opt,
		    struct doctor_report *r, bool *done, struct out *o, struct err *e)
{
	bool tried[KINDS] = { false }, dry = session_options(s)->dry_run;
	const struct doctor_finding *f;

	if (doctor_run(a, t, opt, r, e) < 0)
		return -1;
	while ((f = next_mend(r, tried, opt->host))) {
		tried[f->mend] = true;
		put_step(t, f, a, o);
		if (dry)
			continue;
		if (mend(s, a, t, f, o, e) < 0 || doctor_run(a, t, opt, r, e) < 0)
			return -1;
		*done = true;
	}
	return 0;
}

int doctor_fix_all(struct session *s, struct arena *a, const struct target *t, const struct doctor_options *opt,
		   struct out *o, struct err *e)
{
	struct doctor_report r;
	bool done = false;

	out_begin(o, "doctor");
	out_array(o, "steps");
	if (mend_all(s, a, t, opt, &r, &done, o, e) < 0)
		return -1;
	out_array_end(o);
	doctor_put_report(t, &r, o);
	out_bool(o, "fixed", NULL, done);
	out_end(o);
	return r.findings != NULL;
}
