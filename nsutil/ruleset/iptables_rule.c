/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_rule - a rule as iptables-save prints it */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/iptables.h"
#include "nsutil/ruleset/text.h"
#include "nsutil/xt/codec.h"

static bool save_verdict(const struct stmt_verdict *v, struct buf *b)
{
	switch (v->code) {
	case VERDICT_ACCEPT: buf_str(b, " -j ACCEPT"); return true;
	case VERDICT_DROP: buf_str(b, " -j DROP"); return true;
	case VERDICT_RETURN: buf_str(b, " -j RETURN"); return true;
	case VERDICT_QUEUE: buf_str(b, " -j QUEUE"); return true;
	case VERDICT_JUMP:
	case VERDICT_GOTO:
		if (!v->chain)
			return false;
		buf_str(b, v->code == VERDICT_JUMP ? " -j " : " -g ");
		buf_str(b, v->chain);
		return true;
	default: return false;
	}
}

/* As iptables says it when it has no extension for what the kernel holds. */
static bool save_opaque(const struct stmt_opaque *o, struct buf *b)
{
	if (o->type == OPAQUE_EXPR)
		return false;
	buf_str(b, o->type == OPAQUE_TARGET ? " -j " : " -m ");
	buf_str(b, o->name);
	buf_str(b, " [unsupported revision]");
	return true;
}

/* "! -i +" of a legacy table matches nothing, and iptables prints nothing of it. */
static bool never_iface(const struct rule *r, const struct stmt *s)
{
	const struct stmt_match *m = &s->match;

	return r->chain->table->store == STORE_LEGACY && m->op == OP_NE && m->left->kind == EXPR_META &&
	       m->left->meta_key == NFT_META_L4PROTO && m->right->kind == EXPR_RANGE;
}

static bool save_stmt(const struct rule *r, const struct ipt_header *h, const struct stmt *s, bool *ports,
		      struct buf *b)
{
	switch (s->kind) {
	case STMT_COUNTER: return true;
	case STMT_VERDICT: return save_verdict(&s->verdict, b);
	case STMT_OPAQUE: return save_opaque(&s->opaque, b);
	case STMT_XT: xt_ext_save(s->xt, b); return true;
	case STMT_MATCH:
		if (never_iface(r, s))
			return true;
		return ipt_native_save(r, h, s, ports, b);
	case STMT_LIMIT: return ipt_native_save(r, h, s, ports, b);
	default: return ipt_native_target(r, s, b);
	}
}

static bool in_header(const struct ipt_header *h, const struct stmt *s)
{
	const struct stmt_match *m = &s->match;

	return s->kind == STMT_MATCH && (m == h->saddr || m == h->daddr || m == h->iif || m == h->oif ||
					 m == h->proto || m == h->frag);
}

/* A comment that no extension says: newer versions keep it as nft does. */
static const char *user_comment(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_XT && !s->xt->target && strcmp(s->xt->name, "comment") == 0)
			return NULL;
	return r->comment;
}

static bool is_action(const struct stmt *s)
{
	return s->kind != STMT_MATCH && s->kind != STMT_COUNTER && s->kind != STMT_LIMIT &&
	       !(s->kind == STMT_XT && !s->xt->target);
}

/* iptables has one action, behind all conditions. */
static bool one_action(const struct rule *r)
{
	bool acted = false;

	for (const struct stmt *s = r->stmts; s; s = s->next) {
		if (acted && s->kind != STMT_COUNTER && !(s->kind == STMT_XT && !s->xt->target && strcmp(s->xt->name, "comment") == 0))
			return false;
		acted |= is_action(s);
	}
	return true;
}

bool rule_iptables(const struct rule *r, struct buf *b)
{
	struct ipt_header h = { .l4proto = 0 };
	const char *comment = user_comment(r);
	const struct stmt *last = NULL;
	bool ports = false, limited = false, good;
	size_t before = b->len;

	if (r->chain->table->family != NFPROTO_IPV4 && r->chain->table->family != NFPROTO_IPV6)
		return false;
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (!ipt_newer_is_range(s))
			ipt_header_take(&h, s);
	good = one_action(r) && ipt_header_save(&h, b);
	for (const struct stmt *s = r->stmts; s && good; s = s->next) {
		if (comment && is_action(s)) {
			ipt_save_string(" -m comment --comment", comment, b);
			comment = NULL;
		}
		if (in_header(&h, s))
			good = !limited; /* iptables looks at the header before it counts */
		else if (!(last && ipt_newer_is_code(last)))
			good = save_stmt(r, &h, s, &ports, b);
		limited |= s->kind == STMT_LIMIT;
		last = s;
	}
	if (comment && good)
		ipt_save_string(" -m comment --comment", comment, b);
	if (!good && b->data) {
		b->len = before;
		b->data[before] = '\0';
	}
	return good;
}
