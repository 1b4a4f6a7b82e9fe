/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_members - members of ipsets made by hand, also of types that not every kernel has; zones and answers */
#include "tests/unit/trace_build.h"

#include <linux/netfilter/ipset/ip_set.h>

#include "nsutil/ruleset/ipset.h"

static struct ipset_list *list;

static struct ipset *new_set(const char *name, const char *type)
{
	struct ipset *s;

	if (!list)
		list = ipset_list_new();
	options.ipsets = list;
	s = ipset_add(list, name, type);
	assert_non_null(s);
	s->family = NFPROTO_IPV4;
	return s;
}

static struct ipset_elem *member(struct ipset *s, const char *ip, unsigned cidr)
{
	struct ipset_elem *m = arena_alloc(list->arena, sizeof(*m));

	if (ip)
		m->ip = (struct ipset_range){ .from = ADDR(ip), .cidr = (uint8_t)cidr };
	*s->elems_tail = m;
	s->elems_tail = &m->next;
	return m;
}

/* A rule that drops what is in the set; bit d of 'src': the source side of that dimension */
static void drop_in(const char *name, unsigned dims, unsigned src, uint32_t flags, bool not)
{
	struct chain *c = base(table(STORE_LEGACY, NFPROTO_IPV4, "filter"), "OUTPUT", "filter", NF_INET_LOCAL_OUT, 0);
	struct expr *x = expr_new(A, EXPR_IPSET, DT_STRING, ORDER_HOST, 0);

	x->ipset.name = name;
	x->ipset.dims = (uint8_t)dims;
	x->ipset.src = (uint8_t)src;
	x->ipset.flags = flags;
	RULE(c, not ? NE(FIELD("ip", "daddr"), x) : EQ(FIELD("ip", "daddr"), x), DROP);
}

static bool dropped(const char *dst, int port)
{
	const struct trace_outcome *o = run_out(dst, port);

	assert_int_equal(res->n_outcomes, 1);
	return o->verdict == TRACE_DROP;
}

static int forget(void **state)
{
	ipset_list_free(list);
	list = NULL;
	return teardown(state);
}

static void addresses(void **state)
{
	struct ipset *s = new_set("one", "hash:ip");

	(void)state;
	member(s, "10.96.0.10", 32);
	drop_in("one", 1, 0, 0, false);
	assert_true(dropped("10.96.0.10", 80));
	assert_false(dropped("10.96.0.11", 80));
	s->netmask = 24;
	assert_true(dropped("10.96.0.11", 80));
	assert_false(dropped("10.96.1.11", 80));
	s->netmask = 0;
	s->elems->ip.to = ADDR("10.96.0.12");
	assert_true(dropped("10.96.0.12", 80));
	assert_false(dropped("10.96.0.13", 80));
	assert_false(dropped("10.96.0.9", 80));
	s->family = NFPROTO_IPV6;
	assert_false(dropped("10.96.0.12", 80));
}

static void negated_and_too_few(void **state)
{
	struct ipset *s = new_set("pairs", "hash:ip,port");
	struct ipset_elem *m = member(s, "10.96.0.10", 32);

	(void)state;
	m->has_port = m->has_proto = true;
	m->proto = IPPROTO_TCP;
	m->port = 80;
	m->port_to = 82;
	drop_in("pairs", 2, 0, 0, true);
	assert_false(dropped("10.96.0.10", 80));
	assert_false(dropped("10.96.0.10", 82));
	assert_true(dropped("10.96.0.10", 83));
	assert_true(dropped("10.96.0.11", 80));
	m->proto = IPPROTO_UDP;
	assert_true(dropped("10.96.0.10", 80));
}

static void too_few(void **state)
{
	struct ipset *s = new_set("pairs", "hash:ip,port");

	(void)state;
	member(s, "10.96.0.10", 32)->port = 80;
	drop_in("pairs", 1, 0, 0, false);
	assert_false(dropped("10.96.0.10", 80));
}

static void source_side(void **state)
{
	(void)state;
	member(new_set("own", "hash:ip"), "10.0.1.39", 32);
	drop_in("own", 1, 1, 0, false);
	assert_true(dropped("10.96.0.10", 80));
}

