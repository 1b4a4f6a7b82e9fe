/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr_load - instructions that load a register or write one back: payload, meta, ct and their like */
#include <linux/netfilter.h>

#include "nsutil/nft/decode.h"
#include "nsutil/ruleset/exthdr.h"

/* "KEY set VALUE": an immediate takes the type of what it is written to. */
static enum dec_result add_set(struct dec *d, struct expr *target, uint32_t sreg, unsigned bytes,
			       uint32_t csum_flags)
{
	struct expr *value = dec_resolve(d, dec_reg(d, sreg, bytes));
	struct stmt *s = target && value ? stmt_new(d->a, STMT_SET_VALUE) : NULL;

	if (!s)
		return DEC_NOMEM;
	s->set_value.target = target;
	s->set_value.value = dec_retype(d, value, target->dtype, target->order);
	s->set_value.csum_flags = csum_flags;
	return s->set_value.value ? dec_add(d, s) : DEC_NOMEM;
}

/* "(load & mask) | value", or a part of that, written back to where it was loaded from. */
struct rewrite {
	const struct expr *and, *or;
};

static bool is_rewrite(const struct expr *target, const struct expr *v, struct rewrite *ret)
{
	*ret = (struct rewrite){ .and = NULL };
	if (v->kind == EXPR_BINOP && v->binop.op == BINOP_OR && v->binop.right->kind == EXPR_VALUE) {
		ret->or = v->binop.right;
		v = v->binop.left;
	}
	if (v->kind == EXPR_BINOP && v->binop.op == BINOP_AND && v->binop.right->kind == EXPR_VALUE) {
		ret->and = v->binop.right;
		v = v->binop.left;
	}
	return v->kind == EXPR_PAYLOAD && (ret->and || ret->or) && v->bits == target->bits &&
	       v->payload.base == target->payload.base && v->payload.offset == target->payload.offset &&
	       target->bits <= 128 && (!ret->and || ret->and->bits == target->bits) &&
	       (!ret->or || ret->or->bits == target->bits);
}

/*
 * Fields of a few bits, and single bytes that lie in a checksummed header, are set by loading more,
 * changing the bits and writing all back. The bits that may change tell the field.
 */
static enum dec_result set_subfield(struct dec *d, struct expr *target, uint32_t sreg, unsigned len,
				    uint32_t csum_flags)
{
	struct expr *v = dec_reg(d, sreg, len), *field, *mask;
	uint8_t changed[16] = "";
	struct rewrite rw;
	struct stmt *s;

	if (!v)
		return DEC_NOMEM;
	if (!is_rewrite(target, v, &rw))
		return DEC_OPAQUE;
	for (unsigned i = 0; i < len; i++)
		changed[i] = (uint8_t)((rw.and ? ~rw.and->value[i] : 0) | (rw.or ? rw.or->value[i] : 0));
	mask = expr_bytes(d->a, DT_INTEGER, ORDER_NET, changed, len * 8);
	field = mask ? dec_subfield_value(d, target, mask, rw.or, &v) : NULL;
	if (!field)
		return DEC_OPAQUE;
	s = stmt_new(d->a, STMT_SET_VALUE);
	if (!s)
		return DEC_NOMEM;
	s->set_value = (struct stmt_set_value){ .target = field, .value = v, .csum_flags = csum_flags };
	return dec_add(d, s);
}

static enum dec_result do_payload(struct dec *d, const struct attrs *at)
{
	enum dec_result ret;
	uint32_t base = attr_be32(at->a[NFTA_PAYLOAD_BASE]);
	uint32_t offset = attr_be32(at->a[NFTA_PAYLOAD_OFFSET]), len = attr_be32(at->a[NFTA_PAYLOAD_LEN]);
	struct expr *x;

	if (base > NFT_PAYLOAD_INNER_HEADER || len == 0 || len > 64 || offset > 4096)
		return DEC_OPAQUE;
	x = expr_payload(d->a, (uint8_t)base, offset * 8, len * 8, NULL);
	if (at->a[NFTA_PAYLOAD_DREG])
		return dec_reg_set(d, attr_be32(at->a[NFTA_PAYLOAD_DREG]), x);
	if (!x)
		return DEC_NOMEM;
	ret = set_subfield(d, x, attr_be32(at->a[NFTA_PAYLOAD_SREG]), len,
			   attr_be32(at->a[NFTA_PAYLOAD_CSUM_FLAGS]));
	if (ret != DEC_OPAQUE)
		return ret;
	return add_set(d, dec_resolve(d, x), attr_be32(at->a[NFTA_PAYLOAD_SREG]), len,
		       attr_be32(at->a[NFTA_PAYLOAD_CSUM_FLAGS]));
}

static enum dec_result do_meta(struct dec *d, const struct attrs *at)
{
	struct expr *x = expr_meta(d->a, attr_be32(at->a[NFTA_META_KEY]));

