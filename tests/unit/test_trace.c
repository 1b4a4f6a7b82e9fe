/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace - the evaluator on rulesets made by hand: the walk, hooks, nat, unknowns, the journey */
#include "tests/unit/trace_build.h"

static struct chain *output(const char *table_name, const char *type, int prio)
{
	return base(table(STORE_NATIVE, NFPROTO_INET, table_name), "out", type, NF_INET_LOCAL_OUT, prio);
}

static void set_policy(struct chain *c, enum verdict v)
{
	c->policy = v;
}

/* ---- the Istio set: the reason this exists ---- */

static void istio_out_application(void **state)
{
	const struct trace_outcome *o;

	(void)state;
	istio(STORE_LEGACY, NFPROTO_IPV4);
	o = run_out("10.96.0.10", 80);
	assert_int_equal(res->n_outcomes, 1);
	assert_int_equal(o->verdict, TRACE_ACCEPT);
	assert_int_equal(o->path, TRACE_END_LOCAL);
	assert_string_equal(addr_text(&o->dst), "127.0.0.1");
	assert_int_equal(o->dport, 15001);
	assert_non_null(o->listener);
	assert_int_equal(o->listener->pid, 4805);
	assert_string_equal(way(0), "OUTPUT:1 ISTIO_OUTPUT:6 ISTIO_REDIRECT:1");
	assert_string_equal(o->by->chain->name, "ISTIO_REDIRECT");
	assert_string_equal(addr_text(&res->request.src), "10.0.1.39");
	assert_false(res->order_unknown);
	/* the second leg meets no nat chain: the mapping stands */
	assert_int_equal(res->n_legs, 2);
	assert_string_equal(res->legs[1].iif, "lo");
}

static void istio_out_envoy_and_loopback(void **state)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, "10.96.0.10", 80);
	const struct trace_outcome *o;

	(void)state;
	istio(STORE_COMPAT, NFPROTO_IPV4);
	rq.has_uid = true;
	rq.uid = 1337;
	o = run(&rq);
	assert_int_equal(o->path, TRACE_END_OUT);
	assert_string_equal(o->oif, "eth0");
	assert_string_equal(way(0), "OUTPUT:1 ISTIO_OUTPUT:4");
	/* Envoy to its own pod address: to the inbound port */
	rq.dst = ADDR("10.0.1.39");
	o = run(&rq);
	assert_int_equal(o->dport, 15006);
	assert_string_equal(way(0), "OUTPUT:1 ISTIO_OUTPUT:2 ISTIO_IN_REDIRECT:1");
	/* another user to the pod's own address stays on lo, unredirected */
	rq.uid = 1000;
	rq.dport = 8080;
	o = run(&rq);
	assert_int_equal(o->dport, 8080);
	assert_string_equal(o->listener->process, "app");
	/* on the second leg lo is the incoming interface, so PREROUTING has it, but nat is done */
	assert_string_equal(way(0), "OUTPUT:1 ISTIO_OUTPUT:3");
}

static void istio_in(void **state)
{
	struct trace_request rq = ask(TRACE_IN, IPPROTO_TCP, "10.0.1.1", "10.0.1.39", 8080);
	const struct trace_outcome *o;

	(void)state;
	istio(STORE_LEGACY, NFPROTO_IPV4);
	o = run(&rq);
	assert_int_equal(o->verdict, TRACE_ACCEPT);
	/* REDIRECT at PREROUTING goes to the primary address of the incoming interface */
	assert_string_equal(addr_text(&o->dst), "10.0.1.39");
	assert_int_equal(o->dport, 15006);
	assert_string_equal(way(0), "PREROUTING:1 ISTIO_INBOUND:3 ISTIO_IN_REDIRECT:1");
	assert_string_equal(res->legs[0].iif, "eth0");
	rq.dport = 15020;
	o = run(&rq);
	assert_int_equal(o->dport, 15020);
	assert_null(o->listener);
}

