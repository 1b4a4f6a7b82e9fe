/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addrtype - -m addrtype: what the routing says of an address */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_addrtype.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word types[] = {
	{ "UNSPEC", XT_ADDRTYPE_UNSPEC },	    { "UNICAST", XT_ADDRTYPE_UNICAST },
	{ "LOCAL", XT_ADDRTYPE_LOCAL },		    { "BROADCAST", XT_ADDRTYPE_BROADCAST },
	{ "ANYCAST", XT_ADDRTYPE_ANYCAST },	    { "MULTICAST", XT_ADDRTYPE_MULTICAST },
	{ "BLACKHOLE", XT_ADDRTYPE_BLACKHOLE },	    { "UNREACHABLE", XT_ADDRTYPE_UNREACHABLE },
	{ "PROHIBIT", XT_ADDRTYPE_PROHIBIT },	    { "THROW", XT_ADDRTYPE_THROW },
	{ "NAT", XT_ADDRTYPE_NAT },		    { "XRESOLVE", XT_ADDRTYPE_XRESOLVE },
	{ NULL, 0 },
};

static const struct xt_opt opts1[] = {
	{ "src-type", NULL, &xt_bits, XT_AT(xt_addrtype_info_v1, source),
	  XT_INV(xt_addrtype_info_v1, flags, XT_ADDRTYPE_INVERT_SOURCE), .list = types },
	{ "dst-type", NULL, &xt_bits, XT_AT(xt_addrtype_info_v1, dest),
	  XT_INV(xt_addrtype_info_v1, flags, XT_ADDRTYPE_INVERT_DEST), .list = types },
	{ "limit-iface-in", NULL, &xt_flag, XT_SET(xt_addrtype_info_v1, flags, XT_ADDRTYPE_LIMIT_IFACE_IN) },
	{ "limit-iface-out", NULL, &xt_flag, XT_SET(xt_addrtype_info_v1, flags, XT_ADDRTYPE_LIMIT_IFACE_OUT) },
	XT_END,
};

static const struct xt_opt opts0[] = {
	{ "src-type", NULL, &xt_bits, XT_AT(xt_addrtype_info, source), XT_INV(xt_addrtype_info, invert_source, 1),
	  .list = types },
	{ "dst-type", NULL, &xt_bits, XT_AT(xt_addrtype_info, dest), XT_INV(xt_addrtype_info, invert_dest, 1),
	  .list = types },
	XT_END,
};

/* Bit i of the mask is route type i (RTN_*), the value of "fib ... type". */
static struct expr *type_right(struct xt_low *l, uint16_t mask)
{
	struct set *s;
	unsigned n = (unsigned)__builtin_popcount(mask);

	if (n == 1)
		return expr_u32(l->a, DT_FIB_ADDRTYPE, (uint32_t)__builtin_ctz(mask));
	s = low_anon_set(l, n, DT_FIB_ADDRTYPE, 32);
	for (unsigned i = 0; i < 16; i++)
		if (mask & 1u << i)
			low_anon_add(l, s, expr_u32(l->a, DT_FIB_ADDRTYPE, i));
	return expr_setref(l->a, s);
}

static void lower_type(struct xt_low *l, bool invert, uint16_t mask, uint32_t flags)
{
	struct expr *fib = expr_new(l->a, EXPR_FIB, DT_FIB_ADDRTYPE, ORDER_HOST, 32);

	if (!mask)
		return;
	if (fib) {
		fib->fib.result = NFT_FIB_RESULT_ADDRTYPE;
		fib->fib.flags = flags;
	}
	low_match(l, invert, fib, type_right(l, mask));
}

static void lower1(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_addrtype_info_v1 *a = xt_data(xt_addrtype_info_v1, x);
	uint32_t dev = (a->flags & XT_ADDRTYPE_LIMIT_IFACE_IN ? NFTA_FIB_F_IIF : 0) |
		       (a->flags & XT_ADDRTYPE_LIMIT_IFACE_OUT ? NFTA_FIB_F_OIF : 0);

	lower_type(l, a->flags & XT_ADDRTYPE_INVERT_SOURCE, a->source, NFTA_FIB_F_SADDR | dev);
	lower_type(l, a->flags & XT_ADDRTYPE_INVERT_DEST, a->dest, NFTA_FIB_F_DADDR | dev);
}

static void lower0(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_addrtype_info *a = xt_data(xt_addrtype_info, x);

	lower_type(l, a->invert_source, a->source, NFTA_FIB_F_SADDR);
	lower_type(l, a->invert_dest, a->dest, NFTA_FIB_F_DADDR);
}

const struct xt_codec xt_match_addrtype_v0 = {
	.name = "addrtype", .family = NFPROTO_IPV4, .size = sizeof(struct xt_addrtype_info), .opts = opts0,
	.lower = lower0,
};

const struct xt_codec xt_match_addrtype_v1 = {
	.name = "addrtype", .rev = 1, .size = sizeof(struct xt_addrtype_info_v1), .opts = opts1,
	.lower = lower1,
};
