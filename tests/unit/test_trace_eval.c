/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_eval - each kind of expression, operator and condition, on one packet: true, false, unknown */
#include "tests/unit/trace_build.h"

#include "nsutil/xt/codec.h"

/* tcp 10.0.1.39:? -> 10.96.0.10:80, uid 1000, mark 0x1234, out of eth0 */
static struct trace_request rq;

/* Does a rule with this condition match? A second rule behind it makes the difference visible. */
static enum tri check(struct stmt *cond)
{
	struct table *t = table(STORE_NATIVE, NFPROTO_INET, "t");
	struct chain *c = base(t, "out", "filter", NF_INET_LOCAL_OUT, 0);
	enum tri got;

	assert_non_null(cond);
	c->rules = NULL;
	c->rules_tail = &c->rules;
	c->n_rules = 0;
	add_rule(c, cond, DROP, NULL);
	run(&rq);
	if (res->n_outcomes == 1)
		got = res->outcomes[0].verdict == TRACE_DROP ? TRI_TRUE : TRI_FALSE;
	else
		got = TRI_UNKNOWN;
	return got;
}

#define YES(cond) assert_int_equal(check(cond), TRI_TRUE)
#define NO(cond) assert_int_equal(check(cond), TRI_FALSE)
#define PERHAPS(cond) assert_int_equal(check(cond), TRI_UNKNOWN)

static int begin(void **state)
{
	setup(state);
	rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, "10.96.0.10", 80);
	rq.has_uid = rq.has_gid = rq.has_mark = true;
	rq.uid = rq.gid = 1000;
	rq.mark = 0x1234;
	return 0;
}

static struct expr *mark(void)
{
	return META(MARK);
}

static void operators(void **state)
{
	struct expr *dport = FIELD("tcp", "dport");

	(void)state;
	YES(EQ(dport, PORT(80)));
	NO(EQ(dport, PORT(81)));
	NO(NE(dport, PORT(80)));
	YES(NE(dport, PORT(81)));
	YES(CMP(OP_LT, dport, PORT(81)));
	NO(CMP(OP_LT, dport, PORT(80)));
	YES(CMP(OP_LE, dport, PORT(80)));
	NO(CMP(OP_LE, dport, PORT(79)));
	YES(CMP(OP_GT, dport, PORT(79)));
	NO(CMP(OP_GT, dport, PORT(80)));
	YES(CMP(OP_GE, dport, PORT(80)));
	NO(CMP(OP_GE, dport, PORT(81)));
	/* a mark stands in host order, ports in network order: both compare as numbers */
	YES(CMP(OP_GT, mark(), U32(0x1233)));
	NO(CMP(OP_GT, mark(), U32(0x1234)));
	NO(CMP(OP_GT, mark(), U32(0x33120000)));
}

static void ranges_and_prefixes(void **state)
{
	struct expr *daddr = FIELD("ip", "daddr"), *dport = FIELD("tcp", "dport");

	(void)state;
	YES(EQ(dport, expr_range(A, PORT(80), PORT(90))));
	YES(EQ(dport, expr_range(A, PORT(70), PORT(80))));
	NO(EQ(dport, expr_range(A, PORT(81), PORT(90))));
	NO(EQ(dport, expr_range(A, PORT(70), PORT(79))));
	YES(NE(dport, expr_range(A, PORT(81), PORT(90))));
	YES(EQ(daddr, expr_range(A, IP("10.96.0.1"), IP("10.96.0.10"))));
	NO(EQ(daddr, expr_range(A, IP("10.96.0.11"), IP("10.96.0.12"))));
	YES(EQ(daddr, expr_prefix(A, IP("10.96.0.0"), 16)));
	NO(EQ(daddr, expr_prefix(A, IP("10.97.0.0"), 16)));
	YES(NE(daddr, expr_prefix(A, IP("10.96.0.0"), 29)));
	YES(EQ(mark(), expr_range(A, U32(0x1000), U32(0x2000))));
}

