/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procsource - containers as /proc shows them: their control groups, shims and monitors */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/bundle.h"
#include "nsutil/pod/cgroup.h"
#include "nsutil/pod/docker.h"
#include "nsutil/pod/gather.h"
#include "nsutil/pod/jget.h"
#include "nsutil/pod/proc.h"

enum { CMDLINE_MAX = 128 << 10, CGROUP_MAX = 64 << 10, DIRS_MAX = 64, ARGS_MAX = 64 };

struct scan {
	struct gather *g;
	unsigned shims, monitors, containers, unreadable;
	struct stat seen[DIRS_MAX]; /* bundle folders already read: shims of one containerd share theirs */
	unsigned n_seen;
};

/* Arguments of a process, split at their NULs; only as many as one could want. */
struct args {
	char *text;
	char *v[ARGS_MAX];
	int n;
};

static bool read_args(struct gather *g, pid_t pid, struct args *ret)
{
	long len = proc_read(g->host.proc, pid, "cmdline", CMDLINE_MAX, &ret->text);
	char *p = ret->text;

	ret->n = 0;
	while (len > 0 && p < ret->text + len && ret->n < ARGS_MAX) {
		ret->v[ret->n++] = p;
		p += strlen(p) + 1;
	}
	return ret->n > 0;
}

static void args_free(struct args *args)
{
	free(args->text);
}

/* Value of a flag, "-id X" or "--id X". */
static const char *flag(const struct args *args, const char *name)
{
	for (int i = 1; i + 1 < args->n; i++)
		if (args->v[i][0] == '-' && strcmp(args->v[i] + 1 + (args->v[i][1] == '-'), name) == 0)
			return args->v[i + 1];
	return NULL;
}

static bool in_cgroup_of(struct gather *g, pid_t pid, const char *id)
{
	_cleanup_free_ char *text = NULL;

	return proc_read(g->host.proc, pid, "cgroup", CGROUP_MAX, &text) >= 0 && strstr(text, id);
}

/*
 * The parent of a container's first process is its shim, which serves it or its pod. Believed only
 * of a process whose control group names no other container.
 */
static bool child_of_shim(struct gather *g, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	struct proc_stat st, parent;
	struct cgroup_id c;

	if (proc_read(g->host.proc, pid, "cgroup", CGROUP_MAX, &text) < 0 || (cgroup_parse(text, &c) && c.id[0]))
		return false;
	return proc_stat(g->host.proc, pid, &st) == 0 && proc_stat(g->host.proc, st.ppid, &parent) == 0 &&
	       strncmp(parent.comm, "containerd-shim", 15) == 0;
}

/* init.pid has no start time beside it: that the process is in the container's group stands for it. */
static void take_init_pid(struct gather *g, struct record *r, int dir, const char *source)
{
	_cleanup_free_ char *text = NULL;
	char name[160];
	pid_t pid;

	snprintf(name, sizeof(name), "%.128s/init.pid", r->id);
	if (hostfs_read_at(dir, name, 64, &text) < 0)
		return;
	pid = atoi(text);
	if (pid <= 0 || (!in_cgroup_of(g, pid, r->id) && !child_of_shim(g, pid))) {
		gather_say(g, r, source, "its init.pid %d is no process of this container: stale", (int)pid);
		return;
	}
	if (gather_pid(g, r, pid, 0, source))
		gather_say(g, r, source, "init.pid is %d", (int)pid);
}

/* docker's name for a container is only in its own folder, which the spec's mounts lead to. */
static void take_docker_dir(struct gather *g, struct record *r, const json_t *spec)
{
	const char *dir = bundle_docker_dir(spec, r->id, g->arena), *path;
	_cleanup_free_ char *text = NULL;
	json_t *j _cleanup_json_ = NULL;
	long len;

	path = dir ? arena_printf(g->arena, "%s/config.v2.json", dir) : NULL;
	len = path ? hostfs_read(&g->host, path, BUNDLE_JSON_MAX, &text) : -1;
	j = len < 0 ? NULL : jget_load(text, (size_t)len, NULL, 0);
	if (j)
		docker_take_inspect(g, r, j, path);
}

