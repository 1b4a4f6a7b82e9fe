/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d14_same_uid - a program runs with the user or group of the proxy, so that nothing of it is captured */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

enum { IDS_MOST = 16 };

struct ids {
	long uid[IDS_MOST], gid[IDS_MOST];
	unsigned n_uid, n_gid;
};

static void add(long *ids, unsigned *n, long v)
{
	for (unsigned i = 0; i < *n; i++)
		if (ids[i] == v)
			return;
	if (v >= 0 && *n < IDS_MOST)
		ids[(*n)++] = v;
}

/* "-m owner --uid-owner 1337 -j RETURN", "meta skuid 1337 ... return" in Istio's chains */
static bool take(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct ids *ids = arg;
	const char *text;

	if (!chains_of(r->chain, "Istio"))
		return false;
	text = chains_text(r, &b);
	if ((!strstr(text, "-j RETURN") && !strstr(text, "return")) || strstr(text, "! --") || strstr(text, "!= "))
		return false;
	add(ids->uid, &ids->n_uid, chains_number_after(text, "--uid-owner "));
	add(ids->gid, &ids->n_gid, chains_number_after(text, "--gid-owner "));
	add(ids->uid, &ids->n_uid, chains_number_after(text, "skuid "));
	add(ids->gid, &ids->n_gid, chains_number_after(text, "skgid "));
	return false;
}

static bool has(const long *ids, unsigned n, long v)
{
	for (unsigned i = 0; i < n; i++)
		if (ids[i] == v)
			return true;
	return false;
}

/* The proxy's own programs, and what a person started to look. */
static bool is_proxy(const struct fact_process *p)
{
	static const char *const names[] = { "envoy", "pilot-agent", "istio-iptables", "ztunnel", "istio-cni", "cnish", NULL };

	for (unsigned i = 0; names[i]; i++)
		if (strcmp(p->comm, names[i]) == 0)
			return true;
	return strstr(p->args, "pilot-agent") != NULL;
}

static ino_t mounts_of(struct doctor *d, pid_t pid)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%d/ns/mnt", d->t->proc, (int)pid) >= (int)sizeof(path) || stat(path, &st) < 0)
		return 0;
	return st.st_ino;
}

/* In the proxy's container everything has its user: a shell to look around (kubectl exec -c istio-proxy), a hook,
 * a wrapper. A container is told by its mounts, where they are not the ones of the program that holds the namespace too. */
static bool in_proxy_container(struct doctor *d, const struct fact_process *p)
{
	ino_t mounts = mounts_of(d, p->pid);

	if (!mounts || mounts == mounts_of(d, facts_processes(d)->pid))
		return false;
	for (const struct pod_container *c = d->t->pod ? d->t->pod->containers : NULL; c; c = c->next)
		if (c->name && strcmp(c->name, "istio-proxy") == 0 && c->pid > 0 && mounts_of(d, c->pid) == mounts)
			return true;
	for (const struct fact_process *q = facts_processes(d); q; q = q->next)
		if (is_proxy(q) && mounts_of(d, q->pid) == mounts)
			return true;
	return false;
}

static bool leads_to_istio(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT && s->verdict.to && chains_of(s->verdict.to, "Istio"))
			return true;
	return false;
}

static bool lets_pass(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT)
			return s->verdict.code == VERDICT_ACCEPT || s->verdict.code == VERDICT_RETURN;
	return false;
}

/* The user or group that a rule lets pass and that is not the proxy's; -1: none. Istio's own of this kind are for DNS. */
static long foreign_owner(const struct rule *r, const struct ids *ids)
{
	static const char *const words[] = { "--uid-owner ", "--gid-owner ", "skuid ", "skgid " };
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text = lets_pass(r) ? chains_text(r, &b) : "";

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]) && !strstr(text, "udp"); i++) {
		long id = strstr(text, "! --") ? -1 : chains_number_after(text, words[i]);

		if (id >= 0 && !has(i % 2 ? ids->gid : ids->uid, i % 2 ? ids->n_gid : ids->n_uid, id))
			return id;
	}
	return -1;
}

/* Somebody else's rule in front of the jump: "-m owner --uid-owner 0 -j RETURN" */
static bool check_chain(struct doctor *d, const struct chain *c, const struct ids *ids)
{
	const struct rule *passes = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	for (const struct rule *r = c->rules; r; r = r->next) {
		if (!passes && foreign_owner(r, ids) >= 0)
			passes = r;
		if (!passes || !leads_to_istio(r))
			continue;
		f = doctor_find(d, "a rule in front of Istio's lets %ld pass: none of the connections of this user or group are captured",
				foreign_owner(passes, ids));
		doctor_see(d, f, c->name, store_name(c->table->store), "rule %u: %s", passes->index, chains_text(passes, &b));
		doctor_see(d, f, c->name, store_name(c->table->store), "rule %u: %s", r->index, chains_text(r, &b));
		doctor_fix(d, f, "the rule must stand behind the jump to Istio's chain, or go: who made it did not know of Istio");
		return true;
	}
	return false;
}

static bool check_foreign(struct doctor *d, const struct ruleset *rs, const struct ids *ids)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (c->base && strstr(t->name, "nat") && check_chain(d, c, ids))
				return true;
	return false;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	struct doctor_finding *f;
	struct ids ids = { .n_uid = 0 };

	if (!rs || !chains_stores(rs, 0, "Istio"))
		return;
	chains_each(rs, take, &ids);
	if (check_foreign(d, rs, &ids))
		return;
	for (const struct fact_process *p = facts_processes(d); p; p = p->next) {
		bool uid = has(ids.uid, ids.n_uid, p->rule_uid), gid = has(ids.gid, ids.n_gid, p->rule_gid);

		if (is_proxy(p) || (!uid && !gid) || in_proxy_container(d, p))
			continue;
		f = doctor_find(d, "%s runs with the %s of the proxy (%u): none of its connections are captured", p->comm,
				uid ? "user" : "group", uid ? p->rule_uid : p->rule_gid);
		doctor_see(d, f, "process", "/proc", "pid %d, %s, uid %u, gid %u", (int)p->pid, p->comm, p->uid, p->gid);
		doctor_see(d, f, "rules", "ISTIO_OUTPUT", "owner %s %u -j RETURN", uid ? "uid" : "gid", uid ? p->rule_uid : p->rule_gid);
		doctor_fix(d, f, "give the application another runAsUser and runAsGroup");
		return;
	}
	if (d->facts.processes_why)
		doctor_unsure(d, "%s", d->facts.processes_why);
}

const struct doctor_entry doctor_d14 = {
	.id = "D14",
	.title = "an application runs with the proxy's user",
	.link = "https://github.com/istio/istio/issues/31991",
	.explain = "Istio's rules let everything pass that the proxy's user (1337) or group sends. An application that runs\n"
		   "with the same number goes past the proxy with all its connections.\n"
		   "It is told by the owner matches of the rules and the processes of the namespace, or by a rule for another user in\n"
		   "front of Istio's jump.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
