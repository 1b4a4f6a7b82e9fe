/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset - the model of an ipset and its members, which xt rules name */
#include "nsutil/ruleset/ipset.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

struct ipset_list *ipset_list_new(void)
{
	struct ipset_list *list = calloc(1, sizeof(*list));

	if (!list)
		return NULL;
	list->arena = arena_new();
	if (!list->arena) {
		free(list);
		return NULL;
	}
	list->sets_tail = &list->sets;
	return list;
}

void ipset_list_free(struct ipset_list *list)
{
	if (!list)
		return;
	arena_free(list->arena);
	free(list);
}

struct ipset *ipset_find(const struct ipset_list *list, const char *name)
{
	for (struct ipset *s = list->sets; s; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

static enum ipset_dim dim_of(const char *word, size_t n)
{
	static const struct {
		const char *word;
		enum ipset_dim dim;
	} dims[] = { { "ip", IPSET_DIM_ADDR },	 { "net", IPSET_DIM_ADDR },	{ "port", IPSET_DIM_PORT },
		     { "mac", IPSET_DIM_MAC },	 { "iface", IPSET_DIM_IFACE }, { "mark", IPSET_DIM_MARK },
		     { "set", IPSET_DIM_SET } };

	for (size_t i = 0; i < ARRAY_SIZE(dims); i++)
		if (strlen(dims[i].word) == n && memcmp(dims[i].word, word, n) == 0)
			return dims[i].dim;
	return IPSET_DIM_NONE;
}

/* "hash:ip,port,net" names the dimensions behind the colon. */
static void derive_dims(struct ipset *set)
{
	const char *p = strchr(set->type, ':');

	while (p && set->n_dims < IPSET_DIMS_MAX) {
		size_t n = strcspn(++p, ",");

		set->dims[set->n_dims++] = dim_of(p, n);
		p = p[n] ? p + n : NULL;
	}
}

struct ipset *ipset_add(struct ipset_list *list, const char *name, const char *type)
{
	struct ipset *set = arena_alloc(list->arena, sizeof(*set));

	if (!set)
		return NULL;
	set->name = arena_strdup(list->arena, name);
	set->type = arena_strdup(list->arena, type);
	if (!set->name || !set->type)
		return NULL;
	set->index = 0xffff;
	set->markmask = UINT32_MAX;
	set->elems_tail = &set->elems;
	derive_dims(set);
	*list->sets_tail = set;
	list->sets_tail = &set->next;
	return set;
}

static void put_range(struct buf *b, const struct ipset_range *r)
{
	char text[ADDR_TEXT];

	buf_str(b, addr_fmt(&r->from, text));
	if (r->to.family)
		buf_fmt(b, "-%s", addr_fmt(&r->to, text));
	else if (r->cidr < addr_len(&r->from) * 8)
		buf_fmt(b, "/%u", r->cidr);
}

static void put_port(struct buf *b, const struct ipset_elem *e)
{
	static const struct {
		uint8_t proto;
		const char *name;
	} names[] = { { IPPROTO_TCP, "tcp" },	{ IPPROTO_UDP, "udp" },	    { IPPROTO_SCTP, "sctp" },
		      { IPPROTO_UDPLITE, "udplite" }, { IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "icmpv6" } };

	if (e->has_proto) {
		const char *name = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (names[i].proto == e->proto)
				name = names[i].name;
		name ? buf_fmt(b, "%s:", name) : buf_fmt(b, "%u:", e->proto);
	}
	if (e->has_proto && (e->proto == IPPROTO_ICMP || e->proto == IPPROTO_ICMPV6))
		buf_fmt(b, "%u/%u", e->port >> 8, e->port & 0xff);
	else
		buf_uint(b, e->port);
	if (e->port_to && e->port_to != e->port)
		buf_fmt(b, "-%u", e->port_to);
}

static void put_dim(struct buf *b, enum ipset_dim dim, const struct ipset_elem *e, bool second_addr)
{
	switch (dim) {
	case IPSET_DIM_ADDR: put_range(b, second_addr ? &e->ip2 : &e->ip); break;
	case IPSET_DIM_PORT: put_port(b, e); break;
	case IPSET_DIM_MAC:
		buf_fmt(b, "%02X:%02X:%02X:%02X:%02X:%02X", e->mac[0], e->mac[1], e->mac[2], e->mac[3],
			e->mac[4], e->mac[5]);
		break;
	case IPSET_DIM_IFACE: buf_fmt(b, "%s%s", e->physdev ? "physdev:" : "", e->iface ? e->iface : "?"); break;
	case IPSET_DIM_MARK: buf_fmt(b, "0x%08x", e->mark); break;
	case IPSET_DIM_SET: buf_str(b, e->set ? e->set : "?"); break;
	case IPSET_DIM_NONE: buf_str(b, "?"); break;
	}
}

void ipset_elem_text(const struct ipset *set, const struct ipset_elem *e, struct buf *b)
{
	bool seen_addr = false;

	for (unsigned i = 0; i < set->n_dims; i++) {
		if (set->dims[i] == IPSET_DIM_MAC && !e->has_mac)
			continue; /* bitmap:ip,mac before the MAC was learnt */
		if (i)
			buf_chr(b, ',');
		put_dim(b, set->dims[i], e, seen_addr);
		seen_addr |= set->dims[i] == IPSET_DIM_ADDR;
	}
	if (e->nomatch)
		buf_str(b, " nomatch");
	if (e->has_timeout)
		buf_fmt(b, " timeout %u", e->timeout);
	if (e->has_counters)
		buf_fmt(b, " packets %llu bytes %llu", (unsigned long long)e->packets,
			(unsigned long long)e->bytes);
	if (e->comment)
		buf_fmt(b, " comment \"%s\"", e->comment);
	if (e->skbmark || e->skbmask)
		buf_fmt(b, e->skbmask == UINT32_MAX ? " skbmark 0x%x" : " skbmark 0x%x/0x%x", e->skbmark, e->skbmask);
	if (e->skbprio)
		buf_fmt(b, " skbprio %x:%x", e->skbprio >> 16, e->skbprio & 0xffff);
	if (e->skbqueue)
		buf_fmt(b, " skbqueue %u", e->skbqueue);
}
