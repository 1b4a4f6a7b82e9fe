/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cri - pods and containers as a CRI runtime (containerd, CRI-O) tells them */
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/cri.pb-c.h"
#include "nsutil/pod/cri_call.h"
#include "nsutil/pod/gather.h"
#include "nsutil/pod/jget.h"
#include "nsutil/pod/launch.h"
#include "nsutil/pod/sock.h"

/*
 * Each call has its own limit in cri_call.c; this one is for all of them together, so that a
 * runtime that answers slowly but always in time does not hold the user for minutes.
 */
enum { SOURCE_MS = 15000, INFO_MAX = 4 << 20 };

struct cri {
	struct gather *g;
	struct cri_conn conn;
	const char *source; /* "cri unix:///run/..." */
	int64_t deadline;
	unsigned pods, containers;
};

static int slow(const struct cri *c, struct err *e)
{
	if (sock_deadline(0) < c->deadline)
		return 0;
	return err_set(e, ERR_SYS, c->source, "not done within %d seconds; it answers too slowly", SOURCE_MS / 1000);
}

/* The runtime's own name for itself, to the word that pods are listed with. */
static const char *runtime_word(const char *name)
{
	if (strstr(name, "containerd"))
		return "containerd";
	if (strstr(name, "cri-o"))
		return "cri-o";
	return strstr(name, "docker") ? "docker" : *name ? name : "unknown";
}

static const char *pair(Cri__Pair *const *pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(pairs[i]->key, key) == 0)
			return pairs[i]->value;
	return NULL;
}

/* Verbose answers carry a JSON text: containerd and CRI-O use the same keys as far as they have them. */
static json_t *load_info(struct cri *c, struct record *r, Cri__Pair *const *info, size_t n)
{
	const char *text = pair(info, n, "info");
	char why[256];
	json_t *j;

	if (!text || strlen(text) > INFO_MAX)
		return NULL;
	j = jget_load(text, strlen(text), why, sizeof(why));
	if (!j)
		gather_say(c->g, r, c->source, "its verbose info is %s", why);
	return j;
}

static void take_info(struct cri *c, struct record *r, const json_t *info)
{
	json_t *spec = jget(info, "runtimeSpec", NULL);
	pid_t pid = (pid_t)jget_int(info, "pid");
	int listed;
	const char *path = jget_netns(spec, &listed);

	if (r->sandbox)
		gather_set(c->g, &r->netns_path, path);
	launch_take_spec(c->g, r, spec, c->source);
	launch_take_cri(c->g, r, jget(info, "config", NULL), c->source);
	if (r->sandbox && spec && r->net == NET_UNKNOWN)
		r->net = listed ? NET_OWN : NET_HOST;
	if (pid > 0)
		gather_pid(c->g, r, pid, 0, c->source);
}

static void take_metadata(struct cri *c, struct record *r, const Cri__PodMetadata *m)
{
	if (!m)
		return;
	gather_set(c->g, &r->pod_name, m->name);
	gather_set(c->g, &r->k8s_namespace, m->k8s_namespace);
	gather_set(c->g, &r->pod_uid, m->uid);
}

static void take_status(struct cri *c, struct record *r, const Cri__SandboxStatus *st)
{
	for (size_t i = 0; i < st->n_annotations; i++)
		launch_annotation(c->g, r, st->annotations[i]->key, st->annotations[i]->value);
	if (st->network) {
		gather_ip(c->g, r, st->network->ip);
		for (size_t i = 0; i < st->network->n_additional_ips; i++)
			gather_ip(c->g, r, st->network->additional_ips[i]->ip);
	}
	if (st->os && st->os->namespaces && st->os->namespaces->options)
		r->net = st->os->namespaces->options->network == 2 ? NET_HOST : NET_OWN;
}

/* A pod that ended between the list and the question is no failure: it is skipped. */
static int sandbox_status(struct cri *c, struct record *r, struct err *e)
{
	Cri__PodSandboxStatusResponse *answer = NULL;
	json_t *info _cleanup_json_ = NULL;
	int status;

	if (slow(c, e))
		return -1;
	if (cri_call(&c->conn, &cri_pod_sandbox_status, r->id, true, (ProtobufCMessage **)&answer, &status, e))
		return status == GRPC_NO_STATUS || status == GRPC_OK ? -1 : (err_clear(e), 0);
	if (answer->status)
		take_status(c, r, answer->status);
	info = load_info(c, r, answer->info, answer->n_info);
	take_info(c, r, info);
	gather_say(c->g, r, c->source, "sandbox %.12s is %s, pid %d, netns %s", r->id, r->state, (int)r->pid,
		   r->netns_path ? r->netns_path : r->net == NET_HOST ? "of the node" : "not told");
	cri_free((ProtobufCMessage *)answer);
	return 0;
}

