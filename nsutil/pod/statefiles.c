/* SPDX-License-Identifier: GPL-2.0-or-later */
/* statefiles - containers as files of runc, docker, CNI and kubelet show them, in their usual places */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/bundle.h"
#include "nsutil/pod/docker.h"
#include "nsutil/pod/gather.h"
#include "nsutil/pod/jget.h"

enum { ENTRIES_MAX = 100000 };

/* Calls @take with each entry of a folder that is there; the number of entries taken is told. */
static void each_entry(struct gather *g, const char *dir, bool (*take)(struct gather *, const char *, const char *))
{
	_cleanup_closedir_ DIR *d = hostfs_opendir(&g->host, dir);
	unsigned n = 0, seen = 0;
	struct dirent *de;

	if (!d) {
		if (errno == EACCES || errno == EPERM)
			gather_source(g, dir, "may not be read (needs root, or CAP_DAC_READ_SEARCH)");
		return;
	}
	while ((de = readdir(d)) && seen++ < ENTRIES_MAX)
		if (de->d_name[0] != '.')
			n += take(g, dir, de->d_name);
	if (n)
		gather_source(g, dir, "told of %u", n);
}

static json_t *load(struct gather *g, const char *path)
{
	_cleanup_free_ char *text = NULL;
	long len = hostfs_read(&g->host, path, BUNDLE_JSON_MAX, &text);

	return len < 0 ? NULL : jget_load(text, (size_t)len, NULL, 0);
}

static bool take_runc(struct gather *g, const char *dir, const char *name)
{
	json_t *j _cleanup_json_ = NULL;
	struct record *r;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s/state.json", dir, name);
	j = load(g, path);
	r = j && bundle_id_ok(name) ? gather_record(g, name) : NULL;
	if (!r)
		return false;
	bundle_take_runc(g, r, j, path);
	if (strstr(dir, "/moby"))
		gather_set(g, &r->runtime, "docker");
	else if (strstr(dir, "/containerd/"))
		gather_set(g, &r->runtime, "containerd");
	return true;
}

/* A container that docker knows but that does not run has no place among what could be a target. */
static bool take_docker(struct gather *g, const char *dir, const char *name)
{
	json_t *j _cleanup_json_ = NULL;
	struct record *r;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s/config.v2.json", dir, name);
	r = bundle_id_ok(name) ? gather_find(g, name) : NULL;
	if (r && r->name && r->runtime && strcmp(r->runtime, "docker") == 0)
		return false; /* the shim's way led here already */
	j = load(g, path);
	if (!j || !bundle_id_ok(name) || !(r = gather_record(g, name)))
		return false;
	docker_take_inspect(g, r, j, path);
	gather_set(g, &r->runtime, "docker");
	return true;
}

/* containerd 1.x calls it cniArgs, libcni's own cache does too: [["K8S_POD_NAME","cart"],...] */
static void take_cni_args(struct gather *g, struct record *r, const json_t *args)
{
	json_t *pair;
	size_t i;

	json_array_foreach(args, i, pair) {
		const char *key = json_string_value(json_array_get(pair, 0));
		const char *value = json_string_value(json_array_get(pair, 1));

		if (!key || !value)
			continue;
		if (strcmp(key, "K8S_POD_NAME") == 0)
			gather_set(g, &r->pod_name, value);
		else if (strcmp(key, "K8S_POD_NAMESPACE") == 0)
			gather_set(g, &r->k8s_namespace, value);
		else if (strcmp(key, "K8S_POD_UID") == 0)
			gather_set(g, &r->pod_uid, value);
	}
}

/*
 * "<network>-<sandbox id>-<interface>". Results of pods long gone stay behind, so they only add to
 * a sandbox that another source knows too, or whose namespace is still mounted.
 */
static bool take_cni(struct gather *g, const char *dir, const char *name)
{
	json_t *j _cleanup_json_ = NULL, *entry;
	const char *id, *netns = NULL;
	struct record *r;
	char path[1024];
	size_t i;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	j = load(g, path);
	id = jget_str(j, "containerId");
	json_array_foreach(jget(j, "result", "interfaces", NULL), i, entry)
		if (jget_str(entry, "sandbox"))
			netns = jget_str(entry, "sandbox");
	r = id ? gather_find(g, id) : NULL;
	if (!r)
		return false;
	take_cni_args(g, r, jget(j, "cniArgs", NULL));
	gather_set(g, &r->netns_path, netns);
	json_array_foreach(jget(j, "result", "ips", NULL), i, entry)
		gather_ip(g, r, jget_str(entry, "address"));
	if (r->net == NET_UNKNOWN)
		r->net = NET_OWN;
	gather_say(g, r, path, "network %s gave sandbox %.12s netns %s", jget_str(j, "networkName") ?: "-", id,
		   netns ? netns : "-");
	return true;
}

/* kubelet makes "<ns>_<name>_<uid>": the name of a pod of which only the uid is known */
static bool take_log_dir(struct gather *g, const char *dir, const char *name)
{
	const char *uid = strrchr(name, '_'), *pod = strchr(name, '_');
	char ns[256], pod_name[256];
	bool any = false;

	if (!uid || uid == pod || (size_t)(pod - name) >= sizeof(ns) || (size_t)(uid - pod) > sizeof(pod_name))
		return false;
	snprintf(ns, sizeof(ns), "%.*s", (int)(pod - name), name);
	snprintf(pod_name, sizeof(pod_name), "%.*s", (int)(uid - pod - 1), pod + 1);
	for (struct record *r = g->records; r; r = r->next) {
		if (!r->pod_uid || r->pod_name || strcmp(r->pod_uid, uid + 1) != 0)
			continue;
		gather_set(g, &r->pod_name, pod_name);
		gather_set(g, &r->k8s_namespace, ns);
		gather_say(g, r, dir, "%s: pod uid %s is %s/%s", name, uid + 1, ns, pod_name);
		any = true;
	}
	return any;
}

/* CRI-O keeps the specs of containers that ended: of interest is how Istio's were started. */
static bool take_crio(struct gather *g, const char *dir, const char *name)
{
	json_t *spec _cleanup_json_ = NULL, *annotations;
	const char *container, *sandbox;
	struct record *r;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s/userdata/config.json", dir, name);
	if (!bundle_id_ok(name) || gather_find(g, name))
		return false;
	spec = load(g, path);
	annotations = jget(spec, "annotations", NULL);
	container = jget_str(annotations, "io.kubernetes.container.name");
	sandbox = jget_str(annotations, "io.kubernetes.cri-o.SandboxID");
	if (!container || strncmp(container, "istio-", 6) != 0 || !sandbox || !gather_find(g, sandbox))
		return false;
	r = gather_record(g, name);
	if (!r)
		return false;
	bundle_take_config(g, r, spec, path);
	gather_set(g, &r->state, "exited");
	return true;
}

void gather_statefiles(struct gather *g)
{
	static const struct {
		const char *dir;
		bool (*take)(struct gather *g, const char *dir, const char *name);
	} places[] = {
		{ "/run/containerd/runc/k8s.io", take_runc },
		{ "/run/docker/runtime-runc/moby", take_runc },
		{ "/run/runc", take_runc },
		{ "/var/lib/docker/containers", take_docker },
		{ "/var/lib/containers/storage/overlay-containers", take_crio },
		{ "/var/lib/cni/results", take_cni },
		{ "/var/lib/cni/cache/results", take_cni },
		{ "/var/log/pods", take_log_dir },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		each_entry(g, places[i].dir, places[i].take);
}
