/* SPDX-License-Identifier: GPL-2.0-or-later */
/* realm - -m realm: routing realm */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_realm.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* iproute2 ships one name, 0 "cosmos", which iptables prints. */
static void realm_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const struct xt_realm_info *r = xt_data(xt_realm_info, x);

	if (r->id == 0 && r->mask == UINT32_MAX)
		buf_str(b, " cosmos");
	else
		xt_mark.save(o, x, b);
}

static void realm_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_mark.json(o, x, j, key);
}

static int realm_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	if (strcmp(p->args[0], "cosmos") != 0)
		return xt_mark.parse(o, p, e);
	xt_store(p->data, o->off, 4, 0);
	xt_store(p->data, o->off2, 4, UINT32_MAX);
	return 0;
}

static const struct xt_type realm_type = { 1, NULL, realm_save, realm_json, realm_parse, NULL };

static const struct xt_opt realm_opts[] = {
	{ "realm", NULL, &realm_type, XT_AT(xt_realm_info, id), XT_AT2(xt_realm_info, mask),
	  XT_INV(xt_realm_info, invert, 1), .always = true },
	XT_END,
};

static void realm_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_realm_info *r = xt_data(xt_realm_info, x);

	low_masked(l, r->invert, expr_meta(l->a, NFT_META_RTCLASSID), r->id, r->mask);
}

const struct xt_codec xt_match_realm_v0 = {
	.name = "realm", .size = sizeof(struct xt_realm_info), .opts = realm_opts, .lower = realm_lower,
};
