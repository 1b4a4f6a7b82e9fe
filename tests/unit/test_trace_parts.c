/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_parts - options, extension headers and fragments: what was said of them, what stays unknown, captured bytes */
#include "tests/unit/trace_build.h"

#include "nsutil/ruleset/expr.h"
#include "nsutil/trace/connection.h"
#include "nsutil/trace/frame.h"
#include "nsutil/trace/packet.h"

static struct trace_request rq;

static void say(const char *words)
{
	struct err e = ERR_INIT;
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", words);
	if (connection_parse(A, 1, (char *[]){ copy }, &rq, &e) < 0)
		fail_msg("%s: %s", words, e.why);
}

/* Which way the packet of "words" is told apart by a condition: dropped, accepted, or both. */
static enum tri is(const char *words, struct stmt *cond)
{
	static unsigned n;
	char name[16];
	struct chain *c;

	snprintf(name, sizeof(name), "t%u", n++);
	c = base(table(STORE_NATIVE, NFPROTO_INET, name), "pre", "filter", NF_INET_PRE_ROUTING, -300);
	say(words);
	RULE(c, cond, DROP);
	run(&rq);
	c->rules = NULL;
	c->n_rules = 0;
	return res->n_outcomes > 1 ? TRI_UNKNOWN : res->outcomes[0].verdict == TRACE_DROP ? TRI_TRUE : TRI_FALSE;
}

#define IS(words, cond, how) assert_int_equal(is(words, cond), TRI_##how)
#define V6 "in udp [fd00:1::1]:9 to [fd00:1::39]:5353 "
#define V4 "in udp 10.0.1.1:9 to 10.0.1.39:5353 "
#define TCP "in tcp 10.0.1.1:9 to 10.0.1.39:8080 "

static struct expr *opt(uint8_t op, uint8_t type, unsigned offset, unsigned bits)
{
	struct expr *x = expr_new(A, EXPR_EXTHDR, DT_INTEGER, ORDER_NET, bits ? bits : 8);

	x->exthdr.op = op;
	x->exthdr.type = type;
	x->exthdr.offset = (uint16_t)offset;
	x->exthdr.present = bits == 0;
	return x;
}

#define THERE(op, type) EQ(opt(NFT_EXTHDR_OP_##op, type, 0, 0), expr_u8(A, DT_BOOLEAN, 1))
#define BYTE(op, type, at, v) EQ(opt(NFT_EXTHDR_OP_##op, type, 8 * (at), 8), expr_u8(A, DT_INTEGER, v))

static void tcp_options(void **state)
{
	struct expr *size = opt(NFT_EXTHDR_OP_TCPOPT, 2, 16, 16), *doff = FIELD("tcp", "doff");

	(void)state;
	IS(TCP, THERE(TCPOPT, 2), UNKNOWN);
	IS(TCP, EQ(doff, expr_bytes(A, DT_INTEGER, ORDER_NET, "\5", 4)), UNKNOWN);
	IS(TCP "mss 1460", THERE(TCPOPT, 2), TRUE);
	IS(TCP "mss 1460", THERE(TCPOPT, 4), UNKNOWN);
	IS(TCP "mss 1460", EQ(size, expr_be16(A, DT_INTEGER, 1460)), TRUE);
	/* every number is in the range, but there may be none */
	IS(TCP, EQ(size, expr_range(A, PORT(0), PORT(65535))), UNKNOWN);
	IS(TCP "tcpopt maxseg", EQ(size, expr_range(A, PORT(0), PORT(65535))), TRUE);
	IS(TCP "tcpopt none", THERE(TCPOPT, 2), FALSE);
	IS(TCP "tcpopt none", THERE(TCPOPT, 1), FALSE);
	IS(TCP "tcpopt none", EQ(doff, expr_bytes(A, DT_INTEGER, ORDER_NET, "\5", 4)), TRUE);
	/* it is there; its size is what is not said, and how it is padded */
	IS(TCP "tcpopt mss,window=7", THERE(TCPOPT, 2), TRUE);
	IS(TCP "tcpopt mss,window=7", EQ(size, expr_be16(A, DT_INTEGER, 1460)), UNKNOWN);
	IS(TCP "tcpopt mss,window=7", BYTE(TCPOPT, 3, 2, 7), TRUE);
	IS(TCP "tcpopt mss,window=7", BYTE(TCPOPT, 2, 1, 4), TRUE);
	IS(TCP "tcpopt mss,window=7", THERE(TCPOPT, 1), UNKNOWN);
	IS(TCP "tcpopt mss,window=7", THERE(TCPOPT, 8), FALSE);
	/* nothing needs padding: where all stands is known, and that there is no more */
	IS(TCP "tcpopt mss,window,nop", THERE(TCPOPT, 0), FALSE);
	IS(TCP "tcpopt mss,window,nop", EQ(doff, expr_bytes(A, DT_INTEGER, ORDER_NET, "\7", 4)), TRUE);
	IS(TCP "tcpopt mss,window,nop", EQ(expr_payload(A, NFT_PAYLOAD_TRANSPORT_HEADER, 160, 8, NULL), expr_u8(A, DT_INTEGER, 2)), TRUE);
	IS(TCP "tcpopt mss,window,nop", EQ(expr_payload(A, NFT_PAYLOAD_TRANSPORT_HEADER, 176, 8, NULL), expr_u8(A, DT_INTEGER, 2)), UNKNOWN);
	/* a size that is not known, and a byte that the option does not have */
	IS(TCP "tcpopt sack", BYTE(TCPOPT, 5, 1, 10), UNKNOWN);
	IS(TCP "tcpopt window=7,nop", BYTE(TCPOPT, 3, 3, 0), FALSE);
	IS(TCP "tcpopt 253:abcd", BYTE(TCPOPT, 253, 3, 0xcd), TRUE);
	/* the upper half of a byte, as MPTCP's subtype */
	IS(TCP "tcpopt mptcp:1000", EQ(opt(NFT_EXTHDR_OP_TCPOPT, 30, 16, 4), expr_bytes(A, DT_INTEGER, ORDER_NET, "\1", 4)), TRUE);
	IS("in udp 10.0.1.1:9 to 10.0.1.39:5353", THERE(TCPOPT, 2), FALSE);
}

