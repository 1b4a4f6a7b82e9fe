/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meta - values that do not stand in the packet: meta, conntrack, fib (nft_meta.c, nft_ct.c, nft_fib_ipv4.c) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "nsutil/ruleset/conns.h"
#include "nsutil/ruleset/headers.h"
#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

static const char *meta_reason(uint32_t key)
{
	switch (key) {
	case NFT_META_SKUID: return "the uid is not given";
	case NFT_META_SKGID: return "the gid is not given";
	case NFT_META_MARK: return "the mark is not known";
	case NFT_META_IIF: return "the incoming interface is not known";
	case NFT_META_OIF: return "the outgoing interface is not known";
	case NFT_META_CGROUP: return "the cgroup is not given";
	case NFT_META_PRIORITY: return "the priority is not given";
	case NFT_META_PKTTYPE: return "whom the frame is for is not given (dmac)";
	case NFT_META_TIME_NS:
	case NFT_META_TIME_DAY:
	case NFT_META_TIME_HOUR: return "it depends on the time";
	case NFT_META_CPU: return "it depends on the processor";
	case NFT_META_PRANDOM: return "it is random";
	case NFT_META_LEN: return "the length is not given";
	}
	return "it is not known here";
}

static const struct nv_link *link_of(const struct run *r, uint32_t key)
{
	const struct known32 *index = &r->pkt.meta[key];

	return index->k == UINT32_MAX ? nv_link_by_index(r->t->nv, (int)index->v) : NULL;
}

static void name_eval(struct run *r, uint32_t index_key, const char *name, struct value *v)
{
	if (r->pkt.meta[index_key].k == UINT32_MAX || name[0]) {
		value_text(v, name);
		return;
	}
	value_unknown(v, 128, meta_reason(index_key));
	v->text = true;
}

/* Attributes of the device; without a device the kernel ends the rule. */
static void link_eval(struct run *r, uint32_t key, uint32_t index_key, struct value *v)
{
	const struct nv_link *l = link_of(r, index_key);

	if (!l && r->pkt.meta[index_key].k == UINT32_MAX && r->pkt.meta[index_key].v == 0)
		value_absent(v, "there is no such interface at this hook");
	else if (!l)
		value_unknown(v, header_meta_type(key)->bits, meta_reason(index_key));
	else if (key == NFT_META_IIFTYPE || key == NFT_META_OIFTYPE)
		value_uint(v, l->type, 16);
	else if (key == NFT_META_IIFGROUP || key == NFT_META_OIFGROUP)
		value_uint(v, l->group, 32);
	else
		value_text(v, l->kind);
}

static void number_eval(struct run *r, uint32_t key, struct value *v)
{
	const struct known32 *m = &r->pkt.meta[key];

	if (m->absent)
		value_absent(v, key == NFT_META_SKUID || key == NFT_META_SKGID
					? "the packet belongs to no socket here" : "the packet has none");
	else
		value_mask(v, m->v, m->k, header_meta_type(key)->bits, meta_reason(key));
}

/* Newer kernels take the type from skb->dev (NFT_META_IFTYPE), which in POSTROUTING and at egress is the way out. */
static void iiftype_eval(struct run *r, struct value *v)
{
	struct value in, out;

	if (run_at_egress(r)) {
		value_perhaps(v, 16, "newer kernels mean the outgoing interface here");
		return;
	}
	link_eval(r, NFT_META_IIFTYPE, NFT_META_IIF, v);
	if (r->hook != NF_INET_POST_ROUTING || r->pkt.oifname[0] == '\0')
		return;
	in = *v;
	link_eval(r, NFT_META_OIFTYPE, NFT_META_OIF, &out);
	if (in.absent || out.absent || value_eq(&in, &out) != TRI_TRUE)
		value_unknown(v, 16, "newer kernels mean the outgoing interface here");
}

/* A bundle of an earlier version says that there are realms, and not which. */
static bool realms_read(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_rules; i++)
		if (nv->rules[i].realm)
			return true;
	for (unsigned i = 0; i < nv->n_routes; i++)
		for (unsigned k = 0; k < nv->routes[i].n_hops; k++)
			if (nv->routes[i].hops[k].realm)
				return true;
	return false;
}

/* dst_entry.tclassid, which IPv6 has not */
static void realm_eval(const struct run *r, struct value *v)
{
	if (!r->routed)
		value_absent(v, "the packet has no route yet");
	else if (r->t->nv->routes_unread || (r->t->nv->realms && !realms_read(r->t->nv)))
		value_unknown(v, 32, "the realms of routes are not read");
	else if (r->realm_unknown)
		value_unknown(v, 32, "the realm of the packet's source is not known");
	else
		value_uint(v, run_v6(r) ? 0 : r->realm, 32);
}