static void bits(void **state)
{
	(void)state;
	YES(EQ(expr_binop(A, BINOP_AND, mark(), U32(0xff00)), U32(0x1200)));
	NO(EQ(expr_binop(A, BINOP_AND, mark(), U32(0xff)), U32(0)));
	YES(NE(expr_binop(A, BINOP_AND, mark(), U32(0xff)), U32(0)));
	YES(EQ(expr_binop(A, BINOP_OR, mark(), U32(0xff0000)), U32(0xff1234)));
	YES(EQ(expr_binop(A, BINOP_XOR, mark(), U32(0x1234)), U32(0)));
	YES(EQ(expr_binop(A, BINOP_LSHIFT, mark(), U32(4)), U32(0x12340)));
	YES(EQ(expr_binop(A, BINOP_RSHIFT, mark(), U32(8)), U32(0x12)));
	YES(EQ(FIELD("ip", "version"), expr_bytes(A, DT_INTEGER, ORDER_NET, "\4", 4)));
	YES(EQ(FIELD("ip", "hdrlength"), expr_bytes(A, DT_INTEGER, ORDER_NET, "\5", 4)));
	NO(EQ(FIELD("ip", "version"), expr_bytes(A, DT_INTEGER, ORDER_NET, "\5", 4)));
	/* raw offsets: the destination address and its third byte; the destination port */
	YES(EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 128, 32, NULL), IP("10.96.0.10")));
	YES(EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 136, 8, NULL), expr_u8(A, DT_INTEGER, 96)));
	YES(EQ(expr_payload(A, NFT_PAYLOAD_TRANSPORT_HEADER, 16, 16, NULL), PORT(80)));
}

static void ipv6_fields(void **state)
{
	(void)state;
	rq.dst = ADDR("fd00:96::10");
	rq.src = ADDR("fd00:1::39");
	rq.family = NFPROTO_IPV6;
	YES(EQ(FIELD("ip6", "daddr"), IP("fd00:96::10")));
	YES(EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 192, 128, NULL), IP("fd00:96::10")));
	YES(EQ(expr_payload(A, NFT_PAYLOAD_NETWORK_HEADER, 64, 128, NULL), IP("fd00:1::39")));
	YES(EQ(FIELD("ip6", "nexthdr"), expr_u8(A, DT_INET_PROTO, 6)));
	YES(EQ(FIELD("tcp", "dport"), PORT(80)));
}

static void tcp_flags(void **state)
{
	struct expr *flags = FIELD("tcp", "flags");
	struct expr *syn = expr_u8(A, DT_TCP_FLAG, 2), *mask = expr_u8(A, DT_TCP_FLAG, 0x17);

	(void)state;
	YES(EQ(expr_binop(A, BINOP_AND, flags, mask), syn));
	NO(NE(expr_binop(A, BINOP_AND, flags, mask), syn));
	PERHAPS(EQ(flags, syn)); /* ECE and CWR depend on a sysctl */
	rq.tcp_flags = 0x12;
	NO(EQ(expr_binop(A, BINOP_AND, flags, mask), syn));
}

static void unknown_header_bits(void **state)
{
	(void)state;
	PERHAPS(EQ(FIELD("tcp", "sport"), PORT(40000)));
	NO(EQ(FIELD("tcp", "sport"), PORT(80)));	      /* ephemeral ports begin at 32768 */
	YES(CMP(OP_GE, FIELD("tcp", "sport"), PORT(1024)));
	YES(EQ(FIELD("tcp", "sport"), expr_range(A, PORT(1024), PORT(65535))));
	rq.sport = 40000;
	YES(EQ(FIELD("tcp", "sport"), PORT(40000)));
	PERHAPS(EQ(FIELD("ip", "ttl"), expr_u8(A, DT_INTEGER, 64)));
	rq.ttl = 63;
	NO(EQ(FIELD("ip", "ttl"), expr_u8(A, DT_INTEGER, 64)));
	PERHAPS(EQ(FIELD("ip", "dscp"), expr_bytes(A, DT_DSCP, ORDER_NET, "\x2e", 6)));
	rq.dscp = 0x2e;
	YES(EQ(FIELD("ip", "dscp"), expr_bytes(A, DT_DSCP, ORDER_NET, "\x2e", 6)));
	PERHAPS(EQ(META(LEN), U32(60)));
	rq.length = 60;
	YES(EQ(META(LEN), U32(60)));
	YES(EQ(FIELD("ip", "length"), expr_be16(A, DT_INTEGER, 60)));
	/* the content of the packet */
	PERHAPS(EQ(expr_payload(A, NFT_PAYLOAD_TRANSPORT_HEADER, 160, 8, NULL), expr_u8(A, DT_INTEGER, 1)));
}