static void headers(void **state)
{
	(void)state;
	IS(V6, THERE(IPV6, 0), FALSE);
	IS(V6 "exthdr hbh,rt", THERE(IPV6, 0), TRUE);
	IS(V6 "exthdr hbh,rt", BYTE(IPV6, 0, 0, 43), TRUE); /* the next one */
	IS(V6 "exthdr hbh,rt", BYTE(IPV6, 43, 0, 17), TRUE);
	IS(V6 "exthdr hbh,rt", BYTE(IPV6, 43, 2, 0), UNKNOWN);
	IS(V6 "exthdr hbh,rt", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	IS(V6 "exthdr hbh,rt", EQ(FIELD("ip6", "nexthdr"), expr_u8(A, DT_INET_PROTO, 0)), TRUE);
	/* how long the first one is is not known, so nothing behind it has a place */
	IS(V6 "exthdr hbh", EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 8 * 50, 16, NULL), PORT(5353)), UNKNOWN);
	IS(V6 "exthdr hbh:010400000000", EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 8 * 50, 16, NULL), PORT(5353)), TRUE);
	IS(V4, THERE(IPV6, 0), FALSE);
	IS(V4 "ipopt ra=3", EQ(opt(NFT_EXTHDR_OP_IPV4, 148, 16, 16), expr_be16(A, DT_INTEGER, 3)), TRUE);
	IS(V4 "ipopt ra", EQ(opt(NFT_EXTHDR_OP_IPV4, 148, 16, 16), expr_be16(A, DT_INTEGER, 3)), UNKNOWN);
	IS(V4 "ipopt rr", EQ(FIELD("ip", "hdrlength"), expr_bytes(A, DT_INTEGER, ORDER_NET, "\5", 4)), UNKNOWN);
	IS(V4 "ipopt rr", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	IS(V4 "ipopt ra=0", EQ(FIELD("ip", "hdrlength"), expr_bytes(A, DT_INTEGER, ORDER_NET, "\6", 4)), TRUE);
	IS(V6, THERE(IPV4, 148), FALSE);
	/* a route that the sender says */
	say(V4 "ipopt lsrr");
	assert_int_equal(run(&rq)->verdict, TRACE_UNKNOWN);
}

static void fragments(void **state)
{
	struct expr *off = FIELD("ip", "frag-off"), *mask = expr_be16(A, DT_INTEGER, 0x1fff), *all = expr_be16(A, DT_INTEGER, 0xffff);
	struct expr *zero = expr_be16(A, DT_INTEGER, 0);

	(void)state;
	IS(V4, EQ(expr_binop(A, BINOP_AND, off, mask), zero), TRUE);
	IS(V4 "frag later", EQ(expr_binop(A, BINOP_AND, off, mask), zero), FALSE);
	IS(V4 "frag later", NE(expr_binop(A, BINOP_AND, off, mask), zero), TRUE);
	IS(V4 "frag later", EQ(expr_binop(A, BINOP_AND, off, all), zero), FALSE);
	IS(V4 "frag later", EQ(expr_binop(A, BINOP_AND, off, mask), expr_be16(A, DT_INTEGER, 185)), UNKNOWN);
	/* one of its bits, and one that is no part of it */
	IS(V4 "frag later", EQ(expr_binop(A, BINOP_AND, off, expr_be16(A, DT_INTEGER, 1)), zero), UNKNOWN);
	IS(V4 "frag later", EQ(expr_binop(A, BINOP_AND, off, expr_be16(A, DT_INTEGER, 0x2000)), zero), UNKNOWN);
	IS(V4 "frag later", EQ(expr_binop(A, BINOP_XOR, off, mask), zero), UNKNOWN);
	IS(V4 "frag 185+", EQ(expr_binop(A, BINOP_AND, off, mask), expr_be16(A, DT_INTEGER, 185)), TRUE);
	IS(V4 "frag 185+", NE(expr_binop(A, BINOP_AND, off, expr_be16(A, DT_INTEGER, 0x2000)), zero), TRUE);
	IS(V4 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), FALSE);
	IS(V4 "frag later", NE(FIELD("udp", "dport"), PORT(5353)), FALSE);
	IS(V4 "frag first", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	/* what stands there instead is some content */
	IS(V4 "frag first", EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 176, 16, NULL), PORT(5353)), TRUE);
	IS(V4 "frag later", EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 176, 16, NULL), PORT(5353)), UNKNOWN);
	IS(V6 "frag later", NE(opt(NFT_EXTHDR_OP_IPV6, 44, 16, 13), expr_bytes(A, DT_INTEGER, ORDER_NET, "\0\0", 13)), TRUE);
	IS(V6 "frag later fragid 7", EQ(opt(NFT_EXTHDR_OP_IPV6, 44, 32, 32), expr_bytes(A, DT_INTEGER, ORDER_NET, "\0\0\0\7", 32)), TRUE);
	/* the words come back */
	for (unsigned i = 0; i < 5; i++) {
		static const char *const texts[] = { "none", "first", "later", "185+", "185" };
		struct header_parts h = { .offset = 0 };
		char text[16];

		assert_int_equal(frag_parse(texts[i], &h), 0);
		assert_string_equal(frag_text(&h, text), texts[i]);
	}
}

