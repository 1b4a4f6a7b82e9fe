/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complete_live - candidates that only the machine knows: targets, interfaces */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/netview.h"
#include "shell/complete.h"

static void offer_pod(struct offer *o, const struct pod *p)
{
	char name[512];
	bool deeper = strchr(o->prefix, '/') && strchr(strchr(o->prefix, '/') + 1, '/');

	if (!p->name)
		return;
	snprintf(name, sizeof(name), "%s/%s", p->k8s_namespace ? p->k8s_namespace : "default", p->name);
	complete_add(o, name);
	if (!strchr(o->prefix, '/'))
		complete_add(o, p->name);
	for (const struct pod_container *c = p->containers; c && deeper; c = c->next) {
		snprintf(name, sizeof(name), "%s/%s/%s", p->k8s_namespace ? p->k8s_namespace : "default",
			 p->name, c->name ? c->name : "");
		complete_add(o, name);
	}
}

static void offer_pods(struct session *s, struct offer *o)
{
	const struct session_options *so = session_options(s);
	const struct pod_options opt = {
		.host_root = so->host_root,
		.runtime = so->runtime,
		.k8s_namespace = so->k8s_namespace,
	};
	struct pod_list *pl;

	if (pods_list(&opt, &pl, NULL))
		return;
	for (const struct pod *p = pl->pods; p; p = p->next)
		offer_pod(o, p);
	pods_free(pl);
}

static void offer_named_netns(struct offer *o)
{
	_cleanup_closedir_ DIR *d = opendir("/run/netns");
	struct dirent *de;
	char name[300];

	while (d && (de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "netns:%s", de->d_name);
		complete_add(o, name);
	}
}

void complete_targets(struct session *s, struct offer *o)
{
	complete_add(o, "self");
	complete_add(o, "host");
	offer_named_netns(o);
	offer_pods(s, o);
}

void complete_interfaces(struct session *s, struct offer *o)
{
	struct netview *nv;
	struct target *t;

	if (session_target(s, &t, NULL) || netview_read(&t->netns, NETVIEW_LINKS, "/proc", &nv, NULL))
		return;
	for (unsigned i = 0; i < nv->n_links; i++)
		complete_add(o, nv->links[i].name);
	netview_free(nv);
}
