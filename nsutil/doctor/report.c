/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report - a doctor's report as JSON, and back, for a bundle */
#include "nsutil/doctor/report.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

enum { ITEMS_MAX = 10000 };

/* ---- writing ---- */

static void put_lines(struct json *j, const char *key, const struct doctor_line *l)
{
	json_begin_array(j, key);
	for (; l; l = l->next)
		json_str(j, NULL, l->text);
	json_end_array(j);
}

static void put_finding(struct json *j, const struct doctor_finding *f)
{
	json_begin_object(j, NULL);
	json_str(j, "id", f->entry->id);
	json_uint(j, "severity", f->severity);
	json_str(j, "cause", f->cause);
	json_begin_array(j, "evidence");
	for (const struct doctor_evidence *ev = f->evidence; ev; ev = ev->next) {
		json_begin_object(j, NULL);
		json_str(j, "what", ev->what);
		json_str(j, "where", ev->where);
		json_str(j, "value", ev->value);
		json_end_object(j);
	}
	json_end_array(j);
	put_lines(j, "fix", f->fix);
	json_uint(j, "mend", f->mend);
	json_end_object(j);
}

static void put_kernel(struct json *j, const struct doctor_kernel *k)
{
	json_begin_object(j, "kernel");
	json_str(j, "release", k->release);
	json_begin_array(j, "modules");
	for (unsigned i = 0; i < k->n_modules; i++) {
		json_begin_object(j, NULL);
		json_str(j, "name", k->modules[i].name);
		json_str(j, "state", k->modules[i].state);
		json_end_object(j);
	}
	json_end_array(j);
	json_str(j, "xtables_legacy", k->xtables_legacy);
	json_str(j, "config", k->config);
	json_str(j, "selinux", k->selinux);
	json_bool(j, "modprobe", k->modprobe);
	json_str(j, "modprobe_why", k->modprobe_why);
	json_end_object(j);
}

static void put_envoy(struct json *j, const struct doctor_envoy *v)
{
	json_begin_object(j, "envoy");
	json_bool(j, "asked", v->asked);
	json_bool(j, "listeners_asked", v->listeners_asked);
	json_bool(j, "stats_asked", v->stats_asked);
	json_bool(j, "requests_total", v->requests_total);
	json_begin_array(j, "listeners");
	for (unsigned i = 0; i < v->n_listeners; i++)
		json_uint(j, NULL, v->listeners[i]);
	json_end_array(j);
	json_int(j, "ready", v->ready);
	json_str(j, "listeners_why", v->listeners_why);
	json_str(j, "stats_why", v->stats_why);
	json_str(j, "ready_why", v->ready_why);
	json_end_object(j);
}

static void put_surroundings(struct json *j, const struct doctor_report *r)
{
	json_begin_array(j, "verdicts");
	for (unsigned i = 0; i < DOCTOR_VERDICTS; i++) {
		json_begin_object(j, NULL);
		json_str(j, "detector", r->verdicts[i].detector);
		json_str(j, "store", r->verdicts[i].store);
		json_str(j, "why", r->verdicts[i].why);
		json_end_object(j);
	}
	json_end_array(j);
	json_bool(j, "verdicts_agree", r->verdicts_agree);
	put_kernel(j, &r->kernel);
	json_begin_array(j, "programs");
	for (const struct doctor_program *p = r->programs; p; p = p->next) {
		json_begin_object(j, NULL);
		json_str(j, "where", p->where);
		json_str(j, "variant", p->variant);
		json_str(j, "version", p->version);
		json_str(j, "path", p->path);
		json_end_object(j);
	}
	json_end_array(j);
	put_envoy(j, &r->envoy);
}

void doctor_report_write(const struct doctor_report *r, struct json *j, const char *key)
{
	json_begin_object(j, key);
	json_begin_array(j, "findings");
	for (const struct doctor_finding *f = r->findings; f; f = f->next)
		put_finding(j, f);
	json_end_array(j);
	json_begin_array(j, "unchecked");
	for (const struct doctor_unchecked *u = r->unchecked; u; u = u->next) {
		json_begin_object(j, NULL);
		json_str(j, "id", u->entry->id);
		json_str(j, "why", u->why);
		json_end_object(j);
	}
	json_end_array(j);
	put_surroundings(j, r);
	json_uint(j, "checked", r->n_checked);
	json_end_object(j);
}

