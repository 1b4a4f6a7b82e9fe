/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon_act - the canonical form of what a rule does */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/canon_form.h"
#include "nsutil/xt/codec.h"

/* A value to be written, of the target's width: a constant, or bits of a source with some changed. */
static void written(const struct expr *target, const struct expr *value, unsigned packets, struct buf *b)
{
	struct canon_field to, from;
	uint8_t c[CANON_WIDTH];

	if (!value || !canon_field(target, &to)) {
		canon_expr(value, packets, b);
	} else if (canon_const(value, to.width, to.string, c)) {
		canon_hex(b, c, to.width);
	} else if (canon_field(value, &from) && from.width == to.width) {
		if (!from.source) {
			canon_hex(b, from.flip, from.width);
			return;
		}
		canon_key(from.source, packets, b);
		buf_chr(b, '&');
		canon_hex(b, from.mask, from.width);
		buf_chr(b, '^');
		canon_hex(b, from.flip, from.width);
	} else {
		canon_expr(value, packets, b);
	}
}

/* From-to with a range of one as a single value, as it is for addresses and ports of nat. */
static void span(const char *name, const struct expr *from, const struct expr *to, unsigned packets,
		 struct buf *b)
{
	struct buf first _cleanup_buf_ = BUF_INIT, last _cleanup_buf_ = BUF_INIT;

	if (!from)
		return;
	buf_str(b, name);
	canon_expr(from, packets, &first);
	buf_add(b, buf_cstr(&first), first.len);
	if (!to)
		return;
	canon_expr(to, packets, &last);
	if (strcmp(buf_cstr(&first), buf_cstr(&last)) == 0)
		return;
	buf_chr(b, '-');
	buf_add(b, buf_cstr(&last), last.len);
}

static void act_nat(const struct stmt_nat *n, unsigned packets, struct buf *b)
{
	static const char *const names[] = { "snat", "dnat", "masquerade", "redirect", "netmap" };
	/* that there is an address or a port is seen from the address and the port */
	uint32_t flags = n->flags & ~(uint32_t)(NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);

	buf_str(b, names[n->kind]);
	span(" addr ", n->addr, n->addr_max, packets, b);
	span(" port ", n->port, n->port_max, packets, b);
	if (flags)
		buf_fmt(b, " flags %x", flags);
	if (n->base_port)
		buf_fmt(b, " base %u", n->base_port);
}

/* net/netfilter/nft_reject.c, icmp_code_v4 and icmp_code_v6: what the common codes become. */
static const uint8_t icmpx_v4[] = { 0, 3, 1, 13 }, icmpx_v6[] = { 0, 4, 3, 1 };

static void act_reject(const struct stmt_reject *r, unsigned packets, struct buf *b)
{
	unsigned version = packets == CANON_V6 ? 6 : 4;
	uint8_t code = r->code;

	if (r->kind == REJECT_TCP_RST) {
		buf_str(b, "reject tcp reset");
		return;
	}
	if (r->kind == REJECT_ICMPX && (packets == CANON_ANY || code >= sizeof(icmpx_v4))) {
		buf_fmt(b, "reject icmpx %u", code);
		return;
	}
	if (r->kind == REJECT_ICMPX)
		code = packets == CANON_V4 ? icmpx_v4[code] : icmpx_v6[code];
	else
		version = r->kind == REJECT_ICMP6 ? 6 : 4;
	buf_fmt(b, "reject icmp%u %u", version, code);
}

static void act_log(const struct stmt_log *l, struct buf *b)
{
	if (l->group >= 0) {
		buf_fmt(b, "log group %d", l->group);
		if (l->has_snaplen && l->snaplen)
			buf_fmt(b, " snaplen %u", l->snaplen);
		if (l->has_qthreshold && l->qthreshold > 1)
			buf_fmt(b, " queue %u", l->qthreshold);
	} else {
		/* both worlds log warnings when they are not told otherwise */
		buf_fmt(b, "log level %d flags %x", l->level < 0 ? 4 : l->level, l->flags);
	}
	if (l->prefix && *l->prefix) {
		buf_str(b, " prefix ");
		buf_str(b, l->prefix);
	}
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a ? a : 1;
}

