/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journey - a packet's way through the namespace: routing, hooks, loopback, the socket at the end */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "nsutil/ruleset/cgroups.h"
#include "nsutil/trace/line.h"
#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

static const char *dev_name(const struct run *r, int index)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, index);

	return l ? l->name : index == 1 ? "lo" : "?";
}

/* "default via 10.0.1.1 dev eth0", "local 10.0.1.39/32 dev lo" */
static const char *say_route(const struct run *r, const struct route_result *res, struct arena *a)
{
	char text[2 * ADDR_TEXT + 64], addr[ADDR_TEXT];
	struct line l = LINE(text);

	if (!res->route) {
		line_str(&l, res->kind == ROUTE_BROADCAST ? "broadcast" : res->kind == ROUTE_MULTICAST ? "multicast" : "local address");
	} else if (!res->route->dst_len) {
		line_str(&l, res->kind == ROUTE_LOCAL ? "everything (local)" : "default");
	} else {
		line_str(&l, res->kind == ROUTE_LOCAL ? "local " : "");
		line_str(&l, addr_fmt(&res->route->dst, addr));
		line_str(&l, "/");
		line_uint(&l, res->route->dst_len);
	}
	if (res->via.family) {
		line_str(&l, " via ");
		line_str(&l, addr_fmt(&res->via, addr));
	}
	line_str(&l, " dev ");
	line_str(&l, dev_name(r, res->oif));
	return arena_strdup(a, text);
}

static const char *route_text(const struct run *r, const struct route_result *res)
{
	struct route_said *said = res->route && r->t->said ? &r->t->said[res->route - r->t->nv->routes] : NULL;

	if (res->kind == ROUTE_UNREACHABLE)
		return res->why;
	for (unsigned i = 0; said && i < 2; i++) {
		if (!said->way[i].text) {
			said->way[i].oif = res->oif;
			said->way[i].via = res->via;
			said->way[i].text = say_route(r, res, r->t->arena);
		}
		if (said->way[i].oif == res->oif && addr_equal(&said->way[i].via, &res->via))
			return said->way[i].text;
	}
	return say_route(r, res, r->arena);
}

/* The name of an interface that the packet came in or goes out by; "": there is none */
static const char *name_of(const struct run *r, uint32_t key)
{
	const struct known32 *index = &r->pkt.meta[key];

	return index->k == UINT32_MAX && !index->v ? "" : dev_name(r, (int)index->v);
}

static void add_leg(struct run *r, enum trace_path path, const char *route)
{
	struct trace_leg *grown = arena_grow(r->arena, r->legs, r->n_legs, sizeof(*grown));

	if (!grown) {
		r->oom = true;
		return;
	}
	r->legs = grown;
	r->legs[r->n_legs++] = (struct trace_leg){
		.leg = r->leg, .path = path, .route = route,
		.iif = name_of(r, NFT_META_IIF), .oif = name_of(r, NFT_META_OIF),
	};
}

static void end_unreachable(struct run *r, const char *why)
{
	run_end(r, TRACE_UNREACHABLE, why);
}

/* set_class_tag(): each half of it counts where nothing stands there yet */
static uint32_t class_tag(uint32_t id, uint32_t tag)
{
	id |= id & 0xffff ? 0 : tag & 0xffff;
	return id & 0xffff0000 ? id : id | (tag & 0xffff0000);
}

void journey_take_route(struct run *r, const struct route_result *res)
{
	r->dev = res->oif;
	r->local = res->kind == ROUTE_LOCAL;
	r->routed = true;
	r->route = res->route;
	r->via = res->via;
	r->realm = class_tag(res->realm, res->rule_realm);
	r->realm_unknown = false;
}

/* IN_DEV_NET_ROUTE_LOCALNET() */
bool journey_routes_localnet(const struct run *r, const struct nv_link *l)
{
	return r->t->nv->route_localnet || (l && l->route_localnet);
}

