/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace - which rules a connection hits, and what becomes of it: the evaluator
 *
 * Phases
 *
 * 1. tracer_new() (hooks.c) sorts the base chains of all stores per family and hook by priority and
 *    puts conntrack (-200) and the nat core (-100, 100) among them.
 * 2. trace_run() makes a packet of the connection (packet.c): header bytes of which each bit is known
 *    or not, meta data, a conntrack state.
 * 3. journey.c takes it through the namespace as the kernel would: route and source address
 *    (route.c; net/ipv4/route.c, net/ipv6/route.c), LOCAL_OUT, POST_ROUTING; what is local comes back
 *    through lo into PRE_ROUTING and LOCAL_IN, with the same conntrack entry; in: PRE_ROUTING,
 *    routing, then LOCAL_IN and the socket, or FORWARD and POST_ROUTING.
 * 4. At a hook, walk.c walks the chains (nft_do_chain in nf_tables_core.c, ipt_do_table in
 *    ip_tables.c) and exec.c the statements of a rule; eval.c, meta.c and set.c say whether a
 *    condition is true, false or unknown; nat.c rewrites (nf_nat_core.c, nf_nat_redirect.c).
 * 5. Unknowns. An evaluation is one straight walk. Whenever an answer is needed that is not known,
 *    run_decide() takes the one the run's script says, or the first beyond the script. When the walk
 *    has ended, the last question that has another answer left is answered anew and the packet starts
 *    over; so all ways are walked, depth first, up to a bound. A condition on which nothing hangs
 *    (a rule that only counts or logs) asks nothing. The same condition asked again gets the same
 *    answer, and an assumed "is" is entered into the packet.
 * 6. The ways form a tree. Where all ways below a question end alike, the question is dropped; what
 *    remains is the list of outcomes, each with the cases (assumptions) that lead to it.
 *
 * The order of chains with equal priority is such a question too, unless the caller knows it: the
 * kernel runs the newest first (nf_hook_entries_grow), which a ruleset does not show.
 *
 * Modelled: everything that model.h can say of ip, ip6 and inet tables, and device chains of netdev
 * and inet ingress; nat for a connection's first packet with the first mapping winning per stage
 * (nf_nat_inet_fn); rerouting after mangle OUTPUT and after DNAT at OUTPUT (ip_route_me_harder; the
 * output interface that later chains of OUTPUT see stays the old one, as in nf_hook_state); policy
 * routing with marks, uids and ports; martian loopback addresses; tproxy; the socket that listens.
 *
 * Options of IP and TCP, extension headers and fragments are what the request says of them (parts.h); a fragment is put
 * together with the others where conntrack, or input, wants the whole.
 *
 * Not modelled, and said to be unknown where it matters: contents of packets, random and
 * time-dependent conditions, rates and quotas, counters of ipset members, helpers. A packet whose connection
 * is tracked already (known.c) has its state, mark and mapping. A later packet (ctstate established) of one
 * that is not gets the mapping its first one would get by the rules as they are now, and the answer
 * says so. Not modelled at all: bridges (br_netfilter), IPsec policies, tc and XDP programs,
 * rp_filter, socket cgroup programs.
 */
#include "nsutil/trace/trace.h"

#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/trace/connection.h"
#include "nsutil/trace/quick.h"
#include "nsutil/trace/run.h"

#define MAX_BRANCHES 256

/* ---- what the parts of a run call ---- */

void run_end(struct run *r, enum trace_verdict v, const char *why)
{
	if (r->ended)
		return;
	r->ended = true;
	r->out.verdict = v;
	r->out.why = why;
}

unsigned run_decide(struct run *r, unsigned n, const struct stmt *cond, const char *what, const char *why)
{
	struct decision *d;
	unsigned i = r->n_decisions;

	if (i == RUN_DECISIONS || n == 0) {
		run_end(r, TRACE_UNKNOWN, "too many unknowns on the way");
		return 0;
	}
	d = &r->decisions[i];
	if (i >= r->n_script)
		d->choice = 0; /* else the script's choice stands there */
	d->n = n;
	d->cond = cond;
	d->version = r->pkt.version;
	d->a = (struct trace_assumption){ .what = what ? what : "?", .why = why,
					  .answer = d->choice == 0 ? "yes" : "no" };
	r->n_decisions++;
	return d->choice;
}

