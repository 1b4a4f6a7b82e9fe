/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fetch - many small dumps, over several sockets at a time */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/reader.h"

/*
 * A dump of one chain is linear in its rules, a dump of all rules is not (the kernel walks past what
 * it has sent at each continuation). A socket has one dump under way at a time, but dumps run
 * under RCU, so several sockets make use of several processors. Workers only receive: they fill
 * crates with raw answers, and the caller's thread decodes, since the arena is not shared.
 */

#define MAX_WORKERS 4
#define FEW_JOBS 24
#define CRATE_SIZE (512 * 1024)

/* What stands in a crate in front of each batch. */
struct crate_item {
	uint32_t job, len;
	int32_t end; /* 0: more follows; 1: done; negative: errno or NLSOCK_TORN */
};

struct crate {
	struct crate *next;
	size_t used;
	char bytes[CRATE_SIZE];
};

struct depot {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct crate *full, **full_tail, *empty;
	unsigned workers; /* still at work */
	bool stop;
	const struct reader_job *jobs;
	size_t n;
	_Atomic size_t next;
};

struct worker {
	struct depot *depot;
	int fd;
	pthread_t thread;
};

static uint8_t job_type(const struct reader_job *job)
{
	return job->chain ? NFT_MSG_GETRULE : NFT_MSG_GETSETELEM;
}

static struct nlmsghdr *job_request(const struct reader_job *job, void *buf)
{
	const struct table *t = job->rt->t;
	struct nlmsghdr *msg = nlsock_request(buf, job_type(job), t->family, NLM_F_DUMP);

	_Static_assert(NFTA_RULE_TABLE == (int)NFTA_SET_ELEM_LIST_TABLE, "one number for both");
	_Static_assert(NFTA_RULE_CHAIN == (int)NFTA_SET_ELEM_LIST_SET, "one number for both");
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, t->name);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, job->chain ? job->chain->name : job->set->name);
	return msg;
}

/* ENOENT: the chain or set went away since it was listed. */
static int refused(int error, struct err *e)
{
	if (error == ENOENT || error == EINTR || error == EAGAIN)
		return NLSOCK_TORN;
	return err_cap(e, error, "CAP_NET_ADMIN", "cannot read nftables rules from the kernel");
}

/* ---- one after the other ---- */

static int fetch_one(struct reader *r, const struct reader_job *job, struct err *e)
{
	char req[MNL_SOCKET_BUFFER_SIZE];
	struct nlsock_end end = { .done = false };

	if (nlsock_send(r->fd, job_request(job, req), e) < 0)
		return -1;
	while (!end.done) {
		ssize_t n = nlsock_recv(r->fd, r->buf, NLSOCK_BUF, &end, e);

		if (n < 0)
			return -1;
		if (end.error)
			return refused(end.error, e);
		if (r->tape && n)
			tape_put(r->tape, job_type(job), r->buf, (size_t)n);
		if (reader_job_batch(job, r, r->buf, (size_t)n, e) < 0)
			return -1;
	}
	if (end.torn)
		return NLSOCK_TORN;
	if (r->tape)
		tape_put(r->tape, job_type(job), "", 0);
	return reader_job_end(job, e);
}

static int play_one(struct reader *r, const struct reader_job *job, struct err *e)
{
	const void *piece;
	size_t len;

	for (;;) {
		if (tape_take(r->tape, job_type(job), &piece, &len, e) < 0)
			return -1;
		if (!piece)
			return reader_job_end(job, e);
		if (reader_job_batch(job, r, piece, len, e) < 0)
			return -1;
	}
}

/* ---- workers ---- */

static struct crate *crate_swap(struct depot *dp, struct crate *c)
{
	pthread_mutex_lock(&dp->lock);
	if (c) {
		c->next = NULL;
		*dp->full_tail = c;
		dp->full_tail = &c->next;
		pthread_cond_signal(&dp->filled);
	}
	while (!dp->empty && !dp->stop)
		pthread_cond_wait(&dp->emptied, &dp->lock);
	c = dp->stop ? NULL : dp->empty;
	if (c) {
		dp->empty = c->next;
		c->used = 0;
	}
	pthread_mutex_unlock(&dp->lock);
	return c;
}

/* One job into crates; returns the crate in use, NULL to stop. */
static struct crate *work_job(struct worker *w, struct crate *c, size_t job)
{
	char req[MNL_SOCKET_BUFFER_SIZE];
	struct nlsock_end end = { .done = false };
	bool sent = false, stop = false;

	while (!end.done && !stop) {
		struct crate_item item = { .job = (uint32_t)job };
		struct err e = ERR_INIT;
		ssize_t n = -1;

		if (c->used + sizeof(item) + NLSOCK_BUF > CRATE_SIZE) {
			c = crate_swap(w->depot, c);
			if (!c)
				return NULL;
		}
		if (sent || nlsock_send(w->fd, job_request(&w->depot->jobs[job], req), &e) == 0)
			n = nlsock_recv(w->fd, c->bytes + c->used + sizeof(item), NLSOCK_BUF, &end, &e);
		sent = true;
		stop = n < 0 || end.error;
		item.len = n > 0 ? NLMSG_ALIGN((uint32_t)n) : 0;
		item.end = n < 0 ? -(e.errnum ? e.errnum : EIO) : end.error ? -end.error : end.done;
		if (end.done && end.torn && !end.error)
			item.end = -EINTR;
		memcpy(c->bytes + c->used, &item, sizeof(item));
		c->used += sizeof(item) + item.len;
	}
	return c;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct depot *dp = w->depot;
	struct crate *c = crate_swap(dp, NULL);

