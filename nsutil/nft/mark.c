/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mark - a table that sets the kernel's trace bit of chosen packets, and is gone with its socket */
#include "nsutil/nft/mark.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/batch.h"
#include "nsutil/nft/encode.h"
#include "nsutil/nft/nlsock.h"

#define MSG_ROOM 4096
#define ONCE_SECS 86400

struct batch {
	struct buf buf;
	char room[MSG_ROOM];
	uint32_t seq;
};

static struct enc begin(struct batch *b, uint8_t type, uint8_t family, uint16_t flags)
{
	struct enc m = { .room = sizeof(b->room) };

	memset(b->room, 0, sizeof(b->room));
	m.msg = nlsock_request(b->room, type, family, (uint16_t)(NLM_F_CREATE | flags));
	m.msg->nlmsg_seq = ++b->seq;
	return m;
}

static void end(struct batch *b, const struct enc *m)
{
	buf_add(&b->buf, m->msg, m->msg->nlmsg_len);
}

static void add_table(struct batch *b, uint8_t family)
{
	struct enc m = begin(b, NFT_MSG_NEWTABLE, family, NLM_F_EXCL);

	enc_str(&m, NFTA_TABLE_NAME, NFT_MARK_TABLE);
	enc_be32(&m, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	end(b, &m);
}

static void add_chain(struct batch *b, uint8_t family, const char *name, unsigned hook, int32_t priority,
		      const char *device)
{
	struct enc m = begin(b, NFT_MSG_NEWCHAIN, family, 0);
	struct nlattr *nest;

	enc_str(&m, NFTA_CHAIN_TABLE, NFT_MARK_TABLE);
	enc_str(&m, NFTA_CHAIN_NAME, name);
	nest = enc_nest(&m, NFTA_CHAIN_HOOK);
	enc_be32(&m, NFTA_HOOK_HOOKNUM, hook);
	enc_be32(&m, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	if (device)
		enc_str(&m, NFTA_HOOK_DEV, device);
	enc_nest_end(&m, nest);
	enc_str(&m, NFTA_CHAIN_TYPE, "filter");
	end(b, &m);
}

/* ---- conditions ---- */

static void match_u8(struct enc *m, uint32_t key, uint8_t v)
{
	enc_meta(m, key);
	enc_cmp(m, OP_EQ, &v, sizeof(v));
}

static void match_u32(struct enc *m, uint32_t key, uint32_t v)
{
	enc_meta(m, key);
	enc_cmp(m, OP_EQ, &v, sizeof(v));
}

static void match_addr(struct enc *m, const struct addr *a, bool dst)
{
	bool v6 = a->family == AF_INET6;

	if (!a->family)
		return;
	enc_payload(m, NFT_PAYLOAD_NETWORK_HEADER, v6 ? (dst ? 24 : 8) : (dst ? 16 : 12), addr_len(a));
	enc_cmp(m, OP_EQ, a->b, addr_len(a));
}

static void match_port(struct enc *m, int port, unsigned offset)
{
	uint16_t be = htons((uint16_t)port);

	if (port < 0)
		return;
	enc_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(be));
	enc_cmp(m, OP_EQ, &be, sizeof(be));
}

static void match_id(struct enc *m, const struct nft_mark_filter *f)
{
	enum { FRAGMENT_ID = 4, IP_ID = 4 };
	uint32_t be = htonl(f->id);
	uint16_t be16 = htons((uint16_t)f->id);
	static const uint8_t fragment = IPPROTO_FRAGMENT;
	struct enc_expr x;

	if (f->family != NFPROTO_IPV6) {
		enc_payload(m, NFT_PAYLOAD_NETWORK_HEADER, IP_ID, sizeof(be16));
		enc_cmp(m, OP_EQ, &be16, sizeof(be16));
		return;
	}
	x = enc_expr(m, "exthdr");
	enc_be32(m, NFTA_EXTHDR_DREG, NFT_REG_1);
	enc_put(m, NFTA_EXTHDR_TYPE, &fragment, sizeof(fragment));
	enc_be32(m, NFTA_EXTHDR_OFFSET, FRAGMENT_ID);
	enc_be32(m, NFTA_EXTHDR_LEN, sizeof(be));
	enc_expr_end(m, x);
	enc_cmp(m, OP_EQ, &be, sizeof(be));
}

static void match_syn(struct enc *m)
{
	static const uint8_t mask = 0x17, syn = 0x02; /* fin, syn, rst, ack */

	enc_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1);
	enc_bitwise(m, &mask, 1);
	enc_cmp(m, OP_EQ, &syn, 1);
}