static int list_sandboxes(struct cri *c, const char *runtime, struct err *e)
{
	Cri__ListPodSandboxResponse *list = NULL;
	int status, r = 0;

	if (cri_call(&c->conn, &cri_list_pod_sandbox, NULL, false, (ProtobufCMessage **)&list, &status, e))
		return -1;
	for (size_t i = 0; i < list->n_items && r == 0; i++) {
		const Cri__Sandbox *s = list->items[i];
		struct record *rec = gather_record(c->g, s->id);

		if (!rec)
			continue;
		rec->told = rec->sandbox = true;
		rec->sandbox_id = rec->id;
		rec->created_ns = s->created_at;
		gather_set(c->g, &rec->runtime, runtime);
		gather_set(c->g, &rec->state, s->state == 0 ? "ready" : "notready");
		take_metadata(c, rec, s->metadata);
		r = sandbox_status(c, rec, e);
		c->pods++;
	}
	cri_free((ProtobufCMessage *)list);
	return r;
}

static const char *container_state(int state)
{
	static const char *const words[] = { "created", "running", "exited" };

	return state >= 0 && state < (int)ARRAY_SIZE(words) ? words[state] : "unknown";
}

static int container_status(struct cri *c, struct record *r, struct err *e)
{
	Cri__ContainerStatusResponse *answer = NULL;
	json_t *info _cleanup_json_ = NULL;
	int status;

	if (slow(c, e))
		return -1;
	if (cri_call(&c->conn, &cri_container_status, r->id, true, (ProtobufCMessage **)&answer, &status, e))
		return status == GRPC_NO_STATUS || status == GRPC_OK ? -1 : (err_clear(e), 0);
	info = load_info(c, r, answer->info, answer->n_info);
	take_info(c, r, info);
	if (answer->status)
		launch_log(c->g, r, answer->status->log_path, c->source);
	gather_say(c->g, r, c->source, "container %s (%.12s) is %s, pid %d", r->name ? r->name : "?", r->id, r->state,
		   (int)r->pid);
	cri_free((ProtobufCMessage *)answer);
	return 0;
}

static int list_containers(struct cri *c, const char *runtime, struct err *e)
{
	Cri__ListContainersResponse *list = NULL;
	int status, r = 0;

	if (cri_call(&c->conn, &cri_list_containers, NULL, false, (ProtobufCMessage **)&list, &status, e))
		return -1;
	for (size_t i = 0; i < list->n_containers && r == 0; i++) {
		const Cri__Container *ctr = list->containers[i];
		struct record *rec = gather_record(c->g, ctr->id);

		if (!rec)
			continue;
		rec->told = true;
		rec->created_ns = ctr->created_at;
		gather_set(c->g, &rec->sandbox_id, ctr->pod_sandbox_id);
		gather_set(c->g, &rec->runtime, runtime);
		gather_set(c->g, &rec->name, ctr->metadata ? ctr->metadata->name : NULL);
		gather_set(c->g, &rec->state, container_state(ctr->state));
		/* Only a running container has a process to ask for; of Istio's the start is of interest. */
		if (ctr->state == 1 || launch_wanted(rec))
			r = container_status(c, rec, e);
		c->containers++;
	}
	cri_free((ProtobufCMessage *)list);
	return r;
}

int gather_cri(struct gather *g, const char *socket, struct err *e)
{
	struct cri c = { .g = g, .source = arena_printf(g->arena, "cri unix://%s", socket) };
	char name[128];
	int r;

	if (!c.source)
		return err_oom(e);
	c.deadline = sock_deadline(SOURCE_MS);
	r = cri_open(&c.conn, &g->host, socket, name, sizeof(name), e);
	if (r == 0) {
		const char *runtime = runtime_word(name);

		r = list_sandboxes(&c, runtime, e);
		if (r == 0)
			r = list_containers(&c, runtime, e);
		if (r == 0)
			gather_source(g, c.source, "%s (%s) told %u pods and %u containers", name,
				      c.conn.api, c.pods, c.containers);
	}
	cri_close(&c.conn);
	return r < 0 ? err_wrap(e, "unix://%s", socket) : 0;
}
