/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gather - what the sources say of containers, brought together by container id (within nsutil/pod) */
#ifndef NSUTIL_POD_GATHER_H
#define NSUTIL_POD_GATHER_H

#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/target.h"

/* One container or pod sandbox. A source fills what it knows and what no better source filled. */
struct record {
	const char *id;
	bool told;		 /* by a runtime itself, not by files that outlive their container */
	bool sandbox;		 /* the pod's own (pause) container; its id is the sandbox id */
	const char *sandbox_id;	 /* NULL when not known */
	const char *k8s_namespace, *pod_name, *pod_uid;
	const char *name;	 /* of the container */
	const char *runtime, *state;
	pid_t pid;
	uint64_t starttime;
	const char *netns_path;
	const char *shares_net;	 /* id of the container whose network it uses */
	enum { NET_UNKNOWN, NET_OWN, NET_HOST } net;
	int64_t created_ns;
	struct addr *ips;
	unsigned n_ips;
	struct launch *launch;	 /* of a container of Istio's */
	const char **annotations; /* of a sandbox: Istio's, "KEY=VALUE" */
	unsigned n_annotations;
	struct evidence *evidence;
	struct record *next;
};

struct gather {
	struct arena *arena;
	struct hostfs host;
	struct record *records, *last;
	struct evidence *sources;
};

/* gather_record() - the record with this id, made when there is none; NULL when memory ran out */
struct record *gather_record(struct gather *g, const char *id);

/* gather_find() - the record with this id, or NULL */
struct record *gather_find(const struct gather *g, const char *id);

/* gather_set() - fill a field that is still empty with a cleaned copy (hostfs_word) of @value */
void gather_set(struct gather *g, const char **field, const char *value);

/**
 * gather_pid() - give a record its process, when it lives
 * @pid:	process number as the source says it
 * @starttime:	its start time as the source says it; 0 when the source does not
 * @source:	for the evidence
 *
 * Return: true when the process lives, started then, and is now (or was already) the record's
 */
bool gather_pid(struct gather *g, struct record *r, pid_t pid, uint64_t starttime, const char *source);

/* gather_ip() - add an address, once; text that is none is ignored ("10.0.0.1", "10.0.0.1/24") */
void gather_ip(struct gather *g, struct record *r, const char *text);

/* evidence of a record, and of a source as a whole; printf formats */
void gather_say(struct gather *g, struct record *r, const char *source, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void gather_source(struct gather *g, const char *source, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* gather_k8s_name() - "k8s_CONTAINER_POD_NS_UID_ATTEMPT" of dockershim, cri-dockerd and CRI-O */
bool gather_k8s_name(struct gather *g, struct record *r, const char *name);

/* gather_time() - nanoseconds of an RFC 3339 time ("2024-01-02T03:04:05.6Z"); 0 when it is none */
int64_t gather_time(const char *text);

/* The sources. Each adds records and says in 'sources' what came of it; none fails as a whole. */
void gather_proc(struct gather *g);	  /* /proc: cgroups, shims, conmons, and the bundles they lead to */
void gather_statefiles(struct gather *g); /* runc, docker, CNI and kubelet files in their usual places */

/*
 * gather_cri(), gather_docker() - ask a runtime's socket
 * @socket:	path as the node sees it
 * Return: 0, or -1 with @e set (records added before the failure stay)
 */
int gather_cri(struct gather *g, const char *socket, struct err *e);
int gather_docker(struct gather *g, const char *socket, struct err *e);

/* assemble_pods() - make pods of the records; the result lives in g->arena */
struct pod *assemble_pods(struct gather *g);

#endif
