/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdiff - sends packets for real and compares the kernel's own trace of each with the evaluator's */
/*
 * kdiff POD NODE FAR       (files of three network namespaces; the rules are in POD)
 * Reads commands, a line each, and answers each with a line of JSON:
 *   load                   read the rules of POD anew; {"result":"loaded"}
 *   packet KEY=VALUE ...   send a packet, trace it with both, compare (see struct test)
 * result is "agree", "differ" (the rules visited, or what became of the packet, are not the same), "unknown"
 * (the evaluator followed several ways, and the kernel went one of them; "reasons" says why) or "error".
 * The ruleset must hold a table "inet kdiff" that sets the trace bit of these packets before all others and
 * has a rule in chains "input" and "postrouting" behind all others: there the packet's headers are taken
 * as they are in the end.
 */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <err.h>
#include <fcntl.h>
#include <jansson.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/live/compare.h"
#include "nsutil/live/ktrace.h"
#include "nsutil/load.h"
#include "nsutil/netns/conns.h"
#include "nsutil/ruleset/netview.h"
#include "tests/lib/kdiff.h"
#include "tests/lib/swift.h"

#define MARKS "kdiff" /* the table that sets the trace bit: no part of what is compared */

/* Of a segment without any; and of a connecting socket, as tcp_options_write() writes them */
static const struct parts *no_options, *linux_options;
static struct arena *lists;

enum place { POD, NODE, FAR, PLACES };

static int ns_fd[PLACES];
static struct target *target;
static struct netview *view;
static struct ruleset *rules;
static struct tracer *tracer, *swift; /* that looks at every rule, and that passes over what it can */
static const struct chain *order[256];
static unsigned n_order;
static struct ipset_list *ipsets;
static struct ktrace *events;

static void enter(enum place p)
{
	if (setns(ns_fd[p], CLONE_NEWNET) < 0)
		err(2, "setns");
}

static json_t *failed(const struct err *e)
{
	return json_pack("{ss so}", "result", "error", "why", json_sprintf("%s: %s", e->what, e->why));
}

/* ---- what the kernel says ---- */

#define STEPS 400

struct seen {
	struct ktrace_step step[STEPS];
	unsigned n;
	bool overrun;
	struct live_end end, whole; /* the last one with ports */
	uint32_t last_oif;
};
static struct seen seen;
static unsigned compared; /* of its steps, those that are about rules with an effect on what is compared */

/* Behind the last rule of all: what the receiver gets. */
static void take_end(const struct ktrace_step *s)
{
	if (!s->has_packet || (strcmp(s->chain, "input") != 0 && strcmp(s->chain, "postrouting") != 0 && strcmp(s->chain, "pegress") != 0))
		return;
	if (strcmp(s->chain, "pegress") == 0 && s->sport < 0 && seen.whole.known) {
		seen.end = seen.whole; /* a later fragment of what was cut behind postrouting */
		return;
	}
	seen.end = (struct live_end){ .known = true, .local = s->chain[0] == 'i', .out = s->chain[0] == 'p',
				      .src = s->src, .dst = s->dst, .sport = s->sport, .dport = s->dport };
	seen.last_oif = s->oif ? s->oif : seen.last_oif;
	if (s->sport >= 0)
		seen.whole = seen.end;
}

static void take_step(void *arg, const struct ktrace_step *s)
{
	(void)arg;
	if (strcmp(s->table, MARKS) == 0) {
		take_end(s);
		return;
	}
	seen.end = (struct live_end){ .known = true, .sport = -1, .dport = -1 }; /* it went on behind what looked like the end */
	seen.overrun |= seen.n == STEPS;
	if (seen.n < STEPS)
		seen.step[seen.n++] = *s;
}

static void forget_steps(void)
{
	seen.n = 0;
	seen.overrun = seen.whole.known = false;
	seen.end = (struct live_end){ .known = true, .sport = -1, .dport = -1 };
}

/* Take what there is; returns false when nothing came for @ms. */
static bool take_events(int ms)
{
	struct err e = ERR_INIT;
	int n = ktrace_read(events, ms, take_step, NULL, &e);

	if (n < 0)
		errx(2, "%s: %s", e.what, e.why);
	return n > 0;
}

/* ---- what the evaluator says ---- */

static bool is_base(const struct table *t, const struct chain *c)
{
	return c->base && t->store != STORE_LEGACY;
}

