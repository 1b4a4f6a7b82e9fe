/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_quick - what is told beforehand of rules changes no answer: random rulesets and packets, both ways */
#include "tests/unit/trace_build.h"

#include "nsutil/base/buf.h"

/*
 * Each ruleset is traced by a tracer that looks at every rule and by one that passes over what it can; all
 * that a result holds is compared as text. CNISH_QUICK=SEED runs one ruleset, CNISH_QUICK_N=N so many.
 */
#define RULESETS 700
#define PACKETS 24

static uint64_t state_of;

static unsigned upto(unsigned n) /* 0 .. n-1 */
{
	state_of ^= state_of << 13;
	state_of ^= state_of >> 7;
	state_of ^= state_of << 17;
	return (unsigned)(state_of >> 20) % n;
}

#define PICK(array) (array)[upto(sizeof(array) / sizeof((array)[0]))]

static const char *const v4[] = { "10.96.0.1", "10.96.0.2", "10.96.1.3", "10.0.1.39", "10.0.1.7", "127.0.0.1", "8.8.8.8" };
static const char *const v6[] = { "fd00:1::39", "fd00:1::7", "2001:db8::1", "2001:db8::2", "2001:db8:1::3", "::1" };
static const uint16_t ports[] = { 53, 80, 81, 443, 15008, 8080, 33000, 0, 65535 };
static const uint32_t numbers[] = { 0, 1, 5, 0x100, 0x4000, 0xffff, 1000, 1337, UINT32_MAX };
static const char *const names[] = { "lo", "eth0", "eth1", "eth*", "e*", "veth9" };

/* ---- values of a field ---- */

enum kind { K_V4, K_V6, K_PORT, K_NUMBER, K_PROTO, K_NAME, K_DSCP, K_FLAGS, K_TTL };

static struct expr *value_of(enum kind k)
{
	uint8_t byte = (uint8_t)(k == K_PROTO ? (upto(3) ? 6 : 17) : k == K_DSCP ? upto(64) : k == K_FLAGS ? 1u << upto(6)
				 : upto(3) * 32);

	switch (k) {
	case K_V4: return IP(PICK(v4));
	case K_V6: return IP(PICK(v6));
	case K_PORT: return PORT(PICK(ports));
	case K_NUMBER: return U32(PICK(numbers));
	case K_NAME: return expr_ifname(A, PICK(names));
	case K_DSCP: return expr_bytes(A, DT_DSCP, ORDER_NET, &byte, 6);
	default: return expr_bytes(A, DT_INTEGER, ORDER_NET, &byte, 8);
	}
}

static struct expr *field_of(enum kind *k)
{
	static const struct { const char *header, *name; enum kind kind; } fields[] = {
		{ "ip", "daddr", K_V4 }, { "ip", "saddr", K_V4 }, { "ip6", "daddr", K_V6 }, { "ip6", "saddr", K_V6 },
		{ "tcp", "dport", K_PORT }, { "tcp", "sport", K_PORT }, { "udp", "dport", K_PORT }, { "ip", "dscp", K_DSCP },
		{ "ip6", "dscp", K_DSCP }, { "tcp", "flags", K_FLAGS }, { "ip", "ttl", K_TTL }, { "ip", "protocol", K_PROTO },
		{ "ip", "daddr", K_V4 }, { "tcp", "dport", K_PORT },
	};
	static const struct { uint32_t key; enum kind kind; } metas[] = {
		{ NFT_META_MARK, K_NUMBER }, { NFT_META_SKUID, K_NUMBER }, { NFT_META_SKGID, K_NUMBER },
		{ NFT_META_IIFNAME, K_NAME }, { NFT_META_OIFNAME, K_NAME }, { NFT_META_L4PROTO, K_PROTO },
		{ NFT_META_IIF, K_NUMBER }, { NFT_META_PRIORITY, K_NUMBER }, { NFT_META_IIFNAME, K_NAME },
		{ NFT_META_OIFNAME, K_NAME }, { NFT_META_MARK, K_NUMBER }, { NFT_META_CGROUP, K_NUMBER },
	};
	unsigned i;

