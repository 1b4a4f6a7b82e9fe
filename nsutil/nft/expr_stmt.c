/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr_stmt - instructions that act or count: counter, limit, log, reject, queue, objref ... */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

#include "nsutil/nft/proto.h"
#include "nsutil/xt/codec.h"

static enum dec_result do_counter(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_COUNTER);

	if (!s)
		return DEC_NOMEM;
	s->counter.packets = attr_be64(at->a[NFTA_COUNTER_PACKETS]);
	s->counter.bytes = attr_be64(at->a[NFTA_COUNTER_BYTES]);
	if (d->rule) {
		d->rule->has_counter = true;
		d->rule->packets = s->counter.packets;
		d->rule->bytes = s->counter.bytes;
	}
	return dec_add(d, s);
}

static enum dec_result do_limit(struct dec *d, const struct attrs *at)
{
	uint32_t type = attr_be32(at->a[NFTA_LIMIT_TYPE]), flags = attr_be32(at->a[NFTA_LIMIT_FLAGS]);
	struct stmt *s = stmt_new(d->a, STMT_LIMIT);

	if (!s)
		return DEC_NOMEM;
	if (type > NFT_LIMIT_PKT_BYTES || flags & ~(uint32_t)NFT_LIMIT_F_INV)
		return DEC_OPAQUE;
	s->limit.rate = attr_be64(at->a[NFTA_LIMIT_RATE]);
	s->limit.unit_secs = attr_be64(at->a[NFTA_LIMIT_UNIT]);
	s->limit.burst = attr_be32(at->a[NFTA_LIMIT_BURST]);
	s->limit.bytes = type == NFT_LIMIT_PKT_BYTES;
	s->limit.over = flags & NFT_LIMIT_F_INV;
	return dec_add(d, s);
}

static enum dec_result do_quota(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_QUOTA);

	if (!s)
		return DEC_NOMEM;
	s->quota.bytes = attr_be64(at->a[NFTA_QUOTA_BYTES]);
	s->quota.used = attr_be64(at->a[NFTA_QUOTA_CONSUMED]);
	s->quota.over = attr_be32(at->a[NFTA_QUOTA_FLAGS]) & NFT_QUOTA_F_INV;
	return dec_add(d, s);
}

static enum dec_result do_connlimit(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_CONNLIMIT);

	if (!s)
		return DEC_NOMEM;
	s->connlimit.count = attr_be32(at->a[NFTA_CONNLIMIT_COUNT]);
	s->connlimit.over = attr_be32(at->a[NFTA_CONNLIMIT_FLAGS]) & NFT_CONNLIMIT_F_INV;
	return dec_add(d, s);
}

static enum dec_result do_last(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_LAST);

	if (!s)
		return DEC_NOMEM;
	s->last.set = attr_be32(at->a[NFTA_LAST_SET]) != 0;
	s->last.msecs = attr_be64(at->a[NFTA_LAST_MSECS]);
	return dec_add(d, s);
}

static enum dec_result do_log(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_LOG);

	if (!s)
		return DEC_NOMEM;
	s->log.prefix = attr_str(d->a, at->a[NFTA_LOG_PREFIX]);
	s->log.level = at->a[NFTA_LOG_LEVEL] ? (int)attr_be32(at->a[NFTA_LOG_LEVEL]) : -1;
	s->log.flags = attr_be32(at->a[NFTA_LOG_FLAGS]);
	s->log.group = at->a[NFTA_LOG_GROUP] ? attr_be16(at->a[NFTA_LOG_GROUP]) : -1;
	s->log.has_snaplen = at->a[NFTA_LOG_SNAPLEN] != NULL;
	s->log.snaplen = attr_be32(at->a[NFTA_LOG_SNAPLEN]);
	s->log.has_qthreshold = at->a[NFTA_LOG_QTHRESHOLD] != NULL;
	s->log.qthreshold = attr_be16(at->a[NFTA_LOG_QTHRESHOLD]);
	return dec_add(d, s);
}

static enum dec_result do_reject(struct dec *d, const struct attrs *at)
{
	uint32_t type = attr_be32(at->a[NFTA_REJECT_TYPE]);
	struct stmt *s = stmt_new(d->a, STMT_REJECT);

