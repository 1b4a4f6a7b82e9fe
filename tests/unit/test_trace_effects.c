/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_effects - xt matches that are computed of the packet, rules that change headers, each kind of NAT */
#include "tests/unit/trace_build.h"

#include <linux/filter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_recent.h>
#include <linux/netfilter/xt_u32.h>
#include <linux/netfilter_ipv6/ip6t_ipv6header.h>
#include <linux/netfilter_ipv6/ip6t_mh.h>
#include <linux/netfilter_ipv6/ip6t_opts.h>
#include <linux/netfilter_ipv6/ip6t_rt.h>

#include "nsutil/trace/connection.h"
#include "nsutil/trace/frame.h"

/* <linux/netfilter/xt_physdev.h> does not go with <net/if.h> */
struct physdev {
	char names_and_masks[64];
	uint8_t invert, bitmask;
};
#define XT_PHYSDEV_OP_IN 1

static struct trace_request rq;
static struct table *cond_table; /* of the chain with the condition, behind what the test has made */

static void say(const char *words)
{
	struct err e = ERR_INIT;
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", words);
	if (connection_parse(A, 1, (char *[]){ copy }, &rq, &e) < 0)
		fail_msg("%s: %s", words, e.why);
}

/* Does the packet of "words" meet a condition at a hook? The packet is dropped if so; both, if that is not known. */
static enum tri at(unsigned hook, int prio, const char *words, struct stmt *cond)
{
	static unsigned n;
	char name[16];
	struct chain *c;

	snprintf(name, sizeof(name), "c%u", n++);
	cond_table = table(STORE_NATIVE, NFPROTO_INET, name);
	c = base(cond_table, "look", "filter", hook, prio);
	say(words);
	RULE(c, cond, DROP);
	run(&rq);
	c->rules = NULL;
	c->n_rules = 0;
	return res->n_outcomes > 1 ? TRI_UNKNOWN : res->outcomes[0].verdict == TRACE_DROP ? TRI_TRUE : TRI_FALSE;
}

#define AT(hook, prio, words, cond, how) assert_int_equal(at(hook, prio, words, cond), TRI_##how)
#define IS(words, cond, how) AT(NF_INET_PRE_ROUTING, -50, words, cond, how)
#define V6 "in udp [fd00:1::1]:9 to [fd00:1::39]:5353 "
#define V4 "in udp 10.0.1.1:9 to 10.0.1.39:5353 "
#define TCP "in tcp 10.0.1.1:4000 to 10.0.1.39:8080 "

static struct stmt *xt(const char *name, bool target, struct stmt *meaning, const void *data, size_t size)
{
	struct xt_ext *x = arena_alloc(A, sizeof(*x));
	struct stmt *s = stmt_new(A, STMT_XT);

	x->name = name;
	x->target = target;
	x->meaning = meaning;
	x->why_unknown = meaning ? NULL : "not computed";
	x->size = (uint32_t)size;
	x->data = size ? arena_dup(A, data, size) : NULL;
	s->xt = x;
	return s;
}

#define MATCH(name, type, ...) xt(name, false, NULL, &(struct type){ __VA_ARGS__ }, sizeof(struct type))

static struct expr *opt(uint8_t op, uint8_t type, unsigned offset, unsigned bits)
{
	struct expr *x = expr_new(A, EXPR_EXTHDR, DT_INTEGER, ORDER_NET, bits ? bits : 8);

	x->exthdr.op = op;
	x->exthdr.type = type;
	x->exthdr.offset = (uint16_t)offset;
	x->exthdr.present = bits == 0;
	return x;
}

#define THERE(op, type, is) EQ(opt(NFT_EXTHDR_OP_##op, type, 0, 0), expr_u8(A, DT_BOOLEAN, is))
#define BYTE(op, type, at, v) EQ(opt(NFT_EXTHDR_OP_##op, type, 8 * (at), 8), expr_u8(A, DT_INTEGER, v))
#define MSS(v) EQ(opt(NFT_EXTHDR_OP_TCPOPT, 2, 16, 16), expr_be16(A, DT_INTEGER, v))

/* ---- xt matches ---- */

static void which_headers(void **state)
{
	const char *hbh = V6 "exthdr hbh:010400000000";
#define HEADERS(m, i, s) MATCH("ipv6header", ip6t_ipv6header_info, (m), (i), (s))

	(void)state;
	IS(hbh, HEADERS(MASK_HOPOPTS | MASK_PROTO, 0, 0), TRUE);
	IS(hbh, HEADERS(MASK_HOPOPTS, 0, 0), FALSE);
	IS(hbh, HEADERS(MASK_HOPOPTS | MASK_PROTO, 0xff, 0), FALSE);
	IS(hbh, HEADERS(MASK_DSTOPTS, 0xff, 0), TRUE);
	IS(hbh, HEADERS(MASK_HOPOPTS, 0, 1), TRUE);
	IS(hbh, HEADERS(MASK_HOPOPTS, 0xff, 1), FALSE);
	IS(hbh, HEADERS(MASK_DSTOPTS, 0xff, 1), TRUE);
	IS("in tcp 10.0.1.1:9 to 10.0.1.39:80", HEADERS(MASK_PROTO, 0, 0), UNKNOWN); /* no match of IPv4's */
}