static void istio_ipv6(void **state)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, "2001:db8::80", 443);
	const struct trace_outcome *o;

	(void)state;
	istio(STORE_LEGACY, NFPROTO_IPV6);
	listener(AF_INET6, IPPROTO_TCP, "::", 15001, 4805, 1337, "envoy");
	rq.has_uid = true;
	rq.uid = 1000;
	o = run(&rq);
	assert_string_equal(addr_text(&o->dst), "::1");
	assert_int_equal(o->dport, 15001);
	assert_string_equal(o->listener->process, "envoy");
	rq = ask(TRACE_IN, IPPROTO_TCP, "fd00:1::1", "fd00:1::39", 80);
	o = run(&rq);
	assert_string_equal(addr_text(&o->dst), "fd00:1::39");
	assert_int_equal(o->dport, 15006);
}

/* Without a uid the answer depends on it, and says so. */
static void istio_unknown_uid(void **state)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, "10.96.0.10", 80);

	(void)state;
	istio(STORE_LEGACY, NFPROTO_IPV4);
	run(&rq);
	assert_int_equal(res->n_outcomes, 2);
	assert_int_equal(res->outcomes[0].path, TRACE_END_OUT);
	assert_int_equal(res->outcomes[0].n_cases, 1);
	assert_string_equal(res->outcomes[0].cases[0].a[0].what, "meta skuid 1337");
	assert_string_equal(res->outcomes[0].cases[0].a[0].answer, "yes");
	assert_int_equal(res->outcomes[1].dport, 15001);
	assert_string_equal(res->outcomes[1].cases[0].a[0].answer, "no");
	/* the question is asked once, though three rules depend on it */
	assert_int_equal(res->outcomes[0].cases[0].n, 1);
}

/* ---- the walk ---- */

static void jumps_gotos_returns(void **state)
{
	struct chain *c = output("t", "filter", 0), *a = chain(c->table, "a"), *b = chain(c->table, "b");

	(void)state;
	RULE(c, JUMP("a"));
	RULE(c, GOTO("b"));
	RULE(c, DROP); /* never reached: goto does not come back here */
	RULE(a, JUMP("b"));
	RULE(a, RETURN);
	RULE(a, DROP);
	RULE(b, SET(META(MARK), U32(1)));
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_ACCEPT);
	assert_string_equal(way(0), "out:1 a:1 b:1 a:2 out:2 b:1");
	set_policy(c, VERDICT_DROP);
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_DROP);
	assert_ptr_equal(res->outcomes[0].by_policy, c);
}

/* goto inside a called chain comes back to the caller of the chain. */
static void goto_in_called_chain(void **state)
{
	struct chain *c = output("t", "filter", 0), *a = chain(c->table, "a"), *b = chain(c->table, "b");

	(void)state;
	RULE(c, JUMP("a"));
	RULE(c, DROP);
	RULE(a, GOTO("b"));
	RULE(a, ACCEPT);
	RULE(b, RETURN);
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_DROP);
	assert_string_equal(way(0), "out:1 a:1 b:1 out:2");
}

static void loops_and_missing_chains(void **state)
{
	struct chain *c = output("t", "filter", 0), *a = chain(c->table, "a");

	(void)state;
	RULE(c, JUMP("a"));
	RULE(a, JUMP("a"));
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_UNKNOWN);
	RULE(chain(c->table, "b"), JUMP("nowhere"));
	c->rules->stmts = JUMP("b");
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_UNKNOWN);
	assert_non_null(res->outcomes[0].why);
}

/* accept ends its own chain only; a later priority still may drop */
static void priorities(void **state)
{
	struct chain *late = output("late", "filter", 10), *early = output("early", "filter", -10);

	(void)state;
	RULE(early, ACCEPT);
	RULE(early, DROP);
	RULE(late, DROP);
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_DROP);
	assert_string_equal(way(0), "out:1 out:1");
	assert_string_equal(res->steps[0].chain->table->name, "early");
}