static const char ipsec_unknown[] = "IPsec policies and states are not followed";

/* Did the packet come by a state (skb_sec_path()), does its route go by a policy (dst_entry.xfrm)? */
static void ipsec_eval(const struct run *r, struct value *v)
{
	value_uint(v, 0, 8);
	if (!r->t->nv->no_ipsec)
		value_unknown(v, 8, ipsec_unknown);
}

void meta_eval(struct run *r, uint32_t key, struct value *v)
{
	switch (key) {
	case NFT_META_IIFNAME: name_eval(r, NFT_META_IIF, r->pkt.iifname, v); return;
	case NFT_META_OIFNAME: name_eval(r, NFT_META_OIF, r->pkt.oifname, v); return;
	case NFT_META_IIFTYPE: iiftype_eval(r, v); return;
	case NFT_META_IIFGROUP:
	case NFT_META_IIFKIND: link_eval(r, key, NFT_META_IIF, v); return;
	case NFT_META_OIFTYPE:
	case NFT_META_OIFGROUP:
	case NFT_META_OIFKIND: link_eval(r, key, NFT_META_OIF, v); return;
	case NFT_META_PROTOCOL:
		value_uint(v, r->pkt.family == NFPROTO_IPV6 ? ETH_P_IPV6 : ETH_P_IP, 16);
		return;
	case NFT_META_NFPROTO: value_uint(v, r->pkt.family, 8); return;
	case NFT_META_L4PROTO: value_uint(v, r->pkt.l4proto, 8); return;
	case NFT_META_RTCLASSID: realm_eval(r, v); return;
	case NFT_META_SECPATH: ipsec_eval(r, v); return;
	case NFT_META_BRI_IIFNAME:
	case NFT_META_BRI_OIFNAME: value_absent(v, "the packet does not cross a bridge here"); return;
	default: break;
	}
	if (key < PACKET_META)
		number_eval(r, key, v);
	else
		value_unknown(v, header_meta_type(key)->bits, meta_reason(key));
}

static void ct_state(const struct run *r, struct value *v)
{
	const struct packet_ct *ct = &r->pkt.ct;

	/* nf_ct_tmpl_alloc(): the template of a zone counts as IP_CT_NEW */
	value_uint(v, ct->attach == CT_TRACKED ? ct->state : ct->attach == CT_NONE && ct->template ? TRACE_CT_NEW
		      : ct->attach == CT_UNTRACKED ? TRACE_CT_UNTRACKED : TRACE_CT_INVALID, 32);
}

static void ct_addr(const struct addr *a, unsigned bits, struct value *v)
{
	if (a->family)
		value_bytes(v, a->b, addr_len(a) * 8);
	else
		value_unknown(v, bits, "the address is not known");
}

static void ct_number(const struct known32 *n, unsigned bits, const char *why, struct value *v)
{
	value_mask(v, n->v, n->k, bits, why);
}

static void ct_tuple(const struct run *r, uint32_t key, bool reply, struct value *v)
{
	const struct packet_ct *ct = &r->pkt.ct;
	unsigned bits = r->pkt.family == NFPROTO_IPV6 ? 128 : 32;

	switch (key) {
	case NFT_CT_PROTO_SRC:
		ct_number(reply ? &ct->reply_sport : &ct->sport, 16, "the source port is not given", v);
		break;
	case NFT_CT_PROTO_DST: ct_number(reply ? &ct->reply_dport : &ct->dport, 16, "the port is not given", v); break;
	case NFT_CT_SRC:
	case NFT_CT_SRC_IP:
	case NFT_CT_SRC_IP6: ct_addr(reply ? &ct->reply_saddr : &ct->saddr, bits, v); break;
	default: ct_addr(reply ? &ct->reply_daddr : &ct->daddr, bits, v); break;
	}
}

/* Of a first packet everything is known to be zero; of a later one nothing is. */
static void ct_fresh(const struct run *r, uint32_t value, unsigned bits, const char *why, struct value *v)
{
	if (r->pkt.ct.state & TRACE_CT_NEW)
		value_uint(v, value, bits);
	else
		value_unknown(v, bits, why);
}

/* nf_ct_zone_id(): a zone may be for one direction only */
static void ct_zone(const struct packet_ct *ct, int dir, struct value *v)
{
	if (dir >= 0 && ct->zone_dir >= 0 && dir != ct->zone_dir)
		value_uint(v, 0, 16);
	else
		ct_number(&ct->zone, 16, "the zone is not known", v);
}

