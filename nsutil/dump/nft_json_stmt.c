/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_stmt - statements of libnftables-json(5) */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_synproxy.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/nft_json.h"
#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"

int nj_add(struct nj *n, struct stmt *s)
{
	if (!s)
		return -1;
	stmt_append(n->list, s);
	nj_learn(n, s);
	return 0;
}

static int bad(struct nj *n, const char *what, const char *word)
{
	nj_bad(n, "%s '%.40s'", what, word ? word : "?");
	return -1;
}

uint32_t nj_words(json_t *j, const struct nj_word *table, size_t size)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < (json_is_array(j) ? json_array_size(j) : 1); i++) {
		const char *word = json_string_value(json_is_array(j) ? json_array_get(j, i) : j);

		for (size_t k = 0; word && k < size; k++)
			if (strcmp(table[k].word, word) == 0)
				bits |= table[k].bit;
	}
	return bits;
}

/* ---- conditions ---- */

/* "in" and "!" test bits: (left & right) != 0, == 0 */
static int bits_match(struct nj *n, struct expr *left, struct expr *right, enum match_op op)
{
	struct expr *zero = nj_uint(n, 0, left);

	return nj_add(n, stmt_match_new(n->a, op, expr_binop(n->a, BINOP_AND, left, right), zero));
}

static int match(struct nj *n, json_t *j)
{
	static const char *const ops[] = {
		[OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<", [OP_GT] = ">", [OP_LE] = "<=", [OP_GE] = ">=",
	};
	json_t *r = json_object_get(j, "right");
	struct expr *left = nj_expr(n, json_object_get(j, "left"), NULL), *right;
	const char *word = nj_str(j, "op");

	if (!left)
		return -1;
	if (json_is_boolean(r))
		nj_exists(left);
	right = nj_expr(n, r, left);
	if (!right)
		return -1;
	if (!word || strcmp(word, "in") == 0)
		return right->kind == EXPR_VALUE ? bits_match(n, left, right, OP_NE)
						 : nj_add(n, stmt_match_new(n->a, OP_EQ, left, right));
	if (strcmp(word, "!") == 0)
		return bits_match(n, left, right, OP_EQ);
	for (unsigned op = 0; op < ARRAY_SIZE(ops); op++)
		if (strcmp(ops[op], word) == 0)
			return nj_add(n, stmt_match_new(n->a, (enum match_op)op, left, right));
	return bad(n, "the operator", word);
}

static int vmap(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_VMAP);

	if (!s)
		return -1;
	s->vmap.key = nj_expr(n, json_object_get(j, "key"), NULL);
	if (!s->vmap.key)
		return -1;
	s->vmap.map = nj_set(n, json_object_get(j, "data"), s->vmap.key, NULL, true);
	return s->vmap.map ? nj_add(n, s) : -1;
}

static int ct_count(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_CONNLIMIT);

	if (s) {
		s->connlimit.count = (uint32_t)nj_num(j, "val");
		s->connlimit.over = json_is_true(json_object_get(j, "inv"));
	}
	return nj_add(n, s);
}

/* ---- counters, rates; each is also the use of a named object ---- */

static int object_use(struct nj *n, uint32_t type, json_t *j)
{
	json_t *map = json_object_get(j, "map");
	struct stmt *s = stmt_new(n->a, STMT_OBJREF);

	if (!s)
		return -1;
	s->objref.type = type;
	if (!map) {
		s->objref.name = arena_strdup(n->a, json_string_value(j));
		return s->objref.name ? nj_add(n, s) : -1;
	}
	s->objref.key = nj_expr(n, json_object_get(map, "key"), NULL);
	if (!s->objref.key)
		return -1;
	s->objref.map = nj_set(n, json_object_get(map, "data"), s->objref.key, NULL, true);
	if (!s->objref.map)
		return -1;
	if (s->objref.map->flags & SET_ANONYMOUS) {
		struct set *m = s->objref.map;

		/* data were taken for values: they are names */
		m->flags = (m->flags & ~(uint32_t)SET_MAP) | SET_OBJECT;
		m->obj_type = type;
		m->data_type = m->data_len = 0;
		for (uint32_t i = 0; i < m->n_elems; i++) {
			const struct expr *x = m->elems[i].data;

			m->elems[i].object = x && x->kind == EXPR_VALUE
						     ? arena_strndup(n->a, (const char *)x->value, x->bits / 8u) : NULL;
			m->elems[i].data = NULL;
		}
	}
	return nj_add(n, s);
}

