/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_expr - expressions as nft lists them */
#include <inttypes.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/headers.h"
#include "nsutil/ruleset/nft_print.h"

#define WORD(table, i) ((i) < sizeof(table) / sizeof((table)[0]) ? (table)[i] : NULL)

const char *nft_rt_key(uint32_t key)
{
	static const char *const words[] = { "classid", "nexthop", "nexthop", "mtu", "ipsec" };

	return WORD(words, key);
}

const char *nft_socket_key(uint32_t key)
{
	static const char *const words[] = { "transparent", "mark", "wildcard", "cgroupv2" };

	return WORD(words, key);
}

const char *nft_fib_result(uint32_t result)
{
	static const char *const words[] = { NULL, "oif", "oifname", "type" };

	return WORD(words, result);
}

const char *nft_payload_base(uint8_t base)
{
	static const char *const words[] = { "ll", "nh", "th", "ih" };

	return WORD(words, base);
}

const char *nft_osf_ttl(uint8_t ttl)
{
	static const char *const words[] = { NULL, "loose", "skip" };

	return WORD(words, ttl);
}

const char *nft_tunnel_key(uint32_t key)
{
	static const char *const words[] = { "path", "id" };

	return WORD(words, key);
}

struct nft_xfrm nft_xfrm_key(uint32_t key)
{
	static const struct nft_xfrm keys[] = {
		{ NULL, NULL }, { "ip", "daddr" }, { "ip6", "daddr" }, { "ip", "saddr" },
		{ "ip6", "saddr" }, { NULL, "reqid" }, { NULL, "spi" },
	};

	return key < sizeof(keys) / sizeof(keys[0]) ? keys[key] : keys[0];
}

unsigned nft_fib_flags(uint32_t flags, const char *words[5])
{
	static const struct { uint32_t flag; const char *word; } table[] = {
		{ NFTA_FIB_F_SADDR, "saddr" }, { NFTA_FIB_F_DADDR, "daddr" }, { NFTA_FIB_F_MARK, "mark" },
		{ NFTA_FIB_F_IIF, "iif" }, { NFTA_FIB_F_OIF, "oif" },
	};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (flags & table[i].flag)
			words[n++] = table[i].word;
	return n;
}

/* ---- the kinds ---- */

static void payload_text(const struct nft_text *t, const struct expr *x)
{
	const struct hdr_field *f = x->payload.field;

	if (f)
		buf_fmt(t->b, "%s %s", t->meaning && t->l4 && strcmp(f->protocol, "th") == 0 ? t->l4 : f->protocol,
			f->name);
	else
		buf_fmt(t->b, "@%s,%u,%u", nft_payload_base(x->payload.base), x->payload.offset, x->bits);
}

/* Some keys are written without the word meta in front. */
static void meta_text(const struct nft_text *t, const struct expr *x)
{
	static const uint64_t bare = 1u << NFT_META_IIF | 1u << NFT_META_OIF | 1u << NFT_META_IIFNAME |
				     1u << NFT_META_OIFNAME | 1u << NFT_META_IIFGROUP |
				     1u << NFT_META_OIFGROUP;

	if (x->meta_key > 63 || !(bare >> x->meta_key & 1))
		buf_str(t->b, "meta ");
	buf_str(t->b, header_meta_type(x->meta_key)->name);
}

static void ct_text(const struct nft_text *t, const struct expr *x)
{
	buf_str(t->b, "ct ");
	if (x->ct.dir >= 0)
		buf_str(t->b, x->ct.dir ? "reply " : "original ");
	if (x->ct.key == NFT_CT_SRC || x->ct.key == NFT_CT_DST)
		buf_str(t->b, x->dtype == DT_IPV6 ? "ip6 " : "ip ");
	buf_str(t->b, header_ct_type(x->ct.key)->name);
}

static const char *exthdr_family(uint8_t op)
{
	static const char *const words[] = { "", "tcp option ", "ip option ", "sctp chunk ", "dccp option " };

	return WORD(words, op);
}

static void exthdr_text(const struct nft_text *t, const struct expr *x)
{
	if (x->exthdr.op == NFT_EXTHDR_OP_IPV6 && x->exthdr.present)
		buf_str(t->b, "exthdr ");
	else
		buf_str(t->b, exthdr_family(x->exthdr.op));
	if (x->exthdr.name)
		buf_str(t->b, x->exthdr.name);
	else if (x->exthdr.present || x->exthdr.op == NFT_EXTHDR_OP_DCCP)
		buf_fmt(t->b, "%u", x->exthdr.type);
	else
		buf_fmt(t->b, "@%u,%u,%u", x->exthdr.type, x->exthdr.offset, x->bits);
	if (x->exthdr.field && !x->exthdr.present)
		buf_fmt(t->b, " %s", x->exthdr.field);
}