static void end_here(struct run *r, enum trace_end path)
{
	r->out.path = path;
	r->out.oif = path == TRACE_END_LOCAL ? NULL : dev_name(r, r->dev);
	run_end(r, TRACE_ACCEPT, NULL);
}

static const struct nv_socket *socket_of(const struct run *r, const struct route_key *k)
{
	const struct nv_socket *s = r->rq->first ? NULL : listen_connected(r->t, k); /* there was none then */

	return s ? s : listen_find(r->t, k);
}

/* __inet_lookup_listener(), __udp4_lib_lookup(); a socket chosen by tproxy stays chosen */
static void find_listener(struct run *r)
{
	struct addr dst = packet_addr(&r->pkt, true), src = packet_addr(&r->pkt, false);
	int dport = packet_port(&r->pkt, true);
	const struct known32 *iif = &r->pkt.meta[NFT_META_IIF];

	if (r->assigned) {
		r->out.listener = r->assigned;
		return;
	}
	if (packet_ext(&r->pkt, IPPROTO_ROUTING))
		r->out.listener_unknown = "the kernel looks at its routing header first";
	else if (r->pkt.l4proto != IPPROTO_TCP && r->pkt.l4proto != IPPROTO_UDP)
		r->out.listener_unknown = "the kernel takes it, or a raw socket";
	else if (r->t->nv->sockets_unread)
		r->out.listener_unknown = r->t->nv->sockets_unread;
	else if (dport < 0 || !dst.family)
		r->out.listener_unknown = "the port is not known";
	else
		r->out.listener = socket_of(r, &(struct route_key){ .dst = dst, .dport = dport, .src = src,
				.sport = packet_port(&r->pkt, false), .l4proto = r->pkt.l4proto, .iif = (int)iif->v });
}

static void input(struct run *r)
{
	packet_set_oif(&r->pkt, 0, "");
	if (!run_v6(r))
		gather(r); /* ip_local_deliver() */
	if (!hooks_run(r, NF_INET_LOCAL_IN))
		return;
	r->out.listener_unknown = pkttype_refused(r);
	if (!r->out.listener_unknown)
		find_listener(r);
	end_here(r, TRACE_END_LOCAL);
}

/* ip_decrease_ttl(): before FORWARD. Return: false when its time is over */
static bool count_hop(struct run *r)
{
	unsigned at = PACKET_NH + (run_v6(r) ? 7 : 8);

	r->pkt.version++;
	if (r->pkt.known[at] != 0xff) {
		r->pkt.known[at] = r->pkt.bytes[at] = 0;
		return true;
	}
	if (r->pkt.bytes[at] <= 1) {
		run_end(r, TRACE_DROP, "its time to live is over; the sender is told");
		return false;
	}
	r->pkt.bytes[at]--;
	return true;
}

/* IN_DEV_FORWARD() of the device it came in through; ip_forward writes to all of them */
static bool forwards(const struct run *r, int iif)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, iif);

	return l && l->has_conf ? l->forwarding : r->t->nv->ip_forward;
}

/* ip_forward(): who could have sent the packet there without this detour is told so, at times, before the rules of FORWARD.
 * What tells it belongs to the connection (icmp_glue_bits), and so may be marked by rules that it meets. */
static void redirect(struct run *r, int iif)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, iif);
	struct packet_ct *ct = &r->pkt.ct;

	if (r->dev != iif || ct->attach != CT_TRACKED || !r->t->redirects_write || !l || (l->no_redirects && r->t->nv->no_redirects) ||
	    !way_back_is_near(r, l))
		return;
	r->pkt.version++;
	ct->mark.k = 0;
	ct->doubt = "the kernel may send an ICMP redirect first, of which rules of OUTPUT mark the connection";
}

/* rt_tos2priority(), unless ip_forward_update_priority says no */
static void set_priority(struct run *r)
{
	static const uint8_t by_tos[] = { 0, 2, 6, 4 };
	unsigned at = PACKET_NH + 1;

	if (r->t->nv->keeps_priority)
		return;
	if ((r->pkt.known[at] & 0x18) == 0x18)
		packet_set_meta(&r->pkt, NFT_META_PRIORITY, by_tos[r->pkt.bytes[at] >> 3 & 3]);
	else
		packet_set_meta_unknown(&r->pkt, NFT_META_PRIORITY);
}

