/* SPDX-License-Identifier: GPL-2.0-or-later */
/* live - the kernel's trace of real packets, as a command */
#include "commands/trace/live.h"

#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "commands/head.h"
#include "commands/trace/verify.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/live/logger.h"
#include "nsutil/live/watch.h"
#include "nsutil/trace/connection.h"

enum { TCP = 6, SYN = 2, SYN_MASK = 0x17, MOST = 1000000, SEEN = 256 };

/* One that went by: how it came, and how it ended. */
struct seen {
	struct addr src, dst, end_src, end_dst;
	int sport, dport, end_sport, end_dport;
	uint8_t l4proto;
};

struct live {
	const struct live_request *lr;
	struct out *o;
	bool differs;
	struct seen seen[SEEN];	/* the last ones */
	unsigned n_seen;
};

static int number(const char *text, const char *what, unsigned fallback, unsigned *ret, struct err *e)
{
	char *end;
	unsigned long v = text ? strtoul(text, &end, 10) : fallback;

	if (text && (!*text || *end || v < 1 || v > MOST))
		return err_set(e, ERR_USAGE, what, "'%s' is no number from 1 to %d", text, MOST);
	*ret = (unsigned)v;
	return 0;
}

static struct nft_mark_filter filter_of(const struct trace_request *rq)
{
	struct nft_mark_filter f = { .l4proto = -1, .sport = -1, .dport = -1, .icmp_type = -1 };

	if (!rq)
		return f;
	f.family = rq->family;
	f.l4proto = rq->l4proto;
	f.src = rq->src;
	f.dst = rq->dst;
	f.sport = rq->sport;
	f.dport = rq->dport;
	f.icmp_type = rq->icmp_type;
	f.has_uid = rq->path == TRACE_OUT && rq->has_uid;
	f.uid = rq->uid;
	return f;
}

static void put_mark(const struct watch_options *opt, bool out, struct out *o)
{
	char rule[512], text[600];

	nft_mark_text(&opt->filter, out, rule, sizeof(rule));
	snprintf(text, sizeof(text), "table inet " NFT_MARK_TABLE ", hook %s: %s", out ? "output" : "prerouting", rule);
	out_str(o, NULL, "  %s\n", text);
}

static void put_plan(const struct watch_options *opt, struct out *o)
{
	out_array(o, "plan");
	out_text(o, "to be made in the target, and gone again afterwards:");
	out_nl(o);
	if (opt->hooks & NFT_MARK_OUT)
		put_mark(opt, true, o);
	if (opt->hooks & NFT_MARK_IN)
		put_mark(opt, false, o);
	out_str(o, NULL, "  %s\n", "an empty rule behind all others at hooks input and postrouting");
	if (opt->legacy)
		out_str(o, NULL, "  %s\n", "nfnetlink_log as the packet logger of IPv4 and IPv6, and the former one back");
	out_array_end(o);
}

static void put_packet(const struct watch_packet *p, struct out *o)
{
	const struct ktrace_step *f = &p->first;
	char src[ADDR_TEXT], dst[ADDR_TEXT], proto[8];
	const char *name = connection_proto(f->l4proto, proto);
	bool ports = f->sport >= 0;
	_cleanup_buf_ struct buf from = BUF_INIT, to = BUF_INIT;

	connection_endpoint(&f->src, f->sport, ports, &from);
	connection_endpoint(&f->dst, f->dport, ports, &to);
	out_style(o, STYLE_HEAD);
	out_text(o, "%s %s -> %s  %s", f->l4proto ? name : "?", buf_cstr(&from), buf_cstr(&to), p->out ? "out" : "in");
	out_style(o, STYLE_PLAIN);
	out_nl(o);
	out_object(o, "packet");
	out_str(o, "path", NULL, p->out ? "out" : "in");
	out_str(o, "protocol", NULL, f->l4proto ? name : NULL);
	out_str(o, "saddr", NULL, f->src.family ? addr_fmt(&f->src, src) : NULL);
	out_str(o, "daddr", NULL, f->dst.family ? addr_fmt(&f->dst, dst) : NULL);
	if (ports)
		out_int(o, "sport", NULL, f->sport);
	else
		out_null(o, "sport");
	if (ports)
		out_int(o, "dport", NULL, f->dport);
	else
		out_null(o, "dport");
	out_uint(o, "iif", NULL, f->iif);
	out_uint(o, "oif", NULL, f->oif);
	out_object_end(o);
}