/* ---- reading ---- */

struct reader {
	struct arena *a;
	bool bad;
};

/* NULL for null; what should be a text and is none spoils all. */
static const char *text(struct reader *x, const json_t *from, const char *key, bool needed)
{
	const json_t *v = json_object_get(from, key);
	const char *s = NULL;

	if (json_is_string(v)) {
		s = arena_strdup(x->a, json_string_value(v));
		x->bad |= !s;
	} else {
		x->bad |= needed || (v && !json_is_null(v));
	}
	return s;
}

static void *item(struct reader *x, size_t size)
{
	void *p = x->bad ? NULL : arena_alloc(x->a, size);

	x->bad |= !p;
	return p;
}

static size_t count(struct reader *x, const json_t *list)
{
	x->bad |= !json_is_array(list) || json_array_size(list) > ITEMS_MAX;
	return x->bad ? 0 : json_array_size(list);
}

static struct doctor_line *lines(struct reader *x, const json_t *list)
{
	struct doctor_line *first = NULL, **tail = &first;

	for (size_t i = 0, n = count(x, list); i < n; i++) {
		const char *s = json_string_value(json_array_get(list, i));
		struct doctor_line *l = item(x, sizeof(*l));

		if (!l)
			return NULL;
		l->text = s ? arena_strdup(x->a, s) : NULL;
		x->bad |= !l->text;
		*tail = l;
		tail = &l->next;
	}
	return first;
}

static const struct doctor_entry *entry(struct reader *x, const json_t *from)
{
	const char *id = json_string_value(json_object_get(from, "id"));
	const struct doctor_entry *d = id ? doctor_entry_find(id) : NULL;

	x->bad |= !d;
	return d;
}

static struct doctor_evidence *evidence(struct reader *x, const json_t *list)
{
	struct doctor_evidence *first = NULL, **tail = &first;

	for (size_t i = 0, n = count(x, list); i < n; i++) {
		const json_t *j = json_array_get(list, i);
		struct doctor_evidence *ev = item(x, sizeof(*ev));

		if (!ev)
			return NULL;
		ev->what = text(x, j, "what", true);
		ev->where = text(x, j, "where", true);
		ev->value = text(x, j, "value", true);
		*tail = ev;
		tail = &ev->next;
	}
	return first;
}

static void findings(struct reader *x, const json_t *list, struct doctor_report *r)
{
	struct doctor_finding **tail = &r->findings;

	for (size_t i = 0, n = count(x, list); i < n; i++) {
		const json_t *j = json_array_get(list, i);
		json_int_t severity = json_integer_value(json_object_get(j, "severity"));
		json_int_t mend = json_integer_value(json_object_get(j, "mend"));
		struct doctor_finding *f = item(x, sizeof(*f));

		if (!f)
			return;
		x->bad |= severity < DOCTOR_INFO || severity > DOCTOR_ERROR || mend < 0 || mend >= DOCTOR_MENDS;
		f->entry = entry(x, j);
		f->severity = x->bad ? DOCTOR_INFO : (enum doctor_severity)severity;
		f->mend = x->bad ? DOCTOR_MEND_NOTHING : (enum doctor_mend)mend;
		f->cause = text(x, j, "cause", true);
		f->evidence = evidence(x, json_object_get(j, "evidence"));
		f->fix = lines(x, json_object_get(j, "fix"));
		r->n_findings++;
		*tail = f;
		tail = &f->next;
	}
}

static void unchecked(struct reader *x, const json_t *list, struct doctor_report *r)
{
	struct doctor_unchecked **tail = &r->unchecked;

	for (size_t i = 0, n = count(x, list); i < n; i++) {
		struct doctor_unchecked *u = item(x, sizeof(*u));

		if (!u)
			return;
		u->entry = entry(x, json_array_get(list, i));
		u->why = text(x, json_array_get(list, i), "why", true);
		*tail = u;
		tail = &u->next;
	}
}