static void most_specific(void **state)
{
	struct ipset *s = new_set("nets", "hash:net");

	(void)state;
	member(s, "10.96.0.0", 28)->nomatch = true;
	member(s, "10.0.0.0", 8);
	drop_in("nets", 1, 0, 0, false);
	assert_false(dropped("10.96.0.10", 80));
	assert_true(dropped("10.96.0.16", 80));
}

static void nomatch_asked_for(void **state)
{
	struct ipset *s = new_set("nets", "hash:net");

	(void)state;
	member(s, "10.0.0.0", 8);
	member(s, "10.96.0.0", 28)->nomatch = true;
	drop_in("nets", 1, 0, IPSET_FLAG_RETURN_NOMATCH, false);
	assert_true(dropped("10.96.0.10", 80));
	assert_false(dropped("10.96.0.16", 80));
}

static void marks_and_lists(void **state)
{
	struct ipset *s = new_set("marks", "hash:ip,mark"), *l = new_set("both", "list:set");
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, "10.96.0.10", 80);

	(void)state;
	l->family = 0;
	s->markmask = 0xff;
	member(s, "10.96.0.10", 32)->mark = 5;
	member(l, NULL, 0)->set = "marks";
	drop_in("both", 2, 0, 0, false);
	assert_false(dropped("10.96.0.10", 80));
	rq.has_mark = true;
	rq.mark = 0x105;
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
}

/* hash_mac4_kadt(), hash_ipmac4_kadt(): of what is sent there is no frame yet; through lo comes an empty one */
static void hardware(void **state)
{
	static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 };
	struct ipset_elem *m = member(new_set("pairs", "hash:ip,mac"), "10.0.1.1", 32);
	struct trace_request rq = ask(TRACE_IN, IPPROTO_TCP, "10.0.1.1", "10.0.1.39", 8080);
	struct chain *c;

	(void)state;
	m->has_mac = true;
	memcpy(m->mac, one, sizeof(one));
	drop_in("pairs", 2, 3, 0, false);
	c = base(table(STORE_LEGACY, NFPROTO_IPV4, "filter"), "OUTPUT", "filter", NF_INET_PRE_ROUTING, -300);
	run(&rq);
	assert_int_equal(res->n_outcomes, 2);
	rq.has_smac = true;
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
	memcpy(rq.smac, one, sizeof(one));
	assert_int_equal(run(&rq)->verdict, TRACE_DROP);
	rq.src = ADDR("10.0.1.2");
	assert_int_equal(run(&rq)->verdict, TRACE_ACCEPT);
	c->hook = NF_INET_LOCAL_OUT;
	assert_false(dropped("10.96.0.10", 80));
}

/* A set that nests in itself, one that is not there, one of a type that is newer: unknown, with a reason */
static void not_known(void **state)
{
	static const char *const names[] = { "self", "gone", "newer" };
	struct ipset *l = new_set("self", "list:set");

	(void)state;
	l->family = 0;
	member(l, NULL, 0)->set = "self";
	member(new_set("newer", "hash:thing"), NULL, 0);
	for (unsigned i = 0; i < 3; i++) {
		table(STORE_LEGACY, NFPROTO_IPV4, "filter")->chains = NULL;
		rs->tables = NULL;
		rs->tables_tail = &rs->tables;
		drop_in(names[i], 1, 0, 0, false);
		run_out("10.96.0.10", 80);
		assert_int_equal(res->n_outcomes, 2);
		assert_non_null(res->outcomes[0].cases[0].a[0].why);
	}
}

/* ---- the template of a zone ---- */

static struct stmt *zone(uint16_t n)
{
	return SET(expr_ct(A, NFT_CT_ZONE, -1), expr_bytes(A, DT_INTEGER, ORDER_HOST, &n, 16));
}

static struct stmt *in_xt(struct stmt *meaning)
{
	struct stmt *s = stmt_new(A, STMT_XT);

	s->xt = arena_alloc(A, sizeof(*s->xt));
	s->xt->name = "CT";
	s->xt->target = s->xt->goes_on = true;
	s->xt->meaning = meaning;
	return s;
}

