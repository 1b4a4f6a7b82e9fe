/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat - -j DNAT, SNAT in all revisions, and what the other translating targets share */
#include "nsutil/xt/target/nat.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <sys/socket.h>

#include "nsutil/base/addr.h"
#include "nsutil/xt/lower.h"

/* Which structure a codec has follows from its size. */
static bool is_compat4(const struct xt_codec *c)
{
	return c->size == sizeof(struct nf_nat_ipv4_multi_range_compat);
}

void xt_nat_get(const struct xt_ext *x, struct nf_nat_range2 *r)
{
	const struct nf_nat_ipv4_range *v4 = &xt_data(nf_nat_ipv4_multi_range_compat, x)->range[0];

	memset(r, 0, sizeof(*r));
	if (!is_compat4(x->codec)) {
		memcpy(r, x->data, x->codec->size);
		return;
	}
	r->flags = v4->flags;
	r->min_addr.ip = v4->min_ip;
	r->max_addr.ip = v4->max_ip;
	r->min_proto = v4->min;
	r->max_proto = v4->max;
}

void xt_nat_put(const struct xt_codec *c, uint8_t *data, const struct nf_nat_range2 *r)
{
	struct nf_nat_ipv4_multi_range_compat *m = (struct nf_nat_ipv4_multi_range_compat *)data;

	if (!is_compat4(c)) {
		memcpy(data, r, c->size);
		return;
	}
	m->rangesize = 1;
	m->range[0] = (struct nf_nat_ipv4_range){
		.flags = r->flags,
		.min_ip = r->min_addr.ip,
		.max_ip = r->max_addr.ip,
		.min = r->min_proto,
		.max = r->max_proto,
	};
}

void xt_nat_init4(uint8_t *data, uint8_t family)
{
	(void)family;
	((struct nf_nat_ipv4_multi_range_compat *)data)->rangesize = 1;
}

static void get_parsed(const struct xt_parse *p, struct nf_nat_range2 *r)
{
	struct xt_ext x = { .codec = p->codec, .data = p->data, .size = p->codec->size };

	xt_nat_get(&x, r);
}

/* ports */

void xt_nat_ports_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	struct nf_nat_range2 r;

	(void)o;
	xt_nat_get(x, &r);
	buf_fmt(b, " %u", be16toh(r.min_proto.all));
	if (r.max_proto.all != r.min_proto.all)
		buf_fmt(b, "-%u", be16toh(r.max_proto.all));
}

static void ports_value(const struct nf_nat_range2 *r, struct json *j, const char *key)
{
	uint16_t from = be16toh(r->min_proto.all), to = be16toh(r->max_proto.all);

	if (from == to) {
		json_uint(j, key, from);
		return;
	}
	json_begin_object(j, key);
	json_begin_array(j, "range");
	json_uint(j, NULL, from);
	json_uint(j, NULL, to);
	json_end_array(j);
	json_end_object(j);
}

void xt_nat_ports_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	struct nf_nat_range2 r;

	(void)o;
	xt_nat_get(x, &r);
	ports_value(&r, j, key);
}

/* "P", "P-Q", and "P-Q/BASE" */
static int parse_ports(struct xt_parse *p, const char *text, struct nf_nat_range2 *r, struct err *e)
{
	uint64_t from, to, base;
	const char *rest;

	if (xt_number_upto(p, text, "-/", UINT16_MAX, &from, &rest, e) < 0)
		return -1;
	to = from;
	if (*rest == '-' && xt_number_upto(p, rest + 1, "/", UINT16_MAX, &to, &rest, e) < 0)
		return -1;
	if (from > to)
		return xt_bad(p, e, "port %u is more than %u", (unsigned)from, (unsigned)to);
	if (*rest == '/') {
		/* SNAT's revisions have the flag but no room for the number, which the tool then prints as 0 */
		if (xt_number(p, rest + 1, 0, UINT16_MAX, &base, e) < 0)
			return -1;
		r->flags |= NF_NAT_RANGE_PROTO_OFFSET;
		r->base_proto.all = htobe16((uint16_t)base);
	}
	r->flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
	r->min_proto.all = htobe16((uint16_t)from);
	r->max_proto.all = htobe16((uint16_t)to);
	return 0;
}

int xt_nat_ports_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct nf_nat_range2 r;

	(void)o;
	get_parsed(p, &r);
	if (parse_ports(p, p->args[0], &r, e) < 0)
		return -1;
	xt_nat_put(p->codec, p->data, &r);
	return 0;
}

/* addresses with ports */

static void addr_text(const struct xt_ext *x, const union nf_inet_addr *in, char text[ADDR_TEXT])
{
	struct addr a = addr_from(x->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET, in);

	addr_fmt(&a, text);
}

