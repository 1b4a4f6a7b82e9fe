/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read - reading all nftables tables of a namespace, as of one generation */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/kmod.h"
#include "nsutil/nft/nft.h"
#include "nsutil/nft/reader.h"
#include "nsutil/nft/settle.h"

/* How often a ruleset that changes while it is read is read again. */
#define MAX_ATTEMPTS 16

/* Up to so many rules (and jumps) come in one dump; more are asked for chain by chain (fetch.c). */
#define ONE_DUMP_MAX 1000

/* How long to wait, in all, for changes under way to end; no commit takes that long once it shows. */
#define PATIENCE_MS 2000

/* The first generation (nf_tables_api.c, nf_tables_init_net()): no change has been made, so none is half made. */
#define NEVER_CHANGED 1

/* ---- whole dumps ---- */

struct each {
	struct reader *r;
	uint32_t type; /* of the question */
	int (*fn)(void *arg, const struct nlmsghdr *msg, struct err *e);
};

static int each_batch(void *arg, const void *batch, size_t len, struct err *e)
{
	struct each *x = arg;

	if (x->r->tape && x->r->tape->to && len)
		tape_put(x->r->tape, x->type, batch, len);
	return nlsock_each(batch, len, x->fn, x->r, e);
}

/* One question: to the kernel, or to a tape. */
static int ask(struct reader *r, struct nlmsghdr *req, struct each *x, struct err *e)
{
	const void *piece;
	size_t len;
	int ret;

	if (!r->tape || r->tape->to) {
		ret = nlsock_batches(r->fd, req, r->buf, each_batch, x, e);
		if (ret == 0 && r->tape)
			tape_put(r->tape, x->type, "", 0);
		return ret;
	}
	for (;;) {
		if (tape_take(r->tape, x->type, &piece, &len, e) < 0)
			return -1;
		if (!piece)
			return 0;
		ret = each_batch(x, piece, len, e);
		if (ret != 0)
			return ret;
	}
}

static int dump(struct reader *r, uint8_t type, int (*fn)(void *arg, const struct nlmsghdr *msg, struct err *e),
		struct err *e)
{
	char req[MNL_SOCKET_BUFFER_SIZE];
	struct each x = { r, type, fn };

	return ask(r, nlsock_request(req, type, NFPROTO_UNSPEC, NLM_F_DUMP), &x, e);
}

static int on_generation(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct reader *r = arg;
	struct attrs at;

	(void)e;
	attr_parse((const char *)mnl_nlmsg_get_payload(msg) + sizeof(struct nfgenmsg),
		   mnl_nlmsg_get_payload_len(msg) - sizeof(struct nfgenmsg), NFTA_GEN_PROC_NAME, &at);
	r->generation = attr_be32(at.a[NFTA_GEN_ID]);
	return 0;
}

static int get_generation(struct reader *r, struct err *e)
{
	char req[MNL_SOCKET_BUFFER_SIZE];
	struct each x = { r, NFT_MSG_GETGEN, on_generation };

	return ask(r, nlsock_request(req, NFT_MSG_GETGEN, NFPROTO_UNSPEC, NLM_F_ACK), &x, e);
}

