/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compat - telling tables of iptables-nft from other nftables tables by their shape */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/reader.h"
#include "nsutil/nft/write.h"

/* iptables-nft 1.8.9 registers "security" at 150, unlike the legacy table (NF_IP_PRI_SECURITY is 50). */
#define SECURITY_PRIORITY 150

/* What iptables-nft makes (iptables/nft.c, xtables_ipv4): one row per base chain. */
static const struct {
	const char *table, *chain, *type;
	unsigned hook;
	int32_t priority;
} shapes[] = {
	{ "raw", "PREROUTING", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	{ "raw", "OUTPUT", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW },
	{ "mangle", "PREROUTING", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE },
	{ "mangle", "INPUT", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_MANGLE },
	{ "mangle", "FORWARD", "filter", NF_INET_FORWARD, NF_IP_PRI_MANGLE },
	{ "mangle", "OUTPUT", "route", NF_INET_LOCAL_OUT, NF_IP_PRI_MANGLE },
	{ "mangle", "POSTROUTING", "filter", NF_INET_POST_ROUTING, NF_IP_PRI_MANGLE },
	{ "filter", "INPUT", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER },
	{ "filter", "FORWARD", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER },
	{ "filter", "OUTPUT", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER },
	{ "security", "INPUT", "filter", NF_INET_LOCAL_IN, SECURITY_PRIORITY },
	{ "security", "FORWARD", "filter", NF_INET_FORWARD, SECURITY_PRIORITY },
	{ "security", "OUTPUT", "filter", NF_INET_LOCAL_OUT, SECURITY_PRIORITY },
	{ "nat", "PREROUTING", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST },
	{ "nat", "INPUT", "nat", NF_INET_LOCAL_IN, NF_IP_PRI_NAT_SRC },
	{ "nat", "POSTROUTING", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC },
	{ "nat", "OUTPUT", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST },
};

static bool table_name_fits(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (strcmp(shapes[i].table, name) == 0)
			return true;
	return false;
}

static bool chain_fits(const char *table, const struct chain *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (strcmp(shapes[i].table, table) == 0 && strcmp(shapes[i].chain, c->name) == 0)
			return c->type && strcmp(shapes[i].type, c->type) == 0 &&
			       shapes[i].hook == c->hook && shapes[i].priority == c->priority;
	return false;
}

bool reader_is_compat(const struct table *t)
{
	if ((t->family != NFPROTO_IPV4 && t->family != NFPROTO_IPV6) || !table_name_fits(t->name) ||
	    !t->chains)
		return false;
	for (const struct chain *c = t->chains; c; c = c->next)
		if (c->base && !chain_fits(t->name, c))
			return false;
	return true;
}

bool nft_builtin_chain(const char *table, const char *chain, struct chain *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (strcmp(shapes[i].table, table) != 0 || strcmp(shapes[i].chain, chain) != 0)
			continue;
		ret->name = shapes[i].chain;
		ret->base = true;
		ret->type = shapes[i].type;
		ret->hook = shapes[i].hook;
		ret->priority = shapes[i].priority;
		ret->policy = VERDICT_ACCEPT;
		return true;
	}
	return false;
}
