/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch - the kernel's trace of real packets in a target, packet by packet */
#include "nsutil/live/watch.h"

#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/logger.h"
#include "nsutil/nft/nlsock.h"

enum { OPEN_MOST = 64, STEPS_MOST = 4000, TICK_MS = 100, LO = 1 };

struct open_packet {
	struct watch_packet p;
	uint32_t id;
	bool used, done;
	bool waited;		/* done, and looked at once more */
	struct ktrace_step now; /* its headers as last told */
	uint64_t touched, began; /* by the clock of steps */
};

struct watch {
	const struct watch_options *opt;
	struct open_packet open[OPEN_MOST];
	struct open_packet *last;
	uint64_t clock;
	unsigned seen;
	int status;
	struct err *e;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void finish(struct watch *w, struct open_packet *o)
{
	if (w->status == 0 && w->seen < w->opt->count) {
		w->status = w->opt->packet(w->opt->arg, &o->p, w->e) < 0 ? -1 : 0;
		w->seen++;
	}
	free(o->p.steps);
	if (w->last == o)
		w->last = NULL;
	memset(o, 0, sizeof(*o));
}

/* Room for one more; when there is none, the one that was quiet longest has to go. */
static struct open_packet *begin(struct watch *w, const struct ktrace_step *s)
{
	struct open_packet *o = &w->open[0];

	for (unsigned i = 0; i < OPEN_MOST && o->used; i++)
		if (!w->open[i].used || w->open[i].touched < o->touched)
			o = &w->open[i];
	if (o->used)
		finish(w, o);
	*o = (struct open_packet){ .used = true, .id = s->id, .now = *s, .touched = w->clock, .began = w->clock };
	o->p.first = *s;
	o->p.out = s->chain[0] == 'o';
	o->p.end = (struct live_end){ .known = true, .sport = -1, .dport = -1 };
	return o;
}

static bool same_packet(const struct ktrace_step *a, const struct ktrace_step *b)
{
	return a->has_packet && b->has_packet && a->l4proto == b->l4proto && addr_equal(&a->src, &b->src) &&
	       addr_equal(&a->dst, &b->dst) && a->sport == b->sport && a->dport == b->dport;
}

/* nftables gives packets a number; legacy lines have their headers, and else belong to the one just spoken of. */
static struct open_packet *find(struct watch *w, const struct ktrace_step *s)
{
	struct open_packet *best = NULL;

	for (unsigned i = 0; i < OPEN_MOST; i++) {
		struct open_packet *o = &w->open[i];

		/* behind the end only chains of the interface come; else the number was given to another one */
		if (o->done && (s->family != NFPROTO_NETDEV || o->p.end.local))
			continue;
		if (o->used && s->id && o->id == s->id)
			return o;
		/* what went out through lo comes in again under another number */
		if (o->used && (!s->id || o->now.oif == LO) && same_packet(&o->now, s) && (!best || o->touched > best->touched))
			best = o;
	}
	if (best && s->id)
		best->id = s->id;
	return best ? best : s->id ? NULL : w->last;
}

static void note_end(struct open_packet *o, const struct ktrace_step *s)
{
	o->p.end.local = s->chain[0] == 'i';
	o->p.end.out = !o->p.end.local;
	o->p.end.src = s->src;
	o->p.end.dst = s->dst;
	o->p.end.sport = s->sport;
	o->p.end.dport = s->dport;
	o->done = o->p.end.local || s->oif != LO;
}

static void add_step(struct open_packet *o, const struct ktrace_step *s)
{
	struct ktrace_step *more;

	if (o->p.n == STEPS_MOST)
		return;
	more = realloc(o->p.steps, (o->p.n + 1) * sizeof(*more));
	if (!more)
		return;
	o->p.steps = more;
	o->p.steps[o->p.n++] = *s;
	if (ktrace_goes_on(s))
		o->p.end.local = o->p.end.out = false;
}

static void take(void *arg, const struct ktrace_step *s)
{
	struct watch *w = arg;
	bool ours = strcmp(s->table, NFT_MARK_TABLE) == 0, end = s->chain[0] == 'i' || strcmp(s->chain, "postrouting") == 0;
	struct open_packet *o = find(w, s);

	w->clock++;
	if (ours && s->type != KTRACE_RULE)
		return;
	if (!o && ours && !end)
		o = begin(w, s);
	if (!o)
		return;
	o->touched = w->clock;
	w->last = o;
	if (s->has_packet)
		o->now = *s;
	if (ours && end && s->has_packet)
		note_end(o, s);
	else if (!ours)
		add_step(o, s);
}

/* The one to be told of that began first: an answer is understood by its question. */
static struct open_packet *first_ready(struct watch *w, bool all)
{
	struct open_packet *first = NULL;

	for (unsigned i = 0; i < OPEN_MOST; i++) {
		struct open_packet *o = &w->open[i];

		if (o->used && (all || o->waited) && (!first || o->began < first->began))
			first = o;
	}
	return first;
}

/* What ended a moment ago, as chains of its interface may come behind, and, when nothing comes any more, what was dropped. */
static void hand_over(struct watch *w, bool all)
{
	struct open_packet *o;

	while ((o = first_ready(w, all)))
		finish(w, o);
	for (unsigned i = 0; i < OPEN_MOST; i++)
		w->open[i].waited = w->open[i].used && w->open[i].done;
}

static int loop(struct watch *w, struct ktrace *kt, struct err *e)
{
	uint64_t until = now_ms() + (uint64_t)w->opt->seconds * 1000;

	while (w->status == 0 && w->seen < w->opt->count && now_ms() < until && !w->opt->stop(w->opt->arg)) {
		int n = ktrace_read(kt, TICK_MS, take, w, e);

		if (n < 0)
			return -1;
		hand_over(w, n == 0);
	}
	hand_over(w, true);
	return w->status;
}

static int marked(struct watch *w, struct err *e)
{
	const struct watch_options *opt = w->opt;
	struct ktrace *kt = NULL;
	int fd _cleanup_close_ = -1, r;

	if (ktrace_open(opt->ns, opt->legacy, &kt, e) < 0)
		return -1;
	fd = nlsock_open(opt->ns, e);
	r = fd < 0 || nft_mark_start(fd, &opt->filter, opt->hooks | NFT_MARK_ENDS, NULL, e) < 0 ? -1 : loop(w, kt, e);
	ktrace_close(kt);
	return r;
}

int watch_run(const struct watch_options *opt, unsigned *ret_seen, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct watch *w _cleanup_free_ = calloc(1, sizeof(*w));
	struct logger former;
	int r;

	if (!a || !w)
		return err_oom(e);
	w->opt = opt;
	w->e = e;
	if (opt->legacy && logger_keep(opt->ns, a, &former, e) < 0)
		return -1;
	r = marked(w, e);
	hand_over(w, true);
	if (opt->legacy && logger_restore(&former, r < 0 ? NULL : e) < 0)
		r = -1;
	*ret_seen = w->seen;
	return r;
}
