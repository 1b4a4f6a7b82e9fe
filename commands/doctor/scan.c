/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scan - every pod of the node: is it in the mesh, is its traffic captured, what is wrong */
#include "nsutil/doctor/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/pod/common.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/base/file.h"

extern const struct command command_scan;

static bool interrupted(void *arg)
{
	return session_interrupted(arg);
}

static void put_stores(const struct scan_pod *p, struct out *o)
{
	bool any = false;

	out_array(o, "stores");
	for (unsigned s = 0; s < STORE_COUNT; s++) {
		if (!(p->stores & (1U << s)))
			continue;
		out_text(o, "%s", any ? "," : "");
		out_str(o, NULL, "%s", store_name((enum store)s));
		any = true;
	}
	out_array_end(o);
	if (!any)
		out_text(o, "-");
}

static void put_findings(const struct scan_pod *p, struct out *o)
{
	const char *last = "";

	out_array(o, "findings");
	for (const struct doctor_finding *f = p->report.findings; f; f = f->next) {
		if (strcmp(f->entry->id, last) == 0)
			continue;
		out_style(o, f->severity == DOCTOR_ERROR ? STYLE_BAD : f->severity == DOCTOR_WARNING ? STYLE_WARN : STYLE_NAME);
		out_text(o, "%s", *last ? " " : "");
		out_str(o, NULL, "%s", f->entry->id);
		out_style(o, STYLE_PLAIN);
		last = f->entry->id;
	}
	out_array_end(o);
	if (!*last)
		out_text(o, "-");
}

static enum out_style capture_style(enum scan_capture c)
{
	static const enum out_style styles[] = { STYLE_WARN, STYLE_DIM, STYLE_BAD, STYLE_WARN, STYLE_GOOD };

	return styles[c];
}

static void put_drift(const struct scan_pod *p, struct out *o)
{
	if (p->drift >= 0)
		out_int(o, "drift", "%" PRId64, p->drift);
	else if (out_structured(o))
		out_null(o, "drift");
	else
		out_text(o, "-");
}

static void put_pod(const struct scan_pod *p, struct out *o)
{
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "namespace", "%s", p->pod ? p->pod->k8s_namespace : NULL);
	out_cell(o);
	out_style(o, STYLE_NAME);
	out_str(o, "name", "%s", p->name);
	out_style(o, STYLE_PLAIN);
	out_str(o, "kind", NULL, p->pod ? "pod" : "netns");
	out_cell(o);
	out_uint(o, "inode", "%" PRIu64, p->inode);
	out_cell(o);
	pod_put_mesh(&p->mesh, false, o);
	out_cell(o);
	put_stores(p, o);
	out_cell(o);
	out_style(o, capture_style(p->capture));
	out_str(o, "capture", "%s", scan_capture_name(p->capture));
	out_style(o, STYLE_PLAIN);
	out_cell(o);
	put_drift(p, o);
	out_cell(o);
	put_findings(p, o);
	out_cell(o);
	out_str(o, "why", "%s", p->why.code ? p->why.why : p->report.findings ? p->report.findings->cause : NULL);
	out_object_end(o);
}

static const struct out_column columns[] = {
	{ .head = "NAMESPACE" }, { .head = "POD" },	{ .head = "NETNS", .right = true },
	{ .head = "MESH" },	 { .head = "STORES" },	{ .head = "CAPTURE" },
	{ .head = "DRIFT", .right = true }, { .head = "FINDINGS" }, { .head = "WHY", .wide = true },
	{ .head = NULL },
};

static unsigned count(const struct scan *s, enum scan_capture c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += s->at[i].capture == c;
	return n;
}

static void put_summary(const struct scan *s, struct out *o)
{
	bool any = false;

	out_object(o, "summary");
	out_uint(o, "pods", "%" PRIu64 " namespaces: ", s->n);
	for (unsigned c = SCAN_UNKNOWN; c <= SCAN_COMPLETE; c++) {
		unsigned n = count(s, (enum scan_capture)c);

		out_uint(o, scan_capture_name((enum scan_capture)c), NULL, n);
		if (n)
			out_text(o, "%s%u %s", any ? ", " : "", n, scan_capture_name((enum scan_capture)c));
		any |= n != 0;
	}
	out_nl(o);
	out_object_end(o);
}

static void put_scan(const struct scan *s, struct out *o)
{
	out_begin(o, "scan");
	out_table(o, columns);
	out_stream(o, "pods");
	for (unsigned i = 0; i < s->n; i++)
		put_pod(&s->at[i], o);
	out_stream_end(o);
	out_table_end(o);
	put_summary(s, o);
	out_end(o);
}

/* ---- Prometheus ---- */

static void label(struct buf *b, const char *key, const char *value, bool first)
{
	buf_fmt(b, "%s%s=\"", first ? "" : ",", key);
	for (const char *c = value ? value : ""; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_chr(b, '\\');
		buf_chr(b, *c == '\n' ? ' ' : (unsigned char)*c < 0x80 ? *c : '?'); /* must be UTF-8; Kubernetes' names are ASCII */
	}
	buf_chr(b, '"');
}

