/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frag - -m frag: the IPv6 fragment header */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_frag.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt frag_opts[] = {
	{ "fragid", NULL, &xt_range_colon, XT_AT(ip6t_frag, ids[0]), XT_AT2(ip6t_frag, ids[1]),
	  XT_INV(ip6t_frag, invflags, IP6T_FRAG_INV_IDS) },
	{ "fraglen", NULL, &xt_uint, XT_AT(ip6t_frag, hdrlen), XT_SET(ip6t_frag, flags, IP6T_FRAG_LEN),
	  XT_INV(ip6t_frag, invflags, IP6T_FRAG_INV_LEN) },
	{ "fragres", NULL, &xt_flag, XT_SET(ip6t_frag, flags, IP6T_FRAG_RES) },
	{ "fragfirst", NULL, &xt_flag, XT_SET(ip6t_frag, flags, IP6T_FRAG_FST) },
	{ "fragmore", NULL, &xt_flag, XT_SET(ip6t_frag, flags, IP6T_FRAG_MF) },
	{ "fraglast", NULL, &xt_flag, XT_SET(ip6t_frag, flags, IP6T_FRAG_NMF) },
	XT_END,
};

/* IP6T_FRAG_IDS says that an id was asked for; the kernel looks only at the range. */
static int frag_final(struct xt_parse *p, struct err *e)
{
	struct ip6t_frag *f = (struct ip6t_frag *)p->data;

	(void)e;
	if (f->ids[0] != 0 || f->ids[1] != UINT32_MAX || f->invflags & IP6T_FRAG_INV_IDS)
		f->flags |= IP6T_FRAG_IDS;
	return 0;
}

const struct xt_codec xt_match_frag_v0 = {
	.name = "frag", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_frag), .opts = frag_opts,
	.final = frag_final, .unknown = "the fragment header of the packet decides",
};