static bool is_use(json_t *j)
{
	return json_is_string(j) || json_object_get(j, "map");
}

static int counter(struct nj *n, json_t *j)
{
	struct stmt *s;

	if (is_use(j))
		return object_use(n, NFT_OBJECT_COUNTER, j);
	s = stmt_new(n->a, STMT_COUNTER);
	if (s) {
		s->counter.packets = nj_num(j, "packets");
		s->counter.bytes = nj_num(j, "bytes");
	}
	return nj_add(n, s);
}

static uint64_t scaled(uint64_t v, const char *unit)
{
	if (unit && strncmp(unit, "kbytes", 6) == 0)
		return v * 1024;
	return unit && strncmp(unit, "mbytes", 6) == 0 ? v * 1024 * 1024 : v;
}

static int quota(struct nj *n, json_t *j)
{
	struct stmt *s;

	if (is_use(j))
		return object_use(n, NFT_OBJECT_QUOTA, j);
	s = stmt_new(n->a, STMT_QUOTA);
	if (s) {
		s->quota.bytes = scaled(nj_num(j, "val"), nj_str(j, "val_unit"));
		s->quota.used = scaled(nj_num(j, "used"), nj_str(j, "used_unit"));
		s->quota.over = json_is_true(json_object_get(j, "inv"));
	}
	return nj_add(n, s);
}

static int limit(struct nj *n, json_t *j)
{
	static const uint64_t units[] = { 1, 60, 3600, 86400, 604800 };
	const char *per = nj_str(j, "per"), *unit = nj_str(j, "rate_unit");
	struct stmt *s;

	if (is_use(j))
		return object_use(n, NFT_OBJECT_LIMIT, j);
	s = stmt_new(n->a, STMT_LIMIT);
	if (!s)
		return -1;
	for (size_t i = 0; per && i < ARRAY_SIZE(units); i++)
		if (strcmp(nft_unit_name(units[i]), per) == 0)
			s->limit.unit_secs = units[i];
	if (!s->limit.unit_secs)
		return bad(n, "the unit of time", per);
	s->limit.bytes = unit && strcmp(unit, "packets") != 0;
	s->limit.rate = scaled(nj_num(j, "rate"), unit);
	s->limit.burst = (uint32_t)scaled(nj_num(j, "burst"), nj_str(j, "burst_unit"));
	s->limit.over = json_is_true(json_object_get(j, "inv"));
	return nj_add(n, s);
}

static int synproxy(struct nj *n, json_t *j)
{
	static const struct nj_word flags[] = { { "timestamp", NF_SYNPROXY_OPT_TIMESTAMP },
						 { "sack-perm", NF_SYNPROXY_OPT_SACK_PERM } };
	struct stmt *s;

	if (is_use(j))
		return object_use(n, NFT_OBJECT_SYNPROXY, j);
	s = stmt_new(n->a, STMT_SYNPROXY);
	if (!s)
		return -1;
	s->synproxy.mss = (uint16_t)nj_num(j, "mss");
	s->synproxy.wscale = (uint8_t)nj_num(j, "wscale");
	s->synproxy.flags = nj_words(json_object_get(j, "flags"), flags, ARRAY_SIZE(flags));
	if (json_object_get(j, "mss"))
		s->synproxy.flags |= NF_SYNPROXY_OPT_MSS;
	if (json_object_get(j, "wscale"))
		s->synproxy.flags |= NF_SYNPROXY_OPT_WSCALE;
	return nj_add(n, s);
}

static int ct_helper(struct nj *n, json_t *j)
{
	return object_use(n, NFT_OBJECT_CT_HELPER, j);
}

static int ct_timeout(struct nj *n, json_t *j)
{
	return object_use(n, NFT_OBJECT_CT_TIMEOUT, j);
}

static int ct_expectation(struct nj *n, json_t *j)
{
	return object_use(n, NFT_OBJECT_CT_EXPECT, j);
}

