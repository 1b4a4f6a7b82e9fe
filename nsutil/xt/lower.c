/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower - saying what an extension means in native nftables terms */
#include "nsutil/xt/lower.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include <sys/socket.h>

void low_add(struct xt_low *l, struct stmt *s)
{
	if (!s) {
		l->failed = true;
		return;
	}
	*l->tail = s;
	l->tail = &s->next;
}

void low_cmp(struct xt_low *l, enum match_op op, struct expr *left, struct expr *right)
{
	low_add(l, stmt_match_new(l->a, op, left, right));
}

void low_match(struct xt_low *l, bool invert, struct expr *left, struct expr *right)
{
	low_cmp(l, invert ? OP_NE : OP_EQ, left, right);
}

void low_masked(struct xt_low *l, bool invert, struct expr *left, uint32_t value, uint32_t mask)
{
	enum dtype type = left ? left->dtype : DT_INTEGER;

	if (mask != UINT32_MAX)
		left = expr_binop(l->a, BINOP_AND, left, expr_u32(l->a, type, mask));
	low_match(l, invert, left, expr_u32(l->a, type, value));
}

/* A value of the same type and length as another expression, in its byte order. */
static struct expr *value_like(struct xt_low *l, const struct expr *like, uint64_t v)
{
	uint8_t bytes[8];
	unsigned n = like ? (like->bits + 7u) / 8u : 0;

	if (!like || n > 8)
		return NULL;
	for (unsigned i = 0; i < n; i++)
		bytes[like->order == ORDER_NET ? n - 1 - i : i] = (uint8_t)(v >> (8 * i));
	return expr_bytes(l->a, (enum dtype)like->dtype, (enum byteorder)like->order, bytes, like->bits);
}

void low_bits(struct xt_low *l, bool invert, struct expr *left, uint64_t bits)
{
	struct expr *masked = expr_binop(l->a, BINOP_AND, left, value_like(l, left, bits));

	low_match(l, !invert, masked, value_like(l, left, 0));
}

void low_port(struct xt_low *l, bool invert, struct expr *left, uint16_t from, uint16_t to)
{
	struct expr *right = expr_be16(l->a, DT_SERVICE, from);

	if (from == 0 && to == UINT16_MAX && !invert)
		return;
	if (from != to)
		right = expr_range(l->a, right, expr_be16(l->a, DT_SERVICE, to));
	low_match(l, invert, left, right);
}

void low_u32(struct xt_low *l, bool invert, struct expr *left, enum dtype type, uint32_t from, uint32_t to)
{
	struct expr *right = expr_u32(l->a, type, from);

	if (from != to)
		right = expr_range(l->a, right, expr_u32(l->a, type, to));
	low_match(l, invert, left, right);
}

void low_spi(struct xt_low *l, const char *protocol, const char *field, const uint32_t range[2], bool invert)
{
	struct expr *right = expr_be32(l->a, DT_INTEGER, range[0]);

	if (range[0] == 0 && range[1] == UINT32_MAX && !invert)
		return;
	if (range[0] != range[1])
		right = expr_range(l->a, right, expr_be32(l->a, DT_INTEGER, range[1]));
	low_match(l, invert, expr_field(l->a, protocol, field), right);
}

static const void *raw_bytes(const struct expr *value)
{
	return value->value;
}

void low_addr(struct xt_low *l, bool invert, struct expr *left, const void *addr, const void *mask)
{
	unsigned n = l->family == NFPROTO_IPV6 ? 16 : 4;
	int len = addr_mask_len(mask, n);
	struct expr *right = low_addr_value(l, addr);

	if (!right) {
		l->failed = true;
		return;
	}
	if (len < 0)
		left = expr_binop(l->a, BINOP_AND, left,
				  expr_bytes(l->a, (enum dtype)right->dtype, ORDER_NET, mask, n * 8));
	else if ((unsigned)len < n * 8)
		right = expr_prefix(l->a, expr_bytes(l->a, (enum dtype)right->dtype, ORDER_NET,
						     raw_bytes(right), n * 8), (unsigned)len);
	low_match(l, invert, left, right);
}

void low_set(struct xt_low *l, struct expr *target, struct expr *value)
{
	struct stmt *s = target && value ? stmt_new(l->a, STMT_SET_VALUE) : NULL;

	if (s) {
		s->set_value.target = target;
		s->set_value.value = value;
	}
	low_add(l, s);
}