static void put_steps(const struct live *l, const struct watch_packet *p, struct out *o)
{
	out_array(o, "steps");
	for (unsigned i = 0; i < p->n; i++) {
		struct live_step s;

		if (!live_step_of(&p->steps[i], l->lr->rs, l->lr->rs, &s))
			continue;
		report_live_step(NULL, &s, o);
		out_text(o, "   ");
		report_step_text(&s, o);
		out_nl(o);
	}
	out_array_end(o);
}

/* What the packet shows of itself; the user stands in what legacy tables log. */
static struct trace_request request_of(const struct live *l, const struct watch_packet *p)
{
	const struct ktrace_step *f = &p->first;
	struct trace_request rq = TRACE_REQUEST_INIT;
	const struct nv_link *in = p->out ? NULL : nv_link_by_index(l->lr->nv, (int)f->iif);

	rq.path = p->out ? TRACE_OUT : TRACE_IN;
	rq.family = f->ip_family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	rq.l4proto = f->l4proto;
	rq.src = f->src;
	rq.dst = f->dst;
	rq.sport = f->sport;
	rq.dport = f->dport;
	rq.icmp_type = f->icmp_type;
	rq.length = f->length;
	rq.iif = in ? in->name : NULL;
	if (f->l4proto == TCP && f->tcp_flags >= 0) {
		rq.tcp_flags = f->tcp_flags;
		rq.ct_state = (f->tcp_flags & SYN_MASK) == SYN ? 0 : TRACE_CT_ESTABLISHED;
	}
	rq.has_mark = p->out && f->has_mark;
	rq.mark = f->mark;
	for (unsigned i = 0; i < p->n && p->out; i++)
		if (p->steps[i].has_uid) {
			rq.has_uid = rq.has_gid = true;
			rq.uid = p->steps[i].uid;
			rq.gid = p->steps[i].gid;
			break;
		}
	return rq;
}

static void remember(struct live *l, const struct watch_packet *p)
{
	const struct ktrace_step *f = &p->first;

	l->seen[l->n_seen++ % SEEN] = (struct seen){
		.src = f->src, .dst = f->dst, .sport = f->sport, .dport = f->dport, .l4proto = f->l4proto,
		.end_src = p->end.src, .end_dst = p->end.dst, .end_sport = p->end.sport, .end_dport = p->end.dport,
	};
}

/* Of a connection of which a packet went by already: of the same way, or as the answer to it */
static bool follows_one_seen(const struct live *l, const struct ktrace_step *f)
{
	for (unsigned i = 0; i < l->n_seen && i < SEEN; i++) {
		const struct seen *s = &l->seen[i];

		if (s->l4proto != f->l4proto)
			continue;
		if (addr_equal(&s->src, &f->src) && addr_equal(&s->dst, &f->dst) && s->sport == f->sport && s->dport == f->dport)
			return true;
		if (addr_equal(&s->end_src, &f->dst) && addr_equal(&s->end_dst, &f->src) && s->end_sport == f->dport &&
		    s->end_dport == f->sport)
			return true;
	}
	return false;
}

/* How a connection is rewritten that began since the table of connections was read, only its first packet tells: whether
 * a later one is right cannot be said, as it may be an answer. */
static bool began_since(const struct live *l, const struct watch_packet *p, const struct trace_request *rq,
			const struct trace_outcome *u)
{
	if (u->conn_used)
		return false;
	return rq->l4proto == TCP ? rq->ct_state & TRACE_CT_ESTABLISHED : follows_one_seen(l, &p->first);
}

/* The kernel's trace shows the header of IPv6 and of the transport, and nothing between them. */
static bool has_hidden_headers(const struct ktrace_step *f)
{
	return f->ip_family == AF_INET6 && (f->l4proto == IPPROTO_HOPOPTS || f->l4proto == IPPROTO_ROUTING ||
					    f->l4proto == IPPROTO_FRAGMENT || f->l4proto == IPPROTO_DSTOPTS);
}

