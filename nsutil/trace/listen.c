/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listen - the sockets of a namespace by their port, for the one that takes a packet */
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

	t->sockets = arena_array(t->arena, nv->n_sockets + 1u, sizeof(struct nv_socket *));
	if (!t->sockets)
		return -1;
	for (unsigned i = 0; i < nv->n_sockets; i++)
		t->sockets[i] = &nv->sockets[i];
	qsort(t->sockets, nv->n_sockets, sizeof(struct nv_socket *), compare);
	return 0;
}

const struct nv_socket *listen_find(const struct tracer *t, const struct route_key *k)
{
	unsigned lo = 0, hi = t->nv->n_sockets, n = 0;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (t->sockets[mid]->lport < k->dport)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + n < t->nv->n_sockets && t->sockets[lo + n]->lport == k->dport)
		n++;
	return route_listener(t->sockets + lo, n, k);
}
