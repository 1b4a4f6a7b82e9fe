/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace - which rules a connection hits, hook by hook, and what becomes of it */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/head.h"
#include "commands/trace/report.h"
#include "commands/trace/source.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/dump/assume.h"
#include "nsutil/load.h"
#include "nsutil/ruleset/netview.h"
#include "nsutil/trace/connection.h"

extern const struct command command_trace;

/* All that is read of the target. */
struct scene {
	struct target *target;
	struct ruleset *rs;
	struct netview *nv; /* NULL: the target is a file of rules, and each connection gets an assumed one */
	struct tracer *tracer;
	struct netview *assumed; /* of the last connection */
	struct trace_options opt;
};

static void scene_clear(struct scene *sc)
{
	tracer_free(sc->tracer);
	netview_free(sc->nv);
	netview_free(sc->assumed);
	ruleset_free(sc->rs);
}

static int scene_make(struct session *s, const struct trace_options *opt, struct scene *sc, struct err *e)
{
	if (session_target(s, &sc->target, e) < 0)
		return -1;
	sc->opt = *opt;
	if (load_ruleset(sc->target, LOAD_ALL, &sc->rs, e) < 0 ||
	    load_netview(sc->target, NETVIEW_ALL, &sc->nv, e) < 0)
		return -1;
	return sc->nv ? tracer_new(sc->rs, sc->nv, opt, &sc->tracer, e) : 0;
}

/* Of a file without links and routes: the connection itself says which address is the target's. */
static int assume(struct scene *sc, const struct trace_request *rq, struct err *e)
{
	struct assume_known known = { .iif = rq->iif, .oif = rq->oif };
	struct netview *nv;

	if (rq->path != TRACE_FORWARD)
		known.own = rq->path == TRACE_OUT ? rq->src : rq->dst;
	if (assume_netview(&known, &nv, e) < 0)
		return -1;
	tracer_free(sc->tracer);
	sc->tracer = NULL;
	netview_free(sc->assumed);
	sc->assumed = nv;
	return tracer_new(sc->rs, nv, &sc->opt, &sc->tracer, e);
}

static int follow(struct scene *sc, const struct trace_request *rq, struct trace_result **ret, struct err *e)
{
	if (!sc->nv && assume(sc, rq, e) < 0)
		return -1;
	return trace_run(sc->tracer, rq, ret, e);
}

static void put_assumed(const struct scene *sc, struct out *o)
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

static int trace_one(struct scene *sc, const struct trace_request *rq, bool explain, struct out *o, struct err *e)
{
	struct trace_result *res;

	if (follow(sc, rq, &res, e) < 0)
		return -1;
	out_begin(o, "trace");
	head_target(sc->target, o);
	put_assumed(sc, o);
	report_trace(res, explain, o);
	out_end(o);
	trace_result_free(res);
	return 0;
}

/* ---- many connections, one after the other ---- */

/* Where they come from; of the pointers one is set, or of the switches. */
struct batch {
	const char *lines, *pcap;
	bool conns, sockets;
	struct session *s;
	struct scene *sc;
	bool explain;
	struct out *o;
};

static int trace_next(void *ctx, const struct trace_request *rq, struct err *e)
{
	struct batch *b = ctx;
	struct trace_result *res;

	if (follow(b->sc, rq, &res, e) < 0)
		return -1;
	out_object(b->o, NULL);
	report_trace(res, b->explain, b->o);
	out_object_end(b->o);
	out_nl(b->o);
	trace_result_free(res);
	return session_interrupted(b->s);
}

/* One line of the file; what it needs of memory is given back behind it. */
static int trace_line(struct batch *b, const char *line, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct trace_request rq;

	if (!a)
		return err_oom(e);
	return connection_parse_line(a, line, &rq, e) < 0 ? -1 : trace_next(b, &rq, e);
}

static int trace_lines(struct batch *b, FILE *f, struct err *e)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	int ret = 0;

	for (unsigned long n = 1; ret == 0 && getline(&line, &room, f) >= 0; n++) {
		const char *text = line + strspn(line, " \t\r\n");

		if (!*text || *text == '#')
			continue;
		ret = trace_line(b, text, e);
		if (ret < 0)
			return err_wrap(e, "line %lu", n);
	}
	return ferror(f) ? err_sys(e, errno, "cannot read the connections") : 0;
}

