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

static const uint8_t multicast[16] = { 0xff }, eight[16] = { 0xff }, none[16], full[16] = {
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };

/* What is not of a single class is said of the address or of its route; false where it is more than that */
static bool lower_not_type6(struct xt_low *l, uint16_t mask, uint32_t flags, const char *name)
{
	struct set *s;

	switch (mask) {
	case XT_ADDRTYPE_MULTICAST: low_addr(l, true, low_addr_expr(l, name), multicast, eight); return true;
	case XT_ADDRTYPE_UNSPEC: low_addr(l, true, low_addr_expr(l, name), none, full); return true;
	case XT_ADDRTYPE_UNICAST:
		s = low_anon_set(l, 2, DT_IPV6, 128);
		low_anon_add(l, s, low_addr_value(l, none));
		low_anon_add(l, s, expr_prefix(l->a, low_addr_value(l, multicast), 8));
		low_match(l, false, low_addr_expr(l, name), expr_setref(l->a, s));
		return true;
	case XT_ADDRTYPE_LOCAL:
	case XT_ADDRTYPE_ANYCAST:
		if (flags & (NFTA_FIB_F_IIF | NFTA_FIB_F_OIF))
			return false;
		lower_type(l, true, mask, flags);
		return true;
	default: return false;
	}
}

/* match_type6(): of IPv6 the class of the address counts, and all that is listed must hold of it */
static void lower_type6(struct xt_low *l, bool invert, uint16_t mask, uint32_t flags)
{
	const char *name = flags & NFTA_FIB_F_SADDR ? "saddr" : "daddr";
	struct xt_low in = { .a = l->a, .family = l->family };

	if (invert && lower_not_type6(l, mask, flags, name))
		return;
	in.tail = &in.head;
	if (mask & XT_ADDRTYPE_MULTICAST)
		low_addr(&in, false, low_addr_expr(&in, name), multicast, eight);
	if (mask & XT_ADDRTYPE_UNICAST) {
		low_addr(&in, true, low_addr_expr(&in, name), multicast, eight);
		low_addr(&in, true, low_addr_expr(&in, name), none, full);
	}
	if (mask & XT_ADDRTYPE_UNSPEC)
		low_addr(&in, false, low_addr_expr(&in, name), none, full);
	lower_type(&in, false, mask & (XT_ADDRTYPE_LOCAL | XT_ADDRTYPE_ANYCAST | XT_ADDRTYPE_UNREACHABLE), flags);
	if (invert && in.head) {
		low_not(l, &in);
	} else {
		low_add(l, in.head);
		l->failed |= in.failed;
	}
}

static void lower1(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_addrtype_info_v1 *a = xt_data(xt_addrtype_info_v1, x);
	uint32_t dev = (a->flags & XT_ADDRTYPE_LIMIT_IFACE_IN ? NFTA_FIB_F_IIF : 0) |
		       (a->flags & XT_ADDRTYPE_LIMIT_IFACE_OUT ? NFTA_FIB_F_OIF : 0);

	void (*lower)(struct xt_low *, bool, uint16_t, uint32_t) = l->family == NFPROTO_IPV6 ? lower_type6 : lower_type;

	if (a->source)
		lower(l, a->flags & XT_ADDRTYPE_INVERT_SOURCE, a->source, NFTA_FIB_F_SADDR | dev);
	if (a->dest)
		lower(l, a->flags & XT_ADDRTYPE_INVERT_DEST, a->dest, NFTA_FIB_F_DADDR | dev);
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