static int secmark(struct nj *n, json_t *j)
{
	return object_use(n, NFT_OBJECT_SECMARK, j);
}

static int last(struct nj *n, json_t *j)
{
	(void)j;
	return nj_add(n, stmt_new(n->a, STMT_LAST));
}

/* ---- log, reject ---- */

static int log_stmt(struct nj *n, json_t *j)
{
	static const struct nj_word flags[] = {
		{ "tcp sequence", NF_LOG_TCPSEQ }, { "tcp options", NF_LOG_TCPOPT }, { "ip options", NF_LOG_IPOPT },
		{ "skuid", NF_LOG_UID }, { "ether", NF_LOG_MACDECODE }, { "all", NF_LOG_MASK },
	};
	struct stmt *s = stmt_new(n->a, STMT_LOG);
	const char *level = nj_str(j, "level");
	struct stmt_log *l = s ? &s->log : NULL;

	if (!s)
		return -1;
	l->prefix = arena_strdup(n->a, nj_str(j, "prefix"));
	l->group = json_object_get(j, "group") ? (int)nj_num(j, "group") : -1;
	l->level = l->group < 0 ? 4 : -1;
	for (int i = 0; level && i <= 8; i++)
		if (nft_log_level(i) && strcmp(nft_log_level(i), level) == 0)
			l->level = i;
	l->flags = nj_words(json_object_get(j, "flags"), flags, ARRAY_SIZE(flags));
	l->has_snaplen = json_object_get(j, "snaplen") != NULL;
	l->snaplen = (uint32_t)nj_num(j, "snaplen");
	l->has_qthreshold = json_object_get(j, "queue-threshold") != NULL;
	l->qthreshold = (uint32_t)nj_num(j, "queue-threshold");
	return nj_add(n, s);
}

/* Of what "reject" alone is: what nft makes of it, by what the rule said before. */
static enum reject_kind reject_default(const struct nj *n)
{
	const char *network = dec_proto_name(&n->dec, NFT_PAYLOAD_NETWORK_HEADER);

	if (network && strcmp(network, "ip") == 0)
		return REJECT_ICMP;
	return network && strcmp(network, "ip6") == 0 ? REJECT_ICMP6 : REJECT_ICMPX;
}

static bool reject_kind(struct nj *n, const char *type, enum reject_kind *ret)
{
	static const struct { const char *word; enum reject_kind kind; } kinds[] = {
		{ "tcp reset", REJECT_TCP_RST }, { "icmp", REJECT_ICMP }, { "icmpv6", REJECT_ICMP6 },
		{ "icmpx", REJECT_ICMPX },
	};

	*ret = reject_default(n);
	for (size_t i = 0; type && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].word, type) == 0) {
			*ret = kinds[i].kind;
			return true;
		}
	return !type;
}

static bool reject_code(struct nj *n, json_t *code, struct stmt *s)
{
	struct expr like = { .kind = EXPR_VALUE, .order = ORDER_NET, .bits = 8, .dtype = (uint8_t)nft_reject_dtype(&s->reject) };
	const struct expr *v;

	s->reject.code = s->reject.kind == REJECT_ICMP ? 3 : s->reject.kind == REJECT_ICMP6 ? 4 : 1;
	if (!code) {
		s->reject.bare = n->several && s->reject.kind != REJECT_ICMPX;
		if (s->reject.bare) /* the kernel keeps the code, and not of which protocol it is */
			s->reject.kind = REJECT_ICMP;
		return true;
	}
	v = nj_value(n, code, &like);
	if (v)
		s->reject.code = (uint8_t)expr_uint(v);
	return v;
}

static int reject(struct nj *n, json_t *j)
{
	static const char *const protocols[] = { [REJECT_TCP_RST] = "tcp", [REJECT_ICMP] = "ip", [REJECT_ICMP6] = "ip6" };
	struct stmt *s = stmt_new(n->a, STMT_REJECT);
	const char *type = nj_str(j, "type");

	if (!s)
		return -1;
	if (!reject_kind(n, type, &s->reject.kind))
		return bad(n, "reject with", type);
	if (s->reject.kind != REJECT_ICMPX && !nj_imply_reject(n, protocols[s->reject.kind]))
		return -1;
	if (s->reject.kind != REJECT_TCP_RST && !reject_code(n, json_object_get(j, "expr"), s))
		return -1;
	return nj_add(n, s);
}