/* The generation, asked before a moment without any request under way. */
static int get_idle_generation(struct reader *r, struct err *e)
{
	unsigned unchanged_since = r->waited_ms;

	for (unsigned turn = 0;; turn++) {
		uint32_t before = r->generation;
		bool known;
		int ret;

		if (r->tape)
			buf_reset(r->tape->to); /* the last answer is the one that counts */
		ret = get_generation(r, e);

		if (ret != 0)
			return ret;
		if (settle_idle(r->ns, &known) || !known)
			return 0;
		if (turn && r->generation != before)
			unchanged_since = r->waited_ms;
		if (r->waited_ms >= PATIENCE_MS)
			return unchanged_since + PATIENCE_MS / 2 <= r->waited_ms ? 0 : NLSOCK_TORN;
		if (turn < 64) {
			sched_yield();
			continue;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		r->waited_ms++;
	}
}

/*
 * A commit counts the generation up first, then makes the new one visible, then takes the old objects out
 * of the lists and puts the new elements of sets in (nf_tables_api.c, nf_tables_commit()). Who begins to read
 * in between sees some of both under one number. So after the generation was asked for, the change under way is
 * waited for: then that generation is there in full, and the next one has another number.
 */
static int get_settled_generation(struct reader *r, struct err *e)
{
	int ret;

	if (r->tape && r->tape->to)
		buf_reset(r->tape->to); /* of the attempt before */
	ret = get_generation(r, e);
	if (ret != 0 || r->generation == NEVER_CHANGED || (r->tape && !r->tape->to) || settle_wait(r->ns))
		return ret; /* what was kept on a tape is of one generation */
	return get_idle_generation(r, e);
}

/* ---- choice ---- */

static bool family_wanted(const struct reader *r, uint8_t family)
{
	if ((r->families & 3) == 0 || (r->families & 3) == 3)
		return true;
	if (family == NFPROTO_IPV4)
		return r->families & 1;
	return family == NFPROTO_IPV6 ? r->families & 2 : true;
}

/* Which store each table is of; those not asked for are taken out again. */
static void choose_tables(struct reader *r)
{
	struct ruleset *rs = r->rs;

	rs->tables = NULL;
	rs->tables_tail = &rs->tables;
	for (size_t i = 0; i < r->n_tables; i++) {
		struct reader_table *rt = &r->tables[i];
		struct table *t = rt->t;

		dec_init(&rt->dec, rs->arena, t, &rt->sets);
		rt->dec.ifaces = r->ifaces;
		rt->dec.text_only = rs->text_only;
		t->store = reader_is_compat(t) ? STORE_COMPAT : STORE_NATIVE;
		rt->skip = !(r->stores & 1u << t->store) || !family_wanted(r, t->family);
		t->next = NULL;
		if (rt->skip)
			continue;
		*rs->tables_tail = t;
		rs->tables_tail = &t->next;
	}
}

/* ---- elements and rules ---- */

static int read_elements(struct reader *r, struct err *e)
{
	struct reader_job *jobs _cleanup_free_ = NULL;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < r->n_tables; i++)
		for (struct set *s = r->tables[i].t->sets; s; s = s->next)
			n++;
	if (n == 0)
		return 0;
	jobs = calloc(n, sizeof(*jobs));
	if (!jobs)
		return err_oom(e);
	for (size_t i = 0; i < r->n_tables; i++)
		for (struct set *s = r->tables[i].t->sets; s; s = s->next)
			if (!s->unread)
				jobs[at++] = (struct reader_job){ .rt = &r->tables[i], .set = s };
	return fetch_jobs(r, jobs, at, e);
}

/*
 * A chain's use count is of the generation in the making: who is about to remove the rules has brought it down to
 * nothing already (nf_tables_api.c, nft_chain_use_dec()). It tells which way is the faster one, not what is there.
 */
static int read_rules(struct reader *r, struct err *e)
{
	struct reader_job *jobs _cleanup_free_ = NULL;
	size_t n = 0, chains = 0;
	uint64_t use = 0;

	for (size_t i = 0; i < r->n_tables; i++) {
		use += r->tables[i].use;
		for (struct chain *c = r->tables[i].t->chains; c; c = c->next)
			chains++;
	}
	if (chains == 0)
		return 0;
	if (use <= ONE_DUMP_MAX && chains <= ONE_DUMP_MAX)
		return dump(r, NFT_MSG_GETRULE, reader_on_rule, e);
	jobs = calloc(chains, sizeof(*jobs));
	if (!jobs)
		return err_oom(e);
	for (size_t i = 0; i < r->n_tables; i++)
		for (struct chain *c = r->tables[i].t->chains; c && !r->tables[i].skip; c = c->next)
			jobs[n++] = (struct reader_job){ .rt = &r->tables[i], .chain = c };
	return fetch_jobs(r, jobs, n, e);
}

static int link_tables(struct reader *r, struct err *e)
{
	for (struct table *t = r->rs->tables; t; t = t->next)
		if (ruleset_link(r->rs, t) < 0)
			return err_oom(e);
	return 0;
}

static void attempt_free(struct reader *r)
{
	for (size_t i = 0; i < r->n_tables; i++)
		set_index_free(&r->tables[i].sets);
	r->tables = NULL;
	r->n_tables = 0;
}

