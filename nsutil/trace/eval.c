/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eval - what an expression is worth and whether a condition holds, three-valued */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if_arp.h>
#include <string.h>

#include "nsutil/trace/jhash.h"
#include "nsutil/trace/run.h"

static void binop_eval(struct run *r, const struct expr *x, struct value *v)
{
	struct value right;

	eval_expr(r, x->binop.left, v);
	if (v->absent)
		return;
	eval_expr(r, x->binop.right, &right);
	if (right.absent) {
		*v = right;
		return;
	}
	if (!v->why)
		v->why = right.why;
	switch (x->binop.op) {
	case BINOP_AND: value_and(v, &right); break;
	case BINOP_OR: value_or(v, &right); break;
	case BINOP_XOR: value_xor(v, &right); break;
	case BINOP_LSHIFT: value_shift(v, (int)value_number(&right)); break;
	case BINOP_RSHIFT: value_shift(v, -(int)value_number(&right)); break;
	}
}

static void modulus_eval(uint32_t modulus, uint32_t offset, const char *why, struct value *v)
{
	if (modulus == 1)
		value_uint(v, offset, 32);
	else
		value_unknown(v, 32, why);
}

/* The bytes of a key as they stand in the registers: each part fills whole ones; -1 when something is not known */
static int register_bytes(struct run *r, const struct expr *x, bool last, uint8_t *to)
{
	unsigned size;
	struct value v;

	eval_expr(r, x, &v);
	if (!value_known(&v))
		return -1;
	size = value_size(&v);
	for (unsigned i = 0; i < size; i++)
		to[i] = x->order == ORDER_HOST && !v.text ? v.b[size - 1 - i] : v.b[i];
	while (!last && size % 4)
		to[size++] = 0;
	return (int)size;
}

/* nft_jhash_eval(); without a seed of its own in the rule it has one that the kernel does not tell */
static void hash_eval(struct run *r, const struct expr *x, struct value *v)
{
	const struct expr *src = x->hash.src;
	uint8_t key[2 * VALUE_BYTES];
	unsigned n = 0, parts = src && src->kind == EXPR_CONCAT ? src->concat.n : 1;

	for (unsigned i = 0; x->hash.type == NFT_HASH_JENKINS && x->hash.has_seed && src && i < parts; i++) {
		int size = n + VALUE_BYTES > sizeof(key) ? -1
			   : register_bytes(r, parts > 1 ? src->concat.parts[i] : src, parts == 1, key + n);

		if (size < 0) {
			n = 0;
			break;
		}
		n += (unsigned)size;
	}
	if (n)
		value_uint(v, reciprocal_scale(jhash(key, n, x->hash.seed), x->hash.modulus) + x->hash.offset, 32);
	else
		modulus_eval(x->hash.modulus, x->hash.offset, "it depends on a hash", v);
}

static void map_eval(struct run *r, const struct expr *x, struct value *v)
{
	const struct set_elem *e = set_pick(r, x->map.set, x->map.key);

	if (!e || !e->data)
		value_absent(v, "the map has no such element");
	else
		eval_expr(r, e->data, v);
}

static void range_value(struct run *r, const struct expr *x, struct value *v)
{
	struct value to;

	/* which of a range is taken is not known; the bits both ends share are */
	eval_expr(r, x->range.from, v);
	eval_expr(r, x->range.to, &to);
	value_resize(&to, v->bits);
	for (unsigned i = 0, same = 1; i < value_size(v); i++) {
		uint8_t diff = same ? v->b[i] ^ to.b[i] : 0xff, mask = 0xff;

		while (diff & mask)
			mask = (uint8_t)(mask << 1);
		if (mask != 0xff)
			same = 0;
		v->k[i] &= mask;
		v->b[i] &= mask;
	}
	v->why = "any of the range may be taken";
}

/* mac_mt() of xt_mac.c */
static bool from_ethernet(const struct run *r)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, (int)r->pkt.meta[NFT_META_IIF].v);

	return !l || l->type == ARPHRD_ETHER;
}

bool eval_behind_ah(const struct run *r, const struct chain *c)
{
	return r->pkt.l4proto == IPPROTO_AH && run_v6(r) && c && c->table->store == STORE_LEGACY;
}

static const char not_behind_ah[] = "what stands behind the authentication header is not given";

