/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target - resolve what the user named to a process and an open network namespace */
#include "nsutil/pod/target.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/file.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/match.h"
#include "nsutil/pod/nsfs.h"
#include "nsutil/pod/proc.h"
#include "nsutil/pod/spec.h"

/* A target and what its pod lives in. */
struct opened {
	struct target t;
	struct pod_list *list;
};

/* What all the openers below need. */
struct opening {
	const struct pod_options *opt;
	struct hostfs host;
	struct spec spec;
	struct target *t;
	struct pod_list **list;
};

static void target_freep(struct target **t)
{
	target_free(*t);
}

/* Evidence is for the person; when memory runs out it is left out. */
static void __attribute__((format(printf, 3, 4))) say(struct target *t, const char *source, const char *fmt, ...)
{
	struct evidence *ev = arena_alloc(t->arena, sizeof(*ev)), **tail = &t->evidence;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!ev)
		return;
	ev->source = arena_strdup(t->arena, source);
	ev->says = arena_strdup(t->arena, text);
	while (*tail)
		tail = &(*tail)->next;
	*tail = ev;
}

/* The process that is taken to stand for the namespace; its start time tells it from a later one. */
static int take_process(struct target *t, pid_t pid, struct err *e)
{
	struct proc_stat st;
	char what[64];
	int r = proc_stat(t->proc, pid, &st);

	snprintf(what, sizeof(what), "process %d", (int)pid);
	if (r < 0)
		return proc_missing(t->proc, pid, r, what, e);
	if (st.state == 'Z' || st.state == 'X')
		return err_set(e, ERR_TARGET, what, "it has ended and is only waited for (a zombie)");
	t->pid = pid;
	t->starttime = st.starttime;
	return 0;
}

static int open_process_ns(struct target *t, pid_t pid, struct err *e)
{
	struct err cause = ERR_INIT;
	struct proc_stat st;
	char what[64];
	uint64_t inode;
	int r;

	if (take_process(t, pid, e))
		return -1;
	snprintf(what, sizeof(what), "network namespace of process %d", (int)pid);
	r = proc_netns(t->proc, pid, &inode);
	if (r < 0)
		return proc_missing(t->proc, pid, r, what, e);
	if (netns_open_pid(t->proc, pid, &t->netns, &cause)) {
		if (e)
			*e = cause;
		return -1;
	}
	/* The number may have been given to another process in between. */
	if (proc_stat(t->proc, pid, &st) < 0 || st.starttime != t->starttime)
		return err_set(e, ERR_TARGET, what, "the process ended while it was looked at");
	return 0;
}

static int open_self(struct opening *o, struct err *e)
{
	struct target *t = o->t;
	struct proc_stat st;

	t->kind = TARGET_SELF;
	t->label = "self";
	t->proc = "/proc"; /* our own PID means nothing in the node's proc mount */
	if (netns_open_self(&t->netns, e))
		return -1;
	if (proc_stat(t->proc, getpid(), &st) == 0) {
		t->pid = getpid();
		t->starttime = st.starttime;
	}
	say(t, "/proc/self/ns/net", "the namespace cnish runs in");
	return 0;
}

static int open_host(struct opening *o, struct err *e)
{
	struct target *t = o->t;

	t->kind = TARGET_HOST;
	t->label = "host";
	if (open_process_ns(t, 1, e))
		return err_wrap(e, "the node");
	say(t, arena_printf(t->arena, "%s/1/ns/net", t->proc), "the namespace of the node's first process");
	return 0;
}

static int open_pid(struct opening *o, struct err *e)
{
	struct target *t = o->t;
	struct proc_stat st;

	t->kind = TARGET_PID;
	t->label = arena_printf(t->arena, "pid:%d", (int)o->spec.pid);
	if (open_process_ns(t, o->spec.pid, e))
		return -1;
	if (proc_stat(t->proc, t->pid, &st) == 0)
		say(t, arena_printf(t->arena, "%s/%d", t->proc, (int)t->pid), "process %d is %s", (int)t->pid, st.comm);
	return 0;
}

/* A namespace found by path or number has processes too, perhaps; one of them can stand for it. */
static void find_process(struct target *t)
{
	pid_t pid = proc_find_netns(t->proc, t->netns.inode, NULL);

	if (!pid || take_process(t, pid, NULL))
		return;
	say(t, arena_printf(t->arena, "%s/%d/ns/net", t->proc, (int)pid), "process %d is the oldest in it", (int)pid);
	if (!t->netns.procdir[0] && strlen(t->proc) < 40)
		snprintf(t->netns.procdir, sizeof(t->netns.procdir), "%.40s/%d", t->proc, (int)pid);
}