/* ip_rcv_finish_core(), ip6_rcv_finish_core(): is the socket of the packet looked for before INPUT? */
static bool is_demuxed(const struct run *r)
{
	const struct netview *nv = r->t->nv;
	bool whole = !r->pkt.some_fragment && (!run_v6(r) || r->pkt.th == PACKET_NH + 40u);

	return whole && !nv->no_demux && ((r->pkt.l4proto == IPPROTO_TCP && !nv->no_demux_tcp) || (r->pkt.l4proto == IPPROTO_UDP && !nv->no_demux_udp));
}

/* tcp_v4_early_demux(), udp_v4_early_demux(): is there one that is connected so, half-open ones too? Of those of UDP that have
 * one address and port, the kernel looks at one only (__udp4_lib_demux_lookup). */
static enum tri is_connected(struct run *r)
{
	struct route_key k;
	const struct nv_socket *s;

	if (!is_demuxed(r) || r->rq->first || r->t->nv->sockets_unread || !pkttype_may_be_host(r))
		return TRI_FALSE;
	k = journey_key(r);
	s = k.dst.family && k.src.family && k.dport >= 0 ? listen_ends(r->t, &k) : NULL;
	return !s ? TRI_FALSE : s->protocol == IPPROTO_TCP || !listen_shares(r->t, s) ? TRI_TRUE : TRI_UNKNOWN;
}

/* skb->sk, of which ip_forward() and ip6_forward() say that it should never happen: by tproxy, or by early demux */
static bool has_socket(struct run *r)
{
	enum tri t = r->owned ? TRI_TRUE : is_connected(r);

	return t == TRI_UNKNOWN ? run_decide(r, 2, NULL, "the kernel finds the packet's socket before it looks up the route",
					     "of UDP's sockets that have one address and port it looks at one only") == 0
				: t == TRI_TRUE;
}

/* ip_forward(), ip6_forward() */
static void forward(struct run *r, const struct route_result *res, int iif)
{
	if (run_v6(r) ? !r->t->nv->ip6_forward : !forwards(r, iif)) {
		end_unreachable(r, run_v6(r) ? "the namespace does not forward (net.ipv6.conf.all.forwarding is 0)"
				   : r->t->nv->ip_forward ? "the interface it comes in through does not forward (net.ipv4.conf)"
							  : "the namespace does not forward (net.ipv4.ip_forward is 0)");
		return;
	}
	if (has_socket(r)) {
		run_end(r, TRACE_DROP, "a socket of the namespace is to have it, but the route leads away: dropped by the kernel");
		return;
	}
	if (!pkttype_forward(r) || !count_hop(r) || !admit_onward(r, iif, res->oif) || !admit_size(r, res->route, res->oif))
		return;
	r->dev = res->oif;
	packet_set_oif(&r->pkt, r->dev, dev_name(r, r->dev));
	if (!run_v6(r)) {
		redirect(r, iif);
		set_priority(r);
	}
	if (!hooks_run(r, NF_INET_FORWARD) || !hooks_run(r, NF_INET_POST_ROUTING) || !hooks_device(r, true))
		return;
	end_here(r, TRACE_END_FORWARD);
}

/* ip6_route_input_lookup(): such addresses are only looked for behind the interface (rt6_need_strict) */
static bool of_interface(const struct addr *dst)
{
	return dst->family == AF_INET6 &&
	       (addr_is_loopback(dst) || addr_is_linklocal(dst) || addr_is_multicast(dst));
}

/* A packet of a connection has its socket, and so its user, before INPUT; to a multicast group that of the only one that
 * takes part (__udp4_lib_mcast_demux_lookup). */
