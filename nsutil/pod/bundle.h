/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - what a container's OCI bundle and runc's state file say (within nsutil/pod) */
#ifndef NSUTIL_POD_BUNDLE_H
#define NSUTIL_POD_BUNDLE_H

#include <jansson.h>

#include "nsutil/pod/gather.h"

enum { BUNDLE_JSON_MAX = 4 << 20 };

/**
 * bundle_take_config() - take a config.json: names from annotations, namespace, docker's folder
 * @g:		where to
 * @r:		the container's record
 * @spec:	the OCI runtime spec
 * @source:	for the evidence
 */
void bundle_take_config(struct gather *g, struct record *r, const json_t *spec, const char *source);

/**
 * bundle_take_runc() - take runc's state.json: process with its start time, namespace, labels
 * @state:	the JSON object
 */
void bundle_take_runc(struct gather *g, struct record *r, const json_t *state, const char *source);

/**
 * bundle_take_name() - take one "key=value" or annotation that names a pod or container
 * @key:	annotation name; unknown ones are ignored
 */
void bundle_take_name(struct gather *g, struct record *r, const char *key, const char *value);

/**
 * bundle_docker_dir() - the folder of docker's own files for a container, by its spec's mounts
 * @spec:	the OCI runtime spec
 * @id:		container id
 * @a:		arena
 *
 * Return: ".../containers/<id>", NULL when no mount tells
 */
const char *bundle_docker_dir(const json_t *spec, const char *id, struct arena *a);

/* bundle_id_ok() - the id may be used as a file name: letters, digits, '_', '.', '-', no dot first */
bool bundle_id_ok(const char *id);

#endif
