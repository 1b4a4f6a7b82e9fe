/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner - -m owner: the socket's user and group */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_owner.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Names are not looked up: the container's /etc/passwd is not ours. */
static int id_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	if (p->args[0][0] < '0' || p->args[0][0] > '9') {
		xt_bad(p, e, "'%s' is not a number", p->args[0]);
		return err_hint(e, "give the user or group as a number: names differ between containers");
	}
	return xt_range.parse(o, p, e);
}

static void id_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_range.save(o, x, b);
}

static void id_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_range.json(o, x, j, key);
}

static const struct xt_type id_range = { 1, NULL, id_save, id_json, id_parse, NULL };

static const struct xt_opt owner_opts[] = {
	{ "socket-exists", NULL, &xt_flag, XT_SET(xt_owner_match_info, match, XT_OWNER_SOCKET),
	  XT_INV(xt_owner_match_info, invert, XT_OWNER_SOCKET) },
	{ "uid-owner", NULL, &id_range, XT_AT(xt_owner_match_info, uid_min),
	  XT_AT2(xt_owner_match_info, uid_max), XT_SET(xt_owner_match_info, match, XT_OWNER_UID),
	  XT_INV(xt_owner_match_info, invert, XT_OWNER_UID), .max = UINT32_MAX - 1 },
	{ "gid-owner", NULL, &id_range, XT_AT(xt_owner_match_info, gid_min),
	  XT_AT2(xt_owner_match_info, gid_max), XT_SET(xt_owner_match_info, match, XT_OWNER_GID),
	  XT_INV(xt_owner_match_info, invert, XT_OWNER_GID), .max = UINT32_MAX - 1 },
	{ "suppl-groups", NULL, &xt_flag, XT_SET(xt_owner_match_info, match, XT_OWNER_SUPPL_GROUPS) },
	XT_END,
};

/*
 * Native "meta skuid" does not match at all when a packet has no socket. "Any user" therefore says
 * that there is one. (An inverted xt condition does match such packets, xt_owner.c, owner_mt();
 * iptables-translate passes over that, and so does this.)
 */
static void owner_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_owner_match_info *o = xt_data(xt_owner_match_info, x);
	struct xt_low in = { .a = l->a, .family = l->family };

	if (o->match & XT_OWNER_SOCKET) {
		in.tail = &in.head;
		low_u32(o->invert & XT_OWNER_SOCKET ? &in : l, false, expr_meta(l->a, NFT_META_SKUID), DT_UID, 0,
			UINT32_MAX);
		if (o->invert & XT_OWNER_SOCKET)
			low_not(l, &in);
	}
	if (o->match & XT_OWNER_UID)
		low_u32(l, o->invert & XT_OWNER_UID, expr_meta(l->a, NFT_META_SKUID), DT_UID, o->uid_min,
			o->uid_max);
	if (!(o->match & XT_OWNER_GID))
		return;
	if (o->match & XT_OWNER_SUPPL_GROUPS)
		l->why = "the supplementary groups of the sending process decide";
	low_u32(l, o->invert & XT_OWNER_GID, expr_meta(l->a, NFT_META_SKGID), DT_GID, o->gid_min, o->gid_max);
}

const struct xt_codec xt_match_owner_v1 = {
	.name = "owner", .rev = 1, .size = sizeof(struct xt_owner_match_info), .opts = owner_opts,
	.lower = owner_lower,
};
