/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_canon - rules that mean the same have one form, others have not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "nsutil/ruleset/canon.h"

static struct arena *A;

static int setup(void **state)
{
	(void)state;
	A = arena_new();
	return A ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(A);
	return 0;
}

/* The model, written as short as the rules it stands for. */
static struct expr *addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return expr_addr(A, &a);
}

static struct expr *port(uint16_t p)
{
	return expr_be16(A, DT_SERVICE, p);
}

static struct expr *num(uint32_t v)
{
	return expr_u32(A, DT_INTEGER, v);
}

static struct stmt *match(enum match_op op, struct expr *l, struct expr *r)
{
	struct stmt *s = stmt_match_new(A, op, l, r);

	assert_non_null(s);
	return s;
}

static struct stmt *is(struct expr *l, struct expr *r)
{
	return match(OP_EQ, l, r);
}

static struct stmt *verdict(enum verdict v)
{
	return stmt_verdict_new(A, v, NULL);
}

static struct expr *anon_set(unsigned n, ...)
{
	struct set *s = arena_alloc(A, sizeof(*s));
	va_list ap;

	s->name = "__set0";
	s->flags = SET_ANONYMOUS | SET_CONSTANT;
	s->elems = arena_array(A, n, sizeof(*s->elems));
	s->n_elems = n;
	va_start(ap, n);
	for (unsigned i = 0; i < n; i++)
		s->elems[i].key = va_arg(ap, struct expr *);
	va_end(ap);
	return expr_setref(A, s);
}

static struct stmt *xt(const char *name, bool target, struct stmt *meaning, const char *why)
{
	struct stmt *s = stmt_new(A, STMT_XT);

	s->xt = arena_alloc(A, sizeof(*s->xt));
	s->xt->name = name;
	s->xt->target = target;
	s->xt->meaning = meaning;
	s->xt->why_unknown = why;
	return s;
}

/* list(s, ..., NULL) - statements in order */
static struct stmt *list(struct stmt *first, ...)
{
	struct stmt *head = NULL;
	va_list ap;

	va_start(ap, first);
	for (struct stmt *s = first; s; s = va_arg(ap, struct stmt *))
		stmt_append(&head, s);
	va_end(ap);
	return head;
}

static bool same_in(uint8_t fa, struct stmt *a, uint8_t fb, struct stmt *b)
{
	struct canon ca, cb;

	assert_int_equal(canon_stmts(A, fa, a, &ca), 0);
	assert_int_equal(canon_stmts(A, fb, b, &cb), 0);
	return canon_same(&ca, &cb);
}

#define same(a, b) assert_true(same_in(NFPROTO_IPV4, a, NFPROTO_IPV4, b))
#define differ(a, b) assert_false(same_in(NFPROTO_IPV4, a, NFPROTO_IPV4, b))

static void a_value_has_one_form(void **state)
{
	(void)state;
#define D expr_field(A, "ip", "daddr")
	same(is(D, addr("10.0.0.1")), is(D, expr_prefix(A, addr("10.0.0.1"), 32)));
	same(is(D, addr("10.0.0.1")), is(D, expr_range(A, addr("10.0.0.1"), addr("10.0.0.1"))));
	same(is(D, addr("10.0.0.1")), is(D, anon_set(1, addr("10.0.0.1"))));
	same(is(D, expr_prefix(A, addr("10.1.0.0"), 16)),
	     is(expr_binop(A, BINOP_AND, D, addr("255.255.0.0")), addr("10.1.0.0")));
	same(is(D, expr_prefix(A, addr("10.1.0.0"), 16)),
	     is(D, expr_range(A, addr("10.1.0.0"), addr("10.1.255.255"))));
	same(is(expr_binop(A, BINOP_AND, D, addr("255.255.255.255")), addr("10.1.0.0")),
	     is(D, addr("10.1.0.0")));
	same(is(D, anon_set(2, addr("10.0.0.2"), addr("10.0.0.1"))),
	     is(D, expr_range(A, addr("10.0.0.1"), addr("10.0.0.2"))));
	same(is(D, expr_prefix(A, addr("0.0.0.0"), 0)), NULL);
	same(match(OP_NE, D, addr("10.0.0.1")), match(OP_NE, D, anon_set(1, addr("10.0.0.1"))));
	differ(is(D, addr("10.0.0.1")), match(OP_NE, D, addr("10.0.0.1")));
	differ(is(D, addr("10.0.0.1")), is(expr_field(A, "ip", "saddr"), addr("10.0.0.1")));
	differ(is(D, expr_prefix(A, addr("10.1.0.0"), 16)), is(D, expr_prefix(A, addr("10.1.0.0"), 17)));
	/* the kernel compares the whole value with what the mask has left */
	same(is(D, expr_prefix(A, addr("10.1.2.3"), 16)), is(D, expr_range(A, addr("2.0.0.0"), addr("1.0.0.0"))));
	same(match(OP_NE, D, expr_prefix(A, addr("10.1.2.3"), 16)), NULL);
#undef D
}