	if (!x)
		return DEC_NOMEM;
	if (header_meta_type(x->meta_key)->name[0] == '?')
		return DEC_OPAQUE;
	if (at->a[NFTA_META_DREG])
		return dec_reg_set(d, attr_be32(at->a[NFTA_META_DREG]), x);
	return add_set(d, x, attr_be32(at->a[NFTA_META_SREG]), x->bits / 8u, 0);
}

static enum dec_result do_ct(struct dec *d, const struct attrs *at)
{
	int dir = at->a[NFTA_CT_DIRECTION] ? attr_u8(at->a[NFTA_CT_DIRECTION]) : -1;
	struct expr *x = expr_ct(d->a, attr_be32(at->a[NFTA_CT_KEY]), dir);

	if (!x)
		return DEC_NOMEM;
	if (header_ct_type(x->ct.key)->name[0] == '?' || dir > 1)
		return DEC_OPAQUE;
	if ((x->ct.key == NFT_CT_SRC || x->ct.key == NFT_CT_DST) && d->family == NFPROTO_IPV4) {
		x->dtype = DT_IPV4;
		x->bits = 32;
	} else if (x->ct.key == NFT_CT_SRC || x->ct.key == NFT_CT_DST) {
		x->dtype = DT_IPV6;
		x->bits = 128;
	}
	if (at->a[NFTA_CT_DREG])
		return dec_reg_set(d, attr_be32(at->a[NFTA_CT_DREG]), x);
	return add_set(d, x, attr_be32(at->a[NFTA_CT_SREG]), x->bits / 8u, 0);
}

struct expr *dec_new_rt(struct arena *a, uint32_t key)
{
	static const struct { enum dtype dtype; enum byteorder order; uint8_t bits; } types[] = {
		[NFT_RT_CLASSID] = { DT_REALM, ORDER_HOST, 32 },
		[NFT_RT_NEXTHOP4] = { DT_IPV4, ORDER_NET, 32 },
		[NFT_RT_NEXTHOP6] = { DT_IPV6, ORDER_NET, 128 },
		[NFT_RT_TCPMSS] = { DT_INTEGER, ORDER_HOST, 16 },
		[NFT_RT_XFRM] = { DT_BOOLEAN, ORDER_HOST, 8 },
	};
	struct expr *x;

	if (key >= sizeof(types) / sizeof(types[0]))
		return dec_opaque(a, "rt", "unknown key");
	x = expr_new(a, EXPR_RT, types[key].dtype, types[key].order, types[key].bits);
	if (x)
		x->rt_key = key;
	return x;
}

struct expr *dec_new_socket(struct arena *a, uint32_t key, uint32_t level)
{
	static const struct { enum dtype dtype; uint8_t bits; } types[] = {
		[NFT_SOCKET_TRANSPARENT] = { DT_INTEGER, 8 },
		[NFT_SOCKET_MARK] = { DT_MARK, 32 },
		[NFT_SOCKET_WILDCARD] = { DT_INTEGER, 8 },
		[NFT_SOCKET_CGROUPV2] = { DT_CGROUPV2, 64 },
	};
	struct expr *x;

	if (key >= sizeof(types) / sizeof(types[0]))
		return dec_opaque(a, "socket", "unknown key");
	x = expr_new(a, EXPR_SOCKET, types[key].dtype, ORDER_HOST, types[key].bits);
	if (x) {
		x->socket.key = key;
		x->socket.level = level;
	}
	return x;
}

struct expr *dec_new_fib(struct arena *a, uint32_t result, uint32_t flags)
{
	bool present = flags & NFTA_FIB_F_PRESENT;
	struct expr *x;

	if (result == 0 || result > NFT_FIB_RESULT_ADDRTYPE || flags > 0x3f)
		return dec_opaque(a, "fib", "unknown result or flags");
	if (result == NFT_FIB_RESULT_OIF)
		x = expr_new(a, EXPR_FIB, present ? DT_BOOLEAN : DT_IFINDEX, ORDER_HOST, present ? 8 : 32);
	else if (result == NFT_FIB_RESULT_OIFNAME)
		x = expr_new(a, EXPR_FIB, present ? DT_BOOLEAN : DT_IFNAME, ORDER_HOST, present ? 8 : 128);
	else
		x = expr_new(a, EXPR_FIB, DT_FIB_ADDRTYPE, ORDER_HOST, 32);
	if (x) {
		x->fib.result = result;
		x->fib.flags = flags;
	}
	return x;
}

struct expr *dec_new_osf(struct arena *a, uint8_t ttl, uint32_t flags)
{
	struct expr *x = expr_new(a, EXPR_OSF, DT_STRING, ORDER_HOST, 128);

	if (x) {
		x->osf.ttl = ttl;
		x->osf.flags = flags;
	}
	return x;
}