static void lists_of_options(void **state)
{
	const char *hbh = V6 "exthdr hbh:050200000100";
#define OPTIONS(...) MATCH("hbh", ip6t_opts, .flags = IP6T_OPTS_OPTS, .opts = { __VA_ARGS__ }, .optsnr = sizeof((int[]){ __VA_ARGS__ }) / sizeof(int))

	(void)state;
	IS(hbh, OPTIONS(5 << 8 | 2, 1 << 8 | 0), TRUE);
	IS(hbh, OPTIONS(5 << 8 | 0xff, 1 << 8 | 0xff), TRUE);
	IS(hbh, OPTIONS(5 << 8 | 3), FALSE);
	IS(hbh, OPTIONS(6 << 8 | 2), FALSE);
	IS(hbh, OPTIONS(5 << 8 | 2, 2 << 8 | 0), FALSE);
	IS(hbh, OPTIONS(5 << 8 | 2, 1 << 8 | 0, 1 << 8 | 0), FALSE); /* there is no third */
	IS(V6 "exthdr hbh", OPTIONS(5 << 8 | 2), UNKNOWN);
	IS(V6, OPTIONS(5 << 8 | 2), FALSE);
	IS(hbh, MATCH("hbh", ip6t_opts, .hdrlen = 8, .flags = IP6T_OPTS_LEN), TRUE);
	IS(hbh, MATCH("hbh", ip6t_opts, .hdrlen = 8, .flags = IP6T_OPTS_LEN, .invflags = IP6T_OPTS_INV_LEN), FALSE);
	IS(hbh, MATCH("hbh", ip6t_opts, .hdrlen = 16, .flags = IP6T_OPTS_LEN, .invflags = IP6T_OPTS_INV_LEN), TRUE);
	IS(V6 "exthdr hbh", MATCH("hbh", ip6t_opts, .hdrlen = 8, .flags = IP6T_OPTS_LEN), UNKNOWN);
}

static struct in6_addr in6(const char *text)
{
	struct addr a = ADDR(text);
	struct in6_addr r;

	memcpy(&r, a.b, 16);
	return r;
}

static void routing_header(void **state)
{
	const char *two = V6 "exthdr rt:000000000000fd000000000000000000000000000001fd000000000000000000000000000002";
#define ROUTE(f, ...) MATCH("rt", ip6t_rt, .segsleft = { 0, 255 }, .flags = (f), __VA_ARGS__)
#define SEGMENTS(from, to, inv) MATCH("rt", ip6t_rt, .segsleft = { from, to }, .flags = IP6T_RT_SGS, .invflags = inv)

	(void)state;
	IS(two, ROUTE(IP6T_RT_FST, .addrs = { in6("fd00::1"), in6("fd00::2") }, .addrnr = 2), TRUE);
	IS(two, ROUTE(IP6T_RT_FST, .addrs = { in6("fd00::2"), in6("fd00::1") }, .addrnr = 2), FALSE);
	IS(two, ROUTE(IP6T_RT_FST, .addrs = { in6("fd00::1") }, .addrnr = 1), FALSE);
	IS(two, ROUTE(IP6T_RT_FST | IP6T_RT_FST_NSTRICT, .addrs = { in6("fd00::2") }, .addrnr = 1), TRUE);
	IS(two, ROUTE(IP6T_RT_FST | IP6T_RT_FST_NSTRICT, .addrs = { in6("fd00::3") }, .addrnr = 1), FALSE);
	IS(two, ROUTE(IP6T_RT_TYP, .rt_type = 0), TRUE);
	IS(two, ROUTE(IP6T_RT_TYP, .rt_type = 0, .invflags = IP6T_RT_INV_TYP), FALSE);
	IS(two, ROUTE(IP6T_RT_RES, .rt_type = 0), TRUE);
	IS(V6 "exthdr rt:000000000001", ROUTE(IP6T_RT_RES, .rt_type = 0), FALSE);
	IS(two, SEGMENTS(0, 0, 0), TRUE);
	IS(two, SEGMENTS(0, 0, IP6T_RT_INV_SGS), FALSE);
	IS(two, SEGMENTS(1, 255, 0), FALSE);
	IS(two, SEGMENTS(1, 255, IP6T_RT_INV_SGS), TRUE);
	IS(V6 "exthdr rt", SEGMENTS(0, 0, 0), UNKNOWN);
}