static void kernel(struct reader *x, const json_t *from, struct doctor_kernel *k)
{
	const json_t *list = json_object_get(from, "modules");
	size_t n = count(x, list);

	k->release = text(x, from, "release", false);
	for (size_t i = 0; i < n && i < DOCTOR_MODULES; i++) {
		k->modules[i].name = text(x, json_array_get(list, i), "name", true);
		k->modules[i].state = text(x, json_array_get(list, i), "state", true);
		k->n_modules++;
	}
	k->xtables_legacy = text(x, from, "xtables_legacy", false);
	k->config = text(x, from, "config", false);
	k->selinux = text(x, from, "selinux", false);
	k->modprobe = json_is_true(json_object_get(from, "modprobe"));
	k->modprobe_why = text(x, from, "modprobe_why", false);
}

static void programs(struct reader *x, const json_t *list, struct doctor_report *r)
{
	struct doctor_program **tail = &r->programs;

	for (size_t i = 0, n = count(x, list); i < n; i++) {
		const json_t *j = json_array_get(list, i);
		struct doctor_program *p = item(x, sizeof(*p));

		if (!p)
			return;
		p->where = text(x, j, "where", true);
		p->variant = text(x, j, "variant", true);
		p->version = text(x, j, "version", true);
		p->path = text(x, j, "path", true);
		*tail = p;
		tail = &p->next;
	}
}

static void why(struct reader *x, const json_t *from, const char *key, char to[DOCTOR_ENVOY_WHY])
{
	const char *s = text(x, from, key, true);

	snprintf(to, DOCTOR_ENVOY_WHY, "%s", s ? s : "");
}

static void envoy(struct reader *x, const json_t *from, struct doctor_envoy *v)
{
	const json_t *list = json_object_get(from, "listeners");
	size_t n = count(x, list);

	v->asked = json_is_true(json_object_get(from, "asked"));
	v->listeners_asked = json_is_true(json_object_get(from, "listeners_asked"));
	v->stats_asked = json_is_true(json_object_get(from, "stats_asked"));
	v->requests_total = json_is_true(json_object_get(from, "requests_total"));
	for (size_t i = 0; i < n && i < DOCTOR_ENVOY_LISTENERS; i++)
		v->listeners[v->n_listeners++] = (unsigned)json_integer_value(json_array_get(list, i));
	v->ready = (int)json_integer_value(json_object_get(from, "ready"));
	why(x, from, "listeners_why", v->listeners_why);
	why(x, from, "stats_why", v->stats_why);
	why(x, from, "ready_why", v->ready_why);
}

int doctor_report_read(const json_t *from, struct arena *a, struct doctor_report *ret)
{
	struct reader x = { .a = a };
	struct doctor_report r = { .findings = NULL };
	const json_t *list = json_object_get(from, "verdicts");

	findings(&x, json_object_get(from, "findings"), &r);
	unchecked(&x, json_object_get(from, "unchecked"), &r);
	x.bad |= count(&x, list) != DOCTOR_VERDICTS;
	for (unsigned i = 0; i < DOCTOR_VERDICTS && !x.bad; i++) {
		r.verdicts[i].detector = text(&x, json_array_get(list, i), "detector", true);
		r.verdicts[i].store = text(&x, json_array_get(list, i), "store", true);
		r.verdicts[i].why = text(&x, json_array_get(list, i), "why", true);
	}
	r.verdicts_agree = json_is_true(json_object_get(from, "verdicts_agree"));
	kernel(&x, json_object_get(from, "kernel"), &r.kernel);
	programs(&x, json_object_get(from, "programs"), &r);
	envoy(&x, json_object_get(from, "envoy"), &r.envoy);
	r.n_checked = (unsigned)json_integer_value(json_object_get(from, "checked"));
	if (x.bad)
		return -1;
	*ret = r;
	return 0;
}
