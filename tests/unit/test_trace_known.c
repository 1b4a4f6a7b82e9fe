/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_known - packets of connections that are tracked already */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter/nf_conntrack_common.h>

#include "nsutil/ruleset/conns.h"
#include "tests/unit/trace_build.h"

static struct conn conns[4];
static struct conn_list list;

/* A connection of the pod that was redirected to a proxy; its answers are made to look like the service's. */
static struct conn *redirected(void)
{
	struct conn *c = &conns[list.n++];

	*c = (struct conn){ .family = AF_INET, .protocol = IPPROTO_TCP, .state = "ESTABLISHED", .mark = 7,
			    .status = IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_DST_NAT | IPS_DST_NAT_DONE | IPS_SRC_NAT_DONE,
			    .orig = { ADDR("10.0.1.39"), ADDR("10.96.0.10"), 40000, 80 },
			    .reply = { ADDR("127.0.0.1"), ADDR("10.0.1.39"), 15001, 40000 } };
	return c;
}

static int clear(void **state)
{
	list.n = 0;
	return setup(state);
}

static const struct trace_outcome *known(const struct trace_request *rq)
{
	struct err e = ERR_INIT;

	for (struct table *tb = rs->tables; tb; tb = tb->next)
		ruleset_link(rs, tb);
	trace_result_free(res);
	tracer_free(tracer);
	tracer = NULL;
	res = NULL;
	list.arena = A;
	list.conns = conns;
	assert_int_equal(conn_list_index(&list), 0);
	assert_int_equal(tracer_new(rs, &nv, &options, &tracer, &e), 0);
	tracer_know(tracer, &list);
	assert_int_equal(trace_run(tracer, rq, &res, &e), 0);
	return &res->outcomes[0];
}

static struct trace_request later(void)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, "10.0.1.39", "10.96.0.10", 80);

	rq.sport = 40000;
	return rq;
}

static struct stmt *CT(uint32_t key, uint32_t v)
{
	struct expr *x = expr_ct(A, key, -1);

	return EQ(x, x->bits == 8 ? expr_bytes(A, DT_INTEGER, ORDER_HOST, &(uint8_t){ (uint8_t)v }, 8) : U32(v));
}

static struct chain *nat_out(void)
{
	struct table *t = table(STORE_NATIVE, NFPROTO_IPV4, "t");
	struct chain *c = base(t, "nat", "nat", NF_INET_LOCAL_OUT, -100);

	RULE(c, L4(6), REDIRECT(9999));
	return base(t, "f", "filter", NF_INET_LOCAL_OUT, 0);
}

static void the_entry_says_where_it_goes(void **state)
{
	struct trace_request rq = later();
	const struct trace_outcome *o;
	struct chain *f = nat_out();

	(void)state;
	redirected();
	RULE(f, CT(NFT_CT_STATE, TRACE_CT_ESTABLISHED));
	RULE(f, CT(NFT_CT_MARK, 7));
	RULE(f, CT(NFT_CT_DIRECTION, 0));
	RULE(f, EQ(FIELD("tcp", "dport"), PORT(15001)));
	o = known(&rq);
	assert_string_equal(way(0), "f:1 f:2 f:3 f:4");
	assert_true(o->conn_used && o->conn == &conns[0] && !o->reply);
	assert_int_equal(o->dport, 15001);
	assert_string_equal(addr_text(&o->dst), "127.0.0.1");
	/* its first packet meets the rules as they are now, and so does another connection */
	rq.first = true;
	o = known(&rq);
	assert_int_equal(o->dport, 9999);
	assert_true(o->conn && !o->conn_used);
	rq.first = false;
	rq.ct_state = TRACE_CT_NEW;
	assert_int_equal(known(&rq)->dport, 9999);
	rq.ct_state = 0;
	rq.sport = 40001;
	o = known(&rq);
	assert_int_equal(o->dport, 9999);
	assert_null(o->conn);
}

static void answers_are_made_to_fit(void **state)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, "127.0.0.1", "10.0.1.39", 40000);
	const struct trace_outcome *o;
	struct chain *f = nat_out();

	(void)state;
	redirected();
	RULE(f, CT(NFT_CT_DIRECTION, 1));
	rq.sport = 15001;
	o = known(&rq);
	assert_string_equal(way(0), "f:1");
	assert_true(o->reply);
	assert_string_equal(addr_text(&o->src), "10.96.0.10");
	assert_int_equal(o->sport, 80);
	assert_int_equal(o->dport, 40000);
}