static void conntrack_stage(void **state)
{
	struct chain *raw = output("raw", "filter", -300), *mangle = output("mangle", "filter", -150);
	struct stmt *is_new = CMP(OP_NE, expr_binop(A, BINOP_AND, expr_ct(A, NFT_CT_STATE, -1), U32(8)), U32(0));
	struct stmt *invalid = EQ(expr_ct(A, NFT_CT_STATE, -1), U32(TRACE_CT_INVALID));
	struct stmt *untracked = EQ(expr_ct(A, NFT_CT_STATE, -1), U32(TRACE_CT_UNTRACKED));

	(void)state;
	RULE(raw, invalid); /* nothing seen yet */
	RULE(mangle, is_new);
	run_out("10.96.0.10", 80);
	assert_string_equal(way(0), "out:1 out:1");
	RULE(raw, DPORT(80), stmt_new(A, STMT_NOTRACK));
	RULE(mangle, untracked);
	run_out("10.96.0.10", 80);
	assert_string_equal(way(0), "out:1 out:2 out:2");
}

/* A zone is chosen before conntrack sees the packet, or not at all. */
static void zones(void **state)
{
	struct chain *raw = output("raw", "filter", -300), *mangle = output("mangle", "filter", -150);
	uint16_t five = 5, six = 6;
	struct expr *zone = expr_ct(A, NFT_CT_ZONE, -1);

	(void)state;
	RULE(raw, SET(zone, expr_bytes(A, DT_INTEGER, ORDER_HOST, &five, 16)));
	RULE(mangle, SET(zone, expr_bytes(A, DT_INTEGER, ORDER_HOST, &six, 16)));
	RULE(mangle, EQ(zone, expr_bytes(A, DT_INTEGER, ORDER_HOST, &five, 16)), DROP);
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_DROP);
}

/* ---- nat ---- */

/* The first chain that sets up a mapping ends the stage; one that merely accepts does not. */
static void nat_first_mapping_wins(void **state)
{
	struct chain *a = output("a", "nat", -110), *b = output("b", "nat", -100), *c = output("c", "nat", -90);

	(void)state;
	RULE(a, L4(6), ACCEPT);
	RULE(b, L4(6), REDIRECT(8080));
	RULE(c, L4(6), REDIRECT(9090));
	assert_int_equal(run_out("10.96.0.10", 80)->dport, 8080);
	assert_string_equal(way(0), "out:1 out:1");
}

static void nat_only_for_first_packets(void **state)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, "10.96.0.10", 80);

	(void)state;
	RULE(output("a", "nat", -100), L4(6), REDIRECT(8080));
	assert_int_equal(run(&rq)->dport, 8080);
	/* a later packet is rewritten as the first one was, but meets no nat chain */
	rq.ct_state = TRACE_CT_ESTABLISHED;
	assert_int_equal(run(&rq)->dport, 8080);
	assert_string_equal(addr_text(&res->outcomes[0].dst), "127.0.0.1");
	assert_string_equal(way(0), "");
	assert_non_null(res->outcomes[0].why);
	rq.ct_state = TRACE_CT_INVALID;
	assert_int_equal(run(&rq)->dport, 80);
	rq.ct_state = TRACE_CT_UNTRACKED;
	assert_int_equal(run(&rq)->dport, 80);
}

/* nat at INPUT stands behind the filter chains there (100). What comes over lo has been asked for its source already. */
static void input_hook(void **state)
{
	struct trace_request rq = ask(TRACE_IN, IPPROTO_TCP, "10.0.1.1", "10.0.1.39", 8080);
	struct table *t = table(STORE_NATIVE, NFPROTO_IPV4, "t");

	(void)state;
	RULE(base(t, "nat", "nat", NF_INET_LOCAL_IN, 100), NAT(NAT_SNAT, "10.0.1.99", -1));
	RULE(base(t, "early", "filter", NF_INET_LOCAL_IN, 50), EQ(FIELD("ip", "saddr"), IP("10.0.1.1")));
	RULE(base(t, "late", "filter", NF_INET_LOCAL_IN, 150), EQ(FIELD("ip", "saddr"), IP("10.0.1.99")));
	RULE(base(t, "owner", "filter", NF_INET_LOCAL_IN, 160), UID(1000), DROP);
	run(&rq);
	assert_string_equal(way(0), "early:1 nat:1 late:1");
	assert_int_equal(res->outcomes[0].verdict, TRACE_ACCEPT);
	run_out("10.0.1.39", 8080);
	assert_string_equal(way(0), "");
}

