/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complete_live - candidates that only the machine knows: targets, interfaces */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"
#include "nsutil/pod/proc.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/netview.h"
#include "shell/complete.h"

static void offer_pod(struct offer *o, const struct pod *p)
{
	char name[512];
	bool deeper = strchr(o->prefix, '/') && strchr(strchr(o->prefix, '/') + 1, '/');

	if (!p->name)
		return;
	snprintf(name, sizeof(name), "%s/%s", p->k8s_namespace ? p->k8s_namespace : "default", p->name);
	complete_add(o, name);
	if (!strchr(o->prefix, '/'))
		complete_add(o, p->name);
	for (const struct pod_container *c = p->containers; c && deeper; c = c->next) {
		snprintf(name, sizeof(name), "%s/%s/%s", p->k8s_namespace ? p->k8s_namespace : "default",
			 p->name, c->name ? c->name : "");
		complete_add(o, name);
	}
}

static void offer_pods(struct session *s, struct offer *o)
{
	const struct session_options *so = session_options(s);
	const struct pod_options opt = {
		.host_root = so->host_root,
		.runtime = so->runtime,
		.k8s_namespace = so->k8s_namespace,
	};
	struct pod_list *pl;

	if (pods_list(&opt, &pl, NULL))
		return;
	for (const struct pod *p = pl->pods; p; p = p->next)
		offer_pod(o, p);
	pods_free(pl);
}

static void offer_named_netns(struct offer *o)
{
	_cleanup_closedir_ DIR *d = opendir("/run/netns");
	struct dirent *de;
	char name[300];

	while (d && (de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "netns:%s", de->d_name);
		complete_add(o, name);
	}
}

static void offer_prefixes(struct offer *o)
{
	static const struct {
		const char *word, *help;
	} prefixes[] = {
		{ "pid:", "the namespace of a process: pid:N" },
		{ "cid:", "a container by its id: cid:HEX" },
		{ "netns:", "a namespace by name or path: netns:NAME, netns:/path" },
		{ "inode:", "a namespace by its number: inode:N" },
		{ "file:", "rules out of a file: file:PATH" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strlen(o->prefix) < strlen(prefixes[i].word)) {
			complete_add_help(o, prefixes[i].word, prefixes[i].help);
			/* only one of them can go on from what stands there */
			o->c->no_space |= *o->prefix && strncmp(prefixes[i].word, o->prefix, strlen(o->prefix)) == 0;
		}
}

void complete_targets(struct session *s, struct offer *o)
{
	if (strncmp(o->prefix, "file:", 5) == 0) {
		char lead[160];

		snprintf(lead, sizeof(lead), "%.150sfile:", o->lead);
		complete_files(&(struct offer){ .c = o->c, .prefix = o->prefix + 5, .lead = lead });
		return;
	}
	complete_add_help(o, "self", "the namespace cnish runs in");
	complete_add_help(o, "host", "the namespace of the node's first process");
	offer_prefixes(o);
	offer_named_netns(o);
	offer_pods(s, o);
}

/* Names in the folder that stands there already; a folder goes on with '/'. */
void complete_files(struct offer *o)
{
	const char *slash = strrchr(o->prefix, '/');
	int n = slash ? (int)(slash + 1 - o->prefix) : 0;
	_cleanup_closedir_ DIR *d = NULL;
	char path[4096], dir[4096];
	struct dirent *de;
	struct stat st;

	snprintf(dir, sizeof(dir), "%.*s", n, o->prefix);
	d = opendir(n ? dir : ".");
	while (d && (de = readdir(d)) != NULL) {
		const char *start = o->prefix + n;

		if (de->d_name[0] == '.' && (start[0] != '.' || !de->d_name[1] || (de->d_name[1] == '.' && !de->d_name[2])))
			continue;
		if (strncmp(de->d_name, start, strlen(start)) != 0 ||
		    snprintf(path, sizeof(path), "%s%s", dir, de->d_name) >= (int)sizeof(path) - 1)
			continue;
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			strcat(path, "/");
			o->c->no_space = true;
		}
		complete_add(o, path);
	}
}

