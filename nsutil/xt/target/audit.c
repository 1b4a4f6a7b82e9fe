/* SPDX-License-Identifier: GPL-2.0-or-later */
/* audit - -j AUDIT: a record for the audit log */
#include <linux/netfilter/xt_AUDIT.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word types[] = {
	{ "accept", XT_AUDIT_TYPE_ACCEPT }, { "drop", XT_AUDIT_TYPE_DROP }, { "reject", XT_AUDIT_TYPE_REJECT },
	{ NULL, 0 },
};

static const struct xt_opt audit_opts[] = {
	{ "type", NULL, &xt_enum, XT_AT(xt_audit_info, type), .list = types, .always = true },
	XT_END,
};

/* The type is only what the record says; the packet goes on. */
const struct xt_codec xt_target_AUDIT_v0 = {
	.name = "AUDIT", .target = true, .effectless = true, .goes_on = true,
	.size = sizeof(struct xt_audit_info), .opts = audit_opts,
};
