/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_connection - the words of a connection: what is understood, and each way to get it wrong */
#include "tests/unit/trace_build.h"

#include "nsutil/trace/connection.h"

static struct arena *arena;
static struct trace_request rq;
static struct err e;

/* One line, split at blanks as a shell would. */
static int parse(const char *line)
{
	char copy[512], *words[64], *save = NULL;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	memset(&e, 0, sizeof(e));
	return connection_parse(arena, n, words, &rq, &e);
}

static void good(void **state)
{
	char text[ADDR_TEXT];

	(void)state;
	assert_int_equal(parse("tcp 10.0.0.1:80"), 0);
	assert_int_equal(rq.path, TRACE_OUT);
	assert_int_equal(rq.l4proto, IPPROTO_TCP);
	assert_int_equal(rq.dport, 80);
	assert_int_equal(rq.sport, -1);
	assert_int_equal(rq.src.family, 0);
	assert_false(rq.has_uid);
	assert_int_equal(parse("in tcp 10.0.0.9:4000 -> 10.0.0.1:80 mark 0x10 iif eth0 ctstate ESTABLISHED"), 0);
	assert_int_equal(rq.path, TRACE_IN);
	assert_int_equal(rq.sport, 4000);
	assert_int_equal(rq.mark, 16);
	assert_int_equal(rq.ct_state, TRACE_CT_ESTABLISHED);
	assert_string_equal(rq.iif, "eth0");
	assert_int_equal(parse("OUT TCP 10.0.0.9 TO 10.0.0.1 DPORT 53 Uid 7"), 0);
	assert_int_equal(rq.path, TRACE_OUT);
	assert_int_equal(rq.dport, 53);
	assert_int_equal(rq.uid, 7);
	assert_int_equal(parse("icmp Echo-Request 10.0.0.1"), 0);
	assert_int_equal(rq.icmp_type, 8);
	assert_int_equal(connection_parse_line(arena, "{\"proto\":\"tcp\",\"src\":\"10.0.0.9\",\"dst\":\"10.0.0.1\",\"dport\":53}", &rq, &e), 0);
	assert_int_equal(rq.dport, 53);
	assert_string_equal(addr_fmt(&rq.src, text), "10.0.0.9");
	assert_int_equal(parse("udp 10.0.0.9->10.0.0.1 dport 53"), 0);
	assert_int_equal(rq.dport, 53);
	assert_int_equal(parse("tcp [fd00::1]:443 uid 1337"), 0);
	assert_int_equal(rq.family, NFPROTO_IPV6);
	assert_int_equal(rq.dport, 443);
	assert_true(rq.has_gid);
	assert_int_equal(rq.gid, 1337);
	assert_int_equal(parse("tcp fd00::1 uid 1337 gid 0"), 0);
	assert_string_equal(addr_fmt(&rq.dst, text), "fd00::1");
	assert_int_equal(rq.dport, -1);
	assert_int_equal(rq.gid, 0);
	/* a zero in front is no octal number; a mapped address is sent as IPv4 */
	assert_int_equal(parse("tcp [::ffff:10.0.0.1]:0080 uid 010"), 0);
	assert_string_equal(addr_fmt(&rq.dst, text), "10.0.0.1");
	assert_int_equal(rq.family, NFPROTO_IPV4);
	assert_int_equal(rq.dport, 80);
	assert_int_equal(rq.uid, 10);
	assert_int_equal(parse("icmp 8/0 10.0.0.1"), 0);
	assert_int_equal(rq.icmp_type, 8);
	assert_int_equal(parse("icmpv6 echo-reply fd00::1"), 0);
	assert_int_equal(rq.icmp_type, 129);
	assert_int_equal(parse("47 10.0.0.1"), 0);
	assert_int_equal(rq.l4proto, 47);
	assert_int_equal(parse("out tcp 10.0.0.1:80 cgroupv2 /system.slice/x..y.service cgroup 7"), 0);
	assert_string_equal(rq.cgroup_path, "/system.slice/x..y.service");
	assert_int_equal(rq.cgroup, 7);
	assert_int_equal(connection_parse_line(arena, "{\"proto\":\"tcp\",\"dst\":\"10.0.0.1\",\"dport\":53,\"cgroupv2\":\"/a\"}", &rq, &e), 0);
	assert_string_equal(rq.cgroup_path, "/a");
	assert_int_equal(parse("tcp 10.0.0.1:80 cgroupv2 /"), 0);
	assert_string_equal(rq.cgroup_path, "/");
	assert_int_equal(parse("tcp *:99 to 10.0.0.1:1 flags syn,ack ttl 64 dscp 46"), 0);
	assert_int_equal(rq.tcp_flags, 0x12);
	assert_int_equal(rq.sport, 99);
}