static int open_netns(struct opening *o, struct err *e)
{
	struct target *t = o->t;
	const char *path = o->spec.name;
	bool named = o->spec.kind == SPEC_NETNS_NAME;

	t->kind = TARGET_NETNS;
	if (named)
		path = arena_printf(t->arena, "/run/netns/%s", o->spec.name);
	t->label = arena_printf(t->arena, "netns:%s", o->spec.name);
	if (!path || !t->label)
		return err_oom(e);
	if (nsfs_open(&o->host, path, &t->netns, e)) {
		if (named && e && e->code == ERR_TARGET)
			err_hint(e, "'ip netns list' shows the names there are");
		return -1;
	}
	say(t, path, "is network namespace %llu", (unsigned long long)t->netns.inode);
	find_process(t);
	return 0;
}

static int open_inode(struct opening *o, struct err *e)
{
	struct target *t = o->t;
	unsigned unreadable = 0;
	char what[64];
	pid_t pid;

	t->kind = TARGET_NETNS;
	t->label = arena_printf(t->arena, "inode:%llu", (unsigned long long)o->spec.inode);
	snprintf(what, sizeof(what), "network namespace %llu", (unsigned long long)o->spec.inode);
	pid = proc_find_netns(t->proc, o->spec.inode, &unreadable);
	if (pid && open_process_ns(t, pid, NULL) == 0 && t->netns.inode == o->spec.inode) {
		say(t, arena_printf(t->arena, "%s/%d/ns/net", t->proc, (int)pid), "process %d is the oldest in it",
		    (int)pid);
		return 0;
	}
	netns_close(&t->netns);
	t->pid = 0;
	for (const struct nsfs_mount *m = nsfs_mounts(&o->host, t->arena); m; m = m->next) {
		if (m->inode != o->spec.inode || nsfs_open(&o->host, m->path, &t->netns, NULL))
			continue;
		if (t->netns.inode == o->spec.inode) {
			say(t, m->path, "mounted there, with no process in it");
			return 0;
		}
		netns_close(&t->netns);
	}
	if (unreadable && !proc_has_cap(CAP_SYS_PTRACE))
		return err_set(e, ERR_PERM, what,
			       "not found, but %u processes may not be looked at without CAP_SYS_PTRACE", unreadable);
	err_set(e, ERR_TARGET, what, "no process is in it and no mount keeps it");
	return err_hint(e, "in a container, the node's processes are seen only with hostPID");
}

/* Standard input, a pipe: commands may read a target more than once, these give their bytes once. */
static int keep_file(struct target *t, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	char *copy;

	if (dump_file_read(t->file, DUMP_FILE_MAX, &data, &t->file_size, e) < 0)
		return -1;
	copy = arena_alloc(t->arena, t->file_size + 1);
	if (!copy)
		return err_oom(e);
	memcpy(copy, data, t->file_size);
	t->file_data = copy;
	return 0;
}

static int open_file(struct opening *o, struct err *e)
{
	struct target *t = o->t;
	struct stat st;
	char what[256];

	t->kind = TARGET_FILE;
	t->file = o->spec.name;
	t->label = arena_printf(t->arena, "file:%s", o->spec.name);
	snprintf(what, sizeof(what), "cannot read %s", t->file);
	if (strcmp(t->file, "-") == 0) {
		say(t, "standard input", "is read instead of a namespace");
		return keep_file(t, e);
	}
	if (access(t->file, R_OK) != 0 || stat(t->file, &st) != 0) {
		err_sys(e, errno, "%s", what);
		if (e && e->code == ERR_SYS)
			e->code = ERR_TARGET;
		return -1;
	}
	say(t, t->file, "is read instead of a namespace");
	return S_ISFIFO(st.st_mode) ? keep_file(t, e) : 0;
}

/* A namespace that no process is in, but the runtime or a mount keeps. */
static int open_pod_path(struct opening *o, const struct pod *p, struct err *e)
{
	struct target *t = o->t;
	bool up = p->state && (strcmp(p->state, "ready") == 0 || strcmp(p->state, "running") == 0);

	if (!p->netns_path)
		return err_set(e, ERR_TARGET, t->label, "it is %s: no process of it lives and no namespace of it is known",
			       p->state ? p->state : "not running");
	if (nsfs_open(&o->host, p->netns_path, &t->netns, e))
		return err_wrap(e, "%s", t->label);
	say(t, p->netns_path, "the namespace, by the path the runtime gave%s", up ? "" : "; no process is in it");
	find_process(t);
	return 0;
}