static void mobility(void **state)
{
	const char *mh = "in mh fd00:1::1 to fd00:1::39 type 5";

	(void)state;
	IS(mh, MATCH("mh", ip6t_mh, .types = { 4, 6 }), TRUE);
	IS(mh, MATCH("mh", ip6t_mh, .types = { 4, 6 }, .invflags = IP6T_MH_INV_TYPE), FALSE);
	IS(mh, MATCH("mh", ip6t_mh, .types = { 6, 8 }), FALSE);
	IS(V6, MATCH("mh", ip6t_mh, .types = { 0, 255 }), FALSE);
	IS("in mh fd00:1::1 to fd00:1::39", MATCH("mh", ip6t_mh, .types = { 4, 6 }), UNKNOWN);
}

static struct stmt *bpf(const struct sock_filter *f, unsigned n)
{
	struct { uint16_t n; struct sock_filter f[64]; void *filter; } info = { .n = (uint16_t)n };

	memcpy(info.f, f, n * sizeof(*f));
	return xt("bpf", false, NULL, &info, sizeof(info));
}

#define BPF(...) bpf((struct sock_filter[]){ __VA_ARGS__ }, sizeof((struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter))

static void words(void **state)
{
	(void)state;
	/* 0>>22&0x3C@0&0xFFFF=5353: behind a header of any length, the destination port */
	struct xt_u32 u = { .ntests = 1, .tests[0] = { .nnums = 5, .nvalues = 1, .value = { { 5353, 5353 } },
		.location = { { 0, 0 }, { 22, XT_U32_RIGHTSH }, { 0x3c, XT_U32_AND }, { 0, XT_U32_AT }, { 0xffff, XT_U32_AND } } } };

	IS(V4, xt("u32", false, NULL, &u, sizeof(u)), TRUE);
	IS(V4 "ipopt ra=0", xt("u32", false, NULL, &u, sizeof(u)), TRUE);
	IS(V4 "ipopt rr", xt("u32", false, NULL, &u, sizeof(u)), UNKNOWN);
	IS(V4 "frag later", xt("u32", false, NULL, &u, sizeof(u)), UNKNOWN);
	/* the protocol is more than 17; the same port by the length of the header */
	IS(V4, BPF({ 0x30, 0, 0, 9 }, { 0x25, 0, 1, 17 }, { 6, 0, 0, 1 }, { 6, 0, 0, 0 }), FALSE);
	IS(V4, BPF({ 0x30, 0, 0, 9 }, { 0x25, 0, 1, 16 }, { 6, 0, 0, 1 }, { 6, 0, 0, 0 }), TRUE);
	IS(V4, BPF({ 0xb1, 0, 0, 0 }, { 0x48, 0, 0, 2 }, { 0x15, 0, 1, 5353 }, { 6, 0, 0, 1 }, { 6, 0, 0, 0 }), TRUE);
	IS(V4, BPF({ 0x30, 0, 0, 8 }, { 0x15, 0, 1, 0 }, { 6, 0, 0, 1 }, { 6, 0, 0, 0 }), UNKNOWN); /* the time to live is not given */
	/* 8<<8>>24=17: the protocol, the second byte of four */
	u = (struct xt_u32){ .ntests = 1, .tests[0] = { .nnums = 3, .nvalues = 1, .value = { { 17, 17 } },
		.location = { { 8, 0 }, { 8, XT_U32_LEFTSH }, { 24, XT_U32_RIGHTSH } } } };
	IS(V4, xt("u32", false, NULL, &u, sizeof(u)), TRUE);
	IS(V4, MATCH("recent", xt_recent_mtinfo, .check_set = XT_RECENT_SET), TRUE);
	IS(V4, MATCH("recent", xt_recent_mtinfo, .check_set = XT_RECENT_SET, .invert = 1), FALSE);
	IS(V4, MATCH("recent", xt_recent_mtinfo, .check_set = XT_RECENT_CHECK), UNKNOWN);
	IS(V4, MATCH("physdev", physdev, .bitmask = XT_PHYSDEV_OP_IN), FALSE);
	IS(V4, MATCH("physdev", physdev, .bitmask = XT_PHYSDEV_OP_IN, .invert = XT_PHYSDEV_OP_IN), TRUE);
}

/* ---- rules that change headers ---- */

static struct stmt *reset(uint8_t type)
{
	struct stmt *s = stmt_new(A, STMT_EXTHDR_RESET);

	s->exthdr_reset = opt(NFT_EXTHDR_OP_TCPOPT, type, 0, 0);
	return s;
}

/* Behind a rule of these statements */
static struct chain *before(void)
{
	static unsigned n;
	char name[16];

