/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_expr - expressions in the form of libnftables-json(5) */
#include <inttypes.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#include "nsutil/ruleset/headers.h"
#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"

static void payload_json(const struct expr *x, struct json *j)
{
	const struct hdr_field *f = x->payload.field;

	json_begin_object(j, "payload");
	if (f) {
		json_str(j, "protocol", f->protocol);
		json_str(j, "field", f->name);
	} else {
		json_str(j, "base", nft_payload_base(x->payload.base));
		json_uint(j, "offset", x->payload.offset);
		json_uint(j, "len", x->bits);
	}
	json_end_object(j);
}

static void meta_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "meta");
	json_str(j, "key", header_meta_type(x->meta_key)->name);
	json_end_object(j);
}

static void ct_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "ct");
	json_str(j, "key", header_ct_type(x->ct.key)->name);
	if (x->ct.dir >= 0)
		json_str(j, "dir", x->ct.dir ? "reply" : "original");
	json_end_object(j);
}

static void exthdr_json(const struct expr *x, struct json *j)
{
	static const char *const families[] = {
		"exthdr", "tcp option", "ip option", "sctp chunk", "dccp option",
	};

	json_begin_object(j, families[x->exthdr.op]);
	if (x->exthdr.op == NFT_EXTHDR_OP_DCCP) {
		json_uint(j, "type", x->exthdr.type);
	} else if (x->exthdr.name) {
		json_str(j, "name", x->exthdr.name);
		if (x->exthdr.field && !x->exthdr.present)
			json_str(j, "field", x->exthdr.field);
	} else {
		json_uint(j, "base", x->exthdr.type);
		json_uint(j, "offset", x->exthdr.offset);
		json_uint(j, "len", x->bits);
	}
	json_end_object(j);
}

static void rt_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "rt");
	json_str(j, "key", nft_rt_key(x->rt_key));
	if (x->rt_key == NFT_RT_NEXTHOP4)
		json_str(j, "family", "ip");
	if (x->rt_key == NFT_RT_NEXTHOP6)
		json_str(j, "family", "ip6");
	json_end_object(j);
}

static void socket_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "socket");
	json_str(j, "key", nft_socket_key(x->socket.key));
	if (x->socket.key == NFT_SOCKET_CGROUPV2)
		json_uint(j, "level", x->socket.level);
	json_end_object(j);
}

static void fib_json(const struct expr *x, struct json *j)
{
	const char *words[5];
	unsigned n = nft_fib_flags(x->fib.flags, words);

	json_begin_object(j, "fib");
	json_str(j, "result", nft_fib_result(x->fib.result));
	json_begin_array(j, "flags");
	for (unsigned i = 0; i < n; i++)
		json_str(j, NULL, words[i]);
	json_end_array(j);
	json_end_object(j);
}

static void osf_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "osf");
	json_str(j, "key", x->osf.flags & NFT_OSF_F_VERSION ? "version" : "name");
	if (nft_osf_ttl(x->osf.ttl))
		json_str(j, "ttl", nft_osf_ttl(x->osf.ttl));
	json_end_object(j);
}

static void numgen_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "numgen");
	json_str(j, "mode", x->numgen.type == NFT_NG_INCREMENTAL ? "inc" : "random");
	json_uint(j, "mod", x->numgen.modulus);
	json_uint(j, "offset", x->numgen.offset);
	json_end_object(j);
}

static void hash_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, x->hash.type == NFT_HASH_SYM ? "symhash" : "jhash");
	json_uint(j, "mod", x->hash.modulus);
	if (x->hash.type == NFT_HASH_JENKINS && x->hash.has_seed)
		json_uint(j, "seed", x->hash.seed);
	if (x->hash.offset)
		json_uint(j, "offset", x->hash.offset);
	if (x->hash.src)
		nft_expr_json(x->hash.src, j, "expr");
	json_end_object(j);
}

