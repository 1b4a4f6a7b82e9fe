/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor - runs the diagnoses: what is wrong, the evidence, the cause, what to type */
#include "commands/doctor/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "commands/head.h"
#include "commands/pod/common.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/doctor.h"
#include "nsutil/doctor/log.h"
#include "nsutil/load.h"
#include "nsutil/pod/target.h"

extern const struct command command_doctor;

/* In which way the ids and "host" were said. */
struct words {
	bool host;
	const struct doctor_entry *entry; /* to be explained */
};

static int take_words(const struct command_args *args, struct words *w, struct err *e)
{
	for (int i = 0; i < args->argc; i++) {
		if (strcmp(args->argv[i], "host") == 0) {
			w->host = true;
			continue;
		}
		w->entry = doctor_entry_find(args->argv[i]);
		if (!w->entry)
			return err_set(e, ERR_USAGE, args->argv[i], "neither a diagnosis nor 'host'; doctor --list names them");
	}
	return 0;
}

static enum out_style style_of(enum doctor_severity s)
{
	return s == DOCTOR_ERROR ? STYLE_BAD : s == DOCTOR_WARNING ? STYLE_WARN : STYLE_NAME;
}

static void put_entry(const struct doctor_entry *d, struct out *o)
{
	out_style(o, STYLE_NAME);
	out_str(o, "id", "%s", d->id);
	out_style(o, STYLE_PLAIN);
	out_cell(o);
	out_style(o, style_of(d->severity));
	out_str(o, "severity", "%s", doctor_severity_name(d->severity));
	out_style(o, STYLE_PLAIN);
	out_str(o, "scope", NULL, d->scope == DOCTOR_BOTH ? "both" : d->scope == DOCTOR_NODE ? "node" : "pod");
	out_cell(o);
	out_str(o, "title", "%s", d->title);
	if (d->instead)
		out_text(o, " (never found: see doctor %s)", d->id);
	out_str(o, "explain", NULL, d->explain);
	out_str(o, "instead", NULL, d->instead);
	out_str(o, "link", NULL, d->link);
}

static void list_entries(struct out *o)
{
	static const struct out_column columns[] = { { .head = "ID" }, { .head = "SEVERITY" }, { .head = "WHAT" },
						     { .head = NULL } };

	out_begin(o, "doctor-list");
	out_table(o, columns);
	out_array(o, "diagnoses");
	for (unsigned i = 0; doctor_entries[i]; i++) {
		out_object(o, NULL);
		out_row(o);
		out_cell(o);
		put_entry(doctor_entries[i], o);
		out_object_end(o);
	}
	out_array_end(o);
	out_table_end(o);
	out_end(o);
}

static void explain(const struct doctor_entry *d, struct out *o)
{
	out_begin(o, "doctor-list");
	out_array(o, "diagnoses");
	out_object(o, NULL);
	out_str(o, "id", "%s ", d->id);
	out_str(o, "severity", "(%s): ", doctor_severity_name(d->severity));
	out_str(o, "scope", NULL, d->scope == DOCTOR_BOTH ? "both" : d->scope == DOCTOR_NODE ? "node" : "pod");
	out_style(o, STYLE_HEAD);
	out_str(o, "title", "%s", d->title);
	out_style(o, STYLE_PLAIN);
	out_text(o, "\n\n");
	out_str(o, "explain", NULL, d->explain);
	if (!out_structured(o))
		out_raw(o, d->explain, strlen(d->explain));
	out_text(o, "\n\n");
	if (d->instead)
		out_text(o, "What cnish does instead: ");
	out_str(o, "instead", "%s", d->instead);
	if (d->instead)
		out_text(o, "\n\n");
	out_str(o, "link", "%s", d->link);
	out_nl(o);
	out_object_end(o);
	out_array_end(o);
	out_end(o);
}

