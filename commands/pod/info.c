/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info - all known of the target, with the evidence of the resolution */
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "commands/command.h"
#include "commands/head.h"
#include "commands/pod/common.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"
#include "nsutil/netns/netns.h"
#include "nsutil/pod/ipt.h"
#include "nsutil/ruleset/netview.h"
#include "nsutil/pod/proc.h"

struct info {
	struct target *t;
	struct ruleset *rs; /* NULL: not readable, 'why' says so */
	struct err why;
	struct bundle_about about; /* of a file */
	struct mesh mesh;
	struct store_count counts[STORE_COUNT];
};

static void head(const char *name, struct out *o)
{
	out_style(o, STYLE_DIM);
	out_text(o, "%-11s", name);
	out_style(o, STYLE_PLAIN);
}

/* The name of the process that stood for the target; NULL */
static const char *about_process(const struct bundle_about *about)
{
	for (unsigned i = 0; i < about->n_processes; i++)
		if (about->processes[i].pid == about->pid)
			return about->processes[i].name;
	return NULL;
}

static void put_identity(const struct target *t, const struct bundle_about *about, struct out *o)
{
	struct proc_stat st;
	struct utsname u;

	head_target(t, o);
	if (t->pod) {
		head("pod", o);
		out_text(o, "%s, %s", t->pod->runtime, t->pod->state);
		if (t->pod->uid)
			out_text(o, ", uid %s", t->pod->uid);
		out_nl(o);
	}
	if (about->pid && about_process(about)) {
		head("process", o);
		out_text(o, "%d (", (int)about->pid);
		out_str(o, "process", "%s", about_process(about));
		out_text(o, ")");
		out_nl(o);
	} else if (t->pid && proc_stat(t->proc, t->pid, &st) == 0) {
		head("process", o);
		out_text(o, "%d (", (int)t->pid);
		out_str(o, "process", "%s", st.comm);
		out_text(o, ")");
		out_nl(o);
	} else {
		out_null(o, "process");
	}
	if (t->netns.fd >= 0) {
		head("netns", o);
		out_text(o, "%s%s", t->netns.path,
			 t->pod && t->pod->host_network ? "  (the node's)" : "");
		out_nl(o);
	}
	if (t->kind == TARGET_FILE ? about->kernel != NULL : uname(&u) == 0) {
		head("kernel", o);
		out_str(o, "kernel", "%s", about->kernel ? about->kernel : u.release);
		out_nl(o);
	} else {
		out_null(o, "kernel");
	}
}

/* Those that others can reach. */
static unsigned view_addresses(const struct target *t, struct arena *a, struct addr **ret)
{
	_cleanup_netview_ struct netview *nv = NULL;
	unsigned n = 0;

	if (load_netview(t, NETVIEW_LINKS, &nv, NULL) < 0 || !nv)
		return 0;
	*ret = arena_array(a, nv->n_addrs + 1, sizeof(**ret));
	for (unsigned i = 0; *ret && i < nv->n_addrs; i++)
		if (nv->addrs[i].scope == RT_SCOPE_UNIVERSE)
			(*ret)[n++] = nv->addrs[i].addr;
	return n;
}

/* Of what is no pod, the addresses are those of the namespace. */
static void put_addresses(const struct target *t, struct arena *a, struct out *o)
{
	struct pod anonymous = { .name = t->label };
	const struct pod *p = t->pod ? t->pod : &anonymous;

	if (!p->n_ips && t->pid) {
		int n = proc_addrs(t->proc, t->pid, a, &anonymous.ips);

		anonymous.n_ips = n > 0 ? (unsigned)n : 0;
		p = &anonymous;
	}
	if (t->kind == TARGET_FILE) {
		anonymous.n_ips = view_addresses(t, a, &anonymous.ips);
		p = &anonymous;
	}
	head("addresses", o);
	pod_put_ips(p, o);
	out_nl(o);
}

static void put_container(const struct pod_container *c, const struct pod *p, struct out *o)
{
	out_object(o, NULL);
	head(c == p->containers ? "containers" : "", o);
	out_style(o, STYLE_NAME);
	out_str(o, "name", "%s", c->name);
	out_style(o, STYLE_PLAIN);
	out_text(o, "  %.12s", c->id);
	out_str(o, "id", NULL, c->id);
	out_text(o, "  ");
	out_str(o, "state", "%s", c->state);
	if (c->pid) {
		out_text(o, "  pid ");
		out_int(o, "pid", "%" PRId64, c->pid);
	} else {
		out_null(o, "pid");
	}
	out_nl(o);
	out_object_end(o);
}

