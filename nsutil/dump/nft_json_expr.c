/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_expr - expressions of libnftables-json(5) */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/nft_json.h"
#include "nsutil/ruleset/exthdr.h"
#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"

#define KEYS 64

/* ---- kinds ---- */

static struct expr *payload(struct nj *n, json_t *j)
{
	static const char *const bases[] = { "ll", "nh", "th", "ih" };
	const char *protocol = nj_str(j, "protocol"), *name = nj_str(j, "field"), *base = nj_str(j, "base");
	struct expr *x;

	for (unsigned b = 0; base && b < ARRAY_SIZE(bases); b++)
		if (strcmp(base, bases[b]) == 0 && nj_num(j, "len") && nj_num(j, "len") <= 512 &&
		    nj_num(j, "offset") <= 32768)
			return expr_payload(n->a, (uint8_t)b, (unsigned)nj_num(j, "offset"),
					    (unsigned)nj_num(j, "len"), NULL);
	x = protocol && name ? expr_field(n->a, protocol, name) : NULL;
	if (!x)
		return nj_bad(n, "the header field '%.20s %.20s'", protocol ? protocol : "?", name ? name : "?");
	return nj_imply_field(n, x) ? x : NULL;
}

static struct expr *meta(struct nj *n, json_t *j)
{
	const char *name = nj_str(j, "key");

	for (uint32_t k = 0; name && k < KEYS; k++)
		if (strcmp(header_meta_type(k)->name, name) == 0)
			return expr_meta(n->a, k);
	return nj_bad(n, "the key 'meta %.40s'", name ? name : "?");
}

static struct expr *ct(struct nj *n, json_t *j)
{
	const char *name = nj_str(j, "key"), *dir = nj_str(j, "dir");
	struct expr *x;

	for (uint32_t k = 0; name && k < KEYS; k++) {
		if (strcmp(header_ct_type(k)->name, name) != 0)
			continue;
		x = expr_ct(n->a, k, !dir ? -1 : strcmp(dir, "reply") == 0);
		if (x && (k == NFT_CT_SRC || k == NFT_CT_DST)) {
			x->dtype = n->t->family == NFPROTO_IPV4 ? DT_IPV4 : DT_IPV6;
			x->bits = n->t->family == NFPROTO_IPV4 ? 32 : 128;
		}
		return x;
	}
	return nj_bad(n, "the key 'ct %.40s'", name ? name : "?");
}

static struct expr *exthdr_of(struct nj *n, json_t *j, uint8_t op)
{
	const char *name = nj_str(j, "name"), *field = nj_str(j, "field");
	const struct exthdr_field *f = name && field ? exthdr_find(op, name, field) : NULL;
	int number = name ? exthdr_number(op, name) : (int)(nj_num(j, op == NFT_EXTHDR_OP_DCCP ? "type" : "base") & 255);
	struct expr *x = expr_new(n->a, EXPR_EXTHDR, DT_INTEGER, ORDER_NET, 8);

	if (!x)
		return NULL;
	if (number < 0 || (field && !f))
		return nj_bad(n, "the option '%.20s %.20s'", name ? name : "?", field ? field : "");
	x->exthdr.op = op;
	x->exthdr.type = (uint8_t)number;
	x->exthdr.name = exthdr_name(op, x->exthdr.type);
	if (f) {
		x->exthdr.name = f->name ? f->name : x->exthdr.name;
		x->exthdr.field = f->field;
		x->exthdr.offset = f->offset;
		x->bits = f->bits;
		x->dtype = (uint8_t)f->dtype;
	} else if (!name && nj_num(j, "len") && nj_num(j, "len") <= 512) {
		x->exthdr.offset = (uint16_t)nj_num(j, "offset");
		x->bits = (uint16_t)nj_num(j, "len");
	}
	return x;
}

static struct expr *exthdr(struct nj *n, json_t *j)
{
	return nj_imply_option(n, "ip6") ? exthdr_of(n, j, NFT_EXTHDR_OP_IPV6) : NULL;
}

static struct expr *tcp_option(struct nj *n, json_t *j)
{
	/* in other packets there is none, so nft does not ask for the protocol */
	return exthdr_of(n, j, NFT_EXTHDR_OP_TCPOPT);
}