void low_set_masked(struct xt_low *l, struct expr *(*target)(struct arena *a), uint32_t keep,
		    uint32_t flip)
{
	struct expr *v = expr_u32(l->a, DT_MARK, flip);

	/* The forms of iptables-translate: or, and, xor, set; else both. */
	if (keep != 0 && (keep | flip) == UINT32_MAX && (keep & flip) == 0)
		v = expr_binop(l->a, BINOP_OR, target(l->a), v);
	else if (keep == UINT32_MAX)
		v = expr_binop(l->a, BINOP_XOR, target(l->a), v);
	else if (keep != 0 && flip == 0)
		v = expr_binop(l->a, BINOP_AND, target(l->a), expr_u32(l->a, DT_MARK, keep));
	else if (keep != 0)
		v = expr_binop(l->a, BINOP_XOR,
			       expr_binop(l->a, BINOP_AND, target(l->a), expr_u32(l->a, DT_MARK, keep)), v);
	low_set(l, target(l->a), v);
}

void low_verdict(struct xt_low *l, enum verdict v)
{
	low_add(l, stmt_verdict_new(l->a, v, NULL));
}

void low_never(struct xt_low *l)
{
	struct expr *all = expr_range(l->a, expr_u8(l->a, DT_INET_PROTO, 0),
				      expr_u8(l->a, DT_INET_PROTO, 255));

	low_match(l, true, expr_meta(l->a, NFT_META_L4PROTO), all);
}

struct expr *low_addr_expr(struct xt_low *l, const char *name)
{
	return expr_field(l->a, l->family == NFPROTO_IPV6 ? "ip6" : "ip", name);
}

struct expr *low_addr_value(struct xt_low *l, const void *addr)
{
	bool v6 = l->family == NFPROTO_IPV6;

	return expr_bytes(l->a, v6 ? DT_IPV6 : DT_IPV4, ORDER_NET, addr, v6 ? 128 : 32);
}

struct set *low_anon_set(struct xt_low *l, unsigned n, enum dtype type, unsigned bits)
{
	struct set *s = arena_alloc(l->a, sizeof(*s));

	(void)type;
	if (!s || !(s->elems = arena_array(l->a, n ? n : 1, sizeof(*s->elems)))) {
		l->failed = true;
		return NULL;
	}
	s->name = "__set";
	s->flags = SET_ANONYMOUS | SET_CONSTANT;
	s->key_len = bits / 8;
	return s;
}

void low_anon_add(struct xt_low *l, struct set *s, struct expr *key)
{
	if (!s || !key) {
		l->failed = true;
		return;
	}
	if (key->kind == EXPR_RANGE || key->kind == EXPR_PREFIX)
		s->flags |= SET_INTERVAL;
	s->elems[s->n_elems++].key = key;
}

struct expr *low_meta_mark(struct arena *a)
{
	return expr_meta(a, NFT_META_MARK);
}

struct expr *low_ct_mark(struct arena *a)
{
	return expr_ct(a, NFT_CT_MARK, -1);
}

void low_not(struct xt_low *l, struct xt_low *in)
{
	struct stmt *s = stmt_new(l->a, STMT_NOT);

	l->failed |= in->failed;
	if (s)
		s->negated = in->head;
	low_add(l, s);
}

void low_either(struct xt_low *l, struct xt_low *a, struct xt_low *b)
{
	struct stmt *s = stmt_new(l->a, STMT_ANY);
	struct stmt **lists = arena_array(l->a, 2, sizeof(*lists));

	l->failed |= a->failed || b->failed || !lists;
	if (s && lists) {
		lists[0] = a->head;
		lists[1] = b->head;
		s->any = (struct stmt_any){ .alternatives = lists, .n = 2 };
	}
	low_add(l, s);
}

/* TCP option 2, the value behind kind and length. */
struct expr *low_maxseg(struct arena *a)
{
	struct expr *x = expr_new(a, EXPR_EXTHDR, DT_INTEGER, ORDER_NET, 16);

	if (!x)
		return NULL;
	x->exthdr.op = NFT_EXTHDR_OP_TCPOPT;
	x->exthdr.type = 2;
	x->exthdr.offset = 16;
	x->exthdr.name = "maxseg";
	x->exthdr.field = "size";
	return x;
}