static void rt_text(const struct nft_text *t, const struct expr *x)
{
	buf_str(t->b, "rt ");
	if (x->rt_key == NFT_RT_NEXTHOP4)
		buf_str(t->b, "ip ");
	if (x->rt_key == NFT_RT_NEXTHOP6)
		buf_str(t->b, "ip6 ");
	buf_str(t->b, nft_rt_key(x->rt_key));
}

static void fib_text(const struct nft_text *t, const struct expr *x)
{
	const char *words[5];
	unsigned n = nft_fib_flags(x->fib.flags, words);

	buf_str(t->b, "fib ");
	for (unsigned i = 0; i < n; i++)
		buf_fmt(t->b, "%s%s", i ? " . " : "", words[i]);
	buf_fmt(t->b, " %s", nft_fib_result(x->fib.result));
}

static void osf_text(const struct nft_text *t, const struct expr *x)
{
	buf_str(t->b, "osf ");
	if (nft_osf_ttl(x->osf.ttl))
		buf_fmt(t->b, "ttl %s ", nft_osf_ttl(x->osf.ttl));
	buf_str(t->b, x->osf.flags & NFT_OSF_F_VERSION ? "version" : "name");
}

static void numgen_text(const struct nft_text *t, const struct expr *x)
{
	buf_fmt(t->b, "numgen %s mod %u", x->numgen.type == NFT_NG_INCREMENTAL ? "inc" : "random",
		x->numgen.modulus);
	if (x->numgen.offset)
		buf_fmt(t->b, " offset %u", x->numgen.offset);
}

static void hash_text(const struct nft_text *t, const struct expr *x)
{
	if (x->hash.type == NFT_HASH_SYM) {
		buf_str(t->b, "symhash");
	} else {
		buf_str(t->b, "jhash ");
		nft_expr_text(t, x->hash.src);
	}
	buf_fmt(t->b, " mod %u", x->hash.modulus);
	if (x->hash.has_seed && x->hash.type == NFT_HASH_JENKINS)
		buf_fmt(t->b, " seed 0x%x", x->hash.seed);
	if (x->hash.offset)
		buf_fmt(t->b, " offset %u", x->hash.offset);
}

static void xfrm_text(const struct nft_text *t, const struct expr *x)
{
	struct nft_xfrm k = nft_xfrm_key(x->xfrm.key);

	buf_fmt(t->b, "ipsec %s ", x->xfrm.dir ? "out" : "in");
	if (x->xfrm.spnum)
		buf_fmt(t->b, "spnum %u ", x->xfrm.spnum);
	if (k.family)
		buf_fmt(t->b, "%s ", k.family);
	buf_str(t->b, k.key);
}

/* Shifts bind closest, then "&", "^", "|". */
static void operand_text(const struct nft_text *t, enum binop op, const struct expr *x)
{
	static const uint8_t loose[] = { [BINOP_LSHIFT] = 1, [BINOP_RSHIFT] = 1, [BINOP_AND] = 2, [BINOP_XOR] = 3, [BINOP_OR] = 4 };
	bool parens = x->kind == EXPR_BINOP && loose[op] < loose[x->binop.op];

	buf_str(t->b, parens ? "(" : "");
	nft_expr_text(t, x);
	buf_str(t->b, parens ? ")" : "");
}

static void binop_text(const struct nft_text *t, const struct expr *x)
{
	static const char *const ops[] = { "&", "|", "^", "<<", ">>" };

	operand_text(t, x->binop.op, x->binop.left);
	buf_fmt(t->b, " %s ", ops[x->binop.op]);
	if (x->binop.right->kind == EXPR_VALUE && x->binop.op >= BINOP_LSHIFT)
		buf_uint(t->b, expr_uint(x->binop.right));
	else if (x->binop.right->kind == EXPR_VALUE)
		nft_value_text(x->binop.right, " | ", t->b);
	else
		operand_text(t, x->binop.op, x->binop.right);
}

/* A prefix of a name is "eth*", of an address "10.0.0.0/8". */
static void prefix_text(const struct nft_text *t, const struct expr *x)
{
	const struct expr *v = x->prefix.value;

	if (v->dtype == DT_IFNAME || v->dtype == DT_STRING) {
		buf_fmt(t->b, "\"%.*s*\"", (int)(x->prefix.len / 8), (const char *)v->value);
		return;
	}
	nft_value_text(v, " | ", t->b);
	buf_fmt(t->b, "/%u", x->prefix.len);
}

static void map_text(const struct nft_text *t, const struct expr *x)
{
	nft_expr_text(t, x->map.key);
	buf_str(t->b, " map ");
	nft_setref_text(t, x->map.set);
}