static bool newer(const struct chain *a, const struct chain *b)
{
	if (a->table->handle != b->table->handle)
		return a->table->handle > b->table->handle;
	return a->handle > b->handle;
}

/* Chains are registered when they are made, the newest runs first; the legacy tables are the oldest. */
static unsigned chain_order(void)
{
	unsigned n = 0;

	for (const struct table *t = rules->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c && n < 200; c = c->next)
			if (is_base(t, c)) {
				unsigned i = n++;

				for (; i > 0 && newer(c, order[i - 1]); i--)
					order[i] = order[i - 1];
				order[i] = c;
			}
	for (const struct table *t = rules->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c && n < 256; c = c->next)
			if (c->base && t->store == STORE_LEGACY)
				order[n++] = c;
	return n;
}

/* The tables that mark are looked at by nobody. */
static void take_away_marks(void)
{
	struct table **t = &rules->tables;

	while (*t)
		if (strcmp((*t)->name, MARKS) == 0)
			*t = (*t)->next;
		else
			t = &(*t)->next;
}

/* Every packet is to be the first of its connection. */
static void forget_connections(enum place p)
{
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct mnl_socket *nl;
	ssize_t n;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	enter(p);
	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(2, "conntrack");
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), NULL, NULL) < 0)
		err(2, "conntrack");
	mnl_socket_close(nl);
	enter(POD);
}

static int read_rules(struct err *e)
{
	if (load_ruleset(target, LOAD_ALL, &rules, e) < 0 || load_ipsets(target, rules, &ipsets, e) < 0)
		return -1;
	take_away_marks();
	n_order = chain_order();
	return 0;
}

/* Packets leave half-open sockets behind, which those that follow meet. */
static int make_tracers(struct err *e)
{
	struct trace_options opt = { .all = true, .order = order, .n_order = n_order, .ipsets = ipsets };

	tracer_free(tracer);
	tracer_free(swift);
	netview_free(view);
	tracer = swift = NULL;
	view = NULL;
	if (netview_read(&target->netns, NETVIEW_LINKS | NETVIEW_ROUTES | NETVIEW_SOCKETS | NETVIEW_IPSEC, "/proc", &view, e) < 0 ||
	    tracer_new(rules, view, &opt, &tracer, e) < 0)
		return -1;
	opt.all = false;
	return tracer_new(rules, view, &opt, &swift, e);
}

static json_t *load(void)
{
	struct err e = ERR_INIT;

	tracer_free(tracer);
	tracer_free(swift);
	ipset_list_free(ipsets);
	ruleset_free(rules);
	tracer = swift = NULL;
	ipsets = NULL;
	rules = NULL;
	if (read_rules(&e) < 0)
		return failed(&e);
	take_events(0);
	return json_pack("{ss}", "result", "loaded");
}

static bool same_receiver(const struct trace_outcome *u, int port)
{
	if (u->verdict != TRACE_ACCEPT || u->path != TRACE_END_LOCAL)
		return port < 0 || u->verdict == TRACE_UNKNOWN;
	return port < 0 || u->listener_unknown || (u->listener && u->listener->lport == port);
}

enum judgement { AGREE, DIFFER, UNKNOWN };

/* Where all ways end alike, one of them is the kernel's or none is shown; where they do not, one must end as the kernel does. */
static enum judgement judge(const struct trace_result *res)
{
	const struct trace_outcome *u;
	struct live_comparison c;

	live_compare(seen.step, seen.n, &seen.end, rules, rules, res, &c);
	compared = c.steps;
	u = &res->outcomes[c.branch];
	if (c.judgement == LIVE_AGREES && res->n_outcomes == 1 && same_receiver(u, sent_receiver))
		return AGREE;
	if (res->n_outcomes == 1 && res->branches == 1 && c.judgement != LIVE_UNKNOWN)
		return DIFFER;
	for (u = res->outcomes; u < res->outcomes + res->n_outcomes; u++)
		if (live_ends_alike(u, &seen.end) && same_receiver(u, sent_receiver))
			return UNKNOWN;
	return DIFFER;
}

/* ---- one packet ---- */

/* As tests/kernel/kdiff gives them to the links */
static void set_macs(struct trace_request *rq, enum place from)
{
	uint8_t last = from == NODE ? 0x99 : 0x98;

	rq->has_smac = rq->has_dmac = true;
	memcpy(rq->smac, (uint8_t[6]){ 2, 0, 0, 0, 0, last }, 6);
	memcpy(rq->dmac, (uint8_t[6]){ 2, 0, 0, 0, 1, last }, 6);
}

