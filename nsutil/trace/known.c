/* SPDX-License-Identifier: GPL-2.0-or-later */
/* known - connections that are tracked already: their state, and how their packets are rewritten */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter/nf_conntrack_common.h>
#include <net/if.h>
#include <string.h>

#include "nsutil/ruleset/conns.h"
#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

static bool is_icmp(uint8_t l4proto)
{
	return l4proto == IPPROTO_ICMP || l4proto == IPPROTO_ICMPV6;
}

void tracer_know(struct tracer *t, const struct conn_list *conns)
{
	t->conns = conns && conns->n ? conns : NULL;
}

bool trace_may_be_tracked(const struct trace_request *rq)
{
	if (!rq->src.family || !rq->dst.family)
		return false;
	if (is_icmp(rq->l4proto))
		return rq->icmp_id >= 0;
	switch (rq->l4proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP: return rq->sport >= 0 && rq->dport >= 0;
	default: return true;
	}
}

static uint8_t af(const struct packet *p)
{
	return p->family == 10 /* NFPROTO_IPV6 */ ? AF_INET6 : AF_INET;
}

/* nf_ct_get_tuple(); Return: false when something of it is not known */
static bool packet_key(const struct packet *p, struct conn_key *k)
{
	int sport, dport;

	*k = (struct conn_key){ af(p), p->l4proto, { packet_addr(p, false), packet_addr(p, true), 0, 0 } };
	if (p->fragment || !k->t.src.family || !k->t.dst.family)
		return false;
	if (is_icmp(p->l4proto)) {
		const uint8_t *b = p->bytes + p->th;

		if ((p->known[p->th] & p->known[p->th + 1u] & p->known[p->th + 4u] & p->known[p->th + 5u]) != 0xff)
			return false;
		conn_icmp_key(k, (uint16_t)(b[4] << 8 | b[5]), b[0], b[1]);
		return true;
	}
	if (!packet_has_ports(p))
		return true;
	sport = packet_port(p, false);
	dport = packet_port(p, true);
	k->t.sport = (uint16_t)sport;
	k->t.dport = (uint16_t)dport;
	return sport >= 0 && dport >= 0;
}

static bool state_is(const struct conn *c, const char *name)
{
	return c->state && strcmp(c->state, name) == 0;
}

/* tcp_conntracks[]: a SYN of a connection that is over begins another one in its place */
static bool begins_anew(const struct packet *p, const struct conn *c, bool reply)
{
	unsigned at = p->th + 13u;

	return p->l4proto == IPPROTO_TCP && !reply && (p->known[at] & (FIN | SYN | RST | ACK)) == (FIN | SYN | RST | ACK) &&
	       (p->bytes[at] & (FIN | SYN | RST | ACK)) == SYN && (state_is(c, "TIME_WAIT") || state_is(c, "CLOSE"));
}

/* tcp_conntracks[]: before the other side has answered, its own side may say SYN again, or RST */
static bool is_invalid(const struct packet *p, const struct conn *c, bool reply)
{
	unsigned at = p->th + 13u, flags = p->bytes[at] & (FIN | SYN | RST | ACK);

	return p->l4proto == IPPROTO_TCP && !reply && state_is(c, "SYN_SENT") &&
	       (p->known[at] & (FIN | SYN | RST | ACK)) == (FIN | SYN | RST | ACK) && flags != SYN && !(flags & RST);
}

/* tcp_in_window(): of a connection that was reset, few sequence numbers still are valid */
static bool counts_behind_reset(struct run *r, const struct conn *c)
{
	return c->protocol != IPPROTO_TCP || !state_is(c, "CLOSE") ||
	       run_decide(r, 2, NULL, "the packet counts as one of its connection, which was reset",
			  "sequence numbers are not given") == 0;
}

/* What was said of the packet makes it a first one, or one that is not tracked. */
static bool said_otherwise(const struct trace_request *rq)
{
	return rq->first || (rq->ct_state && !(rq->ct_state & (TRACE_CT_ESTABLISHED | TRACE_CT_RELATED)));
}

