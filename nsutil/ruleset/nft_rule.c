/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_rule - whole rules as nft lists them, and as iptables-translate writes those of the legacy store */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"
#include "nsutil/ruleset/text.h"

/* "meta l4proto tcp" of a rule; NULL when it has none */
static const struct stmt *rule_l4proto(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_MATCH && s->match.left->kind == EXPR_META &&
		    s->match.left->meta_key == NFT_META_L4PROTO && s->match.right->kind == EXPR_VALUE)
			return s;
	return NULL;
}

/* The name that stands in front of a port. */
static const char *rule_l4_name(const struct stmt *proto)
{
	static const char *const with_ports[] = { "tcp", "udp", "sctp", "dccp", "udplite" };
	const char *name = proto && proto->match.op == OP_EQ
				   ? nft_name_of(DT_INET_PROTO, expr_uint(proto->match.right)) : NULL;

	for (size_t i = 0; name && i < ARRAY_SIZE(with_ports); i++)
		if (strcmp(with_ports[i], name) == 0)
			return name;
	return NULL;
}

static bool is_condition(const struct stmt *s)
{
	return s->kind == STMT_MATCH || s->kind == STMT_ANY || s->kind == STMT_NOT ||
	       (s->kind == STMT_XT && !s->xt->target) ||
	       (s->kind == STMT_OPAQUE && s->opaque.type == OPAQUE_MATCH);
}

/* "tcp dport 80" says by itself that it is TCP. */
static bool protocol_said(const struct stmt *proto)
{
	const char *name = proto->match.op == OP_EQ
				   ? nft_name_of(DT_INET_PROTO, expr_uint(proto->match.right)) : NULL;

	for (const struct stmt *s = proto->next; s && name; s = s->next) {
		const struct stmt *m = s->kind == STMT_XT && !s->xt->target ? s->xt->meaning : NULL;

		if (m && m->kind == STMT_MATCH && m->match.left->kind == EXPR_PAYLOAD &&
		    m->match.left->payload.field && strcmp(m->match.left->payload.field->protocol, name) == 0)
			return true;
	}
	return false;
}

static void legacy_counter(const struct nft_text *t, const struct rule *r, size_t before)
{
	const struct stmt s = { .kind = STMT_COUNTER, .counter = { .packets = r->packets, .bytes = r->bytes } };

	if (t->b->len != before)
		buf_chr(t->b, ' ');
	nft_stmt_text(t, &s);
}

/* Conditions of the header in the order of iptables-translate: interfaces, protocol, the rest. */
static unsigned header_rank(const struct stmt *s, const struct stmt *proto)
{
	const struct expr *left = s->kind == STMT_MATCH ? s->match.left : NULL;

	if (left && left->kind == EXPR_META &&
	    (left->meta_key == NFT_META_IIFNAME || left->meta_key == NFT_META_OIFNAME))
		return 0;
	if (left && left->kind == EXPR_BINOP)
		return left->binop.left->kind == EXPR_PAYLOAD && left->binop.left->dtype == DT_INTEGER ? 1 : 3;
	return s == proto ? 2 : 3;
}

/* One statement behind a blank; nothing of one that has no text. */
static void legacy_stmt(const struct nft_text *t, const struct stmt *s, const struct stmt *proto, size_t before)
{
	size_t last = t->b->len;

	if (s == proto && protocol_said(s))
		return;
	if (last != before)
		buf_chr(t->b, ' ');
	if (s == proto && t->family == NFPROTO_IPV4) {
		buf_fmt(t->b, "ip protocol %s", s->match.op == OP_NE ? "!= " : "");
		nft_value_text(s->match.right, " | ", t->b);
	} else {
		nft_stmt_text(t, s);
	}
	if (t->b->len == last + (last != before))
		t->b->len = last;
}

/* As iptables-translate writes it: every rule counts, and IPv4 names the protocol as its header does. */
static void legacy_text(const struct nft_text *t, const struct rule *r, const struct stmt *proto)
{
	const struct stmt *s, *rest;
	size_t before = t->b->len;

	for (rest = r->stmts; rest && rest->kind == STMT_MATCH; rest = rest->next)
		;
	for (unsigned rank = 0; rank < 4; rank++)
		for (s = r->stmts; s != rest; s = s->next)
			if (header_rank(s, proto) == rank)
				legacy_stmt(t, s, proto, before);
	for (s = rest; s && is_condition(s); s = s->next)
		legacy_stmt(t, s, proto, before);
	legacy_counter(t, r, before);
	for (; s; s = s->next)
		legacy_stmt(t, s, proto, before);
	if (t->b->data)
		t->b->data[t->b->len] = '\0';
}

void rule_nft(const struct rule *r, bool counters, struct buf *b)
{
	struct nft_text t = { .b = b, .counters = counters, .family = r->chain->table->family };

	nft_rule_text(&t, r);
}

void nft_rule_text(const struct nft_text *whole, const struct rule *r)
{
	struct buf *b = whole->b;
	struct nft_text t = *whole;
	const struct stmt *proto = r->chain->table->store == STORE_NATIVE ? NULL : rule_l4proto(r);
	size_t before = b->len;

	t.l4 = rule_l4_name(proto);
	t.hook = r->chain->base ? r->chain->hook + 1 : 0;
	if (r->chain->table->store == STORE_LEGACY)
		legacy_text(&t, r, proto);
	else
		nft_stmts_text(&t, r->stmts);
	if (!r->comment)
		return;
	if (b->len != before)
		buf_chr(b, ' ');
	buf_str(b, "comment ");
	nft_string_text(r->comment, b);
}
