/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy - -m policy: the IPsec policy of the packet */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_policy.h>
#include <sys/socket.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#include "nsutil/base/addr.h"

static const struct xt_word protos[] = { { "ah", 51 }, { "esp", 50 }, { "ipcomp", 108 }, { NULL, 0 } };
static const struct xt_word modes[] = {
	{ "transport", XT_POLICY_MODE_TRANSPORT }, { "tunnel", XT_POLICY_MODE_TUNNEL }, { NULL, 0 },
};

static void put_addr(const struct xt_ext *x, struct buf *b, const union xt_policy_addr *addr,
		     const union xt_policy_addr *mask)
{
	unsigned n = x->family == NFPROTO_IPV6 ? 16 : 4;
	int len = addr_mask_len((const uint8_t *)mask, n);
	struct addr a = addr_from(n == 16 ? AF_INET6 : AF_INET, addr);
	struct addr m = addr_from(n == 16 ? AF_INET6 : AF_INET, mask);
	char text[ADDR_TEXT];

	buf_str(b, addr_fmt(&a, text));
	if (len < 0)
		buf_fmt(b, "/%s", addr_fmt(&m, text));
	else if ((unsigned)len < n * 8)
		buf_fmt(b, "/%d", len);
}

static void option(struct buf *b, bool invert, const char *name)
{
	buf_fmt(b, "%s --%s ", invert ? " !" : "", name);
}

static void put_elem(const struct xt_ext *x, const struct xt_policy_elem *el, struct buf *b)
{
	const char *name;

	if (el->match.reqid) {
		option(b, el->invert.reqid, "reqid");
		buf_uint(b, el->reqid);
	}
	if (el->match.spi) {
		option(b, el->invert.spi, "spi");
		buf_fmt(b, "0x%x", el->spi);
	}
	if (el->match.proto) {
		option(b, el->invert.proto, "proto");
		name = xt_word_name(protos, el->proto);
		name ? buf_str(b, name) : buf_uint(b, el->proto);
	}
	if (el->match.mode) {
		option(b, el->invert.mode, "mode");
		name = xt_word_name(modes, el->mode);
		buf_str(b, name ? name : "???");
	}
	if (el->match.daddr) {
		option(b, el->invert.daddr, "tunnel-dst");
		put_addr(x, b, &el->daddr, &el->dmask);
	}
	if (el->match.saddr) {
		option(b, el->invert.saddr, "tunnel-src");
		put_addr(x, b, &el->saddr, &el->smask);
	}
}

static unsigned elems(const struct xt_policy_info *p)
{
	return p->len <= XT_POLICY_MAX_ELEM ? p->len : XT_POLICY_MAX_ELEM;
}

static void policy_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_policy_info *p = xt_data(xt_policy_info, x);

	buf_fmt(b, " --dir %s --pol %s", p->flags & XT_POLICY_MATCH_IN ? "in" : "out",
		p->flags & XT_POLICY_MATCH_NONE ? "none" : "ipsec");
	if (p->flags & XT_POLICY_MATCH_STRICT)
		buf_str(b, " --strict");
	for (unsigned i = 0; i < elems(p); i++) {
		if (i)
			buf_str(b, " --next");
		put_elem(x, &p->pol[i], b);
	}
}

static void policy_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_policy_info *p = xt_data(xt_policy_info, x);

	json_str(j, "dir", p->flags & XT_POLICY_MATCH_IN ? "in" : "out");
	json_str(j, "pol", p->flags & XT_POLICY_MATCH_NONE ? "none" : "ipsec");
	json_bool(j, "strict", p->flags & XT_POLICY_MATCH_STRICT);
	json_begin_array(j, "elements");
	for (unsigned i = 0; i < elems(p); i++) {
		struct buf b _cleanup_buf_ = BUF_INIT;

		put_elem(x, &p->pol[i], &b);
		json_str(j, NULL, b.len ? b.data + 1 : "");
	}
	json_end_array(j);
}

