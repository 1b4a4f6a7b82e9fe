/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_stmt - statements and rules as nft lists them */
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_synproxy.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"

/* ---- words ---- */

struct flag_word {
	uint32_t flag;
	const char *word;
};

static unsigned flag_words(const struct flag_word *table, size_t n, uint32_t flags, const char **words)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		if (flags & table[i].flag)
			words[found++] = table[i].word;
	return found;
}

unsigned nft_nat_flags(uint32_t flags, const char *words[4])
{
	static const struct flag_word table[] = {
		{ NF_NAT_RANGE_PROTO_RANDOM, "random" },
		{ NF_NAT_RANGE_PROTO_RANDOM_FULLY, "fully-random" },
		{ NF_NAT_RANGE_PERSISTENT, "persistent" },
		{ NF_NAT_RANGE_NETMAP, "netmap" },
	};

	return flag_words(table, 4, flags, words);
}

unsigned nft_synproxy_flags(uint32_t flags, const char *words[2])
{
	static const struct flag_word table[] = {
		{ NF_SYNPROXY_OPT_TIMESTAMP, "timestamp" }, { NF_SYNPROXY_OPT_SACK_PERM, "sack-perm" },
	};

	return flag_words(table, 2, flags, words);
}

unsigned nft_queue_flags(uint32_t flags, const char *words[2])
{
	static const struct flag_word table[] = {
		{ NFT_QUEUE_FLAG_BYPASS, "bypass" }, { NFT_QUEUE_FLAG_CPU_FANOUT, "fanout" },
	};

	return flag_words(table, 2, flags, words);
}

const char *nft_log_level(int level)
{
	static const char *const words[] = {
		"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit",
	};

	return level >= 0 && level < 9 ? words[level] : "unknown";
}

const char *nft_object_word(uint32_t type)
{
	static const char *const words[] = {
		[NFT_OBJECT_COUNTER] = "counter", [NFT_OBJECT_QUOTA] = "quota",
		[NFT_OBJECT_CT_HELPER] = "ct helper", [NFT_OBJECT_LIMIT] = "limit",
		[NFT_OBJECT_CONNLIMIT] = "ct count", [NFT_OBJECT_TUNNEL] = "tunnel",
		[NFT_OBJECT_CT_TIMEOUT] = "ct timeout", [NFT_OBJECT_SECMARK] = "secmark",
		[NFT_OBJECT_CT_EXPECT] = "ct expectation", [NFT_OBJECT_SYNPROXY] = "synproxy",
	};

	return type < sizeof(words) / sizeof(words[0]) && words[type] ? words[type] : "unknown";
}

enum dtype nft_reject_dtype(const struct stmt_reject *r)
{
	return r->kind == REJECT_ICMP ? DT_ICMP_CODE : r->kind == REJECT_ICMP6 ? DT_ICMPV6_CODE
								       : DT_ICMPX_CODE;
}

const char *nft_reject_type(const struct stmt_reject *r)
{
	switch (r->kind) {
	case REJECT_ICMP:
		return "icmp";
	case REJECT_ICMP6:
		return "icmpv6";
	case REJECT_ICMPX:
		return "icmpx";
	default:
		return "tcp reset";
	}
}

/* ---- statements ---- */

void nft_verdict_text(const struct stmt_verdict *v, struct buf *b)
{
	buf_str(b, verdict_name(v->code));
	if (v->chain)
		buf_fmt(b, " %s", v->chain);
}

#define BLOCKS_MAX 8

static void indent(struct buf *b, unsigned n)
{
	while (n--)
		buf_chr(b, '\t');
}

/* The rules of a chain that has no name of its own stand where it is jumped to. */
static void verdict_text(const struct nft_text *t, const struct stmt_verdict *v)
{
	struct nft_text in = *t;

	if (!t->blocks || t->blocks > BLOCKS_MAX || !v->to || !(v->to->flags & CHAIN_IN_RULE)) {
		nft_verdict_text(v, t->b);
		return;
	}
	buf_fmt(t->b, "%s {\n", verdict_name(v->code));
	in.blocks++;
	for (const struct rule *r = v->to->rules; r; r = r->next) {
		indent(t->b, in.blocks + 1);
		nft_rule_text(&in, r);
		buf_chr(t->b, '\n');
	}
	indent(t->b, in.blocks);
	buf_chr(t->b, '}');
}

