/* SPDX-License-Identifier: GPL-2.0-or-later */
/* onward - where a connection goes on when it has left its namespace, or has come to a proxy
 *
 * A trace ends at a socket or at an interface. Behind a redirect or tproxy sits a proxy, which makes a connection
 * of its own: outbound to the same destination, inbound to the application, from 127.0.0.6 or ::6 so that it is
 * not captured again. Behind a pod's veth lies the node, and behind the node's interfaces lie other pods. Each
 * such leg is a trace of its own; an outcome has at most one that follows it.
 */
#include "commands/trace/onward.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/pod/common.h"
#include "commands/trace/report.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/netns/netns.h"
#include "nsutil/pod/across.h"
#include "nsutil/ruleset/conns.h"
#include "nsutil/trace/route.h"

#define STAGES 16	/* legs of one connection */
#define PLACES 64	/* namespaces kept at a time */
#define PROXY_ID 1337	/* uid and gid of Istio's proxy, where the listener's are not known */

struct place {
	struct target *target;	/* owned */
	struct scene scene;
};

/* Which pod is behind an interface of the node; NULL when none is. Stages point into it. */
struct way_in {
	struct way_in *next;
	char oif[16], iif[16];
	struct addr dst;
	struct scene *scene;
};

struct onward {
	struct session *s;
	struct scene *own, *node; /* node: NULL until asked for, or own */
	bool proxies, nodes;
	struct trace_options asked; /* as the target's, without what belongs to it */
	struct err no_node;	/* why the node's namespace cannot be read */
	struct place *places[PLACES];
	unsigned n_places;
	struct way_in *ways;
};

struct stage {
	struct trace_result *res;
	struct scene *scene;
	const char *through;	/* NULL: the first; "proxy", "node", "pod" */
	const struct nv_socket *by; /* proxy: its listener, NULL when not known */
	const char *iif;	/* node, pod: where it comes in */
	unsigned of, outcome;	/* which it follows */
};

struct stop {
	unsigned of, outcome;
	char why[200];
};

/* The journey of one connection. */
struct trip {
	struct onward *w;
	struct stage stages[STAGES];
	unsigned n;
	struct stop stops[STAGES * 2];
	unsigned n_stops;
};