/* ---- the rest ---- */

static int queue(struct nj *n, json_t *j)
{
	static const struct nj_word flags[] = { { "bypass", 1 }, { "fanout", 2 } };
	const struct expr *like = expr_new(n->a, EXPR_VALUE, DT_INTEGER, ORDER_HOST, 16);
	struct stmt *s = stmt_new(n->a, STMT_QUEUE);
	struct expr *from = NULL, *to = NULL;

	if (!s || !like || !nj_span(n, json_object_get(j, "num"), like, &from, &to))
		return -1;
	s->queue.flags = nj_words(json_object_get(j, "flags"), flags, ARRAY_SIZE(flags));
	if (from && from->kind == EXPR_VALUE) {
		s->queue.from = (uint16_t)expr_uint(from);
		s->queue.to = to ? (uint16_t)expr_uint(to) : s->queue.from;
	} else {
		s->queue.expr = from;
	}
	return nj_add(n, s);
}

/* {"elem":{"val":...,"timeout":...}} or a bare value */
static bool setop_key(struct nj *n, json_t *elem, struct stmt_setop *s)
{
	json_t *body = json_object_get(elem, "elem");

	if (body) {
		s->timeout_ms = nj_num(body, "timeout") * 1000;
		elem = json_object_get(body, "val");
	}
	s->key = nj_expr(n, elem, NULL);
	return s->key;
}

static int setop_stmts(struct nj *n, json_t *list, struct stmt_setop *s)
{
	struct stmt **outer = n->list;
	json_t *item;
	int ret = 0;
	size_t i;

	n->list = &s->stmts;
	json_array_foreach(list, i, item)
		if (ret == 0)
			ret = nj_stmt(n, item);
	n->list = outer;
	return ret;
}

static int setop(struct nj *n, json_t *j)
{
	static const char *const ops[] = { "add", "update", "delete" };
	const char *op = nj_str(j, "op");
	struct stmt *s = stmt_new(n->a, STMT_SETOP);

	if (!s)
		return -1;
	for (unsigned k = 0; op && k < 3; k++)
		if (strcmp(ops[k], op) == 0)
			s->setop.op = (enum setop_kind)k;
	if (!setop_key(n, json_object_get(j, "elem"), &s->setop))
		return -1;
	s->setop.set = nj_set(n, json_object_get(j, "set"), NULL, NULL, false);
	if (!s->setop.set)
		return -1;
	s->setop.set_name = s->setop.set->name;
	return setop_stmts(n, json_object_get(j, "stmt"), &s->setop) < 0 ? -1 : nj_add(n, s);
}

static int meter(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_SETOP);
	json_t *list = json_array();
	int ret;

	json_array_append(list, json_object_get(j, "stmt"));
	if (!s || !setop_key(n, json_object_get(j, "key"), &s->setop))
		ret = -1;
	else
		ret = setop_stmts(n, list, &s->setop);
	json_decref(list);
	if (ret < 0)
		return -1;
	s->setop.set_name = arena_strdup(n->a, nj_str(j, "name"));
	s->setop.set = nj_meter(n, s->setop.key, (uint32_t)nj_num(j, "size"));
	return s->setop.set_name && s->setop.set ? nj_add(n, s) : -1;
}

static int flow(struct nj *n, json_t *j)
{
	const char *name = nj_str(j, "flowtable");
	struct stmt *s = stmt_new(n->a, STMT_FLOW);

	if (!s || !name)
		return bad(n, "a flow without", "flowtable");
	s->flowtable = arena_strdup(n->a, name + (*name == '@'));
	return s->flowtable ? nj_add(n, s) : -1;
}

static int notrack(struct nj *n, json_t *j)
{
	(void)j;
	return nj_add(n, stmt_new(n->a, STMT_NOTRACK));
}

static int reset(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_EXTHDR_RESET);

	if (!s)
		return -1;
	s->exthdr_reset = nj_expr(n, j, NULL);
	if (s->exthdr_reset)
		s->exthdr_reset->bits = 0; /* the whole option */
	return s->exthdr_reset ? nj_add(n, s) : -1;
}

