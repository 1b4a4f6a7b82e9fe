/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d14_same_uid - a program runs with the user or group of the proxy, so that nothing of it is captured */
#include <string.h>

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

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	struct doctor_finding *f;
	struct ids ids = { .n_uid = 0 };

	if (!rs || !chains_stores(rs, 0, "Istio"))
		return;
	chains_each(rs, take, &ids);
	for (const struct fact_process *p = facts_processes(d); p; p = p->next) {
		bool uid = has(ids.uid, ids.n_uid, p->uid), gid = has(ids.gid, ids.n_gid, p->gid);

		if (is_proxy(p) || (!uid && !gid))
			continue;
		f = doctor_find(d, "%s runs with the %s of the proxy (%u): none of its connections are captured", p->comm,
				uid ? "user" : "group", uid ? p->uid : p->gid);
		doctor_see(d, f, "process", "/proc", "pid %d, %s, uid %u, gid %u", (int)p->pid, p->comm, p->uid, p->gid);
		doctor_see(d, f, "rules", "ISTIO_OUTPUT", "owner %s %u -j RETURN", uid ? "uid" : "gid", uid ? p->uid : p->gid);
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
		   "It is told by the owner matches of the rules and the processes of the namespace.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