static void without_an_answer_it_stays_new(void **state)
{
	struct trace_request rq = later();
	struct chain *f = nat_out();

	(void)state;
	redirected()->status &= ~(uint32_t)IPS_SEEN_REPLY;
	conns[0].state = "SYN_SENT";
	RULE(f, CT(NFT_CT_STATE, TRACE_CT_NEW), EQ(expr_field(A, "tcp", "flags"), expr_bytes(A, DT_TCP_FLAG, ORDER_NET, "\x02", 8)));
	assert_int_equal(known(&rq)->dport, 15001);
	assert_string_equal(way(0), "f:1");
	/* a SYN of one that is over begins anew */
	conns[0].state = "TIME_WAIT";
	rq.tcp_flags = 2;
	assert_int_equal(known(&rq)->dport, 9999);
	rq.tcp_flags = 16;
	assert_int_equal(known(&rq)->dport, 15001);
}

static void the_zone_tells_them_apart(void **state)
{
	struct trace_request rq = later();
	struct chain *raw;

	(void)state;
	nat_out();
	raw = base(rs->tables, "raw", "filter", NF_INET_LOCAL_OUT, -300);
	redirected();
	redirected()->zone = 5;
	conns[1].reply_zone = 5;
	conns[1].reply.sport = 15005;
	assert_int_equal(known(&rq)->dport, 15001);
	RULE(raw, SET(expr_ct(A, NFT_CT_ZONE, -1), U32(5)));
	assert_int_equal(known(&rq)->dport, 15005);
	conns[1].zone = 6;
	assert_int_equal(known(&rq)->dport, 9999);
}

/* What the entry has, what was said of it, and what the packet itself may change */
static void what_the_entry_has(void **state)
{
	struct trace_request rq = later();
	struct chain *f = nat_out();
	struct conn *c = redirected();
	struct expr *status = expr_ct(A, NFT_CT_STATUS, -1), *src = expr_ct(A, NFT_CT_SRC_IP, 0);

	(void)state;
	c->reply.dst = ADDR("10.0.1.99"); /* its source is rewritten too */
	RULE(f, EQ(src, IP("10.0.1.39")));
	RULE(f, CT(NFT_CT_MARK, 7));
	RULE(f, CT(NFT_CT_MARK, 9));
	known(&rq);
	assert_string_equal(way(0), "f:1 f:2");
	rq.has_ct_mark = true;
	rq.ct_mark = 9;
	known(&rq);
	assert_string_equal(way(0), "f:1 f:3");
	/* it may become an assured one by this packet */
	RULE(f, NE(expr_binop(A, BINOP_AND, status, U32(IPS_ASSURED)), U32(0)), DROP);
	known(&rq);
	assert_int_equal(res->n_outcomes, 2);
	c->status |= IPS_ASSURED;
	known(&rq);
	assert_int_equal(res->n_outcomes, 1);
	assert_int_equal(res->outcomes[0].verdict, TRACE_DROP);
	/* what follows on nothing: an ACK before the other side has answered */
	c->status = IPS_CONFIRMED;
	c->state = "SYN_SENT";
	rq.tcp_flags = 0x10;
	RULE(f, CT(NFT_CT_STATE, TRACE_CT_INVALID), DROP);
	known(&rq);
	assert_int_equal(res->outcomes[0].verdict, TRACE_DROP);
	rq.tcp_flags = 2;
	known(&rq);
	assert_int_equal(res->outcomes[0].verdict, TRACE_ACCEPT);
}

/* A reset is nothing in a zone without the connection; its zone does not come back in with it through lo, where the entry
 * of the default zone redirects it: and IPv4 takes no packet of its own address that is routed anew. */
static void the_zone_of_a_refused_packet_is_gone(void **state)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, "10.0.1.39", "10.0.2.39", 80);
	struct chain *raw, *pre;

	(void)state;
	redirected()->orig.dst = ADDR("10.0.2.39");
	nat_out();
	raw = base(rs->tables, "raw", "filter", NF_INET_LOCAL_OUT, -300);
	pre = base(rs->tables, "pre", "filter", NF_INET_PRE_ROUTING, 0);
	RULE(raw, SET(expr_ct(A, NFT_CT_ZONE, -1), U32(5)));
	RULE(pre, CT(NFT_CT_STATE, TRACE_CT_ESTABLISHED));
	rq.sport = 40000;
	rq.tcp_flags = 4;
	assert_int_equal(known(&rq)->verdict, TRACE_DROP);
	assert_string_equal(way(0), "raw:1 pre:1");
}

int main(void)
{
#define KNOWN(name) cmocka_unit_test_setup_teardown(name, clear, teardown)
	const struct CMUnitTest tests[] = {
		KNOWN(the_entry_says_where_it_goes), KNOWN(answers_are_made_to_fit), KNOWN(without_an_answer_it_stays_new),
		KNOWN(the_zone_tells_them_apart), KNOWN(what_the_entry_has),
		KNOWN(the_zone_of_a_refused_packet_is_gone),
	};

	return cmocka_run_group_tests_name("trace_known", tests, NULL, NULL);
}