static void to_text(const struct xt_ext *x, const struct nf_nat_range2 *r, struct buf *b)
{
	bool ports = r->flags & NF_NAT_RANGE_PROTO_SPECIFIED;
	bool brackets = ports && x->family == NFPROTO_IPV6;
	char text[ADDR_TEXT];

	if (r->flags & NF_NAT_RANGE_MAP_IPS) {
		addr_text(x, &r->min_addr, text);
		buf_fmt(b, brackets ? "[%s" : "%s", text);
		if (memcmp(&r->min_addr, &r->max_addr, x->family == NFPROTO_IPV6 ? 16 : 4) != 0) {
			addr_text(x, &r->max_addr, text);
			buf_fmt(b, "-%s", text);
		}
		if (brackets)
			buf_chr(b, ']');
	}
	if (!ports)
		return;
	buf_fmt(b, ":%u", be16toh(r->min_proto.all));
	if (r->min_proto.all != r->max_proto.all)
		buf_fmt(b, "-%u", be16toh(r->max_proto.all));
	if (r->flags & NF_NAT_RANGE_PROTO_OFFSET)
		buf_fmt(b, "/%u", be16toh(r->base_proto.all));
}

static bool to_absent(const struct xt_opt *o, const struct xt_ext *x)
{
	struct nf_nat_range2 r;

	(void)o;
	xt_nat_get(x, &r);
	return !(r.flags & (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED));
}

static void to_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	struct nf_nat_range2 r;

	(void)o;
	xt_nat_get(x, &r);
	buf_chr(b, ' ');
	to_text(x, &r, b);
}

static void to_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	struct nf_nat_range2 r;
	char text[ADDR_TEXT];

	(void)o;
	xt_nat_get(x, &r);
	json_begin_object(j, key);
	if (r.flags & NF_NAT_RANGE_MAP_IPS) {
		addr_text(x, &r.min_addr, text);
		json_str(j, "addr", text);
		if (memcmp(&r.min_addr, &r.max_addr, sizeof(r.min_addr)) != 0) {
			addr_text(x, &r.max_addr, text);
			json_str(j, "addr_max", text);
		}
	}
	if (r.flags & NF_NAT_RANGE_PROTO_SPECIFIED)
		ports_value(&r, j, "port");
	if (r.flags & NF_NAT_RANGE_PROTO_OFFSET)
		json_uint(j, "base", be16toh(r.base_proto.all));
	json_end_object(j);
}

static int nat_addr(struct xt_parse *p, char *text, union nf_inet_addr *ret, struct err *e)
{
	struct addr a;

	if (addr_parse(text, &a) < 0 || a.family != (p->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET))
		return xt_bad(p, e, "'%s' is not an IPv%c address", text, p->family == NFPROTO_IPV6 ? '6' : '4');
	memcpy(ret, a.b, addr_len(&a));
	return 0;
}

/* The colon before the ports: in IPv6 only behind a bracket, or at the very beginning. */
static char *ports_colon(const struct xt_parse *p, char *text)
{
	char *bracket = strrchr(text, ']');

	if (p->family != NFPROTO_IPV6)
		return strchr(text, ':');
	if (bracket)
		return strchr(bracket, ':');
	return *text == ':' && text[1] != ':' ? text : NULL;
}

/* "[a-b]", and "[a]-[b]" as older versions wrote it */
static void strip_brackets(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != '[' && *text != ']')
			*to++ = *text;
	*to = '\0';
}

static int to_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	char *text = arena_strdup(p->arena, p->args[0]), *colon, *dash;
	struct nf_nat_range2 r;

	(void)o;
	if (!text)
		return err_oom(e);
	get_parsed(p, &r);
	colon = ports_colon(p, text);
	if (colon) {
		if (parse_ports(p, colon + 1, &r, e) < 0)
			return -1;
		*colon = '\0';
	}
	if (*text) {
		strip_brackets(text);
		dash = strchr(text, '-');
		if (dash)
			*dash++ = '\0';
		if (nat_addr(p, text, &r.min_addr, e) < 0 || nat_addr(p, dash ? dash : text, &r.max_addr, e) < 0)
			return -1;
		r.flags |= NF_NAT_RANGE_MAP_IPS;
	}
	xt_nat_put(p->codec, p->data, &r);
	return 0;
}

static int to_final(struct xt_parse *p, struct err *e)
{
	struct nf_nat_range2 r;

	get_parsed(p, &r);
	if (r.flags & (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED))
		return 0;
	p->opt = p->codec->opts[0].name;
	return xt_bad(p, e, "it is needed");
}

