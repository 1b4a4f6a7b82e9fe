/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor - the diagnoses: what is wrong with the capture of a pod or of a node, why, and what to type */
#ifndef NSUTIL_DOCTOR_DOCTOR_H
#define NSUTIL_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"
#include "nsutil/pod/target.h"

/*
 * A diagnosis is one file with a constant entry; list.c names them. Each looks at facts that are read
 * once, when first asked for, and adds findings, or says that it could not check and why. Healthy pods
 * are silent: what a diagnosis cannot tell from a healthy one it does not report.
 */

enum doctor_severity { DOCTOR_INFO, DOCTOR_WARNING, DOCTOR_ERROR };

enum doctor_scope {
	DOCTOR_POD = 1 << 0,  /* looks at a pod's or any other namespace */
	DOCTOR_NODE = 1 << 1, /* looks at the node's own namespace */
	DOCTOR_BOTH = 3,
};

/* What 'doctor --fix' can do by itself. */
enum doctor_mend {
	DOCTOR_MEND_NOTHING,
	DOCTOR_MEND_MODULES, /* load kernel modules, and have them loaded at every boot */
	DOCTOR_MEND_RULES,   /* what 'istio apply' does: one store, complete, no copy elsewhere */
	DOCTOR_MEND_REMOVE,  /* what 'istio flush' does: nothing leads to what is left */
	DOCTOR_MEND_LOGGER,  /* have the namespace's log lines taken by the kernel log again */
	DOCTOR_MEND_STALE,   /* take another program's chains out of the store that is not used any more */
	DOCTOR_MENDS,
};

struct doctor;
struct ruleset;
struct ipt_found;
struct mesh_proxy;

struct doctor_entry {
	const char *id;	     /* "D01" */
	const char *title;   /* one line */
	const char *link;    /* where people met it */
	const char *explain; /* a paragraph or more, lines of at most 100 columns */
	enum doctor_severity severity;
	unsigned scope;	     /* DOCTOR_* scopes */
	void (*check)(struct doctor *d); /* NULL: nothing to be seen by nature, then 'instead' says what cnish does */
	const char *instead;
};

/* All diagnoses in the order of their ids, ended by NULL; and their ids, for completion. */
extern const struct doctor_entry *const doctor_entries[];
extern const char *const doctor_ids[];

/* doctor_entry_find() - by id in any case ("D07", "d07"); NULL when there is none such */
const struct doctor_entry *doctor_entry_find(const char *id);

struct doctor_evidence {
	const char *what, *where, *value;
	struct doctor_evidence *next;
};

struct doctor_line {
	const char *text;
	struct doctor_line *next;
};

struct doctor_finding {
	const struct doctor_entry *entry;
	enum doctor_severity severity;
	const char *cause;		  /* one sentence without a full stop */
	struct doctor_evidence *evidence; /* in the order it was seen */
	struct doctor_line *fix;	  /* commands, or what to change */
	enum doctor_mend mend;
	struct doctor_line *modules;	  /* DOCTOR_MEND_MODULES: their names; LOGGER: what is written; STALE: "legacy kube-proxy" */
	struct doctor_line *undo;	  /* DOCTOR_MEND_LOGGER: commands that take it back */
	struct doctor_finding *next;
};

struct doctor_unchecked {
	const struct doctor_entry *entry;
	const char *why;
	struct doctor_unchecked *next;
};

/* What a program that looks for the right iptables would choose here. */
struct doctor_verdict {
	const char *detector; /* "iptables-wrappers", "Felix", "Istio" */
	const char *store;    /* "legacy", "compat", "unknown" */
	const char *why;
};
enum { DOCTOR_VERDICTS = 3 };

/* The kernel's side of it. */
enum { DOCTOR_MODULES = 12 };
struct doctor_kernel {
	const char *release;
	struct {
		const char *name, *state; /* "loaded", "built in", ... */
	} modules[DOCTOR_MODULES];
	unsigned n_modules;
	const char *xtables_legacy; /* CONFIG_NETFILTER_XTABLES_LEGACY: "y", "n", "m"; "" when the option does not exist; NULL */
	const char *config;	    /* where that was read; or why it could not be */
	const char *selinux;	    /* "enforcing", "permissive", "off", "unknown" */
	bool modprobe;		    /* modules can be loaded from here */
	const char *modprobe_why;   /* why not, or by which program */
};

/* The iptables that the node and the containers have, by their files. */
struct doctor_program {
	const char *where, *variant, *version, *path;
	struct doctor_program *next;
};

/* What Envoy itself says. */
enum { DOCTOR_ENVOY_LISTENERS = 16, DOCTOR_ENVOY_WHY = 120 };
struct doctor_envoy {
	bool asked; /* there is one to ask */
	bool listeners_asked, stats_asked, requests_total;
	unsigned listeners[DOCTOR_ENVOY_LISTENERS], n_listeners;
	int ready; /* HTTP status of /healthz/ready; 0: no answer */
	char listeners_why[DOCTOR_ENVOY_WHY], stats_why[DOCTOR_ENVOY_WHY], ready_why[DOCTOR_ENVOY_WHY]; /* "" when answered */
};

struct doctor_report {
	struct doctor_finding *findings;
	struct doctor_unchecked *unchecked;
	struct doctor_verdict verdicts[DOCTOR_VERDICTS];
	bool verdicts_agree;
	struct doctor_kernel kernel;	/* not with 'quick' */
	struct doctor_program *programs; /* not with 'quick' */
	struct doctor_envoy envoy;
	unsigned n_checked, n_findings;
};

/* The node's processes and their network namespaces (0: not to be seen), for whoever looks at many targets. */
struct doctor_processes {
	const pid_t *pids;
	uint64_t *inode;
	size_t n;
	unsigned hidden;
};

struct doctor_options {
	const char *log; /* istio-init's log, when the user gave one; NULL: look below /var/log/pods */
	size_t log_len;
	const char *log_name; /* how to call it */
	bool host;	 /* the target is the node itself */
	bool quick;	 /* no second look at what needs time to move (counters, locks), no holders of sockets */
	const struct doctor_processes *processes; /* NULL: read them */
	const struct mesh_proxy *proxies; /* with 'processes': of mesh_proxies() */
	const struct ruleset *rules; /* of the target, when they were read already; NULL: read them */
	const struct ipt_found *node_iptables; /* likewise */
	const struct pod_options *pods; /* host: how the node's pods are found; NULL: they are not looked at */
};

/**
 * doctor_run() - run all diagnoses that fit the target
 * @a:		arena of the result
 * @t:		target, not a file; must outlive the result
 * @opt:	options
 * @ret:	set on success
 * @e:		error: the target is gone, out of memory. What may not be read is no error: it is in the
 *		list of what could not be checked
 *
 * Nothing is changed. Counters that must be seen to grow cost up to half a second when they are not 0.
 *
 * Return: 0, or -1
 */
int doctor_run(struct arena *a, const struct target *t, const struct doctor_options *opt,
	       struct doctor_report *ret, struct err *e);

/* doctor_severity_name() - "info", "warning", "error" */
const char *doctor_severity_name(enum doctor_severity s);

#endif
