/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scene - all that is read of a target for tracing */
#include "commands/trace/scene.h"

#include <stdio.h>

#include "nsutil/dump/assume.h"
#include "nsutil/load.h"
#include "nsutil/netns/cgroups.h"
#include "nsutil/netns/conns.h"
#include "nsutil/netns/hookorder.h"
#include "nsutil/ruleset/cgroups.h"
#include "nsutil/ruleset/netview.h"

void scene_clear(struct scene *sc)
{
	trace_room_free(sc->room);
	texts_free(sc->texts);
	tracer_free(sc->tracer);
	conns_free(sc->conns);
	netview_free(sc->nv);
	netview_free(sc->assumed);
	ipset_list_free(sc->ipsets);
	ruleset_free(sc->rs);
}

/* Members that cannot be read are unknown, with the reason; the rest can be traced. */
static void read_ipsets(struct scene *sc)
{
	struct err why = ERR_INIT;

	if (load_ipsets(sc->target, sc->rs, &sc->ipsets, &why) < 0) {
		snprintf(sc->why_no_ipsets, sizeof(sc->why_no_ipsets), "%.70s: %.80s", why.what, why.why);
		sc->opt.ipsets_unread = sc->why_no_ipsets;
	}
	sc->opt.ipsets = sc->ipsets;
}

/* Where the kernel does not tell it, every order of equals is followed. */
static void read_order(struct scene *sc)
{
	struct hookorder order = { .rs = sc->rs, .arena = sc->rs->arena };

	if (sc->target->kind == TARGET_FILE || hookorder_read(&sc->target->netns, &order, NULL) < 0)
		return;
	sc->opt.order = order.chains;
	sc->opt.n_order = order.n;
}

int scene_make(struct target *t, const struct trace_options *opt, struct scene *sc, struct err *e)
{
	sc->target = t;
	sc->opt = *opt;
	if (load_ruleset(sc->target, LOAD_ALL, &sc->rs, e) < 0 ||
	    load_netview(sc->target, NETVIEW_ALL, &sc->nv, e) < 0 ||
	    load_cgroups(sc->target, sc->rs, sc->nv, e) < 0)
		return -1;
	read_ipsets(sc);
	read_order(sc);
	return sc->nv ? tracer_new(sc->rs, sc->nv, &sc->opt, &sc->tracer, e) : 0;
}

/* Of a file without links and routes: the connection itself says which address is the target's. */
static int assume(struct scene *sc, const struct trace_request *rq, struct err *e)
{
	struct assume_known known = { .iif = rq->iif, .oif = rq->oif };
	struct netview *nv;

	if (rq->path != TRACE_FORWARD)
		known.own = rq->path == TRACE_OUT ? rq->src : rq->dst;
	/* in a batch most are of one target */
	if (sc->assumed && !sc->named && !known.iif && !known.oif && addr_equal(&known.own, &sc->own))
		return 0;
	if (assume_netview(&known, &nv, e) < 0)
		return -1;
	sc->own = known.own;
	sc->named = known.iif || known.oif;
	tracer_free(sc->tracer);
	sc->tracer = NULL;
	netview_free(sc->assumed);
	sc->assumed = nv;
	return tracer_new(sc->rs, nv, &sc->opt, &sc->tracer, e);
}

/* Most connections that one asks for have no source port, and so are new; the entries are read for the first that may
 * be there. Where they cannot be read, none is known. */
static int know_conns(struct scene *sc, const struct trace_request *rq, struct err *e)
{
	if (sc->asked_conns || !sc->nv || !trace_may_be_tracked(rq))
		return 0;
	sc->asked_conns = true;
	if (load_conns(sc->target, &sc->conns, NULL) < 0)
		return 0;
	if (conn_list_index(sc->conns) < 0)
		return err_oom(e);
	tracer_know(sc->tracer, sc->conns);
	return 0;
}

/* A control group that is named is looked for; of a file the path alone is known, or what its sockets had. */
static int name_cgroup(struct scene *sc, const struct trace_request *rq, struct err *e)
{
	uint64_t id;

	if (!rq->cgroup_path || sc->target->kind == TARGET_FILE ||
	    nv_cgroup_walk(sc->nv, rq->cgroup_path, cgroup_level(rq->cgroup_path), &id) == 1)
		return 0;
	return nv_name_cgroup(sc->nv, rq->cgroup_path, e);
}

int scene_trace(struct scene *sc, const struct trace_request *rq, struct trace_result **ret, struct err *e)
{
	if ((!sc->nv && assume(sc, rq, e) < 0) || know_conns(sc, rq, e) < 0 || name_cgroup(sc, rq, e) < 0)
		return -1;
	return sc->room ? trace_run_in(sc->tracer, sc->room, rq, ret, e) : trace_run(sc->tracer, rq, ret, e);
}

void scene_put_assumed(const struct scene *sc, struct out *o)
{
	out_array(o, "assumed");
	if (!sc->nv) {
		out_style(o, STYLE_WARN);
		out_text(o, "! the file holds rules only; assumed:");
		for (unsigned i = 0; assume_says[i]; i++) {
			out_text(o, i ? "; " : " ");
			out_str(o, NULL, "%s", assume_says[i]);
		}
		out_style(o, STYLE_PLAIN);
		out_nl(o);
	}
	out_array_end(o);
}
