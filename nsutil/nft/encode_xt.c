/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_xt - xt extensions as iptables-nft 1.8.9 writes them: some natively, the rest as they are */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

#include "nsutil/nft/encode.h"

/* The kernel wants the size that the extension has in its x_tables form (XT_ALIGN). */
#define XT_ALIGNED(n) (((n) + 7u) & ~7u)
#define INFO_MAX 4096

static void enc_as_is(struct enc *m, const struct xt_ext *x)
{
	struct enc_expr e = enc_expr(m, x->target ? "target" : "match");
	uint8_t info[INFO_MAX] = "";

	_Static_assert(NFTA_MATCH_NAME == (int)NFTA_TARGET_NAME, "one number for both");
	_Static_assert(NFTA_MATCH_INFO == (int)NFTA_TARGET_INFO, "one number for both");
	enc_str(m, NFTA_MATCH_NAME, x->name);
	enc_be32(m, NFTA_MATCH_REV, x->rev);
	if (XT_ALIGNED(x->size) > sizeof(info)) {
		m->why = "an extension that is too large";
	} else {
		if (x->size)
			memcpy(info, x->data, x->size);
		enc_put(m, NFTA_MATCH_INFO, info, XT_ALIGNED(x->size));
	}
	enc_expr_end(m, e);
}

static void enc_mark(struct enc *m, const struct xt_ext *x)
{
	struct xt_mark_mtinfo1 info;

	memcpy(&info, x->data, sizeof(info));
	enc_meta(m, NFT_META_MARK);
	if (info.mask != UINT32_MAX)
		enc_bitwise(m, &info.mask, sizeof(info.mask));
	enc_cmp(m, info.invert ? OP_NE : OP_EQ, &info.mark, sizeof(info.mark));
}

/* Ports lie in the register as they do in the packet. */
static void enc_ports(struct enc *m, unsigned offset, const uint16_t ports[2], bool invert)
{
	uint16_t from = htons(ports[0]), to = htons(ports[1]);

	if (ports[0] == 0 && ports[1] == UINT16_MAX && !invert)
		return;
	enc_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(uint16_t));
	if (from == to)
		enc_cmp(m, invert ? OP_NE : OP_EQ, &from, sizeof(from));
	else if (ports[0] == 0)
		enc_cmp(m, invert ? OP_GT : OP_LE, &to, sizeof(to));
	else
		enc_range(m, invert, &from, &to, sizeof(from));
}

static bool any_port(const uint16_t ports[2])
{
	return ports[0] == 0 && ports[1] == UINT16_MAX;
}

static bool enc_tcp(struct enc *m, const struct xt_ext *x)
{
	struct xt_tcp t;

	memcpy(&t, x->data, sizeof(t));
	/* what would leave nothing to see of "-m tcp", and inverted everything, stays an extension */
	if (t.option || (t.invflags & XT_TCP_INV_OPTION) ||
	    (any_port(t.spts) && any_port(t.dpts) && !t.flg_mask) ||
	    (any_port(t.spts) && t.invflags & XT_TCP_INV_SRCPT) ||
	    (any_port(t.dpts) && t.invflags & XT_TCP_INV_DSTPT) ||
	    (!t.flg_mask && t.invflags & XT_TCP_INV_FLAGS))
		return false;
	if (t.flg_mask) {
		enc_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1);
		enc_bitwise(m, &t.flg_mask, 1);
		enc_cmp(m, t.invflags & XT_TCP_INV_FLAGS ? OP_NE : OP_EQ, &t.flg_cmp, 1);
	}
	enc_ports(m, 0, t.spts, t.invflags & XT_TCP_INV_SRCPT);
	enc_ports(m, 2, t.dpts, t.invflags & XT_TCP_INV_DSTPT);
	return true;
}

static bool enc_udp(struct enc *m, const struct xt_ext *x)
{
	struct xt_udp u;

	memcpy(&u, x->data, sizeof(u));
	if ((any_port(u.spts) && any_port(u.dpts)) ||
	    (any_port(u.spts) && u.invflags & XT_UDP_INV_SRCPT) ||
	    (any_port(u.dpts) && u.invflags & XT_UDP_INV_DSTPT))
		return false;
	enc_ports(m, 0, u.spts, u.invflags & XT_UDP_INV_SRCPT);
	enc_ports(m, 2, u.dpts, u.invflags & XT_UDP_INV_DSTPT);
	return true;
}

void enc_xt(struct enc *m, const struct xt_ext *x)
{
	bool match = !x->target;

	if (match && strcmp(x->name, "mark") == 0 && x->rev == 1 && x->size >= sizeof(struct xt_mark_mtinfo1))
		enc_mark(m, x);
	else if (match && strcmp(x->name, "tcp") == 0 && x->size >= sizeof(struct xt_tcp) && enc_tcp(m, x))
		return;
	else if (match && strcmp(x->name, "udp") == 0 && x->size >= sizeof(struct xt_udp) && enc_udp(m, x))
		return;
	else
		enc_as_is(m, x);
}