void run_answer(struct run *r, const char *answer)
{
	if (r->n_decisions && answer)
		r->decisions[r->n_decisions - 1].a.answer = answer;
}

void run_change_text(struct run *r, const char *what, const char *text)
{
	struct trace_change *c = arena_alloc(r->arena, sizeof(*c)), **tail = &r->changes;

	if (!c || !(c->text = arena_strdup(r->arena, text))) {
		r->oom = true;
		return;
	}
	c->what = what;
	while (*tail)
		tail = &(*tail)->next;
	*tail = c;
}

void run_change(struct run *r, const char *what, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	run_change_text(r, what, text);
}

void run_step(struct run *r, const struct trace_step *s)
{
	struct trace_step *grown;

	if (r->rehearsal)
		return;
	grown = arena_grow(r->arena, r->steps, r->n_steps, sizeof(*grown));
	if (!grown) {
		r->oom = true;
		return;
	}
	r->steps = grown;
	r->steps[r->n_steps++] = *s;
}

/* ---- the packet of a request ---- */

/* A client's port is taken from the ephemeral range: the bits all of it share are known. */
static void ephemeral_port(struct packet *p, const struct netview *nv)
{
	uint16_t diff, mask = UINT16_MAX;

	if (!nv->port_high || nv->port_high < nv->port_low)
		return;
	diff = nv->port_low ^ nv->port_high;
	while (diff & mask)
		mask = (uint16_t)(mask << 1);
	packet_set_port(p, false, nv->port_low & mask, mask);
}

static void set_ports(struct packet *p, const struct tracer *t, const struct trace_request *rq)
{
	if (!connection_has_ports(p->l4proto))
		return; /* a later fragment has them again once it is whole */
	if (rq->sport >= 0)
		packet_set_port(p, false, (uint16_t)rq->sport, UINT16_MAX);
	else if (rq->path == TRACE_OUT)
		ephemeral_port(p, t->nv);
	if (rq->dport >= 0)
		packet_set_port(p, true, (uint16_t)rq->dport, UINT16_MAX);
}

static void set_optional(struct packet *p, const struct trace_request *rq)
{
	bool v6 = rq->family == NFPROTO_IPV6;
	struct value v;

	if (rq->icmp_type >= 0 && rq->l4proto == IPPROTO_MH) {
		packet_set_u8(p, 2, (uint8_t)rq->icmp_type, 0xff);
	} else if (rq->icmp_type >= 0) {
		packet_set_u8(p, 0, (uint8_t)rq->icmp_type, 0xff);
		packet_set_u8(p, 1, (uint8_t)(rq->icmp_code >= 0 ? rq->icmp_code : 0), 0xff);
	}
	if (rq->l4proto == IPPROTO_TCP && rq->tcp_flags >= 0)
		packet_set_u8(p, 13, (uint8_t)rq->tcp_flags, 0xff);
	else if (rq->l4proto == IPPROTO_TCP && rq->ct_state && rq->ct_state != TRACE_CT_NEW)
		packet_set_u8(p, 13, 0x10, 0x10); /* an ACK, with whatever else */
	if (rq->icmp_id >= 0) {
		packet_set_icmp_id(p, (uint16_t)rq->icmp_id, UINT16_MAX);
	}
	p->mss = rq->mss;
	for (unsigned i = 0; rq->has_spi && i < 4; i++)
		packet_set_u8(p, (rq->l4proto == IPPROTO_AH ? 4 : 0) + i, (uint8_t)(rq->spi >> (24 - 8 * i)), 0xff);
	if (rq->ecn >= 0) {
		value_uint(&v, (uint64_t)rq->ecn, 2);
		packet_store(p, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 10 : 14, 2, &v);
	}
	if (rq->dscp >= 0) {
		value_uint(&v, (uint64_t)rq->dscp, 6);
		packet_store(p, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 4 : 8, 6, &v);
	}
	if (rq->ttl >= 0) {
		value_uint(&v, (uint64_t)rq->ttl, 8);
		packet_store(p, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 56 : 64, 8, &v);
	}
	if (rq->length >= 0) {
		packet_set_meta(p, NFT_META_LEN, (uint32_t)rq->length);
		value_uint(&v, (uint64_t)(v6 && rq->length > 40 ? rq->length - 40 : rq->length), 16);
		packet_store(p, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 32 : 16, 16, &v);
	}
}