static void act_limit(const struct stmt_limit *l, struct buf *b)
{
	uint64_t d = gcd(l->rate, l->unit_secs);

	buf_fmt(b, "limit %llu/%llu burst %u%s%s", (unsigned long long)(l->rate / d),
		(unsigned long long)(l->unit_secs / d), l->burst, l->bytes ? " bytes" : "",
		l->over ? " over" : "");
}

static void act_tproxy(const struct stmt_tproxy *t, unsigned packets, struct buf *b)
{
	buf_str(b, "tproxy");
	span(" addr ", t->addr, NULL, packets, b);
	span(" port ", t->port, NULL, packets, b);
	if (t->mark_mask || t->mark)
		buf_fmt(b, " mark %x/%x", t->mark, t->mark_mask);
	if (t->terminal)
		buf_str(b, " accept");
}

static void act_setop(const struct stmt_setop *s, unsigned packets, struct buf *b)
{
	static const char *const names[] = { "add", "update", "delete" };

	buf_fmt(b, "%s @%s ", names[s->op], s->set_name ? s->set_name : s->set ? s->set->name : "?");
	canon_expr(s->key, packets, b);
	if (s->data) {
		buf_chr(b, ':');
		canon_expr(s->data, packets, b);
	}
	if (s->timeout_ms)
		buf_fmt(b, " timeout %llu", (unsigned long long)s->timeout_ms);
	for (const struct stmt *in = s->stmts; in; in = in->next) {
		buf_chr(b, ' ');
		canon_action(in, packets, b);
	}
}

static void act_objref(const struct stmt_objref *o, unsigned packets, struct buf *b)
{
	buf_fmt(b, "object %u ", o->type);
	if (o->name) {
		buf_str(b, o->name);
		return;
	}
	canon_expr(o->key, packets, b);
	canon_set(o->map, o->key, packets, b);
}

static void act_queue(const struct stmt_queue *q, unsigned packets, struct buf *b)
{
	buf_fmt(b, "queue flags %x ", q->flags);
	if (q->expr)
		canon_expr(q->expr, packets, b);
	else
		buf_fmt(b, "%u-%u", q->from, q->to);
}

static void act_dup(const char *name, const struct stmt_dup *d, unsigned packets, struct buf *b)
{
	buf_str(b, name);
	span(" addr ", d->addr, NULL, packets, b);
	span(" dev ", d->dev, NULL, packets, b);
}

void canon_xt(const struct xt_ext *x, struct buf *b)
{
	buf_str(b, x->target ? "target " : "match ");
	buf_str(b, x->name);
	/* the kernel's bytes hold pointers and counts of its own; what a person can say is the text */
	xt_ext_save(x, b);
}

void canon_opaque(const struct stmt_opaque *o, struct buf *b)
{
	static const char *const types[] = { "expression", "match", "target" };

	buf_fmt(b, "opaque %s %s.%u ", types[o->type], o->name ? o->name : "?", o->rev);
	if (o->data)
		canon_hex(b, o->data, o->size);
}

static void act_verdict(const struct stmt_verdict *v, struct buf *b)
{
	buf_str(b, verdict_name(v->code));
	if (v->chain) {
		buf_chr(b, ' ');
		buf_str(b, v->chain);
	}
}

static void act_vmap(const struct stmt_vmap *m, unsigned packets, struct buf *b)
{
	buf_str(b, "vmap ");
	canon_expr(m->key, packets, b);
	canon_set(m->map, m->key, packets, b);
}

/*
 * Part of a header that is written back together with the bits around it, as nftables must: named by the
 * bits that change. False when it is something else.
 */