static int opaque(struct nj *n, const char *name, const char *why, int type)
{
	struct stmt *s = stmt_new(n->a, STMT_OPAQUE);

	if (!s)
		return -1;
	s->opaque.name = arena_strdup(n->a, name);
	s->opaque.why = arena_strdup(n->a, why);
	s->opaque.type = type;
	s->opaque.terminal = type != OPAQUE_MATCH;
	return s->opaque.name && s->opaque.why ? nj_add(n, s) : -1;
}

/* nft does not say what is in an xt extension; cnish's own bundle and iptables-save do. */
static int xt(struct nj *n, json_t *j)
{
	const char *type = nj_str(j, "type"), *name = nj_str(j, "name");

	return opaque(n, name ? name : "xt", "nft's JSON does not hold what an xt extension says",
		      type && strcmp(type, "match") == 0 ? OPAQUE_MATCH : OPAQUE_TARGET);
}

static const struct nj_kind kinds[] = {
	{ "match", match }, { "counter", counter }, { "vmap", vmap },
	{ "reject", reject }, { "log", log_stmt }, { "limit", limit }, { "quota", quota }, { "queue", queue },
	{ "set", setop }, { "map", setop }, { "meter", meter }, { "notrack", notrack },
	{ "ct count", ct_count }, { "ct helper", ct_helper }, { "ct timeout", ct_timeout },
	{ "ct expectation", ct_expectation }, { "secmark", secmark }, { "synproxy", synproxy }, { "flow", flow },
	{ "last", last }, { "reset", reset }, { "xt", xt }, { NULL, NULL },
};

struct stmt_verdict *nj_verdict(struct nj *n, json_t *j)
{
	static const enum verdict plain[] = { VERDICT_ACCEPT, VERDICT_DROP, VERDICT_CONTINUE, VERDICT_RETURN,
					      VERDICT_JUMP, VERDICT_GOTO };
	struct stmt_verdict *v;

	for (size_t i = 0; json_is_object(j) && i < ARRAY_SIZE(plain); i++) {
		json_t *body = json_object_get(j, verdict_name(plain[i]));

		if (!body)
			continue;
		v = arena_alloc(n->a, sizeof(*v));
		if (!v)
			return NULL;
		v->code = plain[i];
		v->chain = arena_strdup(n->a, nj_str(body, "target"));
		return v;
	}
	return NULL;
}

static const struct nj_kind *find_kind(const struct nj_kind *k, const char *key)
{
	while (k->key && strcmp(k->key, key) != 0)
		k++;
	return k->key ? k : NULL;
}

int nj_stmt(struct nj *n, json_t *j)
{
	const char *key = json_object_iter_key(json_object_iter(j));
	struct stmt_verdict *v = nj_verdict(n, j);
	const struct nj_kind *k;
	struct stmt *s;
	int ret;

	if (v) {
		s = stmt_new(n->a, STMT_VERDICT);
		if (s)
			s->verdict = *v;
		return nj_add(n, s);
	}
	if (json_is_string(j))
		return opaque(n, json_string_value(j), "nft's JSON has no form for it", OPAQUE_EXPR);
	if (!key)
		return bad(n, "a statement", "that is none");
	k = find_kind(kinds, key);
	if (!k)
		k = find_kind(nj_kinds_act, key);
	if (k) {
		if (++n->depth > NJ_DEPTH)
			return bad(n, "nested too deeply:", key);
		ret = k->fn(n, json_object_get(j, key));
		n->depth--;
		return ret;
	}
	return opaque(n, key, "this statement is not known", OPAQUE_EXPR);
}

/* What is not understood stays as something that is not, in its place. */
int nj_stmts(struct nj *n, json_t *list)
{
	json_t *item;
	size_t i;

	dec_begin(&n->dec, n->list);
	n->several = false;
	json_array_foreach(list, i, item) {
		const char *key = json_object_iter_key(json_object_iter(item));

		n->depth = 0;
		n->why[0] = '\0';
		if (nj_stmt(n, item) == 0)
			continue;
		if (!n->why[0] || opaque(n, key ? key : "?", n->why, OPAQUE_EXPR) < 0)
			return -1;
	}
	return 0;
}