static struct expr *ip_option(struct nj *n, json_t *j)
{
	return nj_imply_option(n, "ip") ? exthdr_of(n, j, NFT_EXTHDR_OP_IPV4) : NULL;
}

static struct expr *sctp_chunk(struct nj *n, json_t *j)
{
	return exthdr_of(n, j, NFT_EXTHDR_OP_SCTP);
}

static struct expr *dccp_option(struct nj *n, json_t *j)
{
	return nj_imply(n, "dccp") ? exthdr_of(n, j, NFT_EXTHDR_OP_DCCP) : NULL;
}

static struct expr *typed(struct nj *n, enum expr_kind kind, enum dtype dtype, enum byteorder order, unsigned bits)
{
	return expr_new(n->a, kind, dtype, order, bits);
}

static struct expr *rt(struct nj *n, json_t *j)
{
	static const struct { const char *key, *family; uint32_t number; enum dtype dtype; enum byteorder order;
			      unsigned bits; } keys[] = {
		{ "classid", NULL, NFT_RT_CLASSID, DT_REALM, ORDER_HOST, 32 },
		{ "nexthop", "ip", NFT_RT_NEXTHOP4, DT_IPV4, ORDER_NET, 32 },
		{ "nexthop", "ip6", NFT_RT_NEXTHOP6, DT_IPV6, ORDER_NET, 128 },
		{ "mtu", NULL, NFT_RT_TCPMSS, DT_INTEGER, ORDER_HOST, 16 },
		{ "ipsec", NULL, NFT_RT_XFRM, DT_BOOLEAN, ORDER_HOST, 8 },
	};
	const char *key = nj_str(j, "key"), *family = nj_str(j, "family");

	if (!family)
		family = n->t->family == NFPROTO_IPV6 ? "ip6" : "ip";
	for (size_t i = 0; key && i < ARRAY_SIZE(keys); i++) {
		struct expr *x;

		if (strcmp(keys[i].key, key) != 0 || (keys[i].family && strcmp(keys[i].family, family) != 0))
			continue;
		x = typed(n, EXPR_RT, keys[i].dtype, keys[i].order, keys[i].bits);
		if (x)
			x->rt_key = keys[i].number;
		return x;
	}
	return nj_bad(n, "the key 'rt %.40s'", key ? key : "?");
}

static struct expr *sock(struct nj *n, json_t *j)
{
	static const struct { enum dtype dtype; uint8_t bits; } types[] = {
		[NFT_SOCKET_TRANSPARENT] = { DT_INTEGER, 8 }, [NFT_SOCKET_MARK] = { DT_MARK, 32 },
		[NFT_SOCKET_WILDCARD] = { DT_INTEGER, 8 }, [NFT_SOCKET_CGROUPV2] = { DT_CGROUPV2, 64 },
	};
	const char *key = nj_str(j, "key");

	for (uint32_t k = 0; key && k < ARRAY_SIZE(types); k++) {
		struct expr *x;

		if (strcmp(nft_socket_key(k), key) != 0)
			continue;
		x = typed(n, EXPR_SOCKET, types[k].dtype, ORDER_HOST, types[k].bits);
		if (x) {
			x->socket.key = k;
			x->socket.level = (uint32_t)nj_num(j, "level");
		}
		return x;
	}
	return nj_bad(n, "the key 'socket %.40s'", key ? key : "?");
}

static uint32_t fib_flags(json_t *list)
{
	uint32_t flags = 0;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *word = json_string_value(item), *words[5];

		for (unsigned b = 0; word && b < 5; b++)
			if (nft_fib_flags(1u << b, words) && strcmp(words[0], word) == 0)
				flags |= 1u << b;
	}
	return flags;
}

static struct expr *fib(struct nj *n, json_t *j)
{
	const char *result = nj_str(j, "result");
	struct expr *x = NULL;