void eval_expr(struct run *r, const struct expr *x, struct value *v)
{
	switch (x->kind) {
	case EXPR_VALUE:
		if (value_literal(v, x) < 0)
			value_unknown(v, x->bits, "the value is too long");
		break;
	case EXPR_PAYLOAD:
		packet_load(&r->pkt, x->payload.base, x->payload.offset, x->bits, v);
		if (r->xt && x->payload.base == NFT_PAYLOAD_LL_HEADER && !from_ethernet(r))
			value_absent(v, "the packet came by no Ethernet device");
		if (x->payload.base == NFT_PAYLOAD_TRANSPORT_HEADER && eval_behind_ah(r, r->chain))
			value_unknown(v, x->bits, not_behind_ah);
		break;
	case EXPR_META:
		meta_eval(r, x->meta_key, v);
		if (x->meta_key == NFT_META_L4PROTO && eval_behind_ah(r, r->chain))
			value_unknown(v, 8, not_behind_ah);
		break;
	case EXPR_CT: ct_eval(r, x, v); break;
	case EXPR_BINOP: binop_eval(r, x, v); break;
	case EXPR_FIB: fib_eval(r, x, v); break;
	case EXPR_EXTHDR: exthdr_eval(r, x, v); break;
	case EXPR_NUMGEN:
		modulus_eval(x->numgen.modulus, x->numgen.offset,
			     x->numgen.type == NFT_NG_RANDOM ? "it is random" : "it depends on a counter", v);
		break;
	case EXPR_HASH: hash_eval(r, x, v); break;
	case EXPR_MAP: map_eval(r, x, v); break;
	case EXPR_RANGE: range_value(r, x, v); break;
	case EXPR_PREFIX: eval_expr(r, x->prefix.value, v); break;
	case EXPR_SOCKET: socket_eval(r, x, v); break;
	case EXPR_RT: rt_eval(r, x, v); break;
	case EXPR_OSF: value_perhaps(v, x->bits, "the operating system of the sender is not known"); break;
	case EXPR_XFRM: xfrm_eval(r, x, v); break;
	case EXPR_TUNNEL: value_perhaps(v, x->bits, "tunnel metadata is not known"); break;
	case EXPR_OPAQUE:
		value_unknown(v, x->bits, x->opaque.why ? x->opaque.why : "the expression is not understood");
		break;
	case EXPR_CONCAT:
	case EXPR_SETREF:
	case EXPR_IPSET: value_unknown(v, x->bits, "not a single value"); break;
	}
	if (v->why && !v->absent)
		r->why = v->why;
}

/* ---- conditions ---- */

static enum tri unknown(struct run *r, const char *why)
{
	r->why = why;
	return TRI_UNKNOWN;
}

static enum tri order_cmp(enum match_op op, const struct value *a, const struct value *b)
{
	switch (op) {
	case OP_EQ: return value_eq(a, b);
	case OP_NE: return tri_not(value_eq(a, b));
	case OP_LT: return value_lt(a, b);
	case OP_LE: return value_le(a, b);
	case OP_GT: return value_lt(b, a);
	case OP_GE: return value_le(b, a);
	}
	return TRI_UNKNOWN;
}

/*
 * Some of xt's "!" hold for a packet that has no socket (xt_owner.c), no connection that expected it (xt_helper.c),
 * no labels ("label & bit == 0" is xt_connlabel.c's "!"); native rules end there.
 */
static bool holds_when_absent(const struct run *r, const struct stmt_match *m)
{
	const struct expr *x = m->left;

	if (!r->xt)
		return false;
	if (x->kind == EXPR_BINOP)
		return m->op == OP_EQ && x->binop.left->kind == EXPR_CT && x->binop.left->ct.key == NFT_CT_LABELS;
	return m->op == OP_NE && ((x->kind == EXPR_META && (x->meta_key == NFT_META_SKUID || x->meta_key == NFT_META_SKGID)) ||
				  (x->kind == EXPR_CT && x->ct.key == NFT_CT_HELPER));
}

static enum tri in_prefix(const struct stmt_match *m, const struct value *left)
{
	struct value net;

	if (value_literal(&net, m->right->prefix.value) < 0)
		return TRI_UNKNOWN;
	/* What is wanted behind the prefix is compared with what the mask took away. */
	if (!left->absent && value_bits_behind(&net, m->right->prefix.len))
		return TRI_FALSE;
	return value_in_prefix(left, &net, m->right->prefix.len);
}

