/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hookorder - the order of base chains out of nfnetlink_hook's messages, and what the trace makes of it */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>

#include "nsutil/netns/hookorder.h"
#include "tests/unit/trace_build.h"

#define SETMARK(v) SET(META(MARK), U32(v))
#define MARK(v) EQ(META(MARK), U32(v))

static char buffer[2048];

/* A message as nfnl_hook_dump_one() puts it together; chain NULL: a function that is none of nftables. */
static const struct nlmsghdr *hook(uint8_t family, unsigned number, int priority, const char *function,
				   const struct chain *c)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = 12 << 8 | NFNL_MSG_HOOK_GET;
	nfg->nfgen_family = family;
	mnl_attr_put_strz(nlh, NFNLA_HOOK_FUNCTION_NAME, function);
	mnl_attr_put_u32(nlh, NFNLA_HOOK_HOOKNUM, htonl(number));
	mnl_attr_put_u32(nlh, NFNLA_HOOK_PRIORITY, htonl((uint32_t)priority));
	if (c) {
		struct nlattr *info = mnl_attr_nest_start(nlh, NFNLA_HOOK_CHAIN_INFO), *desc;

		mnl_attr_put_u32(nlh, NFNLA_HOOK_INFO_TYPE, htonl(NFNL_HOOK_TYPE_NFTABLES));
		desc = mnl_attr_nest_start(nlh, NFNLA_HOOK_INFO_DESC);
		mnl_attr_put_strz(nlh, NFNLA_CHAIN_TABLE, c->table->name);
		mnl_attr_put_strz(nlh, NFNLA_CHAIN_NAME, c->name);
		mnl_attr_put_u8(nlh, NFNLA_CHAIN_FAMILY, c->table->family);
		mnl_attr_nest_end(nlh, desc);
		mnl_attr_nest_end(nlh, info);
	}
	return nlh;
}

static void the_order_of_messages_is_that_of_the_chains(void **state)
{
	struct chain *legacy = base(table(STORE_LEGACY, NFPROTO_IPV4, "filter"), "OUTPUT", "filter", NF_INET_LOCAL_OUT, 0);
	struct chain *compat = base(table(STORE_COMPAT, NFPROTO_IPV4, "filter"), "OUTPUT", "filter", NF_INET_LOCAL_OUT, 0);
	struct chain *inet = base(table(STORE_NATIVE, NFPROTO_INET, "t"), "o", "filter", NF_INET_LOCAL_OUT, 0);
	struct hookorder o = { .rs = rs, .arena = A };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(hookorder_parse(hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, -200, "ipv4_conntrack_local", NULL), &o, &e), 0);
	assert_int_equal(hookorder_parse(hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, 0, "nft_do_chain_inet", inet), &o, &e), 0);
	assert_int_equal(hookorder_parse(hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, 0, "ipt_do_table", NULL), &o, &e), 0);
	assert_int_equal(hookorder_parse(hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, -150, "iptable_mangle_hook", NULL), &o, &e), 0);
	assert_int_equal(hookorder_parse(hook(NFPROTO_IPV6, NF_INET_LOCAL_OUT, 0, "ip6t_do_table", NULL), &o, &e), 0);
	assert_int_equal(hookorder_parse(hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, 0, "nft_do_chain_ipv4", compat), &o, &e), 0);
	assert_int_equal(o.n, 3);
	assert_ptr_equal(o.chains[0], inet);
	assert_ptr_equal(o.chains[1], legacy);
	assert_ptr_equal(o.chains[2], compat);

	/* the mark that the first one sets is what the others see */
	RULE(inet, SETMARK(7));
	RULE(legacy, MARK(7), DROP);
	RULE(compat, MARK(0), ACCEPT);
	run_out("10.96.0.10", 80);
	assert_true(res->order_unknown);
	options.order = o.chains;
	options.n_order = o.n;
	run_out("10.96.0.10", 80);
	assert_false(res->order_unknown);
	assert_int_equal(res->n_outcomes, 1);
	assert_int_equal(res->outcomes[0].verdict, TRACE_DROP);
	options.order = NULL;
	options.n_order = 0;
}

static void what_makes_no_sense_is_passed_over(void **state)
{
	struct chain *c = base(table(STORE_NATIVE, NFPROTO_IPV4, "t"), "o", "filter", NF_INET_LOCAL_OUT, 0);
	struct hookorder o = { .rs = rs, .arena = A };
	struct nlmsghdr *nlh;
	struct err e = ERR_INIT;

	(void)state;
	nlh = (struct nlmsghdr *)hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, 0, "nft_do_chain_ipv4", c);
	for (uint32_t len = nlh->nlmsg_len - 4; len >= sizeof(*nlh); len -= 4) {
		nlh->nlmsg_len = len; /* cut off anywhere */
		assert_int_equal(hookorder_parse(nlh, &o, &e), 0);
	}
	c->name = "another";
	nlh = (struct nlmsghdr *)hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, 0, "nft_do_chain_ipv4", c);
	c->name = "o";
	assert_int_equal(hookorder_parse(nlh, &o, &e), 0);
	assert_int_equal(o.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_order_of_messages_is_that_of_the_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(what_makes_no_sense_is_passed_over, setup, teardown),
	};

	return cmocka_run_group_tests_name("hookorder", tests, NULL, NULL);
}