	while (c) {
		size_t job = atomic_fetch_add(&dp->next, 1);

		if (job >= dp->n)
			break;
		c = work_job(w, c, job);
	}
	pthread_mutex_lock(&dp->lock);
	if (c) {
		c->next = NULL;
		*dp->full_tail = c;
		dp->full_tail = &c->next;
	}
	dp->workers--;
	pthread_cond_signal(&dp->filled);
	pthread_mutex_unlock(&dp->lock);
	return NULL;
}

/* ---- the caller's side ---- */

static int unpack(struct reader *r, const struct depot *dp, const struct crate *c, struct err *e)
{
	size_t at = 0;

	while (at < c->used) {
		const struct reader_job *job;
		struct crate_item item;

		memcpy(&item, c->bytes + at, sizeof(item));
		at += sizeof(item);
		if (item.end < 0)
			return refused(-item.end, e);
		job = &dp->jobs[item.job];
		if (reader_job_batch(job, r, c->bytes + at, item.len, e) < 0 ||
		    (item.end && reader_job_end(job, e) < 0))
			return -1;
		at += item.len;
	}
	return 0;
}

static int consume(struct reader *r, struct depot *dp, struct err *e)
{
	int ret = 0;

	for (;;) {
		struct crate *c;

		pthread_mutex_lock(&dp->lock);
		while (!dp->full && dp->workers)
			pthread_cond_wait(&dp->filled, &dp->lock);
		c = dp->full;
		if (c) {
			dp->full = c->next;
			if (!dp->full)
				dp->full_tail = &dp->full;
		}
		pthread_mutex_unlock(&dp->lock);
		if (!c)
			return ret;
		if (ret == 0)
			ret = unpack(r, dp, c, e);
		pthread_mutex_lock(&dp->lock);
		dp->stop = dp->stop || ret != 0;
		c->next = dp->empty;
		dp->empty = c;
		pthread_cond_broadcast(&dp->emptied);
		pthread_mutex_unlock(&dp->lock);
	}
}

static void depot_free(struct depot *dp)
{
	struct crate *lists[] = { dp->full, dp->empty };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		while (lists[i]) {
			struct crate *next = lists[i]->next;

			free(lists[i]);
			lists[i] = next;
		}
	pthread_mutex_destroy(&dp->lock);
	pthread_cond_destroy(&dp->filled);
	pthread_cond_destroy(&dp->emptied);
}

static int depot_init(struct depot *dp, const struct reader_job *jobs, size_t n, unsigned crates)
{
	*dp = (struct depot){ .jobs = jobs, .n = n };
	dp->full_tail = &dp->full;
	pthread_mutex_init(&dp->lock, NULL);
	pthread_cond_init(&dp->filled, NULL);
	pthread_cond_init(&dp->emptied, NULL);
	while (crates--) {
		struct crate *c = malloc(sizeof(*c));

		if (!c)
			return -1;
		c->next = dp->empty;
		dp->empty = c;
	}
	return 0;
}

/* As many workers as can be had; at least one, else the caller reads by itself. */
static unsigned start_workers(struct reader *r, struct depot *dp, struct worker *w)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned want = cpus < 1 ? 1 : cpus > MAX_WORKERS ? MAX_WORKERS : (unsigned)cpus, n = 0;

	pthread_mutex_lock(&dp->lock);
	while (n < want) {
		w[n] = (struct worker){ .depot = dp, .fd = nlsock_open(r->ns, NULL) };
		if (w[n].fd < 0)
			break;
		if (pthread_create(&w[n].thread, NULL, work, &w[n]) != 0) {
			close(w[n].fd);
			break;
		}
		n++;
	}
	dp->workers = n;
	pthread_mutex_unlock(&dp->lock);
	return n;
}

static int fetch_parallel(struct reader *r, const struct reader_job *jobs, size_t n, struct err *e)
{
	struct worker w[MAX_WORKERS];
	struct depot dp;
	int ret = -1;

	if (depot_init(&dp, jobs, n, MAX_WORKERS * 2) < 0) {
		err_oom(e);
	} else {
		unsigned workers = start_workers(r, &dp, w);

		ret = workers ? consume(r, &dp, e) : err_sys(e, EAGAIN, "cannot start reading nftables rules");
		for (unsigned i = 0; i < workers; i++) {
			pthread_join(w[i].thread, NULL);
			close(w[i].fd);
		}
	}
	depot_free(&dp);
	return ret;
}

int fetch_jobs(struct reader *r, const struct reader_job *jobs, size_t n, struct err *e)
{
	if (n > FEW_JOBS && !r->tape)
		return fetch_parallel(r, jobs, n, e);
	for (size_t i = 0; i < n; i++) {
		int ret = r->tape && !r->tape->to ? play_one(r, &jobs[i], e) : fetch_one(r, &jobs[i], e);

		if (ret != 0)
			return ret;
	}
	return 0;
}
