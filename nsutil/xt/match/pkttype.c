/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkttype - -m pkttype: unicast, broadcast or multicast on the link */
#include <linux/if_packet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_pkttype.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word kinds[] = {
	{ "unicast", PACKET_HOST }, { "broadcast", PACKET_BROADCAST }, { "multicast", PACKET_MULTICAST },
	{ "otherhost", PACKET_OTHERHOST }, { "bcast", PACKET_BROADCAST }, { "mcast", PACKET_MULTICAST },
	{ "host", PACKET_HOST }, { NULL, 0 },
};

static const struct xt_opt pkttype_opts[] = {
	{ "pkt-type", NULL, &xt_enum, XT_AT(xt_pkttype_info, pkttype), XT_INV(xt_pkttype_info, invert, 1),
	  .list = kinds, .always = true },
	XT_END,
};

static void pkttype_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_pkttype_info *p = xt_data(xt_pkttype_info, x);

	low_match(l, p->invert, expr_meta(l->a, NFT_META_PKTTYPE), expr_u8(l->a, DT_PKTTYPE, (uint8_t)p->pkttype));
}

const struct xt_codec xt_match_pkttype_v0 = {
	.name = "pkttype", .size = sizeof(struct xt_pkttype_info), .opts = pkttype_opts,
	.lower = pkttype_lower,
};
