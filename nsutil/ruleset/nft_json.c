/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json - statements in the form of libnftables-json(5); xt extensions in full */
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_synproxy.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"
#include "nsutil/ruleset/text.h"
#include "nsutil/xt/codec.h"

/* One word is a string, several are an array. */
static void words_json(struct json *j, const char *key, const char *const *words, unsigned n)
{
	if (n == 1) {
		json_str(j, key, words[0]);
	} else if (n > 1) {
		json_begin_array(j, key);
		for (unsigned i = 0; i < n; i++)
			json_str(j, NULL, words[i]);
		json_end_array(j);
	}
}

static void target_json(struct json *j, const char *key, const char *chain)
{
	json_begin_object(j, key);
	json_str(j, "target", chain);
	json_end_object(j);
}

void nft_verdict_json(const struct stmt_verdict *v, struct json *j)
{
	json_begin_object(j, NULL);
	if (v->chain)
		target_json(j, verdict_name(v->code), v->chain);
	else
		json_put_null(j, verdict_name(v->code));
	json_end_object(j);
}

static void limit_json(const struct stmt_limit *l, struct json *j)
{
	const char *unit = NULL, *burst_unit = NULL;
	uint64_t rate = l->bytes ? nft_scale(l->rate, &unit) : l->rate;
	uint64_t burst = l->bytes ? nft_scale(l->burst, &burst_unit) : l->burst;

	json_begin_object(j, "limit");
	json_uint(j, "rate", rate);
	json_uint(j, "burst", burst);
	json_str(j, "per", nft_unit_name(l->unit_secs));
	if (l->over)
		json_bool(j, "inv", true);
	if (l->bytes) {
		json_str(j, "rate_unit", unit);
		json_str(j, "burst_unit", burst_unit);
	}
	json_end_object(j);
}

static void quota_json(const struct stmt_quota *q, struct json *j)
{
	const char *unit;

	json_begin_object(j, "quota");
	json_uint(j, "val", nft_scale(q->bytes, &unit));
	json_str(j, "val_unit", unit);
	if (q->over)
		json_bool(j, "inv", true);
	if (q->used) {
		json_uint(j, "used", nft_scale(q->used, &unit));
		json_str(j, "used_unit", unit);
	}
	json_end_object(j);
}

static void reject_json(const struct stmt_reject *r, struct json *j)
{
	const char *name = nft_name_of(nft_reject_dtype(r), r->code);

	if (r->bare) {
		json_put_null(j, "reject");
		return;
	}
	json_begin_object(j, "reject");
	json_str(j, "type", nft_reject_type(r));
	if (r->kind != REJECT_TCP_RST && name)
		json_str(j, "expr", name);
	else if (r->kind != REJECT_TCP_RST)
		json_uint(j, "expr", r->code);
	json_end_object(j);
}

static void mangle_json(const struct stmt_set_value *s, struct json *j)
{
	json_begin_object(j, "mangle");
	nft_expr_json(s->target, j, "key");
	if (s->value->kind == EXPR_VALUE)
		nft_value_json(s->value, false, j, "value");
	else
		nft_expr_json(s->value, j, "value");
	json_end_object(j);
}

static void queue_json(const struct stmt_queue *q, struct json *j)
{
	const char *words[2];
	unsigned n = nft_queue_flags(q->flags, words);

	json_begin_object(j, "queue");
	if (q->expr) {
		nft_expr_json(q->expr, j, "num");
	} else if (q->from == q->to) {
		json_uint(j, "num", q->from);
	} else {
		json_begin_object(j, "num");
		json_begin_array(j, "range");
		json_uint(j, NULL, q->from);
		json_uint(j, NULL, q->to);
		json_end_array(j);
		json_end_object(j);
	}
	words_json(j, "flags", words, n);
	json_end_object(j);
}

static void dup_json(const struct stmt_dup *d, struct json *j)
{
	json_begin_object(j, "dup");
	nft_expr_json(d->addr ? d->addr : d->dev, j, "addr");
	if (d->addr && d->dev)
		nft_expr_json(d->dev, j, "dev");
	json_end_object(j);
}

static void fwd_json(const struct stmt_dup *d, struct json *j)
{
	json_begin_object(j, "fwd");
	nft_expr_json(d->dev, j, "dev");
	if (d->addr) {
		json_str(j, "family", family_name(d->family));
		nft_expr_json(d->addr, j, "addr");
	}
	json_end_object(j);
}

