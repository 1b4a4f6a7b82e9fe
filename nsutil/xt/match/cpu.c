/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu - -m cpu: the processor that handles the packet */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_cpu.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt cpu_opts[] = {
	{ "cpu", NULL, &xt_uint, XT_AT(xt_cpu_info, cpu), XT_INV(xt_cpu_info, invert, 1), .always = true },
	XT_END,
};

static void cpu_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_cpu_info *c = xt_data(xt_cpu_info, x);

	low_u32(l, c->invert, expr_meta(l->a, NFT_META_CPU), DT_CPU, c->cpu, c->cpu);
}

const struct xt_codec xt_match_cpu_v0 = {
	.name = "cpu", .size = sizeof(struct xt_cpu_info), .opts = cpu_opts, .lower = cpu_lower,
};
