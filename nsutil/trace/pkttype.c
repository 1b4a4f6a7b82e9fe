/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkttype - whom the packet's frame is for: this host, all, a group, another one (PACKET_* of skb->pkt_type) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/trace/run.h"

static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static bool has_mac(const struct nv_link *l)
{
	return memcmp(l->mac, (uint8_t[6]){ 0 }, 6) != 0;
}

void pkttype_made(struct run *r)
{
	packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
}

void pkttype_arrives(struct run *r, int iif)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, iif);
	const uint8_t *to = r->rq->dmac;

	if (!r->pkt.ll || (l && l->flags & IFF_LOOPBACK))
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
	else if (!r->rq->has_dmac || (l && l->type != ARPHRD_ETHER))
		packet_set_meta_unknown(&r->pkt, NFT_META_PKTTYPE);
	else if (to[0] & 1)
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, memcmp(to, all, 6) == 0 ? PACKET_BROADCAST : PACKET_MULTICAST);
	else if (l && has_mac(l))
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, memcmp(to, l->mac, 6) == 0 ? PACKET_HOST : PACKET_OTHERHOST);
	else
		packet_set_meta_unknown(&r->pkt, NFT_META_PKTTYPE);
}

void pkttype_bridged(struct run *r, const struct nv_link *master)
{
	if (r->rq->has_dmac && has_mac(master) && memcmp(r->rq->dmac, master->mac, 6) == 0)
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
}

/* Return: is it known, and not one of @types (bits)? */
static bool is_none_of(const struct run *r, unsigned types)
{
	const struct known32 *m = &r->pkt.meta[NFT_META_PKTTYPE];

	return m->k == UINT32_MAX && m->v < 32 && !(types >> m->v & 1);
}

bool pkttype_taken(struct run *r)
{
	if (!is_none_of(r, ~(1u << PACKET_OTHERHOST)))
		return true;
	run_end(r, TRACE_DROP, "its frame is for another station (dmac): dropped before the rules");
	return false;
}

bool pkttype_forwards(struct run *r)
{
	if (!is_none_of(r, 1u << PACKET_HOST))
		return true;
	run_end(r, TRACE_DROP, "only what comes in a frame for this station is forwarded, neither broadcasts nor multicasts");
	return false;
}

const char *pkttype_refused(const struct run *r)
{
	uint8_t p = r->pkt.l4proto;

	if ((p != IPPROTO_TCP && p != IPPROTO_SCTP && p != IPPROTO_DCCP) || !is_none_of(r, 1u << PACKET_HOST))
		return NULL;
	return "its protocol takes nothing that comes in a frame for more than this station";
}