static void make_packet(struct packet *p, const struct tracer *t, const struct trace_request *rq)
{
	packet_init(p, rq->family, rq->l4proto, &rq->parts);
	packet_set_addr(p, true, &rq->dst);
	packet_set_addr(p, false, &rq->src);
	set_ports(p, t, rq);
	set_optional(p, rq);
	known_flags(t, rq, p);
	if (rq->has_uid)
		packet_set_meta(p, NFT_META_SKUID, rq->uid);
	if (rq->has_gid)
		packet_set_meta(p, NFT_META_SKGID, rq->gid);
	if (rq->has_mark)
		packet_set_meta(p, NFT_META_MARK, rq->mark);
	if (rq->has_cgroup)
		packet_set_meta(p, NFT_META_CGROUP, rq->cgroup);
	if (rq->has_priority)
		packet_set_meta(p, NFT_META_PRIORITY, rq->priority);
	if (rq->has_smac)
		packet_set_mac(p, false, rq->smac);
	if (rq->has_dmac)
		packet_set_mac(p, true, rq->dmac);
	if (rq->has_ct_mark)
		p->ct.mark = (struct known32){ .v = rq->ct_mark, .k = UINT32_MAX };
}

/* ---- all ways ---- */

struct leaf {
	struct trace_outcome out;
	bool gathered;
	struct decision *decisions;
	unsigned n_decisions;
	struct trace_step *steps;
	unsigned n_steps;
	struct trace_leg *legs;
	unsigned n_legs;
};

static void finish_outcome(struct run *r)
{
	r->out.src = packet_addr(&r->pkt, false);
	r->out.dst = packet_addr(&r->pkt, true);
	r->out.sport = packet_port(&r->pkt, false);
	r->out.dport = packet_port(&r->pkt, true);
}

static int keep_leaf(struct leaf *l, struct run *r)
{
	l->out = r->out;
	l->gathered = r->gathered;
	l->n_decisions = r->n_decisions;
	l->steps = r->steps;
	l->n_steps = r->n_steps;
	l->legs = r->legs;
	l->n_legs = r->n_legs;
	if (!r->n_decisions)
		return r->oom ? -1 : 0;
	l->decisions = arena_dup(r->arena, r->decisions, r->n_decisions * sizeof(*r->decisions));
	return l->decisions && !r->oom ? 0 : -1;
}

/* The next script: the last question with an answer left gets it. Return: false when all were tried */
static bool next_script(struct run *r)
{
	unsigned n = r->n_decisions;

	while (n > 0 && r->decisions[n - 1].choice + 1 >= r->decisions[n - 1].n)
		n--;
	if (!n)
		return false;
	r->decisions[n - 1].choice++;
	r->n_script = n;
	return true;
}

/* All but the answers (the script and the decisions), which the next way keeps. */
static void start_over(struct run *r)
{
	make_packet(&r->pkt, r->t, r->rq);
	r->leg = r->hook = 0;
	r->chain = NULL;
	r->rule = NULL;
	r->xt = r->assumed = r->undecided = r->local = r->prerouted = r->routed = r->gathered = r->cut = r->owned = r->ended = r->masqueraded = false;
	memset(&r->verdict, 0, sizeof(r->verdict));
	r->changes = NULL;
	r->failed = r->inner = NULL;
	r->why = NULL;
	r->work = 0;
	r->dev = 0;
	r->route = NULL;
	r->realm = 0;
	r->realm_unknown = false;
	r->assigned = NULL;
	r->n_touched = r->n_ipsets_touched = 0;
	r->template = TEMPLATE_UNASKED;
	memset(&r->out, 0, sizeof(r->out));
	r->steps = NULL;
	r->legs = NULL;
	r->n_steps = r->n_legs = 0;
}

struct forest {
	struct leaf *leaves;
	unsigned n;
	bool gave_up;
	bool order_unknown;
};