static void early_demux(struct run *r, bool to_group)
{
	bool may = to_group ? r->pkt.l4proto == IPPROTO_UDP && !run_v6(r)
			    : pkttype_may_be_host(r) &&
			      (r->pkt.ct.known || r->rq->ct_state & TRACE_CT_ESTABLISHED || is_connected(r) != TRI_FALSE);

	if (!may || !is_demuxed(r))
		return;
	packet_set_meta_unknown(&r->pkt, NFT_META_SKUID);
	packet_set_meta_unknown(&r->pkt, NFT_META_SKGID);
	packet_set_meta_unknown(&r->pkt, NFT_META_CGROUP);
}

/* ip_rcv_options(): with accept_source_route, which is off by default, it goes where the option says */
static bool routed_by_sender(struct run *r)
{
	enum { LSRR = 131, SSRR = 137 };

	if (run_v6(r) || (!parts_find(r->pkt.ipopt, LSRR) && !parts_find(r->pkt.ipopt, SSRR)))
		return false;
	run_end(r, TRACE_UNKNOWN, "its sender says the route (IP option lsrr or ssrr): the kernel drops it, or follows that where "
				  "accept_source_route is set");
	return true;
}

/* ip_rcv_options(), behind PREROUTING: the address of this station is written into the option */
static void record_route(struct run *r)
{
	const struct parts *was = r->pkt.ipopt;
	struct parts *o;

	if (!parts_find(was, 7 /* record route */) && !parts_find(was, 68 /* timestamp */))
		return;
	o = arena_dup(r->arena, was, sizeof(*was) + was->n * sizeof(was->part[0]));
	if (!o) {
		r->oom = true;
		return;
	}
	for (unsigned i = 0; i < o->n; i++)
		if (o->part[i].type == 7 || o->part[i].type == 68)
			o->part[i].known = o->part[i].known < 2 ? o->part[i].known : 2;
	packet_forget_ipopt(&r->pkt, o);
}

/* ip_route_input_rcu(): for a group of IPv4 no table is asked */
static void input_lookup(struct run *r, const struct route_key *k, struct route_result *res)
{
	if (!run_v6(r) && addr_is_multicast(&k->dst))
		*res = (struct route_result){ .kind = ROUTE_MULTICAST, .oif = k->iif };
	else
		route_lookup(r->t->nv, k, res);
}

static void route_and_deliver(struct run *r, int iif)
{
	struct route_result res;
	struct route_key k;
	uint32_t tag = 0;

	if (!route_can(r) || routed_by_sender(r))
		return;
	record_route(r);
	k = journey_key(r);
	k.iif = iif;
	if (of_interface(&k.dst))
		k.oif = iif;
	if ((!run_v6(r) && admit_martian(r, iif)) || !admit_group(r, iif))
		return;
	input_lookup(r, &k, &res);
	if (r->ended)
		return;
	r->legs[r->n_legs - 1].route = route_text(r, &res);
	r->routed = true;
	r->route = res.route;
	r->via = res.via;
	if (!run_v6(r) && res.kind != ROUTE_UNREACHABLE && !way_back_is_valid(r, iif, res.kind == ROUTE_UNICAST ? res.oif : 0, &tag)) {
		run_end(r, TRACE_DROP, "its source is not to be reached that way, or is an address of the namespace: dropped "
				       "as a martian packet (rp_filter, accept_local)");
		return;
	}
	/* what is delivered here has its source's alone (ip_route_input_slow) */
	r->realm = res.kind == ROUTE_UNICAST ? class_tag(class_tag(res.realm, res.rule_realm), tag) : tag;
	switch (res.kind) {
	case ROUTE_UNREACHABLE: end_unreachable(r, res.why); break;
	case ROUTE_UNICAST: forward(r, &res, iif); break;
	case ROUTE_LOCAL:
	case ROUTE_BROADCAST:
	case ROUTE_MULTICAST:
		early_demux(r, res.kind == ROUTE_MULTICAST);
		input(r);
		break;
	}
}

/* nf_nat_ipv4_pre_routing(), nf_nat_ipv6_in(): with another destination the route is looked up anew; IPv4 then takes no
 * packet from an address of its own (fib_validate_source) */