static void take_bundle(struct gather *g, const char *id, int dir, const char *where, const char *runtime)
{
	_cleanup_free_ char *text = NULL;
	json_t *spec _cleanup_json_ = NULL;
	char name[160], source[512];
	struct record *r;
	long len;

	if (!bundle_id_ok(id))
		return;
	snprintf(name, sizeof(name), "%.128s/config.json", id);
	len = hostfs_read_at(dir, name, BUNDLE_JSON_MAX, &text);
	spec = len < 0 ? NULL : jget_load(text, (size_t)len, NULL, 0);
	r = spec ? gather_record(g, id) : NULL;
	if (!r)
		return;
	snprintf(source, sizeof(source), "%.300s/%s", where, name);
	take_init_pid(g, r, dir, source);
	bundle_take_config(g, r, spec, source);
	if (runtime && strcmp(runtime, "docker") == 0)
		take_docker_dir(g, r, spec);
	gather_set(g, &r->runtime, runtime);
}

static bool seen_dir(struct scan *s, int dir)
{
	struct stat st;

	if (fstat(dir, &st) != 0)
		return true;
	for (unsigned i = 0; i < s->n_seen; i++)
		if (s->seen[i].st_dev == st.st_dev && s->seen[i].st_ino == st.st_ino)
			return true;
	if (s->n_seen < DIRS_MAX)
		s->seen[s->n_seen++] = st;
	return false;
}

/*
 * A shim's working directory is the bundle of its task, wherever the runtime keeps its state, and
 * the magic link leads there from any mount namespace. Beside it are the bundles of all tasks.
 */
static void take_shim(struct scan *s, pid_t pid, const struct args *args)
{
	const char *space = flag(args, "namespace"), *id = flag(args, "id");
	const char *runtime = space && strcmp(space, "moby") == 0 ? "docker" : "containerd";
	_cleanup_closedir_ DIR *d = NULL;
	char path[4096], where[64];
	struct dirent *de;
	int dir;

	s->shims++;
	snprintf(path, sizeof(path), "%s/%d/cwd/..", s->g->host.proc, (int)pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		s->unreadable += errno == EACCES || errno == EPERM;
		return;
	}
	snprintf(where, sizeof(where), "/proc/%d/cwd/..", (int)pid);
	/* Not "..": its own bundle proves that this is the place. */
	if (!id || !bundle_id_ok(id) || faccessat(dir, id, F_OK, 0) != 0 || seen_dir(s, dir) ||
	    !(d = fdopendir(dir))) {
		close(dir);
		return;
	}
	while ((de = readdir(d)))
		take_bundle(s->g, de->d_name, dirfd(d), where, runtime);
}

/* The process conmon watches: the oldest child that is in the container's group. */
static pid_t monitored(struct gather *g, pid_t monitor, const char *id, const pid_t *pids, size_t n)
{
	uint64_t oldest = UINT64_MAX;
	pid_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct proc_stat st;

		if (proc_stat(g->host.proc, pids[i], &st) || st.ppid != monitor || st.starttime >= oldest ||
		    !in_cgroup_of(g, pids[i], id))
			continue;
		oldest = st.starttime;
		found = pids[i];
	}
	return found;
}