/*
 * A later packet has the mapping its connection got by the first one. That one is walked silently
 * with the rules as they are now; what is unknown on its way is asked like anything else.
 */
static void rehearse(struct run *r, const struct trace_request *rq)
{
	struct trace_request first;

	r->first_ct.attach = CT_NONE;
	if (!(rq->ct_state & TRACE_CT_ESTABLISHED))
		return;
	memset(r->mapped, 0, sizeof(r->mapped));
	first = *rq;
	first.ct_state = 0;
	first.tcp_flags = first.length = -1;
	r->rq = &first;
	start_over(r);
	r->rehearsal = true;
	journey(r);
	r->first_ct = r->pkt.ct;
	r->rehearsal = false;
	r->rq = rq;
}

static void walk_one(struct run *r)
{
	r->n_decisions = 0;
	rehearse(r, r->rq);
	start_over(r);
	journey(r);
	if (r->out.verdict == TRACE_ACCEPT && r->rq->ct_state & TRACE_CT_ESTABLISHED && !r->out.conn_used)
		r->out.why = "its connection being mapped as the rules say now";
	if (r->out.verdict == TRACE_ACCEPT && r->gathered && !r->out.why)
		r->out.why = "put together with its other fragments";
	finish_outcome(r);
}

static int walk_all(struct run *r, struct forest *f)
{
	unsigned max = r->t->opt.max_branches ? r->t->opt.max_branches : MAX_BRANCHES;

	r->n_script = 0;
	do {
		struct leaf *grown;

		if (f->n == max) {
			f->gave_up = true;
			break;
		}
		walk_one(r);
		grown = arena_grow(r->arena, f->leaves, f->n, sizeof(*grown));
		if (!grown || keep_leaf(&grown[f->n], r) < 0)
			return -1;
		f->leaves = grown;
		f->n++;
	} while (next_script(r));
	f->order_unknown = r->order_asked;
	return 0;
}

/* ---- merging ---- */

static bool same_outcome(const struct trace_outcome *a, const struct trace_outcome *b)
{
	return a->verdict == b->verdict && a->path == b->path && addr_equal(&a->dst, &b->dst) &&
	       a->dport == b->dport && addr_equal(&a->src, &b->src) && a->sport == b->sport &&
	       a->listener == b->listener && a->conn == b->conn && a->conn_used == b->conn_used &&
	       a->oif == b->oif && !a->listener_unknown == !b->listener_unknown &&
	       (a->verdict != TRACE_UNKNOWN || a->why == b->why);
}

/* A way that counts: the leaf it ends at, and the questions that mattered, first one first. */
struct way {
	const struct leaf *leaf;
	struct trace_assumption *a; /* room for the leaf's decisions; those that count stand at its end */
	unsigned n;
	struct way *next;
};

static bool all_alike(const struct way *w)
{
	for (const struct way *o = w->next; o; o = o->next)
		if (!same_outcome(&w->leaf->out, &o->leaf->out))
			return false;
	return true;
}

static void put_in_front(struct way *w, const struct trace_assumption *a)
{
	for (; w; w = w->next)
		w->a[w->leaf->n_decisions - ++w->n] = *a;
}

static struct way *leaf_way(struct arena *a, const struct leaf *l)
{
	struct way *w = arena_alloc(a, sizeof(*w));

	if (!w)
		return NULL;
	w->leaf = l;
	if (l->n_decisions)
		w->a = arena_array(a, l->n_decisions, sizeof(*w->a));
	return w->a || !l->n_decisions ? w : NULL;
}

/* The ways of leaves [lo, hi), which share their first 'depth' answers; NULL when memory ran out. */
static struct way *merge(struct arena *a, const struct forest *f, unsigned lo, unsigned hi, unsigned depth)
{
	struct way *all = NULL, **tail = &all;