/* One reading of everything: 0, -1, or NLSOCK_TORN when it is of more than one generation. */
static int attempt(struct reader *r, struct err *e)
{
	uint32_t before;
	int ret;

	ret = get_settled_generation(r, e);
	before = r->generation;
	if (ret == 0)
		ret = dump(r, NFT_MSG_GETTABLE, reader_on_table, e);
	if (ret == 0 && before == NEVER_CHANGED && !r->n_tables)
		return 0; /* a change that came since is another generation */
	if (ret == 0 && r->n_tables)
		ret = dump(r, NFT_MSG_GETCHAIN, reader_on_chain, e);
	if (ret == 0)
		choose_tables(r);
	if (ret == 0 && r->rs->tables) {
		ret = dump(r, NFT_MSG_GETSET, reader_on_set, e);
		if (ret == 0)
			ret = dump(r, NFT_MSG_GETOBJ, reader_on_object, e);
		if (ret == 0)
			ret = dump(r, NFT_MSG_GETFLOWTABLE, reader_on_flowtable, e);
		if (ret == 0)
			ret = read_elements(r, e);
		if (ret == 0)
			ret = read_rules(r, e);
	}
	if (ret == 0)
		ret = get_generation(r, e);
	if (ret == 0 && r->generation != before)
		ret = NLSOCK_TORN;
	return ret == 0 ? link_tables(r, e) : ret;
}

/* The tables of a successful attempt go behind what the caller's ruleset has. */
static void hand_over(struct reader *r, struct ruleset *rs)
{
	rs->nft_generation = r->generation;
	if (!r->rs->tables)
		return;
	*rs->tables_tail = r->rs->tables;
	rs->tables_tail = r->rs->tables_tail;
}

static int read_attempts(struct reader *r, struct ruleset *rs, struct err *e)
{
	for (unsigned i = 0; i < MAX_ATTEMPTS; i++) {
		struct ruleset mine = { .arena = rs->arena, .text_only = rs->text_only };
		int ret;

		mine.tables_tail = &mine.tables;
		r->rs = &mine;
		ret = attempt(r, e);
		attempt_free(r);
		if (ret == 0)
			hand_over(r, rs);
		if (ret != NLSOCK_TORN)
			return ret;
	}
	err_set(e, ERR_SYS, "cannot read the nftables rules",
		"they changed during each of %u readings", MAX_ATTEMPTS);
	return err_hint(e, "something rewrites the ruleset all the time; try again when it is quiet");
}

static int read_all(const struct netns *ns, unsigned stores, unsigned families, struct tape *tape, struct ruleset *rs,
		    struct err *e)
{
	struct reader r = { .ns = ns, .stores = stores, .families = families, .fd = -1, .tape = tape };
	void *buf _cleanup_free_ = NULL;
	int ret;

	/* Asking nfnetlink for a subsystem that is not there loads a module, and a look must not. */
	if (kmod_state("/", "nf_tables", "nf_tables_newtable") != KMOD_READY)
		return 0;
	r.buf = buf = malloc(NLSOCK_BUF);
	if (!buf)
		return err_oom(e);
	r.fd = nlsock_open(ns, e);
	if (r.fd < 0)
		return err_wrap(e, "cannot read the nftables rules");
	r.ifaces = dec_ifaces_new(ns);
	ret = read_attempts(&r, rs, e);
	dec_ifaces_free(r.ifaces);
	close(r.fd);
	return ret;
}

enum { BOTH_STORES = 1 << STORE_COMPAT | 1 << STORE_NATIVE };

int nft_play(const void *tape, size_t size, const struct netview *nv, struct ruleset *rs, struct err *e)
{
	struct tape t = { .from = tape, .size = size };
	struct reader r = { .stores = BOTH_STORES, .fd = -1, .tape = &t };
	int ret;

	if (size == 0)
		return 0;
	r.ifaces = nv ? dec_ifaces_of(nv) : NULL;
	ret = read_attempts(&r, rs, e);
	dec_ifaces_free(r.ifaces);
	return ret;
}

int nft_record(const struct netns *ns, struct buf *ret, struct err *e)
{
	_cleanup_ruleset_ struct ruleset *rs = ruleset_new();
	struct tape t = { .to = ret };
	int r;

	if (!rs)
		return err_oom(e);
	r = read_all(ns, BOTH_STORES, 0, &t, rs, e);
	return r == 0 && buf_failed(ret) ? err_oom(e) : r;
}

int nft_read(const struct netns *ns, unsigned stores, unsigned families, struct ruleset *rs,
	     struct err *e)
{
	return read_all(ns, stores, families, NULL, rs, e);
}