static void put_once(struct enc *m)
{
	struct enc_expr x = enc_expr(m, "limit");

	enc_be64(m, NFTA_LIMIT_RATE, 1);
	enc_be64(m, NFTA_LIMIT_UNIT, ONCE_SECS);
	enc_be32(m, NFTA_LIMIT_BURST, 1);
	enc_be32(m, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	enc_expr_end(m, x);
}

static void put_bit(struct enc *m)
{
	static const uint8_t one = 1;
	struct enc_expr x = enc_expr(m, "immediate");
	struct nlattr *data;

	enc_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	data = enc_nest(m, NFTA_IMMEDIATE_DATA);
	enc_put(m, NFTA_DATA_VALUE, &one, sizeof(one));
	enc_nest_end(m, data);
	enc_expr_end(m, x);
	x = enc_expr(m, "meta");
	enc_be32(m, NFTA_META_KEY, NFT_META_NFTRACE);
	enc_be32(m, NFTA_META_SREG, NFT_REG_1);
	enc_expr_end(m, x);
}

static void put_conditions(struct enc *m, const struct nft_mark_filter *f, bool out)
{
	/* in the families inet and netdev, an address is looked for only in packets that have such */
	uint8_t family = f->family ? f->family : f->src.family == AF_INET6 || f->dst.family == AF_INET6 ? NFPROTO_IPV6
			 : f->src.family || f->dst.family ? NFPROTO_IPV4 : 0;

	if (family) {
		uint16_t be = htons(family == NFPROTO_IPV6 ? 0x86dd : 0x0800);

		enc_meta(m, NFT_META_PROTOCOL);
		enc_cmp(m, OP_EQ, &be, sizeof(be));
	}
	if (f->l4proto >= 0)
		match_u8(m, NFT_META_L4PROTO, (uint8_t)f->l4proto);
	match_addr(m, &f->src, false);
	match_addr(m, &f->dst, true);
	match_port(m, f->sport, 0);
	match_port(m, f->dport, 2);
	if (f->icmp_type >= 0) {
		uint8_t type = (uint8_t)f->icmp_type;

		enc_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
		enc_cmp(m, OP_EQ, &type, 1);
	}
	if (f->fragments)
		match_id(m, f);
	if (f->first && f->l4proto == IPPROTO_TCP)
		match_syn(m);
	if (out && f->has_uid)
		match_u32(m, NFT_META_SKUID, f->uid);
	if (out && f->has_gid)
		match_u32(m, NFT_META_SKGID, f->gid);
	if (f->once)
		put_once(m);
}

static void add_rule(struct batch *b, uint8_t family, const char *chain, const struct nft_mark_filter *f, bool out)
{
	struct enc m = begin(b, NFT_MSG_NEWRULE, family, NLM_F_APPEND);
	struct nlattr *list;

	enc_str(&m, NFTA_RULE_TABLE, NFT_MARK_TABLE);
	enc_str(&m, NFTA_RULE_CHAIN, chain);
	list = enc_nest(&m, NFTA_RULE_EXPRESSIONS);
	if (f) {
		put_conditions(&m, f, out);
		put_bit(&m);
	}
	enc_nest_end(&m, list);
	end(b, &m);
}

static void fill(struct batch *b, const struct nft_mark_filter *f, unsigned hooks, const char *device)
{
	add_table(b, NFPROTO_INET);
	if (hooks & NFT_MARK_OUT) {
		add_chain(b, NFPROTO_INET, "output", NF_INET_LOCAL_OUT, INT_MIN, NULL);
		add_rule(b, NFPROTO_INET, "output", f, true);
	}
	if (hooks & NFT_MARK_IN) {
		add_chain(b, NFPROTO_INET, "prerouting", NF_INET_PRE_ROUTING, INT_MIN, NULL);
		add_rule(b, NFPROTO_INET, "prerouting", f, false);
	}
	if (hooks & NFT_MARK_ENDS) {
		add_chain(b, NFPROTO_INET, "input", NF_INET_LOCAL_IN, INT_MAX, NULL);
		add_rule(b, NFPROTO_INET, "input", NULL, false);
		add_chain(b, NFPROTO_INET, "postrouting", NF_INET_POST_ROUTING, INT_MAX, NULL);
		add_rule(b, NFPROTO_INET, "postrouting", NULL, false);
	}
	if (device) {
		add_table(b, NFPROTO_NETDEV);
		add_chain(b, NFPROTO_NETDEV, "ingress", NF_NETDEV_INGRESS, INT_MIN, device);
		add_rule(b, NFPROTO_NETDEV, "ingress", f, false);
	}
}

static void take_error(void *arg, uint32_t seq, int error)
{
	int *first = arg;

	(void)seq;
	if (error && !*first)
		*first = error;
}

int nft_mark_start(int fd, const struct nft_mark_filter *f, unsigned hooks, const char *device, struct err *e)
{
	_cleanup_free_ struct batch *b = calloc(1, sizeof(*b));
	int error = 0, r;

	if (!b)
		return err_oom(e);
	batch_frame(&b->buf, NFNL_MSG_BATCH_BEGIN, 0, 0);
	fill(b, f, hooks, device);
	batch_frame(&b->buf, NFNL_MSG_BATCH_END, b->seq + 1, 0);
	r = buf_failed(&b->buf) ? err_oom(e) : batch_send(fd, &b->buf, e) < 0 ? -1 : batch_answers(fd, take_error, &error, e);
	buf_free(&b->buf);
	if (r < 0)
		return -1;
	if (error == EOPNOTSUPP || error == EINVAL)
		return err_sys(e, error, "the kernel cannot have a table that vanishes with its owner (Linux 5.12) or trace packets");
	if (error == EEXIST)
		return err_sys(e, error, "another cnish traces in this namespace already (table inet %s)", NFT_MARK_TABLE);
	return error ? err_cap(e, error, "CAP_NET_ADMIN", "cannot make the table that marks packets to be traced") : 0;
}

void nft_mark_text(const struct nft_mark_filter *f, bool out, char *room, unsigned size)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	struct buf b _cleanup_buf_ = BUF_INIT;

	if (f->family)
		buf_fmt(&b, "meta protocol %s ", f->family == NFPROTO_IPV6 ? "ip6" : "ip");
	if (f->l4proto >= 0)
		buf_fmt(&b, "meta l4proto %d ", f->l4proto);
	if (f->src.family)
		buf_fmt(&b, "%s saddr %s ", f->src.family == AF_INET6 ? "ip6" : "ip", addr_fmt(&f->src, src));
	if (f->dst.family)
		buf_fmt(&b, "%s daddr %s ", f->dst.family == AF_INET6 ? "ip6" : "ip", addr_fmt(&f->dst, dst));
	if (f->sport >= 0)
		buf_fmt(&b, "th sport %d ", f->sport);
	if (f->dport >= 0)
		buf_fmt(&b, "th dport %d ", f->dport);
	if (f->icmp_type >= 0)
		buf_fmt(&b, "icmp%s type %d ", f->family == NFPROTO_IPV6 ? "v6" : "", f->icmp_type);
	if (f->first && f->l4proto == IPPROTO_TCP)
		buf_str(&b, "tcp flags & (fin | syn | rst | ack) == syn ");
	if (out && f->has_uid)
		buf_fmt(&b, "meta skuid %u ", f->uid);
	if (out && f->has_gid)
		buf_fmt(&b, "meta skgid %u ", f->gid);
	snprintf(room, size, "%smeta nftrace set 1", buf_cstr(&b));
}