	if (!s)
		return DEC_NOMEM;
	if (type > NFT_REJECT_ICMPX_UNREACH)
		return DEC_OPAQUE;
	s->reject.code = attr_u8(at->a[NFTA_REJECT_ICMP_CODE]);
	if (type == NFT_REJECT_TCP_RST)
		s->reject.kind = REJECT_TCP_RST;
	else if (type == NFT_REJECT_ICMPX_UNREACH)
		s->reject.kind = REJECT_ICMPX;
	else
		s->reject.kind = dec_proto_reject_kind(d, &s->reject.bare);
	dec_deps_reject(d, s->reject.kind);
	return dec_add(d, s);
}

static enum dec_result do_notrack(struct dec *d, const struct attrs *at)
{
	(void)at;
	return dec_add(d, stmt_new(d->a, STMT_NOTRACK));
}

static enum dec_result do_queue(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_QUEUE);
	unsigned total = attr_be16(at->a[NFTA_QUEUE_TOTAL]);

	if (!s)
		return DEC_NOMEM;
	s->queue.flags = attr_be16(at->a[NFTA_QUEUE_FLAGS]);
	s->queue.from = attr_be16(at->a[NFTA_QUEUE_NUM]);
	s->queue.to = (uint16_t)(s->queue.from + (total ? total - 1 : 0));
	if (at->a[NFTA_QUEUE_SREG_QNUM]) {
		s->queue.expr = dec_resolve(d, dec_reg(d, attr_be32(at->a[NFTA_QUEUE_SREG_QNUM]), 2));
		if (!s->queue.expr)
			return DEC_NOMEM;
	}
	return dec_add(d, s);
}

/* dup and fwd name an address and a device by registers. */
static enum dec_result add_dup(struct dec *d, enum stmt_kind kind, uint8_t family,
			       const struct nlattr *addr, const struct nlattr *dev)
{
	struct stmt *s = stmt_new(d->a, kind);
	unsigned len = family == NFPROTO_IPV6 ? 16 : 4;

	if (!s)
		return DEC_NOMEM;
	s->dup.family = family;
	if (addr) {
		s->dup.addr = dec_resolve(d, dec_reg(d, attr_be32(addr), len));
		s->dup.addr = dec_retype(d, s->dup.addr, len == 4 ? DT_IPV4 : DT_IPV6, ORDER_NET);
		if (!s->dup.addr)
			return DEC_NOMEM;
	}
	if (dev) {
		s->dup.dev = dec_resolve(d, dec_reg(d, attr_be32(dev), 4));
		s->dup.dev = dec_retype(d, s->dup.dev, DT_IFINDEX, ORDER_HOST);
		if (!s->dup.dev)
			return DEC_NOMEM;
	}
	return dec_add(d, s);
}

static enum dec_result do_dup(struct dec *d, const struct attrs *at)
{
	return add_dup(d, STMT_DUP, d->family, at->a[NFTA_DUP_SREG_ADDR], at->a[NFTA_DUP_SREG_DEV]);
}

static enum dec_result do_fwd(struct dec *d, const struct attrs *at)
{
	uint8_t family = at->a[NFTA_FWD_NFPROTO] ? (uint8_t)attr_be32(at->a[NFTA_FWD_NFPROTO]) : 0;

	return add_dup(d, STMT_FWD, family, at->a[NFTA_FWD_SREG_ADDR], at->a[NFTA_FWD_SREG_DEV]);
}

static enum dec_result do_objref(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_OBJREF);

	if (!s)
		return DEC_NOMEM;
	if (at->a[NFTA_OBJREF_IMM_NAME]) {
		s->objref.type = attr_be32(at->a[NFTA_OBJREF_IMM_TYPE]);
		s->objref.name = attr_str(d->a, at->a[NFTA_OBJREF_IMM_NAME]);
		return s->objref.name ? dec_add(d, s) : DEC_NOMEM;
	}
	s->objref.map = dec_set_ref(d, at->a[NFTA_OBJREF_SET_NAME]);
	if (!s->objref.map)
		return DEC_NOMEM;
	s->objref.type = s->objref.map->obj_type;
	s->objref.key = dec_key_map(d, s->objref.map,
				    dec_set_key(d, s->objref.map, attr_be32(at->a[NFTA_OBJREF_SET_SREG])));
	return s->objref.key ? dec_add(d, s) : DEC_NOMEM;
}