/* What the first packet depends on, a later one does too; marks of the connection are kept. */
static void later_packets(void **state)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, "10.96.0.10", 80);
	struct chain *late = output("late", "filter", 10);

	(void)state;
	RULE(output("early", "filter", -10), EQ(expr_ct(A, NFT_CT_STATE, -1), U32(TRACE_CT_NEW)),
	     SET(expr_ct(A, NFT_CT_MARK, -1), U32(7)));
	RULE(late, EQ(expr_ct(A, NFT_CT_STATE, -1), U32(TRACE_CT_ESTABLISHED)),
	     EQ(expr_ct(A, NFT_CT_MARK, -1), U32(7)));
	RULE(output("a", "nat", -100), UID(1337), REDIRECT(15001));
	rq.ct_state = TRACE_CT_ESTABLISHED;
	run(&rq);
	assert_int_equal(res->n_outcomes, 2);
	assert_int_equal(res->outcomes[0].dport, 15001);
	assert_int_equal(res->outcomes[1].dport, 80);
	assert_string_equal(way(0), "out:1");
}

static void dnat_and_snat(void **state)
{
	struct table *t = table(STORE_NATIVE, NFPROTO_IPV4, "nat");
	const struct trace_outcome *o;

	(void)state;
	RULE(base(t, "out", "nat", NF_INET_LOCAL_OUT, -100), DPORT(80), NAT(NAT_DNAT, "10.0.2.7", 8080));
	RULE(base(t, "post", "nat", NF_INET_POST_ROUTING, 100), OIF("eth1"), NAT(NAT_MASQUERADE, NULL, -1));
	RULE(base(table(STORE_NATIVE, NFPROTO_IPV4, "f"), "late", "filter", NF_INET_LOCAL_OUT, 0), OIF("eth0"));
	o = run_out("10.96.0.10", 80);
	assert_int_equal(o->path, TRACE_END_OUT);
	assert_string_equal(o->oif, "eth1"); /* rerouted after dnat */
	assert_string_equal(addr_text(&o->dst), "10.0.2.7");
	assert_int_equal(o->dport, 8080);
	assert_string_equal(addr_text(&o->src), "10.0.2.39");
	/* but a later chain of OUTPUT still sees the old output interface (nf_hook_state) */
	assert_string_equal(way(0), "out:1 late:1 post:1");
	assert_string_equal(res->steps[0].changes->what, "dnat");
	assert_string_equal(res->steps[0].changes->text, "10.0.2.7:8080");
}

/* Addresses out of a range: every one of a small range is an outcome. */
static void dnat_range(void **state)
{
	struct stmt *nat = NAT(NAT_DNAT, "10.0.2.7", -1);

	(void)state;
	nat->nat.addr_max = IP("10.0.2.9");
	RULE(output("a", "nat", -100), L4(6), nat);
	run_out("10.96.0.10", 80);
	assert_int_equal(res->n_outcomes, 3);
	assert_string_equal(addr_text(&res->outcomes[2].dst), "10.0.2.9");
}

static void redirect_back_to_loopback_is_martian_from_outside(void **state)
{
	struct trace_request rq = ask(TRACE_IN, IPPROTO_TCP, "10.0.1.1", "10.0.1.39", 80);

	(void)state;
	RULE(base(table(STORE_LEGACY, NFPROTO_IPV4, "nat"), "PREROUTING", "nat", NF_INET_PRE_ROUTING, -100),
	     NAT(NAT_DNAT, "127.0.0.1", 15006));
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	nv.route_localnet = true;
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
}

/* ---- equal priorities ---- */