static enum tri in_range(struct run *r, const struct stmt_match *m, const struct value *left)
{
	struct value from, to;

	eval_expr(r, m->right->range.from, &from);
	eval_expr(r, m->right->range.to, &to);
	return value_in_range(left, &from, &to);
}

/* A concatenation compared with one: part by part. */
static enum tri concat_eq(struct run *r, const struct stmt_match *m)
{
	const struct expr *a = m->left, *b = m->right;
	enum tri t = TRI_TRUE;

	if (b->kind != EXPR_CONCAT || a->concat.n != b->concat.n) {
		r->why = "a concatenation is compared with something else";
		return TRI_UNKNOWN;
	}
	for (unsigned i = 0; i < a->concat.n; i++) {
		struct stmt_match part = { OP_EQ, a->concat.parts[i], b->concat.parts[i] };
		struct stmt s = { .kind = STMT_MATCH, .match = part };

		t = tri_and(t, eval_condition(r, &s));
	}
	return t;
}

static enum tri match_set(struct run *r, const struct stmt_match *m)
{
	struct set_key key;

	set_key_eval(r, m->left, &key);
	r->seen = key.part[0];
	for (unsigned i = 0; i < key.n; i++)
		if (key.part[i].absent)
			return TRI_FALSE;
	return m->op == OP_NE ? tri_not(set_has(r, m->right->set, &key)) : set_has(r, m->right->set, &key);
}

/* What is compared is there, as far as is known. */
static enum tri compare(struct run *r, const struct stmt_match *m, struct value *left)
{
	struct value right;
	enum tri t;

	switch (m->right->kind) {
	case EXPR_PREFIX: t = in_prefix(m, left); break;
	case EXPR_RANGE: t = in_range(r, m, left); break;
	default:
		eval_expr(r, m->right, &right);
		if (right.absent)
			return TRI_FALSE;
		t = order_cmp(m->op, left, &right);
		r->why = left->why ? left->why : right.why;
		return t;
	}
	r->why = left->why;
	return m->op == OP_NE ? tri_not(t) : t;
}

static enum tri match_plain(struct run *r, const struct stmt_match *m)
{
	struct value *left = &r->seen;
	enum tri t, absent;

	if (m->right->kind == EXPR_SETREF)
		return match_set(r, m);
	if (m->right->kind == EXPR_IPSET) {
		eval_expr(r, m->left, left); /* what --explain shows: the set's first dimension, when that is an address */
		t = ipset_eval(r, m->right);
		return m->op == OP_NE ? tri_not(t) : t;
	}
	if (m->left->kind == EXPR_CONCAT)
		return m->op == OP_NE ? tri_not(concat_eq(r, m)) : concat_eq(r, m);
	eval_expr(r, m->left, left);
	if (!left->absent && !left->perhaps)
		return compare(r, m, left);
	absent = holds_when_absent(r, m) ? TRI_TRUE : TRI_FALSE;
	if (left->absent)
		return absent;
	t = compare(r, m, left);
	r->why = left->why;
	return t == absent ? t : TRI_UNKNOWN;
}

static enum tri match_eval(struct run *r, const struct stmt_match *m)
{
	enum tri t = match_plain(r, m);
	const char *why;

	if (m->left->kind != EXPR_SOCKET || m->left->socket.key != NFT_SOCKET_CGROUPV2 || t == TRI_UNKNOWN)
		return t;
	why = cgroup_deeper(r, m, t, match_plain);
	return why ? unknown(r, why) : t;
}

/* A list holds when all of it does; statements that are no conditions do not matter. */
static enum tri list_eval(struct run *r, const struct stmt *list)
{
	enum tri t = TRI_TRUE;

	for (; list && t != TRI_FALSE; list = list->next) {
		t = tri_and(t, eval_condition(r, list));
		if (t == TRI_FALSE && list->kind == STMT_MATCH)
			r->inner = list;
	}
	return t;
}

static enum tri any_eval(struct run *r, const struct stmt_any *any)
{
	enum tri t = TRI_FALSE;

	for (unsigned i = 0; i < any->n && t != TRI_TRUE; i++)
		t = tri_or(t, list_eval(r, any->alternatives[i]));
	return t;
}

static enum tri xt_eval(struct run *r, const struct xt_ext *x)
{
	const char *why = x->why_unknown;
	bool outer = r->xt;
	enum tri t;

