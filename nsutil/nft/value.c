/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value - bytes of the kernel as values of the model */
#include "nsutil/nft/decode.h"

struct expr *dec_value(struct dec *d, const struct expr *like, const void *bytes, unsigned len)
{
	unsigned bits = like->bits && (like->bits + 7u) / 8u == len ? like->bits : len * 8;

	return dec_bytes(d, like->dtype, like->order, bytes, bits);
}

struct expr *dec_bytes(struct dec *d, enum dtype dtype, enum byteorder order, const void *bytes,
		       unsigned bits)
{
	struct expr *x = expr_bytes(d->a, dtype, order, bytes, bits);

	if (x && dtype == DT_IFINDEX)
		x->sym = dec_iface_name(d, (uint32_t)expr_uint(x));
	if (x && dtype == DT_CGROUPV2)
		x->sym = dec_cgroup_name(d, expr_uint(x));
	return x;
}

struct expr *dec_retype(struct dec *d, struct expr *x, enum dtype dtype, enum byteorder order)
{
	struct expr *copy;

	if (!x || x->kind != EXPR_VALUE)
		return x;
	copy = arena_dup(d->a, x, sizeof(*x));
	if (!copy)
		return NULL;
	copy->dtype = (uint8_t)dtype;
	copy->order = (uint8_t)order;
	if (dtype == DT_IFINDEX)
		copy->sym = dec_iface_name(d, (uint32_t)expr_uint(copy));
	return copy;
}