static void xfrm_json(const struct expr *x, struct json *j)
{
	struct nft_xfrm k = nft_xfrm_key(x->xfrm.key);

	json_begin_object(j, "ipsec");
	json_str(j, "key", k.key);
	if (k.family)
		json_str(j, "family", k.family);
	json_str(j, "dir", x->xfrm.dir ? "out" : "in");
	json_uint(j, "spnum", x->xfrm.spnum);
	json_end_object(j);
}

static void tunnel_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "tunnel");
	json_str(j, "key", nft_tunnel_key(x->tunnel.key));
	json_end_object(j);
}

static void binop_json(const struct expr *x, struct json *j)
{
	static const char *const ops[] = { "&", "|", "^", "<<", ">>" };

	json_begin_array(j, ops[x->binop.op]);
	nft_expr_json(x->binop.left, j, NULL);
	if (x->binop.right->kind == EXPR_VALUE)
		nft_value_json(x->binop.right, false, j, NULL);
	else
		nft_expr_json(x->binop.right, j, NULL);
	json_end_array(j);
}

/* Between bounds some types are numbers, and flags are not taken apart; more of them where it is not an element's. */
static void bound_json(const struct expr *x, bool elem, struct json *j)
{
	bool number = x->dtype == DT_INET_PROTO || (x->dtype == DT_TCP_FLAG && !nft_name_of(DT_TCP_FLAG, expr_uint(x)));

	number |= !elem && (x->dtype == DT_FIB_ADDRTYPE || x->dtype == DT_ARPHRD || x->dtype == DT_CT_STATE ||
			    x->dtype == DT_CT_STATUS);
	if (x->kind == EXPR_VALUE && number)
		nft_number_json(x, j, NULL);
	else
		nft_expr_json(x, j, NULL);
}

static void bounds_json(const struct expr *x, bool elem, struct json *j)
{
	json_begin_array(j, "range");
	bound_json(x->range.from, elem, j);
	bound_json(x->range.to, elem, j);
	json_end_array(j);
}

static void range_json(const struct expr *x, struct json *j)
{
	bounds_json(x, false, j);
}

static void concat_json(const struct expr *x, struct json *j)
{
	json_begin_array(j, "concat");
	for (unsigned i = 0; i < x->concat.n; i++)
		nft_expr_json(x->concat.parts[i], j, NULL);
	json_end_array(j);
}

static void map_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "map");
	nft_expr_json(x->map.key, j, "key");
	nft_setref_json(x->map.set, j, "data");
	json_end_object(j);
}

static void prefix_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "prefix");
	nft_expr_json(x->prefix.value, j, "addr");
	json_uint(j, "len", x->prefix.len);
	json_end_object(j);
}

static void ipset_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "ipset");
	json_str(j, "name", x->ipset.name);
	json_end_object(j);
}

static void opaque_json(const struct expr *x, struct json *j)
{
	json_begin_object(j, "opaque");
	json_str(j, "name", x->opaque.name);
	json_str(j, "why", x->opaque.why);
	json_end_object(j);
}

/* An interface name with "*" behind it is a plain string. */
static bool wildcard_json(const struct expr *x, struct json *j, const char *key)
{
	char text[64];

	if (x->kind != EXPR_PREFIX ||
	    (x->prefix.value->dtype != DT_IFNAME && x->prefix.value->dtype != DT_STRING))
		return false;
	snprintf(text, sizeof(text), "%.*s*", (int)(x->prefix.len / 8),
		 (const char *)x->prefix.value->value);
	json_str(j, key, text);
	return true;
}