/* What is there of the packet behind conntrack, when two statements stand in raw; xt: as targets of iptables */
static bool behind(struct stmt *first, struct stmt *second, bool xt, struct stmt *drop_when)
{
	struct table *raw = table(STORE_NATIVE, NFPROTO_INET, xt ? "x" : "n");

	RULE(base(raw, "raw", "filter", NF_INET_LOCAL_OUT, -300), xt ? in_xt(first) : first);
	RULE(base(raw, "raw", "filter", NF_INET_LOCAL_OUT, -300), xt ? in_xt(second) : second);
	RULE(base(raw, "end", "filter", NF_INET_LOCAL_OUT, 0), drop_when, DROP);
	return run_out("10.96.0.10", 80)->verdict == TRACE_DROP;
}

static struct stmt *untracked(void)
{
	return EQ(expr_ct(A, NFT_CT_STATE, -1), U32(TRACE_CT_UNTRACKED));
}

static struct stmt *zone_is(uint16_t n)
{
	return EQ(expr_ct(A, NFT_CT_ZONE, -1), expr_bytes(A, DT_INTEGER, ORDER_HOST, &n, 16));
}

static void zone_stays(void **state)
{
	(void)state;
	assert_true(behind(zone(1), zone(2), false, zone_is(1)));
}

static void zone_before_notrack(void **state)
{
	(void)state;
	assert_true(behind(zone(1), stmt_new(A, STMT_NOTRACK), false, zone_is(1)));
}

static void notrack_before_zone(void **state)
{
	(void)state;
	assert_true(behind(stmt_new(A, STMT_NOTRACK), zone(2), false, zone_is(2)));
}

static void notrack_before_zone_xt(void **state)
{
	(void)state;
	assert_true(behind(stmt_new(A, STMT_NOTRACK), zone(2), true, untracked()));
}

/* ---- the tuple of the answers ---- */

static bool reply_is(uint32_t key, const char *ip, int hook)
{
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_INET, "seen"), ip, "filter", (unsigned)hook, 150);

	RULE(c, EQ(expr_ct(A, key, 1), IP(ip)), DROP);
	return run_out("10.96.0.10", 80)->verdict == TRACE_DROP && res->n_outcomes == 1;
}

static void answers_before_nat(void **state)
{
	(void)state;
	assert_true(reply_is(NFT_CT_SRC_IP, "10.96.0.10", NF_INET_LOCAL_OUT));
}

static void answers_come_to(void **state)
{
	(void)state;
	assert_true(reply_is(NFT_CT_DST_IP, "10.0.1.39", NF_INET_LOCAL_OUT));
}

static void mapped(void)
{
	struct table *t = table(STORE_NATIVE, NFPROTO_INET, "nat");

	RULE(base(t, "out", "nat", NF_INET_LOCAL_OUT, -100), NAT(NAT_DNAT, "203.0.113.7", -1));
	RULE(base(t, "post", "nat", NF_INET_POST_ROUTING, 100), NAT(NAT_SNAT, "10.0.1.40", -1));
}

static void answers_behind_dnat(void **state)
{
	(void)state;
	mapped();
	assert_true(reply_is(NFT_CT_SRC_IP, "203.0.113.7", NF_INET_POST_ROUTING));
}

static void answers_behind_snat(void **state)
{
	(void)state;
	mapped();
	assert_true(reply_is(NFT_CT_DST_IP, "10.0.1.40", NF_INET_POST_ROUTING));
}

#define SETS(f) cmocka_unit_test_setup_teardown(f, setup, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SETS(addresses), SETS(negated_and_too_few), SETS(too_few), SETS(source_side), SETS(most_specific),
		SETS(nomatch_asked_for), SETS(marks_and_lists), SETS(hardware), SETS(not_known), TEST(zone_stays),
		TEST(zone_before_notrack), TEST(notrack_before_zone), TEST(notrack_before_zone_xt),
		TEST(answers_before_nat), TEST(answers_come_to), TEST(answers_behind_dnat), TEST(answers_behind_snat),
	};

	return cmocka_run_group_tests_name("trace members", tests, NULL, NULL);
}
