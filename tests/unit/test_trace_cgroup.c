/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_cgroup - conditions on control groups (version 2): whose it is, what is above it, what is not known */
#include "tests/unit/trace_build.h"

#include <linux/netfilter/xt_cgroup.h>

#include "nsutil/ruleset/cgroups.h"
#include "nsutil/trace/connection.h"

/* / (1), /s (10), /s/x (7), /s/x/y (30), /t (40) */
static const struct nv_cgroup groups[] = {
	{ 7, 10, "x" }, { 1, 0, "" }, { 30, 7, "y" }, { 10, 1, "s" }, { 40, 1, "t" },
};
static struct nv_cgroup listed[8];

static int set_up(void **state)
{
	setup(state);
	memcpy(listed, groups, sizeof(groups));
	nv.cgroups = listed;
	nv.n_cgroups = 5;
	nv_cgroup_sort(&nv);
	return 0;
}

static struct stmt *level(enum match_op op, uint32_t n, uint64_t id)
{
	struct expr *x = expr_new(A, EXPR_SOCKET, DT_CGROUPV2, ORDER_HOST, 64);

	x->socket.key = NFT_SOCKET_CGROUPV2;
	x->socket.level = n;
	return CMP(op, x, expr_bytes(A, DT_CGROUPV2, ORDER_HOST, &id, 64));
}
#define LEVEL(n, id) level(OP_EQ, n, id)
#define NOT_LEVEL(n, id) level(OP_NE, n, id)

static struct stmt *path(unsigned rev, bool invert, const char *text)
{
	struct xt_ext *x = arena_alloc(A, sizeof(*x));
	struct stmt *s = stmt_new(A, STMT_XT);
	struct xt_cgroup_info_v1 *v1 = arena_alloc(A, sizeof(*v1));
	struct xt_cgroup_info_v2 *v2 = arena_alloc(A, sizeof(*v2));

	v1->has_path = v2->has_path = 1;
	v1->invert_path = v2->invert_path = invert;
	snprintf(v1->path, sizeof(v1->path), "%s", text);
	snprintf(v2->path, sizeof(v2->path), "%s", text);
	x->name = "cgroup";
	x->why_unknown = "not computed";
	x->rev = (uint8_t)rev;
	x->data = rev == 1 ? (void *)v1 : (void *)v2;
	x->size = (uint32_t)(rev == 1 ? sizeof(*v1) : sizeof(*v2));
	s->xt = x;
	return s;
}
#define PATH(text) path(2, false, text)
#define NOT_PATH(text) path(2, true, text)

static struct trace_request rq;

/* Does the packet of "words" meet a condition at a hook? */
static enum tri at(unsigned hook, const char *words, struct stmt *cond)
{
	struct chain *c = base(table(STORE_LEGACY, NFPROTO_IPV4, "t"), "look", "filter", hook, 1);
	struct err e = ERR_INIT;
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", words);
	if (connection_parse(A, 1, (char *[]){ copy }, &rq, &e) < 0)
		fail_msg("%s: %s", words, e.why);
	c->rules = NULL;
	c->rules_tail = &c->rules;
	c->n_rules = 0;
	RULE(c, cond, DROP);
	run(&rq);
	return res->n_outcomes > 1 ? TRI_UNKNOWN : res->outcomes[0].verdict == TRACE_DROP ? TRI_TRUE : TRI_FALSE;
}
#define AT(hook, words, cond, how) assert_int_equal(at(NF_INET_##hook, words, cond), TRI_##how)
#define OUT(words, cond, how) AT(LOCAL_OUT, "out tcp 10.96.0.10:80 uid 0 " words, cond, how)

static const char *why(void)
{
	return res->outcomes[0].n_cases ? res->outcomes[0].cases[0].a[0].why : "";
}

