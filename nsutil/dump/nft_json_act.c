/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_act - statements of libnftables-json(5) that change a packet or where it goes */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/nft_json.h"

/* The last address of a prefix. */
static struct expr *last_of(struct nj *n, const struct expr *first, unsigned len)
{
	uint8_t b[16];
	unsigned bytes = first->bits / 8u;

	memcpy(b, first->value, bytes);
	for (unsigned bit = len; bit < first->bits; bit++)
		b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return expr_bytes(n->a, (enum dtype)first->dtype, ORDER_NET, b, first->bits);
}

/* A value, a computed one, or both ends of a range. */
bool nj_span(struct nj *n, json_t *j, const struct expr *like, struct expr **from, struct expr **to)
{
	struct expr *x;

	if (!j)
		return true;
	x = nj_expr(n, j, like);
	if (!x)
		return false;
	*from = x;
	if (x->kind == EXPR_RANGE) {
		*from = x->range.from;
		*to = x->range.to;
	} else if (x->kind == EXPR_PREFIX) {
		*from = x->prefix.value;
		*to = x->prefix.value->kind == EXPR_VALUE && x->prefix.value->bits <= 128
			      ? last_of(n, x->prefix.value, x->prefix.len) : NULL;
		return *to != NULL;
	}
	return true;
}

static uint8_t nat_family(const struct nj *n, json_t *j)
{
	const char *family = nj_str(j, "family");

	if (family)
		return strcmp(family, "ip6") == 0 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	return n->t->family == NFPROTO_IPV6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

/* The data of a map may be address and port at once: then the form of the elements tells. */
static const struct expr *addr_type(struct nj *n, json_t *j, uint8_t family)
{
	json_t *elems = json_object_get(json_object_get(json_object_get(j, "map"), "data"), "set");
	bool v6 = family == NFPROTO_IPV6;
	struct expr *addr = expr_new(n->a, EXPR_VALUE, v6 ? DT_IPV6 : DT_IPV4, ORDER_NET, v6 ? 128 : 32), *both;

	if (!json_object_get(json_array_get(json_array_get(elems, 0), 1), "concat"))
		return addr;
	both = expr_new(n->a, EXPR_CONCAT, DT_INTEGER, ORDER_NET, v6 ? 160 : 64);
	if (!both)
		return NULL;
	both->concat.parts = arena_array(n->a, 2, sizeof(struct expr *));
	if (!both->concat.parts)
		return NULL;
	both->concat.parts[0] = addr;
	both->concat.parts[1] = expr_new(n->a, EXPR_VALUE, DT_SERVICE, ORDER_NET, 16);
	both->concat.n = 2;
	return both;
}

static int nat(struct nj *n, json_t *j, enum nat_kind kind)
{
	static const struct nj_word flags[] = {
		{ "random", NF_NAT_RANGE_PROTO_RANDOM }, { "fully-random", NF_NAT_RANGE_PROTO_RANDOM_FULLY },
		{ "persistent", NF_NAT_RANGE_PERSISTENT },
	};
	const struct expr *port = expr_new(n->a, EXPR_VALUE, DT_SERVICE, ORDER_NET, 16), *like;
	struct stmt *s = stmt_new(n->a, STMT_NAT);
	json_t *addr = json_object_get(j, "addr");
	const char *type_flags = nj_str(j, "type_flags");

	if (!s || !port)
		return -1;
	s->nat.kind = kind;
	s->nat.flags = nj_words(json_object_get(j, "flags"), flags, ARRAY_SIZE(flags));
	if (kind == NAT_SNAT || kind == NAT_DNAT)
		s->nat.family = nat_family(n, j);
	like = addr_type(n, addr, s->nat.family);
	if (!nj_span(n, addr, like, &s->nat.addr, &s->nat.addr_max) ||
	    !nj_span(n, json_object_get(j, "port"), port, &s->nat.port, &s->nat.port_max))
		return -1;
	if (type_flags && strcmp(type_flags, "prefix") == 0)
		s->nat.flags |= NF_NAT_RANGE_NETMAP;
	/* the kernel adds these itself (nft_nat_init()) */
	s->nat.flags |= (s->nat.addr ? NF_NAT_RANGE_MAP_IPS : 0) | (s->nat.port ? NF_NAT_RANGE_PROTO_SPECIFIED : 0);
	return nj_add(n, s);
}

static int snat(struct nj *n, json_t *j)
{
	return nat(n, j, NAT_SNAT);
}

static int dnat(struct nj *n, json_t *j)
{
	return nat(n, j, NAT_DNAT);
}

static int masquerade(struct nj *n, json_t *j)
{
	return nat(n, j, NAT_MASQUERADE);
}

static int redirect(struct nj *n, json_t *j)
{
	return nat(n, j, NAT_REDIRECT);
}

static int tproxy(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_TPROXY);
	struct expr *none = NULL;
	const struct expr *port = expr_new(n->a, EXPR_VALUE, DT_SERVICE, ORDER_NET, 16);

	if (!s || !port)
		return -1;
	s->tproxy.family = nj_str(j, "family") || n->t->family != NFPROTO_INET ? nat_family(n, j) : 0;
	if (!nj_span(n, json_object_get(j, "addr"), NULL, &s->tproxy.addr, &none) ||
	    !nj_span(n, json_object_get(j, "port"), port, &s->tproxy.port, &none))
		return -1;
	return nj_add(n, s);
}

static int mangle(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_SET_VALUE);

	if (!s)
		return -1;
	s->set_value.target = nj_expr(n, json_object_get(j, "key"), NULL);
	if (!s->set_value.target)
		return -1;
	s->set_value.value = nj_expr(n, json_object_get(j, "value"), s->set_value.target);
	return s->set_value.value ? nj_add(n, s) : -1;
}

static struct expr *device(struct nj *n, json_t *j)
{
	const struct expr *like = expr_new(n->a, EXPR_VALUE, DT_IFINDEX, ORDER_HOST, 32);

	return like && j ? nj_expr(n, j, like) : NULL;
}

static struct expr *address(struct nj *n, json_t *j, uint8_t family)
{
	const struct expr *like = addr_type(n, j, family);

	return j ? nj_expr(n, j, like) : NULL;
}

static int dup_stmt(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_DUP);
	bool link = n->t->family == NFPROTO_NETDEV;

	if (!s)
		return -1;
	s->dup.family = link ? 0 : n->t->family;
	if (link)
		s->dup.dev = device(n, json_object_get(j, "addr"));
	else
		s->dup.addr = address(n, json_object_get(j, "addr"), n->t->family);
	if (json_object_get(j, "dev") && !link)
		s->dup.dev = device(n, json_object_get(j, "dev"));
	return s->dup.addr || s->dup.dev ? nj_add(n, s) : -1;
}

static int fwd(struct nj *n, json_t *j)
{
	struct stmt *s = stmt_new(n->a, STMT_FWD);

	if (!s)
		return -1;
	s->dup.dev = device(n, json_object_get(j, "dev"));
	if (!s->dup.dev)
		return -1;
	if (json_object_get(j, "addr")) {
		s->dup.family = nat_family(n, j);
		s->dup.addr = address(n, json_object_get(j, "addr"), s->dup.family);
		if (!s->dup.addr)
			return -1;
	}
	return nj_add(n, s);
}

const struct nj_kind nj_kinds_act[] = {
	{ "mangle", mangle }, { "snat", snat }, { "dnat", dnat }, { "masquerade", masquerade },
	{ "redirect", redirect }, { "tproxy", tproxy }, { "dup", dup_stmt }, { "fwd", fwd }, { NULL, NULL },
};
