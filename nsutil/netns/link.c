/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link - links and addresses of a network namespace from rtnetlink messages */
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/netns/parts.h"

/* Kinds whose IFLA_LINK is the other end of a pair; a vlan's, say, is the link below it. */
static bool kind_is_pair(const char *kind)
{
	return strcmp(kind, "veth") == 0 || strcmp(kind, "netkit") == 0 || strcmp(kind, "vxcan") == 0;
}

static void parse_kind(const struct nv_attrs *a, struct nv_link *l)
{
	struct nv_attrs info;
	size_t len;
	const void *nested = nv_attr_nested(a, IFLA_LINKINFO, &len);

	if (!nested)
		return;
	nv_attrs(&info, nested, len);
	nv_attr_name(&info, IFLA_INFO_KIND, l->kind, sizeof(l->kind));
}

/* What stands below net.ipv4.conf.DEV or net.ipv6.conf.DEV comes along with the link, as an array. Return: is it there, so
 * far as is asked for? */
static bool copy_conf(const struct nv_attrs *a, uint8_t family, unsigned type, uint32_t *ret, size_t size)
{
	struct nv_attrs spec, inet;
	size_t len;
	const void *nested = nv_attr_nested(a, IFLA_AF_SPEC, &len);

	if (!nested)
		return false;
	nv_attrs(&spec, nested, len);
	nested = nv_attr_nested(&spec, family, &len);
	if (!nested)
		return false;
	nv_attrs(&inet, nested, len);
	return nv_attr_copy(&inet, type, ret, size);
}

static void parse_conf(const struct nv_attrs *a, struct nv_link *l)
{
	uint32_t conf[IPV4_DEVCONF_ROUTE_LOCALNET], conf6[DEVCONF_MTU6 + 1];

	if (copy_conf(a, AF_INET, IFLA_INET_CONF, conf, sizeof(conf))) {
		l->has_conf = true;
		l->forwarding = conf[IPV4_DEVCONF_FORWARDING - 1] != 0;
		l->rp_filter = (uint8_t)conf[IPV4_DEVCONF_RP_FILTER - 1];
		l->route_localnet = conf[IPV4_DEVCONF_ROUTE_LOCALNET - 1] != 0;
		l->accept_local = conf[IPV4_DEVCONF_ACCEPT_LOCAL - 1] != 0;
		l->no_redirects = conf[IPV4_DEVCONF_SEND_REDIRECTS - 1] == 0;
		l->src_valid_mark = conf[IPV4_DEVCONF_SRC_VMARK - 1] != 0;
	}
	if (copy_conf(a, AF_INET6, IFLA_INET6_CONF, conf6, sizeof(conf6)))
		l->mtu6 = conf6[DEVCONF_MTU6];
}

static void parse_pair(const struct nv_attrs *a, struct nv_link *l)
{
	uint32_t v;

	l->peer_nsid = -1;
	if (!kind_is_pair(l->kind))
		return;
	if (nv_attr_u32(a, IFLA_LINK, &v))
		l->peer = (int)v;
	if (nv_attr_u32(a, IFLA_LINK_NETNSID, &v))
		l->peer_nsid = (int)v;
}

int nv_parse_link(const struct nlmsghdr *nlh, struct netview *nv, struct err *e)
{
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(nlh);
	struct nv_attrs a;
	struct nv_link *l;
	uint32_t master;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(*head) ||
	    head->ifi_family != AF_UNSPEC)
		return 0;
	nv_attrs(&a, head + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*head));
	l = nv_more(nv, nv->links, nv->n_links);
	if (!l)
		return err_oom(e);
	l->index = head->ifi_index;
	l->type = head->ifi_type;
	l->flags = head->ifi_flags;
	nv_attr_name(&a, IFLA_IFNAME, l->name, sizeof(l->name));
	nv_attr_copy(&a, IFLA_ADDRESS, l->mac, sizeof(l->mac));
	nv_attr_u32(&a, IFLA_MTU, &l->mtu);
	nv_attr_u32(&a, IFLA_GROUP, &l->group);
	if (nv_attr_u32(&a, IFLA_MASTER, &master))
		l->master = (int)master;
	parse_kind(&a, l);
	parse_pair(&a, l);
	parse_conf(&a, l);
	return 0;
}

/*
 * IPv4 tells the own address in IFA_LOCAL and the other end's (or the own again) in IFA_ADDRESS;
 * IPv6 has IFA_LOCAL only when there is another end.
 */
static bool parse_ends(const struct nv_attrs *a, uint8_t family, struct nv_addr *na)
{
	struct addr address;
	bool have = nv_attr_addr(a, IFA_ADDRESS, family, &address);

	if (!nv_attr_addr(a, IFA_LOCAL, family, &na->addr)) {
		if (have)
			na->addr = address;
		return have;
	}
	if (have && !addr_equal(&address, &na->addr))
		na->peer = address;
	return true;
}

int nv_parse_addr(const struct nlmsghdr *nlh, struct netview *nv, struct err *e)
{
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(nlh);
	struct nv_addr na = { 0 }, *slot;
	struct nv_attrs a;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*head) ||
	    (head->ifa_family != AF_INET && head->ifa_family != AF_INET6))
		return 0;
	nv_attrs(&a, head + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*head));
	na.ifindex = (int)head->ifa_index;
	na.prefix_len = head->ifa_prefixlen;
	na.scope = head->ifa_scope;
	na.flags = head->ifa_flags;
	nv_attr_u32(&a, IFA_FLAGS, &na.flags);
	if (na.prefix_len > (head->ifa_family == AF_INET ? 32 : 128) || !parse_ends(&a, head->ifa_family, &na))
		return 0;
	slot = nv_more(nv, nv->addrs, nv->n_addrs);
	if (!slot)
		return err_oom(e);
	*slot = na;
	return 0;
}
