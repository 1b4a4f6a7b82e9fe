/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - what a container's OCI bundle and runc's state file say */
#include "nsutil/pod/bundle.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/jget.h"
#include "nsutil/pod/launch.h"

/* Which annotation fills which field; the same fact has a key per runtime. */
static const struct {
	const char *key;
	size_t field;
} names[] = {
	{ "io.kubernetes.cri.sandbox-id", offsetof(struct record, sandbox_id) },
	{ "io.kubernetes.cri.sandbox-name", offsetof(struct record, pod_name) },
	{ "io.kubernetes.cri.sandbox-namespace", offsetof(struct record, k8s_namespace) },
	{ "io.kubernetes.cri.sandbox-uid", offsetof(struct record, pod_uid) },
	{ "io.kubernetes.cri.container-name", offsetof(struct record, name) },
	{ "io.kubernetes.cri-o.SandboxID", offsetof(struct record, sandbox_id) },
	{ "io.kubernetes.cri-o.KubeName", offsetof(struct record, pod_name) },
	{ "io.kubernetes.cri-o.Namespace", offsetof(struct record, k8s_namespace) },
	{ "io.kubernetes.pod.name", offsetof(struct record, pod_name) },
	{ "io.kubernetes.pod.namespace", offsetof(struct record, k8s_namespace) },
	{ "io.kubernetes.pod.uid", offsetof(struct record, pod_uid) },
	{ "io.kubernetes.container.name", offsetof(struct record, name) },
};

bool bundle_id_ok(const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)id[i]) && !strchr("_.-", id[i]))
			return false;
	return len > 0 && len <= 128 && id[0] != '.';
}

void bundle_take_name(struct gather *g, struct record *r, const char *key, const char *value)
{
	if (!value)
		return;
	if (strcmp(key, "io.kubernetes.cri.container-type") == 0 || strcmp(key, "io.kubernetes.cri-o.ContainerType") == 0)
		r->sandbox = strcmp(value, "sandbox") == 0;
	if (strncmp(key, "io.kubernetes.cri-o.", 20) == 0)
		gather_set(g, &r->runtime, "cri-o");
	/* The pause container of CRI-O is called "POD"; it is the sandbox, not a container of its own. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(key, names[i].key) == 0 && strcmp(value, "POD") != 0)
			gather_set(g, (const char **)((char *)r + names[i].field), value);
}

void bundle_take_config(struct gather *g, struct record *r, const json_t *spec, const char *source)
{
	json_t *annotations = jget(spec, "annotations", NULL), *value;
	const char *key, *path;
	int listed;

	json_object_foreach(annotations, key, value)
		bundle_take_name(g, r, key, json_string_value(value));
	if (r->sandbox)
		gather_set(g, &r->sandbox_id, r->id);
	launch_take_spec(g, r, spec, source);
	path = jget_netns(spec, &listed);
	if (r->net == NET_UNKNOWN && jget(spec, "linux", NULL))
		r->net = listed ? NET_OWN : NET_HOST;
	/* A path within /proc is another process's; it says nothing once that process has ended. */
	if (path && strncmp(path, "/proc/", 6) != 0)
		gather_set(g, &r->netns_path, path);
	if (r->pod_name)
		gather_say(g, r, source, "%s %s/%s%s%s", r->sandbox ? "sandbox of" : "container of",
			   r->k8s_namespace ? r->k8s_namespace : "-", r->pod_name, r->name ? "/" : "",
			   r->name ? r->name : "");
	gather_say(g, r, source, "its netns is %s", listed ? path ? path : "one of its own" : "the node's");
}

/* runc keeps annotations as "key=value" labels. */
static void take_label(struct gather *g, struct record *r, const char *label)
{
	const char *equal = label ? strchr(label, '=') : NULL;
	char key[128];

	if (!equal || (size_t)(equal - label) >= sizeof(key))
		return;
	snprintf(key, sizeof(key), "%.*s", (int)(equal - label), label);
	bundle_take_name(g, r, key, equal + 1);
}

void bundle_take_runc(struct gather *g, struct record *r, const json_t *state, const char *source)
{
	pid_t pid = (pid_t)jget_int(state, "init_process_pid");
	uint64_t start = (uint64_t)jget_int(state, "init_process_start");
	const char *path = jget_str(jget(state, "namespace_paths", NULL), "NEWNET");
	json_t *label;
	size_t i;

	json_array_foreach(jget(state, "config", "labels", NULL), i, label)
		take_label(g, r, json_string_value(label));
	if (r->sandbox)
		gather_set(g, &r->sandbox_id, r->id);
	if (!r->created_ns)
		r->created_ns = gather_time(jget_str(state, "created"));
	if (gather_pid(g, r, pid, start, source))
		gather_say(g, r, source, "init is pid %d, started at tick %llu: it lives", (int)pid,
			   (unsigned long long)start);
	if (path && strncmp(path, "/proc/", 6) != 0)
		gather_set(g, &r->netns_path, path);
}

const char *bundle_docker_dir(const json_t *spec, const char *id, struct arena *a)
{
	json_t *mount;
	size_t i;

	json_array_foreach(jget(spec, "mounts", NULL), i, mount) {
		const char *source = jget_str(mount, "source"), *slash;
		const char *at = source ? strstr(source, "/containers/") : NULL;

		/* ".../containers/<some id>/hosts": of a shared network it is the other container's. */
		if (!at || !(slash = strchr(at + 12, '/')) || slash - at - 12 != 64)
			continue;
		return arena_printf(a, "%.*s%s", (int)(at + 12 - source), source, id);
	}
	return NULL;
}
