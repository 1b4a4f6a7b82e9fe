/* SPDX-License-Identifier: GPL-2.0-or-later */
/* across - the other end of a veth pair: from a pod to the node, from the node to the pod of an address */
#include "nsutil/pod/across.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/nsfs.h"

/* Two namespaces, and in each the link that leads to the other. */
static bool is_pair(const struct netns *a, const struct nv_link *in_a, const struct netns *b, const struct nv_link *in_b)
{
	int number;

	if (in_a->peer != in_b->index || in_b->peer != in_a->index)
		return false;
	/* the same numbers may come up in several namespaces: the kernel knows which is meant */
	return netns_number_of(a, b, &number, NULL) < 0 || number < 0 || number == in_a->peer_nsid;
}

const struct nv_link *across_to_node(const struct netns *from, const struct nv_link *link, const struct netns *node,
				     const struct netview *nv)
{
	const struct nv_link *there = link->peer ? nv_link_by_index(nv, link->peer) : NULL;

	return there && is_pair(from, link, node, there) ? there : NULL;
}

/* What is looked for, and where. */
struct search {
	const struct netns *node;
	const struct netview *nv;
	const struct nv_link *oif;
	const struct addr *dst;
	const struct pod_options *opt;
	struct hostfs host;
	char iif[16];
};

static bool owns(const struct netview *nv, const struct addr *a)
{
	for (unsigned i = 0; i < nv->n_addrs; i++)
		if (addr_equal(&nv->addrs[i].addr, a))
			return true;
	return false;
}

/* Is it the namespace? Then the name of its interface is noted. */
static bool fits(struct search *s, const struct netns *ns)
{
	_cleanup_netview_ struct netview *there = NULL;

	if (ns->inode == s->node->inode || netview_read(ns, NETVIEW_LINKS, s->host.proc, &there, NULL) < 0 ||
	    !owns(there, s->dst))
		return false;
	for (unsigned i = 0; i < s->nv->n_links; i++) {
		const struct nv_link *port = &s->nv->links[i], *in;

		if (!port->peer || (port->index != s->oif->index && port->master != s->oif->index))
			continue;
		in = nv_link_by_index(there, port->peer);
		if (!in || !is_pair(s->node, port, ns, in))
			continue;
		snprintf(s->iif, sizeof(s->iif), "%s", in->name);
		return true;
	}
	return false;
}

static bool pod_may_own(const struct pod *p, const struct addr *dst)
{
	for (unsigned i = 0; i < p->n_ips; i++)
		if (addr_equal(&p->ips[i], dst))
			return true;
	return p->n_ips == 0;
}

/* What a person would type for it; "" when it is not there. */
static void among_pods(struct search *s, const struct pod_list *pl, char *spec, size_t size)
{
	for (const struct pod *p = pl->pods; p && !*spec; p = p->next) {
		_cleanup_netns_ struct netns ns = NETNS_INIT;

		if (p->host_network || !pod_may_own(p, s->dst))
			continue;
		if (!(p->pid && netns_open_pid(s->host.proc, p->pid, &ns, NULL) == 0) &&
		    !(p->netns_path && nsfs_open(&s->host, p->netns_path, &ns, NULL) == 0))
			continue;
		if (!fits(s, &ns))
			continue;
		if (p->k8s_namespace && p->name)
			snprintf(spec, size, "%s/%s", p->k8s_namespace, p->name);
		else
			snprintf(spec, size, "inode:%llu", (unsigned long long)ns.inode);
	}
}

static void among_mounts(struct search *s, struct arena *a, char *spec, size_t size)
{
	for (const struct nsfs_mount *m = nsfs_mounts(&s->host, a); m && !*spec; m = m->next) {
		_cleanup_netns_ struct netns ns = NETNS_INIT;
		const char *name = strrchr(m->path, '/');

		if (nsfs_open(&s->host, m->path, &ns, NULL) < 0 || !fits(s, &ns))
			continue;
		if (name && strncmp(m->path, "/run/netns/", 11) == 0)
			snprintf(spec, size, "netns:%s", name + 1);
		else
			snprintf(spec, size, "netns:%s", m->path);
	}
}

int across_to_pod(const struct netns *node, const struct netview *nv, const char *oif, const struct addr *dst,
		  const struct pod_options *opt, struct target **ret, char ret_iif[16], struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct search s = { .node = node, .nv = nv, .oif = nv_link_by_name(nv, oif), .dst = dst, .opt = opt };
	struct pod_list *pl = NULL;
	char spec[512] = "";

	*ret = NULL;
	if (!s.oif || !dst->family)
		return 0;
	if (!a || hostfs_init(&s.host, opt->host_root, a) < 0)
		return err_oom(e);
	if (pods_list(opt, &pl, e) < 0)
		return -1;
	among_pods(&s, pl, spec, sizeof(spec));
	pods_free(pl);
	if (!*spec)
		among_mounts(&s, a, spec, sizeof(spec));
	if (!*spec)
		return 0;
	memcpy(ret_iif, s.iif, sizeof(s.iif));
	return target_open(spec, opt, ret, e);
}