static int one_addr(struct xt_parse *p, union xt_policy_addr *addr, union xt_policy_addr *mask, struct err *e)
{
	struct addr a;
	unsigned len;

	if (addr_parse_prefix(p->args[0], &a, &len) < 0 ||
	    a.family != (p->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET))
		return xt_bad(p, e, "'%s' is no address of this family", p->args[0]);
	memcpy(addr, a.b, addr_len(&a));
	memset(mask, 0, sizeof(*mask));
	for (unsigned i = 0; i < len; i++)
		((uint8_t *)mask)[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return 0;
}

/* What belongs to one element; 0: not such an option. */
static int elem_parse(struct xt_parse *p, struct xt_policy_elem *el, struct err *e)
{
	const struct xt_word *w;
	uint64_t v;

	if (strcmp(p->opt, "reqid") == 0 || strcmp(p->opt, "spi") == 0) {
		if (xt_number(p, p->args[0], 0, UINT32_MAX, &v, e) < 0)
			return -1;
		if (p->opt[0] == 'r') {
			el->reqid = (uint32_t)v;
			el->match.reqid = 1;
			el->invert.reqid = p->invert;
		} else {
			el->spi = (uint32_t)v;
			el->match.spi = 1;
			el->invert.spi = p->invert;
		}
		return 1;
	}
	if (strcmp(p->opt, "proto") == 0 || strcmp(p->opt, "mode") == 0) {
		w = xt_find_word(p->opt[0] == 'p' ? protos : modes, p->args[0], strlen(p->args[0]));
		if (!w)
			return xt_bad(p, e, "'%s' is not known", p->args[0]);
		if (p->opt[0] == 'p') {
			el->proto = (uint8_t)w->value;
			el->match.proto = 1;
			el->invert.proto = p->invert;
		} else {
			el->mode = (uint8_t)w->value;
			el->match.mode = 1;
			el->invert.mode = p->invert;
		}
		return 1;
	}
	if (strcmp(p->opt, "tunnel-src") == 0) {
		el->match.saddr = 1;
		el->invert.saddr = p->invert;
		return one_addr(p, &el->saddr, &el->smask, e) < 0 ? -1 : 1;
	}
	if (strcmp(p->opt, "tunnel-dst") == 0) {
		el->match.daddr = 1;
		el->invert.daddr = p->invert;
		return one_addr(p, &el->daddr, &el->dmask, e) < 0 ? -1 : 1;
	}
	return 0;
}

static int head_parse(struct xt_parse *p, struct xt_policy_info *i, struct err *e)
{
	if (strcmp(p->opt, "dir") == 0)
		i->flags |= strcmp(p->args[0], "in") == 0 ? XT_POLICY_MATCH_IN : XT_POLICY_MATCH_OUT;
	else if (strcmp(p->opt, "pol") == 0)
		i->flags |= strcmp(p->args[0], "none") == 0 ? XT_POLICY_MATCH_NONE : 0;
	else
		return i->len > XT_POLICY_MAX_ELEM ? -1 : elem_parse(p, &i->pol[i->len ? i->len - 1 : 0], e);
	return 1;
}

static int policy_parse(struct xt_parse *p, struct err *e)
{
	struct xt_policy_info *i = (struct xt_policy_info *)p->data;
	int r;

	if (strcmp(p->opt, "strict") == 0) {
		i->flags |= XT_POLICY_MATCH_STRICT;
		return 1;
	}
	if (strcmp(p->opt, "next") == 0) {
		if (i->len >= XT_POLICY_MAX_ELEM)
			return xt_bad(p, e, "at most %d elements", XT_POLICY_MAX_ELEM);
		i->len++;
		return 1;
	}
	if (!p->n_args)
		return 0;
	if (i->len == 0)
		i->len = 1;
	r = head_parse(p, i, e);
	p->used = r > 0;
	return r;
}

/* An element that nothing was said of does not count: "--dir in --pol none" has none. */
static int policy_final(struct xt_parse *p, struct err *e)
{
	struct xt_policy_info *i = (struct xt_policy_info *)p->data;
	static const struct xt_policy_spec none;

	(void)e;
	if (i->len == 1 && memcmp(&i->pol[0].match, &none, sizeof(none)) == 0 && i->flags & XT_POLICY_MATCH_NONE)
		i->len = 0;
	return 0;
}

/*
 * Without a property of an element what is asked is whether there is IPsec at all (xt_policy.c,
 * policy_mt(): the path the packet came by, or the one its route goes).
 */
static void policy_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_policy_info *p = xt_data(xt_policy_info, x);
	static const struct xt_policy_spec none;
	struct expr *left = expr_meta(l->a, NFT_META_SECPATH);

	for (unsigned i = 0; i < elems(p); i++)
		if (memcmp(&p->pol[i].match, &none, sizeof(none)) != 0)
			l->why = "the IPsec policy of the packet decides";
	if (p->flags & XT_POLICY_MATCH_STRICT)
		l->why = "the IPsec policy of the packet decides";
	if (!(p->flags & XT_POLICY_MATCH_IN)) {
		left = expr_new(l->a, EXPR_RT, DT_BOOLEAN, ORDER_HOST, 8);
		if (left)
			left->rt_key = NFT_RT_XFRM;
	}
	low_match(l, false, left, expr_u8(l->a, DT_BOOLEAN, !(p->flags & XT_POLICY_MATCH_NONE)));
}

const struct xt_codec xt_match_policy_v0 = {
	.name = "policy", .size = sizeof(struct xt_policy_info), .save = policy_save, .json = policy_json,
	.parse = policy_parse, .final = policy_final, .lower = policy_lower,
};