/* What connection tracking sees is the whole packet: ports are there, its length is another. */
static void put_together(void **state)
{
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_INET, "ct"), "pre", "filter", NF_INET_PRE_ROUTING, 0);
	struct expr *st = expr_ct(A, NFT_CT_STATE, -1);

	(void)state;
	RULE(c, NE(expr_binop(A, BINOP_AND, st, U32(TRACE_CT_NEW)), U32(0)), SET(META(MARK), U32(1)));
	IS(V6 "frag later length 100", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	IS(V6 "frag later", THERE(IPV6, 44), FALSE);
	IS(V6 "exthdr hbh:010400000000,frag frag later", BYTE(IPV6, 0, 0, 17), TRUE);
	IS(V6 "frag later length 100", EQ(META(LEN), U32(100)), UNKNOWN);
	IS(V4 "frag later", EQ(FIELD("udp", "dport"), PORT(5353)), TRUE);
	IS(V4 "frag later", EQ(FIELD("ip", "frag-off"), expr_be16(A, DT_INTEGER, 0x2000)), FALSE);
	assert_non_null(res->outcomes[0].why);
}

/* ---- captured bytes ---- */

static void take(const uint8_t *b, size_t n, int expected)
{
	enum frame_way way;

	assert_int_equal(frame_parse(A, 101, b, n, &rq, &way), expected);
}

static void captured(void **state)
{
	static const uint8_t v4[] = { 0x46, 0x2a, 0, 52, 0, 7, 0x20, 0, 64, 6, 0, 0, 10, 0, 1, 1, 10, 0, 1, 39, 148, 4, 0, 0,
				      0, 9, 0x1f, 0x90, 0, 0, 0, 1, 0, 0, 0, 0, 0x70, 2, 0x20, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4, 1, 3, 3, 7 };
	static const uint8_t v6[] = { 0x60, 0x10, 0, 0, 0, 24, 0, 64, 0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				      0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x39,
				      44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 8, 0, 9, 0x14, 0xe9, 0, 8, 0, 0 };
	uint8_t later[sizeof(v6)];

	(void)state;
	take(v4, sizeof(v4), 0);
	assert_string_equal(rq.parts.ipopt->text, "0x94040000");
	assert_string_equal(rq.parts.tcpopt->text, "0x020405b401030307");
	assert_true(rq.parts.tcpopt->exact);
	assert_int_equal(rq.parts.frag, FRAG_IS);
	assert_int_equal(rq.parts.id, 7);
	assert_int_equal(rq.ecn, 2);
	assert_int_equal(rq.dscp, 10);
	take(v4, sizeof(v4) - 1, 0); /* the last option is cut off */
	assert_null(rq.parts.tcpopt);
	take(v6, sizeof(v6), 0);
	assert_string_equal(rq.parts.exthdr->text, "hbh:010400000000,frag");
	assert_int_equal(rq.parts.frag, FRAG_IS);
	assert_int_equal(rq.parts.id, 8);
	assert_int_equal(rq.ecn, 1);
	assert_int_equal(rq.dport, 5353);
	memcpy(later, v6, sizeof(v6));
	later[51] = 9; /* an offset */
	take(later, sizeof(later), -1);
	/* the text says the same to the next cnish */
	say(V6 "exthdr hbh:010400000000,frag frag first");
	assert_true(rq.parts.exthdr->exact);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tcp_options), TEST(headers), TEST(fragments), TEST(put_together), TEST(captured),
	};

	return cmocka_run_group_tests_name("trace parts", tests, NULL, NULL);
}