	snprintf(name, sizeof(name), "b%u", n++);
	return base(table(STORE_NATIVE, NFPROTO_INET, name), "pre", "filter", NF_INET_PRE_ROUTING, -90);
}

#define AFTER(words, cond, how, ...) do { \
	struct chain *c_ = before(); \
	RULE(c_, __VA_ARGS__); \
	IS(words, cond, how); \
	c_->rules = NULL, c_->n_rules = 0; \
} while (0)

static struct stmt *clamp(uint16_t mss)
{
	return SET(opt(NFT_EXTHDR_OP_TCPOPT, 2, 16, 16), expr_be16(A, DT_INTEGER, mss));
}

static void changed_options(void **state)
{
	(void)state;
	AFTER(TCP "tcpopt maxseg=1460", MSS(1300), TRUE, clamp(1300));
	AFTER(TCP "tcpopt maxseg=1300", MSS(1300), TRUE, clamp(1400)); /* never more */
	AFTER(TCP "mss 1300", MSS(1300), TRUE, clamp(1400));
	AFTER(TCP "mss 1300", MSS(1200), TRUE, clamp(1200));
	AFTER(TCP, MSS(1200), UNKNOWN, clamp(1200));
	AFTER(TCP "tcpopt none", THERE(TCPOPT, 2, 1), FALSE, clamp(1300));
	/* TCPMSS gives one to a packet that has none: of the least that everybody must take */
	AFTER(TCP "tcpopt none", MSS(536), TRUE, xt("TCPMSS", true, clamp(1300), NULL, 0));
	AFTER(TCP "tcpopt none", MSS(500), TRUE, xt("TCPMSS", true, clamp(500), NULL, 0));
	AFTER(TCP "tcpopt maxseg,sack-perm,nop,nop", THERE(TCPOPT, 4, 1), FALSE, reset(4));
	AFTER(TCP "tcpopt maxseg,sack-perm,8:0000000000000000", THERE(TCPOPT, 1, 1), TRUE, reset(4)); /* NOPs instead */
	AFTER(TCP "tcpopt maxseg,sack-perm,8:0000000000000000", THERE(TCPOPT, 0, 1), FALSE, reset(4));
	AFTER(TCP "mss 1460", THERE(TCPOPT, 2, 1), FALSE, reset(2));
	AFTER(TCP "mss 1460", THERE(TCPOPT, 8, 1), FALSE, reset(8));
	AFTER(TCP "mss 1460", THERE(TCPOPT, 3, 1), UNKNOWN, reset(8));
	/* what is no TCP ends the rule */
	AFTER(V4, EQ(META(MARK), U32(1)), FALSE, reset(4), SET(META(MARK), U32(1)));
	AFTER(V4, EQ(META(MARK), U32(1)), FALSE, clamp(1300), SET(META(MARK), U32(1)));
	AFTER(TCP, EQ(META(MARK), U32(1)), TRUE, clamp(1300), SET(META(MARK), U32(1)));
}

static void odd_questions(void **state)
{
	struct expr *nh22 = expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 8 * 22, 8, NULL);

	(void)state;
	IS(V6, THERE(IPV4, 148, 0), FALSE); /* of the other version: the rule ends */
	IS(V4, THERE(IPV4, 148, 0), TRUE);
	IS(V6, THERE(IPV6, 17, 1), TRUE); /* what the packet carries counts too */
	IS(V6 "exthdr rt", BYTE(IPV6, 43, 9, 9), UNKNOWN); /* how long it is is not known */
	IS(V6 "exthdr dst:010c000000000000000000000000", BYTE(IPV6, 60, 1, 1), TRUE);
	IS(TCP "tcpopt sack,sack-perm", THERE(TCPOPT, 1, 1), UNKNOWN);
	IS(V6 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), FALSE);
	/* a route that is recorded is written to behind PREROUTING */
	IS(V4 "ipopt rr:0400000000,nop", BYTE(IPV4, 7, 2, 4), TRUE);
	IS(V4 "ipopt rr:0400000000,nop", EQ(nh22, expr_u8(A, DT_INTEGER, 4)), TRUE);
	AT(NF_INET_LOCAL_IN, 0, V4 "ipopt rr:0400000000,nop", BYTE(IPV4, 7, 2, 4), UNKNOWN);
	AT(NF_INET_LOCAL_IN, 0, V4 "ipopt rr:0400000000,nop", EQ(nh22, expr_u8(A, DT_INTEGER, 4)), UNKNOWN);
	AT(NF_INET_LOCAL_IN, 0, V4 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	AT(NF_INET_LOCAL_IN, 0, V6 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), FALSE);
}