void known_flags(const struct tracer *t, const struct trace_request *rq, struct packet *p)
{
	const struct conn *c;
	struct conn_key k;
	bool reply;

	if (!t->conns || rq->l4proto != IPPROTO_TCP || rq->tcp_flags >= 0 || said_otherwise(rq) || !packet_key(p, &k))
		return;
	c = conn_list_find(t->conns, &k, NULL, &reply);
	if (!c)
		return;
	if (state_is(c, "SYN_SENT") && !(c->status & IPS_SEEN_REPLY))
		packet_set_u8(p, 13, reply ? SYN | ACK : SYN, 0xff);
	else
		packet_set_u8(p, 13, ACK, FIN | SYN | RST | ACK);
}

/* The zone that rules gave the packet decides among entries that are alike. */
static const struct conn *find(struct run *r, bool *reply)
{
	const struct known32 *zone = &r->pkt.ct.zone;
	bool known = !zone->k || (zone->k & UINT16_MAX) == UINT16_MAX; /* 0: no rule chose one */
	uint16_t zones[] = { packet_zone_id(&r->pkt.ct, 0), packet_zone_id(&r->pkt.ct, 1) };
	const struct conn *c;
	struct conn_key k;

	if (!packet_key(&r->pkt, &k))
		return NULL;
	c = conn_list_find(r->t->conns, &k, known ? zones : NULL, reply);
	if (c && !known && run_decide(r, 2, NULL, "the packet is in the zone of the connection that is tracked",
				      "the zone is not known") != 0)
		return NULL;
	return c;
}

/* resolve_normal_ct() */
static uint32_t state_of(const struct conn *c, bool reply)
{
	if (reply || c->status & IPS_SEEN_REPLY)
		return TRACE_CT_ESTABLISHED;
	return c->status & IPS_EXPECTED ? TRACE_CT_RELATED : TRACE_CT_NEW;
}

static struct known32 sure(uint32_t v)
{
	return (struct known32){ .v = v, .k = UINT32_MAX };
}

/* The packet itself may make the connection an assured one: nf_conntrack_tcp_packet(), nf_conntrack_udp_packet() */
static struct known32 status_of(const struct conn *c, bool reply)
{
	struct known32 s = sure(c->status | (reply ? IPS_SEEN_REPLY : 0));
	bool may = s.v & IPS_SEEN_REPLY && !is_icmp(c->protocol) && !state_is(c, "SYN_SENT");

	if (may && !(s.v & IPS_ASSURED))
		s.k &= ~(uint32_t)IPS_ASSURED;
	return s;
}

static void attach(struct run *r, const struct conn *c, bool reply)
{
	struct conn_key orig = conn_key_of(c, false), back = conn_key_of(c, true);
	struct packet_ct *ct = &r->pkt.ct;

	r->pkt.version++;
	ct->attach = CT_TRACKED;
	ct->template = false;
	ct->known = c;
	ct->reply = reply;
	ct->state = state_of(c, reply);
	ct->status = status_of(c, reply);
	if (!ct->mark.k)
		ct->mark = sure(c->mark);
	ct->zone = sure(c->zone ? c->zone : c->reply_zone);
	ct->zone_dir = c->zone == c->reply_zone ? -1 : c->zone ? 0 : 1;
	for (unsigned i = 0; i < sizeof(ct->labels); i++)
		ct->labels[i] = c->labels[sizeof(ct->labels) - 1 - i];
	ct->l4proto = c->protocol;
	ct->saddr = c->orig.src;
	ct->daddr = c->orig.dst;
	ct->sport = sure(orig.t.sport);
	ct->dport = sure(orig.t.dport);
	ct->reply_saddr = c->reply.src;
	ct->reply_daddr = c->reply.dst;
	ct->reply_sport = sure(back.t.sport);
	ct->reply_dport = sure(back.t.dport);
}

enum known known_take(struct run *r)
{
	const struct conn *c;
	bool reply = false;

	if (!r->t->conns || r->rehearsal)
		return KNOWN_NOT;
	c = find(r, &reply);
	if (!c || begins_anew(&r->pkt, c, reply))
		return KNOWN_NOT;
	r->out.conn = c;
	r->out.reply = reply;
	if (said_otherwise(r->rq))
		return KNOWN_NOT;
	if (is_invalid(&r->pkt, c, reply) || !counts_behind_reset(r, c))
		return KNOWN_INVALID;
	r->out.conn_used = true;
	attach(r, c, reply);
	if (c->status & IPS_OFFLOAD)
		run_end(r, TRACE_UNKNOWN, "a flowtable forwards this connection's packets without a look at the rules");
	return KNOWN_TAKEN;
}