static struct trace_request request(const struct test *t)
{
	struct trace_request rq = TRACE_REQUEST_INIT;

	rq.path = t->place == POD ? TRACE_OUT : TRACE_IN;
	rq.family = t->dst.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	rq.l4proto = (uint8_t)t->l4proto;
	rq.src = t->src;
	rq.dst = t->dst;
	rq.sport = t->sport;
	rq.dport = t->dport;
	if (t->kind == 'i' || t->kind == 'x')
		rq.sport = rq.dport = -1;
	if (t->kind == 'i') {
		rq.icmp_type = t->type;
		rq.icmp_id = t->sport;
		rq.icmp_code = t->code;
	}
	if (t->place == POD) {
		rq.has_uid = rq.has_gid = rq.has_mark = true;
		rq.uid = t->uid;
		rq.gid = t->gid;
		rq.mark = t->mark;
		rq.has_priority = true;
		rq.priority = TEST_PRIORITY;
	} else {
		rq.iif = t->place == NODE ? "eth0" : "eth1";
		set_macs(&rq, t->place);
	}
	rq.dscp = t->dscp;
	rq.ttl = t->ttl;
	rq.length = (int)test_length(t);
	if (t->l4proto == IPPROTO_TCP)
		rq.tcp_flags = t->flags;
	rq.parts.ipopt = t->ipopt;
	rq.parts.exthdr = t->exthdr;
	if (t->kind == 'r' || t->kind == 't')
		rq.parts.tcpopt = t->tcpopt ? t->tcpopt : t->kind == 'r' ? no_options : linux_options;
	/* an ICMP error of the test speaks of nothing that is tracked */
	if (t->kind == 'i' && (t->dst.family == AF_INET6 ? t->type < 128 : t->type == 3 || t->type == 11))
		rq.ct_state = TRACE_CT_INVALID;
	return rq;
}

/* ---- in words ---- */

static json_t *step_json(const struct live_step *x, const char *end)
{
	const struct table *t = x->chain ? x->chain->table : NULL;

	if (x->strange)
		return json_sprintf("%s", x->strange);
	if (!x->rule)
		return json_sprintf("%s %s %s %s policy", store_name(t->store), family_name(t->family), t->name, x->chain->name);
	return json_sprintf("%s %s %s %s %u #%llu %s %s%s", store_name(t->store), family_name(t->family), t->name, x->chain->name,
			    x->rule->index, (unsigned long long)x->rule->handle, x->tells_verdict ? verdict_name(x->verdict) : "",
			    x->to ? x->to : "", end);
}

static json_t *end_json(const char *place, const struct addr *s, int sport, const struct addr *d, int dport)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	return json_sprintf("=> %s %s %d %s %d", place, s->family ? addr_fmt(s, src) : "?", sport,
			    d->family ? addr_fmt(d, dst) : "?", dport);
}

static json_t *kernel_json(void)
{
	const struct live_end *x = &seen.end;
	json_t *a = json_array();
	struct live_step k;

	for (unsigned i = 0; i < seen.n; i++)
		if (live_step_of(&seen.step[i], rules, rules, &k))
			json_array_append_new(a, step_json(&k, ""));
	json_array_append_new(a, end_json(x->local ? "local" : x->out ? "out" : "gone", &x->src, x->sport, &x->dst, x->dport));
	return a;
}

static json_t *sim_json(const struct trace_result *res, unsigned branch)
{
	const struct trace_outcome *u = &res->outcomes[branch];
	json_t *a = json_array();
	struct live_step x;

	for (unsigned i = 0; i < res->n_steps; i++)
		if (res->steps[i].branch == branch && live_step_expected(&res->steps[i], &x))
			json_array_append_new(a, step_json(&x, x.maybe ? " (maybe)" : ""));
	json_array_append_new(a, end_json(u->verdict == TRACE_UNKNOWN ? "?" : u->verdict != TRACE_ACCEPT ? "gone"
					  : u->path == TRACE_END_LOCAL ? "local" : "out", &u->src, u->sport, &u->dst, u->dport));
	if (u->why)
		json_array_append_new(a, json_string(u->why));
	return a;
}

/* The reason of "assumed: WHAT: yes (REASON)" */
static json_t *plain_reason(const char *why)
{
	const char *open = strrchr(why, '('), *close = strrchr(why, ')');

	return open && close > open ? json_stringn(open + 1, (size_t)(close - open - 1)) : json_string(why);
}

