/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfts - the nft programs of the node, the containers and the agents */
#include "nsutil/doctor/nfts.h"

#include <string.h>

static void add(struct doctor *d, const char *where, const char *root)
{
	struct fact_nft *n = arena_alloc(d->arena, sizeof(*n)), **at = &d->facts.nfts;

	if (!n || !where || !root) {
		d->failed = true;
		return;
	}
	n->where = where;
	nftbin_find(root, &n->bin);
	if (!n->bin.path[0])
		return;
	while (*at)
		at = &(*at)->next;
	*at = n;
}

static bool is_agent(const char *comm)
{
	static const char *const names[] = { "kube-proxy", "calico-node", "istio-cni", "install-cni", "flanneld", "cilium-agent", NULL };

	for (unsigned i = 0; names[i]; i++)
		if (strcmp(comm, names[i]) == 0)
			return true;
	return false;
}

const struct fact_nft *facts_nfts(struct doctor *d)
{
	if (d->facts.asked_nfts || d->opt->quick)
		return d->facts.nfts;
	d->facts.asked_nfts = true;
	add(d, "node", d->t->host_root);
	for (const struct pod_container *c = d->t->pod ? d->t->pod->containers : NULL; c; c = c->next)
		if (c->pid)
			add(d, arena_printf(d->arena, "container %s", c->name ? c->name : c->id),
			    arena_printf(d->arena, "%s/%d/root", d->t->proc, (int)c->pid));
	for (const struct fact_process *p = facts_processes(d); p; p = p->next)
		if (is_agent(p->comm))
			add(d, arena_printf(d->arena, "process %s", p->comm),
			    arena_printf(d->arena, "%s/%d/root", d->t->proc, (int)p->pid));
	return d->facts.nfts;
}
