/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle_more - writes what a bundle has beside rules and network: ipsets, connections, processes, Istio, iptables */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/report.h"
#include "nsutil/dump/bundle_parts.h"
#include "nsutil/istio/facts.h"
#include "nsutil/istio/pod_config.h"
#include "nsutil/load.h"
#include "nsutil/netns/conns.h"
#include "nsutil/pod/ipt.h"
#include "nsutil/pod/proc.h"
#include "nsutil/xt/ipset.h"
#include "nsutil/xt/sets.h"

enum { STATUS_MAX = 64 << 10 };

static void put_names(const struct xt_set_name *names, size_t n, struct json *j)
{
	json_begin_array(j, "names");
	for (size_t i = 0; i < n; i++) {
		json_begin_object(j, NULL);
		json_uint(j, "index", names[i].index);
		json_str(j, "name", names[i].name);
		json_end_object(j);
	}
	json_end_array(j);
}

/* Only where a rule names one: then ip_set is loaded, and asking loads nothing. */
static int put_ipsets(const struct target *t, struct json *j, struct err *e)
{
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	const struct xt_set_name *names = NULL;
	_cleanup_buf_ struct buf tape = BUF_INIT;
	struct err why = ERR_INIT;
	size_t n = 0;
	int r = 0;

	if (load_ruleset(t, LOAD_ALL, &rs, NULL) == 0 && xt_named_sets(rs, &names, &n, e) < 0)
		return -1;
	if (n)
		r = ipset_record(&t->netns, &tape, &why);
	json_begin_object(j, "ipsets");
	put_names(names, n, j);
	bundle_put_base64(j, "answers", buf_cstr(&tape), r < 0 ? 0 : tape.len);
	bundle_put_why(j, &why, r);
	json_end_object(j);
	return 0;
}

static void put_conns(const struct target *t, struct json *j)
{
	_cleanup_buf_ struct buf tape = BUF_INIT;
	struct err why = ERR_INIT;
	int r = conns_record(&t->netns, &tape, &why);

	json_begin_object(j, "connections");
	bundle_put_base64(j, "answers", buf_cstr(&tape), r < 0 ? 0 : tape.len);
	bundle_put_why(j, &why, r);
	json_end_object(j);
}

/* Number, name and ids; neither arguments nor environment. */
static void put_process(const struct target *t, pid_t pid, struct json *j)
{
	_cleanup_free_ char *status = NULL;
	unsigned uid, gid, fs_gid;
	const char *u, *g;
	struct proc_stat st;

	if (proc_stat(t->proc, pid, &st) || proc_read(t->proc, pid, "status", STATUS_MAX, &status) < 0)
		return;
	u = strstr(status, "\nUid:");
	g = strstr(status, "\nGid:");
	if (!u || !g || sscanf(u + 5, "%*u %u", &uid) != 1 || sscanf(g + 5, "%*u %u %*u %u", &gid, &fs_gid) != 2)
		return;
	json_begin_object(j, NULL);
	json_int(j, "pid", pid);
	json_str(j, "name", st.comm);
	json_uint(j, "uid", uid);
	json_uint(j, "gid", fs_gid); /* the one owner matches see */
	json_end_object(j);
}

static bool holds_socket(const struct netview *nv, pid_t pid)
{
	for (unsigned i = 0; i < nv->n_sockets; i++)
		if (nv->sockets[i].pid == pid)
			return true;
	return false;
}

static void put_processes(const struct target *t, const struct netview *nv, struct json *j)
{
	_cleanup_arena_ struct arena *a = arena_new();
	pid_t *pids;
	size_t n = 0;

	json_begin_array(j, "processes");
	if (!a || proc_pids(t->proc, a, &pids, &n) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t inode;

		if ((proc_netns(t->proc, pids[i], &inode) == 0 && inode == t->netns.inode) || holds_socket(nv, pids[i]))
			put_process(t, pids[i], j);
	}
	json_end_array(j);
}

static void put_words(struct json *j, const char *key, const char *const *words, bool (*wanted)(const char *word))
{
	if (!words) {
		json_put_null(j, key);
		return;
	}
	json_begin_array(j, key);
	for (; *words; words++)
		if (!wanted || wanted(*words))
			json_str(j, NULL, *words);
	json_end_array(j);
}

