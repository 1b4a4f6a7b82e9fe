/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assemble - make pods of what the sources said of containers */
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/gather.h"
#include "nsutil/pod/launch.h"
#include "nsutil/pod/nsfs.h"
#include "nsutil/pod/proc.h"

struct assembly {
	struct gather *g;
	struct pod *pods, **tail;
	uint64_t host_inode; /* 0 when it may not be seen */
	struct nsfs_mount *mounts;
};

static bool equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static void say_pod(struct assembly *as, struct pod *p, const char *source, const char *says)
{
	struct evidence *ev = arena_alloc(as->g->arena, sizeof(*ev)), **tail = &p->evidence;

	if (!ev)
		return;
	ev->source = arena_strdup(as->g->arena, source);
	ev->says = arena_strdup(as->g->arena, says);
	while (*tail)
		tail = &(*tail)->next;
	*tail = ev;
}

static void append_evidence(struct pod *p, struct evidence *list)
{
	struct evidence **tail = &p->evidence;

	while (*tail)
		tail = &(*tail)->next;
	*tail = list;
}

/* A record's pod: by sandbox id; by pod uid when only control groups told; else one of its own. */
static struct pod *pod_of(struct assembly *as, const struct record *r)
{
	const char *sandbox = r->sandbox ? r->id : r->sandbox_id;
	struct pod *by_uid = NULL, *p;

	for (p = as->pods; p; p = p->next) {
		if (sandbox && equal(p->sandbox_id, sandbox))
			return p;
		if (!sandbox && equal(p->uid, r->pod_uid))
			by_uid = p;
	}
	if (by_uid)
		return by_uid;
	p = arena_alloc(as->g->arena, sizeof(*p));
	if (!p)
		return NULL;
	p->sandbox_id = sandbox;
	*as->tail = p;
	as->tail = &p->next;
	return p;
}

static void add_container(struct assembly *as, struct pod *p, const struct record *r)
{
	struct pod_container *c = arena_alloc(as->g->arena, sizeof(*c)), **tail = &p->containers;

	if (!c)
		return;
	c->name = r->name;
	c->id = r->id;
	c->pid = r->pid;
	c->state = r->state ? r->state : r->pid ? "running" : "unknown";
	while (*tail)
		tail = &(*tail)->next;
	*tail = c;
}

static void fill(const char **field, const char *value)
{
	if (!*field)
		*field = value;
}

/* Annotations come from the sandbox alone; the arena's array has room for the end. */
static void take_annotations(struct assembly *as, struct pod *p, const struct record *r)
{
	const char **at = r->n_annotations ? arena_grow(as->g->arena, r->annotations, r->n_annotations, sizeof(*at)) : NULL;

	if (!at || p->annotations)
		return;
	at[r->n_annotations] = NULL;
	p->annotations = at;
}

static void take_record(struct assembly *as, struct pod *p, const struct record *r)
{
	launch_add(p, r);
	take_annotations(as, p, r);
	fill(&p->k8s_namespace, r->k8s_namespace);
	fill(&p->name, r->pod_name);
	fill(&p->uid, r->pod_uid);
	fill(&p->runtime, r->runtime);
	append_evidence(p, r->evidence);
	if (!p->n_ips) {
		p->ips = r->ips;
		p->n_ips = r->n_ips;
	}
	if (r->net == NET_HOST && (r->sandbox || !p->sandbox_id))
		p->host_network = true;
	if (r->sandbox) {
		p->state = r->state ? r->state : r->pid ? "ready" : "notready";
		p->netns_path = r->netns_path;
		p->created_ns = r->created_ns;
		return;
	}
	add_container(as, p, r);
	fill(&p->netns_path, r->netns_path);
	if (!p->created_ns)
		p->created_ns = r->created_ns;
}

/* A file alone, without a process that lives or a namespace still mounted, tells of the past. */
static bool stale(const struct assembly *as, const struct pod *p)
{
	if (p->pid || p->netns_inode)
		return false;
	for (const struct record *r = as->g->records; r; r = r->next)
		if (r->told && (equal(r->id, p->sandbox_id) || (p->containers && equal(r->id, p->containers->id))))
			return false;
	return true;
}