static void labels(struct buf *b, const struct scan_pod *p)
{
	label(b, "namespace", p->pod ? p->pod->k8s_namespace : NULL, true);
	label(b, "pod", p->name, false);
}

/* A label set may be there once only, or the whole file is refused: a pod that was restarted may be listed twice. */
static bool is_again(const struct scan *s, unsigned i)
{
	const struct scan_pod *p = &s->at[i];

	for (unsigned k = 0; k < i; k++) {
		const struct scan_pod *q = &s->at[k];
		const char *a = p->pod && p->pod->k8s_namespace ? p->pod->k8s_namespace : "";
		const char *b = q->pod && q->pod->k8s_namespace ? q->pod->k8s_namespace : "";

		if (strcmp(a, b) == 0 && strcmp(p->name ? p->name : "", q->name ? q->name : "") == 0)
			return true;
	}
	return false;
}

static void prom_text(const struct scan *s, struct buf *b)
{
	buf_str(b, "# HELP cnish_pod_capture 1 for the state of the pod's traffic capture.\n# TYPE cnish_pod_capture gauge\n");
	for (unsigned i = 0; i < s->n; i++) {
		if (is_again(s, i))
			continue;
		buf_str(b, "cnish_pod_capture{");
		labels(b, &s->at[i]);
		label(b, "mesh", mesh_name(s->at[i].mesh.mode), false);
		label(b, "capture", scan_capture_name(s->at[i].capture), false);
		buf_str(b, "} 1\n");
	}
	buf_str(b, "# HELP cnish_pod_drift Rules that differ from what Istio would write.\n# TYPE cnish_pod_drift gauge\n");
	for (unsigned i = 0; i < s->n; i++) {
		if (s->at[i].drift < 0 || is_again(s, i))
			continue;
		buf_str(b, "cnish_pod_drift{");
		labels(b, &s->at[i]);
		buf_fmt(b, "} %d\n", s->at[i].drift);
	}
	buf_str(b, "# HELP cnish_pod_finding 1 for each diagnosis found.\n# TYPE cnish_pod_finding gauge\n");
	for (unsigned i = 0; i < s->n; i++) {
		const char *last = "";

		for (const struct doctor_finding *f = is_again(s, i) ? NULL : s->at[i].report.findings; f; f = f->next) {
			if (strcmp(f->entry->id, last) == 0)
				continue;
			last = f->entry->id;
			buf_str(b, "cnish_pod_finding{");
			labels(b, &s->at[i]);
			label(b, "id", last, false);
			label(b, "severity", doctor_severity_name(f->severity), false);
			buf_str(b, "} 1\n");
		}
	}
	buf_fmt(b, "# HELP cnish_scan_pods Pod namespaces that were looked at.\n# TYPE cnish_scan_pods gauge\ncnish_scan_pods %u\n",
		s->n);
}

static int put_prom(const struct scan *s, const char *path, struct out *o, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	prom_text(s, &b);
	if (buf_failed(&b))
		return err_oom(e);
	if (path)
		return file_put(path, 0666, buf_cstr(&b), b.len, e);
	out_raw(o, buf_cstr(&b), b.len);
	return 0;
}

static bool found(const struct scan *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->at[i].report.findings)
			return true;
	return false;
}

static int run_scan(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	const char *path = command_opt(&command_scan, args, "output-file");
	struct pod_options opt = pod_options_of(s);
	struct scan scan;
	int r;

	if (path && out_format(o) != OUT_PROM)
		return err_set(e, ERR_USAGE, "--output-file", "it is for -o prom");
	if (scan_run(&opt, interrupted, s, &scan, e) < 0)
		return -1;
	r = found(&scan);
	if (out_format(o) != OUT_PROM)
		put_scan(&scan, o);
	else if (put_prom(&scan, path, o, e) < 0)
		r = -1;
	scan_free(&scan);
	return r;
}

static const struct command_option options[] = {
	{ "output-file", 'O', ARG_FILE, "FILE", NULL, "with -o prom: write the file atomically, for a textfile collector" },
	{ .name = NULL },
};

static const char *const examples[] = { "scan", "scan -o wide", "scan -o prom", NULL };

const struct command command_scan = {
	.name = "scan",
	.summary = "every pod of the node: is it in the mesh, is its traffic captured; status 1 when something is found",
	.options = options,
	.formats = OUT_WIDE | OUT_JSONL | OUT_PROM,
	.flags = COMMAND_REPEAT,
	.description =
		"Looks at all pod namespaces of the node at the same time, also at those that a mount keeps (/run/netns),\n"
		"and says for each: MESH (sidecar, ambient, none), the STORES that hold rules, CAPTURE (complete, partial,\n"
		"none; outside: not in the mesh, or a gateway), DRIFT (rules that differ from Istio's defaults, as\n"
		"'istio verify' counts them) and the ids of what the doctor finds. What takes time is left out: counters\n"
		"that must grow, locks, and which process holds a socket. 'doctor' on one pod says more.\n\n"
		"-o prom is the text format of Prometheus; with -O FILE it is for node_exporter's textfile collector.",
	.examples = examples,
	.run = run_scan,
};