	if (result && strcmp(result, "oif") == 0) {
		x = typed(n, EXPR_FIB, DT_IFINDEX, ORDER_HOST, 32);
		if (x)
			x->fib.result = NFT_FIB_RESULT_OIF;
	} else if (result && strcmp(result, "oifname") == 0) {
		x = typed(n, EXPR_FIB, DT_IFNAME, ORDER_HOST, 128);
		if (x)
			x->fib.result = NFT_FIB_RESULT_OIFNAME;
	} else if (result && strcmp(result, "type") == 0) {
		x = typed(n, EXPR_FIB, DT_FIB_ADDRTYPE, ORDER_HOST, 32);
		if (x)
			x->fib.result = NFT_FIB_RESULT_ADDRTYPE;
	} else {
		return nj_bad(n, "the result 'fib %.40s'", result ? result : "?");
	}
	if (x)
		x->fib.flags = fib_flags(json_object_get(j, "flags"));
	return x;
}

static struct expr *osf(struct nj *n, json_t *j)
{
	const char *ttl = nj_str(j, "ttl"), *key = nj_str(j, "key");
	struct expr *x = typed(n, EXPR_OSF, DT_STRING, ORDER_HOST, 128);

	if (x && ttl)
		x->osf.ttl = strcmp(ttl, "loose") == 0 ? 1 : strcmp(ttl, "skip") == 0 ? 2 : 0;
	if (x && key && strcmp(key, "version") == 0)
		x->osf.flags = NFT_OSF_F_VERSION;
	return x;
}

static struct expr *numgen(struct nj *n, json_t *j)
{
	const char *mode = nj_str(j, "mode");
	struct expr *x = typed(n, EXPR_NUMGEN, DT_INTEGER, ORDER_HOST, 32);

	if (x) {
		x->numgen.type = mode && strcmp(mode, "random") == 0 ? NFT_NG_RANDOM : NFT_NG_INCREMENTAL;
		x->numgen.modulus = (uint32_t)nj_num(j, "mod");
		x->numgen.offset = (uint32_t)nj_num(j, "offset");
	}
	return x;
}

static struct expr *hash(struct nj *n, json_t *j, uint32_t type)
{
	struct expr *x = typed(n, EXPR_HASH, DT_INTEGER, ORDER_HOST, 32);

	if (!x)
		return NULL;
	x->hash.type = type;
	x->hash.modulus = (uint32_t)nj_num(j, "mod");
	x->hash.seed = (uint32_t)nj_num(j, "seed");
	x->hash.has_seed = json_object_get(j, "seed") != NULL;
	x->hash.offset = (uint32_t)nj_num(j, "offset");
	if (type == NFT_HASH_SYM)
		return x;
	x->hash.src = nj_expr(n, json_object_get(j, "expr"), NULL);
	return x->hash.src ? x : NULL;
}

static struct expr *jhash(struct nj *n, json_t *j)
{
	return hash(n, j, NFT_HASH_JENKINS);
}

static struct expr *symhash(struct nj *n, json_t *j)
{
	return hash(n, j, NFT_HASH_SYM);
}

static struct expr *xfrm(struct nj *n, json_t *j)
{
	const char *key = nj_str(j, "key"), *family = nj_str(j, "family"), *dir = nj_str(j, "dir");

	for (uint32_t k = 1; key && k <= NFT_XFRM_KEY_SPI; k++) {
		struct nft_xfrm w = nft_xfrm_key(k);
		bool v6 = w.family && strcmp(w.family, "ip6") == 0;
		struct expr *x;

		if (strcmp(w.key, key) != 0 || (w.family && (!family || strcmp(w.family, family) != 0)))
			continue;
		x = typed(n, EXPR_XFRM, w.family ? (v6 ? DT_IPV6 : DT_IPV4) : DT_INTEGER,
			  k == NFT_XFRM_KEY_REQID ? ORDER_HOST : ORDER_NET, v6 ? 128 : 32);
		if (x) {
			x->xfrm.key = k;
			x->xfrm.dir = dir && strcmp(dir, "out") == 0;
			x->xfrm.spnum = (uint32_t)nj_num(j, "spnum");
		}
		return x;
	}
	return nj_bad(n, "the key 'ipsec %.40s'", key ? key : "?");
}

static struct expr *binop(struct nj *n, json_t *args, enum binop op, const struct expr *like)
{
	struct expr *left = nj_expr(n, json_array_get(args, 0), like), *right;
	struct expr shift = { .kind = EXPR_VALUE, .dtype = DT_INTEGER, .order = ORDER_HOST, .bits = 32 };