static void drop_stale(struct assembly *as)
{
	unsigned n = 0;

	for (struct pod **at = &as->pods; *at;) {
		if (!stale(as, *at)) {
			at = &(*at)->next;
			continue;
		}
		*at = (*at)->next;
		n++;
	}
	if (n)
		gather_source(as->g, "state files", "%u pods left out: no process of them lives, no namespace is mounted", n);
}

/* Sandboxes first, so that a container known by uid only finds its pod. */
static void make_pods(struct assembly *as)
{
	for (int pass = 0; pass < 3; pass++)
		for (const struct record *r = as->g->records; r; r = r->next) {
			int when = r->sandbox ? 0 : r->sandbox_id ? 1 : 2;
			struct pod *p = when == pass ? pod_of(as, r) : NULL;

			if (p)
				take_record(as, p, r);
		}
}

static bool owns_ip(struct assembly *as, const struct pod *p, pid_t pid)
{
	struct addr *ips;
	int n = proc_addrs(as->g->host.proc, pid, as->g->arena, &ips);

	if (n < 0)
		return true; /* not known, so no reason against it */
	for (int i = 0; i < n; i++)
		for (unsigned k = 0; k < p->n_ips; k++)
			if (addr_equal(&ips[i], &p->ips[k]))
				return true;
	return false;
}

struct candidate {
	pid_t pid;
	uint64_t starttime, inode;
};

/* How well a process stands for its pod: the host's namespace never does, an owned address counts. */
static int rank(struct assembly *as, const struct pod *p, const struct candidate *c)
{
	if (!c->pid || (!p->host_network && c->inode && c->inode == as->host_inode))
		return 0;
	return p->n_ips && !owns_ip(as, p, c->pid) ? 1 : 2;
}

static void consider(struct assembly *as, struct pod *p, pid_t pid, struct candidate *best, int *best_rank)
{
	struct candidate c = { .pid = pid };
	struct proc_stat st;
	char says[160];
	int r;

	if (!pid || proc_stat(as->g->host.proc, pid, &st))
		return;
	c.starttime = st.starttime;
	proc_netns(as->g->host.proc, pid, &c.inode);
	if (best->pid && best->inode && c.inode == best->inode && best->starttime <= c.starttime)
		return;
	r = rank(as, p, &c);
	if (best->pid && best->inode && c.inode && best->inode != c.inode) {
		snprintf(says, sizeof(says), "processes %d and %d of it are in two network namespaces; the %s is taken",
			 (int)best->pid, (int)pid, r != *best_rank ? "one with its address" : "older");
		say_pod(as, p, as->g->host.proc, says);
	}
	if (r > *best_rank || (r == *best_rank && r > 0 && c.starttime < best->starttime)) {
		*best = c;
		*best_rank = r;
	}
}

static void choose_process(struct assembly *as, struct pod *p)
{
	struct candidate best = { .pid = 0 };
	int best_rank = 0;

	for (const struct record *r = as->g->records; r; r = r->next)
		if (r->sandbox && equal(r->id, p->sandbox_id))
			consider(as, p, r->pid, &best, &best_rank);
	for (const struct pod_container *c = p->containers; c; c = c->next)
		consider(as, p, c->pid, &best, &best_rank);
	p->pid = best.pid;
	p->starttime = best.starttime;
	p->netns_inode = best.inode;
}

/* "/var/run" is "/run" in mountinfo. */
static bool same_path(const char *a, const char *b)
{
	if (strncmp(a, "/var/run/", 9) == 0)
		a += 4;
	if (strncmp(b, "/var/run/", 9) == 0)
		b += 4;
	return strcmp(a, b) == 0;
}

static bool ns_owns_ip(const struct netns *ns, const struct pod *p, struct arena *a)
{
	_cleanup_free_ char *v4 = NULL, *v6 = NULL;
	struct addr *ips = NULL;
	unsigned n = 0;

	if (netns_read_proc(ns, "net/fib_trie", 8 << 20, &v4, NULL, NULL) == 0)
		proc_parse_fib_trie(v4, a, &ips, &n);
	if (netns_read_proc(ns, "net/if_inet6", 8 << 20, &v6, NULL, NULL) == 0)
		proc_parse_if_inet6(v6, a, &ips, &n);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < p->n_ips; k++)
			if (addr_equal(&ips[i], &p->ips[k]))
				return true;
	return false;
}