static void orders_and_complements(void **state)
{
	struct expr *p = expr_field(A, "tcp", "dport");

	(void)state;
	same(match(OP_LT, p, port(1024)), is(p, expr_range(A, port(0), port(1023))));
	same(match(OP_GE, p, port(1024)), is(p, expr_range(A, port(1024), port(65535))));
	same(match(OP_GT, p, port(1023)), match(OP_GE, p, port(1024)));
	same(match(OP_NE, p, port(80)), is(p, anon_set(2, expr_range(A, port(0), port(79)),
						       expr_range(A, port(81), port(65535)))));
	same(is(p, expr_range(A, port(0), port(65535))),
	     is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 6)));
	differ(match(OP_LT, p, port(1024)), match(OP_LE, p, port(1024)));
}

static struct stmt *tcp_option(uint8_t there)
{
	struct expr *x = expr_new(A, EXPR_EXTHDR, DT_BOOLEAN, ORDER_HOST, 8);

	x->exthdr.op = NFT_EXTHDR_OP_TCPOPT;
	x->exthdr.type = 5;
	x->exthdr.present = true;
	return is(x, expr_u8(A, DT_BOOLEAN, there));
}

static void a_protocol_is_asked_in_three_ways(void **state)
{
	struct stmt *meta = is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 6));
	struct stmt *ip = is(expr_field(A, "ip", "protocol"), expr_u8(A, DT_INET_PROTO, 6));
	struct stmt *udp = is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 17));

	(void)state;
	same(meta, ip);
	differ(meta, udp);
	/* said, or implied by the field, or said as an xt match without options */
	same(is(expr_field(A, "tcp", "dport"), port(80)),
	     list(is(expr_field(A, "ip", "protocol"), expr_u8(A, DT_INET_PROTO, 6)),
		  xt("tcp", false, is(expr_field(A, "tcp", "dport"), port(80)), NULL), NULL));
	same(list(is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 6)), xt("tcp", false, NULL, NULL), NULL),
	     is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 6)));
	differ(is(expr_field(A, "tcp", "dport"), port(80)), is(expr_field(A, "udp", "dport"), port(80)));
	/* an option that is there is one of TCP; none is there in what is no TCP */
	same(tcp_option(1), list(meta, tcp_option(1), NULL));
	differ(tcp_option(0), list(is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 6)), tcp_option(0), NULL));
	same(list(is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 17)),
		  is(expr_field(A, "th", "dport"), port(53)), NULL),
	     is(expr_field(A, "udp", "dport"), port(53)));
}

static void ports_of_multiport_are_a_set(void **state)
{
	struct stmt *l4 = is(expr_meta(A, NFT_META_L4PROTO), expr_u8(A, DT_INET_PROTO, 6));

	(void)state;
	same(list(l4, xt("multiport", false, is(expr_field(A, "th", "dport"), anon_set(2, port(443), port(80))), NULL),
		  verdict(VERDICT_ACCEPT), NULL),
	     list(is(expr_field(A, "tcp", "dport"), anon_set(2, port(80), port(443))), verdict(VERDICT_ACCEPT), NULL));
}

static void conntrack_states(void **state)
{
	struct expr *ct = expr_ct(A, NFT_CT_STATE, -1);
	struct expr *bits = expr_binop(A, BINOP_AND, ct, num(6));

	(void)state;
	same(match(OP_NE, bits, num(0)), is(ct, anon_set(2, num(2), num(4))));
	same(match(OP_NE, bits, num(0)), xt("conntrack", false, match(OP_NE, bits, num(0)), NULL));
	same(match(OP_NE, expr_binop(A, BINOP_AND, ct, num(8)), num(0)), is(ct, num(8)));
	same(is(bits, num(0)), match(OP_NE, ct, anon_set(2, num(2), num(4))));
	differ(match(OP_NE, bits, num(0)), is(bits, num(0)));
	differ(match(OP_NE, bits, num(0)), is(ct, num(2)));
}