static void concat_text(const struct nft_text *t, const struct expr *x)
{
	for (unsigned i = 0; i < x->concat.n; i++) {
		buf_str(t->b, i ? " . " : "");
		nft_expr_text(t, x->concat.parts[i]);
	}
}

static void ipset_text(const struct nft_text *t, const struct expr *x)
{
	buf_fmt(t->b, "@%s", x->ipset.name ? x->ipset.name : "?");
}

/* Between bounds nft writes numbers, not names. */
static void bound_text(const struct nft_text *t, const struct expr *x)
{
	if (x->kind == EXPR_VALUE)
		nft_number_text(x, t->b);
	else
		nft_expr_text(t, x);
}

static void range_text(const struct nft_text *t, const struct expr *x)
{
	bound_text(t, x->range.from);
	buf_chr(t->b, '-');
	bound_text(t, x->range.to);
}

static void value_text(const struct nft_text *t, const struct expr *x)
{
	nft_value_text(x, " | ", t->b);
}

static void setref_text(const struct nft_text *t, const struct expr *x)
{
	nft_setref_text(t, x->set);
}

static void socket_text(const struct nft_text *t, const struct expr *x)
{
	buf_fmt(t->b, "socket %s", nft_socket_key(x->socket.key));
	if (x->socket.key == NFT_SOCKET_CGROUPV2)
		buf_fmt(t->b, " level %u", x->socket.level);
}

static void tunnel_text(const struct nft_text *t, const struct expr *x)
{
	buf_fmt(t->b, "tunnel %s", nft_tunnel_key(x->tunnel.key));
}

static void opaque_text(const struct nft_text *t, const struct expr *x)
{
	buf_fmt(t->b, "<%s>", x->opaque.name ? x->opaque.name : "?");
}

void nft_expr_text(const struct nft_text *t, const struct expr *x)
{
	static void (*const fns[])(const struct nft_text *t, const struct expr *x) = {
		[EXPR_VALUE] = value_text, [EXPR_PAYLOAD] = payload_text, [EXPR_META] = meta_text,
		[EXPR_CT] = ct_text, [EXPR_EXTHDR] = exthdr_text, [EXPR_RT] = rt_text,
		[EXPR_SOCKET] = socket_text, [EXPR_FIB] = fib_text, [EXPR_OSF] = osf_text,
		[EXPR_NUMGEN] = numgen_text, [EXPR_HASH] = hash_text, [EXPR_XFRM] = xfrm_text,
		[EXPR_TUNNEL] = tunnel_text, [EXPR_BINOP] = binop_text, [EXPR_PREFIX] = prefix_text,
		[EXPR_RANGE] = range_text, [EXPR_CONCAT] = concat_text, [EXPR_SETREF] = setref_text,
		[EXPR_MAP] = map_text, [EXPR_IPSET] = ipset_text, [EXPR_OPAQUE] = opaque_text,
	};

	if (x)
		fns[x->kind](t, x);
}

/* ---- sets ---- */

void nft_elem_text(const struct nft_text *t, const struct set *s, const struct set_elem *e)
{
	if (e->catchall)
		buf_chr(t->b, '*');
	else
		nft_expr_text(t, e->key);
	if (e->stmts) {
		buf_chr(t->b, ' ');
		nft_stmts_text(t, e->stmts);
	}
	if (e->timeout_ms) {
		buf_str(t->b, " timeout ");
		nft_time_text(e->timeout_ms, t->b);
	}
	if (e->expires_ms && t->counters) {
		buf_str(t->b, " expires ");
		nft_time_text(e->expires_ms, t->b);
	}
	if (e->comment) {
		buf_str(t->b, " comment ");
		nft_string_text(e->comment, t->b);
	}
	if (!(s->flags & (SET_MAP | SET_OBJECT)))
		return;
	buf_str(t->b, " : ");
	if (e->verdict)
		nft_verdict_text(e->verdict, t->b);
	else if (e->object)
		nft_string_text(e->object, t->b);
	else if (nft_several_flags(e->data))
		buf_fmt(t->b, "0x%" PRIx64, expr_uint(e->data));
	else if (e->data)
		nft_expr_text(t, e->data);
	else
		buf_chr(t->b, '?');
}

void nft_elems_text(const struct nft_text *t, const struct set *s)
{
	buf_str(t->b, "{ ");
	for (uint32_t i = 0; i < s->n_elems; i++) {
		buf_str(t->b, i ? ", " : "");
		nft_elem_text(t, s, &s->elems[i]);
	}
	buf_str(t->b, " }");
}

void nft_setref_text(const struct nft_text *t, const struct set *s)
{
	if ((s->flags & SET_ANONYMOUS) && !s->unread)
		nft_elems_text(t, s);
	else
		buf_fmt(t->b, "@%s", s->name);
}