	if (f->leaves[lo].n_decisions <= depth)
		return leaf_way(a, &f->leaves[lo]);
	while (lo < hi) {
		unsigned choice = f->leaves[lo].decisions[depth].choice, mid = lo + 1;
		struct way *w;

		while (mid < hi && f->leaves[mid].decisions[depth].choice == choice)
			mid++;
		w = merge(a, f, lo, mid, depth + 1);
		if (!w)
			return NULL;
		put_in_front(w, &f->leaves[lo].decisions[depth].a);
		*tail = w;
		while (*tail)
			tail = &(*tail)->next;
		lo = mid;
	}
	if (!f->gave_up && all_alike(all)) {
		all->n = 0;
		all->next = NULL;
	}
	return all;
}

static int add_case(struct arena *a, struct trace_outcome *o, const struct way *w)
{
	struct trace_case *grown;

	if (!w->n)
		return 0;
	grown = arena_grow(a, o->cases, o->n_cases, sizeof(*grown));
	if (!grown)
		return -1;
	o->cases = grown;
	o->cases[o->n_cases].n = w->n;
	o->cases[o->n_cases++].a = w->a + w->leaf->n_decisions - w->n;
	return 0;
}

static struct trace_outcome *add_outcome(struct trace_result *res, const struct trace_outcome *o)
{
	struct trace_outcome *grown = arena_grow(res->arena, res->outcomes, res->n_outcomes, sizeof(*grown));

	if (!grown)
		return NULL;
	res->outcomes = grown;
	res->outcomes[res->n_outcomes] = *o;
	return &res->outcomes[res->n_outcomes++];
}

/* The steps of the first way to an outcome stand for it. */
static int add_steps(struct trace_result *res, const struct leaf *l, unsigned branch)
{
	if (res->n_outcomes == 1) { /* most have one: what it grew is taken as it is */
		res->steps = l->steps;
		res->n_steps = l->n_steps;
		res->legs = l->legs;
		res->n_legs = l->n_legs;
		return 0;
	}
	for (unsigned i = 0; i < l->n_steps; i++) {
		struct trace_step *grown = arena_grow(res->arena, res->steps, res->n_steps, sizeof(*grown));

		if (!grown)
			return -1;
		res->steps = grown;
		res->steps[res->n_steps] = l->steps[i];
		res->steps[res->n_steps++].branch = branch;
	}
	for (unsigned i = 0; i < l->n_legs; i++) {
		struct trace_leg *grown = arena_grow(res->arena, res->legs, res->n_legs, sizeof(*grown));

		if (!grown)
			return -1;
		res->legs = grown;
		res->legs[res->n_legs] = l->legs[i];
		res->legs[res->n_legs++].branch = branch;
	}
	return 0;
}

static int add_way(struct trace_result *res, const struct way *w)
{
	struct trace_outcome *o = NULL;

	for (unsigned i = 0; i < res->n_outcomes && !o; i++)
		if (same_outcome(&res->outcomes[i], &w->leaf->out))
			o = &res->outcomes[i];
	if (!o) {
		o = add_outcome(res, &w->leaf->out);
		if (!o || add_steps(res, w->leaf, res->n_outcomes - 1) < 0)
			return -1;
	}
	return add_case(res->arena, o, w);
}

/* What was not read may hold rules: then nothing is certain. */
static int add_unread(struct trace_result *res, const struct ruleset *rs, uint8_t family)
{
	for (const struct unread *u = rs->unread; u; u = u->next) {
		struct trace_outcome o = { .verdict = TRACE_UNKNOWN, .sport = -1, .dport = -1 };

		if (u->family != family && u->family != NFPROTO_UNSPEC && u->family != NFPROTO_INET)
			continue;
		o.why = arena_printf(res->arena, "the %s store%s%s could not be read: %s", store_name(u->store),
				     u->table ? ", table " : "", u->table ? u->table : "", u->why);
		if (!o.why || !add_outcome(res, &o))
			return -1;
	}
	return 0;
}

static int harvest(struct trace_result *res, const struct forest *f, const struct tracer *t)
{
	struct way *w = merge(res->arena, f, 0, f->n, 0);

	if (!w)
		return -1;
	for (; w; w = w->next)
		if (add_way(res, w) < 0)
			return -1;
	if (f->gave_up) {
		struct trace_outcome o = { .verdict = TRACE_UNKNOWN, .sport = -1, .dport = -1 };

		o.why = arena_printf(res->arena, "too many unknowns: only %u ways were followed", f->n);
		if (!o.why || !add_outcome(res, &o))
			return -1;
	}
	res->branches = f->n;
	for (unsigned i = 0; i < f->n; i++)
		res->gathers |= f->leaves[i].gathered;
	res->order_unknown = f->order_unknown;
	return add_unread(res, t->rs, res->request.family);
}

