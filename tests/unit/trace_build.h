/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_build - rulesets, a pod and questions made by hand, for the tests of trace/ */
#ifndef TESTS_UNIT_TRACE_BUILD_H
#define TESTS_UNIT_TRACE_BUILD_H

#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nsutil/trace/route.h"
#include "nsutil/trace/trace.h"

#define UNUSED __attribute__((unused))

static struct ruleset *rs;
static struct arena *A; /* of rs */

UNUSED static struct addr ADDR(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* ---- a pod: lo, eth0 with 10.0.1.39/24 and fd00:1::39/64, default routes, Envoy and an app ---- */

static struct nv_link links[] = {
	{ .index = 1, .name = "lo", .flags = IFF_UP | IFF_LOOPBACK, .type = 772, .mtu = 65536 },
	{ .index = 2, .name = "eth0", .kind = "veth", .flags = IFF_UP, .type = 1, .mtu = 1500, .group = 7 },
	{ .index = 3, .name = "eth1", .kind = "veth", .flags = IFF_UP, .type = 1, .mtu = 1500 },
};
static struct nv_addr addrs[5];
static struct nv_route routes[32];
static struct nv_nexthop hops[32];
static struct nv_socket sockets[16];
static struct nv_rule rules[16];
static struct netview nv;

UNUSED static struct nv_route *route(const char *dst, unsigned len, unsigned type, unsigned table, int oif,
				     const char *via)
{
	unsigned i = nv.n_routes++;

	assert_true(i < 32);
	hops[i] = (struct nv_nexthop){ .oif = oif, .weight = 1 };
	if (via)
		hops[i].via = ADDR(via);
	routes[i] = (struct nv_route){ .type = (uint8_t)type, .dst = ADDR(dst), .dst_len = (uint8_t)len,
				       .table = table, .hops = &hops[i], .n_hops = 1 };
	routes[i].family = routes[i].dst.family;
	return &routes[i];
}

UNUSED static struct nv_socket *listener(uint8_t family, uint8_t proto, const char *local, uint16_t port,
					 pid_t pid, uint32_t uid, const char *process)
{
	struct nv_socket *s = &sockets[nv.n_sockets++];

	*s = (struct nv_socket){ .family = family, .protocol = proto, .listening = true, .local = ADDR(local),
				 .lport = port, .pid = pid, .uid = uid, .details = true };
	snprintf(s->process, sizeof(s->process), "%s", process);
	return s;
}

UNUSED static void pod(void)
{
	memset(&nv, 0, sizeof(nv));
	addrs[0] = (struct nv_addr){ .ifindex = 1, .addr = ADDR("127.0.0.1"), .prefix_len = 8, .scope = RT_SCOPE_HOST };
	addrs[1] = (struct nv_addr){ .ifindex = 2, .addr = ADDR("10.0.1.39"), .prefix_len = 24 };
	addrs[2] = (struct nv_addr){ .ifindex = 1, .addr = ADDR("::1"), .prefix_len = 128, .scope = RT_SCOPE_HOST };
	addrs[3] = (struct nv_addr){ .ifindex = 2, .addr = ADDR("fd00:1::39"), .prefix_len = 64 };
	addrs[4] = (struct nv_addr){ .ifindex = 3, .addr = ADDR("10.0.2.39"), .prefix_len = 24 };
	nv.links = links;
	nv.n_links = 3;
	nv.addrs = addrs;
	nv.n_addrs = 5;
	nv.routes = routes;
	nv.sockets = sockets;
	nv.rules = rules;
	nv.port_low = 32768;
	nv.port_high = 60999;
	route("127.0.0.0", 8, RTN_LOCAL, RT_TABLE_LOCAL, 1, NULL);
	route("10.0.1.39", 32, RTN_LOCAL, RT_TABLE_LOCAL, 2, NULL);
	route("10.0.2.39", 32, RTN_LOCAL, RT_TABLE_LOCAL, 3, NULL);
	route("::1", 128, RTN_LOCAL, RT_TABLE_LOCAL, 1, NULL);
	route("fd00:1::39", 128, RTN_LOCAL, RT_TABLE_LOCAL, 2, NULL);
	route("10.0.1.0", 24, RTN_UNICAST, RT_TABLE_MAIN, 2, NULL);
	route("10.0.2.0", 24, RTN_UNICAST, RT_TABLE_MAIN, 3, NULL);
	route("0.0.0.0", 0, RTN_UNICAST, RT_TABLE_MAIN, 2, "10.0.1.1");
	route("fd00:1::", 64, RTN_UNICAST, RT_TABLE_MAIN, 2, NULL);
	route("::", 0, RTN_UNICAST, RT_TABLE_MAIN, 2, "fd00:1::1");
	listener(AF_INET, IPPROTO_TCP, "0.0.0.0", 15001, 4805, 1337, "envoy");
	listener(AF_INET, IPPROTO_TCP, "0.0.0.0", 15006, 4805, 1337, "envoy");
	listener(AF_INET6, IPPROTO_TCP, "::", 8080, 4711, 1000, "app");
}

/* ---- rulesets ---- */

UNUSED static struct table *table(enum store store, uint8_t family, const char *name)
{
	struct table *t = ruleset_find_table(rs, store, family, name);

	return t ? t : ruleset_add_table(rs, store, family, name);
}

UNUSED static struct chain *chain(struct table *t, const char *name)
{
	struct chain *c = table_find_chain(t, name);

	return c ? c : table_add_chain(rs, t, name);
}

UNUSED static struct chain *base(struct table *t, const char *name, const char *type, unsigned hook, int prio)
{
	struct chain *c = chain(t, name);

	c->base = true;
	c->type = type;
	c->hook = hook;
	c->priority = prio;
	return c;
}

/* A rule of statements, ended by NULL. */
UNUSED static struct rule *add_rule(struct chain *c, ...)
{
	struct rule *r = chain_add_rule(rs, c);
	struct stmt *s;
	va_list ap;

	va_start(ap, c);
	while ((s = va_arg(ap, struct stmt *)))
		stmt_append(&r->stmts, s);
	va_end(ap);
	return r;
}
#define RULE(c, ...) add_rule(c, __VA_ARGS__, NULL)

#define META(key) expr_meta(A, NFT_META_##key)
#define FIELD(p, f) expr_field(A, p, f)
#define U32(v) expr_u32(A, DT_INTEGER, v)
#define PORT(v) expr_be16(A, DT_SERVICE, v)
#define EQ(l, r) stmt_match_new(A, OP_EQ, l, r)
#define NE(l, r) stmt_match_new(A, OP_NE, l, r)
#define CMP(op, l, r) stmt_match_new(A, op, l, r)

UNUSED static struct expr *IP(const char *text)
{
	struct addr a = ADDR(text);

	return expr_addr(A, &a);
}

UNUSED static struct stmt *L4(uint8_t proto)
{
	return EQ(META(L4PROTO), expr_bytes(A, DT_INET_PROTO, ORDER_HOST, &proto, 8));
}

UNUSED static struct stmt *DPORT(uint16_t port)
{
	return EQ(FIELD("tcp", "dport"), PORT(port));
}

UNUSED static struct stmt *UID(uint32_t uid)
{
	return EQ(META(SKUID), U32(uid));
}

UNUSED static struct stmt *OIF(const char *name)
{
	return EQ(META(OIFNAME), expr_ifname(A, name));
}

UNUSED static struct stmt *V(enum verdict code, const char *to)
{
	return stmt_verdict_new(A, code, to);
}
#define ACCEPT V(VERDICT_ACCEPT, NULL)
#define DROP V(VERDICT_DROP, NULL)
#define RETURN V(VERDICT_RETURN, NULL)
#define JUMP(to) V(VERDICT_JUMP, to)
#define GOTO(to) V(VERDICT_GOTO, to)

UNUSED static struct stmt *NAT(enum nat_kind kind, const char *addr, int port)
{
	struct stmt *s = stmt_new(A, STMT_NAT);

	s->nat.kind = kind;
	if (addr)
		s->nat.addr = IP(addr);
	if (port >= 0)
		s->nat.port = PORT((uint16_t)port);
	return s;
}
#define REDIRECT(port) NAT(NAT_REDIRECT, NULL, port)

UNUSED static struct stmt *SET(struct expr *target, struct expr *value)
{
	struct stmt *s = stmt_new(A, STMT_SET_VALUE);

	s->set_value.target = target;
	s->set_value.value = value;
	return s;
}

UNUSED static struct stmt *LIMIT(void)
{
	struct stmt *s = stmt_new(A, STMT_LIMIT);

	s->limit.rate = 5;
	s->limit.unit_secs = 60;
	return s;
}

/* Istio's default outbound and inbound chains, as in SPEC. */
UNUSED static void istio(enum store store, uint8_t family)
{
	bool v6 = family == NFPROTO_IPV6;
	const char *lo = v6 ? "::1" : "127.0.0.1", *probe = v6 ? "::6" : "127.0.0.6";
	struct expr *daddr = FIELD(v6 ? "ip6" : "ip", "daddr"), *saddr = FIELD(v6 ? "ip6" : "ip", "saddr");
	struct table *t = table(store, family, "nat");
	struct chain *out = chain(t, "ISTIO_OUTPUT"), *in = chain(t, "ISTIO_INBOUND");
	struct chain *redirect = chain(t, "ISTIO_REDIRECT"), *in_redirect = chain(t, "ISTIO_IN_REDIRECT");

	RULE(base(t, "PREROUTING", "nat", NF_INET_PRE_ROUTING, -100), L4(6), JUMP("ISTIO_INBOUND"));
	RULE(base(t, "OUTPUT", "nat", NF_INET_LOCAL_OUT, -100), JUMP("ISTIO_OUTPUT"));
	RULE(in, L4(6), DPORT(15008), RETURN);
	RULE(in, L4(6), DPORT(15020), RETURN);
	RULE(in, L4(6), JUMP("ISTIO_IN_REDIRECT"));
	RULE(redirect, L4(6), REDIRECT(15001));
	RULE(in_redirect, L4(6), REDIRECT(15006));
	RULE(out, OIF("lo"), EQ(saddr, IP(probe)), RETURN);
	RULE(out, OIF("lo"), NE(daddr, IP(lo)), L4(6), NE(FIELD("tcp", "dport"), PORT(15008)), UID(1337),
	     JUMP("ISTIO_IN_REDIRECT"));
	RULE(out, OIF("lo"), NE(META(SKUID), U32(1337)), RETURN);
	RULE(out, UID(1337), RETURN);
	RULE(out, EQ(daddr, IP(lo)), RETURN);
	RULE(out, JUMP("ISTIO_REDIRECT"));
	ruleset_link(rs, t);
}

/* ---- questions and answers ---- */

static struct trace_result *res;
UNUSED static struct tracer *tracer; /* texts of the result are its own */
static struct trace_options options;

UNUSED static int setup(void **state)
{
	(void)state;
	rs = ruleset_new();
	A = rs->arena;
	memset(&options, 0, sizeof(options));
	pod();
	return 0;
}

UNUSED static int teardown(void **state)
{
	(void)state;
	trace_result_free(res);
	tracer_free(tracer);
	tracer = NULL;
	res = NULL;
	ruleset_free(rs);
	return 0;
}

UNUSED static struct trace_request ask(enum trace_path path, uint8_t proto, const char *src, const char *dst,
				       int dport)
{
	struct trace_request rq = TRACE_REQUEST_INIT;

	rq.path = path;
	rq.l4proto = proto;
	rq.dst = ADDR(dst);
	rq.family = rq.dst.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	if (src)
		rq.src = ADDR(src);
	rq.dport = dport;
	return rq;
}

UNUSED static const struct trace_outcome *run(const struct trace_request *rq)
{
	struct err e = ERR_INIT;

	for (struct table *tb = rs->tables; tb; tb = tb->next)
		ruleset_link(rs, tb);
	trace_result_free(res);
	tracer_free(tracer);
	res = NULL;
	tracer = NULL;
	assert_int_equal(tracer_new(rs, &nv, &options, &tracer, &e), 0);
	assert_int_equal(trace_run(tracer, rq, &res, &e), 0);
	return &res->outcomes[0];
}

/* out tcp to a place, uid 1000; for tests of conditions */
UNUSED static const struct trace_outcome *run_out(const char *dst, int dport)
{
	struct trace_request rq = ask(TRACE_OUT, IPPROTO_TCP, NULL, dst, dport);

	rq.has_uid = true;
	rq.uid = 1000;
	rq.has_gid = true;
	rq.gid = 1000;
	return run(&rq);
}

/* Rules that matched, as "CHAIN:INDEX" words, of one branch. */
UNUSED static const char *way(unsigned branch)
{
	static char text[2048];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < res->n_steps; i++) {
		const struct trace_step *s = &res->steps[i];

		if (s->branch != branch || s->matched != TRI_TRUE || !s->rule)
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s:%u", n ? " " : "", s->chain->name,
				      s->rule->index);
	}
	return text;
}

UNUSED static const char *addr_text(const struct addr *a)
{
	static char text[ADDR_TEXT];

	return addr_fmt(a, text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