/* Why a difference says nothing; NULL when it does */
static const char *no_difference(const struct live *l, const struct watch_packet *p, const struct trace_request *rq,
				 const struct trace_outcome *u)
{
	if (has_hidden_headers(&p->first))
		return "its extension headers are not shown by the kernel: ";
	return began_since(l, p, rq, u) ? "its connection began since the rules were read: " : NULL;
}

static int compare(struct live *l, const struct watch_packet *p, struct out *o, struct err *e)
{
	struct trace_request rq = request_of(l, p);
	struct live_comparison c;
	struct trace_result *res;
	const char *why;

	if (trace_run(l->lr->tracer, &rq, &res, e) < 0)
		return -1;
	live_compare(p->steps, p->n, &p->end, l->lr->rs, l->lr->rs, res, &c);
	why = c.judgement == LIVE_DIFFERS ? no_difference(l, p, &rq, &res->outcomes[c.branch]) : NULL;
	if (why)
		c.judgement = LIVE_UNKNOWN;
	remember(l, p);
	out_object(o, "verify");
	out_text(o, "   %s", why ? why : "");
	l->differs |= report_comparison(&c, &p->end, o) != 0;
	if (c.judgement != LIVE_DIFFERS)
		out_nl(o);
	out_object_end(o);
	trace_result_free(res);
	return 0;
}

static int on_packet(void *arg, const struct watch_packet *p, struct err *e)
{
	struct live *l = arg;
	struct out *o = l->o;
	int r = 0;

	out_object(o, NULL);
	put_packet(p, o);
	put_steps(l, p, o);
	report_end(&p->end, o);
	if (l->lr->tracer)
		r = compare(l, p, o, e);
	else
		out_null(o, "verify");
	out_object_end(o);
	out_nl(o);
	return r;
}

static bool stopped(void *arg)
{
	return session_interrupted(((struct live *)arg)->lr->s);
}

static int repair(const struct live_request *lr, struct out *o, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	int n = a ? logger_repair(&lr->target->netns, a, e) : err_oom(e);

	if (n > 0)
		out_note(o, "a former 'trace --live' was killed; the packet logger that it had replaced in %s is put back",
			 lr->target->label);
	return n < 0 ? -1 : 0;
}

static int watch(struct live *l, const struct watch_options *opt, struct out *o, struct err *e)
{
	unsigned seen = 0;
	int r;

	out_stream(o, "packets");
	r = watch_run(opt, &seen, e);
	out_stream_end(o);
	out_text(o, "%u packet%s seen", seen, seen == 1 ? "" : "s");
	out_nl(o);
	out_end(o);
	return r < 0 ? -1 : l->differs;
}

int trace_live(const struct live_request *lr, struct out *o, struct err *e)
{
	struct live l = { .lr = lr, .o = o };
	struct watch_options opt = { .ns = &lr->target->netns, .filter = filter_of(lr->only), .stop = stopped,
				     .packet = on_packet, .arg = &l, .legacy = ruleset_has(lr->rs, STORE_LEGACY) };
	char question[200];

	if (lr->target->kind == TARGET_FILE)
		return err_set(e, ERR_USAGE, "trace --live", "%s is a file: no packet passes it", lr->target->label);
	if (number(lr->count, "--count", LIVE_COUNT, &opt.count, e) < 0 ||
	    number(lr->time, "--time", LIVE_TIME, &opt.seconds, e) < 0)
		return -1;
	opt.hooks = !lr->only ? NFT_MARK_OUT | NFT_MARK_IN : lr->only->path == TRACE_OUT ? NFT_MARK_OUT : NFT_MARK_IN;
	out_begin(o, "trace-live");
	head_target(lr->target, o);
	put_plan(&opt, o);
	if (session_options(lr->s)->dry_run) {
		out_array(o, "packets");
		out_array_end(o);
		out_text(o, "nothing was done (dry run).");
		out_nl(o);
		out_end(o);
		return 0;
	}
	snprintf(question, sizeof(question), "trace packets in %s (at most %u, for at most %u s)?", lr->target->label,
		 opt.count, opt.seconds);
	if (session_confirm(lr->s, question, e) < 0 || repair(lr, o, e) < 0)
		return -1;
	return watch(&l, &opt, o, e);
}