/* ---- public ---- */

int tracer_new(const struct ruleset *rs, const struct netview *nv, const struct trace_options *opt,
	       struct tracer **ret, struct err *e)
{
	struct tracer *t = calloc(1, sizeof(*t));

	if (!t)
		return err_oom(e);
	t->rs = rs;
	t->nv = nv;
	if (opt)
		t->opt = *opt;
	t->arena = arena_new();
	if (!t->opt.all && !t->opt.linear)
		t->quick = quick_new();
	if (!t->arena || hooks_prepare(t) < 0 || listen_prepare(t) < 0 || (!t->quick && !t->opt.all && !t->opt.linear)) {
		tracer_free(t);
		return err_oom(e);
	}
	*ret = t;
	return 0;
}

void tracer_free(struct tracer *t)
{
	if (!t)
		return;
	quick_free(t->quick);
	arena_free(t->arena);
	free(t);
}

static int check_interface(const struct tracer *t, const char *name, struct err *e)
{
	if (!name || nv_link_by_name(t->nv, name))
		return 0;
	return err_set(e, ERR_USAGE, "trace", "there is no interface '%s' in the target", name);
}

static int check_request(const struct tracer *t, const struct trace_request *rq, struct err *e)
{
	if (check_interface(t, rq->iif, e) < 0 || check_interface(t, rq->oif, e) < 0)
		return -1;
	if (rq->src.family && rq->src.family != rq->dst.family)
		return err_set(e, ERR_USAGE, "trace", "source and destination are of different families");
	return 0;
}

/* Follow the connection with a run and a result that hold nothing yet. */
static int follow(const struct tracer *t, const struct trace_request *rq, struct run *r, struct trace_result *res)
{
	struct forest f = { 0 };

	res->request = *rq;
	r->t = t;
	r->rq = rq;
	r->arena = res->arena;
	if (walk_all(r, &f) < 0 || harvest(res, &f, t) < 0)
		return -1;
	journey_chosen(r, &res->request);
	return 0;
}

int trace_run(const struct tracer *t, const struct trace_request *rq, struct trace_result **ret,
	      struct err *e)
{
	struct trace_result *res;
	struct run *r;
	int rc = -1;

	if (check_request(t, rq, e) < 0)
		return -1;
	res = calloc(1, sizeof(*res));
	r = calloc(1, sizeof(*r));
	if (res)
		res->arena = arena_new();
	if (res && r && res->arena)
		rc = follow(t, rq, r, res);
	free(r);
	if (rc < 0) {
		trace_result_free(res);
		return err_oom(e);
	}
	*ret = res;
	return 0;
}

struct trace_room {
	struct trace_result res;
	struct run run;
};

struct trace_room *trace_room_new(void)
{
	struct trace_room *room = calloc(1, sizeof(*room));

	if (room)
		room->res.arena = arena_new();
	if (room && !room->res.arena) {
		free(room);
		return NULL;
	}
	return room;
}

void trace_room_free(struct trace_room *room)
{
	if (!room)
		return;
	arena_free(room->res.arena);
	free(room);
}

int trace_run_in(const struct tracer *t, struct trace_room *room, const struct trace_request *rq,
		 struct trace_result **ret, struct err *e)
{
	struct arena *a = room->res.arena;

	if (check_request(t, rq, e) < 0)
		return -1;
	arena_reset(a);
	memset(&room->res, 0, offsetof(struct trace_result, request)); /* which is written anew */
	room->res.arena = a;
	room->res.lent = true;
	memset(&room->run, 0, offsetof(struct run, pkt));
	if (follow(t, rq, &room->run, &room->res) < 0)
		return err_oom(e);
	*ret = &room->res;
	return 0;
}

void trace_result_free(struct trace_result *res)
{
	if (!res || res->lent)
		return;
	arena_free(res->arena);
	free(res);
}
