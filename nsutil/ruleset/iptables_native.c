/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_native - native nftables statements as the extensions that iptables-nft prints for them */
#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

#include "nsutil/ruleset/iptables.h"
#include "nsutil/xt/codec.h"

static bool save_as(const struct rule *r, bool target, const char *name, uint8_t rev, const void *data,
		    uint32_t size, struct buf *b)
{
	uint8_t family = r->chain->table->family;
	struct xt_ext x = {
		.codec = xt_codec_find(family, target, name, rev),
		.name = name,
		.rev = rev,
		.target = target,
		.family = family,
		.size = size,
		.data = data,
	};

	if (!x.codec || x.codec->size > size)
		return false;
	xt_ext_save(&x, b);
	return true;
}

void ipt_save_string(const char *option, const char *text, struct buf *b)
{
	buf_str(b, option);
	xt_save_string(text, strlen(text), b);
}

/* The ports that a condition names, as from-to; false when it is no such condition. */
static bool port_range(const struct stmt_match *m, uint16_t *from, uint16_t *to)
{
	const struct expr *r = m->right;

	if (r->kind == EXPR_RANGE && r->range.from->bits == 16 && (m->op == OP_EQ || m->op == OP_NE)) {
		*from = (uint16_t)expr_uint(r->range.from);
		*to = (uint16_t)expr_uint(r->range.to);
		return true;
	}
	if (r->kind != EXPR_VALUE || r->bits != 16)
		return false;
	*from = 0;
	*to = UINT16_MAX;
	switch (m->op) {
	case OP_EQ:
	case OP_NE: *from = *to = (uint16_t)expr_uint(r); return true;
	case OP_GE: *from = (uint16_t)expr_uint(r); return true;
	case OP_LE: *to = (uint16_t)expr_uint(r); return true;
	case OP_GT: *from = (uint16_t)(expr_uint(r) + 1); return *from != 0;
	case OP_LT: *to = (uint16_t)(expr_uint(r) - 1); return *to != UINT16_MAX;
	}
	return false;
}

static bool take_flags(struct xt_tcp *t, const struct stmt_match *m)
{
	const struct expr *l = m->left;

	if (l->kind != EXPR_BINOP || l->binop.op != BINOP_AND || l->binop.right->kind != EXPR_VALUE ||
	    m->right->kind != EXPR_VALUE)
		return false;
	t->flg_mask = l->binop.right->value[0];
	t->flg_cmp = m->right->value[0];
	if (m->op == OP_NE)
		t->invflags |= XT_TCP_INV_FLAGS;
	return true;
}

/*
 * Both ports in one comparison: so iptables-nft writes "! --sport A ! --dport B" (add_nft_tcpudp()), which then asks
 * that not both be so; it takes this for what it was asked for.
 */
static bool take_both_ports(struct xt_tcp *t, const struct stmt_match *m)
{
	uint32_t ports;

	if (m->right->kind != EXPR_VALUE || m->right->bits != 32 || (m->op != OP_EQ && m->op != OP_NE))
		return false;
	ports = (uint32_t)expr_uint(m->right);
	t->spts[0] = t->spts[1] = (uint16_t)(ports >> 16);
	t->dpts[0] = t->dpts[1] = (uint16_t)ports;
	t->invflags |= m->op == OP_NE ? XT_TCP_INV_SRCPT | XT_TCP_INV_DSTPT : 0;
	return true;
}

/*
 * TCP's structure holds all that UDP's does: offsets 0 and 2 are the ports of both headers. Of two conditions on a port
 * iptables-nft says the last, and so do we; a second one on flags has no form. @flags: was there one?
 */
static bool take_transport(struct xt_tcp *t, const struct stmt_match *m, bool *flags)
{
	const struct expr *l = m->left->kind == EXPR_BINOP ? m->left->binop.left : m->left;

	if (l->kind != EXPR_PAYLOAD || l->payload.base != NFT_PAYLOAD_TRANSPORT_HEADER)
		return false;
	if (l->payload.offset == 104 && l->bits == 8)
		return !*flags && (*flags = take_flags(t, m));
	if (m->left->kind == EXPR_BINOP)
		return false;
	if (l->payload.offset == 0 && l->bits == 32)
		return take_both_ports(t, m);
	if (l->bits != 16 || (l->payload.offset != 0 && l->payload.offset != 16))
		return false;
	if (l->payload.offset == 0) {
		t->invflags |= m->op == OP_NE ? XT_TCP_INV_SRCPT : 0;
		return port_range(m, &t->spts[0], &t->spts[1]);
	}
	t->invflags |= m->op == OP_NE ? XT_TCP_INV_DSTPT : 0;
	return port_range(m, &t->dpts[0], &t->dpts[1]);
}

