/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frag - -m frag: the IPv6 fragment header */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_frag.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt frag_opts[] = {
	{ "fragid", NULL, &xt_range_colon, XT_AT(ip6t_frag, ids[0]), XT_AT2(ip6t_frag, ids[1]),
	  XT_INV(ip6t_frag, invflags, IP6T_FRAG_INV_IDS), .blunt = true },
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

#define FRAG 44

/* As ip6t_frag.c, frag_mt6(): the length is asked for, but not compared. Reserved bits must be zero. */
static void frag_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct ip6t_frag *f = xt_data(ip6t_frag, x);

	low_v6hdr_range(l, f->invflags & IP6T_FRAG_INV_IDS, FRAG, 32, 32, f->ids);
	if (f->flags & IP6T_FRAG_RES) {
		low_v6hdr_cmp(l, false, FRAG, 8, 8, 0);
		low_v6hdr_cmp(l, false, FRAG, 29, 2, 0);
	}
	if (f->flags & IP6T_FRAG_FST)
		low_v6hdr_cmp(l, false, FRAG, 16, 13, 0);
	if (f->flags & IP6T_FRAG_MF)
		low_v6hdr_cmp(l, false, FRAG, 31, 1, 1);
	if (f->flags & IP6T_FRAG_NMF)
		low_v6hdr_cmp(l, false, FRAG, 31, 1, 0);
	low_v6hdr_there(l, FRAG);
}

const struct xt_codec xt_match_frag_v0 = {
	.name = "frag", .family = NFPROTO_IPV6, .size = sizeof(struct ip6t_frag), .opts = frag_opts,
	.final = frag_final, .lower = frag_lower,
};
