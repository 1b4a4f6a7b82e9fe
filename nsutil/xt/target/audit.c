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

/* The record no longer has the type (xt_AUDIT.c, audit_tg(), since Linux 4.12), and is that of nftables. */
static void audit_lower(struct xt_low *l, const struct xt_ext *x)
{
	struct stmt *s = stmt_new(l->a, STMT_LOG);

	(void)x;
	if (s)
		s->log = (struct stmt_log){ .level = 8 /* LOGLEVEL_AUDIT */, .group = -1 };
	low_add(l, s);
}

const struct xt_codec xt_target_AUDIT_v0 = {
	.name = "AUDIT", .target = true, .goes_on = true, .size = sizeof(struct xt_audit_info), .opts = audit_opts,
	.lower = audit_lower,
};