static json_t *reasons(const struct trace_result *res)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < res->n_outcomes; i++) {
		const struct trace_outcome *u = &res->outcomes[i];

		if (u->verdict == TRACE_UNKNOWN && u->why)
			json_object_set_new(o, u->why, json_true());
		for (unsigned c = 0; c < u->n_cases; c++)
			for (unsigned k = 0; k < u->cases[c].n; k++)
				json_object_set_new(o, u->cases[c].a[k].why ? u->cases[c].a[k].why : "?", json_true());
	}
	for (unsigned i = 0; i < res->n_steps && !json_object_size(o); i++)
		if (res->steps[i].assumed && res->steps[i].why && res->steps[i].why[0] == 'a') {
			json_t *why = plain_reason(res->steps[i].why);

			json_object_set_new(o, json_string_value(why), json_true());
			json_decref(why);
		}
	if (!json_object_size(o))
		json_object_set_new(o, "every possibility ends alike", json_true());
	return o;
}

static json_t *answer(enum judgement j, const struct trace_result *res)
{
	json_t *o = json_pack("{ss si}", "result", j == AGREE ? "agree" : j == UNKNOWN ? "unknown" : "differ",
			      "steps", (int)compared);
	json_t *sim;

	if (j == UNKNOWN)
		json_object_set_new(o, "reasons", reasons(res));
	if (j != DIFFER)
		return o;
	sim = json_array();
	for (unsigned i = 0; i < res->n_outcomes; i++)
		json_array_append_new(sim, sim_json(res, i));
	json_object_set_new(o, "kernel", kernel_json());
	json_object_set_new(o, "sim", sim);
	json_object_set_new(o, "receiver", json_integer(sent_receiver));
	return o;
}

static json_t *error(const char *why)
{
	return json_pack("{ss ss}", "result", "error", "why", why);
}

/* Events may still be under way when the two differ: only then is it waited for more. */
static enum judgement send_and_judge(const struct test *t, const struct trace_result *res)
{
	enum judgement j = DIFFER;

	enter(t->place);
	test_send(t);
	enter(POD);
	for (int wait = 0; wait <= 128; wait = wait ? wait * 2 : 1) {
		while (take_events(wait))
			;
		test_receive();
		j = judge(res);
		if (j == AGREE || (j == UNKNOWN && wait >= 4))
			break;
	}
	return j;
}

/* One packet; what came before of its connection may be known. */
static json_t *one_packet(const struct test *t)
{
	struct trace_request rq = request(t);
	struct trace_result *res;
	struct err e = ERR_INIT;
	json_t *o;

	forget_steps();
	if (take_events(0) && seen.n)
		return json_pack("{ss ss}", "result", "late", "why", seen.step[0].chain);
	forget_steps();
	if (trace_run(tracer, &rq, &res, &e) < 0)
		return error(e.why);
	if (swift_agrees(swift, &rq, res)) {
		enum judgement j = send_and_judge(t, res);

		test_close();
		o = seen.overrun ? error("too many steps") : answer(j, res);
		if (sent_error)
			json_object_set_new(o, "send", json_string(strerror(sent_error)));
	} else {
		o = error("without a look at every rule the answer is another");
	}
	trace_result_free(res);
	return o;
}

/* On the link to the pod there is nobody else. */
static bool is_nobody(enum place p, const struct addr *a)
{
	static const char *const net[PLACES][2] = { { NULL }, { "10.0.1.0", "fd00:1::" }, { "10.0.2.0", "fd00:2::" } };
	struct addr x;
	bool v6 = a->family == AF_INET6;

	return addr_parse(net[p][v6], &x) == 0 && addr_in(a, &x, v6 ? 64 : 24) && !nv_addr_is_local(view, a);
}

/* To an address of its own the sender's packet would not leave. */
static bool is_own(enum place p, const struct addr *a)
{
	static const char *const own[PLACES][4] = { { NULL }, { "10.0.1.1", "10.96.0.10", "fd00:1::1", "fd00:96::10" },
						    { "10.0.2.2", "203.0.113.7", "fd00:2::2", "2001:db8:113::7" } };
	struct addr x;

	if (addr_is_loopback(a))
		return true;
	for (unsigned i = 0; i < 4 && own[p][i]; i++)
		if (addr_parse(own[p][i], &x) == 0 && addr_equal(a, &x))
			return true;
	return false;
}

