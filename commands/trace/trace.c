/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace - which rules a connection hits, hook by hook, and what becomes of it */
#include "commands/command.h"
#include "commands/head.h"
#include "commands/trace/lines.h"
#include "commands/trace/live.h"
#include "commands/trace/onward.h"
#include "commands/trace/report.h"
#include "commands/trace/scene.h"
#include "commands/trace/source.h"
#include "commands/trace/verify.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/trace/connection.h"

extern const struct command command_trace;

/* What was asked to be done with each connection. */
struct manner {
	struct session *s;
	struct scene *sc;
	struct onward *onward;
	bool explain, verified, further; /* further: on behind the target */
	struct out *o;
};

/* The keys of one trace, with what follows it; the result is given back. @v: what the kernel did, or NULL. */
static int put_trace(const struct manner *m, struct trace_result *res, const struct verify *v, struct err *e)
{
	int ret, found;

	report_trace(res, m->sc->target->label, m->explain, m->sc->texts, m->o);
	found = report_verify(v, res, m->o);
	ret = onward_report(m->onward, res, m->explain, m->o, e);
	trace_result_free(res);
	return ret < 0 ? ret : found ? found : ret;
}

/* The same through the kernel, in a copy of what was read. */
static int verify(const struct scene *sc, const struct trace_result *res, struct verify **ret, struct err *e)
{
	struct scratch_source src = { .ns = sc->target->kind == TARGET_FILE ? NULL : &sc->target->netns,
				      .rs = sc->rs, .nv = sc->nv ? sc->nv : sc->assumed, .order = sc->opt.order,
				      .n_order = sc->opt.n_order, .ipsets = sc->ipsets,
				      .ipsets_unread = sc->opt.ipsets_unread };

	return verify_run(&src, res, ret, e) < 0 ? err_wrap(e, "--verify") : 0;
}

static int trace_one(const struct manner *m, const struct trace_request *rq, struct err *e)
{
	struct trace_request first = *rq;
	struct trace_result *res;
	struct verify *v = NULL;
	int ret;

	/* the copy of the target tracks no connection yet */
	first.first |= m->verified;
	if (scene_trace(m->sc, &first, &res, e) < 0)
		return -1;
	if (m->verified && verify(m->sc, res, &v, e) < 0) {
		trace_result_free(res);
		return -1;
	}
	out_begin(m->o, "trace");
	head_target(m->sc->target, m->o);
	scene_put_assumed(m->sc, m->o);
	ret = put_trace(m, res, v, e);
	out_end(m->o);
	verify_free(v);
	return ret;
}

/* ---- many connections, one after the other ---- */

/* Where they come from; of the pointers one is set, or of the switches. */
struct batch {
	const char *lines, *pcap;
	bool conns, sockets;
	bool any;		/* something came of them, if only an error */
	const struct manner *m;
};

static int trace_next(void *ctx, const struct trace_request *rq, struct err *e)
{
	struct batch *b = ctx;
	const struct manner *m = b->m;
	struct trace_result *res;
	int ret;

	b->any = true;
	if (scene_trace(m->sc, rq, &res, e) < 0)
		return -1;
	out_object(m->o, NULL);
	ret = put_trace(m, res, NULL, e);
	out_object_end(m->o);
	out_nl(m->o);
	return ret < 0 ? -1 : session_interrupted(m->s);
}

/* A line that is no connection: an object in its place. */
static void line_wrong(void *ctx, unsigned long line, const struct err *e)
{
	struct batch *b = ctx;
	struct out *o = b->m->o;

	b->any = true;
	out_object(o, NULL);
	out_uint(o, "line", NULL, line);
	out_object(o, "error");
	out_str(o, "code", NULL, err_code_name(e->code));
	out_str(o, "what", NULL, e->what);
	out_str(o, "why", NULL, e->why);
	out_str(o, "hint", NULL, e->hint[0] ? e->hint : NULL);
	out_object_end(o);
	out_style(o, STYLE_BAD);
	out_text(o, "line %lu: %s: %s", line, e->what, e->why);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
	out_object_end(o);
	out_nl(o);
}

/* Answers to what has come so far should not wait for what is still to come. */
static int line_wait(void *ctx)
{
	const struct manner *m = ((struct batch *)ctx)->m;

	out_hold(m->o, false);
	out_hold(m->o, true);
	return session_interrupted(m->s);
}

static int trace_file(struct batch *b, struct err *e)
{
	struct lines_to to = { trace_next, line_wrong, line_wait, b };
	const struct manner *m = b->m;
	int ret;

	m->sc->room = m->further ? NULL : trace_room_new();
	m->sc->texts = out_structured(m->o) ? texts_new() : NULL;
	if ((!m->sc->room && !m->further) || (out_structured(m->o) && !m->sc->texts))
		return err_oom(e);
	ret = lines_read(b->lines, &to, e);
	out_hold(m->o, false);
	return ret;
}

