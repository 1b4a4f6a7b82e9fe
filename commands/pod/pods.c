/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pods - pods and containers of the node, with their mesh state and the stores that hold rules */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/pod/common.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"
#include "nsutil/pod/hostfs.h"

/* What is known of a namespace; pods on the node's network share one, whose rules are read once. */
struct seen {
	uint64_t inode;
	struct store_count counts[STORE_COUNT];
	struct mesh mesh;
	struct seen *next;
};

struct listing {
	struct session *session;
	struct pod_options opt;
	struct arena *arena;
	struct mesh_proxy *proxies;
	struct seen *seen;
	struct pod_list *list;
};

static void pods_freep(struct pod_list **pl)
{
	pods_free(*pl);
}

static void target_freep(struct target **t)
{
	target_free(*t);
}

static bool up(const struct pod *p)
{
	return p->state && (strcmp(p->state, "ready") == 0 || strcmp(p->state, "running") == 0);
}

/* A namespace's rules are read by the process that stands for it, or by its mount. */
static int open_namespace(struct listing *l, const struct pod *p, struct target **ret, struct err *e)
{
	char spec[600];

	if (p->pid)
		snprintf(spec, sizeof(spec), "pid:%d", (int)p->pid);
	else if (p->netns_path)
		snprintf(spec, sizeof(spec), "netns:%.500s", p->netns_path);
	else
		return -1;
	return target_open(spec, &l->opt, ret, e);
}

static void look(struct listing *l, const struct pod *p, struct seen *ret)
{
	struct target *t _cleanup_(target_freep) = NULL;
	struct ruleset *rs _cleanup_ruleset_ = NULL;
	struct err e = ERR_INIT;

	if (p->netns_inode && open_namespace(l, p, &t, &e) == 0 && t->netns.inode == p->netns_inode)
		load_ruleset(t, LOAD_ALL, &rs, &e);
	pod_count_stores(rs, ret->counts);
	mesh_judge(t ? &t->netns : NULL, p->netns_inode, p->host_network ? NULL : p, l->proxies, rs, &ret->mesh);
}

static const struct seen *look_once(struct listing *l, const struct pod *p)
{
	struct seen *s;

	for (s = l->seen; s; s = s->next)
		if (p->netns_inode && s->inode == p->netns_inode)
			return s;
	s = arena_alloc(l->arena, sizeof(*s));
	if (!s)
		return NULL;
	s->inode = p->netns_inode;
	look(l, p, s);
	s->next = l->seen;
	l->seen = s;
	return s;
}

static void put_pid(pid_t pid, struct out *o)
{
	if (pid)
		out_int(o, "pid", "%" PRId64, pid);
	else if (out_structured(o))
		out_null(o, "pid");
	else
		out_text(o, "-");
}

static void put_netns(const struct pod *p, struct out *o)
{
	if (!p->netns_inode && !p->netns_path) {
		if (out_structured(o))
			out_null(o, "netns");
		else
			out_text(o, "-");
		return;
	}
	out_object(o, "netns");
	if (p->netns_inode)
		out_uint(o, "inode", "%" PRIu64, p->netns_inode);
	else if (out_structured(o))
		out_null(o, "inode");
	else
		out_text(o, "-");
	out_str(o, "path", NULL, p->netns_path);
	out_object_end(o);
}

static void put_stores(const struct seen *s, struct out *o)
{
	bool any = false;

	out_array(o, "stores");
	for (unsigned i = 0; s && i < STORE_COUNT; i++) {
		if (!s->counts[i].rules)
			continue;
		out_text(o, "%s", any ? "," : "");
		out_str(o, NULL, "%s", pod_store_name(i));
		any = true;
	}
	out_array_end(o);
	if (!any)
		out_text(o, "-");
}

static void put_containers(const struct pod *p, struct out *o)
{
	out_array(o, "containers");
	for (const struct pod_container *c = p->containers; c; c = c->next) {
		out_object(o, NULL);
		out_text(o, "%s", c == p->containers ? "" : ",");
		out_str(o, "name", "%s", c->name);
		out_str(o, "id", NULL, c->id);
		if (c->pid)
			out_int(o, "pid", NULL, c->pid);
		else
			out_null(o, "pid");
		out_str(o, "state", NULL, c->state);
		out_object_end(o);
	}
	out_array_end(o);
	if (!p->containers)
		out_text(o, "-");
}

