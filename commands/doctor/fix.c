/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fix - mends what a diagnosis knows how to mend: shown, asked, done once, looked at again */
#include <stdio.h>
#include <string.h>

#include "commands/doctor/doctor.h"
#include "commands/istio/change.h"
#include "nsutil/doctor/mend.h"
#include "nsutil/istio/owner.h"
#include "nsutil/istio/undo.h"
#include "nsutil/load.h"
#include "nsutil/pod/target.h"

enum { LOCK_SECS = 30 };

extern const struct command command_istio_apply, command_istio_flush;

/* The first finding that can be mended in a way that was not tried yet. */
static const struct doctor_finding *next_mend(const struct doctor_report *r, const bool tried[DOCTOR_MENDS], bool host)
{
	for (const struct doctor_finding *f = r->findings; f; f = f->next) {
		bool rules = f->mend == DOCTOR_MEND_RULES || f->mend == DOCTOR_MEND_REMOVE;

		if (f->mend != DOCTOR_MEND_NOTHING && !tried[f->mend] && !(host && rules))
			return f;
	}
	return NULL;
}

static bool among(const struct doctor_line *list, const char *text)
{
	for (; list; list = list->next)
		if (strcmp(list->text, text) == 0)
			return true;
	return false;
}

/* What all findings want that are mended alike, each once: modules, or what is written. */
static struct doctor_line *collect(const struct doctor_report *r, enum doctor_mend kind, bool undo, struct arena *a)
{
	struct doctor_line *list = NULL, **tail = &list;

	for (const struct doctor_finding *f = r->findings; f; f = f->next)
		for (const struct doctor_line *l = f->mend != kind ? NULL : undo ? f->undo : f->modules; l; l = l->next) {
			struct doctor_line *copy = among(list, l->text) ? NULL : arena_alloc(a, sizeof(*copy));

			if (!copy)
				continue;
			copy->text = l->text;
			*tail = copy;
			tail = &copy->next;
		}
	return list;
}

static const char *joined(struct arena *a, const char *first, const struct doctor_line *list)
{
	for (; list && first; list = list->next)
		first = arena_printf(a, "%s %s", first, list->text);
	return first ? first : "";
}

static void put_line(const char *text, struct out *o)
{
	out_text(o, "    ");
	out_str(o, NULL, "%s", text);
	out_nl(o);
}

static void put_commands(const struct target *t, enum doctor_mend kind, const struct doctor_line *list, struct arena *a, struct out *o)
{
	const char *self = t->spec ? t->spec : t->label;

	out_array(o, "commands");
	if (kind == DOCTOR_MEND_MODULES) {
		put_line(joined(a, "modprobe -a", list), o);
		put_line("write the same names to " MEND_MODULES_FILE " of the node", o);
	} else if (kind == DOCTOR_MEND_LOGGER) {
		for (; list; list = list->next)
			put_line(arena_printf(a, "write to /proc/sys/net/netfilter: %s", list->text), o);
	} else if (kind == DOCTOR_MEND_STALE) {
		for (; list; list = list->next)
			put_line(arena_printf(a, "take the chains of %s, and what leads to them, out of the %.*s store", strchr(list->text, ' ') + 1,
					      (int)strcspn(list->text, " "), list->text), o);
	} else {
		put_line(arena_printf(a, "cnish -t %s istio %s", self, kind == DOCTOR_MEND_RULES ? "apply" : "flush"), o);
	}
	out_array_end(o);
}

static void put_undo(const struct target *t, enum doctor_mend kind, const struct doctor_line *list, const struct doctor_line *undo,
		     struct arena *a, struct out *o)
{
	out_text(o, "  to take it back:\n");
	out_array(o, "undo");
	if (kind == DOCTOR_MEND_MODULES) {
		put_line(joined(a, "modprobe -r", list), o);
		put_line("take the names out of " MEND_MODULES_FILE, o);
	} else if (kind == DOCTOR_MEND_LOGGER) {
		for (; undo; undo = undo->next)
			put_line(undo->text, o);
	} else {
		put_line(arena_printf(a, "cnish -t %s istio undo", t->spec ? t->spec : t->label), o);
	}
	out_array_end(o);
}

/* What will be done, before it is asked for. */
static void put_step(const struct target *t, const struct doctor_report *r, const struct doctor_finding *f,
		     const struct doctor_line *list, struct arena *a, struct out *o)
{
	out_object(o, NULL);
	out_style(o, STYLE_NAME);
	out_str(o, "id", "%s ", f->entry->id);
	out_style(o, STYLE_PLAIN);
	out_str(o, "cause", "%s", f->cause);
	out_nl(o);
	put_commands(t, f->mend, list, a, o);
	put_undo(t, f->mend, list, collect(r, f->mend, true, a), a, o);
	out_object_end(o);
}