static void limit_text(const struct stmt_limit *l, struct buf *b)
{
	const char *unit, *burst_unit = "";
	uint64_t rate = l->bytes ? nft_scale(l->rate, &unit) : l->rate;
	uint64_t burst = l->bytes ? nft_scale(l->burst, &burst_unit) : l->burst;

	buf_fmt(b, "limit rate %s%" PRIu64, l->over ? "over " : "", rate);
	if (l->bytes)
		buf_fmt(b, " %s", unit);
	buf_fmt(b, "/%s", nft_unit_name(l->unit_secs));
	if (l->bytes && l->burst)
		buf_fmt(b, " burst %" PRIu64 " %s", burst, burst_unit);
	else if (!l->bytes && l->burst && l->burst != 5)
		buf_fmt(b, " burst %" PRIu64 " packets", burst);
}

static void quota_text(const struct nft_text *t, const struct stmt_quota *q)
{
	const char *unit;
	uint64_t n = nft_scale(q->bytes, &unit);

	buf_fmt(t->b, "quota %s%" PRIu64 " %s", q->over ? "over " : "", n, unit);
	if (q->used && t->counters) {
		n = nft_scale(q->used, &unit);
		buf_fmt(t->b, " used %" PRIu64 " %s", n, unit);
	}
}

/* What is the kernel's choice anyway is not said. */
static void reject_text(const struct nft_text *t, const struct stmt_reject *r)
{
	bool plain = r->bare || (r->kind == REJECT_ICMPX && r->code == NFT_REJECT_ICMPX_PORT_UNREACH) ||
		     (t->family == NFPROTO_IPV4 && r->kind == REJECT_ICMP && r->code == 3) ||
		     (t->family == NFPROTO_IPV6 && r->kind == REJECT_ICMP6 && r->code == 4);
	const char *name = nft_name_of(nft_reject_dtype(r), r->code);

	buf_str(t->b, "reject");
	if (plain && !t->meaning)
		return;
	buf_fmt(t->b, " with %s", nft_reject_type(r));
	if (r->kind == REJECT_TCP_RST)
		return;
	if (name)
		buf_fmt(t->b, " %s", name);
	else
		buf_fmt(t->b, " %u", r->code);
}

static void set_value_text(const struct nft_text *t, const struct stmt_set_value *s)
{
	const struct expr *v = s->value;

	nft_expr_text(t, s->target);
	buf_str(t->b, " set ");
	if (v->kind == EXPR_VALUE)
		nft_value_text(v, ",", t->b);
	else
		nft_expr_text(t, v);
}

static void queue_text(const struct nft_text *t, const struct stmt_queue *q)
{
	const char *words[2];
	unsigned n = nft_queue_flags(q->flags, words);

	buf_str(t->b, "queue");
	for (unsigned i = 0; i < n; i++)
		buf_fmt(t->b, "%s%s", i ? "," : " flags ", words[i]);
	buf_str(t->b, " to ");
	if (q->expr)
		nft_expr_text(t, q->expr);
	else if (q->from == q->to)
		buf_fmt(t->b, "%u", q->from);
	else
		buf_fmt(t->b, "%u-%u", q->from, q->to);
}

static void dup_text(const struct nft_text *t, const struct stmt_dup *d)
{
	buf_str(t->b, "dup");
	if (d->addr) {
		buf_str(t->b, " to ");
		nft_expr_text(t, d->addr);
		if (d->dev) {
			buf_str(t->b, " device ");
			nft_expr_text(t, d->dev);
		}
	} else if (d->dev) {
		buf_str(t->b, " to ");
		nft_expr_text(t, d->dev);
	}
}

static void fwd_text(const struct nft_text *t, const struct stmt_dup *d)
{
	buf_str(t->b, "fwd ");
	if (d->addr) {
		buf_fmt(t->b, "%s to ", family_name(d->family));
		nft_expr_text(t, d->addr);
		buf_str(t->b, " device ");
	} else {
		buf_str(t->b, "to ");
	}
	nft_expr_text(t, d->dev);
}