static void who_gathers(void **state)
{
	struct chain *c = before(), *early;
	struct expr *st = expr_ct(A, NFT_CT_STATE, -1);
	struct stmt *notrack = stmt_new(A, STMT_NOTRACK);

	(void)state;
	/* a rule for sockets wants whole packets, too, without connection tracking */
	RULE(c, xt("socket", false, L4(99), NULL, 0), ACCEPT);
	IS(V4 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	c->rules = NULL, c->n_rules = 0;
	IS(V4 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), FALSE);
	/* but not what was taken out of its hands before */
	c = before();
	RULE(c, NE(expr_binop(A, BINOP_AND, st, U32(TRACE_CT_NEW)), U32(0)), SET(META(MARK), U32(1)));
	IS(V4 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	early = base(table(STORE_NATIVE, NFPROTO_INET, "early"), "pre", "filter", NF_INET_PRE_ROUTING, -450);
	RULE(early, notrack);
	IS(V4 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), FALSE);
}

static void states(void **state)
{
	struct expr *st = expr_ct(A, NFT_CT_STATE, -1), *way = expr_new(A, EXPR_FIB, DT_IFINDEX, ORDER_HOST, 32);
#define NEW NE(expr_binop(A, BINOP_AND, st, U32(TRACE_CT_NEW)), U32(0))
#define INVALID EQ(st, U32(TRACE_CT_INVALID))

	(void)state;
	IS(TCP "flags ack", NEW, TRUE); /* the middle of a connection is picked up */
	IS(TCP "flags syn,ack", INVALID, TRUE);
	IS(TCP "flags syn,ack", NEW, FALSE);
	IS("in icmpv6 129 fd00:1::1 to fd00:1::39", INVALID, TRUE);
	IS("in icmpv6 1 fd00:1::1 to fd00:1::39", INVALID, UNKNOWN);
	/* of a query the id stands for the port */
	IS("in icmp 10.0.1.1 to 10.0.1.39 id 7", EQ(expr_ct(A, NFT_CT_PROTO_SRC, 0), PORT(7)), TRUE);
	/* what is local has no interface to be reached through */
	way->fib.result = NFT_FIB_RESULT_OIF;
	way->fib.flags = NFTA_FIB_F_DADDR;
	IS(TCP, EQ(way, U32(0)), TRUE);
	way->fib.flags = NFTA_FIB_F_SADDR;
	IS(TCP, EQ(way, U32(2)), TRUE);
}

static void captured_headers(void **state)
{
	/* hop-by-hop of 16 bytes, an atomic fragment, UDP */
	static const uint8_t v6[] = { 0x60, 0, 0, 0, 0, 32, 0, 64, 0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				      0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x39,
				      44, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 8,
				      0, 9, 0x14, 0xe9, 0, 8, 0, 0 };
	enum frame_way way;

	(void)state;
	assert_int_equal(frame_parse(A, 101, v6, sizeof(v6), &rq, &way), 0);
	assert_int_equal(rq.dport, 5353);
	assert_int_equal(rq.parts.exthdr->part[0].size, 16);
	assert_int_equal(rq.parts.more, 0);
	assert_int_equal(rq.parts.offset, 0);
}

/* ---- NAT ---- */

static struct chain *nat_chain(unsigned hook, int prio)
{
	static unsigned n;
	char name[16];

	snprintf(name, sizeof(name), "n%u", n++);
	return base(table(STORE_NATIVE, NFPROTO_INET, name), "nat", "nat", hook, prio);
}

/* What becomes of "words" by one rule */
static const struct trace_outcome *by(unsigned hook, const char *words, struct stmt *nat)
{
	struct chain *c = nat_chain(hook, hook == NF_INET_LOCAL_OUT || hook == NF_INET_PRE_ROUTING ? -100 : 100);
	const struct trace_outcome *u;

	RULE(c, nat);
	say(words);
	u = run(&rq);
	c->rules = NULL, c->n_rules = 0;
	return u;
}

static void dst_is(const struct trace_outcome *u, const char *addr, int port)
{
	char text[ADDR_TEXT];

	assert_string_equal(addr_fmt(&u->dst, text), addr);
	assert_int_equal(u->dport, port);
}

static void src_is(const struct trace_outcome *u, const char *addr, int port)
{
	char text[ADDR_TEXT];

	assert_string_equal(addr_fmt(&u->src, text), addr);
	assert_int_equal(u->sport, port);
}

#define OUT "out tcp 10.0.1.39:4000 to 10.96.0.10:8005 uid 0"

