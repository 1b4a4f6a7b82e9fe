/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts - rules, sockets, processes and files of the target, each read once, when first asked for */
#include "nsutil/doctor/facts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/envoy.h"
#include "nsutil/doctor/scan.h"
#include "nsutil/load.h"
#include "nsutil/netns/netns.h"
#include "nsutil/netns/owner.h"
#include "nsutil/pod/proc.h"

enum { PROC_TEXT_MAX = 1 << 20, ARGS_MAX = 2048, STATUS_MAX = 64 << 10 };

void facts_close(struct facts *f)
{
	ruleset_free(f->rules);
	if (f->net)
		netview_free(f->net);
	if (f->all_sockets)
		netview_free(f->all_sockets);
	if (f->scan) {
		scan_free(f->scan);
		free(f->scan);
	}
	f->rules = NULL;
	f->net = f->all_sockets = NULL;
	f->scan = NULL;
}

const struct scan *facts_scan(struct doctor *d)
{
	struct facts *f = &d->facts;
	struct err e = ERR_INIT;

	if (f->asked_scan)
		return f->scan;
	f->asked_scan = true;
	if (!d->opt->pods) {
		f->scan_why = "the node's pods were not to be looked at";
		return NULL;
	}
	f->scan = calloc(1, sizeof(*f->scan));
	if (f->scan && scan_run(d->opt->pods, NULL, NULL, f->scan, &e) == 0)
		return f->scan;
	free(f->scan);
	f->scan = NULL;
	f->scan_why = arena_printf(d->arena, "%s: %s", e.what, e.why);
	return NULL;
}

const struct doctor_envoy *facts_envoy(struct doctor *d)
{
	struct facts *f = &d->facts;
	const struct netview *nv;

	if (f->asked_envoy)
		return &f->envoy;
	f->asked_envoy = true;
	nv = d->opt->quick || d->opt->host ? NULL : facts_net(d);
	if (nv && !nv->sockets_unread &&
	    (facts_listens(nv, IPPROTO_TCP, ENVOY_ADMIN_PORT) || facts_listens(nv, IPPROTO_TCP, ENVOY_READY_PORT)))
		envoy_ask(&d->t->netns, &f->envoy);
	return &f->envoy;
}

const struct ruleset *facts_rules(struct doctor *d)
{
	struct facts *f = &d->facts;

	if (d->opt->rules)
		return d->opt->rules;
	if (!f->asked_rules)
		load_ruleset(d->t, LOAD_ALL, &f->rules, &f->rules_why);
	f->asked_rules = true;
	return f->rules;
}

const struct netview *facts_net(struct doctor *d)
{
	struct facts *f = &d->facts;
	unsigned parts = NETVIEW_LISTENERS | NETVIEW_NO_SYSCTLS |
			 (d->opt->quick ? NETVIEW_NO_UDP | (NETVIEW_ALL & ~(NETVIEW_PROCESSES | NETVIEW_IPSEC)) : NETVIEW_ALL);

	if (!f->asked_net)
		netview_read(&d->t->netns, parts, d->t->proc, &f->net, &f->net_why);
	f->asked_net = true;
	return f->net;
}

/* A field of /proc/PID/status: the text behind its name, NULL when it is not there. */
static const char *status_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : NULL;
}

/* An identity map ("0 0 4294967295") is what a process without a user namespace of its own has. */
static bool maps_users(const char *proc, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	unsigned long inside, outside, count;

	if (proc_read(proc, pid, "uid_map", 4096, &text) < 0 ||
	    sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3)
		return false;
	return inside || outside || count != 4294967295UL;
}

/* An id as the process's own user namespace counts it; @id itself where that does not know it. */
static uid_t id_inside(const char *proc, pid_t pid, const char *map, uid_t id)
{
	_cleanup_free_ char *text = NULL;
	unsigned long inside, outside, count;

	if (proc_read(proc, pid, map, 4096, &text) < 0)
		return id;
	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (sscanf(at, "%lu %lu %lu", &inside, &outside, &count) == 3 && id >= outside && id - outside < count)
			return (uid_t)(inside + (id - outside));
	return id;
}

