/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object - named objects of a table: counters, quotas, limits, conntrack helpers ... */
#include "nsutil/nft/object.h"

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/udata.h"
#include "nsutil/ruleset/nft_print.h"

/* Objects that are statements with a name have the attributes of the statement. */
static const struct {
	uint32_t type;
	const char *expr;
} stmt_objects[] = {
	{ NFT_OBJECT_COUNTER, "counter" },   { NFT_OBJECT_QUOTA, "quota" },
	{ NFT_OBJECT_LIMIT, "limit" },	     { NFT_OBJECT_CONNLIMIT, "connlimit" },
	{ NFT_OBJECT_SYNPROXY, "synproxy" },
};

/* ---- kinds that are written by their parts ---- */

static const char *l4_name(uint8_t proto)
{
	switch (proto) {
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 33:
		return "dccp";
	case 132:
		return "sctp";
	case 136:
		return "udplite";
	default:
		return "unknown";
	}
}

/* A member of the content; NULL: memory ran out. */
static struct object_prop *prop(struct dec *d, struct object *o, const char *key)
{
	struct object_prop *p = arena_alloc(d->a, sizeof(*p)), **tail = &o->props;

	if (!p)
		return NULL;
	*p = (struct object_prop){ .key = key };
	while (*tail)
		tail = &(*tail)->next;
	*tail = p;
	return p;
}

static bool prop_str(struct dec *d, struct object *o, const char *key, const char *str)
{
	struct object_prop *p = prop(d, o, key);

	if (p)
		p->str = str ? str : "?";
	return p;
}

static bool prop_num(struct dec *d, struct object *o, const char *key, uint64_t num)
{
	struct object_prop *p = prop(d, o, key);

	if (p)
		p->num = num;
	return p;
}

static const char *ct_helper_text(struct dec *d, struct object *o, const struct nlattr *data)
{
	struct attrs at;
	const char *name;

	attr_nested(data, NFTA_CT_HELPER_MAX, &at);
	name = attr_str(d->a, at.a[NFTA_CT_HELPER_NAME]);
	if (!prop_str(d, o, "type", name) ||
	    !prop_str(d, o, "protocol", l4_name(attr_u8(at.a[NFTA_CT_HELPER_L4PROTO]))) ||
	    !prop_str(d, o, "l3proto", family_name((uint8_t)attr_be16(at.a[NFTA_CT_HELPER_L3PROTO]))))
		return NULL;
	return arena_printf(d->a, "\t\ttype \"%s\" protocol %s\n\t\tl3proto %s\n", name ? name : "?",
			    l4_name(attr_u8(at.a[NFTA_CT_HELPER_L4PROTO])),
			    family_name((uint8_t)attr_be16(at.a[NFTA_CT_HELPER_L3PROTO])));
}

/* States and their defaults (net/netfilter/nf_conntrack_proto_*.c); only what differs is written. */
struct timeout_state {
	const char *name;
	uint32_t secs;
};

static const struct timeout_state tcp_states[] = {
	{ NULL, 0 }, { "syn_sent", 120 }, { "syn_recv", 60 }, { "established", 432000 },
	{ "fin_wait", 120 }, { "close_wait", 60 }, { "last_ack", 30 }, { "time_wait", 120 },
	{ "close", 10 }, { "syn_sent2", 120 }, { "retrans", 300 }, { "unack", 300 },
};

static const struct timeout_state udp_states[] = { { "unreplied", 30 }, { "replied", 120 } };

static const char *ct_timeout_text(struct dec *d, struct object *o, const struct nlattr *data)
{
	const struct timeout_state *states;
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct object_prop *p;
	struct attrs at;
	unsigned n, any = 0;
	uint8_t proto;

	attr_nested(data, NFTA_CT_TIMEOUT_DATA, &at);
	proto = attr_u8(at.a[NFTA_CT_TIMEOUT_L4PROTO]);
	states = proto == 6 ? tcp_states : udp_states;
	n = proto == 6 ? ARRAY_SIZE(tcp_states) : proto == 17 ? ARRAY_SIZE(udp_states) : 0;
	buf_fmt(&b, "\t\tprotocol %s\n\t\tl3proto %s\n", l4_name(proto),
		family_name((uint8_t)attr_be16(at.a[NFTA_CT_TIMEOUT_L3PROTO])));
	if (!prop_str(d, o, "protocol", l4_name(proto)) ||
	    !prop_str(d, o, "l3proto", family_name((uint8_t)attr_be16(at.a[NFTA_CT_TIMEOUT_L3PROTO]))))
		return NULL;
	attr_nested(at.a[NFTA_CT_TIMEOUT_DATA], ATTR_MAX, &at);
	for (unsigned i = 0; i < n; i++) {
		const struct nlattr *a = at.a[i + (proto == 6 ? 0 : 1)];
		uint32_t secs = attr_be32(a);

		if (!states[i].name || !a || secs == states[i].secs)
			continue;
		p = prop(d, o, states[i].name);
		if (!p)
			return NULL;
		p->num = secs;
		p->policy = true;
		buf_fmt(&b, "%s%s : %u", any++ ? ", " : "\t\tpolicy = { ", states[i].name, secs);
	}
	if (any)
		buf_str(&b, " }\n");
	return arena_strdup(d->a, buf_cstr(&b));
}