	if (upto(2)) {
		i = upto(sizeof(fields) / sizeof(fields[0]));
		*k = fields[i].kind;
		return FIELD(fields[i].header, fields[i].name);
	}
	if (upto(8) == 0) {
		*k = K_NUMBER;
		return expr_ct(A, upto(2) ? NFT_CT_STATE : NFT_CT_MARK, -1);
	}
	i = upto(sizeof(metas) / sizeof(metas[0]));
	*k = metas[i].kind;
	return expr_meta(A, metas[i].key);
}

/* ---- conditions ---- */

/* Of a big set: one of many values, that are near each other. */
static struct expr *random_value(enum kind k)
{
	uint8_t b[4] = { 10, 96, (uint8_t)upto(2), (uint8_t)upto(8) };

	if (k == K_V4 && upto(2))
		return expr_bytes(A, DT_IPV4, ORDER_NET, b, 32);
	return k == K_PORT && upto(2) ? PORT((uint16_t)(78 + upto(8))) : value_of(k);
}

/* A key of two parts, and a set of such keys; some parts of its elements are prefixes or ranges. */
static struct expr *pair(struct expr *a, struct expr *b)
{
	struct expr *x = expr_new(A, EXPR_CONCAT, DT_INTEGER, ORDER_NET, (unsigned)a->bits + b->bits);

	x->concat.n = 2;
	x->concat.parts = arena_array(A, 2, sizeof(struct expr *));
	x->concat.parts[0] = a;
	x->concat.parts[1] = b;
	return x;
}

static struct set *random_set(enum kind k);

static struct set *random_pairs(enum kind k, enum kind l)
{
	struct set *s = random_set(k);

	for (uint32_t i = 0; i < s->n_elems; i++)
		s->elems[i].key = pair(s->elems[i].key, random_value(l));
	return s;
}

static struct set *random_set(enum kind k)
{
	struct table *t = rs->tables;
	struct set *s;
	char name[16];

	snprintf(name, sizeof(name), "s%u", upto(1000000));
	s = table_add_set(rs, t, name);
	s->n_elems = 1 + upto(upto(2) ? 12 : 60);
	s->elems = arena_array(A, s->n_elems, sizeof(*s->elems));
	for (uint32_t i = 0; i < s->n_elems; i++) {
		struct expr *v = random_value(k);

		if (v->kind == EXPR_VALUE && v->bits % 8 == 0 && upto(3) == 0)
			v = expr_prefix(A, v, upto(v->bits) + 1);
		else if (v->kind == EXPR_VALUE && upto(4) == 0)
			v = expr_range(A, v, value_of(k));
		s->elems[i].key = v;
		s->elems[i].catchall = upto(40) == 0;
		if (upto(30) == 0)
			s->elems[i].stmts = LIMIT();
	}
	if (upto(20) == 0)
		s->unread = "it was not read";
	return s;
}

static struct stmt *compare(void)
{
	enum kind k;
	struct expr *left = field_of(&k), *right;
	enum match_op op = upto(4) ? OP_EQ : OP_NE;

	if (upto(5) == 0 && k != K_NAME)
		left = expr_binop(A, BINOP_AND, left, k == K_DSCP ? value_of(K_DSCP) : value_of(k));
	right = value_of(k);
	switch (upto(13)) {
	case 12: {
		enum kind l;
		struct expr *other = field_of(&l);

		return left->kind == EXPR_BINOP ? CMP(op, left, right)
						: CMP(op, pair(left, other), expr_setref(A, random_pairs(k, l)));
	}
	case 0: return right->kind == EXPR_VALUE && k != K_NAME ? CMP(OP_LT + upto(4), left, right) : CMP(op, left, right);
	case 1: return right->kind == EXPR_VALUE ? CMP(op, left, expr_range(A, right, value_of(k))) : CMP(op, left, right);
	case 2:
	case 3:
		if (right->kind == EXPR_VALUE && right->bits % 8 == 0)
			right = expr_prefix(A, right, upto(right->bits) + 1);
		return CMP(op, left, right);
	case 4: return left->kind == EXPR_BINOP ? CMP(op, left, right) : CMP(op, left, expr_setref(A, random_set(k)));
	default: return CMP(op, left, right);
	}
}

