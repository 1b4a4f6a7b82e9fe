/* SPDX-License-Identifier: GPL-2.0-or-later */
/* typeof - the expression that a set was declared with, as nft keeps it in the set's user data */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/udata.h"
#include "nsutil/ruleset/exthdr.h"

/* nft's numbers of expressions (its enum expr_types) that may stand behind "typeof". */
enum {
	X_PAYLOAD = 7, X_EXTHDR = 8, X_META = 9, X_SOCKET = 10, X_OSF = 11, X_CT = 12, X_CONCAT = 13,
	X_NUMGEN = 23, X_RT = 25, X_FIB = 26, X_XFRM = 27,
};

/* Inside: 0 is the expression's number, 1 its own data. */
enum { TYPEOF_EXPR, TYPEOF_DATA };

/* nft's numbers of protocols (its enum proto_desc_id). */
static const char *const protocols[] = {
	NULL, "ah", "esp", "comp", "icmp", "igmp", "udp", "udplite", "tcp", "dccp", "sctp", "th", "ip",
	"ip6", "icmpv6", "arp", "vlan", "ether",
};

/* nft has a name from before for one of its fields. */
static const char *const vlan_fields[] = { "pcp", "dei", "dei", "id", "type" };

/* nft's numbers of IPv6 extension headers (its enum exthdr_desc_id). */
static const struct {
	uint8_t type;
	const char *name;
} headers[] = {
	{ 0, NULL }, { 0, "hbh" }, { 43, "rt" }, { 43, "rt0" }, { 43, "rt2" }, { 43, "srh" }, { 44, "frag" },
	{ 60, "dst" }, { 135, "mh" },
};

/* The bytes of a header that have no name: base, offset and size in bits. */
static struct expr *typeof_raw(struct dec *d, const struct udata *u)
{
	uint32_t base = udata_u32(u, 2), offset = udata_u32(u, 3), bits = udata_u32(u, 4);

	if (base == 0 || base > 4 || offset > 32768 || bits == 0 || bits > 512)
		return NULL;
	return expr_payload(d->a, (uint8_t)(base - 1), offset, bits, NULL);
}

static struct expr *typeof_payload(struct dec *d, const struct udata *u)
{
	uint32_t proto = udata_u32(u, 0), field = udata_u32(u, 1);
	const struct hdr_field *f;

	if (proto == 0 && field == 0)
		return typeof_raw(d, u);
	if (proto == 0 || proto >= ARRAY_SIZE(protocols) || field == 0)
		return NULL;
	if (strcmp(protocols[proto], "vlan") == 0)
		f = field <= ARRAY_SIZE(vlan_fields) ? header_field("vlan", vlan_fields[field - 1]) : NULL;
	else
		f = header_field_nth(protocols[proto], field - 1);
	return f ? expr_payload(d->a, f->base, f->offset, f->bits, f) : NULL;
}

static struct expr *typeof_meta(struct dec *d, const struct udata *u)
{
	return header_meta_type(udata_u32(u, 0))->name[0] == '?' ? NULL : expr_meta(d->a, udata_u32(u, 0));
}

static struct expr *typeof_ct(struct dec *d, const struct udata *u)
{
	int dir = (int)udata_u32(u, 1);

	if (header_ct_type(udata_u32(u, 0))->name[0] == '?')
		return NULL;
	return expr_ct(d->a, udata_u32(u, 0), dir == 0 || dir == 1 ? dir : -1);
}

/* nft counts IPv6 headers' fields from 1, IP options' with others' in between, the rest from 0. */
static const struct exthdr_field *typeof_exthdr_field(uint32_t op, uint32_t desc, uint32_t nth)
{
	static const uint8_t ip_option[] = { 0, 0, 1, 2, 2, 3 };

	if (op == NFT_EXTHDR_OP_IPV6)
		return desc < ARRAY_SIZE(headers) && headers[desc].name && nth > 0
			       ? exthdr_field_nth((uint8_t)op, headers[desc].type, headers[desc].name, nth - 1)
			       : NULL;
	if (op == NFT_EXTHDR_OP_IPV4) {
		if (nth == 0 || nth >= ARRAY_SIZE(ip_option))
			return NULL;
		nth = ip_option[nth];
	}
	return op <= NFT_EXTHDR_OP_SCTP && desc < 256 ? exthdr_field_nth((uint8_t)op, (uint8_t)desc, NULL, nth) : NULL;
}