static int trace_source(struct batch *b, struct err *e)
{
	struct scene *sc = b->m->sc;

	if (b->lines)
		return trace_file(b, e);
	if (b->pcap)
		return source_pcap(b->pcap, sc->nv, trace_next, b, e);
	return b->conns ? source_conns(sc->target, sc->nv, trace_next, b, e)
			: source_sockets(sc->target, sc->nv, trace_next, b, e);
}

/* A person would take silence for an answer about something. */
static void say_none(const struct batch *b)
{
	struct out *o = b->m->o;

	out_text(o, "%s", b->lines ? "No connection was given." : b->pcap ? "The capture holds no connection that can be traced."
			: b->conns ? "Connection tracking has no entry here that can be traced."
				   : "No socket here is connected.");
	out_nl(o);
}

static int trace_batch(struct batch *b, struct err *e)
{
	const struct manner *m = b->m;
	int ret;

	if ((b->conns || b->sockets) && !m->sc->nv)
		return err_set(e, ERR_USAGE, "trace", "a file has no connections of its own; take them from --from or --pcap");
	out_begin(m->o, "trace");
	head_target(m->sc->target, m->o);
	scene_put_assumed(m->sc, m->o);
	out_stream(m->o, "traces");
	ret = trace_source(b, e);
	out_stream_end(m->o);
	if (ret == 0 && !b->any)
		say_none(b);
	out_end(m->o);
	return ret < 0 ? -1 : 0;
}

static bool given(const struct command_args *args, const char *option)
{
	return command_opt(&command_trace, args, option);
}

static int start(struct manner *m, const struct command_args *args, struct err *e)
{
	struct trace_options opt = { .all = m->explain || given(args, "all") };
	struct target *t;

	if (session_target(m->s, &t, e) < 0 || scene_make(t, &opt, m->sc, e) < 0)
		return -1;
	return onward_new(m->s, m->sc, given(args, "through-proxy"), given(args, "through-node"), &m->onward, e);
}

/* Words narrow it down; without any, every packet counts. */
static int live(struct manner *m, const struct command_args *args, const struct trace_request *rq, struct err *e)
{
	struct trace_options opt = { .all = true };
	struct live_request lr = { .s = m->s, .only = rq, .count = command_opt(&command_trace, args, "count"),
				   .time = command_opt(&command_trace, args, "time") };

	if (session_target(m->s, &lr.target, e) < 0 || scene_make(lr.target, &opt, m->sc, e) < 0)
		return -1;
	lr.rs = m->sc->rs;
	lr.nv = m->sc->nv;
	lr.tracer = m->verified ? m->sc->tracer : NULL;
	return trace_live(&lr, m->o, e);
}

static int run(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	__attribute__((cleanup(scene_clear))) struct scene sc = { 0 };
	struct manner m = { .s = s, .sc = &sc, .explain = given(args, "explain"), .o = o, .verified = given(args, "verify"),
			    .further = given(args, "through-proxy") || given(args, "through-node") };
	struct batch b = {
		.lines = command_opt(&command_trace, args, "from"), .pcap = command_opt(&command_trace, args, "pcap"),
		.conns = given(args, "from-conns"), .sockets = given(args, "from-sockets"), .m = &m,
	};
	int sources = !!b.lines + !!b.pcap + b.conns + b.sockets, ret;
	struct trace_request rq;

	if (!a)
		return err_oom(e);
	if (sources + (args->argc > 0) > 1)
		return err_set(e, ERR_USAGE, "trace", "give one of a connection, --from, --from-conns, --from-sockets and --pcap");
	if (given(args, "live") && (sources || given(args, "through-proxy") || given(args, "through-node")))
		return err_set(e, ERR_USAGE, "trace", "--live goes with the words of a connection, --verify, --count and --time only");
	if (given(args, "live") && !args->argc)
		return live(&m, args, NULL, e);
	if (m.verified && !args->argc)
		return err_set(e, ERR_USAGE, "trace", "--verify goes with one connection");
	if (!sources && connection_parse(a, args->argc, args->argv, &rq, e) < 0)
		return -1;
	if (given(args, "live"))
		return live(&m, args, &rq, e);
	ret = start(&m, args, e);
	if (ret == 0)
		ret = sources ? trace_batch(&b, e) : trace_one(&m, &rq, e);
	onward_free(m.onward);
	return ret;
}

