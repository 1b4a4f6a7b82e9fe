/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list - all pods and containers of the node, from every source that answers */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/gather.h"
#include "nsutil/pod/sock.h"

enum { PROBE_MS = 1000 };

typedef int (*ask_fn)(struct gather *g, const char *socket, struct err *e);

/* Where runtimes listen; the names may be given to --runtime in place of a path. */
static const struct known {
	const char *name, *path;
	ask_fn ask;
} known[] = {
	{ "containerd", "/run/containerd/containerd.sock", gather_cri },
	{ "cri-o", "/var/run/crio/crio.sock", gather_cri },
	{ "crio", "/var/run/crio/crio.sock", gather_cri },
	{ "k3s", "/run/k3s/containerd/containerd.sock", gather_cri },
	{ "cri-dockerd", "/run/cri-dockerd.sock", gather_cri },
	{ "docker", "/var/run/docker.sock", gather_docker },
	{ "podman", "/run/podman/podman.sock", gather_docker },
};

static bool is_socket(const struct gather *g, const char *path)
{
	_cleanup_close_ int fd = hostfs_open(&g->host, path, O_PATH);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void ask_known(struct gather *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct err e = ERR_INIT;

		if ((i && strcmp(known[i].path, known[i - 1].path) == 0) || !is_socket(g, known[i].path))
			continue;
		if (known[i].ask(g, known[i].path, &e))
			gather_source(g, known[i].path, "did not answer: %s: %s", e.what, e.why);
	}
}

/* The first bytes of the answer to an HTTP/1.0 request tell an engine's API from a gRPC server. */
static bool speaks_http1(const struct gather *g, const char *path)
{
	static const char ping[] = "GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n";
	int64_t deadline = sock_deadline(PROBE_MS);
	_cleanup_close_ int fd = sock_connect(&g->host, path, deadline, NULL);
	char answer[8];

	return fd >= 0 && sock_send(fd, ping, sizeof(ping) - 1, deadline, path, NULL) == 0 &&
	       sock_recv(fd, answer, sizeof(answer), deadline, path, NULL) >= 5 && memcmp(answer, "HTTP/", 5) == 0;
}

/* A socket that the user names may be of either kind; the usual file names tell, else it is asked. */
static ask_fn kind_of(const struct gather *g, const char *path)
{
	static const struct {
		const char *end;
		ask_fn ask;
	} usual[] = { { "/containerd.sock", gather_cri }, { "/crio.sock", gather_cri }, { "/cri-dockerd.sock", gather_cri },
		      { "/docker.sock", gather_docker },  { "/podman.sock", gather_docker } };
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		size_t n = strlen(usual[i].end);

		if (len >= n && strcmp(path + len - n, usual[i].end) == 0)
			return usual[i].ask;
	}
	return speaks_http1(g, path) ? gather_docker : gather_cri;
}

static int ask_named(struct gather *g, const char *uri, struct err *e)
{
	if (strcmp(uri, "none") == 0)
		return 0;
	if (strncmp(uri, "unix://", 7) == 0)
		uri += 7;
	if (*uri == '/')
		return kind_of(g, uri)(g, uri, e);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(uri, known[i].name) == 0)
			return known[i].ask(g, known[i].path, e);
	err_set(e, ERR_USAGE, "runtime", "'%.200s' is no socket", uri);
	return err_hint(e, "write unix:///PATH, an absolute path, none, or one of containerd, cri-o, k3s, docker, podman");
}

static void pods_freep(struct pod_list **pl)
{
	pods_free(*pl);
}

int pods_list(const struct pod_options *opt, struct pod_list **ret, struct err *e)
{
	struct pod_list *pl _cleanup_(pods_freep) = calloc(1, sizeof(*pl));
	struct gather g = { .arena = NULL };

	if (!pl || !(pl->arena = arena_new()))
		return err_oom(e);
	g.arena = pl->arena;
	if (hostfs_check(opt->host_root, e) < 0)
		return -1;
	if (hostfs_init(&g.host, opt->host_root, pl->arena))
		return err_oom(e);
	if (!opt->runtime || !*opt->runtime)
		ask_known(&g);
	else if (ask_named(&g, opt->runtime, e))
		return -1;
	gather_proc(&g);
	gather_statefiles(&g);
	pl->pods = assemble_pods(&g);
	pl->sources = g.sources;
	*ret = steal_ptr(pl);
	return 0;
}

void pods_free(struct pod_list *pl)
{
	if (!pl)
		return;
	arena_free(pl->arena);
	free(pl);
}