static const char *ct_expect_text(struct dec *d, struct object *o, const struct nlattr *data)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct attrs at;

	attr_nested(data, NFTA_CT_EXPECT_SIZE, &at);
	if (!prop_str(d, o, "protocol", l4_name(attr_u8(at.a[NFTA_CT_EXPECT_L4PROTO]))) ||
	    !prop_num(d, o, "dport", attr_be16(at.a[NFTA_CT_EXPECT_DPORT])) ||
	    !prop_num(d, o, "timeout", be32toh(attr_be32(at.a[NFTA_CT_EXPECT_TIMEOUT]))) ||
	    !prop_num(d, o, "size", attr_u8(at.a[NFTA_CT_EXPECT_SIZE])) ||
	    !prop_str(d, o, "l3proto", family_name((uint8_t)attr_be16(at.a[NFTA_CT_EXPECT_L3PROTO]))))
		return NULL;
	buf_fmt(&b, "\t\tprotocol %s\n\t\tdport %u\n\t\ttimeout ",
		l4_name(attr_u8(at.a[NFTA_CT_EXPECT_L4PROTO])), attr_be16(at.a[NFTA_CT_EXPECT_DPORT]));
	nft_time_text(be32toh(attr_be32(at.a[NFTA_CT_EXPECT_TIMEOUT])) /* host order */, &b);
	buf_fmt(&b, "\n\t\tsize %u\n\t\tl3proto %s\n", attr_u8(at.a[NFTA_CT_EXPECT_SIZE]),
		family_name((uint8_t)attr_be16(at.a[NFTA_CT_EXPECT_L3PROTO])));
	return arena_strdup(d->a, buf_cstr(&b));
}

static const char *secmark_text(struct dec *d, struct object *o, const struct nlattr *data)
{
	struct attrs at;
	const char *ctx;

	attr_nested(data, NFTA_SECMARK_CTX, &at);
	ctx = attr_str(d->a, at.a[NFTA_SECMARK_CTX]);
	if (!prop_str(d, o, "context", ctx))
		return NULL;
	return arena_printf(d->a, "\t\t\"%s\"\n", ctx ? ctx : "?");
}

static const struct {
	uint32_t type;
	const char *(*fn)(struct dec *d, struct object *o, const struct nlattr *data);
} text_objects[] = {
	{ NFT_OBJECT_CT_HELPER, ct_helper_text }, { NFT_OBJECT_CT_TIMEOUT, ct_timeout_text },
	{ NFT_OBJECT_CT_EXPECT, ct_expect_text }, { NFT_OBJECT_SECMARK, secmark_text },
};

static int opaque_object(struct dec *d, struct object *o, const struct nlattr *data)
{
	o->stmt = stmt_new(d->a, STMT_OPAQUE);
	if (!o->stmt)
		return -1;
	o->stmt->opaque.name = "object";
	o->stmt->opaque.why = "unknown type of object";
	o->stmt->opaque.size = attr_len(data);
	o->stmt->opaque.data = attr_len(data) ? arena_dup(d->a, attr_data(data), attr_len(data)) : NULL;
	return 0;
}

int object_decode(struct dec *d, struct object *o, const struct attrs *at)
{
	struct udata u;

	o->handle = attr_be64(at->a[NFTA_OBJ_HANDLE]);
	o->type = attr_be32(at->a[NFTA_OBJ_TYPE]);
	udata_parse(at->a[NFTA_OBJ_USERDATA], &u);
	o->comment = udata_str(d->a, &u, UDATA_COMMENT);
	for (size_t i = 0; i < ARRAY_SIZE(stmt_objects); i++) {
		if (stmt_objects[i].type != o->type)
			continue;
		dec_begin(d, &o->stmt);
		return dec_expr_named(d, stmt_objects[i].expr, at->a[NFTA_OBJ_DATA]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(text_objects); i++)
		if (text_objects[i].type == o->type) {
			o->text = text_objects[i].fn(d, o, at->a[NFTA_OBJ_DATA]);
			return o->text ? 0 : -1;
		}
	return opaque_object(d, o, at->a[NFTA_OBJ_DATA]);
}
