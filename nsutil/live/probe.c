/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe - sends the packet of a connection in a scratch namespace and collects what the kernel does with it */
#include "nsutil/live/probe.h"

#include <netinet/in.h>
/* behind the C library's */
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/packet.h"
#include "nsutil/live/send.h"
#include "nsutil/nft/mark.h"
#include "nsutil/nft/nlsock.h"
#include "nsutil/trace/connection.h"

enum { STEPS_MOST = 100000, WAIT_FIRST = 2, WAIT_LAST = 256 };

struct probe {
	struct scratch *s;
	struct ktrace *kt;
	bool ingress;
	struct err *e;
};

int probe_open(struct scratch *s, bool legacy, bool ingress, struct probe **ret, struct err *e)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return err_oom(e);
	p->s = s;
	p->ingress = ingress;
	if (ktrace_open(&s->ns, legacy, &p->kt, e) < 0) {
		free(p);
		return -1;
	}
	*ret = p;
	return 0;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	ktrace_close(p->kt);
	free(p);
}

void probe_result_free(struct probe_result *r)
{
	if (r)
		arena_free(r->arena);
}

struct live_end probe_end(const struct probe_result *r)
{
	struct live_end end = { .known = true, .sport = -1, .dport = -1 };

	if (r->end == PROBE_ENDED_NOT)
		return end;
	end.local = r->end == PROBE_ENDED_LOCAL;
	end.out = r->end == PROBE_ENDED_OUT;
	end.src = r->last.src;
	end.dst = r->last.dst;
	end.sport = r->last.sport;
	end.dport = r->last.dport;
	return end;
}

struct collecting {
	struct probe_result *r;
	const char *start; /* the chain of the table that marks which all of them pass first; NULL: only one is sent */
};

/*
 * Of the table that marks, the two last chains tell where the packet came to; what comes behind means it went on.
 * Of fragments, the one that is asked for is the last to begin.
 */
static void take_own(const struct collecting *c, const struct ktrace_step *step)
{
	struct probe_result *r = c->r;
	bool input = strcmp(step->chain, "input") == 0;

	if (step->type != KTRACE_RULE)
		return;
	if (c->start && strcmp(step->chain, c->start) == 0) {
		r->n = 0;
		r->end = PROBE_ENDED_NOT;
		memset(&r->last, 0, sizeof(r->last));
	}
	if (!input && strcmp(step->chain, "postrouting") != 0)
		return;
	r->end = input ? PROBE_ENDED_LOCAL : PROBE_ENDED_OUT;
	/* told once per chain; of a later fragment of IPv6 never, since nft_set_pktinfo_ipv6() finds no headers */
	if (step->has_packet || strcmp(step->chain, r->last.chain) != 0)
		r->last = *step;
}

static void take(void *arg, const struct ktrace_step *step)
{
	const struct collecting *c = arg;
	struct probe_result *r = c->r;
	struct ktrace_step *more;

	if (strcmp(step->table, NFT_MARK_TABLE) == 0) {
		take_own(c, step);
		return;
	}
	more = r->n < STEPS_MOST ? arena_grow(r->arena, r->steps, r->n, sizeof(*more)) : NULL;
	if (!more)
		return;
	if (ktrace_goes_on(step))
		r->end = PROBE_ENDED_NOT;
	r->steps = more;
	r->steps[r->n++] = *step;
}

/* Neither ports nor, behind an extension header, the protocol are in every fragment. */
static struct nft_mark_filter fragment_filter(const struct trace_request *rq)
{
	return (struct nft_mark_filter){ .family = rq->family, .l4proto = -1, .dst = rq->dst, .sport = -1, .dport = -1,
					 .icmp_type = -1, .fragments = true, .id = rq->parts.id };
}

/* Answers and what the kernel sends by itself are other packets. */
static struct nft_mark_filter filter_of(const struct trace_request *rq)
{
	bool icmp = rq->l4proto == IPPROTO_ICMP || rq->l4proto == IPPROTO_ICMPV6, ports = connection_has_ports(rq->l4proto);

	return (struct nft_mark_filter){
		.family = rq->family,
		.l4proto = rq->l4proto,
		.dst = rq->dst,
		.sport = ports ? rq->sport : -1,
		.dport = ports ? rq->dport : -1,
		.icmp_type = !icmp ? -1 : rq->icmp_type >= 0 ? rq->icmp_type : rq->family == NFPROTO_IPV6 ? 128 : 8,
		.once = true,
	};
}

static int collect(struct probe *p, bool (*done)(void *arg, const struct probe_result *so_far), void *arg,
		   struct collecting *c, struct err *e)
{
	for (int wait = WAIT_FIRST; wait <= WAIT_LAST; wait *= 2) {
		int n;

		while ((n = ktrace_read(p->kt, wait, take, c, e)) > 0)
			;
		if (n < 0)
			return -1;
		if (done && done(arg, c->r))
			break;
	}
	return 0;
}

static void drop_step(void *arg, const struct ktrace_step *step)
{
	(void)arg;
	(void)step;
}

static int send_marked(struct probe *p, struct sending *w, struct probe_result *r,
		       bool (*done)(void *arg, const struct probe_result *so_far), void *arg, struct err *e)
{
	unsigned hooks = (w->rq.path == TRACE_OUT ? NFT_MARK_OUT : NFT_MARK_IN) | NFT_MARK_ENDS;
	const char *device = p->ingress && w->rq.path != TRACE_OUT ? w->iif : NULL;
	bool fragment = live_is_fragment(&w->rq);
	struct nft_mark_filter f = fragment ? fragment_filter(&w->rq) : filter_of(&w->rq);
	struct collecting c = { .r = r, .start = !fragment ? NULL : device ? "ingress" : w->rq.path == TRACE_OUT ? "output" : "prerouting" };
	int fd _cleanup_close_ = nlsock_open(&p->s->ns, e);

	if (fd < 0 || nft_mark_start(fd, &f, hooks, device, e) < 0 || ktrace_read(p->kt, 0, drop_step, NULL, e) < 0)
		return -1;
	r->error = send_now(w);
	r->sent = w->rq;
	return collect(p, done, arg, &c, e);
}

int probe_send(struct probe *p, const struct trace_request *rq, const char *iif, bool others,
	       bool (*done)(void *arg, const struct probe_result *so_far), void *arg, struct probe_result **ret,
	       struct err *e)
{
	struct sending w = { .s = p->s, .rq = *rq, .iif = iif, .others = others, .fd = -1 };
	struct arena *a = arena_new();
	struct probe_result *r = a ? arena_alloc(a, sizeof(*r)) : NULL;
	int status;

	if (!r) {
		arena_free(a);
		return err_oom(e);
	}
	r->arena = a;
	status = send_prepare(&w, e) < 0 ? -1 : send_marked(p, &w, r, done, arg, e);
	send_end(&w);
	if (status < 0) {
		arena_free(a);
		return -1;
	}
	*ret = r;
	return 0;
}