static enum dec_result do_synproxy(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_SYNPROXY);

	if (!s)
		return DEC_NOMEM;
	s->synproxy.mss = attr_be16(at->a[NFTA_SYNPROXY_MSS]);
	s->synproxy.wscale = attr_u8(at->a[NFTA_SYNPROXY_WSCALE]);
	s->synproxy.flags = attr_be32(at->a[NFTA_SYNPROXY_FLAGS]);
	return dec_add(d, s);
}

static enum dec_result do_flow(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_FLOW);

	if (!s)
		return DEC_NOMEM;
	s->flowtable = attr_str(d->a, at->a[NFTA_FLOW_TABLE_NAME]);
	return s->flowtable ? dec_add(d, s) : DEC_OPAQUE;
}

/* ---- nft_compat ---- */

/* In inet tables the extension works on IPv4 or IPv6 according to what the rule said before. */
static enum dec_result do_xt(struct dec *d, bool target, const struct nlattr *name,
			     const struct nlattr *rev, const struct nlattr *info)
{
	const char *n = attr_str(d->a, name), *nh = dec_proto_name(d, NFT_PAYLOAD_NETWORK_HEADER);
	const void *data = arena_dup(d->a, attr_data(info), attr_len(info));
	uint8_t family = d->family;
	struct stmt *s;

	if (!name || !rev)
		return DEC_OPAQUE;
	if (!n || !data)
		return DEC_NOMEM;
	if (family != NFPROTO_IPV6 && nh && strcmp(nh, "ip6") == 0)
		family = NFPROTO_IPV6;
	else if (family != NFPROTO_IPV6)
		family = NFPROTO_IPV4;
	s = (d->text_only ? xt_ext_stmt_plain : xt_ext_stmt_at)(d->a, family, target, n, (uint8_t)attr_be32(rev),
								data, attr_len(info));
	if (s && d->rule && !target && strcmp(n, "comment") == 0 && !d->rule->comment && info)
		d->rule->comment = memchr(data, '\0', attr_len(info)) ? data : arena_strndup(d->a, data, attr_len(info));
	return dec_add(d, s);
}

static enum dec_result do_match_xt(struct dec *d, const struct attrs *at)
{
	return do_xt(d, false, at->a[NFTA_MATCH_NAME], at->a[NFTA_MATCH_REV], at->a[NFTA_MATCH_INFO]);
}

static enum dec_result do_target_xt(struct dec *d, const struct attrs *at)
{
	return do_xt(d, true, at->a[NFTA_TARGET_NAME], at->a[NFTA_TARGET_REV], at->a[NFTA_TARGET_INFO]);
}

const struct dec_expr dec_expr_stmt[] = {
	{ "counter", NFTA_COUNTER_PAD, do_counter, false },
	{ "match", NFTA_MATCH_INFO, do_match_xt, false },
	{ "target", NFTA_TARGET_INFO, do_target_xt, true },
	{ "limit", NFTA_LIMIT_PAD, do_limit, false },
	{ "log", NFTA_LOG_FLAGS, do_log, false },
	{ "reject", NFTA_REJECT_ICMP_CODE, do_reject, true },
	{ "objref", NFTA_OBJREF_SET_ID, do_objref, false },
	{ "quota", NFTA_QUOTA_CONSUMED, do_quota, false },
	{ "connlimit", NFTA_CONNLIMIT_FLAGS, do_connlimit, false },
	{ "last", NFTA_LAST_PAD, do_last, false },
	{ "notrack", 0, do_notrack, false },
	{ "queue", NFTA_QUEUE_SREG_QNUM, do_queue, true },
	{ "dup", NFTA_DUP_SREG_DEV, do_dup, false },
	{ "fwd", NFTA_FWD_NFPROTO, do_fwd, true },
	{ "synproxy", NFTA_SYNPROXY_FLAGS, do_synproxy, true },
	{ "flow_offload", NFTA_FLOW_TABLE_NAME, do_flow, false },
	{ NULL, 0, NULL, false },
};