static void metadata(void **state)
{
	uint8_t v4 = NFPROTO_IPV4, v6 = NFPROTO_IPV6;
	uint16_t ether = 1;

	(void)state;
	YES(OIF("eth0"));
	NO(OIF("lo"));
	YES(OIF("eth+"));
	YES(OIF("eth*"));
	NO(OIF("et0+"));
	YES(EQ(META(IIFNAME), expr_ifname(A, ""))); /* nothing it came in by */
	YES(EQ(META(OIF), U32(2)));
	YES(EQ(META(IIF), U32(0)));
	YES(EQ(META(OIFTYPE), expr_bytes(A, DT_ARPHRD, ORDER_HOST, &ether, 16)));
	NO(EQ(META(IFTYPE), expr_bytes(A, DT_ARPHRD, ORDER_HOST, &ether, 16)));
	NO(NE(META(IFTYPE), expr_bytes(A, DT_ARPHRD, ORDER_HOST, &ether, 16))); /* no device: the rule ends */
	YES(EQ(META(OIFGROUP), U32(7)));
	YES(EQ(META(OIFKIND), expr_ifname(A, "veth")));
	YES(UID(1000));
	NO(UID(1337));
	YES(NE(META(SKUID), U32(1337)));
	YES(EQ(META(SKGID), U32(1000)));
	YES(EQ(META(NFPROTO), expr_bytes(A, DT_NFPROTO, ORDER_HOST, &v4, 8)));
	NO(EQ(META(NFPROTO), expr_bytes(A, DT_NFPROTO, ORDER_HOST, &v6, 8)));
	YES(L4(6));
	NO(L4(17));
	YES(EQ(META(PROTOCOL), expr_be16(A, DT_ETHERTYPE, 0x0800)));
	YES(EQ(mark(), U32(0x1234)));
	PERHAPS(EQ(META(CGROUP), U32(1)));
	PERHAPS(EQ(META(PRIORITY), U32(1)));
	PERHAPS(EQ(META(PRANDOM), U32(1)));
	PERHAPS(EQ(META(TIME_HOUR), U32(1)));
	PERHAPS(EQ(META(CPU), U32(1)));
	rq.has_uid = false;
	PERHAPS(UID(1000));
}

/* Where there is no socket, native rules end whatever the operator; ipt_owner's "!" holds. */
static void no_socket(void **state)
{
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_IPV4, "p"), "pre", "filter", NF_INET_PRE_ROUTING, 0);
	struct xt_ext *x = arena_alloc(A, sizeof(*x));
	struct stmt *s = stmt_new(A, STMT_XT);

	(void)state;
	rq = ask(TRACE_IN, IPPROTO_TCP, "10.0.1.1", "10.0.1.39", 80);
	RULE(c, NE(META(SKUID), U32(1337)), DROP);
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
	x->name = "owner";
	x->meaning = NE(META(SKUID), U32(1337));
	s->xt = x;
	RULE(c, s, DROP);
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	x->meaning = EQ(META(SKUID), U32(1337));
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
}

static void conntrack(void **state)
{
	struct expr *st = expr_ct(A, NFT_CT_STATE, -1);
	uint8_t original = 0;

	(void)state;
	YES(NE(expr_binop(A, BINOP_AND, st, U32(TRACE_CT_NEW | TRACE_CT_RELATED)), U32(0)));
	NO(NE(expr_binop(A, BINOP_AND, st, U32(TRACE_CT_ESTABLISHED)), U32(0)));
	YES(EQ(expr_ct(A, NFT_CT_MARK, -1), U32(0)));
	YES(EQ(expr_ct(A, NFT_CT_PROTO_DST, 0), PORT(80)));
	YES(EQ(expr_ct(A, NFT_CT_DST_IP, 0), IP("10.96.0.10")));
	YES(EQ(expr_ct(A, NFT_CT_SRC_IP, 0), IP("10.0.1.39")));
	PERHAPS(EQ(expr_ct(A, NFT_CT_PROTO_SRC, 0), PORT(40000)));
	YES(EQ(expr_ct(A, NFT_CT_DIRECTION, -1), expr_bytes(A, DT_CT_DIR, ORDER_HOST, &original, 8)));
	PERHAPS(EQ(expr_ct(A, NFT_CT_PKTS, 0), U32(1)));
	NO(NE(expr_ct(A, NFT_CT_HELPER, -1), expr_ifname(A, "ftp")));
	rq.ct_state = TRACE_CT_ESTABLISHED;
	YES(EQ(st, U32(TRACE_CT_ESTABLISHED)));
	YES(EQ(expr_ct(A, NFT_CT_MARK, -1), U32(0))); /* as the first packet would leave it */
	rq.has_ct_mark = true;
	rq.ct_mark = 7;
	YES(EQ(expr_ct(A, NFT_CT_MARK, -1), U32(7)));
	rq.ct_state = TRACE_CT_INVALID;
	YES(EQ(st, U32(TRACE_CT_INVALID)));
	NO(NE(expr_ct(A, NFT_CT_MARK, -1), U32(1))); /* no entry: the rule ends */
}

