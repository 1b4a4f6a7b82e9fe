/* SPDX-License-Identifier: GPL-2.0-or-later */
/* body - a rule in nft's words as instructions for the kernel */
#include "nsutil/nft/body.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/nft/encode.h"
#include "nsutil/nft/set.h"

enum { ROOM = 16384, WORDS = 256, MOST_EXPRS = 128 }; /* NFT_RULE_MAXEXPRS of the kernel */

struct parser {
	struct enc m;
	struct arena *a;
	const char **words; /* ended by NULL */
	unsigned at;
	uint8_t l3, l4; /* what the rule is known to be about: NFPROTO_*, IPPROTO_*; 0: not known */
	struct nft_body *body;
	bool bad;
};

static const char *word(const struct parser *p)
{
	return p->words[p->at] ? p->words[p->at] : "";
}

static bool take(struct parser *p, const char *w)
{
	if (strcmp(word(p), w) != 0)
		return false;
	p->at++;
	return true;
}

/* Sticky; the word that is not understood stays the current one. */
static void *bad(struct parser *p)
{
	p->bad = true;
	return NULL;
}

static uint32_t number(struct parser *p, uint64_t most)
{
	const char *w = word(p);
	char *end;
	unsigned long long v;

	if (w[0] < '0' || w[0] > '9') {
		bad(p);
		return 0;
	}
	v = strtoull(w, &end, 0);
	if ((*end && strcmp(end, ",") != 0) || v > most)
		bad(p);
	else
		p->at++;
	return (uint32_t)v;
}

static enum match_op operator(struct parser *p)
{
	if (take(p, "!="))
		return OP_NE;
	take(p, "==");
	return OP_EQ;
}

/* ---- instructions beside those of encode.c ---- */

static void put_load(struct enc *m, const char *name, uint16_t key_attr, uint32_t key, uint16_t dreg_attr)
{
	struct enc_expr x = enc_expr(m, name);

	enc_be32(m, key_attr, key);
	enc_be32(m, dreg_attr, NFT_REG_1);
	enc_expr_end(m, x);
}

static void put_immediate(struct enc *m, const void *data, unsigned len)
{
	struct enc_expr x = enc_expr(m, "immediate");
	struct nlattr *nest;

	enc_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	nest = enc_nest(m, NFTA_IMMEDIATE_DATA);
	enc_put(m, NFTA_DATA_VALUE, data, len);
	enc_nest_end(m, nest);
	enc_expr_end(m, x);
}

static void put_bitwise(struct enc *m, uint32_t mask, uint32_t xor)
{
	struct enc_expr x = enc_expr(m, "bitwise");
	struct nlattr *nest;

	enc_be32(m, NFTA_BITWISE_SREG, NFT_REG_1);
	enc_be32(m, NFTA_BITWISE_DREG, NFT_REG_1);
	enc_be32(m, NFTA_BITWISE_LEN, sizeof(mask));
	nest = enc_nest(m, NFTA_BITWISE_MASK);
	enc_put(m, NFTA_DATA_VALUE, &mask, sizeof(mask));
	enc_nest_end(m, nest);
	nest = enc_nest(m, NFTA_BITWISE_XOR);
	enc_put(m, NFTA_DATA_VALUE, &xor, sizeof(xor));
	enc_nest_end(m, nest);
	enc_expr_end(m, x);
}

