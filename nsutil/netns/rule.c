/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule - policy routing rules from rtnetlink messages */
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/netns/parts.h"
#include "nsutil/netns/rtnl.h"

static void parse_ports(const struct nv_attrs *a, unsigned type, uint16_t *from, uint16_t *to)
{
	struct fib_rule_port_range range;

	if (!nv_attr_copy(a, type, &range, sizeof(range)))
		return;
	*from = range.start;
	*to = range.end;
}

static void parse_uids(const struct nv_attrs *a, struct nv_rule *r)
{
	struct fib_rule_uid_range range = { 0, UINT32_MAX };

	nv_attr_copy(a, FRA_UID_RANGE, &range, sizeof(range));
	r->uid_from = range.start;
	r->uid_to = range.end;
}

/* The six bits stand above those of ECN. */
static void parse_dscp(const struct nv_attrs *a, struct nv_rule *r)
{
	uint8_t mask = 63;

	if (!nv_attr_u8(a, NV_FRA_DSCP, &r->dscp))
		return;
	nv_attr_u8(a, NV_FRA_DSCP_MASK, &mask);
	r->dscp = (uint8_t)(r->dscp << 2);
	r->dscp_mask = (uint8_t)(mask << 2);
}

/* fib_nl2rule_port_mask(): a range of one port has the mask that says so */
static bool masks_ports(const struct nv_attrs *a, unsigned type)
{
	uint16_t mask;

	return nv_attr_copy(a, type, &mask, sizeof(mask)) && mask != UINT16_MAX;
}

static void parse_selectors(const struct nv_attrs *a, struct nv_rule *r)
{
	nv_attr_addr(a, FRA_SRC, r->family, &r->src);
	nv_attr_addr(a, FRA_DST, r->family, &r->dst);
	nv_attr_name(a, FRA_IIFNAME, r->iif, sizeof(r->iif));
	nv_attr_name(a, FRA_OIFNAME, r->oif, sizeof(r->oif));
	nv_attr_u8(a, FRA_IP_PROTO, &r->ipproto);
	parse_ports(a, FRA_SPORT_RANGE, &r->sport_from, &r->sport_to);
	parse_ports(a, FRA_DPORT_RANGE, &r->dport_from, &r->dport_to);
	parse_uids(a, r);
	parse_dscp(a, r);
	r->unread = a->tb[FRA_TUN_ID] || a->tb[NV_FRA_FLOWLABEL] || a->tb[NV_FRA_FLOWLABEL_MASK] || masks_ports(a, NV_FRA_SPORT_MASK) ||
		    masks_ports(a, NV_FRA_DPORT_MASK);
	/* a mark without a mask is compared in full (net/core/fib_rules.c fib_nl2rule()) */
	if (nv_attr_u32(a, FRA_FWMARK, &r->fwmark))
		r->fwmask = UINT32_MAX;
	nv_attr_u32(a, FRA_FWMASK, &r->fwmask);
}

static void parse_action(const struct nv_attrs *a, struct nv_rule *r)
{
	uint32_t suppress;
	uint8_t l3mdev;

	nv_attr_u32(a, FRA_PRIORITY, &r->priority);
	nv_attr_u32(a, FRA_TABLE, &r->table);
	nv_attr_u32(a, FRA_GOTO, &r->goto_target);
	nv_attr_u32(a, FRA_FLOW, &r->realm);
	r->l3mdev = nv_attr_u8(a, FRA_L3MDEV, &l3mdev) && l3mdev;
	r->suppress_prefixlen = -1;
	if (nv_attr_u32(a, FRA_SUPPRESS_PREFIXLEN, &suppress) && suppress != UINT32_MAX)
		r->suppress_prefixlen = (int)suppress;
	if (nv_attr_u32(a, FRA_SUPPRESS_IFGROUP, &suppress) && suppress != UINT32_MAX) {
		r->suppresses_group = true;
		r->suppress_group = suppress;
	}
}

int nv_parse_rule(const struct nlmsghdr *nlh, struct netview *nv, struct err *e)
{
	const struct fib_rule_hdr *head = mnl_nlmsg_get_payload(nlh);
	struct nv_attrs a;
	struct nv_rule *r;
	unsigned full;

	if (nlh->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*head) ||
	    (head->family != AF_INET && head->family != AF_INET6))
		return 0;
	full = head->family == AF_INET ? 32 : 128;
	if (head->src_len > full || head->dst_len > full)
		return 0;
	nv_attrs(&a, head + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*head));
	r = nv_more(nv, nv->rules, nv->n_rules);
	if (!r)
		return err_oom(e);
	r->family = head->family;
	r->action = head->action;
	r->invert = head->flags & FIB_RULE_INVERT;
	r->src_len = head->src_len;
	r->dst_len = head->dst_len;
	r->tos = head->tos;
	r->table = head->table;
	parse_selectors(&a, r);
	parse_action(&a, r);
	nv->realms |= a.tb[FRA_FLOW] != NULL;
	return 0;
}