static void blanks_inside_a_word(void **state)
{
	char line[] = "in tcp 10.0.0.9 -> 10.0.0.1:80";
	char *one[] = { line };

	(void)state;
	assert_int_equal(connection_parse(arena, 1, one, &rq, &e), 0);
	assert_int_equal(rq.dport, 80);
	assert_int_equal(rq.path, TRACE_IN);
}

static void bad(void **state)
{
	static const struct { const char *line, *why; } cases[] = {
		{ "", "no connection given" },
		{ "out", "the protocol is missing" },
		{ "tpc 10.0.0.1", "'tpc' is no protocol" },
		{ "10.0.0.1:80", "'10.0.0.1:80' is no protocol" },
		{ "256 10.0.0.1", "is more than 255" },
		{ "tcp", "the destination is missing" },
		{ "tcp -> 10.0.0.1", "the source is missing" },
		{ "tcp 10.0.0.1 ->", "the destination is missing behind '->'" },
		{ "tcp 10.0.0.1 -", "the destination is missing behind '-'" },
		{ "tcp *", "must be an address" },
		{ "tcp example.org:80", "names are not looked up" },
		{ "tcp 10.0.0.0/8:80", "is a network" },
		{ "tcp 10.0.0.300:80", "is no address" },
		{ "tcp 10.0.0.1:http", "is no number" },
		{ "tcp 10.0.0.1:65536", "is more than 65535" },
		{ "tcp 10.0.0.1:", "a port is missing" },
		{ "tcp [fd00::1:80", "lacks its ']'" },
		{ "tcp [fd00::1]80", "only ':PORT' may follow" },
		{ "tcp [10.0.0.1]:80", "is no address" },
		{ "icmp 10.0.0.1:80", "the protocol has none" },
		{ "icmp fd00::1", "say icmpv6" },
		{ "icmpv6 10.0.0.1", "say icmp" },
		{ "icmp 300 10.0.0.1", "is more than 255" },
		{ "tcp 10.0.0.1 -> fd00::1", "different families" },
		{ "tcp 10.0.0.1:80 dport 81", "has one already" },
		{ "tcp 10.0.0.1:80 uid", "'uid' lacks its value" },
		{ "tcp 10.0.0.1:80 uid root", "'root' is no number" },
		{ "tcp 10.0.0.1:80 uid -1", "'-1' is no number" },
		{ "tcp 10.0.0.1:80 uid 4294967296", "is more than" },
		{ "tcp 10.0.0.1:80 uid 1 uid 2", "given twice" },
		{ "tcp 10.0.0.1:80 user 1", "'user' is not understood" },
		{ "tcp 10.0.0.1:80 ctstate bogus", "is none of" },
		{ "tcp 10.0.0.1:80 flags syn,xyz", "a list of" },
		{ "tcp 10.0.0.1:80 oif averyveryverylongname", "too long" },
		{ "tcp 10.0.0.1:80 iif eth0", "does not go with 'out'" },
		{ "in tcp 10.0.0.1:80 uid 0", "goes with 'out'" },
		{ "in tcp 10.0.0.1:80 oif eth0", "goes with 'out'" },
		{ "in tcp 10.0.0.1:80 cgroupv2 /a", "'cgroupv2' goes with 'out'" },
		{ "tcp 10.0.0.1:80 cgroupv2 a/b", "does not begin with '/'" },
		{ "tcp 10.0.0.1:80 cgroupv2 /a/../b", "neither '.' nor '..'" },
		{ "tcp 10.0.0.1:80 cgroupv2 /.", "neither '.' nor '..'" },
		{ "tcp 10.0.0.1:80 cgroupv2", "'cgroupv2' lacks its value" },
		{ "tcp 10.0.0.1:80 cgroupv2 /a cgroupv2 /b", "given twice" },
		{ "tcp 10.0.0.1:80 type 8", "is for icmp" },
		{ "udp 10.0.0.1:80 tcpopt none", "is for tcp" },
		{ "tcp 10.0.0.1:80 tcpopt bogus", "'bogus' is no TCP option" },
		{ "tcp 10.0.0.1:80 tcpopt 256", "'256' is no TCP option" },
		{ "tcp 10.0.0.1:80 tcpopt maxseg=65536", "a number that fits" },
		{ "tcp 10.0.0.1:80 tcpopt sack-perm=1", "a number that fits" },
		{ "tcp 10.0.0.1:80 tcpopt timestamp:00", "a number that fits" },
		{ "tcp 10.0.0.1:80 tcpopt nop:00", "a number that fits" },
		{ "tcp 10.0.0.1:80 tcpopt maxseg,", "'' is no TCP option" },
		{ "tcp 10.0.0.1:80 tcpopt timestamp,timestamp,timestamp,timestamp,maxseg", "room for 40" },
		{ "tcp 10.0.0.1:80 tcpopt 0x020405b", "a multiple of four" },
		{ "tcp 10.0.0.1:80 tcpopt 0x020a05b4", "each option with its length" },
		{ "tcp 10.0.0.1:80 tcpopt 0x02010101", "each option with its length" },
		{ "tcp 10.0.0.1:80 tcpopt maxseg mss 1460", "say maxseg=1460 there" },
		{ "tcp 10.0.0.1:80 exthdr hbh", "exthdr is for IPv6" },
		{ "tcp [fd00::1]:80 ipopt rr", "ipopt is for IPv4" },
		{ "tcp [fd00::1]:80 exthdr hbh:00", "6 or 8 more at a time" },
		{ "tcp [fd00::1]:80 exthdr mh", "'mh' is no extension header" },
		{ "tcp [fd00::1]:80 exthdr frag", "needs the word 'frag'" },
		{ "tcp [fd00::1]:80 exthdr frag,frag frag first", "one fragment header" },
		{ "tcp [fd00::1]:80 exthdr frag,dst frag later", "nothing but data" },
		{ "tcp [fd00::1]:80 exthdr hbh,dst,hbh,dst,hbh,dst,hbh,dst frag first", "more than 8 headers" },
		{ "tcp [fd00::1]:80 fragid 1", "needs 'frag'" },
		{ "tcp 10.0.0.1:80 fragid 65536", "more than 65535" },
		{ "tcp 10.0.0.1:80 frag 8192", "is none of" },
		{ "tcp 10.0.0.1:80 frag 1-", "is none of" },
		{ "tcp 10.0.0.1:80 spi 1", "is for ah and esp" },
		{ "tcp 10.0.0.1:80 ecn 4", "more than 3" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(cases[i].line) != -1)
			fail_msg("accepted: %s", cases[i].line);
		assert_int_equal(e.code, ERR_USAGE);
		if (!strstr(e.why, cases[i].why))
			fail_msg("%s: says '%s', not '%s'", cases[i].line, e.why, cases[i].why);
	}
}

