/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hookorder - the base chains of a namespace in the order the kernel runs them, by nfnetlink_hook */
#include "nsutil/netns/hookorder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/kmod.h"
#include "nsutil/netns/parts.h"

#ifndef NFNL_SUBSYS_HOOK
#define NFNL_SUBSYS_HOOK 12
#endif

#define HOOKS 5	     /* NF_INET_NUMHOOKS without ingress, which belongs to a device */
#define NAME 256     /* NFT_NAME_MAXLEN */
#define CHAINS 4096  /* of all hooks; more are an endless dump */

static uint32_t number(const struct nv_attrs *a, unsigned type)
{
	uint32_t v = 0;

	nv_attr_u32(a, type, &v);
	return ntohl(v);
}

/* A chain of nftables is named. */
static const struct chain *nft_chain(const struct ruleset *rs, const struct nv_attrs *info)
{
	char table[NAME] = "", chain[NAME] = "";
	struct nv_attrs desc;
	uint8_t family = 0;

	nv_attrs_in(info, NFNLA_HOOK_INFO_DESC, &desc);
	nv_attr_name(&desc, NFNLA_CHAIN_TABLE, table, sizeof(table));
	nv_attr_name(&desc, NFNLA_CHAIN_NAME, chain, sizeof(chain));
	nv_attr_u8(&desc, NFNLA_CHAIN_FAMILY, &family);
	for (unsigned store = STORE_COMPAT; store <= STORE_NATIVE; store++) {
		const struct table *t = ruleset_find_table(rs, store, family, table);
		const struct chain *c = t ? table_find_chain(t, chain) : NULL;

		if (c && c->base)
			return c;
	}
	return NULL;
}

/* ipt_do_table(), iptable_mangle_hook(): which table it is, the priority says */
static const struct chain *legacy_chain(const struct ruleset *rs, uint8_t family, unsigned hook, int32_t priority)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->store == STORE_LEGACY && t->family == family ? t->chains : NULL; c; c = c->next)
			if (c->base && c->hook == hook && c->priority == priority && strcmp(t->name, "nat") != 0)
				return c;
	return NULL;
}

static bool is_legacy(const char *function)
{
	static const char *const begin[] = { "ipt_do_table", "ip6t_do_table", "iptable_", "ip6table_" };

	for (unsigned i = 0; i < ARRAY_SIZE(begin); i++)
		if (strncmp(function, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

int hookorder_parse(const struct nlmsghdr *nlh, void *order, struct err *e)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct hookorder *o = order;
	char function[64] = "";
	const struct chain **grown, *c = NULL;
	struct nv_attrs a, info;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET) || mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return 0;
	nv_attrs(&a, nfg + 1, mnl_nlmsg_get_payload_len(nlh) - sizeof(*nfg));
	nv_attrs_in(&a, NFNLA_HOOK_CHAIN_INFO, &info);
	nv_attr_name(&a, NFNLA_HOOK_FUNCTION_NAME, function, sizeof(function));
	if (number(&info, NFNLA_HOOK_INFO_TYPE) == NFNL_HOOK_TYPE_NFTABLES)
		c = nft_chain(o->rs, &info);
	else if (is_legacy(function))
		c = legacy_chain(o->rs, nfg->nfgen_family, number(&a, NFNLA_HOOK_HOOKNUM),
				 (int32_t)number(&a, NFNLA_HOOK_PRIORITY));
	if (!c)
		return 0;
	grown = o->n < CHAINS ? arena_grow(o->arena, o->chains, o->n, sizeof(*grown)) : NULL;
	if (!grown)
		return err_oom(e);
	o->chains = grown;
	o->chains[o->n++] = c;
	return 0;
}

/* A dump that is torn begins anew with what stood there before it. */
struct part {
	struct hookorder *o;
	unsigned n;
};

static int parse(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	return hookorder_parse(nlh, ((struct part *)arg)->o, e);
}

static void restart(void *arg)
{
	struct part *p = arg;

	p->o->n = p->n;
}

static int dump(int fd, uint8_t family, uint32_t hook, struct hookorder *o, struct err *e)
{
	struct {
		struct nlmsghdr nlh;
		struct nfgenmsg nfg;
		struct nlattr attr;
		uint32_t hook;
	} request = {
		.nlh = { .nlmsg_len = sizeof(request), .nlmsg_type = NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET },
		.nfg = { .nfgen_family = family },
		.attr = { .nla_len = sizeof(struct nlattr) + 4, .nla_type = NFNLA_HOOK_HOOKNUM }, .hook = htonl(hook),
	};
	struct part p = { o, o->n };
	struct nv_dump d = { fd, "hooks", &request.nlh, parse, restart, &p };

	return nv_dump(&d, e);
}

static bool meet(const struct chain *a, const struct chain *b)
{
	uint8_t x = a->table->family, y = b->table->family;

	return a->hook == b->hook && a->priority == b->priority && (x == y || x == NFPROTO_INET || y == NFPROTO_INET) &&
	       strcmp(a->type, "nat") != 0 && strcmp(b->type, "nat") != 0;
}

/* Does a chain stand at the same place as another before it? Where none does, there is no order to ask for. */
static bool has_equals(const struct ruleset *rs, const struct chain *c)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *o = t->chains; o; o = o->next)
			if (o == c)
				return false;
			else if (o->base && o->type && c->type && meet(o, c))
				return true;
	return false;
}

static bool any_equals(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (c->base && has_equals(rs, c))
				return true;
	return false;
}

int hookorder_read(const struct netns *ns, struct hookorder *ret, struct err *e)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	_cleanup_close_ int fd = -1;

	if (!any_equals(ret->rs))
		return 0;
	if (kmod_state("/", "nfnetlink_hook", "nfnl_hook_get") != KMOD_READY) {
		err_sys(e, ENOPROTOOPT, "cannot list the hooks");
		return -1;
	}
	fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, e);
	if (fd < 0)
		return -1;
	for (unsigned f = 0; f < ARRAY_SIZE(families); f++)
		for (uint32_t hook = 0; hook < HOOKS; hook++)
			if (dump(fd, families[f], hook, ret, e) < 0)
				return -1;
	return 0;
}
