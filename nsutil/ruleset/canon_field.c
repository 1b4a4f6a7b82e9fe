/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon_field - one name for each source of bytes, however it was written */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/canon_form.h"
#include "nsutil/ruleset/headers.h"

/* Which packets and which layer 4 protocol a header is found in; the names are nft's. */
static const struct {
	const char *protocol;
	uint8_t packets, l4;
} header_needs[] = {
	{ "ip", CANON_V4, 0 },
	{ "ip6", CANON_V6, 0 },
	{ "tcp", CANON_ANY, IPPROTO_TCP },
	{ "udp", CANON_ANY, IPPROTO_UDP },
	{ "icmp", CANON_V4, IPPROTO_ICMP },
	{ "icmpv6", CANON_V6, IPPROTO_ICMPV6 },
	{ "sctp", CANON_ANY, IPPROTO_SCTP },
	{ "dccp", CANON_ANY, IPPROTO_DCCP },
	{ "udplite", CANON_ANY, IPPROTO_UDPLITE },
	{ "esp", CANON_ANY, IPPROTO_ESP },
	{ "ah", CANON_ANY, IPPROTO_AH },
	{ "comp", CANON_ANY, IPPROTO_COMP },
	{ "igmp", CANON_V4, IPPROTO_IGMP },
};

void canon_needs(const struct expr *x, unsigned *packets, uint8_t *l4)
{
	const char *protocol = NULL;

	switch (x->kind) {
	case EXPR_BINOP:
		canon_needs(x->binop.left, packets, l4);
		return;
	case EXPR_CONCAT:
		for (unsigned i = 0; i < x->concat.n; i++)
			canon_needs(x->concat.parts[i], packets, l4);
		return;
	case EXPR_PAYLOAD:
		protocol = x->payload.field ? x->payload.field->protocol : NULL;
		break;
	case EXPR_EXTHDR:
		if (x->exthdr.op == NFT_EXTHDR_OP_TCPOPT)
			protocol = "tcp";
		else if (x->exthdr.op == NFT_EXTHDR_OP_SCTP)
			protocol = "sctp";
		break;
	case EXPR_CT:
		if (x->ct.key == NFT_CT_SRC_IP || x->ct.key == NFT_CT_DST_IP)
			protocol = "ip";
		else if (x->ct.key == NFT_CT_SRC_IP6 || x->ct.key == NFT_CT_DST_IP6)
			protocol = "ip6";
		break;
	default:
		break;
	}
	for (size_t i = 0; protocol && i < sizeof(header_needs) / sizeof(header_needs[0]); i++)
		if (strcmp(header_needs[i].protocol, protocol) == 0) {
			*packets &= header_needs[i].packets;
			if (header_needs[i].l4)
				*l4 = header_needs[i].l4;
			return;
		}
}

/* Numbers that name a source, joined by dots. */
static void key_numbers(struct buf *b, const char *name, const uint32_t *v, unsigned n)
{
	buf_str(b, name);
	for (unsigned i = 0; i < n; i++) {
		buf_chr(b, '.');
		buf_uint(b, v[i]);
	}
}
#define KEY(b, name, ...)                                                                          \
	do {                                                                                       \
		const uint32_t key_[] = { __VA_ARGS__ };                                           \
		key_numbers(b, name, key_, sizeof(key_) / sizeof(key_[0]));                        \
	} while (0)

static unsigned payload_bits(const struct expr *x)
{
	return x->payload.field && x->payload.field->bits > x->bits ? x->payload.field->bits : x->bits;
}

static void key_payload(const struct expr *x, unsigned packets, struct buf *b)
{
	/* nft and iptables ask IPv4 for its protocol, or the packet: it is the same byte */
	if (x->payload.base == NFT_PAYLOAD_NETWORK_HEADER && packets == CANON_V4 &&
	    x->payload.offset == 72 && x->bits == 8)
		buf_str(b, "l4");
	else
		KEY(b, "hdr", x->payload.base, x->payload.offset, payload_bits(x));
}

/* Older forms of "ct original saddr" leave the family to the rule. */
static uint32_t ct_key(uint32_t key, unsigned packets)
{
	if (key == NFT_CT_SRC && packets != CANON_ANY)
		return packets == CANON_V4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6;
	if (key == NFT_CT_DST && packets != CANON_ANY)
		return packets == CANON_V4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6;
	return key;
}

/* A connection has the same protocols in either direction. */
static uint32_t ct_direction(const struct expr *x)
{
	if (x->ct.key == NFT_CT_PROTOCOL || x->ct.key == NFT_CT_L3PROTOCOL)
		return 0;
	return (uint32_t)(x->ct.dir + 1);
}

static void key_hash(const struct expr *x, unsigned packets, struct buf *b)
{
	KEY(b, "hash", x->hash.type, x->hash.modulus, x->hash.has_seed ? x->hash.seed : 0, x->hash.has_seed,
	    x->hash.offset);
	if (x->hash.src)
		canon_expr(x->hash.src, packets, b);
}

