/* SPDX-License-Identifier: GPL-2.0-or-later */
/* admit - what the kernel does not let in or pass on, whatever the routes: addresses that must not be seen there, and lengths */
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>

#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

static bool is_loopback_dev(const struct run *r, int index)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, index);

	return l && l->flags & IFF_LOOPBACK;
}

static bool stop(struct run *r, const char *why)
{
	run_end(r, TRACE_DROP, why);
	return true;
}

/* 224.0.0.1 and ff02::1: who has multicast at all belongs to them */
static bool all_hosts(const struct addr *a)
{
	static const uint8_t v4[4] = { 224, 0, 0, 1 }, v6[16] = { 0xff, 2, [15] = 1 };
	struct addr all = a->family == AF_INET6 ? addr_from(AF_INET6, v6) : addr_from(AF_INET, v4);

	return addr_equal(a, &all);
}

bool admit_group(struct run *r, int iif)
{
	const struct netview *nv = r->t->nv;
	struct addr dst = packet_addr(&r->pkt, true);

	if (!addr_is_multicast(&dst) || all_hosts(&dst) || r->leg || is_loopback_dev(r, iif))
		return true;
	for (unsigned i = 0; i < nv->n_groups; i++)
		if (nv->groups[i].ifindex == iif && addr_equal(&nv->groups[i].group, &dst))
			return true;
	if (!nv->groups_read && run_decide(r, 2, NULL, "the interface belongs to the multicast group", "the groups were not read") == 0)
		return true;
	if (!r->ended)
		stop(r, "the interface does not belong to the multicast group: no program here has joined it");
	return false;
}

/* Loopback addresses from outside: ip_route_input_slow() drops them when routing, unless route_localnet
 * is set; ip6_rcv_core() at once, so that a later DNAT to ::1 is not looked at. */
static bool from_outside(struct run *r, int iif)
{
	struct addr src = packet_addr(&r->pkt, false), dst = packet_addr(&r->pkt, true);

	if (is_loopback_dev(r, iif) || (!run_v6(r) && journey_routes_localnet(r, nv_link_by_index(r->t->nv, iif))))
		return false;
	if (!(dst.family && addr_is_loopback(&dst)) && !(src.family && addr_is_loopback(&src)))
		return false;
	return stop(r, "a loopback address from outside: dropped as a martian packet");
}

bool admit_martian(struct run *r, int iif)
{
	struct addr src = packet_addr(&r->pkt, false), dst = packet_addr(&r->pkt, true);

	if (src.family && (addr_is_multicast(&src) || route_limited_broadcast(&src)))
		return stop(r, "a group's address as the source: dropped as a martian packet");
	/* who has no address yet asks everybody */
	if (addr_is_zeronet(&src) && !(addr_is_any(&src) && route_limited_broadcast(&dst)) && !addr_is_any(&dst) &&
	    !(addr_is_multicast(&dst) && dst.b[1] == 0 && dst.b[2] == 0))
		return stop(r, "a source of 0.0.0.0/8: dropped as a martian packet");
	if (addr_is_zeronet(&dst) && !(addr_is_any(&dst) && src.family && addr_is_any(&src)))
		return stop(r, "a destination of 0.0.0.0/8: dropped as a martian packet");
	return from_outside(r, iif);
}

/* What may be cut is, behind POSTROUTING; of TCP it may be the segments of several packets, which fit one by one (GSO) */
static bool may_pass(struct run *r)
{
	enum { FLAGS = PACKET_NH + 6, DF = 0x40 };
	bool open = !run_v6(r) && !(r->pkt.known[FLAGS] & DF);

	if (!run_v6(r) && !open && !(r->pkt.bytes[FLAGS] & DF))
		return true;
	if (!open && r->pkt.l4proto != IPPROTO_TCP)
		return false;
	return run_decide(r, 2, NULL, "it is longer than the way out takes, but may be cut",
			  "whether it may be cut is not given") == 0;
}

bool admit_size(struct run *r, const struct nv_route *route, int oif)
{
	struct addr dst = packet_addr(&r->pkt, true);
	const struct known32 *size = &r->pkt.meta[NFT_META_LEN];
	uint32_t mtu = meta_mtu(r, route, oif);

	if (!mtu || size->k != UINT32_MAX || size->v <= mtu || meta_learned(r->t->nv, &dst))
		return true;
	if (may_pass(r)) {
		r->cut = r->pkt.l4proto != IPPROTO_TCP;
		return true;
	}
	run_end(r, TRACE_UNREACHABLE, "it is longer than the way out takes (MTU), and must not be cut: the sender is told");
	return false;
}

bool admit_onward(struct run *r, int iif, int oif)
{
	struct addr src = packet_addr(&r->pkt, false);

	if (!run_v6(r) || iif == oif || !src.family)
		return true;
	if (addr_is_linklocal(&src))
		run_end(r, TRACE_UNREACHABLE, "a link-local source is not passed on; the sender is told");
	else if (addr_is_any(&src) || addr_is_multicast(&src) || addr_is_loopback(&src))
		stop(r, "a source that is no single address of the net is not passed on");
	return !r->ended;
}
