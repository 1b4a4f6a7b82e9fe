/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster - -m cluster: this node's share of a hashed load */
#include <linux/netfilter/xt_cluster.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static void cluster_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_cluster_match_info *c = xt_data(xt_cluster_match_info, x);

	buf_fmt(b, "%s --cluster-local-nodemask 0x%08x --cluster-total-nodes %u --cluster-hash-seed 0x%08x",
		c->flags & XT_CLUSTER_F_INV ? " !" : "", c->node_mask, c->total_nodes, c->hash_seed);
}

/* --cluster-local-node N is the mask with bit N-1. */
static int node_parse(struct xt_parse *p, struct err *e)
{
	struct xt_cluster_match_info *c = (struct xt_cluster_match_info *)p->data;
	uint64_t node;

	if (strcmp(p->opt, "cluster-local-node") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs a number");
	if (xt_number(p, p->args[0], 1, XT_CLUSTER_NODES_MAX, &node, e) < 0)
		return -1;
	c->node_mask = 1u << (node - 1);
	if (p->invert)
		c->flags |= XT_CLUSTER_F_INV;
	p->used = 1;
	return 1;
}

static const struct xt_opt cluster_opts[] = {
	{ "cluster-local-nodemask", NULL, &xt_hex, XT_AT(xt_cluster_match_info, node_mask),
	  XT_INV(xt_cluster_match_info, flags, XT_CLUSTER_F_INV), .always = true },
	{ "cluster-total-nodes", NULL, &xt_uint, XT_AT(xt_cluster_match_info, total_nodes),
	  .max = XT_CLUSTER_NODES_MAX, .always = true },
	{ "cluster-hash-seed", NULL, &xt_hex, XT_AT(xt_cluster_match_info, hash_seed), .always = true },
	XT_END,
};

const struct xt_codec xt_match_cluster_v0 = {
	.name = "cluster", .size = sizeof(struct xt_cluster_match_info), .opts = cluster_opts,
	.save = cluster_save, .parse = node_parse,
	.unknown = "the kernel's hash of the connection's source decides",
};