static struct stmt *list_of(unsigned n)
{
	struct stmt *list = NULL;

	while (n--)
		stmt_append(&list, upto(15) ? compare() : LIMIT());
	return list;
}

static struct stmt *xt(struct stmt *meaning, const char *unknown, bool target)
{
	struct stmt *s = stmt_new(A, STMT_XT);

	s->xt = arena_alloc(A, sizeof(*s->xt));
	s->xt->name = "thing";
	s->xt->meaning = meaning;
	s->xt->why_unknown = unknown;
	s->xt->target = target;
	return s;
}

/* What no packet tells, as a match of xt has it or as a native rule; some are certain all the same. */
static struct stmt *drawn(void)
{
	struct expr *x = expr_meta(A, NFT_META_PRANDOM);

	if (upto(3) == 0)
		return xt(NULL, upto(2) ? "it is random" : "it is another thing", false);
	if (upto(2))
		return xt(CMP(OP_LT, expr_binop(A, BINOP_AND, x, U32(0x7fffffff)), U32(upto(5) ? 0x20000000u << upto(3) : 0x80000000u)),
			  NULL, false);
	if (upto(2))
		return CMP(upto(2) ? OP_EQ : OP_LT, x, U32(PICK(numbers)));
	x = expr_new(A, EXPR_NUMGEN, DT_INTEGER, ORDER_HOST, 32);
	x->numgen.modulus = 1 + upto(4);
	x->numgen.type = upto(2) ? NFT_NG_RANDOM : NFT_NG_INCREMENTAL;
	return EQ(x, U32(upto(3)));
}

static struct stmt *condition(void)
{
	struct stmt *s;

	switch (upto(17)) {
	case 16: return upto(2) ? drawn() : compare();
	case 0: return xt(NULL, NULL, false);
	case 1: return upto(3) ? compare() : xt(NULL, "it is random", false);
	case 2:
	case 3: return xt(list_of(1 + upto(3)), NULL, false);
	case 4: return stmt_new(A, STMT_COUNTER);
	case 5:
		s = stmt_new(A, STMT_NOT);
		s->negated = list_of(1 + upto(2));
		return s;
	case 6:
		s = stmt_new(A, STMT_ANY);
		s->any.n = 2;
		s->any.alternatives = arena_array(A, 2, sizeof(struct stmt *));
		s->any.alternatives[0] = list_of(1);
		s->any.alternatives[1] = list_of(1 + upto(2));
		return s;
	case 7: return upto(4) ? compare() : LIMIT();
	default: return compare();
	}
}

/* ---- rules ---- */

static struct stmt *vmap(const char *const *chains, unsigned n)
{
	struct stmt *s = stmt_new(A, STMT_VMAP);
	enum kind k;

	s->vmap.key = field_of(&k);
	if (upto(2)) {
		enum kind l;
		struct expr *other = field_of(&l);

		s->vmap.key = pair(s->vmap.key, other);
		s->vmap.map = random_pairs(k, l);
	} else {
		s->vmap.map = random_set(k);
	}
	s->vmap.map->flags |= SET_MAP;
	for (uint32_t i = 0; i < s->vmap.map->n_elems; i++)
		s->vmap.map->elems[i].verdict = n && upto(2) ? &JUMP(chains[upto(n)])->verdict : &RETURN->verdict;
	return s;
}