static void nat_kinds(void **state)
{
	struct stmt *map = NAT(NAT_NETMAP, "10.97.0.0", -1), *range = NAT(NAT_DNAT, NULL, 8000), *other = NAT(NAT_DNAT, "10.97.0.1", -1);
	struct stmt *drawn = NAT(NAT_SNAT, "10.0.1.99", -1), *pick = NAT(NAT_DNAT, "10.97.0.0", -1);

	(void)state;
	map->nat.addr_max = IP("10.97.255.255");
	range->nat.port_max = PORT(8010);
	dst_is(by(NF_INET_LOCAL_OUT, OUT, map), "10.97.0.10", 8005);
	src_is(by(NF_INET_POST_ROUTING, OUT, map), "10.97.1.39", 4000);
	dst_is(by(NF_INET_LOCAL_OUT, OUT, NAT(NAT_DNAT, NULL, 8080)), "10.96.0.10", 8080);
	dst_is(by(NF_INET_LOCAL_OUT, OUT, NAT(NAT_DNAT, "10.97.0.1", -1)), "10.97.0.1", 8005);
	dst_is(by(NF_INET_LOCAL_OUT, OUT, range), "10.96.0.10", 8005); /* in the range already */
	src_is(by(NF_INET_POST_ROUTING, OUT, NAT(NAT_MASQUERADE, NULL, -1)), "10.0.1.39", 4000);
	src_is(by(NF_INET_POST_ROUTING, OUT, NAT(NAT_SNAT, "10.0.1.99", 77)), "10.0.1.99", 77);
	drawn->nat.flags = NF_NAT_RANGE_PROTO_RANDOM_FULLY;
	src_is(by(NF_INET_POST_ROUTING, OUT, drawn), "10.0.1.99", -1);
	dst_is(by(NF_INET_PRE_ROUTING, TCP, REDIRECT(15006)), "10.0.1.39", 15006);
	dst_is(by(NF_INET_LOCAL_OUT, OUT, REDIRECT(15001)), "127.0.0.1", 15001);
	/* "dnat ip6 to" means nothing to this one, and the rule goes on */
	other->nat.family = NFPROTO_IPV6;
	dst_is(by(NF_INET_LOCAL_OUT, OUT, other), "10.96.0.10", 8005);
	/* one of a prefix */
	pick->nat.addr = expr_prefix(A, IP("10.97.0.0"), 30);
	by(NF_INET_LOCAL_OUT, OUT, pick);
	assert_int_equal(res->n_outcomes, 4);
}

static void nat_stages(void **state)
{
	struct chain *first = nat_chain(NF_INET_POST_ROUTING, 100), *second = nat_chain(NF_INET_POST_ROUTING, 110);
	struct stmt *drawn = NAT(NAT_SNAT, "10.0.1.99", -1);
	uint16_t id = 0x0700;
	struct chain *c;

	(void)state;
	RULE(first, NAT(NAT_SNAT, "10.0.1.98", -1));
	RULE(second, NAT(NAT_SNAT, "10.0.1.99", -1));
	say(OUT);
	src_is(run(&rq), "10.0.1.98", 4000);
	first->rules = second->rules = NULL;
	first->n_rules = second->n_rules = 0;
	/* what the status says: of which side, and only when something changed */
	c = nat_chain(NF_INET_LOCAL_IN, 100);
	RULE(c, NAT(NAT_SNAT, "10.0.1.99", -1));
#define STATUS(bit) NE(expr_binop(A, BINOP_AND, expr_ct(A, NFT_CT_STATUS, -1), U32(bit)), U32(0))
	AT(NF_INET_LOCAL_IN, 200, TCP, STATUS(IPS_SRC_NAT), TRUE);
	AT(NF_INET_LOCAL_IN, 200, TCP, STATUS(IPS_DST_NAT), FALSE);
	c->rules = NULL, c->n_rules = 0;
	c = nat_chain(NF_INET_PRE_ROUTING, -100);
	RULE(c, NAT(NAT_DNAT, "10.0.1.39", 8080)); /* as it is */
	AT(NF_INET_LOCAL_IN, 200, TCP, STATUS(IPS_DST_NAT), FALSE);
	c->rules = NULL, c->n_rules = 0;
	/* an id that is drawn anew */
	c = nat_chain(NF_INET_LOCAL_IN, 100);
	drawn->nat.flags = NF_NAT_RANGE_PROTO_RANDOM_FULLY;
	RULE(c, drawn);
	AT(NF_INET_LOCAL_IN, 200, "in icmp 10.0.1.1 to 10.0.1.39 id 7", EQ(FIELD("icmp", "id"), expr_bytes(A, DT_INTEGER, ORDER_HOST, &id, 16)), UNKNOWN);
	AT(NF_INET_LOCAL_IN, 0, "in icmp 10.0.1.1 to 10.0.1.39 id 7", EQ(FIELD("icmp", "id"), expr_be16(A, DT_INTEGER, 7)), TRUE);
}