struct expr *dec_new_numgen(struct arena *a, uint32_t type, uint32_t modulus, uint32_t offset)
{
	struct expr *x;

	if (type > NFT_NG_RANDOM)
		return dec_opaque(a, "numgen", "unknown type");
	x = expr_new(a, EXPR_NUMGEN, DT_INTEGER, ORDER_HOST, 32);
	if (x) {
		x->numgen.type = type;
		x->numgen.modulus = modulus;
		x->numgen.offset = offset;
	}
	return x;
}

/* A load whose kind is not known makes the instruction opaque. */
static enum dec_result load(struct dec *d, const struct nlattr *dreg, struct expr *x)
{
	return x && x->kind == EXPR_OPAQUE ? DEC_OPAQUE : dec_reg_set(d, attr_be32(dreg), x);
}

static enum dec_result do_rt(struct dec *d, const struct attrs *at)
{
	return load(d, at->a[NFTA_RT_DREG], dec_new_rt(d->a, attr_be32(at->a[NFTA_RT_KEY])));
}

static enum dec_result do_socket(struct dec *d, const struct attrs *at)
{
	return load(d, at->a[NFTA_SOCKET_DREG], dec_new_socket(d->a, attr_be32(at->a[NFTA_SOCKET_KEY]),
							       attr_be32(at->a[NFTA_SOCKET_LEVEL])));
}

static enum dec_result do_fib(struct dec *d, const struct attrs *at)
{
	return load(d, at->a[NFTA_FIB_DREG], dec_new_fib(d->a, attr_be32(at->a[NFTA_FIB_RESULT]),
							 attr_be32(at->a[NFTA_FIB_FLAGS])));
}

static enum dec_result do_osf(struct dec *d, const struct attrs *at)
{
	return load(d, at->a[NFTA_OSF_DREG],
		    dec_new_osf(d->a, attr_u8(at->a[NFTA_OSF_TTL]), attr_be32(at->a[NFTA_OSF_FLAGS])));
}

static enum dec_result do_numgen(struct dec *d, const struct attrs *at)
{
	return load(d, at->a[NFTA_NG_DREG],
		    dec_new_numgen(d->a, attr_be32(at->a[NFTA_NG_TYPE]), attr_be32(at->a[NFTA_NG_MODULUS]),
				   attr_be32(at->a[NFTA_NG_OFFSET])));
}

static enum dec_result do_hash(struct dec *d, const struct attrs *at)
{
	uint32_t type = attr_be32(at->a[NFTA_HASH_TYPE]), len = attr_be32(at->a[NFTA_HASH_LEN]);
	struct expr *x;

	if (type > NFT_HASH_SYM || len > 64)
		return DEC_OPAQUE;
	x = expr_new(d->a, EXPR_HASH, DT_INTEGER, ORDER_HOST, 32);
	if (!x)
		return DEC_NOMEM;
	x->hash.type = type;
	x->hash.modulus = attr_be32(at->a[NFTA_HASH_MODULUS]);
	x->hash.seed = attr_be32(at->a[NFTA_HASH_SEED]);
	x->hash.offset = attr_be32(at->a[NFTA_HASH_OFFSET]);
	x->hash.has_seed = at->a[NFTA_HASH_SEED] != NULL;
	if (type == NFT_HASH_JENKINS) {
		x->hash.src = dec_reg(d, attr_be32(at->a[NFTA_HASH_SREG]), len);
		if (!x->hash.src)
			return DEC_NOMEM;
	}
	return dec_reg_set(d, attr_be32(at->a[NFTA_HASH_DREG]), x);
}

struct expr *dec_new_xfrm(struct arena *a, uint32_t key, uint8_t dir, uint32_t spnum)
{
	static const struct { enum dtype dtype; enum byteorder order; uint8_t bits; } types[] = {
		[NFT_XFRM_KEY_DADDR_IP4] = { DT_IPV4, ORDER_NET, 32 },
		[NFT_XFRM_KEY_DADDR_IP6] = { DT_IPV6, ORDER_NET, 128 },
		[NFT_XFRM_KEY_SADDR_IP4] = { DT_IPV4, ORDER_NET, 32 },
		[NFT_XFRM_KEY_SADDR_IP6] = { DT_IPV6, ORDER_NET, 128 },
		[NFT_XFRM_KEY_REQID] = { DT_INTEGER, ORDER_HOST, 32 },
		[NFT_XFRM_KEY_SPI] = { DT_INTEGER, ORDER_NET, 32 },
	};
	struct expr *x;

	if (key == 0 || key >= sizeof(types) / sizeof(types[0]))
		return dec_opaque(a, "xfrm", "unknown key");
	x = expr_new(a, EXPR_XFRM, types[key].dtype, types[key].order, types[key].bits);
	if (x) {
		x->xfrm.key = key;
		x->xfrm.dir = dir;
		x->xfrm.spnum = spnum;
	}
	return x;
}