/* The plan is made; what was before is kept, as apply and flush do. */
static int carry_out(const struct target *t, struct arena *a, const struct istio_change *change, struct out *o, struct err *e)
{
	struct err trouble = ERR_INIT;
	const char *undo = NULL;

	istio_change_note_lock(change, LOCK_SECS, o);
	if (istio_undo_write(a, &t->netns, change, "doctor --fix", t->label, &undo, &trouble) < 0)
		out_note(o, "the former state is not kept: %s: %s", trouble.what, trouble.why);
	else if (undo)
		out_note(o, "the former state is in %s", undo);
	if (istio_change_run(&t->netns, change, LOCK_SECS, e) < 0)
		return -1;
	out_text(o, "    %u changes made\n", change->n_edits);
	return 0;
}

/* What 'istio apply' without words does; the undo file is written likewise. */
static int apply_rules(struct session *s, struct arena *a, struct out *o, struct err *e)
{
	const struct command_args args = { .argc = 0 };
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_netview_ struct netview *nv = NULL;
	_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 };
	struct istio_job job = { .arena = a };

	if (istio_job_begin(s, &command_istio_apply, &args, &job, e) < 0 ||
	    load_ruleset(job.target, LOAD_ALL, &rs, e) < 0 || istio_job_recognise(&job, rs, NULL, e) < 0 ||
	    istio_job_plan(&job, e) < 0 || istio_change_apply(a, rs, job.plan, job.families, -1, &change, e) < 0 ||
	    istio_job_netview(&job, &nv, e) < 0 || (nv && istio_change_routing(&change, nv, job.config, false, e) < 0))
		return -1;
	return carry_out(job.target, a, &change, o, e);
}

/* What 'istio flush' without words does. */
static int remove_rules(struct session *s, struct arena *a, struct out *o, struct err *e)
{
	const struct command_args args = { .argc = 0 };
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_netview_ struct netview *nv = NULL;
	_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 };
	struct istio_job job = { .arena = a };

	if (istio_job_begin(s, &command_istio_flush, &args, &job, e) < 0 || load_ruleset(job.target, LOAD_ALL, &rs, e) < 0 ||
	    istio_job_netview(&job, &nv, e) < 0 || istio_flush_plan(&job, rs, nv, e) < 0 ||
	    istio_change_flush(a, rs, job.plan, job.families, (1U << STORE_COUNT) - 1, &change, e) < 0 || (nv && istio_change_routing(&change, nv, job.config, true, e) < 0))
		return -1;
	return carry_out(job.target, a, &change, o, e);
}

/* @list: "legacy kube-proxy"; the rules are read anew for each, since the one before has changed them. */
static int remove_stale(struct arena *a, const struct target *t, const struct doctor_line *list, struct out *o, struct err *e)
{
	for (; list; list = list->next) {
		enum store store = strncmp(list->text, "legacy ", 7) == 0 ? STORE_LEGACY : STORE_COMPAT;
		_cleanup_ruleset_ struct ruleset *rs = NULL;
		_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 };

		if (load_ruleset(t, LOAD_ALL, &rs, e) < 0 ||
		    istio_change_owner(a, rs, store, strchr(list->text, ' ') + 1, &change, e) < 0 || carry_out(t, a, &change, o, e) < 0)
			return -1;
	}
	return 0;
}

static int mend(struct session *s, struct arena *a, const struct target *t, const struct doctor_finding *f,
		const struct doctor_line *list, struct out *o, struct err *e)
{
	char question[128];

	snprintf(question, sizeof(question), "doctor --fix: mend %s?", f->entry->id);
	if (session_confirm(s, question, e) < 0)
		return -1;
	switch (f->mend) {
	case DOCTOR_MEND_MODULES:
		return mend_modules(t, list, e);
	case DOCTOR_MEND_LOGGER:
		return mend_logger(t, list, e);
	case DOCTOR_MEND_STALE:
		return remove_stale(a, t, list, o, e);
	case DOCTOR_MEND_REMOVE:
		return remove_rules(s, a, o, e);
	default:
		return apply_rules(s, a, o, e);
	}
}

static int mend_all(struct session *s, struct arena *a, const struct target *t, const struct doctor_options *opt,
		    struct doctor_report *r, bool *done, struct out *o, struct err *e)
{
	bool tried[DOCTOR_MENDS] = { false }, dry = session_options(s)->dry_run, any = false;
	const struct doctor_finding *f;

	if (doctor_run(a, t, opt, r, e) < 0)
		return -1;
	for (; (f = next_mend(r, tried, opt->host)); any = true) {
		struct doctor_line *list = collect(r, f->mend, false, a);

		tried[f->mend] = true;
		put_step(t, r, f, list, a, o);
		if (dry)
			continue;
		if (mend(s, a, t, f, list, o, e) < 0 || doctor_run(a, t, opt, r, e) < 0)
			return -1;
		*done = true;
	}
	if (!any)
		out_text(o, "There is nothing that can be mended from here.\n");
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
