/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d44_several_namespaces - processes of one pod are in several network namespaces */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/cgroup.h"
#include "nsutil/pod/proc.h"

enum { SEEN_MOST = 8 };

static bool of_pod(struct doctor *d, pid_t pid)
{
	const struct pod *p = d->t->pod;
	_cleanup_free_ char *text = NULL;
	struct cgroup_id id;

	if (proc_read(d->t->proc, pid, "cgroup", 64 << 10, &text) < 0 || !cgroup_parse(text, &id))
		return false;
	if (p->uid && id.pod_uid[0])
		return strcmp(p->uid, id.pod_uid) == 0;
	if (p->sandbox_id && strcmp(p->sandbox_id, id.id) == 0)
		return true;
	for (const struct pod_container *c = p->containers; c; c = c->next)
		if (c->id && strcmp(c->id, id.id) == 0)
			return true;
	return false;
}

struct other {
	uint64_t inode;
	pid_t pid;
	char comm[32];
};

static unsigned collect(struct doctor *d, struct other *seen)
{
	uint64_t node = 0, inode;
	struct proc_stat st;
	unsigned n = 0;
	size_t count;
	pid_t *pids;

	if (proc_pids(d->t->proc, d->arena, &pids, &count) < 0)
		return 0;
	proc_netns(d->t->proc, 1, &node);
	for (size_t i = 0; i < count && n < SEEN_MOST; i++) {
		bool known = false;

		if (proc_netns(d->t->proc, pids[i], &inode) || inode == d->t->netns.inode || inode == node)
			continue;
		for (unsigned k = 0; k < n; k++)
			known |= seen[k].inode == inode;
		if (known || !of_pod(d, pids[i]) || proc_stat(d->t->proc, pids[i], &st))
			continue;
		seen[n].inode = inode;
		seen[n].pid = pids[i];
		snprintf(seen[n].comm, sizeof(seen[n].comm), "%s", st.comm);
		n++;
	}
	return n;
}

static void check(struct doctor *d)
{
	struct other seen[SEEN_MOST];
	struct doctor_finding *f;
	unsigned n = d->t->pod && !d->t->pod->host_network && !d->opt->quick ? collect(d, seen) : 0;

	if (!n)
		return;
	f = doctor_find(d, "processes of the pod are in %u other network namespace%s: what is wrong there does not show here", n,
			n == 1 ? "" : "s");
	doctor_see(d, f, "looked at", d->t->netns.path, "netns %" PRIu64 ", the one of the pod's addresses", d->t->netns.inode);
	for (unsigned i = 0; i < n; i++)
		doctor_see(d, f, "another one", "/proc and its control group", "netns %" PRIu64 ", process %d (%s)", seen[i].inode,
			   (int)seen[i].pid, seen[i].comm);
	doctor_fix(d, f, "cnish -t pid:%d doctor", (int)seen[0].pid);
	doctor_fix(d, f, "update istio-cni, which may have taken the wrong one (1.26 takes the oldest that has the pod's address)");
}

const struct doctor_entry doctor_d44 = {
	.id = "D44",
	.title = "a pod with several network namespaces",
	.link = "https://github.com/istio/istio/issues/55139",
	.explain = "A container that makes network namespaces of its own (docker in docker, a VPN, systemd units) puts processes of the\n"
		   "pod into others than the pod's. Istio's agents have taken such a one for the pod's, and so may a person.\n"
		   "It is told by the control groups of the node's processes.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