	if (!x->meaning && !x->why_unknown)
		return TRI_TRUE;
	if (!x->meaning) {
		t = match_ask(r, x, &why);
		return t == TRI_UNKNOWN ? unknown(r, why) : t;
	}
	r->xt = true;
	t = list_eval(r, x->meaning);
	r->xt = outer;
	return t;
}

/* nft_objref_map_eval(): a key that the map does not have ends the rule */
static enum tri object_eval(struct run *r, const struct stmt_objref *o)
{
	enum tri t = TRI_TRUE;
	struct set_key k;
	uint32_t type = o->map ? o->map->obj_type : o->type;

	if (o->map) {
		set_key_eval(r, o->key, &k);
		t = set_has(r, o->map, &k);
	}
	if (t != TRI_TRUE)
		return t;
	if (type == NFT_OBJECT_QUOTA)
		return unknown(r, "it depends on a quota");
	if (type == NFT_OBJECT_LIMIT || type == NFT_OBJECT_CONNLIMIT)
		return unknown(r, "it depends on a limit");
	return TRI_TRUE;
}

enum tri eval_condition(struct run *r, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_MATCH: return match_eval(r, &s->match);
	case STMT_ANY: return any_eval(r, &s->any);
	case STMT_NOT: return tri_not(list_eval(r, s->negated));
	case STMT_XT: return xt_eval(r, s->xt);
	case STMT_LIMIT: return unknown(r, "it depends on the rate of packets");
	case STMT_QUOTA: return unknown(r, "it depends on the traffic so far");
	case STMT_CONNLIMIT: return unknown(r, "it depends on the number of connections");
	case STMT_OBJREF: return object_eval(r, &s->objref);
	case STMT_OPAQUE: return unknown(r, s->opaque.why ? s->opaque.why : "it is not understood");
	default: return TRI_TRUE;
	}
}

/* ---- the same question asked again ---- */

bool eval_drawn(const struct expr *x)
{
	switch (x->kind) {
	case EXPR_NUMGEN: return true;
	case EXPR_META: return x->meta_key == NFT_META_PRANDOM;
	case EXPR_BINOP: return eval_drawn(x->binop.left) && (!x->binop.right || x->binop.right->kind == EXPR_VALUE);
	default: return false;
	}
}

static bool same_concat(const struct expr *a, const struct expr *b)
{
	if (a->concat.n != b->concat.n)
		return false;
	for (unsigned i = 0; i < a->concat.n; i++)
		if (!eval_same(a->concat.parts[i], b->concat.parts[i]))
			return false;
	return true;
}

bool eval_same(const struct expr *a, const struct expr *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->kind != b->kind || a->bits != b->bits)
		return false;
	switch (a->kind) {
	case EXPR_VALUE: return memcmp(a->value, b->value, (a->bits + 7u) / 8u) == 0;
	case EXPR_PAYLOAD: return a->payload.base == b->payload.base && a->payload.offset == b->payload.offset;
	case EXPR_META: return a->meta_key == b->meta_key;
	case EXPR_CT: return a->ct.key == b->ct.key && a->ct.dir == b->ct.dir;
	case EXPR_EXTHDR:
		return a->exthdr.op == b->exthdr.op && a->exthdr.type == b->exthdr.type &&
		       a->exthdr.offset == b->exthdr.offset && a->exthdr.present == b->exthdr.present;
	case EXPR_SOCKET: return a->socket.key == b->socket.key && a->socket.level == b->socket.level;
	case EXPR_RT: return a->rt_key == b->rt_key;
	case EXPR_BINOP:
		return a->binop.op == b->binop.op && eval_same(a->binop.left, b->binop.left) &&
		       eval_same(a->binop.right, b->binop.right);
	case EXPR_PREFIX: return a->prefix.len == b->prefix.len && eval_same(a->prefix.value, b->prefix.value);
	case EXPR_RANGE: return eval_same(a->range.from, b->range.from) && eval_same(a->range.to, b->range.to);
	case EXPR_CONCAT: return same_concat(a, b);
	case EXPR_SETREF: return a->set == b->set;
	case EXPR_IPSET:
		return a->ipset.index == b->ipset.index && a->ipset.src == b->ipset.src &&
		       a->ipset.dims == b->ipset.dims && a->ipset.flags == b->ipset.flags;
	default: return false; /* random each time, or not understood */
	}
}