bool nft_is_meter(const struct stmt_setop *s)
{
	return s->set && !s->set->unread && (s->set->flags & SET_ANONYMOUS) && s->stmts && !s->data;
}

static void setop_text(const struct nft_text *t, const struct stmt_setop *s)
{
	static const char *const ops[] = { "add", "update", "delete" };
	struct nft_text plain = *t; /* what an element begins with, not a state */

	plain.counters = false;
	if (nft_is_meter(s))
		buf_fmt(t->b, "meter %s size %" PRIu32 " { ", s->set_name, s->set->size);
	else
		buf_fmt(t->b, "%s @%s { ", ops[s->op], s->set_name);
	nft_expr_text(t, s->key);
	if (s->timeout_ms) {
		buf_str(t->b, " timeout ");
		nft_time_text(s->timeout_ms, t->b);
	}
	if (s->stmts) {
		buf_chr(t->b, ' ');
		nft_stmts_text(&plain, s->stmts);
	}
	if (s->data) {
		buf_str(t->b, " : ");
		nft_expr_text(t, s->data);
	}
	buf_str(t->b, " }");
}

static void objref_text(const struct nft_text *t, const struct stmt_objref *o)
{
	bool ct = o->type == NFT_OBJECT_CT_HELPER || o->type == NFT_OBJECT_CT_TIMEOUT ||
		  o->type == NFT_OBJECT_CT_EXPECT;
	const char *verb = ct ? "set" : "name";

	if (o->type == NFT_OBJECT_SECMARK)
		buf_str(t->b, "meta secmark set ");
	else
		buf_fmt(t->b, "%s %s ", nft_object_word(o->type), verb);
	if (o->name) {
		nft_string_text(o->name, t->b);
		return;
	}
	nft_expr_text(t, o->key);
	buf_str(t->b, " map ");
	nft_setref_text(t, o->map);
}

static void synproxy_text(const struct stmt_synproxy *s, struct buf *b)
{
	const char *words[2];
	unsigned n = nft_synproxy_flags(s->flags, words);

	buf_str(b, "synproxy");
	if (s->flags & (NF_SYNPROXY_OPT_MSS | NF_SYNPROXY_OPT_WSCALE))
		buf_fmt(b, " mss %u wscale %u", s->mss, s->wscale);
	for (unsigned i = 0; i < n; i++)
		buf_fmt(b, " %s", words[i]);
}

static void counter_text(const struct nft_text *t, const struct stmt_counter *c)
{
	buf_str(t->b, "counter");
	if (!t->counters)
		return;
	buf_str(t->b, " packets ");
	buf_uint(t->b, c->packets);
	buf_str(t->b, " bytes ");
	buf_uint(t->b, c->bytes);
}

static void last_text(const struct nft_text *t, const struct stmt *s)
{
	buf_str(t->b, "last");
	if (!t->counters)
		return;
	buf_str(t->b, " used ");
	if (s->last.set)
		nft_time_text(s->last.msecs, t->b);
	else
		buf_str(t->b, "never");
}

/* An xt extension: what it means where that can be said, else as nft prints it; nothing when it is always true. */
static void xt_text(const struct nft_text *t, const struct xt_ext *x)
{
	struct nft_text inner = *t;
	const struct stmt *nat = x->meaning && x->meaning->kind == STMT_NAT ? x->meaning : NULL;

	inner.meaning = true;
	if (nat && !nft_nat_has_text(t, &nat->nat))
		buf_fmt(t->b, "xt target \"%s\"", x->name);
	else if (x->meaning || x->form)
		nft_stmts_text(&inner, x->meaning ? x->meaning : x->form);
	else if (x->target || x->why_unknown || strcmp(x->name, "nfacct") == 0)
		buf_fmt(t->b, "xt %s \"%s\"", x->target ? "target" : "match", x->name);
}

