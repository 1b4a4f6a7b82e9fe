/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netmap - -j NETMAP: one network onto another */
#include <endian.h>
#include <linux/netfilter.h>
#include <stdio.h>

#include "nsutil/base/addr.h"
#include "nsutil/xt/target/nat.h"
#include "nsutil/xt/lower.h"

/* The mask is where lowest and highest address do not differ. */
static void mask_of(const struct xt_ext *x, struct nf_nat_range2 *r, uint8_t mask[16])
{
	const uint8_t *lo, *hi;

	xt_nat_get(x, r);
	lo = (const uint8_t *)&r->min_addr;
	hi = (const uint8_t *)&r->max_addr;
	for (unsigned i = 0; i < 16; i++)
		mask[i] = (uint8_t)~(lo[i] ^ hi[i]);
}

static void net_text(const struct xt_ext *x, char *text, size_t room)
{
	unsigned n = x->family == NFPROTO_IPV6 ? 16 : 4;
	struct nf_nat_range2 r;
	char addr[ADDR_TEXT], full[ADDR_TEXT];
	uint8_t mask[16];
	struct addr a, m;
	int len;

	mask_of(x, &r, mask);
	a = addr_from(n == 16 ? 10 : 2, &r.min_addr);
	m = addr_from(n == 16 ? 10 : 2, mask);
	len = addr_mask_len(mask, n);
	if (len >= 0)
		snprintf(text, room, "%s/%d", addr_fmt(&a, addr), len);
	else
		snprintf(text, room, "%s/%s", addr_fmt(&a, addr), addr_fmt(&m, full));
}

static void net_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	char text[2 * ADDR_TEXT + 2];

	(void)o;
	net_text(x, text, sizeof(text));
	buf_chr(b, ' ');
	buf_str(b, text);
}

static void net_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	char text[2 * ADDR_TEXT + 2];

	(void)o;
	net_text(x, text, sizeof(text));
	json_str(j, key, text);
}

struct net {
	uint8_t addr[16], mask[16];
};

static int net_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	static const struct xt_opt at = { .off = offsetof(struct net, addr), .off2 = offsetof(struct net, mask) };
	struct nf_nat_range2 r = { .flags = NF_NAT_RANGE_MAP_IPS };
	struct net net = { .addr = { 0 } };
	struct xt_parse sub = *p;

	(void)o;
	sub.data = (uint8_t *)&net;
	if (xt_addr_mask.parse(&at, &sub, e) < 0)
		return -1;
	xt_mask_addr(net.addr, net.mask);
	for (unsigned i = 0; i < (p->family == NFPROTO_IPV6 ? 16u : 4u); i++) {
		((uint8_t *)&r.min_addr)[i] = net.addr[i];
		((uint8_t *)&r.max_addr)[i] = (uint8_t)(net.addr[i] | ~net.mask[i]);
	}
	xt_nat_put(p->codec, p->data, &r);
	return 0;
}

static const struct xt_type network = { 1, NULL, net_save, net_json, net_parse, NULL };

static const struct xt_opt netmap_opts[] = {
	{ "to", NULL, &network, .always = true },
	XT_END,
};

static void netmap_lower(struct xt_low *l, const struct xt_ext *x)
{
	xt_nat_lower(l, x, NAT_NETMAP);
}

const struct xt_codec xt_target_NETMAP4_v0 = {
	.name = "NETMAP", .family = NFPROTO_IPV4, .target = true, .opts = netmap_opts, .lower = netmap_lower,
	.size = sizeof(struct nf_nat_ipv4_multi_range_compat), .init = xt_nat_init4,
};
const struct xt_codec xt_target_NETMAP6_v0 = {
	.name = "NETMAP", .family = NFPROTO_IPV6, .target = true, .opts = netmap_opts, .lower = netmap_lower,
	.size = sizeof(struct nf_nat_range),
};
