/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon - the canonical form of a rule: two rules that mean the same have the same one */
#include "nsutil/ruleset/canon.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/canon_form.h"
#include "nsutil/xt/codec.h"

/* FNV-1a, with a last mix so that the high bits of short texts differ as well. */
static uint64_t text_hash(const char *text, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)text[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static unsigned family_packets(uint8_t family)
{
	return family == NFPROTO_IPV4 ? CANON_V4 : family == NFPROTO_IPV6 ? CANON_V6 : CANON_ANY;
}

/* Matches that count or remember: whether they are asked depends on what stands before them. */
static bool has_memory(const char *name)
{
	static const char *const names[] = { "statistic", "recent", "limit",   "hashlimit", "quota",
					     "connlimit", "nfacct", "rateest", "set",	    "cluster" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_condition(const struct stmt *s)
{
	switch (s->kind) {
	case STMT_MATCH:
	case STMT_ANY:
	case STMT_NOT:
		return true;
	case STMT_XT:
		return !s->xt->target && !has_memory(s->xt->name);
	case STMT_OPAQUE:
		return s->opaque.type == OPAQUE_MATCH && !(s->opaque.name && has_memory(s->opaque.name));
	default:
		return false;
	}
}

/* "numgen inc": every question moves it on. */
static bool counts(const struct stmt *s)
{
	return s->kind == STMT_MATCH && s->match.left->kind == EXPR_NUMGEN &&
	       s->match.left->numgen.type == NFT_NG_INCREMENTAL;
}

struct canon_state {
	struct canon_list list; /* conditions since the last action */
	struct buf body;
	uint64_t conditions;
	bool acted;
};

static void before_action(struct canon_state *st)
{
	canon_list_flush(&st->list, &st->body);
	if (!st->acted)
		st->conditions = text_hash(buf_cstr(&st->body), st->body.len);
	st->acted = true;
}

static void take_list(struct canon_state *st, const struct stmt *s);

/* A match without meaning or doubt: a comment, or one without options (-m tcp). Others, like nfacct, have
 * an effect beside the point of the trace, which is theirs alone. */
static bool asks_nothing(const struct xt_ext *x)
{
	struct buf text _cleanup_buf_ = BUF_INIT;

	if (x->target || x->why_unknown)
		return false;
	if (!x->codec || x->codec->lower || strcmp(x->name, "comment") == 0)
		return true;
	xt_ext_save(x, &text);
	return text.len == strlen(" -m ") + strlen(x->name) || strcmp(buf_cstr(&text), " -m icmp --icmp-type any") == 0;
}

static void take(struct canon_state *st, const struct stmt *s)
{
	if (s->kind == STMT_COUNTER || s->kind == STMT_LAST)
		return;
	if (s->kind == STMT_VERDICT && s->verdict.code == VERDICT_CONTINUE)
		return;
	if (s->kind == STMT_XT && (s->xt->meaning || s->xt->form || asks_nothing(s->xt))) {
		take_list(st, s->xt->meaning ? s->xt->meaning : s->xt->form);
		return;
	}
	if (is_condition(s)) {
		if (counts(s))
			before_action(st);
		canon_condition(&st->list, s);
		if (counts(s))
			canon_list_flush(&st->list, &st->body);
		return;
	}
	before_action(st);
	buf_str(&st->body, "=>");
	canon_action(s, st->list.packets, &st->body);
	buf_chr(&st->body, ';');
}

static void take_list(struct canon_state *st, const struct stmt *s)
{
	for (; s; s = s->next)
		take(st, s);
}

/* What packets the rule is about goes in front: it is known only at the end. */
static const char *scope(const struct canon_state *st)
{
	switch (st->list.family) {
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
	case NFPROTO_INET:
		return st->list.packets == CANON_V4   ? "4|"
		       : st->list.packets == CANON_V6 ? "6|"
		       : st->list.packets	      ? "46|"
						      : "never|";
	default:
		return family_name(st->list.family);
	}
}

static int finish(struct canon_state *st, struct arena *a, struct canon *ret)
{
	const char *head;
	size_t n;
	char *text;

	before_action(st);
	head = scope(st);
	n = strlen(head);
	text = arena_alloc(a, n + st->body.len + 1);
	if (!text || st->list.failed || buf_failed(&st->body))
		return -1;
	memcpy(text, head, n);
	memcpy(text + n, buf_cstr(&st->body), st->body.len);
	ret->text = text;
	ret->len = n + st->body.len;
	ret->hash = text_hash(text, ret->len);
	ret->conditions = st->conditions ^ text_hash(head, n);
	return 0;
}

int canon_stmts(struct arena *a, uint8_t family, const struct stmt *stmts, struct canon *ret)
{
	struct canon_state st = { .list = { .family = family, .packets = family_packets(family) } };
	int r;

	take_list(&st, stmts);
	r = finish(&st, a, ret);
	canon_list_free(&st.list);
	buf_free(&st.body);
	return r;
}

int canon_rule(struct arena *a, const struct rule *r, struct canon *ret)
{
	return canon_stmts(a, r->chain->table->family, r->stmts, ret);
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	struct arena *arena _cleanup_arena_ = arena_new();
	struct canon ca, cb;

	return arena && canon_rule(arena, a, &ca) == 0 && canon_rule(arena, b, &cb) == 0 &&
	       canon_same(&ca, &cb);
}

static bool is_xt(enum store s)
{
	return s == STORE_LEGACY || s == STORE_COMPAT;
}

unsigned canon_chain(const struct chain *a, const struct chain *b)
{
	unsigned d = 0;

	if (a->base != b->base)
		return CHAIN_BASE;
	if (!a->base)
		return CHAIN_SAME;
	if (a->hook != b->hook || strcmp(a->type ? a->type : "", b->type ? b->type : "") != 0)
		d |= CHAIN_HOOK;
	/* what iptables chose for each of its stores (security: 50 and 150) nobody can set */
	if (a->priority != b->priority && !(is_xt(a->table->store) && is_xt(b->table->store) &&
					    a->table->store != b->table->store))
		d |= CHAIN_PRIORITY;
	if (a->policy != b->policy)
		d |= CHAIN_POLICY;
	return d;
}
