/* SPDX-License-Identifier: GPL-2.0-or-later */
/* across - the other end of a veth pair: from a pod to the node, from the node to the pod of an address */
#ifndef NSUTIL_POD_ACROSS_H
#define NSUTIL_POD_ACROSS_H

#include "nsutil/pod/target.h"
#include "nsutil/ruleset/netview.h"

/**
 * across_to_node() - the interface of the node's namespace at which a packet arrives
 * @from:	whence it leaves
 * @link:	through which interface
 * @node:	the node's namespace
 * @nv:		its links
 *
 * Return: the interface; NULL when the interface is no pair, or its other end is elsewhere
 */
const struct nv_link *across_to_node(const struct netns *from, const struct nv_link *link, const struct netns *node,
				     const struct netview *nv);

/**
 * across_to_pod() - the namespace behind an interface of the node that owns an address
 * @node:	the node's namespace
 * @nv:		its links
 * @oif:	the interface, or a bridge whose ports are tried
 * @dst:	address
 * @opt:	where to look for pods; namespaces kept by a mount are tried as well
 * @ret:	set on success, to be given back with target_free(); NULL when there is none
 * @ret_iif:	set with it: name of the interface in there
 * @e:		error: the pods cannot be listed, out of memory
 *
 * Return: 0, or -1
 */
int across_to_pod(const struct netns *node, const struct netview *nv, const char *oif, const struct addr *dst,
		  const struct pod_options *opt, struct target **ret, char ret_iif[16], struct err *e);

#endif