static void given(void **state)
{
	(void)state;
	OUT("cgroupv2 /s/x", LEVEL(0, 1), TRUE);
	OUT("cgroupv2 /s/x", LEVEL(1, 10), TRUE);
	OUT("cgroupv2 /s/x", LEVEL(1, 40), FALSE);
	OUT("cgroupv2 /s/x", LEVEL(2, 7), TRUE);
	OUT("cgroupv2 //s//x/", LEVEL(2, 7), TRUE);
	OUT("cgroupv2 /s/x", NOT_LEVEL(2, 7), FALSE);
	OUT("cgroupv2 /s/x", NOT_LEVEL(2, 30), TRUE);
	OUT("cgroupv2 /s/x/y", LEVEL(2, 7), TRUE);
	/* no such level: the rule ends there, whatever it asks */
	OUT("cgroupv2 /s/x", LEVEL(3, 30), FALSE);
	OUT("cgroupv2 /s/x", NOT_LEVEL(3, 30), FALSE);
	OUT("cgroupv2 /", NOT_LEVEL(1, 10), FALSE);
	/* it would hold as counted from /s */
	OUT("cgroupv2 /s/x", LEVEL(1, 7), UNKNOWN);
	assert_non_null(strstr(why(), "cgroup namespace"));
	OUT("cgroupv2 /s/x", NOT_LEVEL(1, 7), UNKNOWN);
	OUT("cgroupv2 /s/x", LEVEL(2, 10), FALSE);
	/* not given */
	OUT("", LEVEL(1, 10), UNKNOWN);
	assert_non_null(strstr(why(), "is not given"));
	OUT("", PATH("/s"), UNKNOWN);
	assert_non_null(strstr(why(), "is not given"));
}

static void by_path(void **state)
{
	(void)state;
	for (unsigned rev = 1; rev <= 2; rev++) {
		OUT("cgroupv2 /s/x", path(rev, false, "/s/x"), TRUE);
		OUT("cgroupv2 /s/x/y", path(rev, false, "s/x/"), TRUE);
		OUT("cgroupv2 /s/xy", path(rev, false, "/s/x"), FALSE);
		OUT("cgroupv2 /s/x", path(rev, false, "/s/xy"), FALSE);
		OUT("cgroupv2 /s", path(rev, false, "/s/x"), FALSE);
		OUT("cgroupv2 /s", path(rev, true, "/s/x"), TRUE);
		OUT("cgroupv2 /s/x", path(rev, true, "/s/x"), FALSE);
	}
	OUT("cgroupv2 /t", PATH("/"), TRUE);
	OUT("cgroupv2 /s/x/y", PATH("/x"), UNKNOWN);
	assert_non_null(strstr(why(), "cgroup namespace"));
	OUT("cgroupv2 /s/x/y", NOT_PATH("/x/y"), UNKNOWN);
	OUT("cgroupv2 /s/x/y", path(3, false, "/s"), UNKNOWN);
	/* the path is all that is needed */
	nv.n_cgroups = 0;
	OUT("cgroupv2 /s/x", PATH("/s"), TRUE);
}

/* tcp_make_synack(), loopback_xmit(): no socket that counts, and "!" does not hold either */
static void no_socket(void **state)
{
	const char *self = "out tcp 10.0.1.39:4000 to 10.0.1.39:8080 uid 0 cgroupv2 /s";

	(void)state;
	OUT("cgroupv2 /s flags syn,ack", PATH("/s"), FALSE);
	OUT("cgroupv2 /s flags syn,ack", NOT_PATH("/t"), FALSE);
	OUT("cgroupv2 /s flags syn,ack", NOT_LEVEL(1, 40), FALSE);
	AT(POST_ROUTING, self, NOT_PATH("/t"), TRUE);
	AT(LOCAL_IN, self, NOT_PATH("/t"), FALSE);
	AT(LOCAL_IN, self, PATH("/s"), FALSE);
	AT(LOCAL_IN, "in tcp 10.0.1.1:4000 to 10.0.1.39:8080", NOT_PATH("/t"), FALSE);
	nv.ip_forward = true;
	AT(POST_ROUTING, "forward tcp 10.0.1.7:4000 to 10.0.2.7:80", NOT_PATH("/t"), FALSE);
}

static struct nv_socket *connection(uint16_t sport)
{
	struct nv_socket *s = listener(AF_INET, IPPROTO_TCP, "10.0.1.39", sport, 0, 0, "");

