/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh - is a namespace in the mesh, and by what one can tell */
#ifndef NSUTIL_POD_MESH_H
#define NSUTIL_POD_MESH_H

#include <stdint.h>

#include "nsutil/netns/netns.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/model.h"

enum mesh_mode { MESH_UNKNOWN, MESH_NONE, MESH_SIDECAR, MESH_AMBIENT };

struct mesh_proxy {	/* a process that looks like Istio's sidecar */
	pid_t pid;
	uint64_t inode;	/* of its network namespace */
	uid_t uid;
	char comm[16];
	struct mesh_proxy *next;
};

struct mesh {
	enum mesh_mode mode;
	char reason[256];
};

/**
 * mesh_proxies() - every pilot-agent and envoy of the node
 * @proc:	proc mount
 * @a:		arena
 *
 * Return: list, NULL when there is none
 */
struct mesh_proxy *mesh_proxies(const char *proc, struct arena *a);

/**
 * mesh_judge() - decide
 * @ns:		the namespace, open; may be NULL (then listening sockets are not asked)
 * @inode:	of the namespace
 * @pod:	its pod, for the names of its containers; NULL when it is none
 * @proxies:	of mesh_proxies()
 * @rs:		its rules; NULL when they could not be read
 * @ret:	filled
 *
 * Rules weigh most, then a proxy process, then a container's name. Without rules and proxy it is
 * MESH_NONE only when the rules could be read; else MESH_UNKNOWN.
 */
void mesh_judge(const struct netns *ns, uint64_t inode, const struct pod *pod, const struct mesh_proxy *proxies,
		const struct ruleset *rs, struct mesh *ret);

/* mesh_name() - sidecar, ambient, none, unknown */
const char *mesh_name(enum mesh_mode mode);

/* mesh_listens() - something listens on a TCP port, by the text of /proc/net/tcp or tcp6 */
bool mesh_listens(const char *proc_net_tcp, unsigned port);

#endif