static struct expr *fib(uint32_t result, uint32_t flags)
{
	struct expr *x = expr_new(A, EXPR_FIB, DT_FIB_ADDRTYPE, ORDER_HOST, 32);

	x->fib.result = result;
	x->fib.flags = flags;
	return x;
}

static void routing_table(void **state)
{
	(void)state;
	YES(EQ(fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR), U32(RTN_UNICAST)));
	NO(EQ(fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR), U32(RTN_LOCAL)));
	YES(EQ(fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_SADDR), U32(RTN_LOCAL)));
	YES(EQ(fib(NFT_FIB_RESULT_OIF, NFTA_FIB_F_DADDR), U32(2)));
	rq.dst = ADDR("224.0.0.1");
	rq.l4proto = IPPROTO_UDP; /* TCP has no multicast */
	YES(EQ(fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR), U32(RTN_MULTICAST)));
	rq.dst = ADDR("10.0.2.39");
	YES(EQ(fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR), U32(RTN_LOCAL)));
	NO(EQ(fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR | NFTA_FIB_F_IIF), U32(0)));
}

/* ---- sets ---- */

static struct set *set_of(unsigned n, ...)
{
	struct set *s = table_add_set(rs, table(STORE_NATIVE, NFPROTO_INET, "t"), "s");
	va_list ap;

	s->elems = arena_array(A, n ? n : 1, sizeof(*s->elems));
	s->n_elems = n;
	va_start(ap, n);
	for (unsigned i = 0; i < n; i++)
		s->elems[i].key = va_arg(ap, struct expr *);
	va_end(ap);
	return s;
}

static struct expr *concat(struct expr *a, struct expr *b)
{
	struct expr *x = expr_new(A, EXPR_CONCAT, DT_INTEGER, ORDER_NET, a->bits + b->bits);

	x->concat.n = 2;
	x->concat.parts = arena_array(A, 2, sizeof(struct expr *));
	x->concat.parts[0] = a;
	x->concat.parts[1] = b;
	return x;
}

static void sets(void **state)
{
	struct expr *daddr = FIELD("ip", "daddr"), *dport = FIELD("tcp", "dport");
	struct set *s;

	(void)state;
	YES(EQ(dport, expr_setref(A, set_of(2, PORT(443), PORT(80)))));
	NO(EQ(dport, expr_setref(A, set_of(2, PORT(443), PORT(8080)))));
	YES(NE(dport, expr_setref(A, set_of(2, PORT(443), PORT(8080)))));
	NO(EQ(dport, expr_setref(A, set_of(0))));
	YES(EQ(daddr, expr_setref(A, set_of(2, expr_prefix(A, IP("10.96.0.0"), 16),
					    expr_range(A, IP("1.1.1.1"), IP("1.1.1.9"))))));
	YES(EQ(concat(daddr, dport), expr_setref(A, set_of(1, concat(IP("10.96.0.10"), PORT(80))))));
	NO(EQ(concat(daddr, dport), expr_setref(A, set_of(1, concat(IP("10.96.0.10"), PORT(81))))));
	YES(EQ(concat(daddr, dport),
	       expr_setref(A, set_of(1, concat(expr_prefix(A, IP("10.0.0.0"), 8), expr_range(A, PORT(1), PORT(99)))))));
	PERHAPS(EQ(FIELD("tcp", "sport"), expr_setref(A, set_of(1, PORT(40000)))));
	NO(EQ(FIELD("tcp", "sport"), expr_setref(A, set_of(2, PORT(80), PORT(443)))));
	s = set_of(1, PORT(443));
	s->unread = "not permitted";
	PERHAPS(EQ(dport, expr_setref(A, s)));
	s = set_of(2, PORT(443), NULL);
	s->elems[1].catchall = true;
	YES(EQ(dport, expr_setref(A, s)));
	s = set_of(1, PORT(80));
	s->elems[0].stmts = LIMIT();
	PERHAPS(EQ(dport, expr_setref(A, s)));
}

