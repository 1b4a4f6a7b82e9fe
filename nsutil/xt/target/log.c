/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log - -j LOG, -j NFLOG, -j TRACE: what the kernel tells of a packet */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_NFLOG.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word levels[] = {
	{ "emerg", 0 },	  { "panic", 0 }, { "alert", 1 },  { "crit", 2 },   { "err", 3 },  { "error", 3 },
	{ "warning", 4 }, { "warn", 4 },  { "notice", 5 }, { "info", 6 },   { "debug", 7 }, { NULL, 0 },
};

static bool level_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	return xt_load(x->data, o->off, 1) == o->dflt;
}

static void level_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_uint.save(o, x, b);
}

static void level_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_uint.json(o, x, j, key);
}

static int level_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	const struct xt_word *w = xt_find_word(levels, p->args[0], strlen(p->args[0]));

	if (!w)
		return xt_uint.parse(o, p, e);
	p->data[o->off] = (uint8_t)w->value;
	return 0;
}

static void level_init(const struct xt_opt *o, uint8_t *data)
{
	data[o->off] = (uint8_t)o->dflt;
}

static const struct xt_type level = { 1, level_absent, level_save, level_json, level_parse, level_init };

#define FLAG(f) XT_SET(xt_log_info, logflags, f)

static const struct xt_opt log_opts[] = {
	{ "log-prefix", NULL, &xt_string, XT_AT(xt_log_info, prefix) },
	{ "log-level", NULL, &level, XT_AT(xt_log_info, level), .max = 7, .dflt = 4 },
	{ "log-tcp-sequence", NULL, &xt_flag, FLAG(XT_LOG_TCPSEQ) },
	{ "log-tcp-options", NULL, &xt_flag, FLAG(XT_LOG_TCPOPT) },
	{ "log-ip-options", NULL, &xt_flag, FLAG(XT_LOG_IPOPT) },
	{ "log-uid", NULL, &xt_flag, FLAG(XT_LOG_UID) },
	{ "log-macdecode", NULL, &xt_flag, FLAG(XT_LOG_MACDECODE) },
	XT_END,
};

static struct stmt *log_stmt(struct xt_low *l, const char *prefix, size_t room)
{
	struct stmt *s = stmt_new(l->a, STMT_LOG);

	if (s) {
		s->log.level = -1;
		s->log.group = -1;
		s->log.prefix = *prefix ? arena_strndup(l->a, prefix, room) : NULL;
	}
	low_add(l, s);
	return s;
}

static void log_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_log_info *i = xt_data(xt_log_info, x);
	struct stmt *s = log_stmt(l, i->prefix, sizeof(i->prefix));

	if (!s)
		return;
	s->log.flags = i->logflags; /* NF_LOG_* are the same bits */
	if (i->level != 4)
		s->log.level = i->level;
}

const struct xt_codec xt_target_LOG_v0 = {
	.name = "LOG", .target = true, .goes_on = true, .size = sizeof(struct xt_log_info), .opts = log_opts,
	.lower = log_lower,
};

static const struct xt_opt nflog_opts[] = {
	{ "nflog-prefix", NULL, &xt_string, XT_AT(xt_nflog_info, prefix) },
	{ "nflog-group", NULL, &xt_uint, XT_AT(xt_nflog_info, group) },
	{ "nflog-size", NULL, &xt_uint, XT_AT(xt_nflog_info, len),
	  XT_SET(xt_nflog_info, flags, XT_NFLOG_F_COPY_LEN) },
	{ "nflog-range", NULL, &xt_uint, XT_AT(xt_nflog_info, len),
	  XT_MODE(xt_nflog_info, flags, XT_NFLOG_F_COPY_LEN, 0), .sparse = true },
	{ "nflog-threshold", NULL, &xt_uint, XT_AT(xt_nflog_info, threshold), .dflt = XT_NFLOG_DEFAULT_THRESHOLD },
	XT_END,
};

static void nflog_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_nflog_info *i = xt_data(xt_nflog_info, x);
	struct stmt *s = log_stmt(l, i->prefix, sizeof(i->prefix));

	if (!s)
		return;
	s->log.group = i->group;
	s->log.has_snaplen = i->flags & XT_NFLOG_F_COPY_LEN;
	s->log.snaplen = s->log.has_snaplen ? i->len : 0;
	s->log.has_qthreshold = i->threshold != XT_NFLOG_DEFAULT_THRESHOLD;
	s->log.qthreshold = s->log.has_qthreshold ? i->threshold : 0;
}

const struct xt_codec xt_target_NFLOG_v0 = {
	.name = "NFLOG", .target = true, .goes_on = true, .size = sizeof(struct xt_nflog_info),
	.opts = nflog_opts, .lower = nflog_lower,
};

static const struct xt_opt no_opts[] = { XT_END };

static void trace_lower(struct xt_low *l, const struct xt_ext *x)
{
	uint8_t one = 1;

	(void)x;
	low_set(l, expr_meta(l->a, NFT_META_NFTRACE), expr_bytes(l->a, DT_INTEGER, ORDER_HOST, &one, 8));
}

const struct xt_codec xt_target_TRACE_v0 = {
	.name = "TRACE", .target = true, .goes_on = true, .opts = no_opts, .lower = trace_lower,
};
