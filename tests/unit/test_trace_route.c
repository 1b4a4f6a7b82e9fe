/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_route - policy rules, tables, source addresses and listeners, on a pod made by hand */
#include "tests/unit/trace_build.h"

static struct route_result got;

static const struct route_result *look(const char *dst, int iif, uint32_t mark)
{
	struct route_key k = { .dst = ADDR(dst), .iif = iif, .mark = mark, .mark_known = UINT32_MAX, .sport = -1,
			       .dport = -1, .l4proto = IPPROTO_TCP, .uid = 1000, .uid_known = true };

	route_lookup(&nv, &k, &got);
	return &got;
}

static void longest_prefix_and_metric(void **state)
{
	(void)state;
	assert_int_equal(look("10.0.1.7", 0, 0)->oif, 2);
	assert_int_equal(look("10.0.2.7", 0, 0)->oif, 3);
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 2);
	assert_string_equal(addr_text(&got.via), "10.0.1.1");
	route("8.8.0.0", 16, RTN_UNICAST, RT_TABLE_MAIN, 3, "10.0.2.1")->priority = 100;
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 3);
	route("8.8.0.0", 16, RTN_UNICAST, RT_TABLE_MAIN, 2, "10.0.1.1")->priority = 50;
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 2);
	assert_int_equal(look("8.9.8.8", 0, 0)->oif, 2);
}

static void kinds(void **state)
{
	(void)state;
	assert_int_equal(look("10.0.1.39", 0, 0)->kind, ROUTE_LOCAL);
	assert_int_equal(got.oif, 1); /* made here: over loopback */
	assert_string_equal(addr_text(&got.src), "10.0.1.39");
	assert_int_equal(look("10.0.1.39", 2, 0)->kind, ROUTE_LOCAL);
	assert_int_equal(look("127.1.2.3", 0, 0)->kind, ROUTE_LOCAL);
	route("9.0.0.0", 8, RTN_BLACKHOLE, RT_TABLE_MAIN, 0, NULL);
	route("9.1.0.0", 16, RTN_UNREACHABLE, RT_TABLE_MAIN, 0, NULL);
	route("9.2.0.0", 16, RTN_THROW, RT_TABLE_MAIN, 0, NULL);
	assert_int_equal(look("9.9.9.9", 0, 0)->kind, ROUTE_UNREACHABLE);
	assert_int_equal(look("9.1.9.9", 0, 0)->kind, ROUTE_UNREACHABLE);
	assert_int_equal(look("9.2.9.9", 0, 0)->kind, ROUTE_UNREACHABLE); /* thrown, and no further table has it */
	route("9.2.0.0", 16, RTN_UNICAST, RT_TABLE_DEFAULT, 3, NULL);
	assert_int_equal(look("9.2.9.9", 0, 0)->kind, ROUTE_UNICAST);
}

static struct nv_rule *rule(uint32_t priority, uint32_t in_table)
{
	struct nv_rule *r = &rules[nv.n_rules++];

	*r = (struct nv_rule){ .action = 1, .priority = priority, .table = in_table, .uid_to = UINT32_MAX,
			       .suppress_prefixlen = -1 };
	return r;
}

static void policy_rules(void **state)
{
	struct nv_rule *r;

	(void)state;
	rule(32766, RT_TABLE_MAIN); /* the order of the list does not matter, the priority does */
	rule(0, RT_TABLE_LOCAL);
	r = rule(100, 133);
	route("0.0.0.0", 0, RTN_UNICAST, 133, 3, "10.0.2.1");
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 3);
	r->fwmark = 0x30;
	r->fwmask = 0xf0;
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 2);
	assert_int_equal(look("8.8.8.8", 0, 0x1234)->oif, 3);
	r->invert = true;
	assert_int_equal(look("8.8.8.8", 0, 0x1234)->oif, 2);
	r->invert = false;
	r->fwmark = r->fwmask = 0;
	r->uid_from = r->uid_to = 1000;
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 3);
	r->uid_from = r->uid_to = 1001;
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 2);
	*r = (struct nv_rule){ .action = 1, .priority = 100, .table = 133, .iif = "eth1", .uid_to = UINT32_MAX,
			       .suppress_prefixlen = -1 };
	assert_int_equal(look("8.8.8.8", 2, 0)->oif, 2);
	assert_int_equal(look("8.8.8.8", 3, 0)->oif, 3);
	memcpy(r->iif, "lo", 3); /* what is made here comes from lo */
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 3);
	assert_int_equal(look("8.8.8.8", 3, 0)->oif, 2);
	r->iif[0] = '\0';
	r->dst = ADDR("8.8.0.0");
	r->dst_len = 16;
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 3);
	assert_int_equal(look("8.9.8.8", 0, 0)->oif, 2);
	r->suppress_prefixlen = 0; /* its default route does not count */
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 2);
	r->suppress_prefixlen = -1;
	r->action = 8; /* FR_ACT_PROHIBIT */
	assert_int_equal(look("8.8.8.8", 0, 0)->kind, ROUTE_UNREACHABLE);
	r->action = 2; /* FR_ACT_GOTO */
	r->goto_target = 32766;
	assert_int_equal(look("8.8.8.8", 0, 0)->oif, 2);
}

static unsigned answer, asked;
static unsigned ask_fn(void *ctx, unsigned n, const char *what)
{
	(void)ctx;
	(void)what;
	asked = n;
	return answer;
}