static bool reads_template(struct run *r)
{
	if (r->xt)
		return true;
	if (r->template == TEMPLATE_UNASKED)
		r->template = run_decide(r, 2, NULL, "nftables looks into the template of a zone",
					 "older kernels do, newer ones do not") == 0 ? TEMPLATE_READ : TEMPLATE_PASSED;
	return r->template == TEMPLATE_READ;
}

/* Before conntrack has looked, a template holds nothing but the zone. */
static void ct_template(struct run *r, const struct expr *x, struct value *v)
{
	if (!reads_template(r)) {
		value_absent(v, "the packet has no connection-tracking entry here");
		return;
	}
	switch (x->ct.key) {
	case NFT_CT_DIRECTION: value_uint(v, 0, 8); break;
	case NFT_CT_MARK: /* nft_ct_pcpu_template is never emptied, and CONNMARK writes into it */
		value_unknown(v, 32, "the kernel keeps one template per processor, with the mark of packets before");
		break;
	case NFT_CT_ZONE: ct_zone(&r->pkt.ct, x->ct.dir, v); break;
	default: value_unknown(v, x->bits, "a zone's template stands in for the connection here"); break;
	}
}

/* A new connection has the labels that rules have set, a tracked one its own besides; of others only the set ones are known. */
static void ct_labels(const struct packet_ct *ct, struct value *v)
{
	if (!ct->doubt && (ct->known || ct->state & TRACE_CT_NEW)) {
		value_bytes(v, ct->labels, 128);
		return;
	}
	value_unknown(v, 128, ct->doubt ? ct->doubt : "the connection's labels are not known");
	memcpy(v->b, ct->labels, sizeof(ct->labels));
	memcpy(v->k, ct->labels, sizeof(ct->labels));
}

/* Of a connection that is tracked already. */
static void ct_known(const struct run *r, const struct expr *x, struct value *v)
{
	const struct conn *c = r->pkt.ct.known, *master;
	struct conn_key k = { c->family, c->protocol, c->master };
	bool reply;

	switch (x->ct.key) {
	case NFT_CT_DIRECTION: value_uint(v, r->pkt.ct.reply, 8); return;
	case NFT_CT_ZONE:
		if (x->ct.dir >= 0)
			value_uint(v, x->ct.dir == 1 ? c->reply_zone : c->zone, 16);
		else
			value_uint(v, c->zone ? c->zone : c->reply_zone, 16);
		return;
	case NFT_CT_HELPER: /* that of the connection which made it expected */
		master = c->has_master ? conn_list_find(r->t->conns, &k, NULL, &reply) : NULL;
		if (c->has_master && !master) {
			value_perhaps(v, 128, "the connection that made it expected is not tracked any more");
			v->text = true;
		} else if (!master || !master->helper) {
			value_absent(v, "no helper expected the connection");
		} else {
			value_text(v, master->helper);
		}
		return;
	case NFT_CT_EXPIRATION: value_unknown(v, x->bits, "every packet sets the timeout anew"); return;
	default: value_unknown(v, x->bits, "it depends on the connection so far"); return;
	}
}

void ct_eval(struct run *r, const struct expr *x, struct value *v)
{
	const struct packet_ct *ct = &r->pkt.ct;

	if (x->ct.key == NFT_CT_STATE) {
		ct_state(r, v);
		return;
	}
	if (ct->attach == CT_NONE && ct->template) {
		ct_template(r, x, v);
		return;
	}
	if (ct->attach != CT_TRACKED) {
		value_absent(v, "the packet has no connection-tracking entry here");
		return;
	}
	if (ct->known && (x->ct.key == NFT_CT_DIRECTION || x->ct.key == NFT_CT_ZONE ||
			  x->ct.key == NFT_CT_HELPER || x->ct.key == NFT_CT_EXPIRATION)) {
		ct_known(r, x, v);
		return;
	}
	switch (x->ct.key) {
	case NFT_CT_DIRECTION: ct_fresh(r, 0, 8, "the direction is not given", v); break;
	case NFT_CT_MARK: ct_number(&ct->mark, 32, ct->doubt ? ct->doubt : "the connection's mark is not known", v); break;
	case NFT_CT_ZONE: ct_zone(ct, x->ct.dir, v); break;
	case NFT_CT_STATUS: ct_number(&ct->status, 32, "the connection's status is not known", v); break;
	case NFT_CT_L3PROTOCOL: value_uint(v, r->pkt.family, 8); break;
	case NFT_CT_PROTOCOL: value_uint(v, ct->l4proto, 8); break;
	case NFT_CT_LABELS: ct_labels(ct, v); break;
	case NFT_CT_HELPER:
		if (ct->state & TRACE_CT_NEW)
			value_absent(v, "the connection is not expected by a helper");
		else
			value_perhaps(v, 128, "the helper is not known");
		break;
	case NFT_CT_SRC:
	case NFT_CT_DST:
	case NFT_CT_SRC_IP:
	case NFT_CT_DST_IP:
	case NFT_CT_SRC_IP6:
	case NFT_CT_DST_IP6:
	case NFT_CT_PROTO_SRC:
	case NFT_CT_PROTO_DST: ct_tuple(r, x->ct.key, x->ct.dir == 1, v); break;
	default: value_unknown(v, x->bits, "it depends on the connection so far"); break;
	}
}

