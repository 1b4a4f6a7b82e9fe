/* SPDX-License-Identifier: GPL-2.0-or-later */
/* idletimer - -j IDLETIMER: restart a timer that user space watches */
#include <linux/netfilter/xt_IDLETIMER.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt v0_opts[] = {
	{ "timeout", NULL, &xt_uint, XT_AT(idletimer_tg_info, timeout), .min = 1, .always = true },
	{ "label", NULL, &xt_name, XT_AT(idletimer_tg_info, label), .min = 1, .always = true },
	XT_END,
};

static const struct xt_opt v1_opts[] = {
	{ "timeout", NULL, &xt_uint, XT_AT(idletimer_tg_info_v1, timeout), .min = 1, .always = true },
	{ "label", NULL, &xt_name, XT_AT(idletimer_tg_info_v1, label), .min = 1, .always = true },
	{ "alarm", NULL, &xt_flag, XT_SET(idletimer_tg_info_v1, timer_type, XT_IDLETIMER_ALARM) },
	XT_END,
};

const struct xt_codec xt_target_IDLETIMER_v0 = {
	.name = "IDLETIMER", .target = true, .effectless = true, .goes_on = true,
	.size = sizeof(struct idletimer_tg_info), .opts = v0_opts,
};
const struct xt_codec xt_target_IDLETIMER_v1 = {
	.name = "IDLETIMER", .rev = 1, .target = true, .effectless = true, .goes_on = true,
	.size = sizeof(struct idletimer_tg_info_v1), .opts = v1_opts,
};