/* Of the environment only what the configuration is made of; of the proxy no arguments. */
static void put_launch(struct json *j, const char *key, const struct launch *l, bool there, bool args)
{
	if (!there) {
		json_put_null(j, key);
		return;
	}
	json_begin_object(j, key);
	json_str(j, "container", l->container);
	json_str(j, "source", l->source);
	json_str(j, "image", l->image);
	json_int(j, "uid", l->uid);
	json_int(j, "gid", l->gid);
	put_words(j, "args", args ? l->args : NULL, NULL);
	put_words(j, "env", l->env, istio_pod_variable);
	json_end_object(j);
}

/* The lines of resolv.conf that Istio reads. */
static void put_nameservers(struct json *j, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (const char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, "nameserver", 10) == 0)
			buf_fmt(&b, "%.*s\n", (int)strcspn(line, "\n"), line);
	json_str(j, "resolv_conf", text ? buf_cstr(&b) : NULL);
}

static int put_istio(const struct target *t, struct json *j, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct istio_facts facts = { .resolv_why = NULL };
	struct istio_pod_sources s;

	if (!a)
		return err_oom(e);
	istio_pod_sources(a, t, &s);
	if (istio_resolv_read(a, t, &facts, e) < 0)
		return -1;
	json_begin_object(j, "istio");
	put_launch(j, "init", &s.init, s.has_init, true);
	put_launch(j, "proxy", &s.proxy, s.has_proxy, false);
	put_words(j, "annotations", s.annotations, istio_pod_annotation);
	put_nameservers(j, facts.resolv_conf);
	json_str(j, "resolv_why", facts.resolv_why);
	json_end_object(j);
	return 0;
}

static void put_iptables(struct json *j, const char *where, const char *root)
{
	struct ipt_found f;

	ipt_find(root, &f);
	json_begin_object(j, NULL);
	json_str(j, "where", where);
	json_str(j, "variant", ipt_name(f.variant));
	json_str(j, "version", f.version);
	json_str(j, "path", f.path);
	json_str(j, "binary", f.binary);
	json_end_object(j);
}

/* As 'info' looks for them. */
static void put_variants(const struct target *t, struct json *j)
{
	char root[4200], where[300];
	bool any = false;

	json_begin_array(j, "iptables");
	put_iptables(j, "node", t->host_root);
	for (const struct pod_container *c = t->pod ? t->pod->containers : NULL; c; c = c->next) {
		if (!c->pid)
			continue;
		snprintf(root, sizeof(root), "%.4000s/%d/root", t->proc, (int)c->pid);
		snprintf(where, sizeof(where), "container %.200s", c->name ? c->name : c->id);
		put_iptables(j, where, root);
		any = true;
	}
	if (!any && t->pid && t->kind != TARGET_SELF && t->kind != TARGET_HOST) {
		snprintf(root, sizeof(root), "%.4000s/%d/root", t->proc, (int)t->pid);
		snprintf(where, sizeof(where), "root of process %d", (int)t->pid);
		put_iptables(j, where, root);
	}
	json_end_array(j);
}

/* What the doctor finds needs modules, files and processes that are not in a bundle: so its report is. */
static int put_doctor(const struct target *t, struct json *j, struct err *e)
{
	const struct doctor_options opt = { .host = t->kind == TARGET_HOST };
	_cleanup_arena_ struct arena *a = arena_new();
	struct doctor_report r;

	if (!a)
		return err_oom(e);
	if (doctor_run(a, t, &opt, &r, e) < 0)
		return -1;
	doctor_report_write(&r, j, "doctor");
	return 0;
}

int bundle_write_more(const struct target *t, const struct netview *nv, struct json *j, struct err *e)
{
	if (put_ipsets(t, j, e) < 0)
		return -1;
	put_conns(t, j);
	put_processes(t, nv, j);
	if (put_istio(t, j, e) < 0)
		return -1;
	put_variants(t, j);
	return put_doctor(t, j, e);
}