static bool written_bits(const struct stmt_set_value *v, struct buf *b)
{
	unsigned first = 0, last, value = 0;
	const struct expr *t = v->target;
	struct canon_field f;

	if (t->kind != EXPR_PAYLOAD || !v->value || !canon_field(v->value, &f) || !f.source || f.string ||
	    f.source->kind != EXPR_PAYLOAD || f.width > 4 || f.source->payload.base != t->payload.base ||
	    f.source->payload.offset != t->payload.offset || f.source->bits != t->bits || t->bits % 8)
		return false;
#define KEPT(i) (f.mask[(i) / 8] >> (7 - (i) % 8) & 1)
	while (first < t->bits && KEPT(first))
		first++;
	for (last = first; last < t->bits && !KEPT(last); last++)
		value = value << 1 | (f.flip[last / 8] >> (7 - last % 8) & 1);
	for (unsigned i = last; i < t->bits; i++)
		if (!KEPT(i))
			return false;
#undef KEPT
	buf_fmt(b, "set hdr.%u.%u.%u=", t->payload.base, t->payload.offset + first, last - first);
	for (unsigned i = (last - first + 7) / 8; i-- > 0;) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		canon_hex(b, &byte, 1);
	}
	return true;
}

static void act_set_value(const struct stmt_set_value *v, unsigned packets, struct buf *b)
{
	if (written_bits(v, b))
		return;
	buf_str(b, "set ");
	canon_expr(v->target, packets, b);
	buf_chr(b, '=');
	written(v->target, v->value, packets, b);
}

void canon_action(const struct stmt *s, unsigned packets, struct buf *b)
{
	switch (s->kind) {
	case STMT_MATCH:
	case STMT_ANY:
	case STMT_NOT: /* conditions are not done; see canon_cond.c */
	case STMT_COUNTER:
	case STMT_LAST: break;
	case STMT_XT: canon_xt(s->xt, b); break;
	case STMT_OPAQUE: canon_opaque(&s->opaque, b); break;
	case STMT_LIMIT: act_limit(&s->limit, b); break;
	case STMT_QUOTA:
		buf_fmt(b, "quota %llu%s", (unsigned long long)s->quota.bytes, s->quota.over ? " over" : "");
		break;
	case STMT_CONNLIMIT:
		buf_fmt(b, "connlimit %u%s", s->connlimit.count, s->connlimit.over ? " over" : "");
		break;
	case STMT_LOG: act_log(&s->log, b); break;
	case STMT_VERDICT: act_verdict(&s->verdict, b); break;
	case STMT_VMAP: act_vmap(&s->vmap, packets, b); break;
	case STMT_REJECT: act_reject(&s->reject, packets, b); break;
	case STMT_NAT: act_nat(&s->nat, packets, b); break;
	case STMT_SET_VALUE: act_set_value(&s->set_value, packets, b); break;
	case STMT_TPROXY: act_tproxy(&s->tproxy, packets, b); break;
	case STMT_NOTRACK: buf_str(b, "notrack"); break;
	case STMT_QUEUE: act_queue(&s->queue, packets, b); break;
	case STMT_DUP: act_dup("dup", &s->dup, packets, b); break;
	case STMT_FWD: act_dup("fwd", &s->dup, packets, b); break;
	case STMT_SETOP: act_setop(&s->setop, packets, b); break;
	case STMT_OBJREF: act_objref(&s->objref, packets, b); break;
	case STMT_SYNPROXY:
		buf_fmt(b, "synproxy %u %u %x", s->synproxy.mss, s->synproxy.wscale, s->synproxy.flags);
		break;
	case STMT_FLOW:
		buf_fmt(b, "flow add @%s", s->flowtable ? s->flowtable : "?");
		break;
	case STMT_EXTHDR_RESET:
		buf_str(b, "reset ");
		canon_expr(s->exthdr_reset, packets, b);
		break;
	}
}