	if (!left)
		return NULL;
	right = nj_expr(n, json_array_get(args, 1), op >= BINOP_LSHIFT ? &shift : left);
	for (size_t i = 2; right && i < json_array_size(args); i++) {
		left = expr_binop(n->a, op, left, right);
		right = left ? nj_expr(n, json_array_get(args, i), left) : NULL;
	}
	return right ? expr_binop(n->a, op, left, right) : NULL;
}

static struct expr *map(struct nj *n, json_t *j, const struct expr *like)
{
	struct expr *key = nj_expr(n, json_object_get(j, "key"), NULL), *x;
	struct set *s = key ? nj_set(n, json_object_get(j, "data"), key, like, true) : NULL;

	if (!s)
		return NULL;
	x = expr_new(n->a, EXPR_MAP, like ? (enum dtype)like->dtype : DT_INTEGER,
		     like ? (enum byteorder)like->order : ORDER_HOST, like ? like->bits : s->data_len * 8);
	if (x) {
		x->map.key = key;
		x->map.set = s;
	}
	return x;
}

static struct expr *setref(struct nj *n, json_t *j, const struct expr *like)
{
	struct set *s = nj_set(n, j, like, NULL, false);

	return s ? expr_setref(n->a, s) : NULL;
}

/* ---- which ---- */

static const struct {
	const char *key;
	struct expr *(*fn)(struct nj *n, json_t *j);
} kinds[] = {
	{ "payload", payload }, { "meta", meta }, { "ct", ct }, { "exthdr", exthdr }, { "tcp option", tcp_option },
	{ "ip option", ip_option }, { "sctp chunk", sctp_chunk }, { "dccp option", dccp_option }, { "rt", rt },
	{ "socket", sock }, { "fib", fib }, { "osf", osf }, { "numgen", numgen }, { "jhash", jhash },
	{ "symhash", symhash }, { "ipsec", xfrm },
};

static const struct {
	const char *key;
	enum binop op;
} binops[] = {
	{ "&", BINOP_AND }, { "|", BINOP_OR }, { "^", BINOP_XOR }, { "<<", BINOP_LSHIFT }, { ">>", BINOP_RSHIFT },
};

/* Flags put together with "|" are a value; anything computed is not. */
bool nj_is_const(json_t *j)
{
	json_t *args = json_object_get(j, "|");

	if (!json_is_object(j))
		return !json_is_string(j) || json_string_value(j)[0] != '@';
	if (args)
		return nj_is_const(json_array_get(args, 0)) && nj_is_const(json_array_get(args, 1));
	return json_object_get(j, "prefix") || json_object_get(j, "range");
}

static struct expr *expr_of(struct nj *n, json_t *j, const struct expr *like)
{
	json_t *body;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((body = json_object_get(j, kinds[i].key)))
			return kinds[i].fn(n, body);
	for (size_t i = 0; i < ARRAY_SIZE(binops); i++)
		if ((body = json_object_get(j, binops[i].key)))
			return binop(n, body, binops[i].op, like);
	if ((body = json_object_get(j, "map")))
		return map(n, body, like);
	if (json_object_get(j, "set") || json_is_string(j))
		return setref(n, j, like);
	if (json_object_get(j, "concat"))
		return nj_value(n, j, like);
	return nj_bad(n, "an expression of unknown kind '%.40s'", json_object_iter_key(json_object_iter(j)));
}

struct expr *nj_expr(struct nj *n, json_t *j, const struct expr *like)
{
	struct expr *x;

	if (!j)
		return nj_bad(n, "something is missing");
	if (++n->depth > NJ_DEPTH)
		return nj_bad(n, "expressions nested too deeply");
	x = nj_is_const(j) ? nj_value(n, j, like) : expr_of(n, j, like);
	n->depth--;
	return x;
}

void nj_exists(struct expr *x)
{
	if (x->kind == EXPR_FIB) {
		x->fib.flags |= NFTA_FIB_F_PRESENT;
		x->bits = 8;
	} else if (x->kind == EXPR_EXTHDR) {
		x->exthdr.present = true;
		x->exthdr.name = exthdr_name(x->exthdr.op, x->exthdr.type);
		x->exthdr.field = NULL;
	} else {
		return;
	}
	x->dtype = DT_BOOLEAN;
}