static void deliver_back(struct run *r, const struct addr *before)
{
	struct addr after = packet_addr(&r->pkt, true), src = packet_addr(&r->pkt, false);

	if (addr_equal(before, &after))
		input(r);
	else if (!run_v6(r) && (addr_is_loopback(&src) || nv_addr_is_local(r->t->nv, &src)))
		run_end(r, TRACE_DROP, "rewritten on its way back through lo: dropped as a martian packet");
	else
		route_and_deliver(r, r->dev);
}

/* loopback_xmit(): the packet comes back in through lo, with its conntrack entry, mark and route,
 * but without its socket. */
static void reenter(struct run *r)
{
	static const uint8_t no_mac[6];
	struct addr before;

	r->leg++;
	if (r->pkt.ct.attach == CT_TRACKED) { /* nf_conntrack_confirm() */
		r->pkt.ct.status.v |= IPS_CONFIRMED;
		r->pkt.ct.status.k |= IPS_CONFIRMED;
	}
	packet_set_iif(&r->pkt, r->dev, dev_name(r, r->dev));
	packet_set_oif(&r->pkt, 0, "");
	packet_set_meta_absent(&r->pkt, NFT_META_SKUID);
	packet_set_meta_absent(&r->pkt, NFT_META_SKGID);
	packet_set_meta_absent(&r->pkt, NFT_META_CGROUP);
	r->pkt.ll = true;
	packet_set_mac(&r->pkt, false, no_mac); /* eth_header() with the address of lo */
	packet_set_mac(&r->pkt, true, no_mac);
	add_leg(r, TRACE_IN, "loopback");
	before = packet_addr(&r->pkt, true);
	if (!hooks_device(r, false) || !pkttype_rcv(r) || !hooks_run(r, NF_INET_PRE_ROUTING))
		return;
	deliver_back(r, &before);
}

static void leave(struct run *r)
{
	packet_set_oif(&r->pkt, r->dev, dev_name(r, r->dev));
	if (!hooks_run(r, NF_INET_POST_ROUTING) || !hooks_device(r, true))
		return;
	if (r->local)
		reenter(r);
	else
		end_here(r, TRACE_END_OUT);
}

static void journey_out(struct run *r)
{
	struct route_result res;

	r->source = packet_addr(&r->pkt, false);
	if (!route_out(r, &res))
		return;
	journey_take_route(r, &res);
	if (!packet_addr(&r->pkt, false).family)
		packet_set_addr(&r->pkt, false, &res.src);
	r->source = packet_addr(&r->pkt, false);
	packet_set_iif(&r->pkt, 0, "");
	pkttype_local_out(r);
	packet_set_oif(&r->pkt, r->dev, dev_name(r, r->dev));
	add_leg(r, TRACE_OUT, route_text(r, &res));
	if (!hooks_run(r, NF_INET_LOCAL_OUT))
		return;
	leave(r);
}

/* Where chains are bound to devices, the port of a bridge or bond that it comes in by counts: any of them */
static int port_of(struct run *r, int master)
{
	const struct netview *nv = r->t->nv;
	unsigned n = 0, pick;

	for (unsigned i = 0; i < nv->n_links; i++)
		n += nv->links[i].master == master;
	if (!n || !r->t->ingress.n)
		return master;
	pick = n == 1 ? 0 : run_decide(r, n, NULL, arena_printf(r->arena, "the port of %s that it comes in by", dev_name(r, master)), "not known");
	for (unsigned i = 0; i < nv->n_links; i++) {
		if (nv->links[i].master != master || pick-- != 0)
			continue;
		if (n > 1)
			run_answer(r, nv->links[i].name);
		return nv->links[i].index;
	}
	return master;
}