/* What came through lo is not looked up: in PREROUTING, with newer kernels also in INPUT, but not what has a socket, as
 * tproxy's listener (nft_fib_can_skip(), before Linux 6.16 nft_fib_is_loopback() in nft_fib4_eval(); rpfilter_mt()) */
static bool from_loopback(struct run *r)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, (int)r->pkt.meta[NFT_META_IIF].v);
	bool older = r->hook == NF_INET_PRE_ROUTING, newer = r->xt ? older : !r->owned && (older || r->hook == NF_INET_LOCAL_IN);

	if (!l || !(l->flags & IFF_LOOPBACK))
		return false;
	return older == newer ? older : run_decide(r, 2, NULL, "what comes through lo is not looked up",
						   "older kernels do otherwise than newer ones") == 0;
}

/* The interface that the route must use; 0: any */
static int fib_device(const struct run *r, const struct expr *x)
{
	uint32_t key = x->fib.flags & NFTA_FIB_F_IIF ? NFT_META_IIF : NFT_META_OIF;

	return x->fib.flags & (NFTA_FIB_F_IIF | NFTA_FIB_F_OIF) ? (int)r->pkt.meta[key].v : 0;
}

/* fib_info_nh_uses_dev(): of several ways one is enough; IPv6 has the one it took */
static bool uses(const struct run *r, const struct route_result *res, int dev)
{
	if (run_v6(r) || !res->route)
		return res->oif == dev;
	for (unsigned i = 0; i < res->route->n_hops; i++)
		if (res->route->hops[i].oif == dev)
			return true;
	return false;
}

/* The same: from the other address, by no user, without ports */
static struct route_key fib_key(struct run *r, const struct expr *x, const struct addr *a)
{
	struct route_key k = journey_key(r);

	k.src = packet_addr(&r->pkt, !(x->fib.flags & NFTA_FIB_F_DADDR));
	if (addr_is_multicast(&k.src) || route_limited_broadcast(&k.src) || addr_is_zeronet(&k.src))
		k.src.family = 0;
	k.dst = *a;
	k.uid = 0;
	k.uid_known = true;
	k.sport = k.dport = 0;
	if (r->xt && !run_v6(r)) /* rpfilter_mt() */
		k.l4proto = 0;
	if (!(x->fib.flags & NFTA_FIB_F_MARK)) {
		k.mark = 0;
		k.mark_known = UINT32_MAX;
	}
	return k;
}

/* nft_fib4_eval(), nft_fib6_eval(): the route back to the source, or on to the destination. The interface does not restrict
 * the lookup, but in IPv6 that of a link-local address; rpfilter_lookup_reverse6() prefers it. */
static void fib_oif(struct run *r, const struct expr *x, const struct addr *a, struct value *v)
{
	struct route_key k = fib_key(r, x, a);
	struct route_result res;
	int dev = fib_device(r, x);
	uint32_t oif;

	if (run_v6(r) && addr_is_linklocal(a))
		k.oif = dev;
	else if (run_v6(r) && r->xt)
		k.near = dev;
	if (from_loopback(r)) {
		oif = r->pkt.meta[NFT_META_IIF].v;
	} else {
		route_lookup(r->t->nv, &k, &res);
		oif = res.kind == ROUTE_UNICAST ? (uint32_t)res.oif : 0; /* "should not see RTN_LOCAL here" */
		if (oif && dev)
			oif = uses(r, &res, dev) ? (uint32_t)dev : 0;
	}
	if (x->fib.flags & NFTA_FIB_F_PRESENT) {
		value_uint(v, oif != 0, 8);
	} else if (x->fib.result == NFT_FIB_RESULT_OIF) {
		value_uint(v, oif, 32);
	} else {
		const struct nv_link *l = nv_link_by_index(r->t->nv, (int)oif);

		value_text(v, l ? l->name : "");
	}
}

