/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs - -m ipvs: properties of an IPVS connection */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_ipvs.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word methods[] = { { "GATE", 3 }, { "IPIP", 2 }, { "MASQ", 0 }, { NULL, 0 } };

#define BIT(flag) XT_SET(xt_ipvs_mtinfo, bitmask, flag), XT_INV(xt_ipvs_mtinfo, invert, flag)

/* A name is read, a number printed. */
static void proto_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_uint.save(o, x, b);
}

static void proto_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_uint.json(o, x, j, key);
}

static int proto_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	int proto = xt_proto_number(p->args[0]);

	if (proto < 0)
		return xt_bad(p, e, "'%s' is no protocol", p->args[0]);
	xt_store(p->data, o->off, 1, (uint64_t)proto);
	return 0;
}

static const struct xt_type proto_type = { 1, NULL, proto_save, proto_json, proto_parse, NULL };

static const struct xt_opt ipvs_opts[] = {
	{ "ipvs", NULL, &xt_flag, BIT(XT_IPVS_IPVS_PROPERTY) },
	{ "vproto", NULL, &proto_type, XT_AT(xt_ipvs_mtinfo, l4proto), BIT(XT_IPVS_PROTO) },
	{ "vaddr", NULL, &xt_addr_mask, XT_AT(xt_ipvs_mtinfo, vaddr), XT_AT2(xt_ipvs_mtinfo, vmask),
	  BIT(XT_IPVS_VADDR) },
	{ "vport", NULL, &xt_be16, XT_AT(xt_ipvs_mtinfo, vport), BIT(XT_IPVS_VPORT) },
	{ "vmethod", NULL, &xt_enum, XT_AT(xt_ipvs_mtinfo, fwd_method), BIT(XT_IPVS_METHOD), .list = methods },
	{ "vportctl", NULL, &xt_be16, XT_AT(xt_ipvs_mtinfo, vportctl), BIT(XT_IPVS_VPORTCTL) },
	XT_END,
};

/* It stands behind the port; its negation is the other direction. */
static void vdir_save(const struct xt_ipvs_mtinfo *i, struct buf *b)
{
	if (i->bitmask & XT_IPVS_DIR)
		buf_fmt(b, " --vdir %s", i->invert & XT_IPVS_DIR ? "REPLY" : "ORIGINAL");
}

static void ipvs_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_ipvs_mtinfo *i = xt_data(xt_ipvs_mtinfo, x);
	unsigned said = 0;

	/* Every other option says that it is IPVS, so that alone is printed only alone. */
	if (i->bitmask == XT_IPVS_IPVS_PROPERTY)
		buf_fmt(b, "%s --ipvs", i->invert & XT_IPVS_IPVS_PROPERTY ? " !" : "");
	for (const struct xt_opt *o = ipvs_opts + 1; o->name; o++) {
		if (!xt_opt_given(o, x))
			continue;
		if (o->off >= offsetof(struct xt_ipvs_mtinfo, fwd_method) && !said++)
			vdir_save(i, b);
		buf_fmt(b, "%s --%s", xt_opt_inverted(o, x) ? " !" : "", o->name);
		o->type->save(o, x, b);
	}
	if (!said)
		vdir_save(i, b);
}

static int vdir_parse(struct xt_parse *p, struct err *e)
{
	struct xt_ipvs_mtinfo *i = (struct xt_ipvs_mtinfo *)p->data;

	if (strcmp(p->opt, "vdir") != 0)
		return 0;
	if (!p->n_args || (strcasecmp(p->args[0], "ORIGINAL") != 0 && strcasecmp(p->args[0], "REPLY") != 0))
		return xt_bad(p, e, "it needs ORIGINAL or REPLY");
	i->bitmask |= XT_IPVS_DIR;
	if (strcasecmp(p->args[0], "REPLY") == 0)
		i->invert |= XT_IPVS_DIR;
	p->used = 1;
	return 1;
}

const struct xt_codec xt_match_ipvs_v0 = {
	.name = "ipvs", .size = sizeof(struct xt_ipvs_mtinfo), .opts = ipvs_opts, .save = ipvs_save,
	.parse = vdir_parse, .unknown = "the IPVS connection of the packet decides",
};
