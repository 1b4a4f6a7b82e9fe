/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct - -j CT, -j NOTRACK: how connection tracking treats the packet */
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_CT.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word events[] = {
	{ "new", 1 << IPCT_NEW },	{ "related", 1 << IPCT_RELATED },   { "destroy", 1 << IPCT_DESTROY },
	{ "reply", 1 << IPCT_REPLY },	{ "assured", 1 << IPCT_ASSURED },   { "protoinfo", 1 << IPCT_PROTOINFO },
	{ "helper", 1 << IPCT_HELPER }, { "mark", 1 << IPCT_MARK },	    { "natseqinfo", 1 << IPCT_NATSEQADJ },
	{ "secmark", 1 << IPCT_SECMARK }, { NULL, 0 },
};
static const struct xt_word exp_events[] = { { "new", 1 << IPEXP_NEW }, { NULL, 0 } };

#define DIRS (XT_CT_ZONE_DIR_ORIG | XT_CT_ZONE_DIR_REPL)

static bool zone_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	(void)o;
	return !xt_data(xt_ct_target_info, x)->zone && !(xt_data(xt_ct_target_info, x)->flags & XT_CT_ZONE_MARK);
}

static void zone_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	if (xt_data(xt_ct_target_info, x)->flags & XT_CT_ZONE_MARK)
		buf_str(b, " mark");
	else
		xt_uint.save(o, x, b);
}

static void zone_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	if (xt_data(xt_ct_target_info, x)->flags & XT_CT_ZONE_MARK)
		json_str(j, key, "mark");
	else
		xt_uint.json(o, x, j, key);
}

static int zone_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	if (strcmp(p->args[0], "mark") != 0)
		return xt_uint.parse(o, p, e);
	((struct xt_ct_target_info *)p->data)->flags |= XT_CT_ZONE_MARK;
	return 0;
}

static const struct xt_type zone = { 1, zone_absent, zone_save, zone_json, zone_parse, NULL };

#define AT(m)	   XT_AT(xt_ct_target_info, m)
#define DIR(v)	   XT_MODE(xt_ct_target_info, flags, DIRS, v)
#define MASKED(f)  XT_SET(xt_ct_target_info, flags, f)
#define HELPER	   { "helper", NULL, &xt_name, AT(helper), .min = 1 }
#define TIMEOUT	   { "timeout", NULL, &xt_name, XT_AT(xt_ct_target_info_v1, timeout), .min = 1 }
#define TAIL                                                                                               \
	{ "ctevents", NULL, &xt_bits, AT(ct_events), .list = events },                                     \
		{ "expevents", NULL, &xt_bits, AT(exp_events), .list = exp_events },                       \
		{ "zone-orig", NULL, &zone, AT(zone), DIR(XT_CT_ZONE_DIR_ORIG) },                          \
		{ "zone-reply", NULL, &zone, AT(zone), DIR(XT_CT_ZONE_DIR_REPL) },                         \
		{ "zone", NULL, &zone, AT(zone), DIR(0) }, XT_END
#define NOTRACK { "notrack", NULL, &xt_flag, MASKED(XT_CT_NOTRACK) }

static const struct xt_opt opts0[] = { NOTRACK, HELPER, TAIL };
static const struct xt_opt opts1[] = { NOTRACK, HELPER, TIMEOUT, TAIL };

static const char *ct_spell(const struct xt_ext *x)
{
	return xt_data(xt_ct_target_info, x)->flags & XT_CT_NOTRACK_ALIAS ? "NOTRACK" : NULL;
}

static void ct_save(const struct xt_ext *x, struct buf *b)
{
	if (ct_spell(x))
		return;
	for (const struct xt_opt *o = x->codec->opts; o->name; o++)
		xt_opt_save(o, x, b);
}

static void lower_zone(struct xt_low *l, const struct xt_ct_target_info *c)
{
	struct expr *v = low_meta_mark(l->a);
	int dir = c->flags & XT_CT_ZONE_DIR_ORIG ? IP_CT_DIR_ORIGINAL :
		  c->flags & XT_CT_ZONE_DIR_REPL ? IP_CT_DIR_REPLY : -1;

	if (!(c->flags & XT_CT_ZONE_MARK))
		v = expr_bytes(l->a, DT_INTEGER, ORDER_HOST, &c->zone, 16);
	low_set(l, expr_ct(l->a, NFT_CT_ZONE, dir), v);
}

/* Revision 0 knows no alias and no zones by direction; the bits then are clear. */
static void ct_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_ct_target_info *c = xt_data(xt_ct_target_info, x);

	if (c->flags & XT_CT_NOTRACK) {
		low_add(l, stmt_new(l->a, STMT_NOTRACK));
		return;
	}
	if (c->zone || (c->flags & XT_CT_ZONE_MARK))
		lower_zone(l, c);
	/*
	 * Helpers, timeouts and events do not decide where a packet goes; "ct event set" is no form of --ctevents,
	 * for it does nothing where there is no connection yet.
	 */
}

#define CT .name = "CT", .target = true, .goes_on = true, .lower = ct_lower

const struct xt_codec xt_target_CT_v0 = { CT, .size = sizeof(struct xt_ct_target_info), .opts = opts0 };
const struct xt_codec xt_target_CT_v1 = {
	CT, .rev = 1, .size = sizeof(struct xt_ct_target_info_v1), .opts = opts1, .spell = ct_spell,
	.save = ct_save,
};
const struct xt_codec xt_target_CT_v2 = {
	CT, .rev = 2, .size = sizeof(struct xt_ct_target_info_v1), .opts = opts1, .spell = ct_spell,
	.save = ct_save,
};

static void notrack_init(uint8_t *data, uint8_t family)
{
	(void)family;
	((struct xt_ct_target_info_v1 *)data)->flags = XT_CT_NOTRACK | XT_CT_NOTRACK_ALIAS;
}

static const struct xt_opt no_opts[] = { XT_END };

const struct xt_codec xt_target_CT_notrack = {
	.name = "CT", .spelling = "NOTRACK", .rev = 2, .target = true, .opts = no_opts, .init = notrack_init,
	.size = sizeof(struct xt_ct_target_info_v1),
};

static void notrack_lower(struct xt_low *l, const struct xt_ext *x)
{
	(void)x;
	low_add(l, stmt_new(l->a, STMT_NOTRACK));
}

/* The target of its own that old tools write; no data. */
const struct xt_codec xt_target_NOTRACK_v0 = {
	.name = "NOTRACK", .target = true, .goes_on = true, .opts = no_opts, .lower = notrack_lower,
};