static void stop_at(struct trip *t, unsigned of, unsigned outcome, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void stop_at(struct trip *t, unsigned of, unsigned outcome, const char *fmt, ...)
{
	struct stop *s = &t->stops[t->n_stops];
	va_list ap;

	if (t->n_stops == ARRAY_SIZE(t->stops))
		return;
	t->n_stops++;
	s->of = of;
	s->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
}

/* ---- namespaces ---- */

/* Take a target and read it; it is given back in any case when that fails. */
static struct scene *place_add(struct onward *w, struct target *t, struct err *e)
{
	struct place *p = NULL;

	for (unsigned i = 0; i < w->n_places; i++)
		if (w->places[i]->target->netns.inode == t->netns.inode) {
			target_free(t);
			return &w->places[i]->scene;
		}
	if (w->n_places == PLACES)
		err_set(e, ERR_SYS, "trace", "more than %d namespaces", PLACES);
	else
		p = calloc(1, sizeof(*p));
	if (!p) {
		target_free(t);
		return NULL;
	}
	p->target = t;
	if (scene_make(t, &w->asked, &p->scene, e) < 0) {
		scene_clear(&p->scene);
		target_free(t);
		free(p);
		return NULL;
	}
	w->places[w->n_places++] = p;
	return &p->scene;
}

static struct scene *node_of(struct onward *w)
{
	struct target *t;

	if (w->node || w->no_node.code)
		return w->node;
	if (session_open_target(w->s, "host", &t, &w->no_node) < 0)
		return NULL;
	if (t->netns.inode == w->own->target->netns.inode) {
		target_free(t);
		w->node = w->own;
	} else {
		w->node = place_add(w, t, &w->no_node);
	}
	return w->node;
}

/* Asked once for an interface and an address: listing the pods takes a while. */
static const struct way_in *pod_behind(struct onward *w, const char *oif, const struct addr *dst, struct err *e)
{
	struct pod_options opt = pod_options_of(w->s);
	struct way_in *kept, here = { .next = w->ways, .dst = *dst };
	struct target *t = NULL;

	for (const struct way_in *way = w->ways; way; way = way->next)
		if (strcmp(way->oif, oif) == 0 && addr_equal(&way->dst, dst))
			return way;
	snprintf(here.oif, sizeof(here.oif), "%s", oif);
	if (across_to_pod(&w->node->target->netns, w->node->nv, oif, dst, &opt, &t, here.iif, e) < 0)
		return NULL;
	if (t && t->netns.inode == w->own->target->netns.inode) {
		here.scene = w->own;
		target_free(t);
	} else if (t) {
		here.scene = place_add(w, t, e);
		if (!here.scene)
			return NULL;
	}
	kept = malloc(sizeof(*kept));
	if (!kept) {
		err_oom(e);
		return NULL;
	}
	*kept = here;
	w->ways = kept;
	return kept;
}

/* ---- the next leg ---- */

/* What the packet is when it goes on: as it ended, of the same kind. */
static struct trace_request carried(const struct trace_request *was, const struct trace_outcome *u)
{
	struct trace_request rq = TRACE_REQUEST_INIT;

	rq.family = was->family;
	rq.l4proto = was->l4proto;
	rq.src = u->src;
	rq.dst = u->dst;
	rq.sport = u->sport;
	rq.dport = u->dport;
	rq.icmp_type = was->icmp_type;
	rq.icmp_id = was->icmp_id;
	rq.first = was->first;
	rq.icmp_code = was->icmp_code;
	rq.tcp_flags = was->tcp_flags;
	rq.length = was->length;
	rq.path = TRACE_IN;
	return rq;
}

/* Was it a rule for a proxy that brought it there? */
static bool is_captured(const struct trace_result *res, unsigned outcome)
{
	const struct trace_outcome *u = &res->outcomes[outcome];

	if (u->conn_used) /* what a rule did then */
		return !u->reply && u->path == TRACE_END_LOCAL && conn_redirected(u->conn);
	for (unsigned i = 0; u->by && i < res->n_steps; i++) {
		const struct trace_change *c = res->steps[i].changes;

		if (res->steps[i].branch != outcome || res->steps[i].rule != u->by)
			continue;
		for (; c; c = c->next)
			if (strcmp(c->what, "redirect") == 0 || strcmp(c->what, "tproxy") == 0)
				return true;
	}
	return false;
}

static int go(struct trip *t, struct stage next, const struct trace_request *rq, struct err *e)
{
	struct err why = ERR_INIT;

	if (t->n == STAGES) {
		stop_at(t, next.of, next.outcome, "more than %d legs", STAGES);
		return 0;
	}
	if (scene_trace(next.scene, rq, &next.res, &why) < 0) {
		stop_at(t, next.of, next.outcome, "%s: %s", why.what, why.why);
		return why.code == ERR_SYS ? err_oom(e) : 0;
	}
	t->stages[t->n++] = next;
	return 0;
}

/* SPEC.md and Envoy's listeners: outbound to where it was meant for; inbound from the address that is not captured.
 * Inbound is also what a process of the namespace sends to an address of it. The listener's mark is the proxy's own
 * (ztunnel sets it on all its sockets). */
static int through_proxy(struct trip *t, unsigned of, unsigned outcome, struct err *e)
{
	static const uint8_t v4[4] = { 127, 0, 0, 6 }, v6[16] = { [15] = 6 };
	const struct stage *st = &t->stages[of];
	const struct trace_outcome *u = &st->res->outcomes[outcome];
	struct trace_request rq = carried(&st->res->request, u);
	struct stage next = { .scene = st->scene, .through = "proxy", .by = u->listener, .of = of, .outcome = outcome };

	if (st->through && strcmp(st->through, "proxy") == 0) {
		stop_at(t, of, outcome, "the proxy's own connection comes back to a proxy: a loop");
		return 0;
	}
	rq.path = TRACE_OUT;
	rq.dst = st->res->request.dst;
	rq.dport = st->res->request.dport;
	rq.src = (struct addr){ 0 };
	rq.sport = rq.length = -1;
	if (st->res->request.path != TRACE_OUT || (st->scene->nv && nv_addr_is_local(st->scene->nv, &rq.dst)))
		rq.src = rq.dst.family == AF_INET6 ? addr_from(AF_INET6, v6) : addr_from(AF_INET, v4);
	rq.has_uid = rq.has_gid = true;
	rq.uid = u->listener ? nv_id_inside(&st->scene->nv->uids, u->listener->uid) : PROXY_ID;
	rq.gid = u->listener && u->listener->has_gid ? nv_id_inside(&st->scene->nv->gids, u->listener->gid) : PROXY_ID;
	rq.has_mark = u->listener && u->listener->details && u->listener->mark;
	rq.mark = rq.has_mark ? u->listener->mark : 0;
	return go(t, next, &rq, e);
}

/* A router passes on what stands in the headers; TCP's options may have been changed on the way. */
static void keep_parts(const struct trace_request *was, struct trace_request *rq)
{
	rq->parts = was->parts;
	rq->parts.tcpopt = NULL;
}

/* net.bridge.bridge-nf-call-iptables, of the namespace since Linux 5.3; without br_netfilter it is not there */
static bool bridge_calls_rules(const struct netns *node, uint8_t family)
{
	_cleanup_free_ char *text = NULL;

	return netns_read_proc(node, family == AF_INET6 ? "sys/net/bridge/bridge-nf-call-ip6tables" : "sys/net/bridge/bridge-nf-call-iptables",
			       16, &text, NULL, NULL) == 0 && atoi(text);
}

/* A bridge passes on itself what is not for the node: for a neighbour of the sender, and no address of the node. */
static bool stays_in_bridge(const struct scene *from, const struct nv_link *link, const struct trace_outcome *u,
			    const struct scene *node, const struct nv_link *bridge)
{
	struct route_key k = { .dst = u->dst, .src = u->src, .sport = -1, .dport = -1 };
	struct route_result hop;

	if (!bridge || strcmp(bridge->kind, "bridge") != 0 || !u->dst.family || from->nv->routes_unread ||
	    nv_addr_is_local(node->nv, &u->dst) || bridge_calls_rules(&node->target->netns, u->dst.family))
		return false;
	route_lookup(from->nv, &k, &hop);
	return hop.kind == ROUTE_UNICAST && !hop.via.family && hop.oif == link->index;
}

static int into_pod(struct trip *t, unsigned of, unsigned outcome, const char *oif, struct err *e)
{
	const struct trace_outcome *u = &t->stages[of].res->outcomes[outcome];
	struct trace_request rq = carried(&t->stages[of].res->request, u);
	struct stage next = { .through = "pod", .of = of, .outcome = outcome };
	struct err why = ERR_INIT;
	const struct way_in *way;
	char text[ADDR_TEXT];

	if (!oif || !u->dst.family)
		return 0;
	keep_parts(&t->stages[of].res->request, &rq);
	way = pod_behind(t->w, oif, &u->dst, &why);
	if (!way) {
		stop_at(t, of, outcome, "%s: %s", why.what, why.why);
		return 0;
	}
	if (!way->scene) {
		stop_at(t, of, outcome, "no pod of this node behind %s has the address %s: it leaves the node", oif,
			addr_fmt(&u->dst, text));
		return 0;
	}
	next.scene = way->scene;
	next.iif = rq.iif = way->iif;
	return go(t, next, &rq, e);
}

static int into_node(struct trip *t, unsigned of, unsigned outcome, struct err *e)
{
	const struct stage *st = &t->stages[of];
	const struct trace_outcome *u = &st->res->outcomes[outcome];
	const struct nv_link *link = st->scene->nv && u->oif ? nv_link_by_name(st->scene->nv, u->oif) : NULL, *there, *bridge;
	struct trace_request rq = carried(&st->res->request, u);
	struct stage next = { .scene = t->w->node, .through = "node", .of = of, .outcome = outcome };

	if (!link || !link->peer) {
		stop_at(t, of, outcome, "%s is no veth pair: what leaves there does not come to the node's rules",
			u->oif ? u->oif : "the interface");
		return 0;
	}
	keep_parts(&st->res->request, &rq);
	there = across_to_node(&st->scene->target->netns, link, &next.scene->target->netns, next.scene->nv);
	if (!there) {
		stop_at(t, of, outcome, "the other end of %s is not in the node's namespace", u->oif);
		return 0;
	}
	bridge = nv_link_by_index(next.scene->nv, there->master);
	if (stays_in_bridge(st->scene, link, u, next.scene, bridge))
		return into_pod(t, of, outcome, bridge->name, e);
	next.iif = rq.iif = there->name;
	return go(t, next, &rq, e);
}

static int follow(struct trip *t, unsigned of, unsigned outcome, struct err *e)
{
	const struct stage *st = &t->stages[of];
	const struct trace_outcome *u = &st->res->outcomes[outcome];

	if (u->verdict != TRACE_ACCEPT)
		return 0;
	if (u->path == TRACE_END_LOCAL)
		return t->w->proxies && is_captured(st->res, outcome) ? through_proxy(t, of, outcome, e) : 0;
	if (!t->w->nodes)
		return 0;
	if (!node_of(t->w)) {
		stop_at(t, of, outcome, "%s: %s", t->w->no_node.what, t->w->no_node.why);
		return 0;
	}
	return st->scene == t->w->node ? into_pod(t, of, outcome, u->oif, e) : into_node(t, of, outcome, e);
}

/* ---- what is said ---- */

/* Of several ends of the leg before, the one that is followed is told by what it depends on. */
static void text_stage(const struct stage *st, const struct trace_result *before, struct out *o)
{
	const struct target *t = st->scene->target;

	out_nl(o);
	out_style(o, STYLE_NAME);
	out_text(o, "-- %s", t->label);
	out_style(o, STYLE_PLAIN);
	if (t->netns.inode)
		out_text(o, "  netns %" PRIu64, t->netns.inode);
	if (st->iif)
		out_text(o, "  in through %s", st->iif);
	else if (st->by && st->by->pid)
		out_text(o, "  the connection that %s (pid %d, uid %u) makes", st->by->process[0] ? st->by->process : "the proxy",
			 (int)st->by->pid, st->by->uid);
	else
		out_text(o, "  the connection that the proxy makes (uid %u)", st->by ? st->by->uid : PROXY_ID);
	out_nl(o);
	if (before->n_outcomes > 1)
		report_cases(&before->outcomes[st->outcome], o);
}

static void put_stage(const struct trip *t, unsigned i, bool explain, struct out *o)
{
	const struct stage *st = &t->stages[i];

	out_object(o, NULL);
	if (!out_structured(o))
		text_stage(st, t->stages[st->of].res, o);
	out_str(o, "through", NULL, st->through);
	out_uint(o, "of", NULL, st->of);
	out_uint(o, "outcome", NULL, st->outcome);
	out_str(o, "namespace", NULL, st->scene->target->label);
	out_uint(o, "inode", NULL, st->scene->target->netns.inode);
	report_trace(st->res, st->scene->target->label, explain, NULL, o);
	out_object_end(o);
}

static void put_stops(const struct trip *t, struct out *o)
{
	out_array(o, "stops");
	for (unsigned i = 0; i < t->n_stops; i++) {
		out_object(o, NULL);
		out_uint(o, "of", NULL, t->stops[i].of);
		out_uint(o, "outcome", NULL, t->stops[i].outcome);
		out_text(o, "   Not followed further: ");
		out_str(o, "why", "%s", t->stops[i].why);
		out_text(o, ".");
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

int onward_report(struct onward *w, struct trace_result *first, bool explain, struct out *o, struct err *e)
{
	struct trip t = { .w = w, .n = 1 };
	int ret = 0;

	t.stages[0] = (struct stage){ .res = first, .scene = w->own };
	for (unsigned i = 0; i < t.n && ret == 0; i++)
		for (unsigned u = 0; u < t.stages[i].res->n_outcomes && ret == 0; u++)
			ret = follow(&t, i, u, e);
	out_array(o, "onward");
	for (unsigned i = 1; i < t.n && ret == 0; i++)
		put_stage(&t, i, explain, o);
	out_array_end(o);
	put_stops(&t, o);
	for (unsigned i = 1; i < t.n; i++)
		trace_result_free(t.stages[i].res);
	return ret;
}

int onward_new(struct session *s, struct scene *own, bool proxy, bool node, struct onward **ret, struct err *e)
{
	struct onward *w;

	if (node && !own->nv)
		return err_set(e, ERR_USAGE, "trace", "a file holds no node to go on through");
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_oom(e);
	w->s = s;
	w->own = own;
	w->proxies = proxy;
	w->asked = (struct trace_options){ .all = own->opt.all, .max_branches = own->opt.max_branches };
	w->nodes = node;
	*ret = w;
	return 0;
}

void onward_free(struct onward *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->n_places; i++) {
		scene_clear(&w->places[i]->scene);
		target_free(w->places[i]->target);
		free(w->places[i]);
	}
	for (struct way_in *next; w->ways; w->ways = next) {
		next = w->ways->next;
		free(w->ways);
	}
	free(w);
}