void fib_eval(struct run *r, const struct expr *x, struct value *v)
{
	bool dst = x->fib.flags & NFTA_FIB_F_DADDR;
	struct addr a = packet_addr(&r->pkt, dst);

	if (r->t->nv->routes_unread || !a.family) {
		value_unknown(v, x->bits ? x->bits : 32,
			      a.family ? "the routes could not be read" : "the address is not known");
		return;
	}
	if (x->fib.result != NFT_FIB_RESULT_ADDRTYPE) {
		fib_oif(r, x, &a, v);
		return;
	}
	value_uint(v, route_addr_type(r->t->nv, &a, fib_device(r, x), r->xt), 32);
}

/* nft_xfrm_get_eval(): of the states that the packet came by, or goes by */
void xfrm_eval(struct run *r, const struct expr *x, struct value *v)
{
	if (r->t->nv->no_ipsec)
		value_absent(v, "the namespace has no IPsec");
	else
		value_perhaps(v, x->bits, ipsec_unknown);
}

uint32_t meta_mtu(const struct run *r, const struct nv_route *route, int dev)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, dev);
	uint32_t mtu = route && route->mtu ? route->mtu : !l ? 0 : run_v6(r) ? l->mtu6 : l->mtu;

	return run_v6(r) || mtu < UINT16_MAX ? mtu : UINT16_MAX;
}

bool meta_learned(const struct netview *nv, const struct addr *a)
{
	for (unsigned i = 0; i < nv->n_learned; i++)
		if (addr_equal(&nv->learned[i].dst, a))
			return true;
	return false;
}

/* Of the way that a look for the source finds, without the packet's device and mark; UINT32_MAX: there is none, 0: not known */
static uint32_t mtu_back(const struct run *r, const struct addr *src)
{
	struct route_key k = { .dst = *src, .mark_known = UINT32_MAX, .uid_known = true, .index = r->t->routes };
	struct route_result res;

	/* which of the links is tried first, no table says */
	if (!src->family || r->t->nv->routes_unread || addr_is_linklocal(src))
		return 0;
	route_lookup(r->t->nv, &k, &res);
	if (res.kind == ROUTE_UNREACHABLE)
		return UINT32_MAX;
	return res.route && res.route->n_hops > 1 ? 0 : meta_mtu(r, res.route, res.oif);
}

/* get_tcpmss() of nft_rt.c: the least of the way there and of the way back, less two headers */
static void mss_eval(const struct run *r, unsigned bits, struct value *v)
{
	struct addr src = packet_addr(&r->pkt, false), dst = packet_addr(&r->pkt, true);
	uint32_t mtu = meta_mtu(r, r->route, r->dev), back = mtu_back(r, &src), headers = run_v6(r) ? 60 : 40;

	value_unknown(v, bits, "it depends on the MTU of the way back to the source");
	if (meta_learned(r->t->nv, &src) || meta_learned(r->t->nv, &dst)) {
		v->why = "the namespace has learned something of the way to one of the addresses";
		return;
	}
	if (!mtu || !back)
		return;
	mtu = back < mtu ? back : mtu;
	value_uint(v, mtu <= headers || mtu > UINT16_MAX ? 536 /* TCP_MSS_DEFAULT */ : mtu - headers, bits);
}

/* nft_rt_get_eval(): of the route that the packet has; in prerouting it has none yet */
void rt_eval(struct run *r, const struct expr *x, struct value *v)
{
	struct addr dst = packet_addr(&r->pkt, true);
	bool v6 = x->rt_key == NFT_RT_NEXTHOP6;

	if (!r->routed) {
		value_absent(v, "the packet has no route yet");
		return;
	}
	switch (x->rt_key) {
	case NFT_RT_NEXTHOP4:
	case NFT_RT_NEXTHOP6:
		if (v6 != (r->pkt.family == NFPROTO_IPV6))
			value_absent(v, "the packet is of the other IP version");
		else if (r->via.family)
			value_bytes(v, r->via.b, addr_len(&r->via) * 8);
		else
			ct_addr(&dst, v6 ? 128 : 32, v);
		break;
	case NFT_RT_CLASSID: realm_eval(r, v); break;
	case NFT_RT_XFRM: ipsec_eval(r, v); break;
	case NFT_RT_TCPMSS: mss_eval(r, x->bits, v); break;
	default: value_unknown(v, x->bits, "it depends on the route's attributes"); break;
	}
}