/* What an element begins with: nft gives a counter there without its state. */
static void element_stmts_json(uint8_t family, const struct stmt *s, struct json *j)
{
	for (; s; s = s->next) {
		struct stmt one = *s;

		one.next = NULL;
		if (s->kind != STMT_COUNTER) {
			nft_stmts_json(family, &one, j);
			continue;
		}
		json_begin_object(j, NULL);
		json_put_null(j, "counter");
		json_end_object(j);
	}
}

static void setop_key_json(const struct stmt_setop *s, struct json *j, const char *key)
{
	if (!s->timeout_ms) {
		nft_expr_json(s->key, j, key);
		return;
	}
	json_begin_object(j, key);
	json_begin_object(j, "elem");
	nft_expr_json(s->key, j, "val");
	json_uint(j, "timeout", s->timeout_ms / 1000);
	json_end_object(j);
	json_end_object(j);
}

static void meter_json(uint8_t family, const struct stmt_setop *s, struct json *j)
{
	json_begin_object(j, "meter");
	setop_key_json(s, j, "key");
	json_begin_object(j, "stmt");
	if (s->stmts->kind == STMT_COUNTER)
		json_put_null(j, "counter");
	else
		nft_stmt_body_json(family, s->stmts, j);
	json_end_object(j);
	json_uint(j, "size", s->set->size);
	json_str(j, "name", s->set_name);
	json_end_object(j);
}

static void setop_json(uint8_t family, const struct stmt_setop *s, struct json *j)
{
	static const char *const ops[] = { "add", "update", "delete" };
	char name[300];

	if (nft_is_meter(s)) {
		meter_json(family, s, j);
		return;
	}
	snprintf(name, sizeof(name), "@%s", s->set_name);
	json_begin_object(j, "set");
	json_str(j, "op", ops[s->op]);
	setop_key_json(s, j, "elem");
	json_str(j, "set", name);
	if (s->stmts) {
		json_begin_array(j, "stmt");
		element_stmts_json(family, s->stmts, j);
		json_end_array(j);
	}
	json_end_object(j);
}

static void objref_json(const struct stmt_objref *o, struct json *j)
{
	const char *word = nft_object_word(o->type);

	if (o->name) {
		json_str(j, word, o->name);
		return;
	}
	json_begin_object(j, word);
	json_begin_object(j, "map");
	nft_expr_json(o->key, j, "key");
	nft_setref_json(o->map, j, "data");
	json_end_object(j);
	json_end_object(j);
}

static void synproxy_json(const struct stmt_synproxy *s, struct json *j)
{
	const char *words[2];
	unsigned n = nft_synproxy_flags(s->flags, words);

	if (!s->flags) {
		json_put_null(j, "synproxy");
		return;
	}
	json_begin_object(j, "synproxy");
	if (s->flags & NF_SYNPROXY_OPT_MSS)
		json_uint(j, "mss", s->mss);
	if (s->flags & NF_SYNPROXY_OPT_WSCALE)
		json_uint(j, "wscale", s->wscale);
	if (n) {
		json_begin_array(j, "flags");
		for (unsigned i = 0; i < n; i++)
			json_str(j, NULL, words[i]);
		json_end_array(j);
	}
	json_end_object(j);
}

static void vmap_json(const struct stmt_vmap *v, struct json *j)
{
	json_begin_object(j, "vmap");
	nft_expr_json(v->key, j, "key");
	nft_setref_json(v->map, j, "data");
	json_end_object(j);
}

static void tproxy_json(uint8_t family, const struct stmt_tproxy *p, struct json *j)
{
	json_begin_object(j, "tproxy");
	if (family == NFPROTO_INET && p->family)
		json_str(j, "family", family_name(p->family));
	if (p->addr)
		nft_expr_json(p->addr, j, "addr");
	if (p->port)
		nft_expr_json(p->port, j, "port");
	json_end_object(j);
}