/* What the receiver of the packet would send back */
static bool reply_to(const struct test *t, const struct live_end *end, int oif, struct test *ret)
{
	bool v6 = t->dst.family == AF_INET6;

	*ret = *t;
	ret->place = end->local ? POD : oif == nv_link_by_name(view, "eth0")->index ? NODE : FAR;
	ret->src = end->dst;
	ret->dst = end->src;
	ret->sport = end->dport >= 0 ? end->dport : t->sport;
	ret->dport = end->sport;
	ret->mark = 0;
	ret->flags = 0x12;
	ret->spoof = true;
	if (t->kind == 'i')
		ret->type = t->type == (v6 ? 128 : 8) ? (v6 ? 129 : 0) : t->type == 13 && !v6 ? 14 : -1;
	if (ret->place != POD && (is_own(ret->place, &ret->dst) || is_nobody(ret->place, &ret->dst)))
		return false;
	return t->kind != 's' && (t->kind != 'i' || ret->type >= 0);
}

/* Another packet of the connection, which is tracked by now */
static json_t *later_packet(const struct test *t, const char *phase)
{
	struct conn_list *conns;
	struct err e = ERR_INIT;
	json_t *o;

	if (make_tracers(&e) < 0 || conns_read(&target->netns, &conns, &e) < 0)
		return failed(&e);
	if (conn_list_index(conns) < 0)
		errx(2, "out of memory");
	tracer_know(tracer, conns);
	tracer_know(swift, conns);
	o = one_packet(t);
	tracer_know(tracer, NULL);
	tracer_know(swift, NULL);
	conns_free(conns);
	json_object_set_new(o, "phase", json_string(phase));
	return o;
}

/* Once more, the answer, and what follows it */
static json_t *flow(const struct test *t)
{
	const struct live_end end = seen.end;
	int oif = (int)seen.last_oif;
	json_t *all = json_array();
	struct test reply, more = *t;

	if ((!end.local && !end.out) || !reply_to(t, &end, oif, &reply))
		return all;
	json_array_append_new(all, later_packet(t, "once more"));
	json_array_append_new(all, later_packet(&reply, "reply"));
	more.flags = 0x10;
	json_array_append_new(all, later_packet(&more, "after the reply"));
	json_array_append_new(all, later_packet(&reply, "second reply"));
	return all;
}

static json_t *packet(const struct test *t)
{
	json_t *o;

	struct err e = ERR_INIT;

	if (!rules)
		return error("nothing is loaded");
	/* two connections that a rule gives one port would clash */
	for (unsigned p = 0; p < PLACES; p++)
		forget_connections(p);
	if (make_tracers(&e) < 0)
		return failed(&e);
	o = one_packet(t);
	if (t->flow)
		json_object_set_new(o, "later", flow(t));
	return o;
}

static void prepare_lists(void)
{
	struct arena *a = arena_new();
	const char *why;

	lists = arena_new();
	if (!a || !lists || parts_parse(a, PARTS_TCPOPT, "none", &no_options, &why) < 0 ||
	    parts_parse(a, PARTS_TCPOPT, "maxseg,sack-perm,timestamp,nop,window", &linux_options, &why) < 0)
		errx(2, "lists");
}

int main(int argc, char **argv)
{
	struct pod_options po = { .host_root = "/" };
	struct err e = ERR_INIT;
	char line[1024], spec[600];

	if (argc != 4)
		errx(2, "usage: kdiff POD NODE FAR");
	for (int i = 0; i < PLACES; i++)
		if ((ns_fd[i] = open(argv[i + 1], O_RDONLY | O_CLOEXEC)) < 0)
			err(2, "%s", argv[i + 1]);
	snprintf(spec, sizeof(spec), "netns:%s", argv[1]);
	enter(POD);
	test_listen();
	prepare_lists();
	if (target_open(spec, &po, &target, &e) < 0 || ktrace_open(&target->netns, true, &events, &e) < 0)
		errx(2, "%s: %s", e.what, e.why);
	while (fgets(line, sizeof(line), stdin)) {
		struct test t;
		json_t *o;
		char *text;

		arena_reset(lists);
		if (strncmp(line, "packet ", 7) == 0)
			o = test_parse(lists, line + 7, &t) < 0 ? error("bad packet") : packet(&t);
		else
			o = load();
		text = o ? json_dumps(o, JSON_COMPACT) : NULL;
		puts(text ? text : "{\"result\":\"error\"}");
		fflush(stdout);
		free(text);
		json_decref(o);
	}
	return 0;
}
