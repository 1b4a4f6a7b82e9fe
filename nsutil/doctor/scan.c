/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scan - every pod namespace of the node at once: mesh, stores, capture, drift, findings */
#include "nsutil/doctor/scan.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/drift.h"
#include "nsutil/load.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/ipt.h"
#include "nsutil/pod/nsfs.h"
#include "nsutil/pod/proc.h"

enum { THREADS_MOST = 16 };

struct crew {
	struct scan *scan;
	const struct pod_options *opt;
	struct hostfs host;
	struct mesh_proxy *proxies;
	struct doctor_processes processes;
	struct ipt_found iptables; /* the node's */
	atomic_uint next;
	bool (*stop)(void *arg);
	void *arg;
};

const char *scan_capture_name(enum scan_capture c)
{
	static const char *const names[] = { "unknown", "outside", "none", "partial", "complete" };

	return names[c];
}

/* ---- what there is to look at ---- */

static bool known(const struct scan *s, uint64_t inode)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->at[i].inode == inode)
			return true;
	return false;
}

static int add(struct scan *s, struct scan_pod p)
{
	struct scan_pod *at = reallocarray(s->at, s->n + 1, sizeof(*at));

	if (!at)
		return -1;
	s->at = at;
	at[s->n++] = p;
	return 0;
}

static int add_pods(struct scan *s)
{
	for (const struct pod *p = s->pods->pods; p; p = p->next) {
		if (p->host_network || !p->netns_inode || (!p->pid && !p->netns_path) || known(s, p->netns_inode))
			continue;
		if (add(s, (struct scan_pod){ .pod = p, .name = p->name, .inode = p->netns_inode, .path = p->netns_path,
					      .pid = p->pid, .drift = -1 }) < 0)
			return -1;
	}
	return 0;
}

/* Namespaces that are kept by a mount and belong to no pod that a runtime tells of. */
static int add_mounts(struct scan *s, const struct crew *c)
{
	const struct nsfs_mount *m = nsfs_mounts(&c->host, s->pods->arena);
	uint64_t node = 0;

	proc_netns(c->host.proc, 1, &node);
	for (; m; m = m->next) {
		const char *slash = strrchr(m->path, '/');

		if (m->inode == node || known(s, m->inode))
			continue;
		if (add(s, (struct scan_pod){ .name = slash ? slash + 1 : m->path, .inode = m->inode, .path = m->path,
					      .drift = -1 }) < 0)
			return -1;
	}
	return 0;
}

/* ---- one namespace ---- */

static int open_namespace(const struct crew *c, const struct scan_pod *p, struct netns *ret, struct err *e)
{
	if (p->pid && netns_open_pid(c->host.proc, p->pid, ret, p->path ? NULL : e) == 0)
		return 0;
	if (p->pid && !p->path)
		return -1;
	return nsfs_open(&c->host, p->path, ret, e);
}

/* Whom the doctor is to look at; what it needs of a target is known already. */
static void make_target(const struct crew *c, struct scan_pod *p, struct target *t)
{
	t->arena = p->arena;
	t->kind = p->pod ? TARGET_POD : TARGET_NETNS;
	t->pod = (struct pod *)p->pod;
	t->pid = p->pid;
	t->proc = c->host.proc;
	t->host_root = c->host.root;
	t->label = p->name ? p->name : "?";
	if (p->pod && p->pod->k8s_namespace)
		t->label = arena_printf(p->arena, "%s/%s", p->pod->k8s_namespace, t->label);
	else if (!p->pod)
		t->label = arena_printf(p->arena, "netns:%s", t->label);
	t->spec = t->label;
}

static bool has_chain(const struct ruleset *rs, const char *name)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (strcmp(c->name, name) == 0)
				return true;
	return false;
}

static bool captures_dns(const struct rule *r, void *arg)
{
	(void)arg;
	return chains_of(r->chain, "Istio") && chains_port(r, NULL) == 15053;
}

static uint64_t age_of(const struct crew *c, uint64_t inode)
{
	uint64_t oldest = 0;
	struct proc_stat st;

	for (size_t i = 0; i < c->processes.n; i++)
		if (c->processes.inode[i] == inode && proc_stat(c->host.proc, c->processes.pids[i], &st) == 0 &&
		    (!oldest || st.starttime < oldest))
			oldest = st.starttime;
	return oldest;
}

static void read_addrs(struct scan_pod *p, const struct target *t)
{
	_cleanup_netview_ struct netview *nv = NULL;
	struct addr *addrs;

	if (load_netview(t, NETVIEW_LINKS | NETVIEW_NO_SYSCTLS, &nv, NULL) < 0 || !nv)
		return;
	addrs = arena_array(p->arena, nv->n_addrs + 1, sizeof(*addrs));
	for (unsigned i = 0; addrs && i < nv->n_addrs; i++)
		if (!addr_is_loopback(&nv->addrs[i].addr) && !addr_is_linklocal(&nv->addrs[i].addr))
			addrs[p->n_addrs++] = nv->addrs[i].addr;
	p->addrs = addrs;
}

static bool has_error(const struct doctor_report *r)
{
	for (const struct doctor_finding *f = r->findings; f; f = f->next)
		if (f->severity == DOCTOR_ERROR)
			return true;
	return false;
}

static enum scan_capture judge(const struct scan_pod *p, const struct ruleset *rs)
{
	unsigned stores = chains_stores(rs, 0, "Istio");
	bool both;

