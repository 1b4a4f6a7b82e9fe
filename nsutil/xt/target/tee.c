/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tee - -j TEE: send a copy of the packet to another host */
#include <linux/netfilter.h>
#include <linux/netfilter/xt_TEE.h>
#include <sys/socket.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt tee_opts[] = {
	{ "gateway", NULL, &xt_addr, XT_AT(xt_tee_tginfo, gw), .always = true },
	{ "oif", NULL, &xt_name, XT_AT(xt_tee_tginfo, oif) },
	XT_END,
};

static void tee_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_tee_tginfo *t = xt_data(xt_tee_tginfo, x);
	struct stmt *s = stmt_new(l->a, STMT_DUP);

	if (s) {
		s->dup.family = l->family;
		s->dup.addr = low_addr_value(l, &t->gw);
		if (t->oif[0])
			s->dup.dev = expr_bytes(l->a, DT_IFNAME, ORDER_HOST, t->oif, 128);
	}
	low_add(l, s);
}

const struct xt_codec xt_target_TEE_v1 = {
	.name = "TEE", .rev = 1, .target = true, .goes_on = true, .size = sizeof(struct xt_tee_tginfo),
	.opts = tee_opts, .lower = tee_lower,
};