/* __nf_conntrack_confirm(): nobody else may have the tuple that the answers are told by */
void known_confirm(struct run *r)
{
	const struct packet_ct *ct = &r->pkt.ct;
	struct conn_key k = { af(&r->pkt), ct->l4proto, { ct->reply_saddr, ct->reply_daddr, (uint16_t)ct->reply_sport.v, (uint16_t)ct->reply_dport.v } };
	uint16_t zones[] = { packet_zone_id(ct, 0), packet_zone_id(ct, 1) };
	bool reply;

	/* not where the packet was said to be a first one: then it is its own connection that is found */
	if (!r->t->conns || r->rq->first || r->out.conn || r->rehearsal || ct->attach != CT_TRACKED || ct->known || !(ct->state & TRACE_CT_NEW) ||
	    is_icmp(ct->l4proto) || !k.t.src.family || !k.t.dst.family ||
	    (packet_has_ports(&r->pkt) && (ct->reply_sport.k & ct->reply_dport.k) != UINT32_MAX))
		return;
	if (conn_list_find(r->t->conns, &k, zones, &reply))
		run_end(r, TRACE_UNKNOWN, "another connection expects the same answers: it is dropped, or gets another source port");
}

/* Only what is for an address of one's own leaves by lo. */
static bool never_left_by(const struct run *r, int ifindex)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, ifindex);

	return l && l->flags & IFF_LOOPBACK && !nv_addr_is_local(r->t->nv, &r->pkt.ct.known->reply.src);
}

/* A connection whose source was the address already has no SRC_NAT (nf_nat_setup_info): may it have left there, and masqueraded? By
 * the rules and routes as they are now. */
static bool may_have_left_by(struct run *r, int ifindex)
{
	struct route_key k = { .dst = packet_addr(&r->pkt, true), .sport = -1, .dport = -1, .index = r->t->routes };

	if (r->pkt.ct.known->status & IPS_SRC_NAT)
		return true;
	return (r->pkt.ct.known->status & IPS_SRC_NAT_DONE) && r->t->masquerades[run_v6(r)] &&
	       (route_leads(r->t->nv, &k, ifindex) || hooks_would_masquerade(r, ifindex));
}

/* Is the address that masks the connection that of another interface, as far as it is one's own? */
static bool masked_elsewhere(struct run *r)
{
	const struct netview *nv = r->t->nv;
	const struct nv_addr *at = NULL;

	for (unsigned i = 0; i < nv->n_addrs; i++) {
		const struct nv_addr *a = &nv->addrs[i];

		if (!addr_equal(&a->addr, &r->pkt.ct.known->reply.dst) || never_left_by(r, a->ifindex))
			continue;
		if (a->ifindex == r->dev)
			return false;
		at = a;
	}
	return at && may_have_left_by(r, at->ifindex);
}

/* nf_nat_oif_changed(); that a connection is masqueraded, and where it left, is told by nobody */
bool known_leaves(struct run *r)
{
	if (r->pkt.ct.reply || !masked_elsewhere(r))
		return true;
	if (run_decide(r, 2, NULL, "the connection left through this interface, or is not masqueraded",
		       "connection tracking does not tell") == 0)
		return true;
	run_end(r, TRACE_DROP, "masqueraded for another interface than the one it leaves through now: dropped by the kernel");
	return false;
}

/* The packet becomes what the answers of the other direction are made for. */
void known_rewrite(struct run *r, bool dst)
{
	const struct packet_ct *ct = &r->pkt.ct;
	const struct conn_tuple *other = ct->reply ? &ct->known->orig : &ct->known->reply;
	bool bit = dst != ct->reply; /* destinations of the original direction are sources of the replies */

	if (!(ct->known->status & (bit ? IPS_DST_NAT : IPS_SRC_NAT)))
		return;
	packet_set_addr(&r->pkt, dst, dst ? &other->src : &other->dst);
	if (packet_has_ports(&r->pkt))
		packet_set_port(&r->pkt, dst, dst ? other->sport : other->dport, UINT16_MAX);
	else if (is_icmp(r->pkt.l4proto)) /* icmp_manip_pkt() */
		packet_set_icmp_id(&r->pkt, ct->reply ? ct->known->icmp_id : ct->known->icmp_reply_id, UINT16_MAX);
}
