/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dccp - -m dccp: ports, packet types and options of DCCP */
#include <linux/netfilter/xt_dccp.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#define UNKNOWN_TYPES 0xfc00 /* what iptables calls INVALID */

static const struct xt_word types[] = {
	{ "REQUEST", 1 << 0 }, { "RESPONSE", 1 << 1 }, { "DATA", 1 << 2 }, { "ACK", 1 << 3 },
	{ "DATAACK", 1 << 4 }, { "CLOSEREQ", 1 << 5 }, { "CLOSE", 1 << 6 }, { "RESET", 1 << 7 },
	{ "SYNC", 1 << 8 }, { "SYNCACK", 1 << 9 }, { "INVALID", UNKNOWN_TYPES }, { NULL, 0 },
};

static const struct xt_opt dccp_opts[] = {
	{ "sport", "source-port", &xt_span_colon, XT_AT(xt_dccp_info, spts[0]), XT_AT2(xt_dccp_info, spts[1]),
	  XT_SET(xt_dccp_info, flags, XT_DCCP_SRC_PORTS), XT_INV(xt_dccp_info, invflags, XT_DCCP_SRC_PORTS) },
	{ "dport", "destination-port", &xt_span_colon, XT_AT(xt_dccp_info, dpts[0]),
	  XT_AT2(xt_dccp_info, dpts[1]), XT_SET(xt_dccp_info, flags, XT_DCCP_DEST_PORTS),
	  XT_INV(xt_dccp_info, invflags, XT_DCCP_DEST_PORTS) },
	{ "dccp-types", NULL, &xt_bits, XT_AT(xt_dccp_info, typemask),
	  XT_SET(xt_dccp_info, flags, XT_DCCP_TYPE), XT_INV(xt_dccp_info, invflags, XT_DCCP_TYPE),
	  .list = types },
	{ "dccp-option", NULL, &xt_uint, XT_AT(xt_dccp_info, option),
	  XT_SET(xt_dccp_info, flags, XT_DCCP_OPTION), XT_INV(xt_dccp_info, invflags, XT_DCCP_OPTION) },
	XT_END,
};

static void lower_types(struct xt_low *l, bool invert, uint16_t mask)
{
	bool rest = (mask & UNKNOWN_TYPES) == UNKNOWN_TYPES;
	unsigned n = (unsigned)__builtin_popcount(rest ? mask & 0x3ff : mask) + rest;
	struct set *set = n == 1 ? NULL : low_anon_set(l, n, DT_DCCP_PKTTYPE, 8);
	struct expr *right = NULL;

	for (uint8_t type = 0; type < 16; type++) {
		if (!(mask & 1u << type))
			continue;
		right = expr_u8(l->a, DT_DCCP_PKTTYPE, type);
		if (rest && type == 10) {
			right = expr_range(l->a, right, expr_u8(l->a, DT_DCCP_PKTTYPE, 15));
			type = 15;
		}
		if (set)
			low_anon_add(l, set, right);
	}
	low_match(l, invert, expr_field(l->a, "dccp", "type"), set ? expr_setref(l->a, set) : right);
}

static void dccp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_dccp_info *d = xt_data(xt_dccp_info, x);

	if (d->flags & XT_DCCP_OPTION)
		l->why = "the options of the DCCP packet decide";
	if (d->flags & XT_DCCP_SRC_PORTS)
		low_port(l, d->invflags & XT_DCCP_SRC_PORTS, expr_field(l->a, "dccp", "sport"), d->spts[0],
			 d->spts[1]);
	if (d->flags & XT_DCCP_DEST_PORTS)
		low_port(l, d->invflags & XT_DCCP_DEST_PORTS, expr_field(l->a, "dccp", "dport"), d->dpts[0],
			 d->dpts[1]);
	if (d->flags & XT_DCCP_TYPE)
		lower_types(l, d->invflags & XT_DCCP_TYPE, d->typemask);
}

const struct xt_codec xt_match_dccp_v0 = {
	.name = "dccp", .size = sizeof(struct xt_dccp_info), .opts = dccp_opts, .lower = dccp_lower,
};
