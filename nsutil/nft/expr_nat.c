/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr_nat - instructions that change where a packet goes: nat, masq, redir, tproxy */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>

#include "nsutil/nft/proto.h"

static struct expr *reg_addr(struct dec *d, const struct nlattr *reg, uint8_t family)
{
	bool v6 = family == NFPROTO_IPV6;
	struct expr *x = dec_resolve(d, dec_reg(d, attr_be32(reg), v6 ? 16 : 4));

	return dec_retype(d, x, v6 ? DT_IPV6 : DT_IPV4, ORDER_NET);
}

static struct expr *reg_port(struct dec *d, const struct nlattr *reg)
{
	struct expr *x = dec_resolve(d, dec_reg(d, attr_be32(reg), 2));

	return dec_retype(d, x, DT_SERVICE, ORDER_NET);
}

/*
 * The upper end is often the same register, or the register of the lower end again. A map whose
 * data are address and port, or an interval, fills several registers at once: then only the lower
 * address names it.
 */
static enum dec_result nat_addrs(struct dec *d, struct stmt_nat *n, const struct nlattr *min,
				 const struct nlattr *max)
{
	if (min) {
		n->addr = reg_addr(d, min, n->family);
		if (!n->addr)
			return DEC_NOMEM;
	}
	if (min && max && attr_be32(min) != attr_be32(max) &&
	    !dec_reg_covered(d, attr_be32(max), attr_be32(min))) {
		n->addr_max = reg_addr(d, max, n->family);
		if (!n->addr_max)
			return DEC_NOMEM;
	}
	return DEC_OK;
}

static enum dec_result nat_ports(struct dec *d, struct stmt_nat *n, const struct nlattr *addr,
				 const struct nlattr *min, const struct nlattr *max)
{
	if (!min)
		return DEC_OK;
	if (addr && dec_reg_covered(d, attr_be32(min), attr_be32(addr)))
		return DEC_OK;
	dec_deps_forget(d); /* as nft does, before the port only */
	n->port = reg_port(d, min);
	if (!n->port)
		return DEC_NOMEM;
	if (max && attr_be32(min) != attr_be32(max) &&
	    !dec_reg_covered(d, attr_be32(max), attr_be32(min))) {
		n->port_max = reg_port(d, max);
		if (!n->port_max)
			return DEC_NOMEM;
	}
	return DEC_OK;
}

static enum dec_result do_nat(struct dec *d, const struct attrs *at)
{
	uint32_t type = attr_be32(at->a[NFTA_NAT_TYPE]);
	const struct nlattr *addr = at->a[NFTA_NAT_REG_ADDR_MIN];
	struct stmt *s = stmt_new(d->a, STMT_NAT);

	if (!s)
		return DEC_NOMEM;
	if (type > NFT_NAT_DNAT)
		return DEC_OPAQUE;
	s->nat.kind = type == NFT_NAT_SNAT ? NAT_SNAT : NAT_DNAT;
	s->nat.flags = attr_be32(at->a[NFTA_NAT_FLAGS]);
	s->nat.family = (uint8_t)attr_be32(at->a[NFTA_NAT_FAMILY]);
	if (nat_addrs(d, &s->nat, addr, at->a[NFTA_NAT_REG_ADDR_MAX]) != DEC_OK ||
	    nat_ports(d, &s->nat, addr, at->a[NFTA_NAT_REG_PROTO_MIN], at->a[NFTA_NAT_REG_PROTO_MAX]) !=
		    DEC_OK)
		return DEC_NOMEM;
	return dec_add(d, s);
}

static enum dec_result do_masq(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_NAT);

	if (!s)
		return DEC_NOMEM;
	s->nat.kind = NAT_MASQUERADE;
	s->nat.flags = attr_be32(at->a[NFTA_MASQ_FLAGS]);
	if (nat_ports(d, &s->nat, NULL, at->a[NFTA_MASQ_REG_PROTO_MIN], at->a[NFTA_MASQ_REG_PROTO_MAX]) !=
	    DEC_OK)
		return DEC_NOMEM;
	return dec_add(d, s);
}

static enum dec_result do_redir(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_NAT);

	if (!s)
		return DEC_NOMEM;
	s->nat.kind = NAT_REDIRECT;
	s->nat.flags = attr_be32(at->a[NFTA_REDIR_FLAGS]);
	if (nat_ports(d, &s->nat, NULL, at->a[NFTA_REDIR_REG_PROTO_MIN],
		      at->a[NFTA_REDIR_REG_PROTO_MAX]) != DEC_OK)
		return DEC_NOMEM;
	return dec_add(d, s);
}

static enum dec_result do_tproxy(struct dec *d, const struct attrs *at)
{
	struct stmt *s = stmt_new(d->a, STMT_TPROXY);

	if (!s)
		return DEC_NOMEM;
	s->tproxy.family = (uint8_t)attr_be32(at->a[NFTA_TPROXY_FAMILY]);
	if (at->a[NFTA_TPROXY_REG_ADDR]) {
		s->tproxy.addr = reg_addr(d, at->a[NFTA_TPROXY_REG_ADDR], s->tproxy.family);
		if (!s->tproxy.addr)
			return DEC_NOMEM;
	}
	if (at->a[NFTA_TPROXY_REG_PORT]) {
		dec_deps_forget(d);
		s->tproxy.port = reg_port(d, at->a[NFTA_TPROXY_REG_PORT]);
		if (!s->tproxy.port)
			return DEC_NOMEM;
	}
	return dec_add(d, s);
}

const struct dec_expr dec_expr_nat[] = {
	{ "nat", NFTA_NAT_FLAGS, do_nat, true },
	{ "masq", NFTA_MASQ_REG_PROTO_MAX, do_masq, true },
	{ "redir", NFTA_REDIR_FLAGS, do_redir, true },
	{ "tproxy", NFTA_TPROXY_REG_PORT, do_tproxy, true },
	{ NULL, 0, NULL, false },
};