static const struct command_option options[] = {
	{ "all", 'a', ARG_NONE, NULL, NULL, "every rule that was looked at, not only those that matched" },
	{ "explain", 'e', ARG_NONE, NULL, NULL, "why each rule before did not match: what it wanted and what it saw" },
	{ "verify", 0, ARG_NONE, NULL, NULL, "send the connection through the kernel too, in a copy of the target, and compare" },
	{ "live", 0, ARG_NONE, NULL, NULL, "the kernel's own trace of real packets in the target; with --verify, each compared" },
	{ "count", 0, ARG_NUMBER, "N", NULL, "--live: end after N packets (default 10)" },
	{ "time", 0, ARG_NUMBER, "SECS", NULL, "--live: end after SECS seconds (default 30)" },
	{ "from", 0, ARG_FILE, "FILE", NULL, "trace every connection of FILE (JSON lines or words; - for standard input)" },
	{ "from-conns", 0, ARG_NONE, NULL, NULL, "trace every connection-tracking entry of the target, as its first packet was" },
	{ "from-sockets", 0, ARG_NONE, NULL, NULL, "trace the connection of every established socket of the target" },
	{ "pcap", 0, ARG_FILE, "FILE", NULL, "trace the first packet of each connection of a capture (- for standard input)" },
	{ "through-proxy", 0, ARG_NONE, NULL, NULL, "go on with the connection that the proxy makes of a captured one" },
	{ "through-node", 0, ARG_NONE, NULL, NULL, "go on through the pod's veth into the node, and into the pod behind another" },
	{ .name = NULL },
};

static const char *const examples[] = {
	"-t shop/cart trace out tcp 10.96.0.10:80 uid 1000",
	"-t shop/cart trace in tcp 10.0.1.1:40000 to 10.0.1.39:8080",
	"-t shop/cart trace --explain out udp [fd00::53]:53 uid 1337 -o json",
	"-t shop/cart trace --through-proxy --through-node out tcp 10.96.0.10:80 uid 1000",
	"trace icmp 10.0.0.1",
	"-t shop/cart trace --verify out tcp 10.96.0.10:80 uid 1000",
	"-t shop/cart trace --from connections.jsonl -o jsonl",
	"-t shop/cart trace --from-sockets -o jsonl",
	"-t shop/cart trace in tcp 10.0.1.1:40000 to 10.0.1.39:8080 tcpopt maxseg=1460,sack-perm,timestamp,nop,window=7",
	"-t shop/cart trace --pcap eth0.pcap -o jsonl",
	NULL,
};

const struct command command_trace = {
	.name = "trace",
	.summary = "show which rules a connection hits, and what becomes of it",
	.operands = "[out|in|forward] PROTO [SRC[:PORT] to] DST[:PORT] [KEY VALUE]...",
	.operand_kind = ARG_CONNECTION,
	.operand_choices = connection_keys,
	.max_args = -1,
	.options = options,
	.formats = OUT_JSONL,
	.description =
		"Follows the first packet of a connection through the target as its kernel would: 'out' (the default)\n"
		"starts in the target with the route and the source address, then OUTPUT and POSTROUTING; what is\n"
		"redirected to the target itself goes on through lo, PREROUTING and INPUT to the listening socket.\n"
		"'in' arrives on an interface. All stores are walked in the kernel's order; nothing is sent.\n\n"
		"PROTO is tcp, udp, icmp, icmpv6, sctp, dccp, udplite, gre, esp, ah, igmp or a number; behind icmp a\n"
		"type may follow. An IPv6 address with a port is written [ADDRESS]:PORT. Instead of 'to' one may\n"
		"write '->', which a shell needs quoted.\n\n"
		"With --verify the same packet is sent through the kernel, in a namespace of its own that holds a copy of\n"
		"the target's rules of all stores, links, addresses, routes, policy rules, settings and listeners, and the\n"
		"kernel's own trace is compared with this one, step by step. The target is not touched, and nothing is left.\n"
		"Status 1: they disagree. It needs CAP_SYS_ADMIN and CAP_NET_ADMIN.\n\n"
		"With --live real packets in the target are watched, all or those that the words describe ('out': made\n"
		"there, 'in': coming in). A table that sets the trace bit is made, owned by a socket and gone with it, and\n"
		"for legacy tables the packet logger is replaced and put back; so this asks first, or takes --yes. What a\n"
		"killed run has left of the logger, the next --live in that namespace puts back, and says so; any other\n"
		"command about that target says that it is there, and changes nothing.\n\n"
		"A connection that is given with both ports and is tracked already has the state, mark and mapping of its\n"
		"entry, and the answer says so; 'ctstate new' asks for its first packet.\n\n"
		"What is not given is not guessed: the answer then has several outcomes, each with what it depends\n"
		"on. To give more, behind the destination: sport N, dport N, uid N, gid N (by default the same\n"
		"number as uid), mark N (of the socket), iif IF, oif IF, ctstate new|established|related|invalid|untracked, ctmark N, type N[/CODE], id N (icmp), dscp N,\n"
		"ecn N, ttl N, length N, flags LIST, mss N, tcpopt LIST (tcp), spi N (ah, esp), frag none|first|later|OFFSET[+], fragid N,\n"
		"ipopt LIST (IPv4), exthdr LIST (IPv6), smac ADDR, dmac ADDR (of the frame, in, forward), cgroup N,\n"
		"cgroupv2 PATH (of the sender, as /system.slice/x.service), priority N; LIST is none or as maxseg=1460,sack-perm,timestamp.",
	.examples = examples,
	.run = run,
};