static struct expr *typeof_exthdr(struct dec *d, const struct udata *u)
{
	uint32_t op = udata_u32(u, 2), desc = udata_u32(u, 0);
	const struct exthdr_field *f = typeof_exthdr_field(op, desc, udata_u32(u, 1));
	struct expr *x = f ? expr_new(d->a, EXPR_EXTHDR, f->dtype, ORDER_NET, f->bits) : NULL;

	if (!x)
		return NULL;
	x->exthdr.op = f->op;
	x->exthdr.type = op == NFT_EXTHDR_OP_SCTP ? (uint8_t)desc : f->type;
	x->exthdr.offset = f->offset;
	x->exthdr.name = f->name ? f->name : exthdr_name(f->op, x->exthdr.type);
	x->exthdr.field = f->field;
	return x;
}

/* What a load makes, unless it is opaque. */
static struct expr *if_known(struct expr *x)
{
	return x && x->kind != EXPR_OPAQUE ? x : NULL;
}

#define PARTS_MAX 16
#define DEPTH_MAX 2

static struct expr *typeof_any(struct dec *d, const uint8_t *p, size_t len, unsigned depth);

/* The parts come in order, each in a nest of its own. */
static struct expr *typeof_concat(struct dec *d, const uint8_t *p, size_t len, unsigned depth)
{
	struct expr *parts[PARTS_MAX], *x;
	unsigned n = 0, bits = 0;

	while (len >= 2 && p[1] <= len - 2 && n < PARTS_MAX) {
		parts[n] = typeof_any(d, p + 2, p[1], depth + 1);
		if (!parts[n])
			return NULL;
		bits += (parts[n++]->bits + 31u) / 32u * 32u;
		len -= 2u + p[1];
		p += 2u + p[1];
	}
	x = n ? expr_new(d->a, EXPR_CONCAT, DT_INTEGER, ORDER_NET, bits) : NULL;
	if (!x)
		return NULL;
	x->concat.n = n;
	x->concat.parts = arena_dup(d->a, parts, n * sizeof(*parts));
	return x->concat.parts ? x : NULL;
}

static struct expr *typeof_any(struct dec *d, const uint8_t *p, size_t len, unsigned depth)
{
	struct udata top, u;

	udata_parse_bytes(p, len, &top);
	if (!top.value[TYPEOF_EXPR] || !top.value[TYPEOF_DATA] || depth > DEPTH_MAX)
		return NULL;
	udata_parse_bytes(top.value[TYPEOF_DATA], top.len[TYPEOF_DATA], &u);
	switch (udata_u32(&top, TYPEOF_EXPR)) {
	case X_PAYLOAD:
		return typeof_payload(d, &u);
	case X_META:
		return typeof_meta(d, &u);
	case X_CT:
		return typeof_ct(d, &u);
	case X_EXTHDR:
		return typeof_exthdr(d, &u);
	case X_SOCKET:
		return if_known(dec_new_socket(d->a, udata_u32(&u, 0), udata_u32(&u, 1)));
	case X_OSF:
		return dec_new_osf(d->a, 0, 0);
	case X_NUMGEN:
		return if_known(dec_new_numgen(d->a, udata_u32(&u, 0), udata_u32(&u, 1), udata_u32(&u, 2)));
	case X_RT:
		return if_known(dec_new_rt(d->a, udata_u32(&u, 0)));
	case X_FIB:
		return if_known(dec_new_fib(d->a, udata_u32(&u, 0), udata_u32(&u, 1)));
	case X_XFRM:
		return if_known(dec_new_xfrm(d->a, udata_u32(&u, 0), (uint8_t)udata_u32(&u, 2), udata_u32(&u, 1)));
	case X_CONCAT:
		return typeof_concat(d, top.value[TYPEOF_DATA], top.len[TYPEOF_DATA], depth);
	default:
		return NULL;
	}
}

struct expr *udata_typeof(struct dec *d, const struct udata *u, unsigned type)
{
	return u->value[type] ? typeof_any(d, u->value[type], u->len[type], 0) : NULL;
}
