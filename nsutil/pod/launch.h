/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch - how Istio's containers were started: vector, environment, annotations (within nsutil/pod) */
#ifndef NSUTIL_POD_LAUNCH_H
#define NSUTIL_POD_LAUNCH_H

#include <jansson.h>

#include "nsutil/pod/gather.h"

/* launch_wanted() - the container is one of Istio's, of which the start is of interest */
bool launch_wanted(const struct record *r);

/**
 * launch_take_spec() - take an OCI runtime spec's process and the image in its annotations
 * @g:		where to
 * @r:		the container's record; nothing is done when it is not launch_wanted() or has it already
 * @spec:	the OCI runtime spec; may be NULL
 * @source:	who told
 */
void launch_take_spec(struct gather *g, struct record *r, const json_t *spec, const char *source);

/* launch_take_cri() - the same from a CRI container's configuration ("command", "args", "envs") */
void launch_take_cri(struct gather *g, struct record *r, const json_t *config, const char *source);

/* launch_take_docker() - the same from what docker's inspect says ("Path", "Args", "Config") */
void launch_take_docker(struct gather *g, struct record *r, const json_t *inspect, const char *source);

/* launch_log() - keep where the container's output goes, a path on the node; NULL and "" are nothing */
void launch_log(struct gather *g, struct record *r, const char *path, const char *source);

/* launch_annotation() - keep an annotation of a pod when it is one of Istio's */
void launch_annotation(struct gather *g, struct record *r, const char *key, const char *value);

/* launch_add() - give a pod what a record knows */
void launch_add(struct pod *p, const struct record *r);

#endif
