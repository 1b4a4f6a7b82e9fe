/* SPDX-License-Identifier: GPL-2.0-or-later */
/* secmark - -j SECMARK, -j CONNSECMARK: security labels */
#include <linux/netfilter/xt_CONNSECMARK.h>
#include <linux/netfilter/xt_SECMARK.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* A label decides nothing in netfilter itself; the packet goes on. */

static const struct xt_opt v0_opts[] = {
	{ "selctx", NULL, &xt_name, XT_AT(xt_secmark_target_info, secctx), .min = 1, .always = true },
	XT_END,
};

static const struct xt_opt v1_opts[] = {
	{ "selctx", NULL, &xt_name, XT_AT(xt_secmark_target_info_v1, secctx), .min = 1, .always = true },
	XT_END,
};

static void secmark_init(uint8_t *data, uint8_t family)
{
	(void)family;
	data[0] = SECMARK_MODE_SEL;
}

static const struct xt_opt conn_opts[] = {
	{ "save", NULL, &xt_flag, XT_MODE(xt_connsecmark_target_info, mode, 0xff, CONNSECMARK_SAVE) },
	{ "restore", NULL, &xt_flag, XT_MODE(xt_connsecmark_target_info, mode, 0xff, CONNSECMARK_RESTORE) },
	XT_END,
};

#define LABEL .target = true, .effectless = true, .goes_on = true

const struct xt_codec xt_target_SECMARK_v0 = {
	.name = "SECMARK", LABEL, .size = sizeof(struct xt_secmark_target_info), .opts = v0_opts,
	.init = secmark_init,
};
const struct xt_codec xt_target_SECMARK_v1 = {
	.name = "SECMARK", .rev = 1, LABEL, .size = sizeof(struct xt_secmark_target_info_v1), .opts = v1_opts,
	.init = secmark_init,
};
const struct xt_codec xt_target_CONNSECMARK_v0 = {
	.name = "CONNSECMARK", LABEL, .size = sizeof(struct xt_connsecmark_target_info), .opts = conn_opts,
};
