/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docker - containers as the Docker Engine API (docker, podman's service) tells them */
#include "nsutil/pod/docker.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/http.h"
#include "nsutil/pod/jget.h"
#include "nsutil/pod/launch.h"
#include "nsutil/pod/sock.h"

enum { CALL_MS = 3000, SOURCE_MS = 15000, ID_MAX = 128 };

/* cri-dockerd (and dockershim before it) leaves the pod's identity in labels. */
static void take_labels(struct gather *g, struct record *r, const json_t *labels)
{
	const char *type = jget_str(labels, "io.kubernetes.docker.type"), *key;
	json_t *value;

	gather_set(g, &r->pod_name, jget_str(labels, "io.kubernetes.pod.name"));
	gather_set(g, &r->k8s_namespace, jget_str(labels, "io.kubernetes.pod.namespace"));
	gather_set(g, &r->pod_uid, jget_str(labels, "io.kubernetes.pod.uid"));
	gather_set(g, &r->sandbox_id, jget_str(labels, "io.kubernetes.sandbox.id"));
	json_object_foreach((json_t *)labels, key, value)
		if (strncmp(key, "annotation.", 11) == 0) /* of the pod, as cri-dockerd keeps them */
			launch_annotation(g, r, key + 11, json_string_value(value));
	if (type && strcmp(type, "podsandbox") == 0)
		r->sandbox = true;
	else
		gather_set(g, &r->name, jget_str(labels, "io.kubernetes.container.name"));
}

static void take_networks(struct gather *g, struct record *r, const json_t *settings)
{
	json_t *networks = jget(settings, "Networks", NULL), *net;
	const char *key;

	gather_ip(g, r, jget_str(settings, "IPAddress"));
	json_object_foreach(networks, key, net) {
		gather_ip(g, r, jget_str(net, "IPAddress"));
		gather_ip(g, r, jget_str(net, "GlobalIPv6Address"));
	}
	gather_set(g, &r->netns_path, jget_str(settings, "SandboxKey"));
}

static void take_mode(struct gather *g, struct record *r, const char *mode)
{
	if (!mode)
		return;
	if (strncmp(mode, "container:", 10) == 0)
		gather_set(g, &r->shares_net, mode + 10);
	else if (r->net == NET_UNKNOWN)
		r->net = strcmp(mode, "host") == 0 ? NET_HOST : NET_OWN;
}

void docker_take_inspect(struct gather *g, struct record *r, const json_t *j, const char *source)
{
	json_t *state = jget(j, "State", NULL);
	const char *name = jget_str(j, "Name"), *status = jget_str(state, "Status");
	bool running = json_is_true(jget(state, "Running", NULL));

	if (!status)
		status = running ? "running" : "exited";
	if (name && *name == '/')
		name++;
	take_labels(g, r, jget(j, "Config", "Labels", NULL));
	if (name && strncmp(name, "k8s_", 4) == 0)
		gather_k8s_name(g, r, name);
	gather_set(g, &r->name, name);
	launch_take_docker(g, r, j, source);
	if (r->sandbox)
		status = running ? "ready" : "notready";
	take_networks(g, r, jget(j, "NetworkSettings", NULL));
	take_mode(g, r, jget_str(jget(j, "HostConfig", NULL), "NetworkMode"));
	if (!r->created_ns)
		r->created_ns = gather_time(jget_str(j, "Created"));
	if (r->sandbox)
		gather_set(g, &r->sandbox_id, r->id);
	if (running && !gather_pid(g, r, (pid_t)jget_int(state, "Pid"), 0, source) && !r->pid)
		status = r->sandbox ? "notready" : "exited"; /* a state file that outlived its container */
	gather_set(g, &r->state, status);
	gather_say(g, r, source, "container %s (%.12s) is %s, pid %d, netns %s%s", r->name ? r->name : "?", r->id,
		   status, (int)r->pid, r->shares_net ? "of container " : "",
		   r->shares_net ? r->shares_net : r->netns_path ? r->netns_path : "not told");
}

/* The id becomes part of the next request, so it must be one. */
static bool is_id(const char *id)
{
	size_t len = id ? strlen(id) : 0;

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)id[i]))
			return false;
	return len > 0 && len <= ID_MAX;
}