static void unknown_order(void **state)
{
	struct chain *a, *b;

	(void)state;
	a = base(table(STORE_LEGACY, NFPROTO_IPV4, "nat"), "OUTPUT", "nat", NF_INET_LOCAL_OUT, -100);
	b = base(table(STORE_COMPAT, NFPROTO_IPV4, "nat"), "OUTPUT", "nat", NF_INET_LOCAL_OUT, -100);
	RULE(a, L4(6), REDIRECT(15001));
	assert_int_equal(run_out("10.96.0.10", 80)->dport, 15001);
	assert_false(res->order_unknown); /* the compat chain is empty: it may stand anywhere */
	RULE(b, L4(6), REDIRECT(8080));
	run_out("10.96.0.10", 80);
	assert_true(res->order_unknown);
	assert_int_equal(res->n_outcomes, 2);
	assert_int_equal(res->outcomes[0].dport, 15001);
	assert_int_equal(res->outcomes[1].dport, 8080);
	/* known order: one outcome */
	{
		const struct chain *order[] = { b, a };

		options.order = order;
		options.n_order = 2;
		run_out("10.96.0.10", 80);
		assert_false(res->order_unknown);
		assert_int_equal(res->n_outcomes, 1);
		assert_int_equal(res->outcomes[0].dport, 8080);
	}
	options.n_order = 0;
	/* different rules, same end: one outcome, though the order is not known */
	b->rules->stmts = L4(6);
	b->rules->stmts->next = REDIRECT(15001);
	run_out("10.96.0.10", 80);
	assert_true(res->order_unknown);
	assert_int_equal(res->n_outcomes, 1);
	assert_int_equal(res->outcomes[0].n_cases, 0);
}

static void three_of_one_priority(void **state)
{
	struct chain *c[3];
	const char *const names[] = { "a", "b", "c" };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		c[i] = output(names[i], "filter", 0);
		RULE(c[i], EQ(META(MARK), U32(0)), SET(META(MARK), U32(i + 1)));
	}
	run_out("10.96.0.10", 80);
	assert_int_equal(res->branches, 6);
	assert_int_equal(res->n_outcomes, 1);
}

/* ---- unknowns ---- */

static void unknown_branches(void **state)
{
	struct chain *c = output("t", "filter", 0);

	(void)state;
	RULE(c, LIMIT(), ACCEPT);
	RULE(c, DPORT(80), DROP);
	run_out("10.96.0.10", 80);
	assert_int_equal(res->n_outcomes, 2);
	assert_int_equal(res->outcomes[0].verdict, TRACE_ACCEPT);
	assert_string_equal(res->outcomes[0].cases[0].a[0].why, "it depends on the rate of packets");
	assert_int_equal(res->outcomes[1].verdict, TRACE_DROP);
	/* both ways end alike: nothing depends on it */
	run_out("10.96.0.10", 81);
	assert_int_equal(res->n_outcomes, 1);
	assert_int_equal(res->outcomes[0].n_cases, 0);
	assert_int_equal(res->branches, 2);
}

/* Each "meta random" draws a number of its own: the first rule's says nothing of the second's. */
static void drawn_anew(void **state)
{
	struct chain *c = output("t", "filter", 0);

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		RULE(c, EQ(META(PRANDOM), U32(5)), SET(META(MARK), U32(i + 1)));
	run_out("10.96.0.10", 80);
	assert_int_equal(res->branches, 4);
}

/* A rule that only logs asks nothing. */
static void unknown_without_consequence(void **state)
{
	struct chain *c = output("t", "filter", 0);

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		RULE(c, LIMIT(), stmt_new(A, STMT_LOG));
	run_out("10.96.0.10", 80);
	assert_int_equal(res->branches, 1);
	assert_int_equal(res->steps[0].matched, TRI_UNKNOWN);
}

