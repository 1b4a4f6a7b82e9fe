/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry - a rule of the model as the kernel's bytes, for libiptc */
#include "nsutil/xt/entry.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/ruleset/iptables.h"
#include "nsutil/xt/codec.h"

struct side { /* where a condition goes in the header of either family */
	uint8_t *addr, *mask;
	unsigned n;
};

static int no_form(struct err *e, const char *what)
{
	return err_set(e, ERR_SYS, "cannot write the rule to a legacy table", "%s has no iptables form", what);
}

static void fill_mask(uint8_t *mask, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static int put_addr(const struct stmt_match *m, const struct side *to, struct err *e)
{
	const struct expr *left = m->left, *value = m->right, *mask = NULL;
	unsigned len = to->n * 8;

	if (left->kind == EXPR_BINOP) {
		mask = left->binop.right;
		left = left->binop.left;
	}
	if (value->kind == EXPR_PREFIX) {
		len = value->prefix.len;
		value = value->prefix.value;
	}
	if (left->bits != to->n * 8 || value->bits != to->n * 8 || len > to->n * 8 ||
	    (mask && mask->bits != to->n * 8))
		return no_form(e, "the address");
	memcpy(to->addr, value->value, to->n);
	if (mask)
		memcpy(to->mask, mask->value, to->n);
	else
		fill_mask(to->mask, len);
	return 0;
}

/* Name and mask as iptables makes them: the mask covers the final NUL of a whole name. */
static int put_iface(const struct stmt_match *m, char *name, unsigned char *mask, struct err *e)
{
	const struct expr *value = m->right;
	bool prefix = value->kind == EXPR_PREFIX;
	size_t len;

	if (prefix)
		value = value->prefix.value;
	if (m->left->kind != EXPR_META || value->bits != IFNAMSIZ * 8)
		return no_form(e, "the interface");
	len = strnlen((const char *)value->value, IFNAMSIZ - 1);
	if (prefix && len > m->right->prefix.len / 8)
		len = m->right->prefix.len / 8;
	memcpy(name, value->value, len);
	memset(mask, 0xff, prefix ? len : len + 1);
	if (prefix && len < IFNAMSIZ - 1)
		name[len] = '+';
	return 0;
}

static bool negated(const struct stmt_match *m)
{
	return m && m->op == OP_NE;
}

static int header4(const struct ipt_header *h, struct ipt_ip *ip, struct err *e)
{
	const struct side src = { (uint8_t *)&ip->src, (uint8_t *)&ip->smsk, 4 };
	const struct side dst = { (uint8_t *)&ip->dst, (uint8_t *)&ip->dmsk, 4 };

	if ((h->saddr && put_addr(h->saddr, &src, e) < 0) || (h->daddr && put_addr(h->daddr, &dst, e) < 0) ||
	    (h->iif && put_iface(h->iif, ip->iniface, ip->iniface_mask, e) < 0) ||
	    (h->oif && put_iface(h->oif, ip->outiface, ip->outiface_mask, e) < 0))
		return -1;
	if (h->proto)
		ip->proto = h->proto->right->value[0];
	if (h->frag) { /* "frag-off & 0x1fff != 0" is -f */
		ip->flags |= IPT_F_FRAG;
		ip->invflags |= negated(h->frag) ? 0 : IPT_INV_FRAG;
	}
	ip->invflags |= (negated(h->saddr) ? IPT_INV_SRCIP : 0) | (negated(h->daddr) ? IPT_INV_DSTIP : 0) |
			(negated(h->iif) ? IPT_INV_VIA_IN : 0) | (negated(h->oif) ? IPT_INV_VIA_OUT : 0) |
			(negated(h->proto) ? IPT_INV_PROTO : 0);
	return 0;
}

static int header6(const struct ipt_header *h, struct ip6t_ip6 *ip, struct err *e)
{
	const struct side src = { (uint8_t *)&ip->src, (uint8_t *)&ip->smsk, 16 };
	const struct side dst = { (uint8_t *)&ip->dst, (uint8_t *)&ip->dmsk, 16 };

	if (h->frag)
		return no_form(e, "the fragment condition");
	if ((h->saddr && put_addr(h->saddr, &src, e) < 0) || (h->daddr && put_addr(h->daddr, &dst, e) < 0) ||
	    (h->iif && put_iface(h->iif, ip->iniface, ip->iniface_mask, e) < 0) ||
	    (h->oif && put_iface(h->oif, ip->outiface, ip->outiface_mask, e) < 0))
		return -1;
	if (h->proto) {
		ip->proto = h->proto->right->value[0];
		ip->flags |= IP6T_F_PROTO;
	}
	ip->invflags |= (negated(h->saddr) ? IP6T_INV_SRCIP : 0) | (negated(h->daddr) ? IP6T_INV_DSTIP : 0) |
			(negated(h->iif) ? IP6T_INV_VIA_IN : 0) | (negated(h->oif) ? IP6T_INV_VIA_OUT : 0) |
			(negated(h->proto) ? IP6T_INV_PROTO : 0);
	return 0;
}

/* A match or target: head, data, padding. Both kinds of head have the same layout. */
static void add_ext(struct buf *b, const char *name, uint8_t rev, const void *data, uint32_t size)
{
	static const uint8_t zeros[8];
	struct xt_entry_match head = { .u.user.revision = rev };
	size_t total = XT_ALIGN(sizeof(head) + size);

	head.u.match_size = (uint16_t)total;
	memcpy(head.u.user.name, name, strnlen(name, sizeof(head.u.user.name) - 1));
	buf_add(b, &head, sizeof(head));
	buf_add(b, data, size);
	buf_add(b, zeros, total - sizeof(head) - size);
}

static void add_verdict(struct buf *b, const char *name)
{
	struct xt_standard_target t = { .verdict = 0 };

	t.target.u.target_size = sizeof(t);
	memcpy(t.target.u.user.name, name, strnlen(name, sizeof(t.target.u.user.name) - 1));
	buf_add(b, &t, sizeof(t));
}

static const char *verdict_target(const struct stmt_verdict *v)
{
	switch (v->code) {
	case VERDICT_ACCEPT: return "ACCEPT";
	case VERDICT_DROP: return "DROP";
	case VERDICT_RETURN: return "RETURN";
	case VERDICT_QUEUE: return "QUEUE";
	case VERDICT_JUMP:
	case VERDICT_GOTO: return v->chain;
	default: return NULL;
	}
}

static bool in_header(const struct ipt_header *h, const struct stmt *s)
{
	const struct stmt_match *m = &s->match;

	return s->kind == STMT_COUNTER ||
	       (s->kind == STMT_MATCH && (m == h->saddr || m == h->daddr || m == h->iif || m == h->oif ||
					  m == h->proto || m == h->frag));
}

static bool is_target(const struct stmt *s)
{
	return s->kind == STMT_VERDICT || (s->kind == STMT_XT && s->xt->target) ||
	       (s->kind == STMT_OPAQUE && s->opaque.type == OPAQUE_TARGET);
}

static int add_stmt(struct buf *b, const struct stmt *s, struct err *e)
{
	const char *name;

	switch (s->kind) {
	case STMT_XT:
		add_ext(b, s->xt->name, s->xt->rev, s->xt->data, s->xt->codec->size);
		return 0;
	case STMT_OPAQUE:
		if (s->opaque.type == OPAQUE_EXPR)
			return no_form(e, s->opaque.name);
		add_ext(b, s->opaque.name, s->opaque.rev, s->opaque.data, s->opaque.size);
		return 0;
	case STMT_VERDICT:
		name = verdict_target(&s->verdict);
		if (!name)
			return no_form(e, verdict_name(s->verdict.code));
		add_verdict(b, name);
		return 0;
	default: return no_form(e, "a native nftables statement");
	}
}

/* Matches first, then the one target; a rule without one gets the empty name. */
static int add_all(struct buf *b, const struct rule *r, const struct ipt_header *h, size_t *ret_target,
		   struct err *e)
{
	const struct stmt *target = NULL;

	for (const struct stmt *s = r->stmts; s; s = s->next) {
		if (in_header(h, s))
			continue;
		if (is_target(s)) {
			if (target)
				return no_form(e, "a second target");
			target = s;
		} else if (add_stmt(b, s, e) < 0) {
			return -1;
		}
	}
	*ret_target = b->len;
	if (target)
		return add_stmt(b, target, e);
	add_verdict(b, "");
	return 0;
}

static bool is_goto(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT && s->verdict.code == VERDICT_GOTO)
			return true;
	return false;
}