static const struct xt_type to_range = { 1, to_absent, to_save, to_json, to_parse, NULL };

#define DNAT_OPTS(s, m)                                                                                    \
	{ "to-destination", NULL, &to_range, .off = 0 },                                                   \
		{ "random", NULL, &xt_flag, XT_SET(s, m, NF_NAT_RANGE_PROTO_RANDOM) },                     \
		{ "persistent", NULL, &xt_flag, XT_SET(s, m, NF_NAT_RANGE_PERSISTENT) }, XT_END
#define SNAT_OPTS(s, m)                                                                                    \
	{ "to-source", NULL, &to_range, .off = 0 },                                                        \
		{ "random", NULL, &xt_flag, XT_SET(s, m, NF_NAT_RANGE_PROTO_RANDOM) },                     \
		XT_NAT_FULLY(s, m),                                                                        \
		{ "persistent", NULL, &xt_flag, XT_SET(s, m, NF_NAT_RANGE_PERSISTENT) }, XT_END

static const struct xt_opt dnat0[] = { DNAT_OPTS(nf_nat_ipv4_multi_range_compat, range[0].flags) };
static const struct xt_opt dnat2[] = { DNAT_OPTS(nf_nat_range2, flags) };
static const struct xt_opt snat0[] = { SNAT_OPTS(nf_nat_ipv4_multi_range_compat, range[0].flags) };
static const struct xt_opt snat1[] = { SNAT_OPTS(nf_nat_range, flags) };

/* meaning */

static struct expr *nat_port(struct xt_low *l, uint16_t be)
{
	return expr_be16(l->a, DT_SERVICE, be16toh(be));
}

void xt_nat_lower(struct xt_low *l, const struct xt_ext *x, enum nat_kind kind)
{
	struct stmt *s = stmt_new(l->a, STMT_NAT);
	struct nf_nat_range2 r;

	low_add(l, s);
	if (!s)
		return;
	xt_nat_get(x, &r);
	s->nat = (struct stmt_nat){ .kind = kind, .flags = r.flags, .family = x->family };
	if (r.flags & NF_NAT_RANGE_MAP_IPS) {
		s->nat.addr = low_addr_value(l, &r.min_addr);
		if (memcmp(&r.min_addr, &r.max_addr, x->family == NFPROTO_IPV6 ? 16 : 4) != 0)
			s->nat.addr_max = low_addr_value(l, &r.max_addr);
	}
	if (r.flags & NF_NAT_RANGE_PROTO_SPECIFIED) {
		s->nat.port = nat_port(l, r.min_proto.all);
		if (r.min_proto.all != r.max_proto.all)
			s->nat.port_max = nat_port(l, r.max_proto.all);
	}
	if (r.flags & NF_NAT_RANGE_PROTO_OFFSET)
		s->nat.base_port = be16toh(r.base_proto.all);
}

static void dnat_lower(struct xt_low *l, const struct xt_ext *x)
{
	xt_nat_lower(l, x, NAT_DNAT);
}

static void snat_lower(struct xt_low *l, const struct xt_ext *x)
{
	xt_nat_lower(l, x, NAT_SNAT);
}

#define DNAT .name = "DNAT", .target = true, .final = to_final, .lower = dnat_lower
#define SNAT .name = "SNAT", .target = true, .final = to_final, .lower = snat_lower

const struct xt_codec xt_target_DNAT_v0 = {
	DNAT, .family = NFPROTO_IPV4, .size = sizeof(struct nf_nat_ipv4_multi_range_compat), .opts = dnat0,
	.init = xt_nat_init4,
};
const struct xt_codec xt_target_DNAT_v1 = {
	DNAT, .rev = 1, .size = sizeof(struct nf_nat_range), .opts = dnat2,
};
const struct xt_codec xt_target_DNAT_v2 = {
	DNAT, .rev = 2, .size = sizeof(struct nf_nat_range2), .opts = dnat2,
};
const struct xt_codec xt_target_SNAT_v0 = {
	SNAT, .family = NFPROTO_IPV4, .size = sizeof(struct nf_nat_ipv4_multi_range_compat), .opts = snat0,
	.init = xt_nat_init4,
};
/* Kernels take revision 1 for IPv4 too, but iptables then does not know what it reads. */
const struct xt_codec xt_target_SNAT4_v1 = {
	SNAT, .rev = 1, .family = NFPROTO_IPV4, .size = sizeof(struct nf_nat_range), .opts = snat1,
	.kernel_only = true,
};
const struct xt_codec xt_target_SNAT6_v1 = {
	SNAT, .rev = 1, .family = NFPROTO_IPV6, .size = sizeof(struct nf_nat_range), .opts = snat1,
};