/* A verdict map with a random key: each element is an outcome, and none is not. */
static void verdict_maps(void **state)
{
	struct expr *random = expr_new(A, EXPR_NUMGEN, DT_INTEGER, ORDER_HOST, 32);
	struct set *s = set_of(2, U32(0), U32(1));
	struct stmt *vmap = stmt_new(A, STMT_VMAP);
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_INET, "t"), "out", "filter", NF_INET_LOCAL_OUT, 0);

	(void)state;
	random->numgen.type = NFT_NG_RANDOM;
	random->numgen.modulus = 2;
	s->flags = SET_MAP;
	s->elems[0].verdict = &ACCEPT->verdict;
	s->elems[1].verdict = &DROP->verdict;
	vmap->vmap.key = random;
	vmap->vmap.map = s;
	RULE(c, vmap);
	c->policy = VERDICT_ACCEPT;
	run(&rq);
	assert_int_equal(res->branches, 2);
	assert_int_equal(res->n_outcomes, 2);
	assert_string_equal(res->outcomes[1].cases[0].a[0].what, "numgen random mod 2");
	assert_string_equal(res->outcomes[1].cases[0].a[0].answer, "1");
	random->numgen.modulus = 3; /* now no element is possible too */
	run(&rq);
	assert_int_equal(res->branches, 3);
	vmap->vmap.key = FIELD("tcp", "dport");
	s->elems[0].key = PORT(81);
	s->elems[1].key = PORT(80);
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	assert_int_equal(res->branches, 1);
	s->elems[1].key = PORT(82);
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
}

static struct stmt *any_of(struct stmt *a, struct stmt *b)
{
	struct stmt *s = stmt_new(A, STMT_ANY);

	s->any.n = 2;
	s->any.alternatives = arena_array(A, 2, sizeof(struct stmt *));
	s->any.alternatives[0] = a;
	s->any.alternatives[1] = b;
	return s;
}

static struct stmt *not(struct stmt *a)
{
	struct stmt *s = stmt_new(A, STMT_NOT);

	s->negated = a;
	return s;
}

static void logic(void **state)
{
	struct stmt *both;

	(void)state;
	YES(any_of(DPORT(80), DPORT(81)));
	YES(any_of(DPORT(82), DPORT(80)));
	NO(any_of(DPORT(82), DPORT(81)));
	YES(any_of(LIMIT(), DPORT(80)));
	PERHAPS(any_of(LIMIT(), DPORT(81)));
	NO(not(DPORT(80)));
	YES(not(DPORT(81)));
	PERHAPS(not(LIMIT()));
	both = DPORT(80);
	both->next = UID(1);
	YES(not(both));
	both = DPORT(81);
	both->next = LIMIT();
	YES(not(both)); /* one of them is false for certain */
}

static void special_kinds(void **state)
{
	struct expr *opt = expr_new(A, EXPR_EXTHDR, DT_INTEGER, ORDER_NET, 16);
	struct expr *frag = expr_new(A, EXPR_EXTHDR, DT_INTEGER, ORDER_NET, 8);
	struct stmt *opaque = stmt_new(A, STMT_OPAQUE);

	(void)state;
	opt->exthdr.op = NFT_EXTHDR_OP_TCPOPT;
	opt->exthdr.type = 2;
	PERHAPS(EQ(opt, PORT(1460)));
	frag->exthdr.op = NFT_EXTHDR_OP_IPV6;
	frag->exthdr.type = 44;
	NO(NE(frag, expr_u8(A, DT_INTEGER, 1)));
	frag->exthdr.present = true;
	NO(EQ(frag, expr_u8(A, DT_BOOLEAN, 1)));
	NO(EQ(frag, expr_u8(A, DT_BOOLEAN, 0))); /* it is no IPv6: the rule ends */
	opaque->opaque.name = "quantum";
	opaque->opaque.type = OPAQUE_MATCH;
	PERHAPS(opaque);
	PERHAPS(EQ(expr_new(A, EXPR_OSF, DT_OSF_NAME, ORDER_HOST, 128), expr_ifname(A, "Linux")));
}

/* What is assumed is known from then on. */
static void learning(void **state)
{
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_INET, "t"), "out", "filter", NF_INET_LOCAL_OUT, 0);

	(void)state;
	rq.has_uid = false;
	RULE(c, UID(1000), SET(META(MARK), U32(1)));
	RULE(c, CMP(OP_GE, META(SKUID), U32(2000)), DROP);
	RULE(c, NE(META(SKUID), U32(1000)), EQ(META(MARK), U32(1)), DROP); /* cannot be */
	run(&rq);
	/* uid 1000: accept; other: 2000 and more, or less */
	assert_int_equal(res->branches, 3);
	assert_int_equal(res->n_outcomes, 2);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(operators), TEST(ranges_and_prefixes), TEST(bits), TEST(ipv6_fields), TEST(tcp_flags), TEST(unknown_header_bits),
		TEST(metadata), TEST(no_socket), TEST(conntrack), TEST(routing_table), TEST(sets),
		TEST(verdict_maps), TEST(logic), TEST(special_kinds), TEST(learning),
	};

	return cmocka_run_group_tests_name("trace eval", tests, NULL, NULL);
}
