/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkttype - whom the packet's frame is for: this host, all, a group, another one (PACKET_* of skb->pkt_type) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/trace/run.h"

static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

enum tri run_frame(const struct nv_link *l)
{
	if (l && (l->type == ARPHRD_NONE || l->type == ARPHRD_TUNNEL || l->type == ARPHRD_TUNNEL6 || l->type == ARPHRD_SIT))
		return TRI_FALSE;
	return l && (l->type == ARPHRD_ETHER || l->type == ARPHRD_LOOPBACK) ? TRI_TRUE : TRI_UNKNOWN;
}

static bool has_mac(const struct nv_link *l, const uint8_t mac[6])
{
	return memcmp(l->mac, mac, 6) == 0;
}

static bool has_any_mac(const struct nv_link *l)
{
	return !has_mac(l, (uint8_t[6]){ 0 });
}

/* Is it known, and not one of @types (bits)? */
static bool is_none_of(const struct run *r, unsigned types)
{
	const struct known32 *m = &r->pkt.meta[NFT_META_PKTTYPE];

	return m->k == UINT32_MAX && m->v < 32 && !(types >> m->v & 1);
}

bool pkttype_may_be_host(const struct run *r)
{
	return !is_none_of(r, 1u << PACKET_HOST);
}

void pkttype_local_out(struct run *r)
{
	packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
}

/* A bridge takes what is for it by any of its ports. */
static bool is_for(const struct netview *nv, const struct nv_link *l, const uint8_t mac[6])
{
	const struct nv_link *master = l->master ? nv_link_by_index(nv, l->master) : NULL;

	return has_mac(l, mac) || (master && has_mac(master, mac));
}

int pkttype_link(const struct run *r, int likely)
{
	const struct netview *nv = r->t->nv;
	const struct nv_link *l = nv_link_by_index(nv, likely);

	if (!r->rq->has_dmac || r->rq->dmac[0] & 1 || !l || is_for(nv, l, r->rq->dmac))
		return likely;
	for (unsigned i = 0; i < nv->n_links; i++)
		if (nv->links[i].type == ARPHRD_ETHER && has_mac(&nv->links[i], r->rq->dmac))
			return nv->links[i].index;
	return likely;
}

void pkttype_arrives(struct run *r, int iif)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, iif);
	const uint8_t *to = r->rq->dmac;

	packet_set_meta_unknown(&r->pkt, NFT_META_PKTTYPE);
	if (run_frame(l) == TRI_FALSE || (l && l->type == ARPHRD_LOOPBACK))
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
	else if (!r->rq->has_dmac || (l && l->type != ARPHRD_ETHER))
		return;
	else if (to[0] & 1)
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, memcmp(to, all, 6) == 0 ? PACKET_BROADCAST : PACKET_MULTICAST);
	else if (l && has_mac(l, to))
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
	else if (l && has_any_mac(l) && r->rq->iif) /* which one it comes in through is else a guess */
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_OTHERHOST);
}

/* br_fdb_find_rcu(): the addresses of its ports are the bridge's own too */
static bool is_port_of(const struct netview *nv, const struct nv_link *master, const uint8_t mac[6])
{
	for (unsigned i = 0; i < nv->n_links; i++)
		if (nv->links[i].master == master->index && has_mac(&nv->links[i], mac))
			return true;
	return false;
}

void pkttype_bridged(struct run *r, const struct nv_link *master)
{
	const uint8_t *to = packet_mac(&r->pkt, true);

	if (to && has_mac(master, to))
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
	else if (to && !(to[0] & 1) && has_any_mac(master) && !is_port_of(r->t->nv, master, to))
		run_end(r, TRACE_UNKNOWN, "its frame is for another station (dmac): the bridge passes it on, by its own rules");
	else if (!to && !pkttype_may_be_host(r)) /* what rules of the port made of it; the bridge may take that back */
		packet_set_meta_unknown(&r->pkt, NFT_META_PKTTYPE);
}

bool pkttype_rcv(struct run *r)
{
	if (!is_none_of(r, ~(1u << PACKET_OTHERHOST)))
		return true;
	run_end(r, TRACE_DROP, "its frame is for another station (dmac, pkttype)");
	return false;
}

bool pkttype_forward(struct run *r)
{
	if (!pkttype_may_be_host(r)) {
		run_end(r, TRACE_DROP, "its frame is not for this host alone (dmac, pkttype), and such are not forwarded");
		return false;
	}
	packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
	return true;
}

const char *pkttype_refused(const struct run *r)
{
	uint8_t p = r->pkt.l4proto;

	if ((p != IPPROTO_TCP && p != IPPROTO_SCTP && p != IPPROTO_DCCP) || pkttype_may_be_host(r))
		return NULL;
	return "which discards it, as its frame is not for this host alone";
}

void pkttype_cluster(struct run *r)
{
	struct addr dst = packet_addr(&r->pkt, true);

	if (is_none_of(r, ~(1u << PACKET_MULTICAST)) && dst.family && !addr_is_multicast(&dst))
		packet_set_meta(&r->pkt, NFT_META_PKTTYPE, PACKET_HOST);
}