static enum dec_result do_xfrm(struct dec *d, const struct attrs *at)
{
	struct expr *x = dec_new_xfrm(d->a, attr_be32(at->a[NFTA_XFRM_KEY]), attr_u8(at->a[NFTA_XFRM_DIR]),
				      attr_be32(at->a[NFTA_XFRM_SPNUM]));

	if (x && x->kind == EXPR_OPAQUE)
		return DEC_OPAQUE;
	return dec_reg_set(d, attr_be32(at->a[NFTA_XFRM_DREG]), x);
}

static enum dec_result do_tunnel(struct dec *d, const struct attrs *at)
{
	uint32_t key = attr_be32(at->a[NFTA_TUNNEL_KEY]);
	struct expr *x;

	if (key > NFT_TUNNEL_ID)
		return DEC_OPAQUE;
	x = expr_new(d->a, EXPR_TUNNEL, key == NFT_TUNNEL_PATH ? DT_BOOLEAN : DT_INTEGER, ORDER_HOST,
		     key == NFT_TUNNEL_PATH ? 8 : 32);
	if (x) {
		x->tunnel.key = key;
		x->tunnel.mode = attr_be32(at->a[NFTA_TUNNEL_MODE]);
	}
	return dec_reg_set(d, attr_be32(at->a[NFTA_TUNNEL_DREG]), x);
}

static void exthdr_names(struct expr *x)
{
	const struct exthdr_field *f = exthdr_field_at(x->exthdr.op, x->exthdr.type, x->exthdr.offset,
						       x->bits);
	const char *name = exthdr_name(x->exthdr.op, x->exthdr.type);

	if (x->exthdr.present) {
		x->dtype = DT_BOOLEAN;
		x->exthdr.name = name;
	} else if (f) {
		x->exthdr.name = f->name ? f->name : name;
		x->exthdr.field = f->field;
		x->dtype = (uint8_t)f->dtype;
	}
}

static enum dec_result do_exthdr(struct dec *d, const struct attrs *at)
{
	uint32_t op = attr_be32(at->a[NFTA_EXTHDR_OP]), len = attr_be32(at->a[NFTA_EXTHDR_LEN]);
	uint32_t flags = attr_be32(at->a[NFTA_EXTHDR_FLAGS]);
	struct stmt *s;
	struct expr *x;

	if (op > NFT_EXTHDR_OP_DCCP || len > 64 || flags > NFT_EXTHDR_F_PRESENT)
		return DEC_OPAQUE;
	x = expr_new(d->a, EXPR_EXTHDR, DT_INTEGER, ORDER_NET, len * 8);
	if (!x)
		return DEC_NOMEM;
	x->exthdr.op = (uint8_t)op;
	x->exthdr.type = attr_u8(at->a[NFTA_EXTHDR_TYPE]);
	x->exthdr.offset = (uint16_t)(attr_be32(at->a[NFTA_EXTHDR_OFFSET]) * 8);
	x->exthdr.present = flags & NFT_EXTHDR_F_PRESENT;
	exthdr_names(x);
	if (at->a[NFTA_EXTHDR_DREG])
		return dec_reg_set(d, attr_be32(at->a[NFTA_EXTHDR_DREG]), x);
	if (at->a[NFTA_EXTHDR_SREG])
		return add_set(d, x, attr_be32(at->a[NFTA_EXTHDR_SREG]), len, 0);
	x->exthdr.name = exthdr_name(x->exthdr.op, x->exthdr.type);
	s = stmt_new(d->a, STMT_EXTHDR_RESET);
	if (s)
		s->exthdr_reset = x;
	return dec_add(d, s);
}

const struct dec_expr dec_expr_load[] = {
	{ "payload", NFTA_PAYLOAD_CSUM_FLAGS, do_payload, false },
	{ "meta", NFTA_META_SREG, do_meta, false },
	{ "ct", NFTA_CT_SREG, do_ct, false },
	{ "rt", NFTA_RT_KEY, do_rt, false },
	{ "socket", NFTA_SOCKET_LEVEL, do_socket, false },
	{ "fib", NFTA_FIB_FLAGS, do_fib, false },
	{ "osf", NFTA_OSF_FLAGS, do_osf, false },
	{ "numgen", NFTA_NG_OFFSET, do_numgen, false },
	{ "hash", NFTA_HASH_SET_ID, do_hash, false },
	{ "xfrm", NFTA_XFRM_SPNUM, do_xfrm, false },
	{ "tunnel", NFTA_TUNNEL_MODE, do_tunnel, false },
	{ "exthdr", NFTA_EXTHDR_SREG, do_exthdr, false },
	{ NULL, 0, NULL, false },
};