/* conmon (CRI-O, podman) is told id, name and bundle on its command line. */
static void take_monitor(struct scan *s, pid_t pid, const struct args *args, const pid_t *pids, size_t n)
{
	const char *id = flag(args, "c"), *name = flag(args, "n"), *bundle = flag(args, "b");
	char source[64], path[4096];
	_cleanup_free_ char *text = NULL;
	json_t *spec _cleanup_json_ = NULL;
	struct record *r;
	long len;

	if (!id || !bundle_id_ok(id) || !(r = gather_record(s->g, id)))
		return;
	s->monitors++;
	snprintf(source, sizeof(source), "/proc/%d/cmdline", (int)pid);
	gather_pid(s->g, r, monitored(s->g, pid, id, pids, n), 0, source);
	gather_say(s->g, r, source, "conmon watches container %.12s, called %s; its process is %d", id,
		   name ? name : "-", (int)r->pid);
	if (name && gather_k8s_name(s->g, r, name))
		gather_set(s->g, &r->runtime, "cri-o");
	snprintf(path, sizeof(path), "%s/%d/root%.2000s/config.json", s->g->host.proc, (int)pid, bundle ? bundle : "");
	len = bundle ? hostfs_read_at(AT_FDCWD, path, BUNDLE_JSON_MAX, &text) : -1;
	spec = len < 0 ? NULL : jget_load(text, (size_t)len, NULL, 0);
	if (spec)
		bundle_take_config(s->g, r, spec, path);
	gather_set(s->g, &r->runtime, "podman");
	gather_set(s->g, &r->name, name);
}

/* All processes of a container meet here; the first to come is its init, as starts go up. */
static void take_cgroup(struct scan *s, pid_t pid, const struct proc_stat *st)
{
	_cleanup_free_ char *text = NULL;
	struct cgroup_id c;
	struct record *r;
	char source[64];

	if (proc_read(s->g->host.proc, pid, "cgroup", CGROUP_MAX, &text) < 0 || !cgroup_parse(text, &c) || !c.id[0])
		return;
	r = gather_record(s->g, c.id);
	if (!r || st->state == 'Z')
		return;
	gather_set(s->g, &r->runtime, c.runtime);
	gather_set(s->g, &r->pod_uid, c.pod_uid);
	if (r->pid && r->starttime <= st->starttime)
		return;
	/* A runtime's word for the first process stands; here the oldest is taken for want of it. */
	if (r->pid && r->evidence && strstr(r->evidence->source, "/cgroup") == NULL)
		return;
	snprintf(source, sizeof(source), "/proc/%d/cgroup", (int)pid);
	r->pid = 0;
	if (gather_pid(s->g, r, pid, st->starttime, source)) {
		gather_say(s->g, r, source, "process %d (%s) is in container %.12s%s%s", (int)pid, st->comm, c.id,
			   c.pod_uid[0] ? " of pod uid " : "", c.pod_uid);
		s->containers++;
	}
}

static void scan_monitors(struct scan *s, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct args args _cleanup_(args_free) = { .text = NULL };
		struct proc_stat st;

		if (proc_stat(s->g->host.proc, pids[i], &st))
			continue;
		if (strncmp(st.comm, "containerd-shim", 15) == 0 && read_args(s->g, pids[i], &args))
			take_shim(s, pids[i], &args);
		else if (strcmp(st.comm, "conmon") == 0 && read_args(s->g, pids[i], &args))
			take_monitor(s, pids[i], &args, pids, n);
	}
}

static void scan_cgroups(struct scan *s, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct proc_stat st;

		if (proc_stat(s->g->host.proc, pids[i], &st) == 0)
			take_cgroup(s, pids[i], &st);
	}
}

void gather_proc(struct gather *g)
{
	struct scan s = { .g = g };
	pid_t *pids;
	size_t n;
	int r = proc_pids(g->host.proc, g->arena, &pids, &n);

	if (r < 0) {
		gather_source(g, g->host.proc, "cannot be read: %s", strerror(-r));
		return;
	}
	scan_monitors(&s, pids, n);
	scan_cgroups(&s, pids, n);
	gather_source(g, g->host.proc, "%zu processes: %u shims, %u conmons, %u more containers by control group%s", n,
		      s.shims, s.monitors, s.containers,
		      s.unreadable ? "; some shims may not be looked at without CAP_SYS_PTRACE" : "");
	if (g->host.own_proc)
		gather_source(g, g->host.root, "shows no processes below it; /proc is taken instead");
}