static void put_evidence(const struct doctor_finding *f, struct out *o)
{
	out_array(o, "evidence");
	for (const struct doctor_evidence *ev = f->evidence; ev; ev = ev->next) {
		out_object(o, NULL);
		out_style(o, STYLE_DIM);
		out_text(o, "    %-7s", ev == f->evidence ? "seen" : "");
		out_style(o, STYLE_PLAIN);
		out_str(o, "what", "%s", ev->what);
		out_str(o, "value", ": %s", ev->value);
		out_style(o, STYLE_DIM);
		out_str(o, "where", "  (%s)", ev->where);
		out_style(o, STYLE_PLAIN);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

static void put_finding(const struct doctor_finding *f, struct out *o)
{
	out_object(o, NULL);
	out_style(o, style_of(f->severity));
	out_str(o, "id", "%s ", f->entry->id);
	out_str(o, "severity", "%-8s", doctor_severity_name(f->severity));
	out_style(o, STYLE_PLAIN);
	out_str(o, "cause", "%s", f->cause);
	out_nl(o);
	put_evidence(f, o);
	out_array(o, "fix");
	for (const struct doctor_line *l = f->fix; l; l = l->next) {
		out_style(o, STYLE_DIM);
		out_text(o, "    %-7s", l == f->fix ? "fix" : "");
		out_style(o, STYLE_PLAIN);
		out_str(o, NULL, "%s", l->text);
		out_nl(o);
	}
	out_array_end(o);
	out_bool(o, "mendable", NULL, f->mend != DOCTOR_MEND_NOTHING);
	out_style(o, STYLE_DIM);
	out_text(o, "    %-7s", "see");
	out_str(o, "link", "%s", f->entry->link);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
	out_object_end(o);
}

static void put_unchecked(const struct doctor_report *r, struct out *o)
{
	out_array(o, "unchecked");
	for (const struct doctor_unchecked *u = r->unchecked; u; u = u->next) {
		out_object(o, NULL);
		out_style(o, STYLE_WARN);
		out_str(o, "id", "%s could not be checked: ", u->entry->id);
		out_style(o, STYLE_PLAIN);
		out_str(o, "why", "%s", u->why);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

void doctor_put_report(const struct target *t, const struct doctor_report *r, struct out *o)
{
	head_target(t, o);
	out_array(o, "findings");
	for (const struct doctor_finding *f = r->findings; f; f = f->next)
		put_finding(f, o);
	out_array_end(o);
	put_unchecked(r, o);
	doctor_put_surroundings(r, o);
	out_uint(o, "checked", NULL, r->n_checked);
	out_style(o, r->findings ? STYLE_BAD : STYLE_GOOD);
	if (r->findings)
		out_text(o, "%u finding%s of %u diagnoses.", r->n_findings, r->n_findings == 1 ? "" : "s", r->n_checked);
	else
		out_text(o, "Nothing found by %u diagnoses.", r->n_checked);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

/* A log of any length from a file or standard input ("-"): its end is kept. */
static int read_log(const char *name, struct buf *b, struct err *e)
{
	_cleanup_fclose_ FILE *opened = strcmp(name, "-") == 0 ? NULL : fopen(name, "re");
	FILE *f = strcmp(name, "-") == 0 ? stdin : opened;
	char chunk[65536];
	size_t n;

	if (!f)
		return err_sys(e, errno, "cannot read the log %s", name);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
		buf_add(b, chunk, n);
		if (b->len > 2 * LOG_MAX) {
			memmove(b->data, b->data + (b->len - LOG_MAX), LOG_MAX);
			b->len = LOG_MAX;
		}
	}
	return ferror(f) ? err_sys(e, errno, "cannot read the log %s", name) : buf_failed(b) ? err_oom(e) : 0;
}

/* Return: the exit status */
static int put_answer(const struct target *t, const struct doctor_report *r, struct out *o)
{
	out_begin(o, "doctor");
	doctor_put_report(t, r, o);
	out_bool(o, "fixed", NULL, false);
	out_end(o);
	return r->findings != NULL;
}

/* What was found when the bundle was written: modules, files and processes are not in it. */
static int from_bundle(const struct target *t, const struct command_args *args, struct out *o, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct doctor_report r;

	if (!a)
		return err_oom(e);
	if (command_opt(&command_doctor, args, "fix") || command_opt(&command_doctor, args, "log"))
		return err_set(e, ERR_USAGE, t->label, "--log and --fix need the living target; a bundle has the report of then");
	if (load_doctor(t, a, &r, e) < 0)
		return -1;
	return put_answer(t, &r, o);
}

static int examine(struct session *s, struct target *t, const struct words *w, const struct command_args *args,
		   struct out *o, struct err *e)
{
	const char *log = command_opt(&command_doctor, args, "log");
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_buf_ struct buf text = BUF_INIT;
	const struct pod_options pods = pod_options_of(s);
	struct doctor_options opt = { .host = w->host, .pods = &pods };
	struct doctor_report r;

	if (!a)
		return err_oom(e);
	if (t->kind == TARGET_FILE)
		return from_bundle(t, args, o, e);
	if (log && read_log(log, &text, e) < 0)
		return -1;
	if (log)
		opt = (struct doctor_options){ .log = buf_cstr(&text), .log_len = text.len, .log_name = log, .host = w->host,
					       .pods = &pods };
	if (command_opt(&command_doctor, args, "fix"))
		return doctor_fix_all(s, a, t, &opt, o, e);
	if (doctor_run(a, t, &opt, &r, e) < 0)
		return -1;
	return put_answer(t, &r, o);
}

static int run_doctor(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct words w = { .host = false };
	struct target *host = NULL, *t;
	int r;

	if (take_words(args, &w, e) < 0)
		return -1;
	if (command_opt(&command_doctor, args, "list")) {
		list_entries(o);
		return 0;
	}
	if (w.entry) {
		explain(w.entry, o);
		return 0;
	}
	if (w.host ? session_open_target(s, "host", &host, e) : session_target(s, &t, e))
		return -1;
	if (w.host)
		t = host;
	w.host |= t->kind == TARGET_HOST;
	r = examine(s, t, &w, args, o, e);
	if (host)
		target_free(host);
	return r;
}

static const struct command_option options[] = {
	{ "list", 'l', ARG_NONE, NULL, NULL, "list the diagnoses" },
	{ "log", 0, ARG_FILE, "FILE", NULL, "istio-init's log, - for standard input; by default that of the pod" },
	{ "fix", 0, ARG_NONE, NULL, NULL, "mend what is safe to mend, after showing how and asking" },
	{ .name = NULL },
};

static const char *const examples[] = {
	"doctor",
	"doctor host",
	"doctor D01",
	"doctor --list",
	"-t shop/cart --yes doctor --fix",
	NULL,
};

const struct command command_doctor = {
	.name = "doctor",
	.summary = "run the diagnoses: what is wrong, by which evidence, what to type; status 1 when something is",
	.operands = "[host] [ID]",
	.operand_kind = ARG_TEXT,
	.operand_choices = doctor_ids,
	.max_args = 2,
	.options = options,
	.description =
		"Looks at the rules of all stores, the kernel's modules, listeners, processes, istio-init's log and what\n"
		"else tells why traffic is not captured as it should be, and changes nothing. Each finding has an id, its\n"
		"cause, what was read where, and what to type. What could not be checked says why.\n\n"
		"'doctor host' looks at the node itself; 'doctor D01' explains a diagnosis.\n"
		"--fix mends what is safe: it loads modules (and has them loaded at every boot), puts Istio's rules in order\n"
		"or removes what is left of them as 'istio apply' and 'istio flush' do, takes another program's stale copy\n"
		"out of the store that is not used any more (D04), and gives a namespace its logger back. It shows what it\n"
		"will do and what takes it back, asks, and tries nothing twice.",
	.examples = examples,
	.run = run_doctor,
};
