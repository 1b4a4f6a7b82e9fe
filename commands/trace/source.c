/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source - connections from conntrack and from sockets */
#include "commands/trace/source.h"

#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/load.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/netns/conns.h"

enum { ESTABLISHED = 1, SYN_SENT = 2 }; /* include/net/tcp_states.h */

/* Two ends of a protocol, as one side names them; comparable byte by byte. */
struct key {
	struct addr a, b;
	uint16_t a_port, b_port;
	uint8_t protocol;
};

struct entry {
	struct key key;
	const void *what;
};

struct index {
	struct entry *entries;
	unsigned n;
};

static void index_clear(struct index *x)
{
	free(x->entries);
}

/* Sockets for IPv6 hold IPv4 addresses mapped. */
static struct addr unmapped(const struct addr *a)
{
	struct addr own = *a;

	addr_unmap(&own);
	return own;
}

static struct key key_of(uint8_t protocol, const struct addr *a, uint16_t a_port, const struct addr *b, uint16_t b_port)
{
	struct key k;

	memset(&k, 0, sizeof(k));
	k.a = unmapped(a);
	k.b = unmapped(b);
	k.a_port = a_port;
	k.b_port = b_port;
	k.protocol = protocol;
	return k;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static const void *look_up(const struct index *x, const struct key *k)
{
	struct entry wanted = { .key = *k };
	const struct entry *hit;

	memset(&wanted, 0, sizeof(wanted));
	memcpy(&wanted.key, k, sizeof(*k));
	hit = x->n ? bsearch(&wanted, x->entries, x->n, sizeof(*x->entries), compare) : NULL;
	return hit ? hit->what : NULL;
}

/* Connected sockets by their own end and the other one. */
static int index_sockets(const struct netview *nv, struct index *x, struct err *e)
{
	x->entries = calloc(nv->n_sockets + 1u, sizeof(*x->entries));
	if (!x->entries)
		return err_oom(e);
	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->listening || !s->rport)
			continue;
		x->entries[x->n].key = key_of(s->protocol, &s->local, s->lport, &s->remote, s->rport);
		x->entries[x->n++].what = s;
	}
	qsort(x->entries, x->n, sizeof(*x->entries), compare);
	return 0;
}

/* Conntrack's entries by the answering end and the one answered: as a socket that was connected to sees them; or by the
 * end that began and where it meant to go: as the other socket does. */
static int index_conns(const struct conn_list *cl, bool replies, struct index *x, struct err *e)
{
	x->entries = calloc(cl->n + 1u, sizeof(*x->entries));
	if (!x->entries)
		return err_oom(e);
	for (unsigned i = 0; i < cl->n; i++) {
		const struct conn *c = &cl->conns[i];

		const struct conn_tuple *tuple = replies ? &c->reply : &c->orig;

		x->entries[x->n].key = key_of(c->protocol, &tuple->src, tuple->sport, &tuple->dst, tuple->dport);
		x->entries[x->n++].what = c;
	}
	qsort(x->entries, x->n, sizeof(*x->entries), compare);
	return 0;
}

/* As rules number them: they mean users of the user namespace that the network namespace belongs to. */
static void owner(const struct netview *nv, const struct nv_socket *s, struct trace_request *rq)
{
	rq->has_uid = true;
	rq->uid = nv_id_inside(&nv->uids, s->uid);
	rq->has_gid = s->has_gid;
	rq->gid = nv_id_inside(&nv->gids, s->gid);
	rq->has_mark = s->details && s->mark;
	rq->mark = s->mark;
	rq->cgroup_id = s->cgroup;
}