static void opaque_text(const struct nft_text *t, const struct stmt_opaque *o)
{
	if (o->type == OPAQUE_EXPR)
		buf_fmt(t->b, "<%s>", o->name);
	else
		buf_fmt(t->b, "xt %s \"%s\"", o->type == OPAQUE_TARGET ? "target" : "match", o->name);
}

static void vmap_text(const struct nft_text *t, const struct stmt_vmap *v)
{
	nft_expr_text(t, v->key);
	buf_str(t->b, " vmap ");
	nft_setref_text(t, v->map);
}

/* Alternatives and negations come from xt only; nft has no form for them. */
static void group_text(const struct nft_text *t, const struct stmt *s)
{
	if (s->kind == STMT_NOT) {
		buf_str(t->b, "not ( ");
		nft_stmts_text(t, s->negated);
		buf_str(t->b, " )");
		return;
	}
	if (nft_either_port_text(t, &s->any))
		return;
	buf_str(t->b, "( ");
	for (unsigned i = 0; i < s->any.n; i++) {
		buf_str(t->b, i ? " or " : "");
		nft_stmts_text(t, s->any.alternatives[i]);
	}
	buf_str(t->b, " )");
}

static void simple_text(const struct nft_text *t, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_NOTRACK:
		buf_str(t->b, "notrack");
		break;
	case STMT_CONNLIMIT:
		buf_fmt(t->b, "ct count %s%u", s->connlimit.over ? "over " : "", s->connlimit.count);
		break;
	case STMT_FLOW:
		buf_fmt(t->b, "flow add @%s", s->flowtable);
		break;
	case STMT_EXTHDR_RESET:
		buf_str(t->b, "reset ");
		nft_expr_text(t, s->exthdr_reset);
		break;
	case STMT_LAST:
		last_text(t, s);
		break;
	default:
		group_text(t, s);
		break;
	}
}

void nft_stmt_text(const struct nft_text *t, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_MATCH:
		nft_match_text(t, &s->match);
		break;
	case STMT_XT:
		xt_text(t, s->xt);
		break;
	case STMT_OPAQUE:
		opaque_text(t, &s->opaque);
		break;
	case STMT_COUNTER:
		counter_text(t, &s->counter);
		break;
	case STMT_LIMIT:
		limit_text(&s->limit, t->b);
		break;
	case STMT_QUOTA:
		quota_text(t, &s->quota);
		break;
	case STMT_LOG:
		nft_log_text(&s->log, t->b);
		break;
	case STMT_VERDICT:
		verdict_text(t, &s->verdict);
		break;
	case STMT_VMAP:
		vmap_text(t, &s->vmap);
		break;
	case STMT_REJECT:
		reject_text(t, &s->reject);
		break;
	case STMT_NAT:
		nft_nat_text(t, &s->nat);
		break;
	case STMT_SET_VALUE:
		set_value_text(t, &s->set_value);
		break;
	case STMT_TPROXY:
		nft_tproxy_text(t, &s->tproxy);
		break;
	case STMT_QUEUE:
		queue_text(t, &s->queue);
		break;
	case STMT_DUP:
		dup_text(t, &s->dup);
		break;
	case STMT_FWD:
		fwd_text(t, &s->dup);
		break;
	case STMT_SETOP:
		setop_text(t, &s->setop);
		break;
	case STMT_OBJREF:
		objref_text(t, &s->objref);
		break;
	case STMT_SYNPROXY:
		synproxy_text(&s->synproxy, t->b);
		break;
	default:
		simple_text(t, s);
		break;
	}
}

void nft_stmts_text(const struct nft_text *t, const struct stmt *list)
{
	bool any = false;

	for (const struct stmt *s = list; s; s = s->next) {
		size_t before = t->b->len;

		if (s->implied)
			continue;
		if (any)
			buf_chr(t->b, ' ');
		if (t->meaning && nft_neither_port_text(t, s))
			s = s->next;
		else
			nft_stmt_text(t, s);
		/* an xt comment has an empty meaning */
		if (any && t->b->len == before + 1)
			t->b->len = before;
		else
			any = any || t->b->len != before;
	}
	if (t->b->data)
		t->b->data[t->b->len] = '\0';
}
