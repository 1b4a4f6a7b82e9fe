/* SPDX-License-Identifier: GPL-2.0-or-later */
/* redirect - -j REDIRECT, MASQUERADE: to this host, from this host */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/target/nat.h"
#include "nsutil/xt/type.h"

static const struct xt_type to_ports = {
	1, NULL, xt_nat_ports_save, xt_nat_ports_json, xt_nat_ports_parse, NULL,
};

/* The flags are the first word of the range in either structure. */
#define OPTS4(name)                                                                                        \
	static const struct xt_opt name[] = {                                                              \
		{ "to-ports", NULL, &to_ports, XT_SET(nf_nat_ipv4_multi_range_compat, range[0].flags,      \
						      NF_NAT_RANGE_PROTO_SPECIFIED) },                     \
		{ "random", NULL, &xt_flag, XT_SET(nf_nat_ipv4_multi_range_compat, range[0].flags,         \
						   NF_NAT_RANGE_PROTO_RANDOM) },                           \
		XT_NAT_FULLY(nf_nat_ipv4_multi_range_compat, range[0].flags),                              \
		XT_END,                                                                                    \
	}
OPTS4(opts4);

static const struct xt_opt opts6[] = {
	{ "to-ports", NULL, &to_ports, XT_SET(nf_nat_range, flags, NF_NAT_RANGE_PROTO_SPECIFIED) },
	{ "random", NULL, &xt_flag, XT_SET(nf_nat_range, flags, NF_NAT_RANGE_PROTO_RANDOM) },
	XT_NAT_FULLY(nf_nat_range, flags),
	XT_END,
};

static void redirect_lower(struct xt_low *l, const struct xt_ext *x)
{
	xt_nat_lower(l, x, NAT_REDIRECT);
}

static void masquerade_lower(struct xt_low *l, const struct xt_ext *x)
{
	xt_nat_lower(l, x, NAT_MASQUERADE);
}

#define COMMON4                                                                                            \
	.family = NFPROTO_IPV4, .target = true, .size = sizeof(struct nf_nat_ipv4_multi_range_compat),     \
	.opts = opts4, .init = xt_nat_init4
#define COMMON6                                                                                            \
	.family = NFPROTO_IPV6, .target = true, .size = sizeof(struct nf_nat_range), .opts = opts6

const struct xt_codec xt_target_REDIRECT4_v0 = { .name = "REDIRECT", COMMON4, .lower = redirect_lower };
const struct xt_codec xt_target_REDIRECT6_v0 = { .name = "REDIRECT", COMMON6, .lower = redirect_lower };
const struct xt_codec xt_target_MASQUERADE4_v0 = { .name = "MASQUERADE", COMMON4, .lower = masquerade_lower };
const struct xt_codec xt_target_MASQUERADE6_v0 = { .name = "MASQUERADE", COMMON6, .lower = masquerade_lower };