	*s = (struct nv_socket){ .family = AF_INET, .protocol = IPPROTO_TCP, .local = ADDR("10.0.1.39"), .lport = sport,
				 .remote = ADDR("10.96.0.10"), .rport = 80, .tcp_state = 1, .details = true, .cgroup = 30 };
	return s;
}

static void of_sockets(void **state)
{
	const char *out = "out tcp 10.0.1.39:4000 to 10.96.0.10:80 uid 0 flags ack";
	const char *first = "in tcp 10.0.1.1:4000 to 10.0.1.39:8080", *in = "in tcp 10.96.0.10:80 to 10.0.1.39:4000 flags ack";
	struct chain *dnat = base(table(STORE_NATIVE, NFPROTO_IPV4, "n"), "o", "filter", NF_INET_LOCAL_OUT, -150);
	struct nv_socket *s = connection(4000);

	(void)state;
	sockets[2].cgroup = 40; /* the listener */
	AT(PRE_ROUTING, first, LEVEL(1, 40), TRUE);
	AT(PRE_ROUTING, first, LEVEL(2, 30), FALSE);
	AT(PRE_ROUTING, "in tcp 10.0.1.1:4000 to 10.0.1.39:81", NOT_LEVEL(1, 10), FALSE);
	AT(PRE_ROUTING, in, LEVEL(3, 30), TRUE);
	AT(LOCAL_OUT, out, LEVEL(3, 30), TRUE);
	AT(LOCAL_OUT, out, PATH("/s/x"), TRUE);
	AT(LOCAL_OUT, "out tcp 10.0.1.39:4001 to 10.96.0.10:80 uid 0", PATH("/s/x"), UNKNOWN);
	/* also behind a rule that has rewritten the packet */
	RULE(dnat, SET(FIELD("ip", "daddr"), IP("10.96.0.11")));
	AT(LOCAL_OUT, out, LEVEL(3, 30), TRUE);
	dnat->rules = NULL;
	/* what was given goes before */
	AT(LOCAL_OUT, "out tcp 10.0.1.39:4000 to 10.96.0.10:80 uid 0 cgroupv2 /t", PATH("/s/x"), FALSE);
	/* early demux may be off */
	AT(LOCAL_IN, in, PATH("/s/x"), UNKNOWN);
	AT(LOCAL_IN, in, NOT_PATH("/s/x"), FALSE);
	AT(LOCAL_IN, in, PATH("/t"), FALSE);
	AT(LOCAL_IN, in, NOT_PATH("/t"), UNKNOWN);
	AT(LOCAL_IN, "in tcp 10.96.0.10:80 to 10.0.1.39:4009 flags ack ctstate established", PATH("/t"), UNKNOWN);
	s->tcp_state = NV_TCP_TIME_WAIT;
	AT(LOCAL_IN, in, NOT_PATH("/t"), FALSE);
	AT(PRE_ROUTING, in, NOT_LEVEL(1, 40), FALSE);
	AT(LOCAL_OUT, out, PATH("/s/x"), UNKNOWN);
}

/* A socket that tproxy has chosen stays with the packet. */
static void assigned(void **state)
{
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_IPV4, "d"), "p", "filter", NF_INET_PRE_ROUTING, -150);
	struct stmt *s = stmt_new(A, STMT_TPROXY);

	(void)state;
	sockets[1].transparent = true;
	sockets[1].cgroup = 7;
	s->tproxy.port = PORT(15006);
	RULE(c, L4(6), s);
	AT(LOCAL_IN, "in tcp 10.0.1.1:4000 to 10.0.1.39:8080", PATH("/s"), TRUE);
	AT(LOCAL_IN, "in tcp 10.0.1.1:4000 to 10.0.1.39:8080", NOT_PATH("/s"), FALSE);
	AT(LOCAL_IN, "in tcp 10.0.1.1:4000 to 10.0.1.39:8080", LEVEL(2, 7), TRUE);
}