/* nf_tproxy_laddr4(): "any address" is the one of the interface; xt sets bits of the mark besides */
static void tproxy(void **state)
{
	struct stmt *s = stmt_new(A, STMT_TPROXY);
	struct chain *c = before();

	(void)state;
	sockets[1].transparent = true;
	sockets[1].local = ADDR("10.0.1.39");
	s->tproxy.port = PORT(15006);
	s->tproxy.addr = IP("0.0.0.0");
	s->tproxy.mark_mask = s->tproxy.mark = 1;
	RULE(c, L4(6), s);
	IS(TCP "mark 0x10", EQ(META(MARK), U32(0x11)), TRUE);
	IS("in udp 10.0.1.1:4000 to 10.0.1.39:8080 mark 0x10", EQ(META(MARK), U32(0x10)), TRUE);
}

static struct expr *sk(uint32_t key, unsigned bits)
{
	struct expr *x = expr_new(A, EXPR_SOCKET, DT_INTEGER, ORDER_HOST, bits);

	x->socket.key = key;
	return x;
}

/* sk_fullsock(): what a first SYN has made of a listener has no options; for xt_socket.c it is a socket that is bound */
static void half_open(void **state)
{
	struct stmt *bound = EQ(sk(NFT_SOCKET_WILDCARD, 8), expr_u8(A, DT_INTEGER, 0));
	struct stmt *restore = EQ(sk(NFT_SOCKET_MARK, 32), expr_range(A, U32(0), U32(UINT32_MAX)));
	struct nv_socket *s = listener(AF_INET, IPPROTO_TCP, "10.0.1.39", 8080, 0, 0, "");

	(void)state;
	restore->next = SET(META(MARK), sk(NFT_SOCKET_MARK, 32));
	*s = (struct nv_socket){ .family = AF_INET, .protocol = IPPROTO_TCP, .local = ADDR("10.0.1.39"), .lport = 8080,
				 .remote = ADDR("10.0.1.1"), .rport = 4000, .tcp_state = 1, .details = true, .mark = 7 };
	RULE(before(), xt("socket", false, restore, NULL, 0));
	IS(TCP, EQ(sk(NFT_SOCKET_MARK, 32), U32(7)), TRUE);
	IS(TCP, EQ(META(MARK), U32(7)), TRUE);
	s->tcp_state = 3;
	IS(TCP, EQ(sk(NFT_SOCKET_MARK, 32), U32(7)), FALSE);
	IS(TCP, NE(sk(NFT_SOCKET_MARK, 32), U32(7)), FALSE);
	IS(TCP, EQ(META(MARK), U32(0)), TRUE);
	IS(TCP, EQ(sk(NFT_SOCKET_TRANSPARENT, 8), expr_u8(A, DT_INTEGER, 1)), FALSE);
	sockets[2].transparent = true; /* one of the listeners, of which any may be that of the request, is */
	IS(TCP, EQ(sk(NFT_SOCKET_TRANSPARENT, 8), expr_u8(A, DT_INTEGER, 1)), UNKNOWN);
	for (unsigned i = 0; i < nv.n_sockets; i++)
		sockets[i].transparent = true;
	IS(TCP, EQ(sk(NFT_SOCKET_TRANSPARENT, 8), expr_u8(A, DT_INTEGER, 1)), TRUE);
	s->tcp_state = 6; /* what waits for the end of its connection */
	IS(TCP, EQ(sk(NFT_SOCKET_TRANSPARENT, 8), expr_u8(A, DT_INTEGER, 1)), UNKNOWN);
	IS(TCP, xt("socket", false, bound, NULL, 0), TRUE);
	IS(TCP, bound, FALSE);
}

/* ---- hooks ---- */

static void each_hook(void **state)
{
	static const char *eth0[] = { "eth0" };
	struct chain *egress = base(table(STORE_NATIVE, NFPROTO_NETDEV, "d"), "out", "filter", 1 /* NF_NETDEV_EGRESS */, 0);
	const char *self = "out tcp 10.0.1.39:4000 to 10.0.1.39:8080 uid 0", *on = "forward tcp 10.0.1.7:4000 to 10.0.2.7:80";
	struct chain *lo;
	struct stmt *from_lo = EQ(META(IIFNAME), expr_ifname(A, "lo"));

	(void)state;
	nv.ip_forward = true;
	AT(NF_INET_LOCAL_OUT, 0, self, OIF("lo"), TRUE);
	AT(NF_INET_POST_ROUTING, 0, self, DPORT(8080), TRUE);
	AT(NF_INET_PRE_ROUTING, 0, self, DPORT(8080), TRUE);
	AT(NF_INET_LOCAL_IN, 0, self, DPORT(8080), TRUE);
	AT(NF_INET_PRE_ROUTING, 0, on, from_lo, FALSE);
	AT(NF_INET_FORWARD, 0, on, OIF("eth1"), TRUE);
	AT(NF_INET_POST_ROUTING, 0, on, OIF("eth1"), TRUE);
	AT(NF_INET_LOCAL_IN, 0, on, DPORT(80), FALSE);
	egress->devices = eth0;
	egress->n_devices = 1;
	RULE(egress, DPORT(81), DROP);
	say("out tcp 10.96.0.10:81 uid 0");
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	say("out tcp 10.96.0.10:80 uid 0");
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
	/* rewritten on its way back through lo: IPv4 takes no packet from an address of its own */
	AT(NF_INET_LOCAL_IN, 0, self, DPORT(1), FALSE);
	assert_int_equal(res->outcomes[0].verdict, TRACE_ACCEPT);
	lo = before();
	RULE(lo, from_lo, SET(FIELD("ip", "daddr"), IP("10.0.2.39")));
	say(self);
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	/* a packet of a connection finds its socket, and so its user, before INPUT */
	AT(NF_INET_LOCAL_IN, 0, TCP, UID(0), FALSE);
	AT(NF_INET_LOCAL_IN, 0, TCP "ctstate established", UID(0), UNKNOWN);
	/* a table that sleeps */
	say("forward tcp 10.0.2.7:4000 to 10.0.1.7:81");
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	table(STORE_NATIVE, NFPROTO_NETDEV, "d")->flags = NFT_TABLE_F_DORMANT;
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
}

