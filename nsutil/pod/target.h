/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target - what is inspected: a pod, container, process or namespace, and how it was found */
#ifndef NSUTIL_POD_TARGET_H
#define NSUTIL_POD_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"

struct evidence {	   /* which source said what */
	const char *source; /* "cri unix:///run/containerd/containerd.sock", "/proc/4711/cgroup" */
	const char *says;   /* "sandbox 1f2e…: pid 4711, netns /var/run/netns/cni-…" */
	struct evidence *next;
};

struct pod_container {
	const char *name, *id, *state; /* state: running, exited, created, unknown */
	pid_t pid;
	struct pod_container *next;
};

/* How one of Istio's containers was started; it may have ended long since. Strings are as they came. */
struct launch {
	const char *container;	  /* "istio-init" */
	const char *source;	  /* who told */
	const char *image;	  /* NULL when not told */
	const char *log;	  /* the file on the node that its output goes to; NULL when not told */
	const char *const *args;  /* the whole vector, NULL-ended; NULL when not told */
	const char *const *env;	  /* "KEY=VALUE", NULL-ended; NULL when not told */
	int64_t uid, gid;	  /* -1 when not told */
	int64_t created_ns;
	struct launch *next;
};

struct pod {
	const char *k8s_namespace, *name, *uid, *sandbox_id;
	const char *runtime;	  /* containerd, cri-o, docker, podman, unknown */
	const char *state;	  /* ready, notready, running, exited */
	pid_t pid;		  /* of the sandbox or first process; 0 when none lives */
	uint64_t starttime;	  /* field 22 of /proc/PID/stat, clock ticks */
	const char *netns_path;	  /* as the runtime says; NULL when it does not */
	uint64_t netns_inode;	  /* 0 when not known */
	bool host_network;
	int64_t created_ns;
	struct addr *ips;
	unsigned n_ips;
	struct pod_container *containers;
	struct launch *launches;  /* of containers called istio-ANYTHING, newest first */
	const char *const *annotations; /* Istio's, "KEY=VALUE", NULL-ended; NULL when the runtime tells none */
	struct evidence *evidence;
	struct pod *next;
};

struct pod_list {
	struct arena *arena;
	struct pod *pods;
	struct evidence *sources; /* every source asked, and what came of it */
};

struct pod_options {
	const char *host_root; /* "/" or e.g. "/host"; /proc, /run, /var are looked for below it */
	const char *runtime;   /* URI, "none", or NULL to look for a socket */
	const char *k8s_namespace; /* of a bare pod name; NULL: any */
};

/**
 * pods_list() - all pods and containers of the node
 * @opt:	where to look
 * @ret:	set on success, to be given back with pods_free()
 * @e:		error; a runtime named in @opt that cannot be reached is one, a socket found by
 *		looking is not (the evidence says so and the other sources answer)
 *
 * Return: 0, or -1
 */
int pods_list(const struct pod_options *opt, struct pod_list **ret, struct err *e);
void pods_free(struct pod_list *pl);

enum target_kind { TARGET_SELF, TARGET_HOST, TARGET_POD, TARGET_PID, TARGET_NETNS, TARGET_FILE };

struct target {
	struct arena *arena;
	enum target_kind kind;
	const char *spec;	/* as the user wrote it */
	const char *label;	/* for prompts and heads: "shop/cart", "pid:4711", "self" */
	struct pod *pod;	/* NULL when it is no pod */
	const char *container;	/* NS/POD/CONTAINER or cid: the container's name; else NULL */
	pid_t pid;		/* a living process in the namespace; 0 when none is known */
	uint64_t starttime;
	struct netns netns;	/* open, except TARGET_FILE */
	const char *file;	/* TARGET_FILE: path, or "-" */
	const char *file_data;	/* its content when that can be read only once; else NULL */
	size_t file_size;
	struct evidence *evidence;
	const char *proc;	/* the node's proc mount as seen from here: "/proc" or HOST_ROOT/proc */
	const char *host_root;
};

/**
 * target_open() - resolve a target (DESIGN section 2, TARGET) and open its network namespace
 * @spec:	the words of the user
 * @opt:	where to look
 * @ret:	set on success, to be given back with target_free()
 * @e:		error: ERR_TARGET unknown or ambiguous (candidates listed), ERR_PERM, ERR_SYS
 *
 * Return: 0, or -1
 */
int target_open(const char *spec, const struct pod_options *opt, struct target **ret, struct err *e);
void target_free(struct target *t);
/* target_alive() - the process still is the one that was resolved; 0, or -1 with ERR_TARGET */
int target_alive(const struct target *t, struct err *e);

#endif