static void offer_programs_of(struct offer *o, const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	size_t n = strlen(o->prefix);
	struct dirent *de;
	struct stat st;

	while (d && (de = readdir(d)) != NULL)
		if (strncmp(de->d_name, o->prefix, n) == 0 && fstatat(dirfd(d), de->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    faccessat(dirfd(d), de->d_name, X_OK, 0) == 0)
			complete_add(o, de->d_name);
}

/* By name, as execvp() finds them; with a slash it is a file, and without a letter they are too many to help. */
void complete_programs(struct offer *o)
{
	const char *path = getenv("PATH");
	char dir[4096];

	if (!o->prefix[0] || strchr(o->prefix, '/')) {
		o->c->files = true;
		return;
	}
	for (path = path ? path : "/bin:/usr/bin"; *path; path += *path == ':') {
		int n = (int)strcspn(path, ":");

		if (snprintf(dir, sizeof(dir), "%.*s", n, path) < (int)sizeof(dir))
			offer_programs_of(o, n ? dir : ".");
		path += n;
	}
}

/* What is read of the target for Tab; NULL when it cannot be. */
static struct netview *view(struct session *s, unsigned parts)
{
	struct netview *nv = NULL;
	struct target *t;

	if (session_target(s, &t, NULL) || load_netview(t, parts, &nv, NULL))
		return NULL;
	return nv;
}

void complete_ports(struct session *s, struct offer *o)
{
	_cleanup_netview_ struct netview *nv = view(s, NETVIEW_SOCKETS);
	char text[16];

	for (unsigned i = 0; nv && i < nv->n_sockets; i++) {
		snprintf(text, sizeof(text), "%u", nv->sockets[i].lport);
		if (nv->sockets[i].listening)
			complete_add(o, text);
	}
}

static void offer_endpoint(struct offer *o, const struct addr *a, unsigned port)
{
	char text[ADDR_TEXT], word[ADDR_TEXT + 16];

	addr_fmt(a, text);
	snprintf(word, sizeof(word), a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
	complete_add(o, word);
}

/* A socket bound to any address is reached by loopback and by each address of the target. */
void complete_listeners(struct session *s, struct offer *o)
{
	_cleanup_netview_ struct netview *nv = view(s, NETVIEW_SOCKETS | NETVIEW_LINKS);

	for (unsigned i = 0; nv && i < nv->n_sockets; i++) {
		const struct nv_socket *k = &nv->sockets[i];

		if (!k->listening)
			continue;
		if (!addr_is_any(&k->local))
			offer_endpoint(o, &k->local, k->lport);
		for (unsigned j = 0; addr_is_any(&k->local) && j < nv->n_addrs; j++)
			if (nv->addrs[j].addr.family == k->family)
				offer_endpoint(o, &nv->addrs[j].addr, k->lport);
	}
}

static void offer_uid(struct offer *o, unsigned uid)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", uid);
	complete_add(o, text);
}

void complete_uids(struct session *s, struct offer *o)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct target *t;
	struct stat st;
	size_t n = 0;
	pid_t *pids;

	offer_uid(o, 1337);
	if (!a || session_target(s, &t, NULL) || t->kind == TARGET_FILE || proc_pids(t->proc, a, &pids, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		char path[300];
		uint64_t inode;

		if (proc_netns(t->proc, pids[i], &inode) || inode != t->netns.inode)
			continue;
		snprintf(path, sizeof(path), "%.250s/%d", t->proc, (int)pids[i]);
		if (stat(path, &st) == 0)
			offer_uid(o, st.st_uid);
	}
}

void complete_interfaces(struct session *s, struct offer *o)
{
	_cleanup_netview_ struct netview *nv = view(s, NETVIEW_LINKS);

	for (unsigned i = 0; nv && i < nv->n_links; i++)
		complete_add(o, nv->links[i].name);
}