static void put_pod(struct listing *l, const struct pod *p, struct out *o)
{
	const struct seen *s = look_once(l, p);

	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "namespace", "%s", p->k8s_namespace);
	out_cell(o);
	out_style(o, STYLE_NAME);
	out_str(o, "name", "%s", p->name);
	out_style(o, STYLE_PLAIN);
	out_str(o, "uid", NULL, p->uid);
	out_cell(o);
	out_style(o, up(p) ? STYLE_PLAIN : STYLE_WARN);
	out_str(o, "state", "%s", p->state);
	out_style(o, STYLE_PLAIN);
	out_cell(o);
	put_pid(p->pid, o);
	out_cell(o);
	put_netns(p, o);
	out_bool(o, "host_network", NULL, p->host_network);
	out_cell(o);
	if (p->host_network && !p->n_ips)
		out_text(o, "host");
	if (!p->host_network || p->n_ips || out_structured(o))
		pod_put_ips(p, o);
	out_cell(o);
	if (s)
		pod_put_mesh(&s->mesh, false, o);
	out_cell(o);
	put_stores(s, o);
	out_cell(o);
	put_containers(p, o);
	out_cell(o);
	out_str(o, "runtime", "%s", p->runtime);
	out_cell(o);
	out_str(o, "sandbox_id", out_structured(o) ? NULL : "%.12s", p->sandbox_id);
	out_object_end(o);
}

static const struct out_column columns[] = {
	{ .head = "NAMESPACE" }, { .head = "POD" },	   { .head = "STATE" },
	{ .head = "PID", .right = true }, { .head = "NETNS", .right = true }, { .head = "IPS" },
	{ .head = "MESH" },	 { .head = "STORES" },	   { .head = "CONTAINERS" },
	{ .head = "RUNTIME" },	 { .head = "SANDBOX", .wide = true }, { .head = NULL },
};

extern const struct command command_pods;

static bool wanted(const struct pod *p, const char *ns, bool all)
{
	return (all || up(p) || p->pid) && (!ns || (p->k8s_namespace && strcmp(ns, p->k8s_namespace) == 0));
}

static void put_list(struct listing *l, bool all, struct out *o)
{
	unsigned hidden = 0, shown = 0;

	out_begin(o, "pods");
	out_table(o, columns);
	out_stream(o, "pods");
	for (const struct pod *p = l->list->pods; p && !session_interrupted(l->session); p = p->next) {
		if (!wanted(p, l->opt.k8s_namespace, all)) {
			hidden += wanted(p, l->opt.k8s_namespace, true);
			continue;
		}
		put_pod(l, p, o);
		shown++;
	}
	out_stream_end(o);
	out_table_end(o);
	if (out_format(o) == OUT_WIDE || out_format(o) == OUT_JSON || !shown)
		pod_put_evidence(l->list->sources, "sources", o);
	out_end(o);
	if (hidden)
		out_note(o, "%u that do not run are left out; --all shows them", hidden);
	if (!shown)
		out_note(o, "no pod was found; in a container, the node's are seen with hostPID and --host-root");
}

static int run_pods(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct pod_list *pl _cleanup_(pods_freep) = NULL;
	struct listing l = { .session = s, .opt = pod_options_of(s) };
	struct hostfs host;

	if (command_opt(&command_pods, args, "all-namespaces"))
		l.opt.k8s_namespace = NULL;
	if (pods_list(&l.opt, &pl, e))
		return -1;
	l.list = pl;
	l.arena = pl->arena;
	if (hostfs_init(&host, l.opt.host_root, pl->arena))
		return err_oom(e);
	l.proxies = mesh_proxies(host.proc, pl->arena);
	put_list(&l, command_opt(&command_pods, args, "all") != NULL, o);
	return 0;
}

static const struct command_option options[] = {
	{ "all", 'a', ARG_NONE, NULL, NULL, "also what does not run" },
	{ "all-namespaces", 'A', ARG_NONE, NULL, NULL, "of all Kubernetes namespaces, as without -n" },
	{ .name = NULL },
};

static const char *const examples[] = { "pods", "pods -n shop -o json", "pods --runtime none", NULL };

const struct command command_pods = {
	.name = "pods",
	.summary = "pods and containers of this node",
	.options = options,
	.formats = OUT_WIDE | OUT_JSONL,
	.description =
		"Lists what runs on the node: Kubernetes pods, and containers of docker and podman outside of pods.\n"
		"Runtimes are asked through their sockets (containerd, CRI-O, k3s, docker, podman); what has no socket\n"
		"is found through /proc and the runtimes' state files. --runtime names a socket, or none.\n\n"
		"NETNS is the inode of the network namespace; pods that share one share all rules. MESH says whether\n"
		"Istio captures its traffic (sidecar, ambient, none, unknown); 'info' says why. STORES lists which of\n"
		"the stores hold rules there: legacy iptables, compat (iptables-nft), native nftables.\n\n"
		"-o wide adds the sandbox ids, and the sources with what came of them.",
	.examples = examples,
	.run = run_pods,
};
