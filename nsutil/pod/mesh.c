/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh - is a namespace in the mesh, and by what one can tell */
#include "nsutil/pod/mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/proc.h"

enum { PROXY_UID = 1337, HBONE_PORT = 15008, TCP_LISTEN_STATE = 10, SOCKETS_MAX = 16 << 20 };

const char *mesh_name(enum mesh_mode mode)
{
	static const char *const names[] = { "unknown", "none", "sidecar", "ambient" };

	return names[mode];
}

static uid_t uid_of(const char *proc, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	unsigned uid = (unsigned)-1;
	const char *line;

	if (proc_read(proc, pid, "status", 64 << 10, &text) < 0)
		return (uid_t)-1;
	line = strstr(text, "\nUid:");
	if (line)
		sscanf(line + 5, "%u", &uid);
	return uid;
}

struct mesh_proxy *mesh_proxies(const char *proc, struct arena *a)
{
	struct mesh_proxy *first = NULL, **tail = &first;
	pid_t *pids;
	size_t n;

	if (proc_pids(proc, a, &pids, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct mesh_proxy *p;
		struct proc_stat st;

		if (proc_stat(proc, pids[i], &st) || (strcmp(st.comm, "envoy") && strcmp(st.comm, "pilot-agent")))
			continue;
		p = arena_alloc(a, sizeof(*p));
		if (!p || proc_netns(proc, pids[i], &p->inode))
			continue;
		p->pid = pids[i];
		p->uid = uid_of(proc, pids[i]);
		snprintf(p->comm, sizeof(p->comm), "%.15s", st.comm);
		*tail = p;
		tail = &p->next;
	}
	return first;
}

/* Only ambient has the chain ISTIO_PRERT; ISTIO_OUTPUT is shared, the others are the sidecar's. */
static enum mesh_mode of_chain(const struct table *t, const struct chain *c)
{
	if (strncmp(t->name, "istio-ambient-", 14) == 0 || strcmp(c->name, "ISTIO_PRERT") == 0)
		return MESH_AMBIENT;
	if (strncmp(t->name, "istio-proxy-", 12) == 0 || strncmp(c->name, "ISTIO_IN", 8) == 0 ||
	    strcmp(c->name, "ISTIO_REDIRECT") == 0 || strcmp(c->name, "ISTIO_TPROXY") == 0)
		return MESH_SIDECAR;
	return MESH_UNKNOWN;
}

static bool by_rules(const struct ruleset *rs, struct mesh *m)
{
	static const char *const stores[] = { "legacy", "compat", "native" };

	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next) {
			enum mesh_mode mode = of_chain(t, c);

			if (mode == MESH_UNKNOWN || (m->mode == MESH_AMBIENT && mode == MESH_SIDECAR))
				continue;
			if (m->mode == mode)
				continue;
			m->mode = mode;
			snprintf(m->reason, sizeof(m->reason), "chain %.60s of %s table %.60s", c->name,
				 stores[t->store], t->name);
		}
	return m->mode != MESH_UNKNOWN;
}

bool mesh_listens(const char *text, unsigned port)
{
	const char *line = strchr(text, '\n');

	while (line && *++line) {
		unsigned local, state;

		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &local, &state) == 2 && local == port &&
		    state == TCP_LISTEN_STATE)
			return true;
		line = strchr(line, '\n');
	}
	return false;
}

/* ztunnel's sockets are in the pod's namespace while its process is elsewhere. */
static bool by_sockets(const struct netns *ns, struct mesh *m)
{
	static const char *const files[] = { "net/tcp", "net/tcp6" };

	for (size_t i = 0; ns && i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;

		if (netns_read_proc(ns, files[i], SOCKETS_MAX, &text, NULL, NULL) || !mesh_listens(text, HBONE_PORT))
			continue;
		m->mode = MESH_AMBIENT;
		snprintf(m->reason, sizeof(m->reason), "port %d (HBONE) is listened on, but no proxy runs in it",
			 HBONE_PORT);
		return true;
	}
	return false;
}

static bool by_process(uint64_t inode, const struct mesh_proxy *proxies, struct mesh *m)
{
	for (const struct mesh_proxy *p = proxies; p; p = p->next) {
		if (!inode || p->inode != inode)
			continue;
		m->mode = MESH_SIDECAR;
		snprintf(m->reason, sizeof(m->reason), "%s runs in it, pid %d, uid %u%s", p->comm, (int)p->pid,
			 (unsigned)p->uid, p->uid == PROXY_UID ? "" : " (not 1337)");
		return true;
	}
	return false;
}

static bool by_container(const struct pod *pod, struct mesh *m)
{
	for (const struct pod_container *c = pod ? pod->containers : NULL; c; c = c->next) {
		if (!c->name || strcmp(c->name, "istio-proxy") != 0)
			continue;
		m->mode = MESH_SIDECAR;
		snprintf(m->reason, sizeof(m->reason), "it has a container istio-proxy (%s)", c->state ? c->state : "?");
		return true;
	}
	return false;
}

void mesh_judge(const struct netns *ns, uint64_t inode, const struct pod *pod, const struct mesh_proxy *proxies,
		const struct ruleset *rs, struct mesh *ret)
{
	struct mesh m = { .mode = MESH_UNKNOWN };

	if ((rs && by_rules(rs, &m)) || by_process(inode, proxies, &m) || by_container(pod, &m) || by_sockets(ns, &m)) {
		*ret = m;
		return;
	}
	if (!inode) {
		snprintf(m.reason, sizeof(m.reason), "its network namespace is not known");
	} else if (!rs || rs->unread) {
		snprintf(m.reason, sizeof(m.reason), "no proxy was found, but its rules could not all be read");
	} else {
		m.mode = MESH_NONE;
		snprintf(m.reason, sizeof(m.reason), "no chain of Istio, no proxy");
	}
	*ret = m;
}
