/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket - the socket that a packet belongs to, as nft's "socket" and xt's socket match ask (nft_socket.c, xt_socket.c) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "nsutil/ruleset/conns.h"
#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

/* A packet that was made here has its sender's socket, until loopback takes that away. */
static bool has_its_own(const struct run *r)
{
	return r->rq->path == TRACE_OUT && r->leg == 0;
}

static struct route_key key_of(const struct run *r, bool backwards)
{
	const struct known32 *iif = &r->pkt.meta[NFT_META_IIF];

	return (struct route_key){
		.dst = packet_addr(&r->pkt, !backwards), .dport = packet_port(&r->pkt, !backwards),
		.src = packet_addr(&r->pkt, backwards), .sport = packet_port(&r->pkt, backwards),
		.l4proto = r->pkt.l4proto, .iif = iif->k == UINT32_MAX ? (int)iif->v : 0,
	};
}

/* nf_sk_lookup_slow_v4(): an answer that nat will bring back is looked up as it will be then */
static void undo_nat(const struct run *r, struct route_key *k)
{
	const struct packet_ct *ct = &r->pkt.ct;

	if (ct->attach != CT_TRACKED || !ct->known || !ct->reply || !(ct->known->status & IPS_SRC_NAT_DONE))
		return;
	k->dst = ct->known->orig.src;
	k->dport = ct->known->orig.sport;
}

/* Return: why it cannot be told which socket it is; NULL when it can, or is none */
static const char *look_up(const struct run *r, const struct nv_socket **ret)
{
	struct route_key k = key_of(r, false);

	*ret = r->assigned;
	if (*ret)
		return NULL;
	/* extract_icmp4_fields(), extract_icmp6_fields(): only an error speaks of a packet, which may have a socket */
	if (r->pkt.l4proto == IPPROTO_ICMP || r->pkt.l4proto == IPPROTO_ICMPV6)
		return packet_may_be_error(&r->pkt) ? "a packet that an ICMP error speaks of is not given" : NULL;
	if (r->pkt.l4proto != IPPROTO_TCP && r->pkt.l4proto != IPPROTO_UDP)
		return NULL;
	if (r->t->nv->sockets_unread)
		return r->t->nv->sockets_unread;
	undo_nat(r, &k);
	if (!k.dst.family || k.dport < 0)
		return "the destination is not known";
	*ret = r->rq->first ? NULL : listen_connected(r->t, &k);
	if (*ret)
		return NULL;
	*ret = listen_find(r->t, &k);
	return NULL;
}

/* A request is as transparent as its listener, which with tproxy may be any: known where they all are alike. */
static enum tri request_is_transparent(const struct netview *nv)
{
	enum tri t = TRI_UNKNOWN;

	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->protocol != IPPROTO_TCP || !s->listening)
			continue;
		if (!s->details || (t != TRI_UNKNOWN && t != tri_of(s->transparent)))
			return TRI_UNKNOWN;
		t = tri_of(s->transparent);
	}
	return t;
}

enum tri socket_is_transparent(const struct run *r, const struct nv_socket *s, const char **ret_why)
{
	if (nv_socket_is_full(s)) {
		*ret_why = "the options of sockets could not be read";
		return s->details ? tri_of(s->transparent) : TRI_UNKNOWN;
	}
	*ret_why = "the kernel does not tell whether a socket that is half-open, or waits for its end, is transparent";
	return s->tcp_state == NV_TCP_SYN_RECV ? request_is_transparent(r->t->nv) : TRI_UNKNOWN;
}

static void transparent(const struct run *r, const struct nv_socket *s, struct value *v)
{
	const char *why;
	enum tri t = socket_is_transparent(r, s, &why);

	if (t == TRI_UNKNOWN)
		value_unknown(v, 8, why);
	else
		value_uint(v, t == TRI_TRUE, 8);
}

static void of_sender(const struct run *r, uint32_t key, unsigned level, struct value *v)
{
	struct route_key k = key_of(r, true);
	const struct nv_socket *s = r->t->nv->sockets_unread || r->rq->first ? NULL : listen_connected(r->t, &k);

	switch (key) {
	case NFT_SOCKET_MARK:
		value_uint(v, r->rq->has_mark ? r->rq->mark : 0, 32);
		return;
	case NFT_SOCKET_WILDCARD:
		if (r->pkt.l4proto == IPPROTO_TCP)
			value_uint(v, 0, 8); /* it has an address since it connects */
		else
			value_unknown(v, 8, "it is not given what the sender's socket is bound to");
		return;
	case NFT_SOCKET_TRANSPARENT:
		if (s)
			transparent(r, s, v);
		else
			value_unknown(v, 8, "it is not given whether the sender's socket is transparent");
		return;
	default: cgroup_of_sender(r, level, v);
	}
}

/* nft_socket_eval() leaves the rule, for xt_socket.c it is a socket that is bound */
static void of_half(const struct run *r, uint32_t key, const struct nv_socket *s, struct value *v)
{
	if (key == NFT_SOCKET_TRANSPARENT) {
		transparent(r, s, v);
	} else if (r->xt) {
		value_uint(v, 0, key == NFT_SOCKET_MARK ? 32 : 8);
	} else {
		value_absent(v, "the packet's socket is a half-open one, or waits for the end of its connection");
	}
}

bool socket_has_mark(const struct run *r)
{
	const struct nv_socket *s;

	return has_its_own(r) || look_up(r, &s) || !s || nv_socket_is_full(s);
}

void socket_eval(struct run *r, const struct expr *x, struct value *v)
{
	const struct nv_socket *s;
	const char *why;

	if (has_its_own(r)) {
		of_sender(r, x->socket.key, x->socket.level, v);
		return;
	}
	why = look_up(r, &s);
	if (why) {
		value_perhaps(v, x->bits, why);
		return;
	}
	if (!s) {
		value_absent(v, "the packet belongs to no socket of the namespace");
		return;
	}
	if (!nv_socket_is_full(s)) {
		of_half(r, x->socket.key, s, v);
		return;
	}
	switch (x->socket.key) {
	case NFT_SOCKET_TRANSPARENT: transparent(r, s, v); break;
	case NFT_SOCKET_WILDCARD: value_uint(v, addr_is_any(&s->local), 8); break;
	case NFT_SOCKET_MARK:
		value_uint(v, s->mark, 32);
		if (!s->details)
			value_unknown(v, 32, "the options of sockets could not be read");
		break;
	default: cgroup_of_socket(r, s, x->socket.level, v); break;
	}
}