/* No process and no path: the mounted namespace that has the pod's address. */
static void search_mounts(struct assembly *as, struct pod *p)
{
	for (const struct nsfs_mount *m = as->mounts; m; m = m->next) {
		struct netns ns _cleanup_netns_ = NETNS_INIT;

		if (m->inode == as->host_inode || nsfs_open(&as->g->host, m->path, &ns, NULL) ||
		    !ns_owns_ip(&ns, p, as->g->arena))
			continue;
		p->netns_path = m->path;
		p->netns_inode = m->inode;
		say_pod(as, p, m->path, "a namespace mounted there has the pod's address");
		return;
	}
}

static void find_namespace(struct assembly *as, struct pod *p)
{
	bool up = equal(p->state, "ready") || equal(p->state, "running");

	if (p->pid)
		return;
	if (!p->netns_path && up && p->n_ips && !p->host_network)
		search_mounts(as, p);
	for (const struct nsfs_mount *m = as->mounts; m && p->netns_path && !p->netns_inode; m = m->next)
		if (same_path(m->path, p->netns_path))
			p->netns_inode = m->inode;
}

static void finish_pod(struct assembly *as, struct pod *p)
{
	const struct pod_container *only = p->containers && !p->containers->next ? p->containers : NULL;

	/* Outside Kubernetes a container is its own pod, and has its name. */
	if (!p->name && !p->uid && only)
		p->name = only->name ? only->name : only->id;
	if (!p->name)
		p->name = p->uid ? p->uid : p->sandbox_id;
	if (!p->sandbox_id && only)
		p->sandbox_id = only->id;
	if (!p->runtime)
		p->runtime = "unknown";
	if (p->host_network && !p->netns_inode)
		p->netns_inode = as->host_inode;
	if (!p->state)
		p->state = p->containers && !p->uid ? p->containers->state : p->pid ? "ready" : "notready";
	if (!p->n_ips && p->pid && !p->host_network) {
		int n = proc_addrs(as->g->host.proc, p->pid, as->g->arena, &p->ips);

		p->n_ips = n > 0 ? (unsigned)n : 0;
	}
}

/* Containers of docker that use another's network: the other's namespace is theirs. */
static void note_shared(struct assembly *as)
{
	for (struct pod *p = as->pods; p; p = p->next) {
		const struct record *r = !p->sandbox_id && p->containers ? gather_find(as->g, p->containers->id) : NULL;
		const struct record *other = r && r->shares_net ? gather_find(as->g, r->shares_net) : NULL;

		if (other)
			fill(&p->netns_path, other->netns_path);
		for (struct pod *q = other ? as->pods : NULL; q; q = q->next)
			if (q->containers && equal(q->containers->id, other->id))
				launch_add(q, r);
	}
}

static bool up(const struct pod *p)
{
	return equal(p->state, "ready") || equal(p->state, "running");
}

/* A restarted pod is there twice; the sandbox that is no more is dropped, and said. */
static void drop_replaced(struct assembly *as)
{
	struct pod **at = &as->pods;

	while (*at) {
		struct pod *p = *at, *q;
		char says[128];

		for (q = as->pods; q; q = q->next)
			if (q != p && p->k8s_namespace && equal(q->k8s_namespace, p->k8s_namespace) &&
			    equal(q->name, p->name) &&
			    (up(q) != up(p) ? up(q) : q->created_ns > p->created_ns))
				break;
		if (!q) {
			at = &p->next;
			continue;
		}
		snprintf(says, sizeof(says), "an earlier sandbox %.12s of the same pod is %s; this one is newer", p->sandbox_id ? p->sandbox_id : "-",
			 p->state);
		say_pod(as, q, p->runtime, says);
		*at = p->next;
	}
}

struct pod *assemble_pods(struct gather *g)
{
	struct assembly as = { .g = g };

	as.tail = &as.pods;
	if (proc_netns(g->host.proc, 1, &as.host_inode))
		as.host_inode = 0;
	as.mounts = nsfs_mounts(&g->host, g->arena);
	make_pods(&as);
	note_shared(&as);
	for (struct pod *p = as.pods; p; p = p->next) {
		choose_process(&as, p);
		find_namespace(&as, p);
	}
	drop_stale(&as);
	for (struct pod *p = as.pods; p; p = p->next)
		finish_pod(&as, p);
	drop_replaced(&as);
	return as.pods;
}
