/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr - building expressions of the model */
#include "nsutil/ruleset/expr.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/headers.h"

struct expr *expr_new(struct arena *a, enum expr_kind kind, enum dtype dtype, enum byteorder order,
		      unsigned bits)
{
	struct expr *x = arena_alloc(a, sizeof(*x));

	if (!x)
		return NULL;
	x->kind = kind;
	x->dtype = (uint8_t)dtype;
	x->order = (uint8_t)order;
	x->bits = (uint16_t)bits;
	return x;
}

struct expr *expr_bytes(struct arena *a, enum dtype dtype, enum byteorder order, const void *bytes,
			unsigned bits)
{
	struct expr *x = expr_new(a, EXPR_VALUE, dtype, order, bits);

	if (!x)
		return NULL;
	x->value = arena_dup(a, bytes, (bits + 7) / 8);
	return x->value ? x : NULL;
}

struct expr *expr_u8(struct arena *a, enum dtype dtype, uint8_t v)
{
	return expr_bytes(a, dtype, ORDER_NET, &v, 8);
}

struct expr *expr_be16(struct arena *a, enum dtype dtype, uint16_t v)
{
	uint16_t be = htons(v);

	return expr_bytes(a, dtype, ORDER_NET, &be, 16);
}

struct expr *expr_be32(struct arena *a, enum dtype dtype, uint32_t v)
{
	uint32_t be = htonl(v);

	return expr_bytes(a, dtype, ORDER_NET, &be, 32);
}

struct expr *expr_u32(struct arena *a, enum dtype dtype, uint32_t v)
{
	return expr_bytes(a, dtype, ORDER_HOST, &v, 32);
}

struct expr *expr_addr(struct arena *a, const struct addr *addr)
{
	return expr_bytes(a, addr->family == AF_INET ? DT_IPV4 : DT_IPV6, ORDER_NET, addr->b,
			  addr_len(addr) * 8);
}

struct expr *expr_ifname(struct arena *a, const char *name)
{
	size_t len = strnlen(name, 15);
	char padded[16] = "";
	struct expr *x;

	memcpy(padded, name, len);
	if (len == 0 || (padded[len - 1] != '+' && padded[len - 1] != '*'))
		return expr_bytes(a, DT_IFNAME, ORDER_HOST, padded, 128);
	padded[len - 1] = '\0';
	x = expr_bytes(a, DT_IFNAME, ORDER_HOST, padded, 128);
	return expr_prefix(a, x, (unsigned)(len - 1) * 8);
}

struct expr *expr_meta(struct arena *a, uint32_t key)
{
	const struct key_type *kt = header_meta_type(key);
	struct expr *x = expr_new(a, EXPR_META, kt->dtype, kt->order, kt->bits);

	if (x)
		x->meta_key = key;
	return x;
}

struct expr *expr_ct(struct arena *a, uint32_t key, int dir)
{
	const struct key_type *kt = header_ct_type(key);
	struct expr *x = expr_new(a, EXPR_CT, kt->dtype, kt->order, kt->bits);

	if (!x)
		return NULL;
	x->ct.key = key;
	x->ct.dir = (int8_t)dir;
	return x;
}

struct expr *expr_payload(struct arena *a, uint8_t base, unsigned offset_bits, unsigned bits,
			  const struct hdr_field *field)
{
	struct expr *x = expr_new(a, EXPR_PAYLOAD, field ? field->dtype : DT_HEX, ORDER_NET, bits);

	if (!x)
		return NULL;
	x->payload.base = base;
	x->payload.offset = (uint16_t)offset_bits;
	x->payload.field = field;
	return x;
}

struct expr *expr_field(struct arena *a, const char *protocol, const char *name)
{
	const struct hdr_field *f = header_field(protocol, name);

	return f ? expr_payload(a, f->base, f->offset, f->bits, f) : NULL;
}

struct expr *expr_binop(struct arena *a, enum binop op, struct expr *left, struct expr *right)
{
	struct expr *x = left && right ? expr_new(a, EXPR_BINOP, left->dtype, left->order, left->bits)
				       : NULL;

	if (!x)
		return NULL;
	x->binop.op = op;
	x->binop.left = left;
	x->binop.right = right;
	return x;
}

struct expr *expr_prefix(struct arena *a, struct expr *value, unsigned len)
{
	struct expr *x = value ? expr_new(a, EXPR_PREFIX, value->dtype, value->order, value->bits) : NULL;

	if (!x)
		return NULL;
	x->prefix.value = value;
	x->prefix.len = len;
	return x;
}

struct expr *expr_range(struct arena *a, struct expr *from, struct expr *to)
{
	struct expr *x = from && to ? expr_new(a, EXPR_RANGE, from->dtype, from->order, from->bits)
				    : NULL;

	if (!x)
		return NULL;
	x->range.from = from;
	x->range.to = to;
	return x;
}

struct expr *expr_setref(struct arena *a, struct set *set)
{
	struct expr *x = set ? expr_new(a, EXPR_SETREF, DT_INTEGER, ORDER_NET, 0) : NULL;

	if (x)
		x->set = set;
	return x;
}

uint64_t expr_uint(const struct expr *value)
{
	unsigned n = (value->bits + 7u) / 8u;
	uint64_t v = 0;

	if (value->kind != EXPR_VALUE || n > 8)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		/* host order is little endian on all platforms we build for; see the check below */
		unsigned at = value->order == ORDER_NET ? i : n - 1 - i;

		v = v << 8 | value->value[at];
	}
	return v;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "expr_uint and the decoders assume a little-endian machine");