/* ---- operators ---- */

static struct expr *concat(struct expr *a, struct expr *b)
{
	struct expr *x = expr_new(A, EXPR_CONCAT, DT_INTEGER, ORDER_NET, a->bits + b->bits);

	x->concat.parts = arena_array(A, 2, sizeof(*x->concat.parts));
	x->concat.n = 2;
	x->concat.parts[0] = a;
	x->concat.parts[1] = b;
	return x;
}

static void operators(void **state)
{
	struct expr *pair = concat(FIELD("ip", "daddr"), FIELD("tcp", "dport")), *refer = expr_new(A, EXPR_SETREF, DT_INTEGER, ORDER_HOST, 32);

	(void)state;
	IS(TCP "mark 0x14", EQ(expr_binop(A, BINOP_OR, META(MARK), U32(0x15)), U32(0x15)), TRUE);
	IS(TCP, EQ(pair, concat(IP("10.0.1.39"), PORT(8080))), TRUE);
	IS(TCP, EQ(pair, concat(IP("10.0.1.40"), PORT(8080))), FALSE);
	IS(TCP, NE(pair, concat(IP("10.0.1.39"), PORT(8080))), FALSE);
	IS(TCP, NE(pair, concat(IP("10.0.1.39"), PORT(8081))), TRUE);
	/* there is no socket yet: neither in the set nor not in it */
	refer->set = table_add_set(rs, table(STORE_NATIVE, NFPROTO_INET, "t"), "s");
	refer->set->elems = arena_array(A, 2, sizeof(*refer->set->elems));
	refer->set->elems[0].key = U32(7);
	refer->set->n_elems = 1;
	IS(TCP, NE(META(SKUID), refer), FALSE);
	IS(TCP, EQ(META(SKUID), refer), FALSE);
	IS(TCP "mark 8", NE(META(MARK), refer), TRUE);
	/* "*" holds what no other does */
	refer->set->elems[1].catchall = true;
	refer->set->n_elems = 2;
	IS(TCP "mark 8", EQ(META(MARK), refer), TRUE);
	IS(TCP "mark 8", NE(META(MARK), refer), FALSE);
}

/* What a map says of the other keys */
static void map_of_all(void **state)
{
	struct expr *map = expr_new(A, EXPR_MAP, DT_MARK, ORDER_HOST, 32);
	struct set *s = table_add_set(rs, table(STORE_NATIVE, NFPROTO_INET, "t"), "m");

	(void)state;
	s->elems = arena_array(A, 2, sizeof(*s->elems));
	s->n_elems = 2;
	s->elems[0].key = PORT(80);
	s->elems[0].data = U32(1);
	s->elems[1].catchall = true;
	s->elems[1].data = U32(2);
	map->map.key = FIELD("tcp", "dport");
	map->map.set = s;
	AFTER(TCP, EQ(META(MARK), U32(2)), TRUE, SET(META(MARK), map));
	AFTER("in tcp 10.0.1.1:4000 to 10.0.1.39:80", EQ(META(MARK), U32(1)), TRUE, SET(META(MARK), map));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(which_headers), TEST(lists_of_options), TEST(routing_header), TEST(mobility), TEST(words), TEST(changed_options),
		TEST(odd_questions), TEST(who_gathers), TEST(states), TEST(captured_headers), TEST(nat_kinds), TEST(nat_stages),
		TEST(tproxy), TEST(half_open), TEST(each_hook), TEST(operators), TEST(map_of_all),
	};

	return cmocka_run_group_tests_name("trace effects", tests, NULL, NULL);
}