void canon_key(const struct expr *x, unsigned packets, struct buf *b)
{
	switch (x->kind) {
	case EXPR_PAYLOAD:
		key_payload(x, packets, b);
		break;
	case EXPR_META:
		if (x->meta_key == NFT_META_L4PROTO)
			buf_str(b, "l4");
		else
			KEY(b, "meta", x->meta_key);
		break;
	case EXPR_CT:
		KEY(b, "ct", ct_key(x->ct.key, packets), ct_direction(x));
		break;
	case EXPR_EXTHDR:
		KEY(b, "ext", x->exthdr.op, x->exthdr.type, x->exthdr.offset, x->bits, x->exthdr.present);
		break;
	case EXPR_RT:
		KEY(b, "rt", x->rt_key);
		break;
	case EXPR_SOCKET:
		KEY(b, "socket", x->socket.key, x->socket.level);
		break;
	case EXPR_FIB:
		KEY(b, "fib", x->fib.result, x->fib.flags & ~(uint32_t)NFTA_FIB_F_PRESENT);
		break;
	case EXPR_OSF:
		KEY(b, "osf", x->osf.ttl, x->osf.flags);
		break;
	case EXPR_NUMGEN:
		KEY(b, "numgen", x->numgen.type, x->numgen.modulus, x->numgen.offset);
		break;
	case EXPR_HASH:
		key_hash(x, packets, b);
		break;
	case EXPR_XFRM:
		KEY(b, "xfrm", x->xfrm.key, x->xfrm.dir, x->xfrm.spnum);
		break;
	case EXPR_TUNNEL:
		KEY(b, "tunnel", x->tunnel.key, x->tunnel.mode);
		break;
	default:
		canon_expr(x, packets, b);
	}
}

/* Decoders may know a source's size differently; by its key there is only one. */
static unsigned source_bits(const struct expr *x)
{
	switch (x->kind) {
	case EXPR_PAYLOAD:
		return payload_bits(x);
	case EXPR_META:
		return header_meta_type(x->meta_key)->bits;
	case EXPR_CT:
		if (x->ct.key == NFT_CT_SRC || x->ct.key == NFT_CT_DST)
			return x->bits > 32 ? 128 : 32; /* the key tells no length */
		return header_ct_type(x->ct.key)->bits;
	case EXPR_FIB:
		return x->fib.result == NFT_FIB_RESULT_OIFNAME ? 128 : 32;
	case EXPR_EXTHDR:
		return x->exthdr.present ? 1 : x->bits ? x->bits : 8;
	default:
		return x->bits ? x->bits : 32;
	}
}

static bool is_string(const struct expr *x)
{
	return x->dtype == DT_IFNAME || x->dtype == DT_STRING || x->dtype == DT_OSF_NAME ||
	       x->dtype == DT_CT_LABEL;
}

static void field_source(const struct expr *x, struct canon_field *f)
{
	f->source = x;
	f->bits = source_bits(x);
	f->width = (f->bits + 7) / 8;
	f->string = is_string(x);
	memset(f->mask, 0xff, sizeof(f->mask));
	memset(f->flip, 0, sizeof(f->flip));
}

/* (s & m ^ f) op c, as another mask and flip of s: "or" clears the bits and then flips them. */
static void field_binop(struct canon_field *f, enum binop op, const uint8_t *c)
{
	for (unsigned i = 0; i < f->width; i++)
		switch (op) {
		case BINOP_AND:
			f->mask[i] &= c[i];
			f->flip[i] &= c[i];
			break;
		case BINOP_OR:
			f->mask[i] &= (uint8_t)~c[i];
			f->flip[i] |= c[i];
			break;
		default:
			f->flip[i] ^= c[i];
		}
}