static const char *args_of(struct doctor *d, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	long n = proc_read(d->t->proc, pid, "cmdline", 64 << 10, &text);

	if (n < 0)
		return "";
	if (n > ARGS_MAX)
		n = ARGS_MAX;
	for (long i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ')
			text[i] = i + 1 < n ? ' ' : '\0';
	text[n] = '\0';
	return arena_strdup(d->arena, text);
}

/* What /proc/PID tells of a process; false when it went away or may not be seen. */
static bool fill_process(struct doctor *d, pid_t pid, struct fact_process *p)
{
	_cleanup_free_ char *status = NULL;
	const char *uid, *gid, *caps;
	struct proc_stat st;

	if (proc_stat(d->t->proc, pid, &st) || st.state == 'Z' ||
	    proc_read(d->t->proc, pid, "status", STATUS_MAX, &status) < 0)
		return false;
	uid = status_field(status, "\nUid:");
	gid = status_field(status, "\nGid:");
	caps = status_field(status, "\nCapEff:");
	if (!uid || !gid || sscanf(uid, "%*u %u", &p->uid) != 1 || sscanf(gid, "%*u %u", &p->gid) != 1)
		return false;
	p->pid = pid;
	p->caps = caps ? strtoull(caps, NULL, 16) : 0;
	p->own_users = maps_users(d->t->proc, pid);
	p->rule_uid = p->uid;
	p->rule_gid = p->gid;
	/* owner matches count as the user namespace does that the network namespace belongs to (hostUsers: false) */
	if (p->own_users && netns_owned_by(&d->t->netns, d->t->proc, pid) == 1) {
		p->rule_uid = id_inside(d->t->proc, pid, "uid_map", p->uid);
		p->rule_gid = id_inside(d->t->proc, pid, "gid_map", p->gid);
	}
	snprintf(p->comm, sizeof(p->comm), "%.15s", st.comm);
	p->args = args_of(d, pid);
	return p->args;
}

static void take_process(struct doctor *d, pid_t pid, struct fact_process ***tail)
{
	struct fact_process *p = arena_alloc(d->arena, sizeof(*p));

	if (!p || !fill_process(d, pid, p))
		return;
	**tail = p;
	*tail = &p->next;
}

static void hide(struct doctor *d, unsigned hidden)
{
	if (hidden)
		d->facts.processes_why = arena_printf(d->arena, "%u processes may not be looked at (CAP_SYS_PTRACE)", hidden);
}

static void find_processes(struct doctor *d)
{
	struct fact_process **tail = &d->facts.processes;
	unsigned hidden = 0;
	pid_t *pids;
	size_t n;

	if (proc_pids(d->t->proc, d->arena, &pids, &n) < 0) {
		d->facts.processes_why = "the node's /proc cannot be listed";
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t inode;
		int r = proc_netns(d->t->proc, pids[i], &inode);

		hidden += r == -EACCES || r == -EPERM;
		if (r == 0 && inode == d->t->netns.inode)
			take_process(d, pids[i], &tail);
	}
	hide(d, hidden);
}

/* As find_processes(), of a list that was made for many targets. */
static void pick_processes(struct doctor *d, const struct doctor_processes *all)
{
	struct fact_process **tail = &d->facts.processes;

	for (size_t i = 0; i < all->n; i++)
		if (all->inode[i] == d->t->netns.inode)
			take_process(d, all->pids[i], &tail);
	hide(d, all->hidden);
}

const struct fact_process *facts_processes(struct doctor *d)
{
	if (!d->facts.asked_processes && d->opt->processes)
		pick_processes(d, d->opt->processes);
	else if (!d->facts.asked_processes)
		find_processes(d);
	d->facts.asked_processes = true;
	return d->facts.processes;
}

const struct mesh *facts_mesh(struct doctor *d)
{
	if (!d->facts.asked_mesh)
		mesh_judge(&d->t->netns, d->t->netns.inode, d->t->pod,
			   d->opt->processes ? d->opt->proxies : mesh_proxies(d->t->proc, d->arena), facts_rules(d), &d->facts.mesh);
	d->facts.asked_mesh = true;
	return &d->facts.mesh;
}

static void add_iptables(struct doctor *d, struct fact_iptables ***tail, const char *where, const char *root)
{
	struct fact_iptables *f = arena_alloc(d->arena, sizeof(*f));

	if (!f) {
		d->failed = true;
		return;
	}
	f->where = where;
	if (d->opt->node_iptables && strcmp(where, "node") == 0)
		f->found = *d->opt->node_iptables;
	else
		ipt_find(root, &f->found);
	**tail = f;
	*tail = &f->next;
}

const struct fact_iptables *facts_iptables(struct doctor *d)
{
	struct fact_iptables **tail = &d->facts.iptables;

	if (d->facts.asked_iptables)
		return d->facts.iptables;
	d->facts.asked_iptables = true;
	add_iptables(d, &tail, "node", d->t->host_root);
	for (const struct pod_container *c = d->t->pod ? d->t->pod->containers : NULL; c; c = c->next)
		if (c->pid)
			add_iptables(d, &tail, arena_printf(d->arena, "container %s", c->name ? c->name : c->id),
				     arena_printf(d->arena, "%s/%d/root", d->t->proc, (int)c->pid));
	return d->facts.iptables;
}

const char *facts_proc(struct doctor *d, const char *path)
{
	_cleanup_free_ char *text = NULL;

	if (netns_read_proc(&d->t->netns, path, PROC_TEXT_MAX, &text, NULL, NULL) < 0)
		return NULL;
	return arena_strdup(d->arena, text);
}

long long facts_number(struct doctor *d, const char *path, long long missing)
{
	const char *text = facts_proc(d, path);
	char *end;
	long long v = text ? strtoll(text, &end, 10) : missing;

	return text && end == text ? missing : v;
}

const struct fact_process *facts_proxy(struct doctor *d)
{
	const struct fact_process *agent = NULL;

	for (const struct fact_process *p = facts_processes(d); p; p = p->next) {
		if (strcmp(p->comm, "envoy") == 0)
			return p;
		if (strcmp(p->comm, "pilot-agent") == 0)
			agent = p;
	}
	return agent;
}

/* pilot-agent's second word is the role; Envoy's --service-node begins with it. */
static bool has_role(const char *args, const char *role)
{
	char word[32], node[32];

	snprintf(word, sizeof(word), " %s", role);
	snprintf(node, sizeof(node), " %s~", role);
	return (strstr(args, " proxy") && strstr(args, word)) || strstr(args, node);
}

bool facts_is_gateway(struct doctor *d)
{
	for (const struct fact_process *p = facts_processes(d); p; p = p->next) {
		if (strcmp(p->comm, "ztunnel") == 0)
			return true;
		if (strcmp(p->comm, "envoy") != 0 && strcmp(p->comm, "pilot-agent") != 0)
			continue;
		if (has_role(p->args, "router") || has_role(p->args, "waypoint"))
			return true;
	}
	return false;
}

bool facts_listens_udp(struct doctor *d, unsigned port)
{
	struct facts *f = &d->facts;
	const struct netview *nv = facts_net(d);

	if (!d->opt->quick)
		return nv && facts_listens(nv, IPPROTO_UDP, port);
	if (!f->asked_all_sockets)
		netview_read(&d->t->netns, NETVIEW_SOCKETS | NETVIEW_LISTENERS | NETVIEW_NO_SYSCTLS, d->t->proc, &f->all_sockets, NULL);
	f->asked_all_sockets = true;
	return f->all_sockets && facts_listens(f->all_sockets, IPPROTO_UDP, port);
}

const struct nv_socket *facts_listens(const struct netview *nv, int protocol, unsigned port)
{
	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->protocol == protocol && s->listening && s->lport == port)
			return s;
	}
	return NULL;
}