static void put_stores(const struct info *i, struct out *o)
{
	out_object(o, "stores");
	for (unsigned s = 0; s < STORE_COUNT; s++) {
		const struct store_count *c = &i->counts[s];

		out_object(o, pod_store_name(s));
		head(s ? "" : "rules", o);
		out_text(o, "%-7s", pod_store_name(s));
		if (c->tables || !i->rs)
			out_text(o, i->rs ? " %u rules in %u chains of %u tables" : " not known", c->rules, c->chains,
				 c->tables);
		else
			out_text(o, " nothing");
		out_nl(o);
		out_uint(o, "tables", NULL, c->tables);
		out_uint(o, "chains", NULL, c->chains);
		out_uint(o, "rules", NULL, c->rules);
		out_object_end(o);
	}
	out_object_end(o);
	out_array(o, "unread");
	for (const struct unread *u = i->rs ? i->rs->unread : NULL; u; u = u->next) {
		out_object(o, NULL);
		head("", o);
		out_style(o, STYLE_WARN);
		out_str(o, "store", "%s", pod_store_name(u->store));
		out_str(o, "table", NULL, u->table);
		out_text(o, " could not be read: ");
		out_str(o, "why", "%s", u->why);
		out_style(o, STYLE_PLAIN);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

static void put_iptables(const char *title, const char *where, const char *root, struct out *o)
{
	struct ipt_found f;

	ipt_find(root, &f);
	out_object(o, NULL);
	head(title, o);
	out_str(o, "where", "%s: ", where);
	out_str(o, "variant", "%s", ipt_name(f.variant));
	out_str(o, "version", f.version[0] ? " %s" : NULL, f.version[0] ? f.version : NULL);
	out_str(o, "path", f.path[0] ? "  %s" : NULL, f.path[0] ? f.path : NULL);
	if (strcmp(f.path, f.binary) != 0)
		out_text(o, " -> %s", f.binary);
	out_str(o, "binary", NULL, f.binary[0] ? f.binary : NULL);
	out_nl(o);
	out_object_end(o);
}

static void put_noted(const struct bundle_iptables *f, struct out *o)
{
	out_object(o, NULL);
	head(strcmp(f->where, "node") == 0 ? "iptables" : "", o);
	out_str(o, "where", "%s: ", f->where);
	out_str(o, "variant", "%s", f->variant);
	out_str(o, "version", f->version[0] ? " %s" : NULL, f->version[0] ? f->version : NULL);
	out_str(o, "path", f->path[0] ? "  %s" : NULL, f->path[0] ? f->path : NULL);
	if (strcmp(f->path, f->binary) != 0)
		out_text(o, " -> %s", f->binary);
	out_str(o, "binary", NULL, f->binary[0] ? f->binary : NULL);
	out_nl(o);
	out_object_end(o);
}

static void put_variants(const struct target *t, const struct bundle_about *about, struct out *o)
{
	char root[4200], where[300];
	bool any = false;

	out_array(o, "iptables");
	if (t->kind == TARGET_FILE) { /* this machine's have nothing to do with it */
		for (const struct bundle_iptables *f = about->iptables; f; f = f->next)
			put_noted(f, o);
		out_array_end(o);
		return;
	}
	put_iptables("iptables", "node", t->host_root, o);
	for (const struct pod_container *c = t->pod ? t->pod->containers : NULL; c; c = c->next) {
		if (!c->pid)
			continue;
		snprintf(root, sizeof(root), "%.4000s/%d/root", t->proc, (int)c->pid);
		snprintf(where, sizeof(where), "container %.200s", c->name ? c->name : c->id);
		put_iptables("", where, root, o);
		any = true;
	}
	if (!any && t->pid && t->kind != TARGET_SELF && t->kind != TARGET_HOST) {
		snprintf(root, sizeof(root), "%.4000s/%d/root", t->proc, (int)t->pid);
		snprintf(where, sizeof(where), "root of process %d", (int)t->pid);
		put_iptables("", where, root, o);
	}
	out_array_end(o);
}

/* The remark that would have saved the days of the incident. */
static void warn_stores(const struct info *i, struct out *o)
{
	unsigned stores = 0;

	for (const struct table *t = i->rs ? i->rs->tables : NULL; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (strncasecmp(c->name, "istio", 5) == 0)
				stores |= 1U << t->store;
	if ((stores & 1U << STORE_LEGACY) && (stores & 1U << STORE_COMPAT))
		out_note(o, "chains of Istio are in the legacy and the compat store; 'diff' shows where they differ");
}

static int run_info(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct info i = { .rs = NULL };

	(void)args;
	if (!a)
		return err_oom(e);
	if (session_target(s, &i.t, e))
		return -1;
	if (load_about(i.t, a, &i.about, e) < 0)
		return -1;
	load_ruleset(i.t, LOAD_ALL, &i.rs, &i.why);
	pod_count_stores(i.rs, i.counts);
	mesh_judge(i.t->netns.fd >= 0 ? &i.t->netns : NULL, i.t->netns.inode, i.t->pod, mesh_proxies(i.t->proc, a),
		   i.rs, &i.mesh);
	out_begin(o, "info");
	put_identity(i.t, &i.about, o);
	put_addresses(i.t, a, o);
	out_array(o, "containers");
	for (const struct pod_container *c = i.t->pod ? i.t->pod->containers : NULL; c; c = c->next)
		put_container(c, i.t->pod, o);
	out_array_end(o);
	head("mesh", o);
	pod_put_mesh(&i.mesh, true, o);
	out_nl(o);
	put_stores(&i, o);
	put_variants(i.t, &i.about, o);
	head("found by", o);
	out_nl(o);
	pod_put_evidence(i.t->evidence, "evidence", o);
	pod_put_evidence(i.t->pod ? i.t->pod->evidence : NULL, "pod_evidence", o);
	out_end(o);
	warn_stores(&i, o);
	if (!i.rs)
		out_note(o, "rules could not be read: %s: %s", i.why.what, i.why.why);
	ruleset_free(i.rs);
	return 0;
}

static const char *const examples[] = { "info", "-t shop/cart info", "-t host info -o json", NULL };

const struct command command_info = {
	.name = "info",
	.summary = "all known of the target, and how it was found",
	.formats = 0,
	.description =
		"Shows the target's process, network namespace, addresses and containers; whether it is in the mesh,\n"
		"and by what one can tell; how many rules each store holds; and which iptables the node and the\n"
		"containers have (legacy or nf_tables, and version), found by reading the file, never by running it.\n\n"
		"'found by' lists the evidence of the resolution: which source said what.",
	.examples = examples,
	.run = run_info,
};
