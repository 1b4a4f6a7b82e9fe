/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack - -m conntrack, -m state: what connection tracking knows of the packet */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_state.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#define STATE_BIT(i) XT_CONNTRACK_STATE_BIT(i)

/* IP_CT_NUMBER is 5 for user space; the bits are those of xt_conntrack.h. */
static const struct xt_word states[] = {
	{ "INVALID", XT_CONNTRACK_STATE_INVALID }, { "NEW", STATE_BIT(IP_CT_NEW) },
	{ "RELATED", STATE_BIT(IP_CT_RELATED) },   { "ESTABLISHED", STATE_BIT(IP_CT_ESTABLISHED) },
	{ "UNTRACKED", XT_CONNTRACK_STATE_UNTRACKED }, { "SNAT", XT_CONNTRACK_STATE_SNAT },
	{ "DNAT", XT_CONNTRACK_STATE_DNAT },	   { NULL, 0 },
};

static const struct xt_word statuses[] = {
	{ "EXPECTED", IPS_EXPECTED }, { "SEEN_REPLY", IPS_SEEN_REPLY }, { "ASSURED", IPS_ASSURED },
	{ "CONFIRMED", IPS_CONFIRMED }, { NULL, 0 },
};

static void status_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	if (xt_load(x->data, o->off, o->size) == 0)
		buf_str(b, " NONE");
	else
		xt_bits.save(o, x, b);
}

static void status_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_bits.json(o, x, j, key);
}

static int status_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return strcasecmp(p->args[0], "NONE") == 0 ? 0 : xt_bits.parse(o, p, e);
}

static int proto_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	int proto = xt_proto_number(p->args[0]);

	if (proto < 0)
		return xt_bad(p, e, "'%s' is not a protocol", p->args[0]);
	xt_store(p->data, o->off, o->size, (uint64_t)proto);
	return 0;
}

static void number_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_uint.save(o, x, b);
}

static void number_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_uint.json(o, x, j, key);
}

static const struct xt_type ct_status = { 1, NULL, status_save, status_json, status_parse, NULL };
static const struct xt_type ct_proto = { 1, NULL, number_save, number_json, proto_parse, NULL };

/* The direction is the inversion bit itself: --ctdir REPLY is "not original". */
static bool is_reply(const struct xt_ext *x)
{
	return xt_data(xt_conntrack_mtinfo1, x)->invert_flags & XT_CONNTRACK_DIRECTION;
}

static void dir_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	(void)o;
	buf_str(b, is_reply(x) ? " REPLY" : " ORIGINAL");
}

static void dir_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	(void)o;
	json_str(j, key, is_reply(x) ? "REPLY" : "ORIGINAL");
}

static int dir_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct xt_conntrack_mtinfo1 *c = (struct xt_conntrack_mtinfo1 *)p->data;

	(void)o;
	if (strcasecmp(p->args[0], "REPLY") == 0)
		c->invert_flags |= XT_CONNTRACK_DIRECTION;
	else if (strcasecmp(p->args[0], "ORIGINAL") != 0)
		return xt_bad(p, e, "'%s' is neither ORIGINAL nor REPLY", p->args[0]);
	return 0;
}

static const struct xt_type ct_dir = { 1, NULL, dir_save, dir_json, dir_parse, NULL };

/* A range that ends with port 0 is printed as its first port. */
static void ports_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	uint64_t from = xt_load(x->data, o->off, 2), to = xt_load(x->data, o->off2, 2);

	buf_fmt(b, to && to != from ? " %u:%u" : " %u", (unsigned)from, (unsigned)to);
}

static void ports_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_span_colon.json(o, x, j, key);
}

static int ports_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return xt_span_colon.parse(o, p, e);
}

static const struct xt_type ct_ports = { 1, NULL, ports_save, ports_json, ports_parse, NULL };