static void unknowns_are_asked(void **state)
{
	struct route_key k = { .dst = ADDR("8.8.8.8"), .sport = -1, .dport = -1, .mark_known = 0xff,
			       .ask = { ask_fn, NULL } };
	struct nv_nexthop two[2] = { { .oif = 2 }, { .oif = 3 } };
	struct nv_rule *r;

	(void)state;
	rule(32766, RT_TABLE_MAIN);
	r = rule(100, 133);
	r->fwmark = 0x100;
	r->fwmask = 0xff00;
	route("0.0.0.0", 0, RTN_UNICAST, 133, 3, "10.0.2.1");
	answer = 0; /* yes */
	route_lookup(&nv, &k, &got);
	assert_int_equal(asked, 2);
	assert_int_equal(got.oif, 3);
	answer = 1;
	route_lookup(&nv, &k, &got);
	assert_int_equal(got.oif, 2);
	k.mark_known = UINT32_MAX;
	asked = 0;
	routes[7].hops = two;
	routes[7].n_hops = 2;
	route_lookup(&nv, &k, &got);
	assert_int_equal(asked, 2);
	assert_int_equal(got.oif, 3);
}

static void sources(void **state)
{
	struct nv_route *r;

	(void)state;
	assert_string_equal(addr_text(&look("8.8.8.8", 0, 0)->src), "10.0.1.39");
	assert_string_equal(addr_text(&look("10.0.2.7", 0, 0)->src), "10.0.2.39");
	r = route("7.0.0.0", 8, RTN_UNICAST, RT_TABLE_MAIN, 3, NULL);
	assert_string_equal(addr_text(&look("7.0.0.1", 0, 0)->src), "10.0.2.39");
	r->prefsrc = ADDR("10.0.1.39");
	assert_string_equal(addr_text(&look("7.0.0.1", 0, 0)->src), "10.0.1.39");
	assert_string_equal(addr_text(&look("2001:db8::1", 0, 0)->src), "fd00:1::39");
	assert_string_equal(addr_text(&look("::1", 0, 0)->src), "::1");
	/* ff02::1 has the scope of a link, and gets an address of that scope */
	addrs[4] = (struct nv_addr){ .ifindex = 2, .addr = ADDR("fe80::2"), .prefix_len = 64 };
	if (nv.n_addrs < 5)
		nv.n_addrs = 5;
	route("ff00::", 8, RTN_MULTICAST, RT_TABLE_LOCAL, 2, NULL);
	assert_string_equal(addr_text(&look("ff02::1", 0, 0)->src), "fe80::2");
	assert_string_equal(addr_text(&look("ff05::1", 0, 0)->src), "fd00:1::39");
}

static const char *who(uint8_t proto, const char *dst, int port)
{
	struct route_key k = { .dst = ADDR(dst), .dport = port, .sport = -1, .l4proto = proto, .iif = 2 };
	const struct nv_socket *all[16], *s;

	for (unsigned i = 0; i < nv.n_sockets; i++)
		all[i] = &sockets[i];
	s = route_listener(all, nv.n_sockets, &k);

	return s ? s->process : "nobody";
}

static void listeners(void **state)
{
	struct nv_socket *s;

	(void)state;
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 15001), "envoy");
	assert_string_equal(who(IPPROTO_TCP, "fd00:1::39", 15001), "nobody"); /* IPv4 only */
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 8080), "app");      /* :: takes IPv4 too */
	assert_string_equal(who(IPPROTO_TCP, "fd00:1::39", 8080), "app");
	assert_string_equal(who(IPPROTO_UDP, "10.0.1.39", 8080), "nobody");
	sockets[2].v6only = true;
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 8080), "nobody");
	/* a specific address wins over any, whatever the order */
	listener(AF_INET, IPPROTO_TCP, "10.0.1.39", 15001, 1, 0, "special");
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 15001), "special");
	assert_string_equal(who(IPPROTO_TCP, "127.0.0.1", 15001), "envoy");
	/* bound to another device */
	s = listener(AF_INET, IPPROTO_TCP, "0.0.0.0", 99, 1, 0, "bound");
	s->ifindex = 3;
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 99), "nobody");
	s->ifindex = 2;
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 99), "bound");
	s->listening = false;
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 99), "nobody");
	listener(AF_INET6, IPPROTO_TCP, "::ffff:10.0.1.39", 98, 1, 0, "mapped");
	assert_string_equal(who(IPPROTO_TCP, "10.0.1.39", 98), "mapped");
	assert_string_equal(who(IPPROTO_TCP, "10.0.2.39", 98), "nobody");
}

static void primary_address(void **state)
{
	struct addr v4 = ADDR("1.2.3.4"), v6 = ADDR("2001:db8::1"), a;

	(void)state;
	addrs[1].flags = 1; /* IFA_F_SECONDARY */
	a = route_primary(&nv, 2, &v4);
	assert_int_equal(a.family, 0);
	addrs[1].flags = 0;
	a = route_primary(&nv, 2, &v4);
	assert_string_equal(addr_text(&a), "10.0.1.39");
	addrs[4] = (struct nv_addr){ .ifindex = 2, .addr = ADDR("fd00:1::99"), .prefix_len = 64 };
	addrs[3].addr = ADDR("fe80::1");
	a = route_primary(&nv, 2, &v6);
	assert_string_equal(addr_text(&a), "fd00:1::99");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(longest_prefix_and_metric), TEST(kinds), TEST(policy_rules), TEST(unknowns_are_asked),
		TEST(sources), TEST(listeners), TEST(primary_address),
	};

	return cmocka_run_group_tests_name("trace route", tests, NULL, NULL);
}