static void too_many_unknowns(void **state)
{
	struct chain *c = output("t", "filter", 0);

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		RULE(c, LIMIT(), SET(META(MARK), U32(i + 1)));
	run_out("10.96.0.10", 80);
	assert_int_equal(res->branches, 256);
	assert_int_equal(res->outcomes[res->n_outcomes - 1].verdict, TRACE_UNKNOWN);
	options.max_branches = 5000;
	run_out("10.96.0.10", 80);
	assert_int_equal(res->branches, 4096);
	assert_int_equal(res->n_outcomes, 1);
}

static void opaque_things(void **state)
{
	struct chain *c = output("t", "filter", 0);
	struct stmt *s = stmt_new(A, STMT_OPAQUE);

	(void)state;
	s->opaque.name = "quantum";
	s->opaque.type = OPAQUE_TARGET;
	s->opaque.terminal = true;
	RULE(c, DPORT(80), s);
	run_out("10.96.0.10", 81);
	assert_int_equal(res->n_outcomes, 1);
	run_out("10.96.0.10", 80);
	assert_int_equal(res->n_outcomes, 2); /* accept or go on; drop */
	ruleset_add_unread(rs, STORE_LEGACY, NFPROTO_IPV4, "nat", "not permitted");
	run_out("10.96.0.10", 81);
	assert_int_equal(res->n_outcomes, 2);
	assert_int_equal(res->outcomes[1].verdict, TRACE_UNKNOWN);
}

/* ---- the journey ---- */

static void reroute_by_mark(void **state)
{
	struct chain *c = output("m", "route", -150);

	(void)state;
	rules[0] = (struct nv_rule){ .action = 1, .table = RT_TABLE_LOCAL, .uid_to = UINT32_MAX, .suppress_prefixlen = -1 };
	rules[1] = (struct nv_rule){ .action = 1, .priority = 100, .table = 133, .fwmark = 0x539, .fwmask = UINT32_MAX,
				     .uid_to = UINT32_MAX, .suppress_prefixlen = -1 };
	rules[2] = (struct nv_rule){ .action = 1, .priority = 32766, .table = RT_TABLE_MAIN, .uid_to = UINT32_MAX,
				     .suppress_prefixlen = -1 };
	nv.n_rules = 3;
	route("0.0.0.0", 0, RTN_UNICAST, 133, 3, "10.0.2.1");
	RULE(c, DPORT(80), SET(META(MARK), U32(0x539)));
	assert_string_equal(run_out("10.96.0.10", 81)->oif, "eth0");
	assert_string_equal(run_out("10.96.0.10", 80)->oif, "eth1");
	assert_string_equal(addr_text(&res->outcomes[0].src), "10.0.1.39"); /* the source stays */
	c->type = "filter"; /* such a chain does not look the route up again */
	assert_string_equal(run_out("10.96.0.10", 80)->oif, "eth0");
}

static void tproxy_to_a_socket(void **state)
{
	struct trace_request rq = ask(TRACE_IN, IPPROTO_TCP, "10.0.1.1", "10.96.0.10", 80);
	struct stmt *s = stmt_new(A, STMT_TPROXY);
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_IPV4, "m"), "pre", "filter", NF_INET_PRE_ROUTING, -150);

	(void)state;
	s->tproxy.port = PORT(15006);
	RULE(c, L4(6), s, SET(META(MARK), U32(0x539)), ACCEPT);
	rules[0] = (struct nv_rule){ .action = 1, .table = 133, .fwmark = 0x539, .fwmask = UINT32_MAX,
				     .uid_to = UINT32_MAX, .suppress_prefixlen = -1 };
	rules[1] = (struct nv_rule){ .action = 1, .priority = 32766, .table = RT_TABLE_MAIN, .uid_to = UINT32_MAX,
				     .suppress_prefixlen = -1 };
	nv.n_rules = 2;
	route("0.0.0.0", 0, RTN_LOCAL, 133, 1, NULL);
	/* the socket is not transparent: the rule ends, no mark, no way */
	assert_int_equal(run(&rq)->verdict, TRACE_UNREACHABLE);
	sockets[1].transparent = true;
	run(&rq);
	assert_int_equal(res->outcomes[0].path, TRACE_END_LOCAL);
	assert_string_equal(res->outcomes[0].listener->process, "envoy");
	assert_string_equal(addr_text(&res->outcomes[0].dst), "10.96.0.10"); /* not rewritten */
}