void nft_expr_json(const struct expr *x, struct json *j, const char *key)
{
	static void (*const fns[])(const struct expr *x, struct json *j) = {
		[EXPR_PAYLOAD] = payload_json, [EXPR_META] = meta_json, [EXPR_CT] = ct_json,
		[EXPR_EXTHDR] = exthdr_json, [EXPR_RT] = rt_json, [EXPR_SOCKET] = socket_json,
		[EXPR_FIB] = fib_json, [EXPR_OSF] = osf_json, [EXPR_NUMGEN] = numgen_json,
		[EXPR_HASH] = hash_json, [EXPR_XFRM] = xfrm_json, [EXPR_TUNNEL] = tunnel_json,
		[EXPR_BINOP] = binop_json, [EXPR_PREFIX] = prefix_json, [EXPR_RANGE] = range_json,
		[EXPR_CONCAT] = concat_json, [EXPR_MAP] = map_json, [EXPR_IPSET] = ipset_json,
		[EXPR_OPAQUE] = opaque_json,
	};

	if (!x) {
		json_put_null(j, key);
	} else if (x->kind == EXPR_VALUE) {
		nft_value_json(x, true, j, key);
	} else if (x->kind == EXPR_SETREF) {
		nft_setref_json(x->set, j, key);
	} else if (!wildcard_json(x, j, key)) {
		json_begin_object(j, key);
		fns[x->kind](x, j);
		json_end_object(j);
	}
}

/* ---- sets ---- */

static bool elem_is_plain(const struct set_elem *e)
{
	return !e->stmts && !e->timeout_ms && !e->expires_ms && !e->comment;
}

static void elem_part_json(const struct expr *x, struct json *j, const char *key)
{
	if (x->kind != EXPR_RANGE && x->kind != EXPR_CONCAT) {
		nft_expr_json(x, j, key);
		return;
	}
	json_begin_object(j, key);
	if (x->kind == EXPR_RANGE) {
		bounds_json(x, true, j);
	} else {
		json_begin_array(j, "concat");
		for (unsigned i = 0; i < x->concat.n; i++)
			elem_part_json(x->concat.parts[i], j, NULL);
		json_end_array(j);
	}
	json_end_object(j);
}

static void elem_key_json(const struct set_elem *e, struct json *j, const char *key)
{
	if (e->catchall)
		json_str(j, key, "*");
	else if (e->key)
		elem_part_json(e->key, j, key);
	else
		json_put_null(j, key);
}

static void elem_left_json(const struct set *s, const struct set_elem *e, struct json *j)
{
	if (elem_is_plain(e)) {
		elem_key_json(e, j, NULL);
		return;
	}
	json_begin_object(j, NULL);
	json_begin_object(j, "elem");
	elem_key_json(e, j, "val");
	if (e->timeout_ms)
		json_uint(j, "timeout", e->timeout_ms / 1000);
	if (e->expires_ms)
		json_uint(j, "expires", e->expires_ms / 1000);
	if (e->comment)
		json_str(j, "comment", e->comment);
	for (const struct stmt *st = e->stmts; st; st = st->next)
		nft_stmt_body_json(s->table ? s->table->family : 0, st, j);
	json_end_object(j);
	json_end_object(j);
}

void nft_elem_json(const struct set *s, const struct set_elem *e, struct json *j)
{
	if (!(s->flags & (SET_MAP | SET_OBJECT))) {
		elem_left_json(s, e, j);
		return;
	}
	json_begin_array(j, NULL);
	elem_left_json(s, e, j);
	if (e->verdict)
		nft_verdict_json(e->verdict, j);
	else if (e->object)
		json_str(j, NULL, e->object);
	else if (nft_several_flags(e->data))
		json_uint(j, NULL, expr_uint(e->data));
	else
		nft_expr_json(e->data, j, NULL);
	json_end_array(j);
}

void nft_setref_json(const struct set *s, struct json *j, const char *key)
{
	char name[300];

	if (!(s->flags & SET_ANONYMOUS) || s->unread) {
		snprintf(name, sizeof(name), "@%s", s->name);
		json_str(j, key, name);
		return;
	}
	json_begin_object(j, key);
	json_begin_array(j, "set");
	for (uint32_t i = 0; i < s->n_elems; i++)
		nft_elem_json(s, &s->elems[i], j);
	json_end_array(j);
	json_end_object(j);
}
