/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqueue - -j NFQUEUE: hand the packet to a program */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* All revisions begin alike: number, total (1), bypass (2) or flags (3). */
struct queue {
	unsigned from, total, flags;
};

static struct queue queue_of(const struct xt_ext *x)
{
	const struct xt_NFQ_info_v3 *q = x->data;
	struct queue r = { .from = q->queuenum, .total = 1 };

	if (x->rev >= 1)
		r.total = q->queues_total;
	if (x->rev == 2)
		r.flags = q->flags ? NFQ_FLAG_BYPASS : 0;
	if (x->rev == 3)
		r.flags = q->flags;
	return r;
}

static void nfqueue_save(const struct xt_ext *x, struct buf *b)
{
	struct queue q = queue_of(x);

	if (q.total > 1)
		buf_fmt(b, " --queue-balance %u:%u", q.from, q.from + q.total - 1);
	else
		buf_fmt(b, " --queue-num %u", q.from);
	if (q.flags & NFQ_FLAG_BYPASS)
		buf_str(b, " --queue-bypass");
	if (q.flags & NFQ_FLAG_CPU_FANOUT)
		buf_str(b, " --queue-cpu-fanout");
}

static void nfqueue_json(const struct xt_ext *x, struct json *j)
{
	struct queue q = queue_of(x);

	json_begin_array(j, "queues");
	json_uint(j, NULL, q.from);
	json_uint(j, NULL, q.from + (q.total ? q.total - 1 : 0));
	json_end_array(j);
	json_bool(j, "queue-bypass", q.flags & NFQ_FLAG_BYPASS);
	json_bool(j, "queue-cpu-fanout", q.flags & NFQ_FLAG_CPU_FANOUT);
}

static int balance_parse(struct xt_parse *p, struct err *e)
{
	struct xt_NFQ_info_v3 *q = (struct xt_NFQ_info_v3 *)p->data;
	uint64_t from, to;

	if (strcmp(p->opt, "queue-balance") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs FROM:TO");
	if (xt_number_pair(p, p->args[0], ':', false, UINT16_MAX, &from, &to, e) < 0)
		return -1;
	if (from >= to || to - from == UINT16_MAX)
		return xt_bad(p, e, "'%s' is no range of queues", p->args[0]);
	q->queuenum = (uint16_t)from;
	q->queues_total = (uint16_t)(to - from + 1);
	p->used = 1;
	return 1;
}

static void nfqueue_init(uint8_t *data, uint8_t family)
{
	(void)family;
	((struct xt_NFQ_info_v3 *)data)->queues_total = 1;
}

static const struct xt_opt nfqueue_opts[] = {
	{ "queue-num", NULL, &xt_uint, XT_AT(xt_NFQ_info_v3, queuenum) },
	{ "queue-bypass", NULL, &xt_flag, XT_SET(xt_NFQ_info_v3, flags, NFQ_FLAG_BYPASS) },
	{ "queue-cpu-fanout", NULL, &xt_flag, XT_SET(xt_NFQ_info_v3, flags, NFQ_FLAG_CPU_FANOUT) },
	XT_END,
};

static void nfqueue_lower(struct xt_low *l, const struct xt_ext *x)
{
	struct queue q = queue_of(x);
	struct stmt *s = stmt_new(l->a, STMT_QUEUE);

	if (s) {
		s->queue.from = (uint16_t)q.from;
		s->queue.to = (uint16_t)(q.from + (q.total ? q.total - 1 : 0));
		s->queue.flags = (q.flags & NFQ_FLAG_BYPASS ? NFT_QUEUE_FLAG_BYPASS : 0) |
				 (q.flags & NFQ_FLAG_CPU_FANOUT ? NFT_QUEUE_FLAG_CPU_FANOUT : 0);
	}
	low_add(l, s);
}

#define QUEUE .name = "NFQUEUE", .target = true, .save = nfqueue_save, .json = nfqueue_json, .lower = nfqueue_lower

const struct xt_codec xt_target_NFQUEUE_v0 = { QUEUE, .size = sizeof(struct xt_NFQ_info) };
const struct xt_codec xt_target_NFQUEUE_v1 = { QUEUE, .rev = 1, .size = sizeof(struct xt_NFQ_info_v1) };
const struct xt_codec xt_target_NFQUEUE_v2 = { QUEUE, .rev = 2, .size = sizeof(struct xt_NFQ_info_v2) };
const struct xt_codec xt_target_NFQUEUE_v3 = {
	QUEUE, .rev = 3, .size = sizeof(struct xt_NFQ_info_v3), .opts = nfqueue_opts, .init = nfqueue_init,
	.parse = balance_parse,
};