static struct stmt *action(bool nat, const char *const *chains, unsigned n)
{
	switch (upto(nat ? 16 : 11)) {
	case 0: return SET(META(MARK), U32(PICK(numbers)));
	case 1: return SET(META(MARK), expr_binop(A, BINOP_OR, META(MARK), U32(PICK(numbers))));
	case 2: return RETURN;
	case 3: return upto(3) ? ACCEPT : DROP;
	case 4: return n && upto(2) ? GOTO(chains[upto(n)]) : stmt_new(A, STMT_COUNTER);
	case 5: return upto(3) ? stmt_new(A, STMT_LOG) : xt(NULL, "it is not understood", true);
	case 6: return upto(2) ? vmap(chains, n) : stmt_new(A, STMT_NOTRACK);
	case 7: return SET(FIELD("ip", "dscp"), value_of(K_DSCP));
	case 11: return REDIRECT(15001);
	case 12: return NAT(NAT_DNAT, PICK(v4), 8080);
	case 13: return NAT(NAT_MASQUERADE, NULL, -1);
	case 14: return xt(NAT(NAT_DNAT, upto(6) ? PICK(v4) : PICK(v6), upto(2) ? 8080 : -1), NULL, true);
	case 15: return upto(2) ? NAT(NAT_DNAT, NULL, 8080) : NAT(NAT_SNAT, PICK(v4), -1);
	default: return n ? JUMP(chains[upto(n)]) : RETURN;
	}
}

static void fill(struct chain *c, unsigned n_rules, bool nat, const char *const *chains, unsigned n)
{
	unsigned kinds = upto(4); /* some chains look like a machine wrote them: one field, many values */
	enum kind k = upto(2) ? K_PORT : K_V4;

	while (n_rules--) {
		struct rule *r = chain_add_rule(rs, c);
		unsigned conditions = upto(4);

		if (kinds == 0 && upto(10))
			stmt_append(&r->stmts, EQ(k == K_PORT ? FIELD("tcp", "dport") : FIELD("ip", "daddr"), value_of(k)));
		else if (kinds == 1 && upto(10))
			stmt_append(&r->stmts, EQ(META(IIFNAME), expr_ifname(A, PICK(names))));
		while (conditions--)
			stmt_append(&r->stmts, condition());
		stmt_append(&r->stmts, action(nat, chains, n));
	}
}

static void random_ruleset(void)
{
	static const char *const chains[] = { "a", "b", "c", "d" };
	bool nat = upto(2);
	struct table *t = table(upto(2) ? STORE_LEGACY : STORE_NATIVE, upto(4) ? NFPROTO_IPV4 : NFPROTO_INET, nat ? "nat" : "mangle");
	const char *type = nat ? "nat" : upto(3) ? "filter" : "route";
	unsigned hooks[] = { NF_INET_LOCAL_OUT, NF_INET_PRE_ROUTING, NF_INET_POST_ROUTING };

	if (t->store == STORE_LEGACY)
		t->family = NFPROTO_IPV4;
	for (unsigned i = 0; i < 3; i++)
		fill(base(t, hook_name(NFPROTO_IPV4, hooks[i]), type, hooks[i], nat && i < 2 ? -100 : nat ? 100 : -150),
		     1 + upto(upto(3) ? 8 : 50), nat && i < 2, chains, 4);
	for (unsigned i = 0; i < 4; i++) /* jumps go down only: no loops */
		fill(chain(t, chains[i]), 1 + upto(upto(2) ? 6 : 60), nat && upto(2), chains + i + 1, 3 - i);
	ruleset_link(rs, t);
}

