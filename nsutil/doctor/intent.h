/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intent - what the pod is meant to have: its annotations and the proxy's environment (within doctor/) */
#ifndef NSUTIL_DOCTOR_INTENT_H
#define NSUTIL_DOCTOR_INTENT_H

#include <stdbool.h>

struct doctor;

/*
 * Kubernetes' API is not asked. The injector leaves both with the proxy: ISTIO_META_* and
 * ISTIO_METAJSON_ANNOTATIONS in its environment, and the annotations as a file in its container.
 */

/* intent_env() - a variable of the proxy's environment; NULL when there is none or it may not be read */
const char *intent_env(struct doctor *d, const char *name);

/* intent_annotation() - an annotation of the pod ("traffic.sidecar.istio.io/excludeInboundPorts"); NULL */
const char *intent_annotation(struct doctor *d, const char *name);

/**
 * intent_has() - a comma-separated list holds a number
 * @list:	"8080, 9090", as Istio takes it; NULL holds nothing
 */
bool intent_has(const char *list, unsigned number);

/* intent_each() - the next number of such a list from @at on; 0 at its end. Words that are no number are passed over */
unsigned intent_each(const char **at);

#endif