static void masks(void **state)
{
	struct expr *mark = expr_meta(A, NFT_META_MARK);

	(void)state;
	same(is(mark, num(0x539)), is(expr_binop(A, BINOP_AND, mark, num(0xffffffff)), num(0x539)));
	differ(is(mark, num(0x539)), is(expr_binop(A, BINOP_AND, mark, num(0xfff)), num(0x539)));
	differ(is(expr_binop(A, BINOP_AND, mark, num(0xfff)), num(0x539)),
	       match(OP_NE, expr_binop(A, BINOP_AND, mark, num(0xfff)), num(0x539)));
	/* of one bit: set is "not clear" */
	same(match(OP_NE, expr_binop(A, BINOP_AND, mark, num(0x4000)), num(0)),
	     is(expr_binop(A, BINOP_AND, mark, num(0x4000)), num(0x4000)));
	same(match(OP_NE, expr_binop(A, BINOP_AND, mark, num(0x4000)), num(0x4000)),
	     is(expr_binop(A, BINOP_AND, mark, num(0x4000)), num(0)));
	differ(match(OP_NE, expr_binop(A, BINOP_AND, mark, num(0x6000)), num(0)),
	       is(expr_binop(A, BINOP_AND, mark, num(0x6000)), num(0x6000)));
	/* (mark ^ 1) & 0xff = 3 asks for 2 */
	same(is(expr_binop(A, BINOP_AND, expr_binop(A, BINOP_XOR, mark, num(1)), num(0xff)), num(3)),
	     is(expr_binop(A, BINOP_AND, mark, num(0xff)), num(2)));
}

static void interface_names(void **state)
{
	struct expr *oif = expr_meta(A, NFT_META_OIFNAME);

	(void)state;
	same(is(oif, expr_ifname(A, "eth+")), is(oif, expr_ifname(A, "eth*")));
	same(is(oif, expr_ifname(A, "eth*")), is(oif, expr_bytes(A, DT_IFNAME, ORDER_HOST, "eth", 24)));
	same(is(oif, expr_ifname(A, "lo")), is(oif, expr_bytes(A, DT_IFNAME, ORDER_HOST, "lo", 24)));
	same(is(oif, expr_ifname(A, "lo")), is(oif, anon_set(1, expr_ifname(A, "lo"))));
	differ(is(oif, expr_ifname(A, "lo")), is(oif, expr_ifname(A, "lo*")));
	differ(is(oif, expr_ifname(A, "lo")), is(expr_meta(A, NFT_META_IIFNAME), expr_ifname(A, "lo")));
}

static struct stmt *set_mark(struct expr *value)
{
	struct stmt *s = stmt_new(A, STMT_SET_VALUE);

	s->set_value.target = expr_meta(A, NFT_META_MARK);
	s->set_value.value = value;
	return s;
}

static void marks_are_set_in_many_ways(void **state)
{
	struct expr *mark = expr_meta(A, NFT_META_MARK);

	(void)state;
	same(set_mark(num(0x1)), set_mark(expr_binop(A, BINOP_XOR, expr_binop(A, BINOP_AND, mark, num(0)), num(1))));
	/* --set-xmark 0x4000/0x4000 is --or-mark 0x4000 */
	same(set_mark(expr_binop(A, BINOP_OR, mark, num(0x4000))),
	     xt("MARK", true,
		set_mark(expr_binop(A, BINOP_XOR, expr_binop(A, BINOP_AND, mark, num(0xffffbfff)), num(0x4000))),
		NULL));
	differ(set_mark(expr_binop(A, BINOP_OR, mark, num(0x4000))),
	       set_mark(expr_binop(A, BINOP_XOR, mark, num(0x4000))));
	differ(set_mark(num(1)), set_mark(num(2)));
}

static struct stmt *nat(enum nat_kind kind, struct expr *to, struct expr *to_max, struct expr *p, uint32_t flags)
{
	struct stmt *s = stmt_new(A, STMT_NAT);

	s->nat = (struct stmt_nat){ .kind = kind, .addr = to, .addr_max = to_max, .port = p, .flags = flags };
	return s;
}

