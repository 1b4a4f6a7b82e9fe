/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_diff - what differs between two stores and rulesets; who owns a chain */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nsutil/ruleset/canon.h"
#include "nsutil/ruleset/diff.h"
#include "nsutil/ruleset/owner.h"

static struct ruleset *L, *R;
static struct arena *A;

static int setup(void **state)
{
	(void)state;
	L = ruleset_new();
	R = ruleset_new();
	A = arena_new();
	return L && R && A ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ruleset_free(L);
	ruleset_free(R);
	arena_free(A);
	return 0;
}

/* A chain whose rules mark packets with the letters of a word; a capital letter drops them instead. */
static struct chain *chain(struct ruleset *rs, enum store store, const char *name, const char *letters)
{
	struct table *t = ruleset_find_table(rs, store, NFPROTO_IPV4, "nat");
	struct chain *c;

	if (!t)
		t = ruleset_add_table(rs, store, NFPROTO_IPV4, "nat");
	c = table_add_chain(rs, t, name);
	for (; *letters; letters++) {
		struct rule *r = chain_add_rule(rs, c);

		r->stmts = stmt_match_new(rs->arena, OP_EQ, expr_meta(rs->arena, NFT_META_MARK),
					  expr_u32(rs->arena, DT_MARK, (uint8_t)(*letters | 0x20)));
		stmt_append(&r->stmts, stmt_verdict_new(rs->arena,
							*letters & 0x20 ? VERDICT_ACCEPT : VERDICT_DROP, NULL));
	}
	return c;
}

/* "kind:left-right" of each difference, rules by their number, "c" a chain, "t" a table. */
static void expect(unsigned lstores, struct ruleset *right, unsigned rstores, const char *expected)
{
	struct diff_side l = { L, lstores }, r = { right, rstores };
	struct diff d;
	char seen[400] = "";

	assert_int_equal(diff_rulesets(A, &l, &r, NULL, &d), 0);
	for (struct diff_entry *e = d.entries; e; e = e->next) {
		char one[60];

		if (e->left || e->right)
			snprintf(one, sizeof(one), "%s:%u-%u ", diff_kind_name(e->kind),
				 e->left ? e->left->index : 0, e->right ? e->right->index : 0);
		else
			snprintf(one, sizeof(one), "%s:%s ", diff_kind_name(e->kind),
				 e->left_chain || e->right_chain ? "c" : "t");
		strcat(seen, one);
	}
	assert_string_equal(seen, expected);
}
#define BIT(s) (1u << STORE_##s)

static void stores_of_one_ruleset(void **state)
{
	(void)state;
	chain(L, STORE_LEGACY, "OUT", "abcd");
	chain(L, STORE_COMPAT, "OUT", "abcd");
	expect(BIT(LEGACY), L, BIT(COMPAT), "");
	chain(L, STORE_COMPAT, "MORE", "x");
	expect(BIT(LEGACY), L, BIT(COMPAT), "extra:c extra:0-1 ");
}

static void rules_missing_extra_moved_and_changed(void **state)
{
	(void)state;
	chain(L, STORE_LEGACY, "A", "abcd");
	chain(R, STORE_LEGACY, "A", "acdx");
	chain(L, STORE_LEGACY, "B", "abcd");
	chain(R, STORE_LEGACY, "B", "bcda");
	chain(L, STORE_LEGACY, "C", "abc");
	chain(R, STORE_LEGACY, "C", "aBc");
	expect(BIT(LEGACY), R, BIT(LEGACY), "missing:2-0 extra:0-4 moved:1-4 changed:2-2 ");
}

static void tables_in_another_store(void **state)
{
	(void)state;
	chain(L, STORE_LEGACY, "A", "ab");
	chain(R, STORE_COMPAT, "A", "a");
	expect(7, R, 7, "store:t missing:2-0 ");
	/* but not when that is what was asked for */
	expect(BIT(LEGACY), R, BIT(COMPAT), "missing:2-0 ");
}

static void what_does_nothing_is_as_good_as_none(void **state)
{
	struct chain *c = chain(L, STORE_LEGACY, "OUTPUT", "");

	(void)state;
	c->base = true;
	c->type = "nat";
	expect(7, R, 7, "");
	c->policy = VERDICT_DROP;
	expect(7, R, 7, "missing:t missing:c ");
}

static void chains_that_are_called_otherwise(void **state)
{
	struct chain *l = chain(L, STORE_LEGACY, "OUTPUT", "a"), *r = chain(R, STORE_LEGACY, "OUTPUT", "a");

	(void)state;
	l->base = r->base = true;
	l->type = r->type = "nat";
	expect(7, R, 7, "");
	r->priority = -100;
	expect(7, R, 7, "changed:c ");
	r->base = false;
	assert_int_equal(canon_chain(l, r), CHAIN_BASE);
}

static const char *owner(const char *table, enum store store, const char *name)
{
	struct table *t = ruleset_add_table(L, store, NFPROTO_IPV4, table);

	return owner_chain(table_add_chain(L, t, name));
}

