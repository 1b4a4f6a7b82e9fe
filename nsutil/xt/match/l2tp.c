/* SPDX-License-Identifier: GPL-2.0-or-later */
/* l2tp - -m l2tp: tunnel, session, version and kind of an L2TP packet */
#include <linux/netfilter/xt_l2tp.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word kinds[] = {
	{ "control", XT_L2TP_TYPE_CONTROL }, { "data", XT_L2TP_TYPE_DATA }, { NULL, 0 },
};

static const struct xt_opt l2tp_opts[] = {
	{ "tid", NULL, &xt_uint, XT_AT(xt_l2tp_info, tid), XT_SET(xt_l2tp_info, flags, XT_L2TP_TID) },
	{ "sid", NULL, &xt_uint, XT_AT(xt_l2tp_info, sid), XT_SET(xt_l2tp_info, flags, XT_L2TP_SID) },
	{ "pversion", NULL, &xt_uint, XT_AT(xt_l2tp_info, version), XT_SET(xt_l2tp_info, flags, XT_L2TP_VERSION),
	  .max = 3 },
	{ "type", NULL, &xt_enum, XT_AT(xt_l2tp_info, type), XT_SET(xt_l2tp_info, flags, XT_L2TP_TYPE),
	  .list = kinds },
	XT_END,
};

const struct xt_codec xt_match_l2tp_v1 = {
	.name = "l2tp", .rev = 1, .size = sizeof(struct xt_l2tp_info), .opts = l2tp_opts,
	.unknown = "the L2TP header of the packet decides",
};
