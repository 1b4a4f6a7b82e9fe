/* SPDX-License-Identifier: GPL-2.0-or-later */
/* srh - -m srh: the IPv6 segment routing header */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_srh.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* All options of one structure; the two revisions differ only in what stands behind. */
#define FLAG(s, flag) XT_SET(s, mt_flags, IP6T_SRH_##flag), XT_INV(s, mt_invflags, IP6T_SRH_INV_##flag)
#define FIELD(s, option, member, flag) { option, NULL, &xt_uint, XT_AT(s, member), FLAG(s, flag) }
#define COMMON(s)                                                                                          \
	FIELD(s, "srh-next-hdr", next_hdr, NEXTHDR), FIELD(s, "srh-hdr-len-eq", hdr_len, LEN_EQ),          \
		FIELD(s, "srh-hdr-len-gt", hdr_len, LEN_GT), FIELD(s, "srh-hdr-len-lt", hdr_len, LEN_LT),  \
		FIELD(s, "srh-segs-left-eq", segs_left, SEGS_EQ),                                          \
		FIELD(s, "srh-segs-left-gt", segs_left, SEGS_GT),                                          \
		FIELD(s, "srh-segs-left-lt", segs_left, SEGS_LT),                                          \
		FIELD(s, "srh-last-entry-eq", last_entry, LAST_EQ),                                        \
		FIELD(s, "srh-last-entry-gt", last_entry, LAST_GT),                                        \
		FIELD(s, "srh-last-entry-lt", last_entry, LAST_LT), FIELD(s, "srh-tag", tag, TAG)
#define SID(option, which, flag)                                                                           \
	{ option, NULL, &sid, XT_AT(ip6t_srh1, which##_addr), XT_AT2(ip6t_srh1, which##_msk),              \
	  FLAG(ip6t_srh1, flag) }

/* Always with its length, even a full one. */
static void sid_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	size_t before = b->len;

	xt_addr_mask.save(o, x, b);
	if (b->data && !memchr(b->data + before, '/', b->len - before))
		buf_str(b, "/128");
}

static void sid_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_addr_mask.json(o, x, j, key);
}

static int sid_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return xt_addr_mask.parse(o, p, e);
}

static const struct xt_type sid = { 1, NULL, sid_save, sid_json, sid_parse, NULL };

static const struct xt_opt v0_opts[] = { COMMON(ip6t_srh), XT_END };
static const struct xt_opt v1_opts[] = {
	COMMON(ip6t_srh1), SID("srh-psid", psid, PSID), SID("srh-nsid", nsid, NSID), SID("srh-lsid", lsid, LSID),
	XT_END,
};

#define SRH .name = "srh", .family = NFPROTO_IPV6, .unknown = "the segment routing header of the packet is not given"

const struct xt_codec xt_match_srh_v0 = { SRH, .size = sizeof(struct ip6t_srh), .opts = v0_opts };
const struct xt_codec xt_match_srh_v1 = { SRH, .rev = 1, .size = sizeof(struct ip6t_srh1), .opts = v1_opts };
