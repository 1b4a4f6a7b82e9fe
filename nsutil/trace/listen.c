/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listen - the sockets of a namespace by their port, for the one that takes a packet */
#include <netinet/in.h>
#include <stdlib.h>

#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

static int compare(const void *a, const void *b)
{
	const struct nv_socket *x = *(const struct nv_socket *const *)a, *y = *(const struct nv_socket *const *)b;

	if (x->lport != y->lport)
		return x->lport < y->lport ? -1 : 1;
	return x < y ? -1 : x > y; /* of one port as they were read */
}

int listen_prepare(struct tracer *t)
{
	const struct netview *nv = t->nv;

	t->looks_back = way_back_matters(nv);
	t->sockets = arena_array(t->arena, nv->n_sockets + 1u, sizeof(struct nv_socket *));
	if (!t->opt.linear) {
		t->said = arena_array(t->arena, nv->n_routes + 1u, sizeof(*t->said));
		t->routes = route_index_new(t->arena, nv);
	}
	if (!t->sockets || (!t->opt.linear && (!t->said || !t->routes)))
		return -1;
	for (unsigned i = 0; i < nv->n_sockets; i++)
		t->sockets[i] = &nv->sockets[i];
	qsort(t->sockets, nv->n_sockets, sizeof(struct nv_socket *), compare);
	return 0;
}

/* The sockets of a port, of which there are @ret_n. */
static const struct nv_socket *const *of_port(const struct tracer *t, int port, unsigned *ret_n)
{
	unsigned lo = 0, hi = t->nv->n_sockets, n = 0;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (t->sockets[mid]->lport < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + n < t->nv->n_sockets && t->sockets[lo + n]->lport == port)
		n++;
	*ret_n = n;
	return t->sockets + lo;
}

const struct nv_socket *listen_find(const struct tracer *t, const struct route_key *k)
{
	unsigned n;
	const struct nv_socket *const *sockets = of_port(t, k->dport, &n);

	return route_listener(sockets, n, k);
}

const struct nv_socket *listen_ends(const struct tracer *t, const struct route_key *k)
{
	unsigned n;
	const struct nv_socket *const *sockets = of_port(t, k->dport, &n);

	for (unsigned i = 0; i < n && k->sport > 0; i++) {
		const struct nv_socket *s = sockets[i];

		if (s->protocol == k->l4proto && !s->listening && s->rport == k->sport && addr_equal(&s->local, &k->dst) &&
		    addr_equal(&s->remote, &k->src))
			return s;
	}
	return NULL;
}

bool listen_shares(const struct tracer *t, const struct nv_socket *s)
{
	unsigned n;
	const struct nv_socket *const *sockets = of_port(t, s->lport, &n);

	for (unsigned i = 0; i < n; i++)
		if (sockets[i] != s && sockets[i]->protocol == s->protocol && addr_equal(&sockets[i]->local, &s->local))
			return true;
	return false;
}

/* __inet_lookup_established(): before listeners are looked for */
const struct nv_socket *listen_connected(const struct tracer *t, const struct route_key *k)
{
	return k->l4proto == IPPROTO_TCP ? listen_ends(t, k) : NULL;
}