static int make_header(const struct rule *r, const struct ipt_header *h, void *entry, struct err *e)
{
	const struct xt_counters counters = { .pcnt = r->packets, .bcnt = r->bytes };
	struct ip6t_entry *v6 = entry;
	struct ipt_entry *v4 = entry;

	if (r->chain->table->family == NFPROTO_IPV6) {
		v6->counters = counters;
		v6->ipv6.flags = is_goto(r) ? IP6T_F_GOTO : 0;
		return header6(h, &v6->ipv6, e);
	}
	v4->counters = counters;
	v4->ip.flags = is_goto(r) ? IPT_F_GOTO : 0;
	return header4(h, &v4->ip, e);
}

static void set_offsets(const struct rule *r, char *data, size_t target, size_t next)
{
	if (r->chain->table->family == NFPROTO_IPV6) {
		((struct ip6t_entry *)data)->target_offset = (uint16_t)target;
		((struct ip6t_entry *)data)->next_offset = (uint16_t)next;
	} else {
		((struct ipt_entry *)data)->target_offset = (uint16_t)target;
		((struct ipt_entry *)data)->next_offset = (uint16_t)next;
	}
}

int xt_entry_make(struct arena *a, const struct rule *r, const void **ret, struct err *e)
{
	size_t head = r->chain->table->family == NFPROTO_IPV6 ? sizeof(struct ip6t_entry)
							      : sizeof(struct ipt_entry);
	union {
		struct ipt_entry v4;
		struct ip6t_entry v6;
	} entry = { .v6 = { .nfcache = 0 } };
	struct ipt_header h = { .l4proto = 0 };
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t target = 0;

	for (const struct stmt *s = r->stmts; s; s = s->next)
		ipt_header_take(&h, s);
	if (make_header(r, &h, &entry, e) < 0)
		return -1;
	buf_add(&b, &entry, head);
	if (add_all(&b, r, &h, &target, e) < 0)
		return -1;
	if (buf_failed(&b))
		return err_oom(e);
	if (b.len > UINT16_MAX)
		return no_form(e, "a rule of more than 64 kB");
	set_offsets(r, b.data, target, b.len);
	*ret = arena_dup(a, b.data, b.len);
	return *ret ? 0 : err_oom(e);
}