/* More ways than one, and policy rules that send some packets elsewhere. */
static void random_routes(void)
{
	static const char *const nets[] = { "10.96.0.0", "10.96.1.0", "8.8.0.0", "10.0.0.0", "2001:db8::", "2001:db8:1::", "fd00:1::" };

	for (unsigned i = upto(6); i; i--) {
		const char *net = PICK(nets);
		unsigned type = upto(6) == 0 ? RTN_BLACKHOLE : RTN_UNICAST;
		bool ipv6 = strchr(net, ':');

		route(net, ipv6 ? 16 + 8 * upto(9) : 8 + 8 * upto(3), type, upto(3) ? RT_TABLE_MAIN : 100, type == RTN_UNICAST ? 2 + (int)upto(2) : 0,
		      NULL)->priority = upto(3);
	}
	if (upto(3))
		return;
	nv.n_rules = 4;
	for (unsigned i = 0; i < nv.n_rules; i++)
		rules[i] = (struct nv_rule){ .action = 1, .priority = i * 100, .table = (uint32_t[]){ RT_TABLE_LOCAL, 100, RT_TABLE_MAIN,
					     RT_TABLE_DEFAULT }[i], .uid_to = UINT32_MAX, .suppress_prefixlen = -1 };
	if (upto(2))
		rules[1].fwmark = rules[1].fwmask = PICK(numbers);
}

static struct trace_request random_request(void)
{
	bool ipv6 = upto(5) == 0, in = upto(2);
	struct trace_request rq = ask(in ? TRACE_IN : TRACE_OUT, upto(4) ? IPPROTO_TCP : IPPROTO_UDP,
				      upto(3) ? NULL : ipv6 ? PICK(v6) : PICK(v4), ipv6 ? PICK(v6) : PICK(v4), -1);

	if (upto(8))
		rq.dport = PICK(ports);
	if (upto(2))
		rq.sport = PICK(ports);
	if (!in && upto(3)) {
		rq.has_uid = rq.has_gid = true;
		rq.uid = PICK(numbers);
		rq.gid = PICK(numbers);
	}
	if (upto(3) == 0) {
		rq.has_mark = true;
		rq.mark = PICK(numbers);
	}
	if (upto(4) == 0)
		rq.dscp = (int)upto(64);
	if (upto(6) == 0)
		rq.ct_state = TRACE_CT_ESTABLISHED;
	if (in && upto(3) == 0)
		rq.iif = "eth1";
	if (!in && upto(5) == 0)
		rq.oif = upto(2) ? "eth0" : "eth1";
	return rq;
}

/* ---- results as text ---- */

static void put_rule(struct buf *b, const struct rule *r)
{
	buf_fmt(b, " %s/%u", r ? r->chain->name : "-", r ? r->index : 0);
}

static void put_step(struct buf *b, const struct trace_step *s)
{
	buf_fmt(b, "step %u %u %u %s", s->branch, s->leg, s->hook, s->chain->name);
	put_rule(b, s->rule);
	buf_fmt(b, " %d %d %d %d %s why %s", s->matched, s->assumed, s->verdict, s->reject, s->to ? s->to : "-",
		s->why ? s->why : "-");
	for (const struct trace_change *c = s->changes; c; c = c->next)
		buf_fmt(b, " [%s %s]", c->what, c->text);
	buf_chr(b, '\n');
}

static void put_outcome(struct buf *b, const struct trace_outcome *o)
{
	char text[ADDR_TEXT];

	buf_fmt(b, "outcome %d %d %s %d", o->verdict, o->path, addr_fmt(&o->src, text), o->sport);
	buf_fmt(b, " %s %d %s %s %s", addr_fmt(&o->dst, text), o->dport, o->oif ? o->oif : "-",
		o->listener ? o->listener->process : "-", o->listener_unknown ? o->listener_unknown : "-");
	put_rule(b, o->by);
	buf_fmt(b, " %s why %s", o->by_policy ? o->by_policy->name : "-", o->why ? o->why : "-");
	for (unsigned c = 0; c < o->n_cases; c++)
		for (unsigned i = 0; i < o->cases[c].n; i++)
			buf_fmt(b, " {%u %s: %s: %s}", c, o->cases[c].a[i].what, o->cases[c].a[i].answer, o->cases[c].a[i].why);
	buf_chr(b, '\n');
}

