/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify - a connection through the kernel in a scratch namespace, compared with what the evaluator said */
#include "nsutil/live/verify.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/packet.h"
#include "nsutil/trace/connection.h"

enum { PORTS_FROM = 40000, PORTS = 20000 };

/* Once they agree, there is nothing to wait for. */
static bool agrees(void *arg, const struct probe_result *r)
{
	struct verify *v = arg;

	v->end = probe_end(r);
	live_compare(r->steps, r->n, &v->end, v->shown, v->ran, v->expected, &v->comparison);
	return v->comparison.judgement == LIVE_AGREES && (r->n || r->error || r->end != PROBE_ENDED_NOT);
}

static bool has_ingress(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (c->base && c->n_devices)
				return true;
	return false;
}

/* Somebody must have sent it: the next hop of a route through the link. */
static struct addr neighbour(const struct netview *nv, const char *link, uint8_t family)
{
	const struct nv_link *l = link ? nv_link_by_name(nv, link) : NULL;

	for (unsigned i = 0; l && i < nv->n_routes; i++)
		for (unsigned h = 0; h < nv->routes[i].n_hops; h++)
			if (nv->routes[i].hops[h].oif == l->index && nv->routes[i].hops[h].via.family == family)
				return nv->routes[i].hops[h].via;
	return (struct addr){ .family = 0 };
}

/* What is open is chosen: the packet that is sent has some user, mark and port. */
static struct trace_request choose(const struct scratch_source *src, const struct trace_result *res, const char *iif)
{
	struct trace_request rq = res->request;

	if (rq.path != TRACE_OUT && !rq.src.family)
		rq.src = neighbour(src->nv, iif, rq.family == NFPROTO_IPV6 ? AF_INET6 : AF_INET);
	if (rq.path == TRACE_OUT) {
		rq.has_uid = rq.has_gid = rq.has_mark = true;
		rq.uid = res->request.has_uid ? rq.uid : 0;
		rq.gid = res->request.has_gid ? rq.gid : 0;
		rq.mark = res->request.has_mark ? rq.mark : 0;
	}
	if (connection_has_ports(rq.l4proto) && rq.sport < 0)
		rq.sport = PORTS_FROM + (int)((unsigned)getpid() * 7919u % PORTS);
	live_choose_fragment(&rq, (uint32_t)getpid() * 7919u);
	return rq;
}

static bool newer(const struct chain *a, const struct chain *b)
{
	if ((a->table->store == STORE_LEGACY) != (b->table->store == STORE_LEGACY))
		return b->table->store == STORE_LEGACY;
	if (a->table->handle != b->table->handle)
		return a->table->handle > b->table->handle;
	return a->handle > b->handle;
}

/* The order in which the copy's chains run where it is not known of the target: as scratch_new() makes them. */
static int copy_order(struct verify *v, const struct scratch_source *src, unsigned *ret_n, struct err *e)
{
	unsigned n = 0;

	for (const struct table *t = src->rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			n += c->base;
	v->order = calloc(n ? n : 1, sizeof(*v->order));
	if (!v->order)
		return err_oom(e);
	n = 0;
	for (const struct table *t = src->rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next) {
			unsigned i = n;

			if (!c->base)
				continue;
			for (n++; i > 0 && newer(c, v->order[i - 1]); i--)
				v->order[i] = v->order[i - 1];
			v->order[i] = c;
		}
	*ret_n = n;
	return 0;
}

static int ask_again(struct verify *v, const struct scratch_source *src, const struct trace_request *rq, struct err *e)
{
	struct trace_options opt = { .all = true, .order = src->order, .n_order = src->n_order, .ipsets = src->ipsets,
				     .ipsets_unread = src->ipsets_unread };

	if (!src->n_order) {
		if (copy_order(v, src, &opt.n_order, e) < 0)
			return -1;
		opt.order = v->order;
	}
	return tracer_new(src->rs, src->nv, &opt, &v->tracer, e) < 0 ? -1 : trace_run(v->tracer, rq, &v->expected, e);
}

/* In the copy a bridge's port stands alone, and the frame must be for itself. */
static void make_receivable(const struct netview *nv, const char *iif, struct trace_request *rq)
{
	const struct nv_link *l = iif ? nv_link_by_name(nv, iif) : NULL, *master = l ? nv_link_by_index(nv, l->master) : NULL;

	if (master && rq->has_dmac && memcmp(rq->dmac, master->mac, sizeof(rq->dmac)) == 0)
		memcpy(rq->dmac, l->mac, sizeof(rq->dmac));
}

static int run(struct verify *v, const struct scratch_source *src, const struct trace_result *res, struct err *e)
{
	const char *iif = res->request.path == TRACE_OUT ? NULL : res->n_legs ? res->legs[0].iif : res->request.iif;
	struct trace_request rq = choose(src, res, iif);
	struct probe *p = NULL;
	int r;

	if (ask_again(v, src, &rq, e) < 0 || scratch_new(src, &v->scratch, e) < 0 ||
	    scratch_load(v->scratch, &v->ran, e) < 0 ||
	    probe_open(v->scratch, ruleset_has(v->ran, STORE_LEGACY), has_ingress(src->rs), &p, e) < 0)
		return -1;
	make_receivable(src->nv, iif, &rq);
	r = probe_send(p, &rq, iif, v->expected->gathers, agrees, v, &v->probe, e);
	probe_close(p);
	if (r == 0) {
		agrees(v, v->probe);
		v->outcome = live_outcome(res, &v->end);
	}
	return r;
}

int verify_run(const struct scratch_source *src, const struct trace_result *res, struct verify **ret, struct err *e)
{
	struct verify *v = calloc(1, sizeof(*v));

	if (!v)
		return err_oom(e);
	v->shown = src->rs;
	if (run(v, src, res, e) < 0) {
		verify_free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	probe_result_free(v->probe);
	trace_result_free(v->expected);
	tracer_free(v->tracer);
	free(v->order);
	ruleset_free(v->ran);
	scratch_free(v->scratch);
	free(v);
}