static void forwarding(void **state)
{
	struct trace_request rq = ask(TRACE_FORWARD, IPPROTO_TCP, "10.0.1.7", "10.0.2.7", 80);
	struct table *t = table(STORE_NATIVE, NFPROTO_INET, "f");

	(void)state;
	assert_int_equal(run(&rq)->verdict, TRACE_UNREACHABLE);
	nv.ip_forward = true;
	RULE(base(t, "fwd", "filter", NF_INET_FORWARD, 0), EQ(META(IIFNAME), expr_ifname(A, "eth0")), OIF("eth1"));
	run(&rq);
	assert_int_equal(res->outcomes[0].path, TRACE_END_FORWARD);
	assert_string_equal(res->outcomes[0].oif, "eth1");
	assert_string_equal(way(0), "fwd:1");
}

/* Chains bound to a device meet only what crosses it; others do not even make the order a question. */
static void device_chains(void **state)
{
	static const char *eth0[] = { "eth0" }, *eth1[] = { "eth1" };
	struct trace_request rq = ask(TRACE_IN, IPPROTO_TCP, "10.0.1.1", "10.0.1.39", 8080);
	struct table *t = table(STORE_NATIVE, NFPROTO_NETDEV, "d");
	struct chain *a = base(t, "a", "filter", 0, 0), *b = base(t, "b", "filter", 0, 0);

	(void)state;
	a->devices = eth0;
	b->devices = eth1;
	a->n_devices = b->n_devices = 1;
	RULE(a, DPORT(81), DROP);
	RULE(b, DROP);
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
	assert_false(res->order_unknown);
	rq.dport = 81;
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	rq.iif = "eth1";
	rq.dport = 8080;
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	assert_int_equal(run_out("10.96.0.10", 81)->verdict, TRACE_ACCEPT);
}

static void reject_and_no_route(void **state)
{
	(void)state;
	RULE(output("t", "filter", 0), DPORT(80), stmt_new(A, STMT_REJECT));
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_REJECT);
	nv.n_routes = 0;
	route("10.0.1.0", 24, RTN_UNICAST, RT_TABLE_MAIN, 2, NULL);
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_UNREACHABLE);
	nv.routes_unread = "not permitted";
	assert_int_equal(run_out("10.96.0.10", 80)->verdict, TRACE_UNKNOWN);
}

static void bad_interface(void **state)
{
	struct trace_request rq = ask(TRACE_IN, IPPROTO_TCP, NULL, "10.0.1.39", 80);
	struct tracer *t = NULL;
	struct err e = ERR_INIT;

	(void)state;
	rq.iif = "eth9";
	assert_int_equal(tracer_new(rs, &nv, NULL, &t, &e), 0);
	assert_int_equal(trace_run(t, &rq, &res, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(res);
	tracer_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(istio_out_application), TEST(istio_out_envoy_and_loopback), TEST(istio_in), TEST(istio_ipv6),
		TEST(istio_unknown_uid), TEST(jumps_gotos_returns), TEST(goto_in_called_chain),
		TEST(loops_and_missing_chains), TEST(priorities), TEST(conntrack_stage), TEST(zones), TEST(input_hook),
		TEST(nat_first_mapping_wins), TEST(nat_only_for_first_packets), TEST(later_packets), TEST(dnat_and_snat),
		TEST(dnat_range), TEST(redirect_back_to_loopback_is_martian_from_outside), TEST(unknown_order),
		TEST(three_of_one_priority), TEST(unknown_branches), TEST(drawn_anew), TEST(unknown_without_consequence),
		TEST(too_many_unknowns), TEST(opaque_things), TEST(reroute_by_mark), TEST(tproxy_to_a_socket),
		TEST(forwarding), TEST(device_chains), TEST(reject_and_no_route), TEST(bad_interface),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