static bool all_zero(const uint8_t *p, unsigned n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

bool canon_field(const struct expr *x, struct canon_field *ret)
{
	uint8_t c[CANON_WIDTH];
	const struct expr *constant, *other;

	switch (x->kind) {
	case EXPR_VALUE: /* the width is the target's business; see canon_act.c */
	case EXPR_PREFIX:
	case EXPR_RANGE:
	case EXPR_CONCAT:
	case EXPR_SETREF:
	case EXPR_MAP:
	case EXPR_IPSET:
	case EXPR_OPAQUE:
		return false;
	case EXPR_BINOP:
		break;
	default:
		field_source(x, ret);
		return ret->width <= CANON_WIDTH && ret->width > 0;
	}
	if (x->binop.op > BINOP_XOR)
		return false;
	constant = x->binop.right, other = x->binop.left;
	if (!canon_field(other, ret)) {
		constant = x->binop.left, other = x->binop.right;
		if (!canon_field(other, ret))
			return false;
	}
	if (!canon_const(constant, ret->width, ret->string, c))
		return false;
	field_binop(ret, x->binop.op, c);
	if (all_zero(ret->mask, ret->width))
		ret->source = NULL;
	return true;
}

static void canon_verdict(const struct stmt_verdict *v, struct buf *b)
{
	buf_str(b, verdict_name(v->code));
	if (v->chain) {
		buf_chr(b, ' ');
		buf_str(b, v->chain);
	}
}

/* What an element stands for: its key, as ranges where it has a number. */
static void elem_key(const struct expr *x, const struct expr *field, unsigned packets, struct buf *b)
{
	struct canon_values vs;
	struct canon_field f;

	if (x && x->kind == EXPR_CONCAT) {
		for (unsigned i = 0; i < x->concat.n; i++) {
			const struct expr *part = field && field->kind == EXPR_CONCAT && i < field->concat.n
							  ? field->concat.parts[i]
							  : NULL;
			buf_str(b, i ? "." : "");
			elem_key(x->concat.parts[i], part, packets, b);
		}
		return;
	}
	if (!x || !field || !canon_field(field, &f)) {
		if (x)
			canon_expr(x, packets, b);
		return;
	}
	canon_values_init(&vs, f.width, f.string);
	if (canon_values_add(&vs, x)) {
		canon_values_sort(&vs);
		canon_values_text(&vs, b);
	} else {
		canon_expr(x, packets, b);
	}
	canon_values_free(&vs);
}

static void elem_text(const struct set_elem *e, const struct expr *key, unsigned packets, struct buf *b)
{
	if (e->catchall)
		buf_chr(b, '*');
	else
		elem_key(e->key, key, packets, b);
	if (e->data || e->verdict || e->object)
		buf_chr(b, ':');
	if (e->data)
		canon_expr(e->data, packets, b);
	if (e->verdict)
		canon_verdict(e->verdict, b);
	if (e->object)
		buf_str(b, e->object);
	for (const struct stmt *s = e->stmts; s; s = s->next)
		canon_action(s, packets, b);
}

void canon_set(const struct set *s, const struct expr *key, unsigned packets, struct buf *b)
{
	struct canon_list elems = { .packets = packets };
	struct buf one _cleanup_buf_ = BUF_INIT;

	if (!s || !(s->flags & SET_ANONYMOUS)) {
		buf_chr(b, '@');
		buf_str(b, s ? s->name : "?");
		return;
	}
	if (s->unread) { /* its content is not known: equals itself at most */
		buf_fmt(b, "@?%p", (const void *)s);
		return;
	}
	for (unsigned i = 0; i < s->n_elems; i++) {
		buf_reset(&one);
		elem_text(&s->elems[i], key, packets, &one);
		canon_list_opaque(&elems, buf_cstr(&one));
	}
	buf_chr(b, '{');
	canon_list_flush(&elems, b);
	buf_chr(b, '}');
	if (elems.failed || one.failed)
		b->failed = true;
	canon_list_free(&elems);
}

static void expr_parts(const struct expr *x, unsigned packets, struct buf *b)
{
	switch (x->kind) {
	case EXPR_BINOP:
		canon_expr(x->binop.left, packets, b);
		buf_chr(b, "&|^<>"[x->binop.op]);
		canon_expr(x->binop.right, packets, b);
		break;
	case EXPR_PREFIX:
		canon_expr(x->prefix.value, packets, b);
		buf_fmt(b, "/%u", x->prefix.len);
		break;
	case EXPR_RANGE:
		canon_expr(x->range.from, packets, b);
		buf_chr(b, '-');
		canon_expr(x->range.to, packets, b);
		break;
	case EXPR_CONCAT:
		for (unsigned i = 0; i < x->concat.n; i++) {
			buf_str(b, i ? "." : "");
			canon_expr(x->concat.parts[i], packets, b);
		}
		break;
	default:
		break;
	}
}

void canon_expr(const struct expr *x, unsigned packets, struct buf *b)
{
	uint8_t number[CANON_WIDTH];
	unsigned width;

	if (!x) {
		buf_chr(b, '-');
		return;
	}
	width = (x->bits + 7u) / 8u;
	switch (x->kind) {
	case EXPR_VALUE:
		if (canon_const(x, width, is_string(x), number))
			canon_hex(b, number, width);
		else
			canon_hex(b, x->value, width);
		break;
	case EXPR_SETREF:
		canon_set(x->set, NULL, packets, b);
		break;
	case EXPR_MAP:
		buf_str(b, "map(");
		canon_expr(x->map.key, packets, b);
		canon_set(x->map.set, x->map.key, packets, b);
		buf_chr(b, ')');
		break;
	case EXPR_IPSET:
		KEY(b, "ipset", x->ipset.dims, x->ipset.src, x->ipset.flags);
		if (x->ipset.name)
			buf_str(b, x->ipset.name);
		else
			buf_uint(b, x->ipset.index); /* the kernel would not say its name */
		break;
	case EXPR_OPAQUE:
		buf_str(b, "opaque ");
		buf_str(b, x->opaque.name ? x->opaque.name : "?");
		canon_hex(b, x->opaque.data, x->opaque.size);
		break;
	case EXPR_BINOP:
	case EXPR_PREFIX:
	case EXPR_RANGE:
	case EXPR_CONCAT:
		buf_chr(b, '(');
		expr_parts(x, packets, b);
		buf_chr(b, ')');
		break;
	default:
		canon_key(x, packets, b);
	}
}
