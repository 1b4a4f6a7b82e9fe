/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scan - every pod namespace of the node at once: mesh, stores, capture, drift, findings */
#ifndef NSUTIL_DOCTOR_SCAN_H
#define NSUTIL_DOCTOR_SCAN_H

#include "nsutil/base/addr.h"
#include "nsutil/doctor/doctor.h"
#include "nsutil/pod/mesh.h"

enum scan_capture { SCAN_UNKNOWN, SCAN_OUTSIDE, SCAN_NONE, SCAN_PARTIAL, SCAN_COMPLETE };

struct scan_pod {
	struct arena *arena;  /* of what was found; NULL until looked at */
	const struct pod *pod; /* NULL: a namespace without a pod */
	const char *name;     /* of the pod, or of the namespace's mount */
	uint64_t inode;
	struct mesh mesh;
	unsigned stores;      /* 1 << STORE_*: hold rules */
	enum scan_capture capture;
	bool dns;	      /* ambient: UDP port 53 is captured */
	const struct addr *addrs; /* ambient: that others reach it by */
	unsigned n_addrs;
	uint64_t started;     /* ambient: of its oldest process, clock ticks since boot; 0: not known */
	int drift;	      /* differences from what Istio would write; -1: not compared */
	struct doctor_report report;
	struct err why;	      /* why it could not be looked at; code 0 when it was */
	const char *path;     /* how it is opened when it has no process; or NULL */
	pid_t pid;
};

struct scan {
	struct pod_list *pods;
	struct scan_pod *at;
	unsigned n;
};

/**
 * scan_run() - look at all namespaces, several at the same time
 * @opt:	where to look
 * @stop:	asked now and then: true ends the scan early; may be NULL
 * @arg:	its argument
 * @ret:	set on success, to be given back with scan_free()
 * @e:		error: the pods cannot be listed, out of memory. A pod that vanishes meanwhile is none
 *
 * Pods on the node's own network are left out; several pods of one namespace count once. Counters and
 * locks are not waited for.
 *
 * Return: 0, or -1
 */
int scan_run(const struct pod_options *opt, bool (*stop)(void *arg), void *arg, struct scan *ret, struct err *e);
void scan_free(struct scan *s);

/* scan_capture_name() - "unknown", "outside" (not in the mesh), "none", "partial", "complete" */
const char *scan_capture_name(enum scan_capture c);

#endif
