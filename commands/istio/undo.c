/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo - brings back what there was before a change */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "commands/head.h"
#include "commands/istio/change.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/undo.h"
#include "nsutil/load.h"

extern const struct command command_istio_undo;

static void put_time(const struct istio_undo *u, struct out *o)
{
	time_t t = (time_t)u->time;
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	out_str(o, "time", "%s", text);
}

static void put_entry(const struct istio_undo *u, struct out *o)
{
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "id", "%s", u->id);
	out_cell(o);
	put_time(u, o);
	out_cell(o);
	out_str(o, "command", "%s", u->command);
	out_cell(o);
	out_array(o, "tables");
	for (unsigned i = 0; i < u->n_tables; i++) {
		const struct istio_undo_table *t = &u->tables[i];

		out_object(o, NULL);
		out_str(o, "store", i ? ", %s" : "%s", store_name(t->store));
		out_str(o, "family", " %s", family_name(t->family));
		out_str(o, "table", " %s", t->name);
		out_object_end(o);
	}
	out_array_end(o);
	out_cell(o);
	out_bool(o, "undone", u->undone ? "%s" : NULL, u->undone);
	out_str(o, "file", NULL, u->path);
	out_object_end(o);
}

static void put_list(const struct istio_job *job, const struct istio_undo *all, unsigned n, struct out *o)
{
	static const struct out_column columns[] = { { .head = "ID" },	   { .head = "TIME" },	 { .head = "COMMAND" },
						     { .head = "TABLES" }, { .head = "UNDONE" }, { .head = NULL } };

	out_begin(o, "istio-undo-list");
	head_target(job->target, o);
	if (n)
		out_table(o, columns);
	out_array(o, "changes");
	for (unsigned i = 0; i < n; i++)
		put_entry(&all[i], o);
	out_array_end(o);
	if (n)
		out_table_end(o);
	else
		out_text(o, "No change of this target is kept.\n");
	out_end(o);
}

/* The one asked for, else the newest that was neither undone nor is an undo itself. */
static const struct istio_undo *choose(const struct istio_undo *all, unsigned n, const char *id, struct err *e)
{
	for (unsigned i = 0; i < n; i++)
		if (id ? strcmp(all[i].id, id) == 0 : !all[i].undone && strcmp(all[i].command, "istio undo") != 0)
			return &all[i];
	err_set(e, ERR_TARGET, "istio undo", id ? "no change '%s' of this target is kept" :
		"no change of this target is kept%s", id ? id : "");
	err_hint(e, "'istio undo --list' shows those that are");
	return NULL;
}

static int judge(const struct istio_undo *u, const struct ruleset *rs, bool force, struct err *e)
{
	const struct istio_undo_table *t = NULL;
	enum istio_undo_state state;

	if (istio_undo_judge(u, rs, &state, &t, e) < 0)
		return -1;
	if (state != ISTIO_UNDO_MOVED || force)
		return 0;
	err_set(e, ERR_SYS, "istio undo", "table %s of the %s store (%s) is neither as it was before nor as the change "
		"left it", t->name, store_name(t->store), family_name(t->family));
	return err_hint(e, "something changed it since; --force brings the former rules back all the same");
}

static int undo_one(struct session *s, struct istio_job *job, const struct istio_undo *u,
		    const struct command_args *args, struct out *o, struct err *e)
{
	const struct istio_deed deed = {
		.wait = command_opt(&command_istio_undo, args, "wait"),
		.schema = "istio-undo",
		.nothing = "All is as it was before that change; nothing to do.",
		.question = "istio undo",
	};
	_cleanup_ruleset_ struct ruleset *rs = NULL, *saved = ruleset_new();
	_cleanup_netview_ struct netview *nv = NULL;
	_cleanup_(istio_native_free) struct istio_native native = { .n = 0 };
	_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 };

	if (!saved)
		return err_oom(e);
	if (load_ruleset(job->target, LOAD_ALL, &rs, e) < 0 || judge(u, rs, command_opt(&command_istio_undo, args, "force"), e) < 0 ||
	    istio_job_netview(job, &nv, e) < 0 ||
	    istio_undo_change(job->arena, u, rs, nv, saved, &native, &change, e) < 0)
		return -1;
	if (command_opt(&command_istio_undo, args, "no-guardrails"))
		istio_guard_none(&change);
	if (istio_change_do(s, job, &change, &deed, o, e) < 0)
		return -1;
	return session_options(s)->dry_run ? 0 : istio_undo_done(u, e);
}

static int run_undo(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct istio_job job = { .arena = a, .families = 3 };
	const struct istio_undo *u;
	struct istio_undo *all;
	unsigned n;

	if (!a)
		return err_oom(e);
	if (session_target(s, &job.target, e) < 0)
		return -1;
	if (job.target->kind == TARGET_FILE)
		return err_set(e, ERR_USAGE, "istio undo", "%s is a file: nothing was changed in it", job.target->label);
	if (istio_undo_list(a, &job.target->netns, &all, &n, e) < 0)
		return -1;
	if (command_opt(&command_istio_undo, args, "list")) {
		put_list(&job, all, n, o);
		return 0;
	}
	u = choose(all, n, args->argc ? args->argv[0] : NULL, e);
	if (!u)
		return -1;
	return undo_one(s, &job, u, args, o, e);
}

static const struct command_option options[] = {
	{ "list", 'l', ARG_NONE, NULL, NULL, "show the changes that are kept of this target" },
	{ "force", 'f', ARG_NONE, NULL, NULL, "even though something else changed the tables since" },
	ISTIO_OPTION_WAIT, ISTIO_OPTION_GUARDS,
	{ .name = NULL },
};

static const char *const examples[] = {
	"istio undo --list",
	"-t shop/cart --yes istio undo",
	NULL,
};

const struct command command_istio_undo = {
	.name = "istio undo",
	.summary = "bring back what there was before 'istio apply' or 'istio flush'",
	.operands = "[ID]",
	.operand_kind = ARG_TEXT,
	.max_args = 1,
	.options = options,
	.formats = OUT_SAVE,
	.flags = COMMAND_MUTATES,
	.description = "Takes back the last change that cnish made to the target's Istio rules and that was not\n"
		       "taken back yet, or the one with the ID that --list shows: every table, routing rule, route\n"
		       "and address it touched is as before, counters aside. A change that was cut off half-way\n"
		       "can be taken back too. Guardrails stand meanwhile where 'istio apply' would set them.\n\n"
		       "When a table is neither as it was before nor as the change left it, something else has\n"
		       "changed it since, and nothing is done without --force.\n\n"
		       "The former state was written to a file before the change, below $XDG_STATE_HOME/cnish/undo\n"
		       "(else ~/.local/state/cnish/undo). An undo is kept likewise, and is undone by its ID.\n",
	.examples = examples,
	.run = run_undo,
};
