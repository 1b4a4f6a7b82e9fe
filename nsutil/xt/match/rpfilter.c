/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rpfilter - -m rpfilter: would a reply go out where the packet came in? */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_rpfilter.h>
#include <linux/rtnetlink.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt rpfilter_opts[] = {
	{ "loose", NULL, &xt_flag, XT_SET(xt_rpfilter_info, flags, XT_RPFILTER_LOOSE) },
	{ "validmark", NULL, &xt_flag, XT_SET(xt_rpfilter_info, flags, XT_RPFILTER_VALID_MARK) },
	{ "accept-local", NULL, &xt_flag, XT_SET(xt_rpfilter_info, flags, XT_RPFILTER_ACCEPT_LOCAL) },
	{ "invert", NULL, &xt_flag, XT_SET(xt_rpfilter_info, flags, XT_RPFILTER_INVERT) },
	XT_END,
};

/*
 * Local sources have no reverse path in nftables. In IPv6 they are accepted from any device (ip6t_rpfilter.c,
 * rpfilter_lookup_reverse6()), in IPv4 only where the device does not matter; and only the inverted match has one form.
 */
static bool lower_local(struct xt_low *l, uint8_t flags)
{
	struct expr *fib = expr_new(l->a, EXPR_FIB, DT_FIB_ADDRTYPE, ORDER_HOST, 32);

	if (!(flags & XT_RPFILTER_INVERT) || (l->family == NFPROTO_IPV4 && !(flags & XT_RPFILTER_LOOSE))) {
		l->why = "the reverse path with local sources accepted decides";
		return false;
	}
	if (fib) {
		fib->fib.result = NFT_FIB_RESULT_ADDRTYPE;
		fib->fib.flags = NFTA_FIB_F_SADDR;
	}
	low_match(l, true, fib, expr_u32(l->a, DT_FIB_ADDRTYPE, RTN_LOCAL));
	return true;
}

/* As iptables-translate has it: fib saddr [. mark] [. iif] oif exists. */
static void rpfilter_lower(struct xt_low *l, const struct xt_ext *x)
{
	uint8_t flags = xt_data(xt_rpfilter_info, x)->flags;
	struct expr *fib = expr_new(l->a, EXPR_FIB, DT_BOOLEAN, ORDER_HOST, 8);

	if (flags & XT_RPFILTER_ACCEPT_LOCAL && !lower_local(l, flags))
		return;
	if (fib) {
		fib->fib.result = NFT_FIB_RESULT_OIF;
		fib->fib.flags = NFTA_FIB_F_SADDR | NFTA_FIB_F_PRESENT;
		if (!(flags & XT_RPFILTER_LOOSE))
			fib->fib.flags |= NFTA_FIB_F_IIF;
		if (flags & XT_RPFILTER_VALID_MARK)
			fib->fib.flags |= NFTA_FIB_F_MARK;
	}
	low_match(l, false, fib, expr_bytes(l->a, DT_BOOLEAN, ORDER_HOST,
					    flags & XT_RPFILTER_INVERT ? "\0" : "\1", 8));
}

const struct xt_codec xt_match_rpfilter_v0 = {
	.name = "rpfilter", .size = sizeof(struct xt_rpfilter_info), .opts = rpfilter_opts,
	.lower = rpfilter_lower,
};
