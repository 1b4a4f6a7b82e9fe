/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run - runs the diagnoses one after the other and collects what they say */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/verdict.h"

/* Where findings go when memory ran out, so that diagnoses need not check. */
static struct doctor_finding *nowhere(struct doctor *d)
{
	static _Thread_local struct doctor_finding sink;

	d->failed = true;
	memset(&sink, 0, sizeof(sink));
	sink.entry = d->entry;
	return &sink;
}

static const char *vtext(struct doctor *d, const char *fmt, va_list ap)
{
	char text[1024];
	const char *copy;

	vsnprintf(text, sizeof(text), fmt, ap);
	copy = arena_strdup(d->arena, text);
	if (!copy)
		d->failed = true;
	return copy ? copy : "";
}

struct doctor_finding *doctor_find(struct doctor *d, const char *fmt, ...)
{
	struct doctor_finding *f = arena_alloc(d->arena, sizeof(*f));
	va_list ap;

	if (!f)
		return nowhere(d);
	f->entry = d->entry;
	f->severity = d->entry->severity;
	va_start(ap, fmt);
	f->cause = vtext(d, fmt, ap);
	va_end(ap);
	*d->findings_tail = f;
	d->findings_tail = &f->next;
	d->report->n_findings++;
	return f;
}

void doctor_see(struct doctor *d, struct doctor_finding *f, const char *what, const char *where, const char *fmt, ...)
{
	struct doctor_evidence *ev = arena_alloc(d->arena, sizeof(*ev)), **at = &f->evidence;
	va_list ap;

	if (!ev) {
		d->failed = true;
		return;
	}
	ev->what = arena_strdup(d->arena, what);
	ev->where = arena_strdup(d->arena, where);
	va_start(ap, fmt);
	ev->value = vtext(d, fmt, ap);
	va_end(ap);
	while (*at)
		at = &(*at)->next;
	*at = ev;
}

static void add_line(struct doctor *d, struct doctor_line **list, const char *text)
{
	struct doctor_line *l = arena_alloc(d->arena, sizeof(*l));

	if (!l) {
		d->failed = true;
		return;
	}
	l->text = text;
	while (*list)
		list = &(*list)->next;
	*list = l;
}

void doctor_fix(struct doctor *d, struct doctor_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(d, &f->fix, vtext(d, fmt, ap));
	va_end(ap);
}

void doctor_fix_self(struct doctor *d, struct doctor_finding *f, const char *words)
{
	doctor_fix(d, f, "cnish -t %s %s", d->t->spec ? d->t->spec : d->t->label, words);
}

void doctor_mend_module(struct doctor *d, struct doctor_finding *f, const char *name)
{
	f->mend = DOCTOR_MEND_MODULES;
	add_line(d, &f->modules, name);
}

void doctor_mend_logger(struct doctor *d, struct doctor_finding *f, const char *write, const char *undo)
{
	f->mend = DOCTOR_MEND_LOGGER;
	add_line(d, &f->modules, write);
	add_line(d, &f->undo, undo);
}

void doctor_mend_stale(struct doctor *d, struct doctor_finding *f, const char *store, const char *owner)
{
	f->mend = DOCTOR_MEND_STALE;
	add_line(d, &f->modules, arena_printf(d->arena, "%s %s", store, owner));
}

void doctor_unsure(struct doctor *d, const char *fmt, ...)
{
	struct doctor_unchecked *u = arena_alloc(d->arena, sizeof(*u));
	va_list ap;

	if (!u) {
		d->failed = true;
		return;
	}
	u->entry = d->entry;
	va_start(ap, fmt);
	u->why = vtext(d, fmt, ap);
	va_end(ap);
	*d->unchecked_tail = u;
	d->unchecked_tail = &u->next;
}

bool doctor_found(const struct doctor *d, const char *id)
{
	for (const struct doctor_finding *f = d->report->findings; f; f = f->next)
		if (strcmp(f->entry->id, id) == 0)
			return true;
	return false;
}

const struct ruleset *doctor_rules(struct doctor *d)
{
	const struct ruleset *rs = facts_rules(d);

	if (!rs)
		doctor_unsure(d, "%s: %s", d->facts.rules_why.what, d->facts.rules_why.why);
	return rs;
}

const struct netview *doctor_sockets(struct doctor *d)
{
	const struct netview *nv = facts_net(d);

	if (!nv)
		doctor_unsure(d, "%s: %s", d->facts.net_why.what, d->facts.net_why.why);
	else if (nv->sockets_unread)
		doctor_unsure(d, "sockets: %s", nv->sockets_unread);
	return nv && !nv->sockets_unread ? nv : NULL;
}

const struct doctor_entry *doctor_entry_find(const char *id)
{
	char padded[4] = "D0";

	if ((id[0] == 'D' || id[0] == 'd') && id[1] && !id[2]) { /* "D7" */
		padded[2] = id[1];
		id = padded;
	}
	for (unsigned i = 0; doctor_entries[i]; i++)
		if (strcasecmp(doctor_entries[i]->id, id) == 0)
			return doctor_entries[i];
	return NULL;
}

const char *doctor_severity_name(enum doctor_severity s)
{
	static const char *const names[] = { "info", "warning", "error" };

	return names[s];
}

/* What a person who looks for a cause wants to see whether something was found or not. */
static void surroundings(struct doctor *d)
{
	struct doctor_program **tail = &d->report->programs;

	d->report->envoy = *facts_envoy(d);
	if (d->opt->quick)
		return;
	facts_kernel(d, &d->report->kernel);
	for (const struct fact_iptables *i = facts_iptables(d); i; i = i->next) {
		struct doctor_program *p = arena_alloc(d->arena, sizeof(*p));

		if (!p) {
			d->failed = true;
			return;
		}
		*p = (struct doctor_program){ i->where, ipt_name(i->found.variant), i->found.version, i->found.path, NULL };
		*tail = p;
		tail = &p->next;
	}
}

int doctor_run(struct arena *a, const struct target *t, const struct doctor_options *opt,
	       struct doctor_report *ret, struct err *e)
{
	struct doctor_report report = { .findings = NULL };
	struct doctor d = { .arena = a, .t = t, .opt = opt, .report = &report };
	unsigned scope = opt->host ? DOCTOR_NODE : DOCTOR_POD;

	if (t->netns.fd < 0)
		return err_set(e, ERR_USAGE, t->label, "a file has no processes, modules or sockets to look at");
	d.findings_tail = &report.findings;
	d.unchecked_tail = &report.unchecked;
	for (unsigned i = 0; doctor_entries[i]; i++) {
		d.entry = doctor_entries[i];
		if (!(d.entry->scope & scope) || !d.entry->check)
			continue;
		d.entry->check(&d);
		report.n_checked++;
	}
	verdict_all(&d, report.verdicts);
	report.verdicts_agree = verdict_agree(report.verdicts);
	surroundings(&d);
	facts_close(&d.facts);
	if (d.failed)
		return err_oom(e);
	*ret = report;
	return 0;
}
