/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe - conditions and values in words, for "why": close to nft's own, one line */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/ruleset/headers.h"
#include "nsutil/ruleset/nft_print.h"
#include "nsutil/ruleset/nft_names.h"
#include "nsutil/trace/run.h"

static void put_expr(struct buf *b, const struct expr *x, unsigned depth);

static const char *op_text(enum match_op op)
{
	static const char *const ops[] = { "", "!= ", "< ", "> ", "<= ", ">= " };

	return op <= OP_GE ? ops[op] : "? ";
}

/* Flags of ct state in the order of their bits. */
static void put_ct_state(struct buf *b, uint64_t bits)
{
	static const char *const names[] = { "invalid", "established", "related", "new", NULL, NULL, "untracked" };
	bool first = true;

	for (unsigned i = 0; i < 7; i++) {
		if (!(bits >> i & 1) || !names[i])
			continue;
		buf_fmt(b, "%s%s", first ? "" : ",", names[i]);
		first = false;
	}
	if (first)
		buf_fmt(b, "%#" PRIx64, bits);
}

static void put_proto(struct buf *b, uint64_t n)
{
	static const struct { uint8_t n; const char *name; } names[] = {
		{ 1, "icmp" }, { 6, "tcp" }, { 17, "udp" }, { 33, "dccp" }, { 47, "gre" }, { 50, "esp" },
		{ 51, "ah" }, { 58, "ipv6-icmp" }, { 132, "sctp" }, { 136, "udplite" },
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].n == n) {
			buf_str(b, names[i].name);
			return;
		}
	buf_fmt(b, "%" PRIu64, n);
}

static void put_hex(struct buf *b, const struct value *v)
{
	buf_str(b, "0x");
	for (unsigned i = 0; i < value_size(v); i++)
		buf_fmt(b, "%02x", v->b[i]);
}

static void put_addr(struct buf *b, const struct value *v, int family)
{
	char text[INET6_ADDRSTRLEN];

	buf_str(b, inet_ntop(family, v->b, text, sizeof(text)) ? text : "?");
}

static void put_known(struct buf *b, const struct value *v, enum dtype type)
{
	uint64_t n = value_number(v);

	if (v->text) {
		buf_fmt(b, "\"%.*s\"", (int)value_size(v), (const char *)v->b);
		return;
	}
	switch (type) {
	case DT_IPV4:
		if (v->bits == 32) {
			put_addr(b, v, AF_INET);
			return;
		}
		break;
	case DT_IPV6:
		if (v->bits == 128) {
			put_addr(b, v, AF_INET6);
			return;
		}
		break;
	case DT_MARK:
	case DT_BITMASK:
	case DT_TCP_FLAG:
	case DT_CT_STATUS: buf_fmt(b, "%#" PRIx64, n); return;
	case DT_INET_PROTO: put_proto(b, n); return;
	case DT_CT_STATE: put_ct_state(b, n); return;
	case DT_NFPROTO: buf_str(b, n == 2 ? "ipv4" : n == 10 ? "ipv6" : "?"); return;
	case DT_PKTTYPE:
	case DT_FIB_ADDRTYPE:
		if (nft_name_of(type, n)) {
			buf_str(b, nft_name_of(type, n));
			return;
		}
		break;
	default: break;
	}
	if (v->bits > 64)
		put_hex(b, v);
	else
		buf_fmt(b, "%" PRIu64, n);
}

static void put_value(struct buf *b, const struct value *v, enum dtype type)
{
	if (v->absent)
		buf_fmt(b, "none (%s)", v->why ? v->why : "absent");
	else if (!value_known(v))
		buf_fmt(b, "unknown (%s)", v->why ? v->why : "not given");
	else
		put_known(b, v, type);
}

static void put_literal(struct buf *b, const struct expr *x)
{
	struct value v;

	if (value_literal(&v, x) == 0)
		put_known(b, &v, x->dtype);
	else
		buf_chr(b, '?');
}

static void put_concat(struct buf *b, const struct expr *x, unsigned depth)
{
	for (unsigned i = 0; i < x->concat.n; i++) {
		buf_str(b, i ? " . " : "");
		put_expr(b, x->concat.parts[i], depth);
	}
}

/* A set by name, or its first elements. */
static void put_set(struct buf *b, const struct set *s, unsigned depth)
{
	if (!(s->flags & SET_ANONYMOUS)) {
		buf_fmt(b, "@%s", s->name);
		return;
	}
	buf_str(b, "{ ");
	for (uint32_t i = 0; i < s->n_elems && i < 8; i++) {
		buf_str(b, i ? ", " : "");
		if (s->elems[i].key)
			put_expr(b, s->elems[i].key, depth);
		else
			buf_chr(b, '*');
	}
	buf_str(b, s->n_elems > 8 ? ", ... }" : " }");
}