static void owners_by_name(void **state)
{
	static const struct { const char *table, *chain, *owner; } known[] = {
		{ "nat", "ISTIO_OUTPUT", "Istio" },	      { "nat", "PROXY_INIT_REDIRECT", "Linkerd" },
		{ "nat", "KUBE-SVC-ABC", "kube-proxy" },      { "mangle", "KUBE-KUBELET-CANARY", "kubelet" },
		{ "mangle", "KUBE-IPTABLES-HINT", "kubelet" }, { "filter", "cali-INPUT", "Calico" },
		{ "nat", "CILIUM_POST_nat", "Cilium" },	      { "nat", "AWS-SNAT-CHAIN-0", "AWS VPC CNI" },
		{ "nat", "DOCKER", "Docker" },		      { "filter", "DOCKER-USER", "Docker" },
		{ "nat", "CNI-HOSTPORT-DNAT", "CNI portmap" }, { "nat", "CNI-DN-0123456789abcdef01234", "CNI portmap" },
		{ "nat", "CNI-0123456789abcdef01234567", "CNI plugins" }, { "filter", "ufw-user-input", "ufw" },
		{ "filter", "IN_public_allow", "firewalld" }, { "nat", "TEL_OUTPUT_TCP", "Telepresence" },
		{ "nat", "FLANNEL-POSTRTG", "flannel" },      { "nat", "WEAVE", "Weave" },
		{ "nat", "NETAVARK-HOSTPORT-DNAT", "podman (netavark)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(owner(known[i].table, STORE_LEGACY, known[i].chain), known[i].owner);
	assert_null(owner("nat", STORE_LEGACY, "my-chain"));
	assert_string_equal(owner("istio-proxy-nat", STORE_NATIVE, "prerouting"), "Istio");
	assert_string_equal(owner("istio-ambient-mangle", STORE_NATIVE, "output"), "Istio ambient");
	assert_string_equal(owner("kube-proxy", STORE_NATIVE, "services"), "kube-proxy");
	assert_null(owner("mine", STORE_NATIVE, "services"));
}

static void ambient_by_shape(void **state)
{
	struct table *t = ruleset_add_table(L, STORE_LEGACY, NFPROTO_IPV4, "mangle");
	struct chain *c = table_add_chain(L, t, "ISTIO_OUTPUT");

	(void)state;
	assert_string_equal(owner_chain(c), "Istio");
	table_add_chain(L, t, "ISTIO_PRERT");
	assert_string_equal(owner_chain(c), "Istio ambient");
}

static const char *service(enum store store, const char *table, const char *name, const char *comment)
{
	static char text[OWNER_SERVICE_TEXT];
	struct table *t = ruleset_add_table(L, store, NFPROTO_IPV4, table);
	struct chain *c = table_add_chain(L, t, name);
	struct rule *r = chain_add_rule(L, c);

	r->comment = comment;
	return owner_service(c, text);
}

static void services_by_comment_and_name(void **state)
{
	(void)state;
	assert_string_equal(service(STORE_LEGACY, "nat", "KUBE-SVC-A", "shop/cart:http cluster IP"), "shop/cart:http");
	assert_string_equal(service(STORE_LEGACY, "nat", "KUBE-SVC-A", "shop/cart:http -> 10.0.0.1:80"),
			    "shop/cart:http");
	assert_string_equal(service(STORE_LEGACY, "nat", "KUBE-SEP-A", "default/kubernetes:https"),
			    "default/kubernetes:https");
	assert_string_equal(service(STORE_LEGACY, "nat", "KUBE-EXT-A",
				    "masquerade traffic for shop/cart external destinations"), "shop/cart");
	assert_null(service(STORE_LEGACY, "nat", "KUBE-SERVICES", "shop/cart:http cluster IP"));
	assert_null(service(STORE_LEGACY, "nat", "KUBE-SVC-A", "no service and/"));
	assert_null(service(STORE_LEGACY, "nat", "KUBE-SVC-A", NULL));
	assert_string_equal(service(STORE_NATIVE, "kube-proxy", "service-ULMVA6XW-ns1/svc1/tcp/p80", NULL), "ns1/svc1:p80");
	assert_string_equal(service(STORE_NATIVE, "kube-proxy", "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80",
				    NULL), "ns1/svc1:p80");
	assert_string_equal(service(STORE_NATIVE, "kube-proxy", "endpoint-5OJB2KTY-ns1/svc1/tcp/__10.180.0.1/80", NULL),
			    "ns1/svc1");
	assert_null(service(STORE_NATIVE, "kube-proxy", "services", NULL));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(stores_of_one_ruleset),
		T(rules_missing_extra_moved_and_changed),
		T(tables_in_another_store),
		T(what_does_nothing_is_as_good_as_none),
		T(chains_that_are_called_otherwise),
		T(owners_by_name),
		T(ambient_by_shape),
		T(services_by_comment_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