/* Up to the flags the revisions are alike; state and status then are 8 or 16 bits, ports get an end. */
#define BIT(f)	XT_SET(xt_conntrack_mtinfo1, match_flags, f), XT_INV(xt_conntrack_mtinfo1, invert_flags, f)
#define SAME(m) XT_AT(xt_conntrack_mtinfo1, m)
#define ADDR(name, m, f)                                                                                   \
	{ name, NULL, &xt_addr_mask, SAME(m##_addr), .off2 = offsetof(struct xt_conntrack_mtinfo1, m##_mask), BIT(f) }
#define HEAD(s)                                                                                            \
	{ "ctstate", NULL, &xt_bits, XT_AT(s, state_mask), BIT(XT_CONNTRACK_STATE), .list = states },      \
		{ "ctproto", NULL, &ct_proto, SAME(l4proto), BIT(XT_CONNTRACK_PROTO) },                    \
		ADDR("ctorigsrc", origsrc, XT_CONNTRACK_ORIGSRC),                                          \
		ADDR("ctorigdst", origdst, XT_CONNTRACK_ORIGDST),                                          \
		ADDR("ctreplsrc", replsrc, XT_CONNTRACK_REPLSRC),                                          \
		ADDR("ctrepldst", repldst, XT_CONNTRACK_REPLDST)
#define TAIL(s)                                                                                            \
	{ "ctstatus", NULL, &ct_status, XT_AT(s, status_mask), BIT(XT_CONNTRACK_STATUS), .list = statuses }, \
		{ "ctexpire", NULL, &xt_span_colon, SAME(expires_min),                                     \
		  .off2 = offsetof(struct xt_conntrack_mtinfo1, expires_max), BIT(XT_CONNTRACK_EXPIRES) }, \
		{ "ctdir", NULL, &ct_dir, XT_SET(xt_conntrack_mtinfo1, match_flags, XT_CONNTRACK_DIRECTION) }, \
		XT_END
#define PORT1(name, m, f) { name, NULL, &xt_be16, SAME(m), BIT(f) }
#define PORT3(name, m, f)                                                                                  \
	{ name, NULL, &ct_ports, XT_AT(xt_conntrack_mtinfo3, m),                                      \
	  .off2 = offsetof(struct xt_conntrack_mtinfo3, m##_high), BIT(f) }
#define PORTS(P)                                                                                           \
	P("ctorigsrcport", origsrc_port, XT_CONNTRACK_ORIGSRC_PORT),                                       \
		P("ctorigdstport", origdst_port, XT_CONNTRACK_ORIGDST_PORT),                               \
		P("ctreplsrcport", replsrc_port, XT_CONNTRACK_REPLSRC_PORT),                               \
		P("ctrepldstport", repldst_port, XT_CONNTRACK_REPLDST_PORT)

static const struct xt_opt opts1[] = { HEAD(xt_conntrack_mtinfo1), PORTS(PORT1), TAIL(xt_conntrack_mtinfo1) };
static const struct xt_opt opts2[] = { HEAD(xt_conntrack_mtinfo2), PORTS(PORT1), TAIL(xt_conntrack_mtinfo2) };
static const struct xt_opt opts3[] = { HEAD(xt_conntrack_mtinfo3), PORTS(PORT3), TAIL(xt_conntrack_mtinfo3) };

static bool is_state(const struct xt_ext *x)
{
	return xt_data(xt_conntrack_mtinfo1, x)->match_flags & XT_CONNTRACK_STATE_ALIAS;
}

static const char *conntrack_spell(const struct xt_ext *x)
{
	return is_state(x) ? "state" : NULL;
}

static void conntrack_save(const struct xt_ext *x, struct buf *b)
{
	struct xt_opt state = *x->codec->opts;

	if (is_state(x)) {
		state.name = "state";
		xt_opt_save(&state, x, b);
		return;
	}
	for (const struct xt_opt *o = x->codec->opts; o->name; o++)
		xt_opt_save(o, x, b);
}

/* meaning */

static uint64_t nft_state(uint32_t mask)
{
	return mask & (XT_CONNTRACK_STATE_INVALID | 2 | 4 | 8); /* the same bits there */
}

/* A packet of no connection has no status, so it is not translated: nft's own negation is false of it */
static void not_status(struct xt_low *l, uint64_t status)
{
	struct xt_low in = { .a = l->a, .family = l->family };

	in.tail = &in.head;
	low_bits(&in, false, expr_ct(l->a, NFT_CT_STATUS, -1), status);
	low_not(l, &in);
}

static void lower_state(struct xt_low *l, bool invert, uint32_t mask)
{
	uint64_t state = nft_state(mask), status = 0;
	struct xt_low a = { .a = l->a, .family = l->family }, b = a;

	if (mask & XT_CONNTRACK_STATE_UNTRACKED)
		state |= 1 << 6; /* NF_CT_STATE_UNTRACKED_BIT */
	if (mask & XT_CONNTRACK_STATE_SNAT)
		status |= IPS_SRC_NAT;
	if (mask & XT_CONNTRACK_STATE_DNAT)
		status |= IPS_DST_NAT;
	if (state && status && !invert) {
		a.tail = &a.head;
		b.tail = &b.head;
		low_bits(&a, false, expr_ct(l->a, NFT_CT_STATE, -1), state);
		low_bits(&b, false, expr_ct(l->a, NFT_CT_STATUS, -1), status);
		low_either(l, &a, &b);
		return;
	}
	if (state || !status)
		low_bits(l, invert, expr_ct(l->a, NFT_CT_STATE, -1), state);
	if (status && !invert)
		low_bits(l, false, expr_ct(l->a, NFT_CT_STATUS, -1), status);
	if (status && invert)
		not_status(l, status);
}

static void lower_status(struct xt_low *l, bool invert, uint32_t mask)
{
	if (mask)
		low_bits(l, invert, expr_ct(l->a, NFT_CT_STATUS, -1), mask);
	else /* NONE: no bit of none is set, so it never matches (xt_conntrack.c, conntrack_mt()) */
		low_bits(l, invert, expr_ct(l->a, NFT_CT_STATUS, -1), 0);
}

static void lower_addr(struct xt_low *l, const struct xt_conntrack_mtinfo1 *c, uint16_t flag, bool dst,
		       int dir, const union nf_inet_addr *addr, const union nf_inet_addr *mask)
{
	bool v6 = l->family == NFPROTO_IPV6;
	uint32_t key = dst ? (v6 ? NFT_CT_DST_IP6 : NFT_CT_DST_IP) : (v6 ? NFT_CT_SRC_IP6 : NFT_CT_SRC_IP);

	union nf_inet_addr net = *addr;

	/* conntrack_addrcmp() compares under the mask; the tools keep the bits that are not of the network */
	xt_mask_addr((uint8_t *)&net, (const uint8_t *)mask);
	if (c->match_flags & flag)
		low_addr(l, c->invert_flags & flag, expr_ct(l->a, key, dir), &net, mask);
}

static void lower_addrs(struct xt_low *l, const struct xt_conntrack_mtinfo1 *c)
{
	lower_addr(l, c, XT_CONNTRACK_ORIGSRC, false, IP_CT_DIR_ORIGINAL, &c->origsrc_addr, &c->origsrc_mask);
	lower_addr(l, c, XT_CONNTRACK_ORIGDST, true, IP_CT_DIR_ORIGINAL, &c->origdst_addr, &c->origdst_mask);
	lower_addr(l, c, XT_CONNTRACK_REPLSRC, false, IP_CT_DIR_REPLY, &c->replsrc_addr, &c->replsrc_mask);
	lower_addr(l, c, XT_CONNTRACK_REPLDST, true, IP_CT_DIR_REPLY, &c->repldst_addr, &c->repldst_mask);
}

/* All ports still ask for a connection, so the full range is said */
static void lower_port(struct xt_low *l, bool invert, struct expr *left, uint16_t from, uint16_t to)
{
	struct expr *right = expr_be16(l->a, DT_SERVICE, from);

	if (from != to)
		right = expr_range(l->a, right, expr_be16(l->a, DT_SERVICE, to));
	low_match(l, invert, left, right);
}

/* Ports are in network order in revisions 1 and 2, in host order with an end in 3. */
static void lower_ports(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_conntrack_mtinfo3 *c = xt_data(xt_conntrack_mtinfo3, x);
	const uint16_t from[] = { c->origsrc_port, c->origdst_port, c->replsrc_port, c->repldst_port };

	for (unsigned i = 0; i < 4; i++) {
		uint16_t flag = (uint16_t)(XT_CONNTRACK_ORIGSRC_PORT << i), low = from[i], high = low;
		uint32_t key = i & 1 ? NFT_CT_PROTO_DST : NFT_CT_PROTO_SRC;
		int dir = i < 2 ? IP_CT_DIR_ORIGINAL : IP_CT_DIR_REPLY;

		if (!(c->match_flags & flag))
			continue;
		if (x->rev >= 3)
			high = (&c->origsrc_port_high)[i];
		else
			low = high = (uint16_t)(low << 8 | low >> 8);
		lower_port(l, c->invert_flags & flag, expr_ct(l->a, key, dir), low, high);
	}
}

/* Seconds here, milliseconds there. As iptables-translate has it: a fraction of a second is passed over. */
static void lower_expires(struct xt_low *l, bool invert, uint32_t from, uint32_t to)
{
	if (to > UINT32_MAX / 1000)
		l->why = "how long the connection's entry has left is not known";
	else
		low_u32(l, invert, expr_ct(l->a, NFT_CT_EXPIRATION, -1), DT_TIME, from * 1000, to * 1000);
}

static void conntrack_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_conntrack_mtinfo1 *c = xt_data(xt_conntrack_mtinfo1, x);
	const struct xt_conntrack_mtinfo2 *c2 = xt_data(xt_conntrack_mtinfo2, x);
	uint32_t state = x->rev == 1 ? c->state_mask : c2->state_mask;
	uint32_t status = x->rev == 1 ? c->status_mask : c2->status_mask;
	uint16_t given = c->match_flags, invert = c->invert_flags;

	if (given & XT_CONNTRACK_STATE)
		lower_state(l, invert & XT_CONNTRACK_STATE, state);
	if (given & XT_CONNTRACK_DIRECTION)
		low_match(l, false, expr_ct(l->a, NFT_CT_DIRECTION, -1),
			  expr_bytes(l->a, DT_CT_DIR, ORDER_HOST,
				     &(uint8_t){ invert & XT_CONNTRACK_DIRECTION ? 1 : 0 }, 8));
	if (given & XT_CONNTRACK_PROTO)
		low_match(l, invert & XT_CONNTRACK_PROTO, expr_ct(l->a, NFT_CT_PROTOCOL, IP_CT_DIR_ORIGINAL),
			  expr_u8(l->a, DT_INET_PROTO, (uint8_t)c->l4proto));
	lower_addrs(l, c);
	lower_ports(l, x);
	if (given & XT_CONNTRACK_STATUS)
		lower_status(l, invert & XT_CONNTRACK_STATUS, status);
	if (given & XT_CONNTRACK_EXPIRES)
		lower_expires(l, invert & XT_CONNTRACK_EXPIRES, c->expires_min, c->expires_max);
}

#define CONNTRACK                                                                                          \
	.name = "conntrack", .spell = conntrack_spell, .spelling = "conntrack", .save = conntrack_save,    \
	.lower = conntrack_lower

const struct xt_codec xt_match_conntrack_v1 = {
	CONNTRACK, .rev = 1, .size = sizeof(struct xt_conntrack_mtinfo1), .opts = opts1,
};
const struct xt_codec xt_match_conntrack_v2 = {
	CONNTRACK, .rev = 2, .size = sizeof(struct xt_conntrack_mtinfo2), .opts = opts2,
};
const struct xt_codec xt_match_conntrack_v3 = {
	CONNTRACK, .rev = 3, .size = sizeof(struct xt_conntrack_mtinfo3), .opts = opts3,
};

/* "-m state" is read into the newest conntrack revision, with a bit that remembers the spelling. */
static void state_init(uint8_t *data, uint8_t family)
{
	(void)family;
	((struct xt_conntrack_mtinfo3 *)data)->match_flags = XT_CONNTRACK_STATE_ALIAS;
}

static const struct xt_opt state_opts[] = {
	{ "state", NULL, &xt_bits, XT_AT(xt_conntrack_mtinfo3, state_mask), BIT(XT_CONNTRACK_STATE), .list = states },
	XT_END,
};

const struct xt_codec xt_match_state_v3 = {
	.name = "conntrack", .spelling = "state", .rev = 3, .size = sizeof(struct xt_conntrack_mtinfo3),
	.opts = state_opts, .init = state_init,
};

/* The old match of its own, which the kernel still has (xt_state.h: one mask). */
struct state_info {
	uint32_t statemask;
};

/* "!" turns all 32 bits round, of which the tool names five. */
static const struct xt_word old_states[] = {
	{ "INVALID", XT_CONNTRACK_STATE_INVALID }, { "NEW", STATE_BIT(IP_CT_NEW) },
	{ "RELATED", STATE_BIT(IP_CT_RELATED) },   { "ESTABLISHED", STATE_BIT(IP_CT_ESTABLISHED) },
	{ "UNTRACKED", XT_CONNTRACK_STATE_UNTRACKED }, { NULL, 0 },
};

static const struct xt_opt state0_opts[] = {
	{ "state", NULL, &xt_bits, XT_AT(state_info, statemask), .list = old_states, .always = true },
	XT_END,
};

static void state0_lower(struct xt_low *l, const struct xt_ext *x)
{
	uint32_t mask = xt_data(state_info, x)->statemask;

	/* the kernel's bit for untracked is not the one that the tool sets (xt_state.h) */
	lower_state(l, false, nft_state(mask) | (mask & XT_STATE_UNTRACKED ? XT_CONNTRACK_STATE_UNTRACKED : 0));
}

const struct xt_codec xt_match_state_v0 = {
	.name = "state", .size = sizeof(struct state_info), .opts = state0_opts, .lower = state0_lower,
};