static void addresses(const struct addr *src, const struct addr *dst, struct trace_request *rq)
{
	rq->src = unmapped(src);
	rq->dst = unmapped(dst);
	rq->family = rq->dst.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

/* ---- conntrack ---- */

static void conn_request(const struct conn *c, const struct netview *nv, const struct index *sockets,
			 struct trace_request *rq)
{
	struct key k = key_of(c->protocol, &c->orig.src, c->orig.sport, &c->orig.dst, c->orig.dport);
	const struct nv_socket *s = look_up(sockets, &k);

	*rq = (struct trace_request)TRACE_REQUEST_INIT;
	addresses(&c->orig.src, &c->orig.dst, rq);
	rq->first = true;
	rq->l4proto = c->protocol;
	if (has_ports(c->protocol)) {
		rq->sport = c->orig.sport;
		rq->dport = c->orig.dport;
	} else if (c->protocol == IPPROTO_ICMP || c->protocol == IPPROTO_ICMPV6) {
		rq->icmp_type = c->icmp_type;
		rq->icmp_code = c->icmp_code;
		rq->icmp_id = c->icmp_id;
	}
	if (nv_addr_is_local(nv, &rq->src))
		rq->path = TRACE_OUT;
	else
		rq->path = nv_addr_is_local(nv, &rq->dst) || nv_addr_is_local(nv, &c->reply.src) ? TRACE_IN : TRACE_FORWARD;
	if (rq->path == TRACE_OUT && s)
		owner(nv, s, rq);
}

int source_conns(const struct target *t, const struct netview *nv, source_fn *fn, void *ctx, struct err *e)
{
	__attribute__((cleanup(index_clear))) struct index sockets = { 0 };
	struct conn_list *cl;
	int ret = 0;

	if (load_conns(t, &cl, e) < 0)
		return -1;
	if (index_sockets(nv, &sockets, e) < 0)
		ret = -1;
	for (unsigned i = 0; i < cl->n && ret == 0; i++) {
		struct trace_request rq;

		conn_request(&cl->conns[i], nv, &sockets, &rq);
		ret = fn(ctx, &rq, e);
	}
	conns_free(cl);
	return ret < 0 ? -1 : 0;
}

/* ---- sockets ---- */

/* Which ports somebody listens at; a connected socket with one of them was connected to. */
struct ports {
	uint8_t tcp[8192], udp[8192];
};

static void find_ports(const struct netview *nv, struct ports *p)
{
	memset(p, 0, sizeof(*p));
	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->listening)
			(s->protocol == IPPROTO_TCP ? p->tcp : p->udp)[s->lport / 8] |= (uint8_t)(1u << s->lport % 8);
	}
}

static bool was_connected_to(const struct ports *p, const struct nv_socket *s)
{
	return (s->protocol == IPPROTO_TCP ? p->tcp : p->udp)[s->lport / 8] >> s->lport % 8 & 1;
}

/* What is known of the namespace's connections. */
struct known {
	struct ports ports;
	struct index sockets, replies, originals;
};

static void known_clear(struct known **k)
{
	if (*k) {
		index_clear(&(*k)->sockets);
		index_clear(&(*k)->replies);
		index_clear(&(*k)->originals);
	}
	free(*k);
}

static bool replied(const struct conn *c)
{
	return c && c->status & IPS_SEEN_REPLY;
}

/* An entry that saw both directions knows who began; else the port tells */
static bool began_here(const struct known *k, const struct nv_socket *s, const struct key *key)
{
	if (s->tcp_state == SYN_SENT)
		return true;
	if (replied(look_up(&k->replies, key)) != replied(look_up(&k->originals, key)))
		return replied(look_up(&k->originals, key));
	return !was_connected_to(&k->ports, s);
}

/* Return: false when another socket tells of the same connection, or there is none */
static bool socket_request(const struct netview *nv, const struct nv_socket *s, const struct known *known, struct trace_request *rq)
{
	struct key k = key_of(s->protocol, &s->local, s->lport, &s->remote, s->rport);
	struct key back = key_of(s->protocol, &s->remote, s->rport, &s->local, s->lport);
	const struct conn *c = look_up(&known->replies, &k);

	if (s->listening || !s->rport || (s->tcp_state != ESTABLISHED && s->tcp_state != SYN_SENT))
		return false;
	*rq = (struct trace_request)TRACE_REQUEST_INIT;
	rq->l4proto = s->protocol;
	rq->first = true;
	if (began_here(known, s, &k)) {
		addresses(&s->local, &s->remote, rq);
		rq->path = TRACE_OUT;
		rq->sport = s->lport;
		rq->dport = s->rport;
		owner(nv, s, rq);
		return true;
	}
	if (c)
		back = key_of(c->protocol, &c->orig.src, c->orig.sport, &c->orig.dst, c->orig.dport);
	if (look_up(&known->sockets, &back))
		return false;
	addresses(&back.a, &back.b, rq);
	rq->path = TRACE_IN;
	rq->sport = back.a_port;
	rq->dport = back.b_port;
	return true;
}

int source_sockets(const struct target *t, const struct netview *nv, source_fn *fn, void *ctx, struct err *e)
{
	__attribute__((cleanup(known_clear))) struct known *known = calloc(1, sizeof(*known));
	struct conn_list *cl = NULL;
	int ret = 0;

	if (nv->sockets_unread)
		return err_set(e, ERR_SYS, "sockets", "%s", nv->sockets_unread);
	if (!known)
		return err_oom(e);
	find_ports(nv, &known->ports);
	/* without conntrack, the destination is the one behind nat: the best there is */
	if (load_conns(t, &cl, NULL) == 0 &&
	    (index_conns(cl, true, &known->replies, e) < 0 || index_conns(cl, false, &known->originals, e) < 0))
		ret = -1;
	if (ret == 0)
		ret = index_sockets(nv, &known->sockets, e);
	for (unsigned i = 0; i < nv->n_sockets && ret == 0; i++) {
		struct trace_request rq;

		if (socket_request(nv, &nv->sockets[i], known, &rq))
			ret = fn(ctx, &rq, e);
	}
	conns_free(cl);
	return ret < 0 ? -1 : 0;
}
