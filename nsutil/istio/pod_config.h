/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pod_config - Istio's configuration from where it lives: the pod's containers, annotations, processes */
#ifndef NSUTIL_ISTIO_POD_CONFIG_H
#define NSUTIL_ISTIO_POD_CONFIG_H

#include "nsutil/istio/config.h"
#include "nsutil/pod/target.h"

enum istio_pod_knows {
	ISTIO_POD_NOTHING, /* no trace of a configuration */
	ISTIO_POD_HINTS,   /* the proxy's environment, or ambient's annotations, alone: some settings, not all */
	ISTIO_POD_ALL,	   /* what istio-init was told, or what the CNI plugin goes by */
};

/**
 * istio_pod_config() - make a configuration of what a pod's programmer was told
 * @a:		arena of the result
 * @t:		target
 * @ret:	set when all or some is known. ISTIO_POD_HINTS: to be completed, from the rules for instance;
 *		it starts from istio-init's preset, or ambient's
 * @ret_knows:	set always
 * @e:		out of memory
 *
 * Looked for, best first: the spec of container istio-init, which has ended long since (its vector and
 * environment; environment variables count less than arguments, as in Istio); a process that is istio-init
 * still; the pod's annotations and the environment of istio-proxy, with the rules of the CNI plugin
 * (where there is no istio-init; what that reads from the node agent's environment is not known); the environment
 * of a proxy process; annotations for ambient's agent, of a pod without either. Values that Istio would not
 * understand either are passed over.
 *
 * Return: 0, or -1
 */
int istio_pod_config(struct arena *a, const struct target *t, struct istio_config **ret,
		     enum istio_pod_knows *ret_knows, struct err *e);

/* What was found of the programmer and of the proxy; each may be absent. */
struct istio_pod_sources {
	struct launch init, proxy;
	bool has_init, has_proxy;
	const char *const *annotations;
};

/* istio_pod_sources() - find them; strings live in the target or in the arena */
void istio_pod_sources(struct arena *a, const struct target *t, struct istio_pod_sources *ret);
/* istio_pod_config_of() - as istio_pod_config(), of sources that were found */
int istio_pod_config_of(struct arena *a, const struct istio_pod_sources *s, struct istio_config **ret,
			enum istio_pod_knows *ret_knows, struct err *e);

/* istio_pod_variable(), istio_pod_annotation() - "KEY=VALUE" is one that the configuration is made of */
bool istio_pod_variable(const char *assignment);
bool istio_pod_annotation(const char *assignment);

#endif
