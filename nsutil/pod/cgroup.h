/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup - which container a process belongs to, by the names of its control groups */
#ifndef NSUTIL_POD_CGROUP_H
#define NSUTIL_POD_CGROUP_H

#include <stdbool.h>

enum { CGROUP_ID_MAX = 128, CGROUP_UID_MAX = 64 };

struct cgroup_id {
	char id[CGROUP_ID_MAX + 1];	  /* container id; "" when only the pod is known */
	char pod_uid[CGROUP_UID_MAX + 1]; /* with dashes; "" when it is no Kubernetes pod */
	const char *runtime;		  /* containerd, cri-o, docker, podman; NULL: not told */
};

/**
 * cgroup_parse() - find a container in the text of /proc/PID/cgroup
 * @text:	all lines: v1 hierarchies, v2 ("0::"), or both; cgroupfs and systemd forms
 * @ret:	set on success
 *
 * Names are looked for anywhere in a path: seen from within a cgroup namespace it begins with
 * "/../.."; in nested set-ups (kind, docker in docker) it holds several. The container of the
 * innermost pod is taken; without a pod, the innermost container.
 *
 * Return: true when a container or a pod was found
 */
bool cgroup_parse(const char *text, struct cgroup_id *ret);

#endif
