/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clusterip - -j CLUSTERIP: one address for several nodes */
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ipt_CLUSTERIP.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word modes[] = {
	{ "sourceip", CLUSTERIP_HASHMODE_SIP }, { "sourceip-sourceport", CLUSTERIP_HASHMODE_SIP_SPT },
	{ "sourceip-sourceport-destport", CLUSTERIP_HASHMODE_SIP_SPT_DPT }, { NULL, 0 },
};

static void clusterip_save(const struct xt_ext *x, struct buf *b)
{
	const struct ipt_clusterip_tgt_info *c = xt_data(ipt_clusterip_tgt_info, x);
	const char *mode = xt_word_name(modes, c->hash_mode);
	const uint8_t *m = c->clustermac;

	/* Only the rule that made the cluster says how; later ones refer to its address. */
	if (!(c->flags & CLUSTERIP_FLAG_NEW))
		return;
	buf_fmt(b, " --new --hashmode %s --clustermac %02X:%02X:%02X:%02X:%02X:%02X --total-nodes %u --local-node %u"
		   " --hash-init %u",
		mode ? mode : "unknown-error", m[0], m[1], m[2], m[3], m[4], m[5], c->num_total_nodes,
		c->local_nodes[0], c->hash_initval);
}

static void clusterip_json(const struct xt_ext *x, struct json *j)
{
	const struct ipt_clusterip_tgt_info *c = xt_data(ipt_clusterip_tgt_info, x);

	json_bool(j, "new", c->flags & CLUSTERIP_FLAG_NEW);
	json_str(j, "hashmode", xt_word_name(modes, c->hash_mode));
	json_uint(j, "total-nodes", c->num_total_nodes);
	json_begin_array(j, "local-nodes");
	for (unsigned i = 0; i < c->num_local_nodes && i < CLUSTERIP_MAX_NODES; i++)
		json_uint(j, NULL, c->local_nodes[i]);
	json_end_array(j);
	json_uint(j, "hash-init", c->hash_initval);
}

const struct xt_codec xt_target_CLUSTERIP_v0 = {
	.name = "CLUSTERIP", .family = NFPROTO_IPV4, .target = true, .goes_on = true,
	.size = sizeof(struct ipt_clusterip_tgt_info), .save = clusterip_save, .json = clusterip_json,
	.unknown = "the kernel's hash of the connection's source decides",
};