static void nat_targets(void **state)
{
	(void)state;
	same(xt("REDIRECT", true, nat(NAT_REDIRECT, NULL, NULL, port(15001), NF_NAT_RANGE_PROTO_SPECIFIED), NULL),
	     nat(NAT_REDIRECT, NULL, NULL, port(15001), 0));
	same(nat(NAT_DNAT, addr("10.0.0.1"), addr("10.0.0.1"), port(80),
		 NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED),
	     nat(NAT_DNAT, addr("10.0.0.1"), NULL, port(80), 0));
	same(xt("MASQUERADE", true, nat(NAT_MASQUERADE, NULL, NULL, NULL, 0), NULL),
	     nat(NAT_MASQUERADE, NULL, NULL, NULL, 0));
	differ(nat(NAT_MASQUERADE, NULL, NULL, NULL, NF_NAT_RANGE_PROTO_RANDOM_FULLY),
	       nat(NAT_MASQUERADE, NULL, NULL, NULL, 0));
	differ(nat(NAT_REDIRECT, NULL, NULL, port(15001), 0), nat(NAT_REDIRECT, NULL, NULL, port(15006), 0));
}

static struct stmt *limit(uint64_t rate, uint64_t unit)
{
	struct stmt *s = stmt_new(A, STMT_LIMIT);

	s->limit = (struct stmt_limit){ .rate = rate, .unit_secs = unit, .burst = 5 };
	return s;
}

static struct stmt *dport(uint16_t p)
{
	return is(expr_field(A, "tcp", "dport"), port(p));
}

static struct stmt *from(const char *a)
{
	return is(expr_field(A, "ip", "saddr"), addr(a));
}

static void order_of_conditions_but_not_of_actions(void **state)
{
	(void)state;
	same(list(dport(80), from("10.0.0.1"), verdict(VERDICT_DROP), NULL),
	     list(from("10.0.0.1"), dport(80), verdict(VERDICT_DROP), NULL));
	same(list(dport(80), dport(80), verdict(VERDICT_DROP), NULL), list(dport(80), verdict(VERDICT_DROP), NULL));
	differ(list(set_mark(num(1)), set_mark(num(2)), NULL), list(set_mark(num(2)), set_mark(num(1)), NULL));
	differ(list(dport(80), limit(5, 60), verdict(VERDICT_DROP), NULL),
	       list(limit(5, 60), dport(80), verdict(VERDICT_DROP), NULL));
	same(limit(60, 60), limit(1, 1));
	same(list(dport(80), xt("limit", false, limit(5, 60), NULL), NULL), list(dport(80), limit(5, 60), NULL));
	differ(limit(5, 60), limit(6, 60));
}

static void what_makes_no_difference(void **state)
{
	struct stmt *counter = stmt_new(A, STMT_COUNTER);

	(void)state;
	counter->counter.packets = 7;
	same(list(dport(80), counter, verdict(VERDICT_DROP), NULL), list(dport(80), verdict(VERDICT_DROP), NULL));
	same(list(dport(80), xt("comment", false, NULL, NULL), verdict(VERDICT_DROP), NULL),
	     list(dport(80), verdict(VERDICT_DROP), NULL));
	same(list(dport(80), verdict(VERDICT_CONTINUE), NULL), dport(80));
}

static void families(void **state)
{
	struct stmt *v4 = is(expr_meta(A, NFT_META_NFPROTO), expr_u8(A, DT_NFPROTO, NFPROTO_IPV4));

	(void)state;
	assert_true(same_in(NFPROTO_IPV4, dport(80), NFPROTO_INET, list(v4, dport(80), NULL)));
	assert_true(same_in(NFPROTO_IPV4, from("10.0.0.1"), NFPROTO_INET, from("10.0.0.1")));
	assert_false(same_in(NFPROTO_IPV4, dport(80), NFPROTO_INET, dport(80)));
	assert_false(same_in(NFPROTO_IPV4, dport(80), NFPROTO_IPV6, dport(80)));
}

static struct stmt *reject(enum reject_kind kind, uint8_t code)
{
	struct stmt *s = stmt_new(A, STMT_REJECT);

	s->reject = (struct stmt_reject){ .kind = kind, .code = code };
	return s;
}

static void rejects(void **state)
{
	(void)state;
	same(reject(REJECT_ICMP, 3), reject(REJECT_ICMPX, NFT_REJECT_ICMPX_PORT_UNREACH));
	assert_true(same_in(NFPROTO_IPV6, reject(REJECT_ICMP6, 4), NFPROTO_IPV6,
			    reject(REJECT_ICMPX, NFT_REJECT_ICMPX_PORT_UNREACH)));
	differ(reject(REJECT_ICMP, 3), reject(REJECT_TCP_RST, 0));
}

static struct stmt *not(struct stmt *s)
{
	struct stmt *n = stmt_new(A, STMT_NOT);

	n->negated = s;
	return n;
}