int docker_take_list(struct gather *g, const json_t *j)
{
	int n = 0;
	json_t *c;
	size_t i;

	if (!json_is_array(j))
		return -1;
	json_array_foreach(j, i, c) {
		const char *id = jget_str(c, "Id"), *image_state = jget_str(c, "State");
		struct record *r = is_id(id) ? gather_record(g, id) : NULL;

		if (!r)
			continue;
		r->told = true;
		take_labels(g, r, jget(c, "Labels", NULL));
		gather_set(g, &r->state, r->sandbox ? NULL : image_state);
		if (!r->created_ns)
			r->created_ns = jget_int(c, "Created") * 1000000000;
		n++;
	}
	return n;
}

struct docker {
	struct gather *g;
	const char *socket, *source;
	int64_t deadline;
};

/* One request and its JSON; a status other than 200 is an error, but 404 is told apart. */
static int ask(struct docker *d, const char *resource, json_t **ret, int *ret_status, struct err *e)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	json_t *j _cleanup_json_ = NULL;
	char why[256];

	*ret_status = 0;
	if (sock_deadline(0) > d->deadline)
		return err_set(e, ERR_SYS, resource, "not done within %d seconds; it answers too slowly",
			       SOURCE_MS / 1000);
	if (http_get(&d->g->host, d->socket, resource, CALL_MS, ret_status, &body, e))
		return -1;
	j = jget_load(buf_cstr(&body), body.len, why, sizeof(why));
	if (*ret_status != 200)
		return err_set(e, ERR_SYS, resource, "HTTP status %d: %.200s", *ret_status,
			       jget_str(j, "message") ? jget_str(j, "message") : "(no message)");
	if (!j)
		return err_set(e, ERR_SYS, resource, "the answer is %s", why);
	*ret = steal_ptr(j);
	return 0;
}

static int inspect(struct docker *d, struct record *r, struct err *e)
{
	json_t *j _cleanup_json_ = NULL;
	char resource[ID_MAX + 32];
	int status;

	snprintf(resource, sizeof(resource), "/containers/%.128s/json", r->id);
	if (ask(d, resource, &j, &status, e)) {
		if (status != 404)
			return -1;
		err_clear(e); /* it ended after it was listed */
		return 0;
	}
	docker_take_inspect(d->g, r, j, d->source);
	return 0;
}

/* podman's service says so in /version, where docker says nothing of the kind. */
static const char *whose(struct docker *d)
{
	json_t *j _cleanup_json_ = NULL, *part;
	int status;
	size_t i;

	if (ask(d, "/version", &j, &status, NULL))
		return "docker";
	json_array_foreach(jget(j, "Components", NULL), i, part) {
		const char *name = jget_str(part, "Name");

		if (name && strncmp(name, "Podman", 6) == 0)
			return "podman";
	}
	return "docker";
}

int gather_docker(struct gather *g, const char *socket, struct err *e)
{
	struct docker d = { .g = g, .socket = socket, .source = arena_printf(g->arena, "docker unix://%s", socket) };
	json_t *list _cleanup_json_ = NULL, *c;
	const char *runtime;
	int status, n;
	size_t i;

	if (!d.source)
		return err_oom(e);
	d.deadline = sock_deadline(SOURCE_MS);
	if (ask(&d, "/containers/json?all=1", &list, &status, e))
		return err_wrap(e, "unix://%s", socket);
	n = docker_take_list(g, list);
	if (n < 0) {
		err_set(e, ERR_SYS, "/containers/json", "the answer is no list of containers");
		return err_wrap(e, "unix://%s", socket);
	}
	runtime = whose(&d);
	json_array_foreach(list, i, c) {
		const char *id = jget_str(c, "Id");
		struct record *r = is_id(id) ? gather_find(g, id) : NULL;

		if (!r)
			continue;
		gather_set(g, &r->runtime, runtime);
		if (inspect(&d, r, e))
			return err_wrap(e, "unix://%s", socket);
	}
	gather_source(g, d.source, "%s told %d containers", runtime, n);
	return 0;
}