static void unread(void **state)
{
	const char *out = "out tcp 10.0.1.39:4000 to 10.96.0.10:80 uid 0";
	struct nv_socket *s = connection(4000);

	(void)state;
	s->cgroup = 0;
	AT(LOCAL_OUT, out, LEVEL(0, 1), UNKNOWN);
	assert_string_equal(why(), "the control groups of sockets could not be read");
	AT(LOCAL_OUT, out, PATH("/"), UNKNOWN);
	assert_string_equal(why(), "the control groups of sockets could not be read");
	s->cgroup = 99;
	AT(LOCAL_OUT, out, LEVEL(0, 1), UNKNOWN);
	assert_string_equal(why(), "the control group is gone, or not in the listing");
	OUT("cgroupv2 /s/z", LEVEL(1, 10), TRUE);
	OUT("cgroupv2 /s/z", LEVEL(2, 10), UNKNOWN);
	OUT("cgroupv2 /s/z", LEVEL(3, 10), FALSE);
	nv.n_cgroups = 0;
	AT(LOCAL_OUT, out, PATH("/s"), UNKNOWN);
	assert_string_equal(why(), "the control groups were not read");
	nv.cgroups_unread = "no mount";
	AT(LOCAL_OUT, out, PATH("/s"), UNKNOWN);
	assert_string_equal(why(), "no mount");
	OUT("cgroupv2 /s/z", LEVEL(1, 10), UNKNOWN);
	assert_string_equal(why(), "no mount");
}

static void lines(void **state)
{
	static const struct nv_cgroup circle[] = { { 1, 0, "" }, { 5, 6, "a" }, { 6, 5, "b" }, { 8, 0, "c" }, { 9, 99, "d" } };
	const struct nv_cgroup *line[NV_CGROUP_LEVELS];
	const char *at = "//ab/c//";
	uint64_t id = 0;
	size_t n;

	(void)state;
	assert_int_equal(nv_cgroup_line(&nv, 30, line), 3);
	assert_int_equal(line[0]->id, 1);
	assert_int_equal(line[2]->id, 7);
	assert_string_equal(nv_cgroup_path(A, &nv, 30), "/s/x/y");
	assert_string_equal(nv_cgroup_path(A, &nv, 1), "/");
	assert_int_equal(nv_cgroup_walk(&nv, "/s/x", 2, &id), 1);
	assert_int_equal(id, 7);
	assert_int_equal(nv_cgroup_walk(&nv, "/s/x", 3, &id), 0);
	assert_int_equal(nv_cgroup_walk(&nv, "/q/x", 2, &id), -1);
	assert_memory_equal(cgroup_part(&at, &n), "ab", 2);
	assert_int_equal(n, 2);
	assert_memory_equal(cgroup_part(&at, &n), "c", 1);
	assert_null(cgroup_part(&at, &n));
	assert_int_equal(cgroup_level("//ab/c//"), 2);
	/* a file may say anything */
	memcpy(listed, circle, sizeof(circle));
	nv_cgroup_sort(&nv);
	assert_int_equal(nv_cgroup_line(&nv, 5, line), -1);
	assert_int_equal(nv_cgroup_line(&nv, 8, line), -1);
	assert_int_equal(nv_cgroup_line(&nv, 9, line), -1);
	assert_int_equal(nv_cgroup_line(&nv, 0, line), -1);
	assert_int_equal(nv_cgroup_line(&nv, 1, line), 0);
	assert_null(nv_cgroup_path(A, &nv, 6));
}

static void who_asks(void **state)
{
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_IPV4, "t"), "c", "filter", NF_INET_LOCAL_OUT, 0);

	(void)state;
	RULE(c, L4(6), DROP);
	assert_false(ruleset_asks_cgroups(rs));
	RULE(c, L4(6), LEVEL(1, 10), DROP);
	assert_true(ruleset_asks_cgroups(rs));
	c->rules = NULL;
	c->rules_tail = &c->rules;
	assert_false(ruleset_asks_cgroups(rs));
	RULE(c, NOT_PATH("/s"));
	assert_true(ruleset_asks_cgroups(rs));
}

#define HERE(f) cmocka_unit_test_setup_teardown(f, set_up, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HERE(given), HERE(by_path), HERE(no_socket), HERE(of_sockets), HERE(assigned), HERE(unread), HERE(lines), HERE(who_asks),
	};

	return cmocka_run_group_tests_name("trace cgroup", tests, NULL, NULL);
}
