/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docker - containers as the Docker Engine API and its state files describe them (within nsutil/pod) */
#ifndef NSUTIL_POD_DOCKER_H
#define NSUTIL_POD_DOCKER_H

#include <jansson.h>

#include "nsutil/pod/gather.h"

/**
 * docker_take_inspect() - take what GET /containers/<id>/json or config.v2.json says
 * @g:		where to
 * @r:		the container's record
 * @j:		the JSON object
 * @source:	for the evidence
 */
void docker_take_inspect(struct gather *g, struct record *r, const json_t *j, const char *source);

/**
 * docker_take_list() - take the answer of GET /containers/json
 * @g:		where to
 * @j:		the JSON array
 *
 * Return: number of containers, or -1 when it is no such list
 */
int docker_take_list(struct gather *g, const json_t *j);

#endif