	if (p->mesh.mode == MESH_UNKNOWN || (rs->unread && !stores))
		return SCAN_UNKNOWN;
	if (p->mesh.mode == MESH_NONE)
		return SCAN_OUTSIDE;
	if (!stores) /* a gateway has none by design: then the doctor is silent */
		return p->report.findings ? SCAN_NONE : SCAN_OUTSIDE;
	both = stores & 1U << STORE_NATIVE ||
	       (has_chain(rs, "ISTIO_OUTPUT") && (has_chain(rs, "ISTIO_INBOUND") || has_chain(rs, "ISTIO_PRERT")));
	return both && !has_error(&p->report) ? SCAN_COMPLETE : SCAN_PARTIAL;
}

struct examination {
	const struct crew *c;
	struct scan_pod *p;
	struct target *t;
	struct drift_memo *memo;
};

static int examine(void *arg, struct err *e)
{
	const struct examination *x = arg;
	const struct crew *c = x->c;
	struct doctor_options opt = { .quick = true, .processes = &c->processes, .proxies = c->proxies, .node_iptables = &c->iptables };
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	struct scan_pod *p = x->p;
	bool gap = false;

	if (load_ruleset(x->t, LOAD_ALL, &rs, e) < 0)
		return -1;
	opt.rules = rs;
	if (doctor_run(p->arena, x->t, &opt, &p->report, e) < 0)
		return -1;
	mesh_judge(&x->t->netns, p->inode, p->pod, c->proxies, rs, &p->mesh);
	for (const struct table *table = rs->tables; table; table = table->next)
		for (const struct chain *chain = table->chains; chain; chain = chain->next)
			p->stores |= chain->n_rules ? 1U << table->store : 0;
	p->capture = judge(p, rs);
	if (p->mesh.mode == MESH_AMBIENT) {
		p->dns = chains_each(rs, captures_dns, NULL);
		p->started = age_of(c, p->inode);
		read_addrs(p, x->t);
	}
	if (chains_stores(rs, 0, "Istio") & ~(1U << STORE_NATIVE))
		p->drift = drift_count(x->memo, p->arena, x->t, p->mesh.mode == MESH_AMBIENT, rs, &gap);
	if (gap && p->capture == SCAN_COMPLETE) /* without one that lets some pass, all is captured still */
		p->capture = SCAN_PARTIAL;
	return 0;
}

static void look(const struct crew *c, struct scan_pod *p, struct drift_memo *memo)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	struct target t = { .arena = NULL };
	struct examination x = { c, p, &t, memo };
	struct err e = ERR_INIT;

	p->arena = arena_new();
	if (!p->arena) {
		err_oom(&p->why);
		return;
	}
	if (open_namespace(c, p, &ns, &p->why) < 0)
		return;
	err_clear(&p->why); /* one way in may have failed before another did not */
	if (ns.inode != p->inode) {
		err_set(&p->why, ERR_TARGET, p->name ? p->name : "?", "its process has another namespace by now");
		return;
	}
	make_target(c, p, &t);
	t.netns = ns;
	/* entered once for all that is read: each time costs as much as a small table */
	if (netns_call(&ns, examine, &x, &e) < 0) /* what could be read leaves the reason of an attempt before it */
		p->why = e;
}

static void *work(void *arg)
{
	_cleanup_drift_memo_ struct drift_memo memo = { .next = 0 };
	struct crew *c = arg;
	unsigned i;

	while ((i = atomic_fetch_add(&c->next, 1)) < c->scan->n && !(c->stop && c->stop(c->arg)))
		look(c, &c->scan->at[i], &memo);
	return NULL;
}

static void work_together(struct crew *c)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned want = cpus < 1 ? 1 : cpus > THREADS_MOST ? THREADS_MOST : (unsigned)cpus, n = 0;
	pthread_t threads[THREADS_MOST];

	if (want > c->scan->n)
		want = c->scan->n;
	while (n + 1 < want && pthread_create(&threads[n], NULL, work, c) == 0)
		n++;
	work(c); /* this thread works as well, and alone when no other could be made */
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

/* The processes of the node with their namespaces, read once for all pods. */
static int list_processes(struct crew *c)
{
	struct arena *a = c->scan->pods->arena;
	pid_t *pids;
	size_t n;

	if (proc_pids(c->host.proc, a, &pids, &n) < 0)
		return 0;
	c->processes.inode = arena_array(a, n ? n : 1, sizeof(*c->processes.inode));
	if (!c->processes.inode)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int r = proc_netns(c->host.proc, pids[i], &c->processes.inode[i]);

		c->processes.hidden += r == -EACCES || r == -EPERM;
		if (r)
			c->processes.inode[i] = 0;
	}
	c->processes.pids = pids;
	c->processes.n = n;
	return 0;
}

int scan_run(const struct pod_options *opt, bool (*stop)(void *arg), void *arg, struct scan *ret, struct err *e)
{
	struct scan s = { .n = 0 };
	struct crew c = { .scan = &s, .opt = opt, .stop = stop, .arg = arg };

	if (pods_list(opt, &s.pods, e) < 0)
		return -1;
	if (hostfs_init(&c.host, opt->host_root, s.pods->arena) < 0 || add_pods(&s) < 0 || add_mounts(&s, &c) < 0 ||
	    list_processes(&c) < 0) {
		scan_free(&s);
		return err_oom(e);
	}
	ipt_find(c.host.root, &c.iptables);
	c.proxies = mesh_proxies(c.host.proc, s.pods->arena);
	work_together(&c);
	*ret = s;
	return 0;
}

void scan_free(struct scan *s)
{
	for (unsigned i = 0; i < s->n; i++)
		arena_free(s->at[i].arena);
	free(s->at);
	if (s->pods)
		pods_free(s->pods);
}
