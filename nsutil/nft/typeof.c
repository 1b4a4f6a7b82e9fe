/* SPDX-License-Identifier: GPL-2.0-or-later */
/* typeof - the expression that a set was declared with, as nft keeps it in the set's user data */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/udata.h"

/* nft's numbers of expressions (its enum expr_types) that may stand behind "typeof". */
enum { X_PAYLOAD = 7, X_META = 9, X_CT = 12, X_CONCAT = 13 };

/* Inside: 0 is the expression's number, 1 its own data. */
enum { TYPEOF_EXPR, TYPEOF_DATA };

/* nft's numbers of protocols (its enum proto_desc_id). */
static const char *const protocols[] = {
	NULL, "ah", "esp", "comp", "icmp", "igmp", "udp", "udplite", "tcp", "dccp", "sctp", "th", "ip",
	"ip6", "icmpv6", "arp", "vlan", "ether",
};

/* Where nft counts a protocol's fields in another order than the table of header fields. */
static const char *const igmp_fields[] = { "type", "checksum", "mrt", "group" };
static const char *const arp_fields[] = {
	"htype", "ptype", "hlen", "plen", "operation", "saddr ether", "daddr ether", "saddr ip", "daddr ip",
};

static struct expr *typeof_payload(struct dec *d, const struct udata *u)
{
	uint32_t proto = udata_u32(u, 0), field = udata_u32(u, 1);
	const struct hdr_field *f;

	if (proto == 0 || proto >= ARRAY_SIZE(protocols) || field == 0)
		return NULL;
	if (strcmp(protocols[proto], "igmp") == 0)
		f = field <= ARRAY_SIZE(igmp_fields) ? header_field("igmp", igmp_fields[field - 1]) : NULL;
	else if (strcmp(protocols[proto], "arp") == 0)
		f = field <= ARRAY_SIZE(arp_fields) ? header_field("arp", arp_fields[field - 1]) : NULL;
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