static void put_binop(struct buf *b, const struct expr *x, unsigned depth)
{
	static const char *const ops[] = { "&", "|", "^", "<<", ">>" };

	put_expr(b, x->binop.left, depth);
	buf_fmt(b, " %s ", ops[x->binop.op % 5]);
	put_expr(b, x->binop.right, depth);
}

static void put_expr(struct buf *b, const struct expr *x, unsigned depth)
{
	const struct nft_text t = { .b = b, .meaning = true };

	if (!x || depth > 6) {
		buf_str(b, "...");
		return;
	}
	depth++;
	switch (x->kind) {
	case EXPR_VALUE: put_literal(b, x); break;
	case EXPR_META: buf_fmt(b, "meta %s", header_meta_type(x->meta_key)->name); break;
	case EXPR_BINOP: put_binop(b, x, depth); break;
	case EXPR_PREFIX:
		put_expr(b, x->prefix.value, depth);
		buf_fmt(b, "/%u", x->prefix.len);
		break;
	case EXPR_RANGE:
		put_expr(b, x->range.from, depth);
		buf_chr(b, '-');
		put_expr(b, x->range.to, depth);
		break;
	case EXPR_CONCAT: put_concat(b, x, depth); break;
	case EXPR_SETREF: put_set(b, x->set, depth); break;
	case EXPR_MAP:
		put_expr(b, x->map.key, depth);
		buf_str(b, " map ");
		put_set(b, x->map.set, depth);
		break;
	case EXPR_IPSET: buf_fmt(b, "ipset %s", x->ipset.name ? x->ipset.name : "?"); break;
	case EXPR_OPAQUE: buf_str(b, x->opaque.name ? x->opaque.name : "?"); break;
	default: nft_expr_text(&t, x); break;
	}
}

static void put_condition(struct buf *b, const struct stmt *s, unsigned depth);

static void put_list(struct buf *b, const struct stmt *s, unsigned depth)
{
	for (bool first = true; s; s = s->next, first = false) {
		buf_str(b, first ? "" : " ");
		put_condition(b, s, depth);
	}
}

static void put_any(struct buf *b, const struct stmt_any *any, unsigned depth)
{
	for (unsigned i = 0; i < any->n; i++) {
		buf_str(b, i ? " or " : "");
		put_list(b, any->alternatives[i], depth);
	}
}

static void put_condition(struct buf *b, const struct stmt *s, unsigned depth)
{
	if (depth > 6) {
		buf_str(b, "...");
		return;
	}
	depth++;
	switch (s->kind) {
	case STMT_MATCH:
		put_expr(b, s->match.left, depth);
		buf_fmt(b, " %s", op_text(s->match.op));
		put_expr(b, s->match.right, depth);
		break;
	case STMT_ANY: put_any(b, &s->any, depth); break;
	case STMT_NOT:
		buf_str(b, "not (");
		put_list(b, s->negated, depth);
		buf_chr(b, ')');
		break;
	case STMT_XT:
		if (s->xt->meaning)
			put_list(b, s->xt->meaning, depth);
		else
			buf_fmt(b, "-m %s", s->xt->name);
		break;
	case STMT_OPAQUE: buf_fmt(b, "%s (opaque)", s->opaque.name ? s->opaque.name : "?"); break;
	case STMT_LIMIT: buf_fmt(b, "limit rate %s%" PRIu64, s->limit.over ? "over " : "", s->limit.rate); break;
	case STMT_QUOTA: buf_fmt(b, "quota %" PRIu64 " bytes", s->quota.bytes); break;
	case STMT_CONNLIMIT: buf_fmt(b, "ct count %s%u", s->connlimit.over ? "over " : "", s->connlimit.count); break;
	case STMT_OBJREF: buf_fmt(b, "object %s", s->objref.name ? s->objref.name : "of a map"); break;
	case STMT_VMAP:
		put_expr(b, s->vmap.key, depth);
		buf_str(b, " vmap ");
		put_set(b, s->vmap.map, depth);
		break;
	default: buf_str(b, "statement"); break;
	}
}

static const char *keep(struct arena *a, struct buf *b)
{
	const char *text = arena_strdup(a, buf_cstr(b));

	return text ? text : "?";
}

const char *describe_condition(struct arena *a, const struct stmt *s)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	put_condition(&b, s, 0);
	return keep(a, &b);
}

const char *describe_expr(struct arena *a, const struct expr *x)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	put_expr(&b, x, 0);
	return keep(a, &b);
}

const char *describe_value(struct arena *a, const struct value *v, const struct expr *like)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	put_value(&b, v, like ? (enum dtype)like->dtype : DT_INTEGER);
	return keep(a, &b);
}