static struct stmt *any(struct stmt *a, struct stmt *b)
{
	struct stmt *s = stmt_new(A, STMT_ANY);

	s->any.alternatives = arena_array(A, 2, sizeof(struct stmt *));
	s->any.alternatives[0] = a;
	s->any.alternatives[1] = b;
	s->any.n = b ? 2 : 1;
	return s;
}

static void alternatives_and_negations(void **state)
{
	struct expr *mark = expr_meta(A, NFT_META_MARK);

	(void)state;
	same(not(is(mark, num(1))), match(OP_NE, mark, num(1)));
	same(any(from("10.0.0.1"), from("10.0.0.2")), any(from("10.0.0.2"), from("10.0.0.1")));
	same(any(dport(80), NULL), dport(80));
	differ(any(from("10.0.0.1"), from("10.0.0.2")), any(from("10.0.0.1"), from("10.0.0.3")));
	/* not (tcp to port 80) is also true of UDP */
	differ(not(dport(80)), match(OP_NE, expr_field(A, "tcp", "dport"), port(80)));
	differ(any(dport(80), from("10.0.0.1")), list(dport(80), from("10.0.0.1"), NULL));
}

static void named_sets_by_name(void **state)
{
	struct set *a = arena_alloc(A, sizeof(*a)), *b = arena_alloc(A, sizeof(*b)), *c = arena_alloc(A, sizeof(*c));

	(void)state;
	a->name = "blocked", b->name = "blocked", c->name = "allowed";
	same(is(expr_field(A, "ip", "saddr"), expr_setref(A, a)), is(expr_field(A, "ip", "saddr"), expr_setref(A, b)));
	differ(is(expr_field(A, "ip", "saddr"), expr_setref(A, a)),
	       is(expr_field(A, "ip", "saddr"), expr_setref(A, c)));
}

static void opaque_parts_by_their_bytes(void **state)
{
	struct stmt *a = stmt_new(A, STMT_OPAQUE), *b = stmt_new(A, STMT_OPAQUE);

	(void)state;
	a->opaque = (struct stmt_opaque){ .name = "u64", .data = "abcd", .size = 4, .type = OPAQUE_MATCH };
	b->opaque = a->opaque;
	same(list(a, NULL), list(b, NULL));
	b->opaque.data = "abce";
	differ(list(a, NULL), list(b, NULL));
	b->opaque.data = "abcd";
	b->opaque.rev = 1;
	differ(list(a, NULL), list(b, NULL));
}

static void concatenations(void **state)
{
	struct expr *l = expr_new(A, EXPR_CONCAT, DT_INTEGER, ORDER_NET, 64);
	struct expr *r = expr_new(A, EXPR_CONCAT, DT_INTEGER, ORDER_NET, 64);

	(void)state;
	l->concat.n = r->concat.n = 2;
	l->concat.parts = arena_array(A, 2, sizeof(l));
	r->concat.parts = arena_array(A, 2, sizeof(l));
	l->concat.parts[0] = expr_field(A, "ip", "saddr");
	l->concat.parts[1] = expr_field(A, "tcp", "dport");
	r->concat.parts[0] = addr("10.0.0.1");
	r->concat.parts[1] = port(80);
	same(is(l, anon_set(1, r)), list(from("10.0.0.1"), dport(80), NULL));
}

static void changed_rules_keep_their_conditions(void **state)
{
	struct canon a, b, c;

	(void)state;
	canon_stmts(A, NFPROTO_IPV4, list(dport(80), verdict(VERDICT_ACCEPT), NULL), &a);
	canon_stmts(A, NFPROTO_IPV4, list(dport(80), verdict(VERDICT_DROP), NULL), &b);
	canon_stmts(A, NFPROTO_IPV4, list(dport(81), verdict(VERDICT_DROP), NULL), &c);
	assert_true(a.conditions == b.conditions);
	assert_false(b.conditions == c.conditions);
	assert_false(a.hash == b.hash);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_value_has_one_form),
		T(orders_and_complements),
		T(a_protocol_is_asked_in_three_ways),
		T(ports_of_multiport_are_a_set),
		T(conntrack_states),
		T(masks),
		T(interface_names),
		T(marks_are_set_in_many_ways),
		T(nat_targets),
		T(order_of_conditions_but_not_of_actions),
		T(what_makes_no_difference),
		T(families),
		T(rejects),
		T(alternatives_and_negations),
		T(named_sets_by_name),
		T(opaque_parts_by_their_bytes),
		T(concatenations),
		T(changed_rules_keep_their_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