static void put_hton(struct enc *m)
{
	struct enc_expr x = enc_expr(m, "byteorder");

	enc_be32(m, NFTA_BYTEORDER_SREG, NFT_REG_1);
	enc_be32(m, NFTA_BYTEORDER_DREG, NFT_REG_1);
	enc_be32(m, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	enc_be32(m, NFTA_BYTEORDER_LEN, sizeof(uint32_t));
	enc_be32(m, NFTA_BYTEORDER_SIZE, sizeof(uint32_t));
	enc_expr_end(m, x);
}

static void load_ct(struct enc *m, uint32_t key)
{
	put_load(m, "ct", NFTA_CT_KEY, key, NFTA_CT_DREG);
}

static void store_ct(struct enc *m, uint32_t key)
{
	put_load(m, "ct", NFTA_CT_KEY, key, NFTA_CT_SREG);
}

static void store_mark(struct enc *m)
{
	put_load(m, "meta", NFTA_META_KEY, NFT_META_MARK, NFTA_META_SREG);
}

/* ---- conditions ---- */

/* nft puts the condition in front that a field needs. */
static void need_l3(struct parser *p, uint8_t l3)
{
	if (p->l3 == l3)
		return;
	enc_meta(&p->m, NFT_META_NFPROTO);
	enc_cmp(&p->m, OP_EQ, &l3, 1);
	p->l3 = l3;
}

static void need_l4(struct parser *p, uint8_t l4)
{
	if (p->l4 == l4)
		return;
	enc_meta(&p->m, NFT_META_L4PROTO);
	enc_cmp(&p->m, OP_EQ, &l4, 1);
	p->l4 = l4;
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void put_lookup(struct parser *p, enum match_op op)
{
	struct enc *m = &p->m;
	struct enc_expr x = enc_expr(m, "lookup");

	enc_str(m, NFTA_LOOKUP_SET, "__set%d");
	enc_be32(m, NFTA_LOOKUP_SREG, NFT_REG_1);
	enc_be32(m, NFTA_LOOKUP_SET_ID, 0); /* filled in by write.c */
	p->body->set_id = (size_t)((char *)mnl_nlmsg_get_payload_tail(m->msg) - (char *)mnl_nlmsg_get_payload(m->msg)) - 4;
	if (op == OP_NE)
		enc_be32(m, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	enc_expr_end(m, x);
}

static void port_set(struct parser *p, enum match_op op)
{
	struct nft_body *b = p->body;

	while (!p->bad && !take(p, "}")) {
		uint16_t port = (uint16_t)number(p, 65535);

		if (b->n_ports == NFT_BODY_PORTS)
			bad(p);
		else if (!p->bad)
			b->ports[b->n_ports++] = port;
	}
	qsort(b->ports, b->n_ports, sizeof(b->ports[0]), by_number);
	put_lookup(p, op);
}

static void port(struct parser *p, uint8_t l4)
{
	unsigned offset = take(p, "dport") ? 2 : take(p, "sport") ? 0 : 9;
	enum match_op op = operator(p);
	uint16_t be;

	if (offset == 9) {
		bad(p);
		return;
	}
	need_l4(p, l4);
	enc_payload(&p->m, NFT_PAYLOAD_TRANSPORT_HEADER, offset, 2);
	if (take(p, "{")) {
		port_set(p, op);
		return;
	}
	be = htons((uint16_t)number(p, 65535));
	enc_cmp(&p->m, op, &be, 2);
}

/* An address of @full bits, perhaps with "/LENGTH"; false, and bad, when it is none. */
static bool take_address(struct parser *p, unsigned full, struct addr *x, unsigned *len)
{
	if (addr_parse_prefix(word(p), x, len) < 0 || addr_len(x) * 8 != full) {
		bad(p);
		return false;
	}
	p->at++;
	return true;
}

/* "ip daddr & MASK == ADDRESS": so nft lists the range that is everything. */
static void masked_address(struct parser *p, unsigned offset, unsigned full)
{
	struct addr mask, x;
	enum match_op op;
	unsigned len;

	if (!take_address(p, full, &mask, &len))
		return;
	op = operator(p);
	if (!take_address(p, full, &x, &len))
		return;
	need_l3(p, full == 128 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	enc_payload(&p->m, NFT_PAYLOAD_NETWORK_HEADER, offset, full / 8);
	enc_bitwise(&p->m, mask.b, full / 8);
	enc_cmp(&p->m, op, x.b, full / 8);
}

static void address(struct parser *p, uint8_t l3)
{
	bool six = l3 == NFPROTO_IPV6, dst = strcmp(word(p), "daddr") == 0;
	unsigned full = six ? 128 : 32, offset = six ? (dst ? 24 : 8) : (dst ? 16 : 12), len;
	uint8_t mask[16] = "";
	enum match_op op;
	struct addr x;

	if (!take(p, "daddr") && !take(p, "saddr")) {
		bad(p);
		return;
	}
	if (take(p, "&")) {
		masked_address(p, offset, full);
		return;
	}
	op = operator(p);
	if (!take_address(p, full, &x, &len))
		return;
	for (unsigned i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	for (unsigned i = 0; i < full / 8; i++)
		x.b[i] &= mask[i];
	need_l3(p, l3);
	if (len && len % 8 == 0) {
		enc_payload(&p->m, NFT_PAYLOAD_NETWORK_HEADER, offset, len / 8);
		enc_cmp(&p->m, op, x.b, len / 8);
		return;
	}
	enc_payload(&p->m, NFT_PAYLOAD_NETWORK_HEADER, offset, full / 8);
	enc_bitwise(&p->m, mask, full / 8);
	enc_cmp(&p->m, op, x.b, full / 8);
}

/* A name as nft takes it without quotes; it has no '+' for "whatever follows", but '*'. */
static bool is_bare_name(const char *w)
{
	size_t n = strlen(w);

	if (!((w[0] >= 'a' && w[0] <= 'z') || (w[0] >= 'A' && w[0] <= 'Z')))
		return false;
	n -= w[n - 1] == '*';
	return strspn(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.") == n;
}

static void interface(struct parser *p, uint32_t key)
{
	enum match_op op = operator(p);
	const char *w = word(p);
	size_t n = strlen(w);
	char name[16] = "";

	if (n >= 2 && w[0] == '"' && w[n - 1] == '"') {
		w++;
		n -= 2;
	}
	if (n == 0 || n > 15 || (w == word(p) && !is_bare_name(w))) {
		bad(p);
		return;
	}
	p->at++;
	memcpy(name, w, n);
	enc_meta(&p->m, key);
	enc_cmp(&p->m, op, name, w[n - 1] == '*' ? (unsigned)n - 1 : sizeof(name));
}

/* What is loaded, perhaps masked, compared with a number in host order. */
static void compare(struct parser *p)
{
	enum match_op op;
	uint32_t v;

	if (take(p, "and") || take(p, "&"))
		put_bitwise(&p->m, number(p, UINT32_MAX), 0);
	op = operator(p);
	v = number(p, UINT32_MAX);
	enc_cmp(&p->m, op, &v, sizeof(v));
}

/* A user or group, or a range of them: nft compares ranges in network order. */
static void owner(struct parser *p, uint32_t key)
{
	enum match_op op = operator(p);
	const char *w = word(p);
	unsigned long long low, high;
	uint32_t v, ends[2];
	char *end;

	low = high = w[0] >= '0' && w[0] <= '9' ? strtoull(w, &end, 10) : UINT64_MAX;
	if (low < UINT32_MAX && *end == '-' && end[1] >= '0' && end[1] <= '9')
		high = strtoull(end + 1, &end, 10);
	if (low >= UINT32_MAX || high >= UINT32_MAX || high < low || *end) {
		bad(p);
		return;
	}
	p->at++;
	enc_meta(&p->m, key);
	v = (uint32_t)low;
	if (!memchr(w, '-', strlen(w))) {
		enc_cmp(&p->m, op, &v, sizeof(v));
		return;
	}
	ends[0] = htonl(v);
	ends[1] = htonl((uint32_t)high);
	put_hton(&p->m);
	if (op == OP_NE) {
		enc_range(&p->m, true, &ends[0], &ends[1], sizeof(v));
		return;
	}
	enc_cmp(&p->m, OP_GE, &ends[0], sizeof(v));
	enc_cmp(&p->m, OP_LE, &ends[1], sizeof(v));
}

static void state(struct parser *p)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} states[] = { { "invalid", NF_CT_STATE_INVALID_BIT },
		       { "established", NF_CT_STATE_BIT(IP_CT_ESTABLISHED) },
		       { "related", NF_CT_STATE_BIT(IP_CT_RELATED) },
		       { "new", NF_CT_STATE_BIT(IP_CT_NEW) } };
	uint32_t bits = 0, zero = 0;

	for (const char *w = word(p); *w; w += strcspn(w, ",") + (w[strcspn(w, ",")] == ',')) {
		uint32_t before = bits;

		for (unsigned i = 0; i < ARRAY_SIZE(states); i++)
			if (strlen(states[i].name) == strcspn(w, ",") && strncmp(w, states[i].name, strcspn(w, ",")) == 0)
				bits |= states[i].bit;
		if (bits == before)
			bad(p);
	}
	if (p->bad || !bits) {
		bad(p);
		return;
	}
	p->at++;
	load_ct(&p->m, NFT_CT_STATE);
	put_bitwise(&p->m, bits, 0);
	enc_cmp(&p->m, OP_NE, &zero, sizeof(zero));
}

/* ---- statements ---- */

/* The value of a mark: a number, the other mark, or that mark with bits exchanged. */
static void mark_value(struct parser *p)
{
	uint32_t v, mask;
	bool ct = take(p, "ct");

	take(p, "meta");
	if (!take(p, "mark")) {
		v = number(p, UINT32_MAX);
		put_immediate(&p->m, &v, sizeof(v));
		return;
	}
	if (ct)
		load_ct(&p->m, NFT_CT_MARK);
	else
		enc_meta(&p->m, NFT_META_MARK);
	if (!take(p, "&"))
		return;
	mask = number(p, UINT32_MAX);
	v = take(p, "|") ? number(p, UINT32_MAX) : 0;
	put_bitwise(&p->m, mask & ~v, v);
}

static void mark(struct parser *p)
{
	if (take(p, "set")) {
		mark_value(p);
		store_mark(&p->m);
		return;
	}
	enc_meta(&p->m, NFT_META_MARK);
	compare(p);
}

static void ct(struct parser *p)
{
	uint16_t zone;

	if (take(p, "state")) {
		state(p);
	} else if (take(p, "zone")) {
		if (!take(p, "set"))
			bad(p);
		zone = (uint16_t)number(p, 65535);
		put_immediate(&p->m, &zone, sizeof(zone));
		store_ct(&p->m, NFT_CT_ZONE);
	} else if (!take(p, "mark")) {
		bad(p);
	} else if (take(p, "set")) {
		mark_value(p);
		store_ct(&p->m, NFT_CT_MARK);
	} else {
		load_ct(&p->m, NFT_CT_MARK);
		compare(p);
	}
}

static void to_port(struct parser *p)
{
	const char *w;
	uint16_t be;
	char *end;
	unsigned long v;

	if (!take(p, "to")) {
		bad(p);
		return;
	}
	w = word(p);
	v = w[0] == ':' && w[1] >= '0' && w[1] <= '9' ? strtoul(w + 1, &end, 10) : 65536;
	if (v > 65535 || *end) {
		bad(p);
		return;
	}
	p->at++;
	be = htons((uint16_t)v);
	put_immediate(&p->m, &be, sizeof(be));
}

static void redirect(struct parser *p)
{
	struct enc_expr x;

	to_port(p);
	x = enc_expr(&p->m, "redir");
	enc_be32(&p->m, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	enc_expr_end(&p->m, x);
}

static void tproxy(struct parser *p)
{
	uint32_t family = take(p, "ip6") ? NFPROTO_IPV6 : NFPROTO_IPV4;
	struct enc_expr x;

	take(p, "ip");
	to_port(p);
	x = enc_expr(&p->m, "tproxy");
	enc_be32(&p->m, NFTA_TPROXY_FAMILY, family);
	enc_be32(&p->m, NFTA_TPROXY_REG_PORT, NFT_REG_1);
	enc_expr_end(&p->m, x);
}

static void counter(struct parser *p)
{
	if (take(p, "packets")) { /* as nft lists it */
		number(p, UINT64_MAX);
		if (!take(p, "bytes"))
			bad(p);
		number(p, UINT64_MAX);
	}
	enc_counter(&p->m, 0, 0);
}

static bool verdict(struct parser *p)
{
	static const struct {
		const char *name;
		enum verdict code;
	} verdicts[] = { { "return", VERDICT_RETURN }, { "accept", VERDICT_ACCEPT }, { "drop", VERDICT_DROP },
			 { "jump", VERDICT_JUMP },     { "goto", VERDICT_GOTO } };

	for (unsigned i = 0; i < ARRAY_SIZE(verdicts); i++) {
		struct stmt_verdict v = { .code = verdicts[i].code };

		if (!take(p, verdicts[i].name))
			continue;
		if (v.code == VERDICT_JUMP || v.code == VERDICT_GOTO) {
			v.chain = word(p);
			p->at++;
		}
		enc_verdict(&p->m, &v);
		return true;
	}
	return false;
}

static void one(struct parser *p)
{
	take(p, "meta");
	if (take(p, "l4proto"))
		need_l4(p, take(p, "tcp") ? IPPROTO_TCP : take(p, "udp") ? IPPROTO_UDP : (bad(p), 0));
	else if (take(p, "tcp"))
		port(p, IPPROTO_TCP);
	else if (take(p, "udp"))
		port(p, IPPROTO_UDP);
	else if (take(p, "ip"))
		address(p, NFPROTO_IPV4);
	else if (take(p, "ip6"))
		address(p, NFPROTO_IPV6);
	else if (take(p, "iifname"))
		interface(p, NFT_META_IIFNAME);
	else if (take(p, "oifname"))
		interface(p, NFT_META_OIFNAME);
	else if (take(p, "skuid"))
		owner(p, NFT_META_SKUID);
	else if (take(p, "skgid"))
		owner(p, NFT_META_SKGID);
	else if (take(p, "mark"))
		mark(p);
	else if (take(p, "ct"))
		ct(p);
	else if (take(p, "counter"))
		counter(p);
	else if (take(p, "redirect"))
		redirect(p);
	else if (take(p, "tproxy"))
		tproxy(p);
	else if (!verdict(p))
		bad(p);
}

static int split(struct parser *p, const char *text)
{
	char *copy = arena_strdup(p->a, text), *save = NULL;
	unsigned n = 0;

	p->words = arena_array(p->a, WORDS + 1, sizeof(*p->words));
	if (!copy || !p->words)
		return -1;
	for (char *w = strtok_r(copy, " \t", &save); w && n < WORDS; w = strtok_r(NULL, " \t", &save))
		p->words[n++] = w;
	return 0;
}

/* The word that is not understood stands for a user or group. */
static bool is_owner(const struct parser *p)
{
	const char *before = p->at ? p->words[p->at - 1] : "";

	if (p->at > 1 && strcmp(before, "!=") == 0)
		before = p->words[p->at - 2];
	return strcmp(before, "skuid") == 0 || strcmp(before, "skgid") == 0;
}

static unsigned count(const struct nlattr *list)
{
	const struct nlattr *x;
	unsigned n = 0;

	mnl_attr_for_each_nested(x, list)
		n++;
	return n;
}

int nft_body_parse(struct arena *a, const char *text, struct nft_body *ret, struct err *e)
{
	_cleanup_free_ char *room = calloc(1, ROOM);
	struct nft_body body = { .len = 0 };
	struct parser p = { .a = a, .body = &body, .m = { .room = ROOM } };
	struct nlattr *list;

	if (!room || split(&p, text) < 0)
		return err_oom(e);
	p.m.msg = mnl_nlmsg_put_header(room);
	list = enc_nest(&p.m, NFTA_RULE_EXPRESSIONS);
	while (*word(&p) && !p.bad)
		one(&p);
	enc_nest_end(&p.m, list);
	if (!p.bad && !p.m.full && count(list) > MOST_EXPRS)
		return err_set(e, ERR_USAGE, text, "%u instructions in one rule: the kernel takes %u at most", count(list),
			       MOST_EXPRS);
	if (p.bad || p.m.full || p.m.why) {
		err_set(e, ERR_USAGE, text, "'%s' cannot be written for nf_tables", p.bad ? word(&p) : "its length");
		return p.bad && is_owner(&p) ? err_hint(e, "give the user or group as a number: names differ between containers") : -1;
	}
	body.len = list->nla_len;
	body.list = arena_dup(a, list, body.len);
	if (!body.list)
		return err_oom(e);
	*ret = body;
	return 0;
}

/* ---- as it would be read ---- */

static int add_set(struct ruleset *rs, struct chain *c, struct dec *d, const struct nft_body *body,
		   struct set_index *ix)
{
	struct set *s = arena_alloc(rs->arena, sizeof(*s));

	if (!s)
		return -1;
	*s = (struct set){ .table = c->table, .name = "__set%d", .flags = SET_ANONYMOUS | SET_CONSTANT,
			   .key_type = 13 /* inet_service */, .key_len = 2, .n_elems = body->n_ports };
	s->elems = arena_array(rs->arena, body->n_ports, sizeof(*s->elems));
	if (!s->elems)
		return -1;
	for (unsigned i = 0; i < body->n_ports; i++) {
		uint16_t be = htons(body->ports[i]);

		s->elems[i].key = dec_bytes(d, DT_SERVICE, ORDER_NET, &be, 16);
		if (!s->elems[i].key)
			return -1;
	}
	return set_index_add(ix, s);
}

struct rule *nft_body_rule(struct ruleset *rs, struct chain *c, const struct nft_body *body)
{
	struct rule *r = chain_add_rule(rs, c);
	struct set_index ix = { .room = 0 };
	struct dec d;
	int status;

	if (!r)
		return NULL;
	dec_init(&d, rs->arena, c->table, &ix);
	d.rule = r;
	dec_begin(&d, &r->stmts);
	status = body->n_ports ? add_set(rs, c, &d, body, &ix) : 0;
	if (!status)
		status = dec_exprs(&d, body->list);
	set_index_free(&ix);
	return status < 0 ? NULL : r;
}