static bool is_transport(const struct stmt *s)
{
	const struct expr *l;

	if (s->kind != STMT_MATCH)
		return false;
	l = s->match.left->kind == EXPR_BINOP ? s->match.left->binop.left : s->match.left;
	return l->kind == EXPR_PAYLOAD && l->payload.base == NFT_PAYLOAD_TRANSPORT_HEADER;
}

/* All of the rule's conditions on ports and flags become one match, where the first one stands. */
static bool save_transport(const struct rule *r, const struct ipt_header *h, struct buf *b)
{
	struct xt_tcp t = { .spts = { 0, UINT16_MAX }, .dpts = { 0, UINT16_MAX } };
	struct xt_udp u;
	bool flags = false;

	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (is_transport(s) && s->match.right->kind != EXPR_SETREF && !take_transport(&t, &s->match, &flags))
			return false;
	if (h->l4proto == IPPROTO_TCP)
		return save_as(r, false, "tcp", 0, &t, sizeof(t), b);
	if (h->l4proto != IPPROTO_UDP)
		return false;
	u = (struct xt_udp){ .spts = { t.spts[0], t.spts[1] }, .dpts = { t.dpts[0], t.dpts[1] },
			     .invflags = t.invflags };
	return save_as(r, false, "udp", 0, &u, sizeof(u), b);
}

static bool save_mark(const struct rule *r, const struct stmt_match *m, struct buf *b)
{
	struct xt_mark_mtinfo1 info = { .mask = UINT32_MAX, .invert = m->op == OP_NE };
	const struct expr *l = m->left, *value = m->right;

	if (value->kind == EXPR_PREFIX && value->prefix.len <= 32) {
		info.mask = value->prefix.len ? UINT32_MAX << (32 - value->prefix.len) : 0;
		value = value->prefix.value;
	}
	if (l->kind == EXPR_BINOP && l->binop.op == BINOP_AND && l->binop.right->kind == EXPR_VALUE) {
		info.mask = (uint32_t)expr_uint(l->binop.right);
		l = l->binop.left;
	}
	if (l->kind != EXPR_META || l->meta_key != NFT_META_MARK || value->kind != EXPR_VALUE ||
	    (m->op != OP_EQ && m->op != OP_NE))
		return false;
	info.mark = (uint32_t)expr_uint(value);
	return save_as(r, false, "mark", 1, &info, sizeof(info), b);
}

static bool save_limit(const struct rule *r, const struct stmt_limit *l, struct buf *b)
{
	struct xt_rateinfo info = { .burst = l->burst };

	if (l->bytes || l->over || !l->rate || l->unit_secs > 86400)
		return false;
	info.avg = (uint32_t)(XT_LIMIT_SCALE * l->unit_secs / l->rate);
	return save_as(r, false, "limit", 0, &info, sizeof(info), b);
}

bool ipt_native_save(const struct rule *r, const struct ipt_header *h, const struct stmt *s, bool *ports,
		     struct buf *b)
{
	size_t before = b->len;

	if (s->kind == STMT_LIMIT)
		return save_limit(r, &s->limit, b);
	if (ipt_newer_match(s, b))
		return true;
	b->len = before;
	if (!is_transport(s))
		return save_mark(r, &s->match, b);
	if (*ports)
		return true;
	*ports = true;
	return save_transport(r, h, b);
}

static bool save_nflog(const struct rule *r, const struct stmt_log *l, struct buf *b)
{
	struct xt_nflog_info info = { .threshold = XT_NFLOG_DEFAULT_THRESHOLD };

	if (l->group < 0)
		return false;
	info.group = (uint16_t)l->group;
	if (l->prefix)
		memcpy(info.prefix, l->prefix, strnlen(l->prefix, sizeof(info.prefix) - 1));
	if (l->has_snaplen) {
		info.len = l->snaplen;
		info.flags = XT_NFLOG_F_COPY_LEN;
	}
	if (l->has_qthreshold && l->qthreshold)
		info.threshold = (uint16_t)l->qthreshold;
	return save_as(r, true, "NFLOG", 0, &info, sizeof(info), b);
}

/* "meta nftrace set 1" */
static bool is_trace(const struct stmt_set_value *v)
{
	return v->target->kind == EXPR_META && v->target->meta_key == NFT_META_NFTRACE &&
	       v->value->kind == EXPR_VALUE && expr_uint(v->value) == 1;
}

bool ipt_native_target(const struct rule *r, const struct stmt *s, struct buf *b)
{
	if (s->kind == STMT_LOG && s->log.group >= 0)
		return save_nflog(r, &s->log, b);
	if (s->kind == STMT_SET_VALUE && is_trace(&s->set_value))
		return save_as(r, true, "TRACE", 0, "", 0, b);
	return ipt_newer_target(s, b);
}