static int open_pod_process(struct opening *o, const struct pod *p, pid_t pid, uint64_t starttime, struct err *e)
{
	struct target *t = o->t;

	if (open_process_ns(t, pid, e))
		return err_wrap(e, "%s", t->label);
	if (starttime && t->starttime != starttime) {
		netns_close(&t->netns);
		return err_set(e, ERR_TARGET, t->label, "its process %d ended while it was looked at", (int)pid);
	}
	say(t, arena_printf(t->arena, "%s/%d/ns/net", t->proc, (int)pid), "process %d is in network namespace %llu%s",
	    (int)pid, (unsigned long long)t->netns.inode, p->host_network ? ", the node's" : "");
	return 0;
}

static void set_pod_label(struct target *t, const struct pod *p)
{
	t->label = arena_printf(t->arena, "%s%s%s%s%s", p->k8s_namespace ? p->k8s_namespace : "",
				p->k8s_namespace ? "/" : "", p->name, t->container && p->k8s_namespace ? "/" : "",
				t->container && p->k8s_namespace ? t->container : "");
}

static int open_pod(struct opening *o, struct err *e)
{
	const struct pod_container *c = NULL;
	struct target *t = o->t;
	struct pod *p;

	t->kind = TARGET_POD;
	if (pods_list(o->opt, o->list, e) || match_pod(*o->list, &o->spec, &p, &c, e))
		return -1;
	t->pod = p;
	t->container = c ? c->name : NULL;
	set_pod_label(t, p);
	if (!t->label)
		return err_oom(e);
	if (c && c->pid)
		return open_pod_process(o, p, c->pid, 0, e);
	if (c && o->spec.container)
		return err_set(e, ERR_TARGET, t->label, "this container is %s, it has no process", c->state);
	if (p->pid)
		return open_pod_process(o, p, p->pid, p->starttime, e);
	return open_pod_path(o, p, e);
}

static int (*const openers[])(struct opening *o, struct err *e) = {
	[SPEC_SELF] = open_self,
	[SPEC_HOST] = open_host,
	[SPEC_PID] = open_pid,
	[SPEC_NETNS_NAME] = open_netns,
	[SPEC_NETNS_PATH] = open_netns,
	[SPEC_INODE] = open_inode,
	[SPEC_FILE] = open_file,
	[SPEC_POD] = open_pod,
	[SPEC_CID] = open_pod,
};

int target_open(const char *spec, const struct pod_options *opt, struct target **ret, struct err *e)
{
	struct opened *all = calloc(1, sizeof(*all));
	struct target *t _cleanup_(target_freep) = all ? &all->t : NULL;
	struct opening o = { .opt = opt, .t = t, .list = all ? &all->list : NULL };

	if (!t)
		return err_oom(e);
	t->netns = (struct netns)NETNS_INIT;
	t->arena = arena_new();
	if (hostfs_check(opt->host_root, e) < 0)
		return -1;
	if (!t->arena || hostfs_init(&o.host, opt->host_root, t->arena))
		return err_oom(e);
	t->spec = arena_strdup(t->arena, spec);
	t->proc = o.host.proc;
	t->host_root = o.host.root;
	if (!t->spec)
		return err_oom(e);
	if (spec_parse(spec, opt->k8s_namespace, t->arena, &o.spec, e))
		return -1;
	if (openers[o.spec.kind](&o, e))
		return -1;
	if (!t->label)
		return err_oom(e);
	*ret = steal_ptr(t);
	return 0;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	netns_close(&t->netns);
	arena_free(t->arena);
	pods_free(((struct opened *)t)->list); /* t is its first member */
	free(t);
}

int target_alive(const struct target *t, struct err *e)
{
	struct proc_stat st;
	char what[300];
	int r;

	if (!t->pid || t->kind == TARGET_SELF || t->kind == TARGET_FILE || t->kind == TARGET_NETNS)
		return 0;
	r = proc_stat(t->proc, t->pid, &st);
	if (r == 0 && st.starttime == t->starttime && st.state != 'Z')
		return 0;
	snprintf(what, sizeof(what), "target %.200s", t->label);
	if (r < 0 && r != -ENOENT)
		return proc_missing(t->proc, t->pid, r, what, e);
	err_set(e, ERR_TARGET, what, "process %d, which stood for it, has ended", (int)t->pid);
	return err_hint(e, "'use %.200s' resolves it anew", t->spec);
}
