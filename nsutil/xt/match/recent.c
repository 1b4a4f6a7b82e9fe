/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recent - -m recent: lists of addresses seen */
#include <linux/netfilter/xt_recent.h>

#include "nsutil/xt/type.h"

/* Revision 1 is revision 0 with a mask behind. */
#define AT(m)	 XT_AT(xt_recent_mtinfo_v1, m)
#define OP(f)	 XT_SET(xt_recent_mtinfo_v1, check_set, f), XT_INV(xt_recent_mtinfo_v1, invert, 1)
#define FLAG(f)	 XT_SET(xt_recent_mtinfo_v1, check_set, f)
#define SIDE(v)	 XT_MODE(xt_recent_mtinfo_v1, side, 0xff, v)

#define HEAD                                                                                               \
	{ "set", NULL, &xt_flag, OP(XT_RECENT_SET) }, { "rcheck", NULL, &xt_flag, OP(XT_RECENT_CHECK) },    \
		{ "update", NULL, &xt_flag, OP(XT_RECENT_UPDATE) },                                        \
		{ "remove", NULL, &xt_flag, OP(XT_RECENT_REMOVE) },                                        \
		{ "seconds", NULL, &xt_uint, AT(seconds), .min = 1 },                                      \
		{ "reap", NULL, &xt_flag, FLAG(XT_RECENT_REAP) },                                          \
		{ "hitcount", NULL, &xt_uint, AT(hit_count) },                                             \
		{ "rttl", NULL, &xt_flag, FLAG(XT_RECENT_TTL) },                                           \
		{ "name", NULL, &xt_name, AT(name), .always = true }
#define SIDES                                                                                              \
	{ "rsource", NULL, &xt_flag, SIDE(XT_RECENT_SOURCE) }, { "rdest", NULL, &xt_flag, SIDE(XT_RECENT_DEST) }, \
		XT_END

static const struct xt_opt opts0[] = { HEAD, SIDES };
static const struct xt_opt opts1[] = {
	HEAD, { "mask", NULL, &xt_addr, AT(mask), .always = true }, SIDES
};

static void recent_init(uint8_t *data, uint8_t family)
{
	struct xt_recent_mtinfo_v1 *r = (struct xt_recent_mtinfo_v1 *)data;

	(void)family;
	memcpy(r->name, "DEFAULT", 8);
	memset(&r->mask, 0xff, sizeof(r->mask));
}

static int recent_final(struct xt_parse *p, struct err *e)
{
	if (((struct xt_recent_mtinfo_v1 *)p->data)->check_set)
		return 0;
	p->opt = "set";
	return xt_bad(p, e, "one of --set, --rcheck, --update, --remove is needed");
}

#define RECENT .name = "recent", .unknown = "it depends on the addresses seen so far"

const struct xt_codec xt_match_recent_v0 = {
	RECENT, .size = sizeof(struct xt_recent_mtinfo), .opts = opts0,
};
const struct xt_codec xt_match_recent_v1 = {
	RECENT, .rev = 1, .size = sizeof(struct xt_recent_mtinfo_v1), .opts = opts1, .init = recent_init,
	.final = recent_final,
};