static void put_result(struct buf *b, const struct trace_result *r)
{
	buf_reset(b);
	buf_fmt(b, "branches %u order %d\n", r->branches, r->order_unknown);
	for (unsigned i = 0; i < r->n_steps; i++)
		put_step(b, &r->steps[i]);
	for (unsigned i = 0; i < r->n_legs; i++)
		buf_fmt(b, "leg %u %u %d %s %s %s\n", r->legs[i].branch, r->legs[i].leg, r->legs[i].path, r->legs[i].iif,
			r->legs[i].oif, r->legs[i].route ? r->legs[i].route : "-");
	for (unsigned i = 0; i < r->n_outcomes; i++)
		put_outcome(b, &r->outcomes[i]);
}

/* ---- the property ---- */

static struct trace_room *room;

static void put_answer(struct buf *b, const struct tracer *t, const struct trace_request *rq)
{
	struct trace_result *answer;
	struct err e = ERR_INIT;

	assert_int_equal(trace_run_in(t, room, rq, &answer, &e), 0);
	put_result(b, answer);
}

/* The line at which two answers part, and the one before it. */
static void differ(uint64_t seed, unsigned packet, const char *want, const char *got)
{
	const char *line = want, *before = want;
	size_t at = 0;

	for (; want[at] && want[at] == got[at]; at++)
		if (want[at] == '\n') {
			before = line;
			line = want + at + 1;
		}
	fail_msg("CNISH_QUICK=%llu packet %u, behind\n%.*severy rule: %.*s\nquick:      %.*s", (unsigned long long)seed, packet,
		 (int)(line - before), before, (int)strcspn(line, "\n"), line, (int)strcspn(got + (line - want), "\n"),
		 got + (line - want));
}

static unsigned told; /* answers that differ in nothing, and hold a step */

static void one_ruleset(uint64_t seed)
{
	struct trace_options linear = { .linear = true, .max_branches = 40 }, quick = { .max_branches = 40 };
	struct tracer *slow = NULL, *fast = NULL;
	_cleanup_buf_ struct buf want = BUF_INIT;
	_cleanup_buf_ struct buf got = BUF_INIT;
	struct err e = ERR_INIT;

	state_of = seed * 0x9e3779b97f4a7c15u + 88172645463325252u;
	rs = ruleset_new();
	A = rs->arena;
	pod();
	nv.ip_forward = nv.ip6_forward = true;
	random_ruleset();
	random_routes();
	assert_int_equal(tracer_new(rs, &nv, &linear, &slow, &e), 0);
	assert_int_equal(tracer_new(rs, &nv, &quick, &fast, &e), 0);
	for (unsigned i = 0; i < PACKETS; i++) {
		struct trace_request rq = random_request();

		put_answer(&want, slow, &rq);
		put_answer(&got, fast, &rq);
		if (strcmp(buf_cstr(&want), buf_cstr(&got)) != 0)
			differ(seed, i, buf_cstr(&want), buf_cstr(&got));
		told += strstr(buf_cstr(&got), "step ") != NULL;
	}
	tracer_free(slow);
	tracer_free(fast);
	ruleset_free(rs);
}

static void same_answers(void **state)
{
	const char *one = getenv("CNISH_QUICK"), *many = getenv("CNISH_QUICK_N");
	unsigned long n = many ? strtoul(many, NULL, 10) : RULESETS;

	(void)state;
	room = trace_room_new();
	assert_non_null(room);
	if (one)
		one_ruleset(strtoul(one, NULL, 10));
	for (uint64_t seed = 1; !one && seed <= n; seed++)
		one_ruleset(seed);
	assert_true(told > 0);
	trace_room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(same_answers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