static void opaque_json(const struct stmt_opaque *o, struct json *j)
{
	static const char *const types[] = { "expr", "match", "target" };
	const uint8_t *p = o->data;
	struct buf hex _cleanup_buf_ = BUF_INIT;

	for (uint32_t i = 0; p && i < o->size; i++)
		buf_fmt(&hex, "%02x", p[i]);
	json_begin_object(j, o->type == OPAQUE_EXPR ? "opaque" : "xt");
	json_str(j, "type", types[o->type]);
	json_str(j, "name", o->name);
	if (o->type != OPAQUE_EXPR)
		json_uint(j, "rev", o->rev);
	json_uint(j, "size", o->size);
	json_str(j, "hex", buf_cstr(&hex));
	json_str(j, "why", o->why);
	json_end_object(j);
}

static void counter_json(const struct stmt_counter *c, struct json *j)
{
	json_begin_object(j, "counter");
	json_uint(j, "packets", c->packets);
	json_uint(j, "bytes", c->bytes);
	json_end_object(j);
}

static void connlimit_json(const struct stmt_connlimit *c, struct json *j)
{
	json_begin_object(j, "ct count");
	json_uint(j, "val", c->count);
	if (c->over)
		json_bool(j, "inv", true);
	json_end_object(j);
}

static void flow_json(const char *flowtable, struct json *j)
{
	char name[300];

	snprintf(name, sizeof(name), "@%s", flowtable);
	json_begin_object(j, "flow");
	json_str(j, "op", "add");
	json_str(j, "flowtable", name);
	json_end_object(j);
}

void nft_stmt_body_json(uint8_t family, const struct stmt *s, struct json *j)
{
	switch (s->kind) {
	case STMT_XT:
		xt_ext_json(s->xt, j, "xt");
		break;
	case STMT_OPAQUE:
		opaque_json(&s->opaque, j);
		break;
	case STMT_COUNTER:
		counter_json(&s->counter, j);
		break;
	case STMT_LIMIT:
		limit_json(&s->limit, j);
		break;
	case STMT_QUOTA:
		quota_json(&s->quota, j);
		break;
	case STMT_CONNLIMIT:
		connlimit_json(&s->connlimit, j);
		break;
	case STMT_LOG:
		nft_log_json(&s->log, j);
		break;
	case STMT_VMAP:
		vmap_json(&s->vmap, j);
		break;
	case STMT_REJECT:
		reject_json(&s->reject, j);
		break;
	case STMT_NAT:
		nft_nat_json(family, &s->nat, j);
		break;
	case STMT_SET_VALUE:
		mangle_json(&s->set_value, j);
		break;
	case STMT_TPROXY:
		tproxy_json(family, &s->tproxy, j);
		break;
	case STMT_QUEUE:
		queue_json(&s->queue, j);
		break;
	case STMT_DUP:
		dup_json(&s->dup, j);
		break;
	case STMT_FWD:
		fwd_json(&s->dup, j);
		break;
	case STMT_SETOP:
		setop_json(family, &s->setop, j);
		break;
	case STMT_OBJREF:
		objref_json(&s->objref, j);
		break;
	case STMT_SYNPROXY:
		synproxy_json(&s->synproxy, j);
		break;
	case STMT_FLOW:
		flow_json(s->flowtable, j);
		break;
	case STMT_EXTHDR_RESET:
		nft_expr_json(s->exthdr_reset, j, "reset");
		break;
	case STMT_NOTRACK:
		json_put_null(j, "notrack");
		break;
	default:
		json_put_null(j, "last");
		break;
	}
}

/* nft has no JSON for adding to maps and puts the text there instead. */
static void setop_as_text(uint8_t family, const struct stmt *s, struct json *j)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct nft_text t = { .b = &b, .counters = true, .family = family };

	nft_stmt_text(&t, s);
	json_strn(j, NULL, buf_cstr(&b), b.len);
}

void nft_stmts_json(uint8_t family, const struct stmt *list, struct json *j)
{
	for (const struct stmt *s = list; s; s = s->next) {
		if (s->implied)
			continue;
		if (s->kind == STMT_MATCH) {
			nft_match_json(&s->match, j);
		} else if (s->kind == STMT_VERDICT) {
			nft_verdict_json(&s->verdict, j);
		} else if (s->kind == STMT_SETOP && s->setop.data) {
			setop_as_text(family, s, j);
		} else {
			json_begin_object(j, NULL);
			nft_stmt_body_json(family, s, j);
			json_end_object(j);
		}
	}
}

void rule_expr_json(const struct rule *r, struct json *j, const char *key)
{
	json_begin_array(j, key);
	nft_stmts_json(r->chain->table->family, r->stmts, j);
	json_end_array(j);
}