static void lines(void **state)
{
	static const struct { const char *line, *why; } wrong[] = {
		{ "{", "a key is missing" }, { "{\"a\":1", "'}' is missing" }, { "{}", "'protocol' is missing" }, { "{\"protocol\":\"tcp\"}", "'daddr' is missing" },
		{ "{\"protocol\":\"tcp\",\"daddr\":\"10.0.0.1\"} x", "something follows" },
		{ "{\"protocol\":\"tcp\",\"daddr\":true}", "a value must be" },
		{ "{\"protocol\":\"tcp\",\"daddr\":[1]}", "a value must be" },
		{ "{\"protocol\":\"tcp\",\"daddr\":1.5}", "a value must be" },
		{ "{\"protocol\":\"tcp\",\"daddr\":\"10.0.0.1\",\"daddr\":\"10.0.0.2\"}", "stands twice" },
		{ "{\"protocol\":\"tcp\",\"daddr\":\"10.0.0.1\",\"colour\":1}", "'colour' is not understood" },
		{ "{\"protocol\":\"tcp\",\"daddr\":\"10.0.0.1\",\"dport\":99999}", "more than 65535" },
		{ "{\"protocol\":\"tcp\",\"daddr\":\"10.0.0.1}", "malformed" }, { "{\"protocol\" \"tcp\"}", "':' is missing" },
		{ "{\"protocol\":\"\\q\"}", "malformed" }, { "{protocol:1}", "a key is missing" },
		{ "tcp nowhere", "is no address" },
	};

	(void)state;
	memset(&e, 0, sizeof(e));
	assert_int_equal(connection_parse_line(arena, "{\"path\":\"in\",\"protocol\":\"tcp\",\"saddr\":\"10.0.0.9\","
		"\"sport\": 4000 , \"daddr\":\"10.0.0.1\",\"dport\":80,\"uid\":null,\"mark\":\"0x10\"} ", &rq, &e), 0);
	assert_int_equal(rq.path, TRACE_IN);
	assert_int_equal(rq.sport, 4000);
	assert_int_equal(rq.dport, 80);
	assert_int_equal(rq.mark, 16);
	assert_false(rq.has_uid);
	assert_int_equal(connection_parse_line(arena, "out udp 10.0.0.1:53 uid 5", &rq, &e), 0);
	assert_int_equal(rq.uid, 5);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(&e, 0, sizeof(e));
		if (connection_parse_line(arena, wrong[i].line, &rq, &e) != -1)
			fail_msg("accepted: %s", wrong[i].line);
		if (!strstr(e.why, wrong[i].why))
			fail_msg("%s: says '%s', not '%s'", wrong[i].line, e.why, wrong[i].why);
	}
}

static int begin(void **state)
{
	(void)state;
	arena = arena_new();
	return arena ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good), cmocka_unit_test(blanks_inside_a_word), cmocka_unit_test(bad), cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests_name("trace connection", tests, begin, end);
}