static int trace_file(struct batch *b, struct err *e)
{
	_cleanup_fclose_ FILE *f = NULL;

	if (strcmp(b->lines, "-") == 0)
		return trace_lines(b, stdin, e);
	f = fopen(b->lines, "re");
	return f ? trace_lines(b, f, e) : err_sys(e, errno, "cannot open '%s'", b->lines);
}

static int trace_source(struct batch *b, struct err *e)
{
	struct scene *sc = b->sc;

	if (b->lines)
		return trace_file(b, e);
	if (b->pcap)
		return source_pcap(b->pcap, sc->nv, trace_next, b, e);
	return b->conns ? source_conns(sc->target, sc->nv, trace_next, b, e)
			: source_sockets(sc->target, sc->nv, trace_next, b, e);
}

static int trace_batch(struct batch *b, struct err *e)
{
	int ret;

	if ((b->conns || b->sockets) && !b->sc->nv)
		return err_set(e, ERR_USAGE, "trace", "a file has no connections of its own; take them from --from or --pcap");
	out_begin(b->o, "trace");
	head_target(b->sc->target, b->o);
	put_assumed(b->sc, b->o);
	out_stream(b->o, "traces");
	ret = trace_source(b, e);
	out_stream_end(b->o);
	out_end(b->o);
	return ret < 0 ? -1 : 0;
}

static struct batch batch_of(struct session *s, const struct command_args *args, struct scene *sc, struct out *o)
{
	return (struct batch){
		.lines = command_opt(&command_trace, args, "from"), .pcap = command_opt(&command_trace, args, "pcap"),
		.conns = command_opt(&command_trace, args, "from-conns"),
		.sockets = command_opt(&command_trace, args, "from-sockets"),
		.s = s, .sc = sc, .o = o, .explain = command_opt(&command_trace, args, "explain"),
	};
}

static int run(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	bool explain = command_opt(&command_trace, args, "explain");
	struct trace_options opt = { .all = explain || command_opt(&command_trace, args, "all") };
	__attribute__((cleanup(scene_clear))) struct scene sc = { 0 };
	struct batch b = batch_of(s, args, &sc, o);
	int sources = !!b.lines + !!b.pcap + b.conns + b.sockets + (args->argc > 0);
	struct trace_request rq;

	if (!a)
		return err_oom(e);
	if (sources > 1)
		return err_set(e, ERR_USAGE, "trace", "give one of a connection, --from, --from-conns, --from-sockets and --pcap");
	if (sources && !args->argc)
		return scene_make(s, &opt, &sc, e) < 0 ? -1 : trace_batch(&b, e);
	if (connection_parse(a, args->argc, args->argv, &rq, e) < 0)
		return -1;
	if (scene_make(s, &opt, &sc, e) < 0)
		return -1;
	return trace_one(&sc, &rq, explain, o, e);
}

static const struct command_option options[] = {
	{ "all", 'a', ARG_NONE, NULL, NULL, "every rule that was looked at, not only those that matched" },
	{ "explain", 'e', ARG_NONE, NULL, NULL, "why each rule before did not match: what it wanted and what it saw" },
	{ "from", 0, ARG_FILE, "FILE", NULL, "trace every connection of FILE (JSON lines or words; - for standard input)" },
	{ "from-conns", 0, ARG_NONE, NULL, NULL, "trace every connection-tracking entry of the target, as its first packet was" },
	{ "from-sockets", 0, ARG_NONE, NULL, NULL, "trace the connection of every established socket of the target" },
	{ "pcap", 0, ARG_FILE, "FILE", NULL, "trace the first packet of each connection of a capture (- for standard input)" },
	{ .name = NULL },
};

static const char *const examples[] = {
	"-t shop/cart trace out tcp 10.96.0.10:80 uid 1000",
	"-t shop/cart trace in tcp 10.0.1.1:40000 to 10.0.1.39:8080",
	"-t shop/cart trace --explain out udp [fd00::53]:53 uid 1337 -o json",
	"trace icmp 10.0.0.1",
	"-t shop/cart trace --from connections.jsonl -o jsonl",
	"-t shop/cart trace --from-sockets -o jsonl",
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
		"What is not given is not guessed: the answer then has several outcomes, each with what it depends\n"
		"on. To give more, behind the destination: sport N, dport N, uid N, gid N (by default the same\n"
		"number as uid), mark N (of the socket), iif IF, oif IF, ctstate new|established|related|invalid|untracked, ctmark N, type N[/CODE], dscp N,\n"
		"ttl N, length N, flags LIST (tcp), cgroup N, priority N.",
	.examples = examples,
	.run = run,
};
