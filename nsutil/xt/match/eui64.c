/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eui64 - -m eui64: does the IPv6 source end in the link address? */
#include <linux/netfilter.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* The kernel's structure is a single int that nothing uses. */
const struct xt_codec xt_match_eui64_v0 = {
	.name = "eui64", .family = NFPROTO_IPV6, .size = sizeof(int),
	.unknown = "the link-layer source address is not given",
};