/* The interface towards the source, else the default route's, else any but lo. */
static int likely_device(struct run *r)
{
	struct route_key k = journey_key(r);
	struct route_result res;

	k.dst = k.src;
	k.src = (struct addr){ 0 };
	if (!k.dst.family) {
		k.dst = (struct addr){ .family = run_v6(r) ? AF_INET6 : AF_INET, .b = { 203, 0, 113, 1 } };
		if (run_v6(r))
			memcpy(k.dst.b, "\x20\x01\x0d\xb8", 4);
	}
	route_lookup(r->t->nv, &k, &res);
	if (!r->ended && res.kind != ROUTE_UNREACHABLE && res.oif > 0)
		return port_of(r, res.oif);
	for (unsigned i = 0; i < r->t->nv->n_links; i++)
		if (!(r->t->nv->links[i].flags & IFF_LOOPBACK))
			return r->t->nv->links[i].index;
	return 1;
}

static int incoming_device(struct run *r)
{
	return r->rq->iif ? journey_link(r, r->rq->iif) : pkttype_link(r, likely_device(r));
}

static void arrive(struct run *r, int iif)
{
	packet_set_iif(&r->pkt, iif, dev_name(r, iif));
	r->pkt.ll = run_frame(nv_link_by_index(r->t->nv, iif)) != TRI_FALSE;
}

/* br_handle_frame(). With br_netfilter it is the bridge that calls PREROUTING, in front of its own ingress, and IP does no more
 * (br_nf_pre_routing, ip_sabotage_in). */
static bool cross_bridge(struct run *r, const struct nv_link *master)
{
	pkttype_bridged(r, master);
	if (r->ended || !(run_v6(r) ? r->t->nv->bridge_calls_ip6 : r->t->nv->bridge_calls_ip))
		return !r->ended;
	r->prerouted = true;
	return hooks_run(r, NF_INET_PRE_ROUTING);
}

/* __netif_receive_skb_core(), "another_round": a port hands on what comes in to the bridge or bond it belongs to, behind its own
 * ingress. Return: the interface that IP sees; 0 when that is not known */
static int through_masters(struct run *r, int iif)
{
	for (unsigned depth = 0; depth < 8; depth++) {
		const struct nv_link *l = nv_link_by_index(r->t->nv, iif), *master = l ? nv_link_by_index(r->t->nv, l->master) : NULL;

		if (!master)
			return iif;
		if (strcmp(master->kind, "bridge") != 0 && strcmp(master->kind, "bond") != 0 && strcmp(master->kind, "team") != 0)
			break;
		if (!hooks_device(r, false))
			return 0;
		iif = master->index;
		arrive(r, iif);
		if (strcmp(master->kind, "bridge") == 0 && !cross_bridge(r, master))
			return 0;
	}
	run_end(r, TRACE_UNKNOWN, "the interface belongs to a device that takes its packets (a VRF, a switch), which is not followed");
	return 0;
}

static void journey_in(struct run *r)
{
	int iif = incoming_device(r);

	r->source = packet_addr(&r->pkt, false);
	if (r->ended)
		return;
	packet_set_oif(&r->pkt, 0, "");
	packet_set_meta_absent(&r->pkt, NFT_META_SKUID);
	packet_set_meta_absent(&r->pkt, NFT_META_SKGID);
	packet_set_meta_absent(&r->pkt, NFT_META_CGROUP);
	arrive(r, iif);
	pkttype_arrives(r, iif);
	add_leg(r, r->rq->path, NULL);
	iif = through_masters(r, iif);
	if (r->ended || !iif)
		return;
	if (!hooks_device(r, false) || !pkttype_rcv(r) || (run_v6(r) && admit_martian(r, iif)))
		return;
	if (!r->prerouted && !hooks_run(r, NF_INET_PRE_ROUTING))
		return;
	route_and_deliver(r, iif);
}

void journey_chosen(const struct run *r, struct trace_request *rq)
{
	rq->src = r->source;
	if (r->t->asks_cgroups && rq->cgroup_id && !rq->cgroup_path)
		rq->cgroup_path = nv_cgroup_path(r->arena, r->t->nv, rq->cgroup_id);
}

void journey(struct run *r)
{
	if (r->rq->path == TRACE_OUT)
		journey_out(r);
	else
		journey_in(r);
}
