/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipcomp - -m ipcomp: compression parameter index */
#include <linux/netfilter/xt_ipcomp.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt ipcomp_opts[] = {
	{ "ipcompspi", NULL, &xt_range_colon, XT_AT(xt_ipcomp, spis[0]), XT_AT2(xt_ipcomp, spis[1]),
	  XT_INV(xt_ipcomp, invflags, XT_IPCOMP_INV_SPI) },
	{ "compres", NULL, &xt_flag, XT_SET(xt_ipcomp, hdrres, 1) },
	XT_END,
};

/*
 * The index has 16 bits in the header, 32 in the rule (xt_ipcomp.c, spi_match()). The kernel does not look at the
 * reserved bits, so --compres asks for nothing.
 */
static void ipcomp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_ipcomp *c = xt_data(xt_ipcomp, x);

	if (c->spis[0] > UINT16_MAX) {
		if (!(c->invflags & XT_IPCOMP_INV_SPI))
			low_never(l);
		return;
	}
	low_port(l, c->invflags & XT_IPCOMP_INV_SPI, expr_field(l->a, "comp", "cpi"), (uint16_t)c->spis[0],
		 c->spis[1] > UINT16_MAX ? UINT16_MAX : (uint16_t)c->spis[1]);
}

const struct xt_codec xt_match_ipcomp_v0 = {
	.name = "ipcomp", .size = sizeof(struct xt_ipcomp), .opts = ipcomp_opts, .lower = ipcomp_lower,
};
