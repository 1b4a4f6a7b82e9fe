/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conns - connections as connection tracking knows them, and the one a packet belongs to */
#include "nsutil/ruleset/conns.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>

#define NONE UINT32_MAX

/* Both directions of every connection, by hash: direction d of connection i is entry 2 * i + d. */
struct conn_index {
	uint32_t mask;	/* number of heads - 1 */
	uint32_t *heads, *next;
};

bool conn_redirected(const struct conn *c)
{
	return !addr_equal(&c->orig.dst, &c->reply.src) || c->orig.dport != c->reply.sport;
}

bool conn_masked(const struct conn *c)
{
	return !addr_equal(&c->orig.src, &c->reply.dst) || c->orig.sport != c->reply.dport;
}

void conn_icmp_key(struct conn_key *k, uint16_t id, uint8_t type, uint8_t code)
{
	k->t.sport = id;
	k->t.dport = (uint16_t)(type << 8 | code);
}

/* icmp_pkt_to_tuple() and the other way round: what answers a query */
static uint8_t answer_type(uint8_t protocol, uint8_t type)
{
	if (protocol == IPPROTO_ICMPV6)
		return type == ICMPV6_ECHO_REQUEST ? ICMPV6_ECHO_REPLY : type == 139 ? 140 : type;
	switch (type) {
	case ICMP_ECHO: return ICMP_ECHOREPLY;
	case ICMP_TIMESTAMP: return ICMP_TIMESTAMPREPLY;
	case ICMP_INFO_REQUEST: return ICMP_INFO_REPLY;
	case ICMP_ADDRESS: return ICMP_ADDRESSREPLY;
	default: return type;
	}
}

struct conn_key conn_key_of(const struct conn *c, bool reply)
{
	struct conn_key k = { c->family, c->protocol, reply ? c->reply : c->orig };

	if (c->protocol == IPPROTO_ICMP || c->protocol == IPPROTO_ICMPV6)
		conn_icmp_key(&k, reply ? c->icmp_reply_id : c->icmp_id, reply ? answer_type(c->protocol, c->icmp_type) : c->icmp_type, c->icmp_code);
	return k;
}

static uint32_t mix(uint32_t h, const uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		h = (h ^ b[i]) * 16777619u;
	return h;
}

static uint32_t hash(const struct conn_key *k)
{
	uint8_t rest[] = { k->protocol, (uint8_t)(k->t.sport >> 8), (uint8_t)k->t.sport, (uint8_t)(k->t.dport >> 8),
			   (uint8_t)k->t.dport };
	uint32_t h = mix(2166136261u, rest, sizeof(rest));

	h = mix(h, k->t.src.b, addr_len(&k->t.src));
	return mix(h, k->t.dst.b, addr_len(&k->t.dst));
}

static bool same_key(const struct conn_key *a, const struct conn_key *b)
{
	return a->family == b->family && a->protocol == b->protocol && a->t.sport == b->t.sport &&
	       a->t.dport == b->t.dport && addr_equal(&a->t.src, &b->t.src) && addr_equal(&a->t.dst, &b->t.dst);
}

int conn_list_index(struct conn_list *cl)
{
	struct conn_index *x = arena_alloc(cl->arena, sizeof(*x));
	uint32_t size = 16;

	while (size < 2 * (uint64_t)cl->n && size < 1u << 30)
		size *= 2;
	if (!x)
		return -1;
	x->mask = size - 1;
	x->heads = arena_array(cl->arena, size, sizeof(*x->heads));
	x->next = arena_array(cl->arena, 2 * (size_t)cl->n + 1, sizeof(*x->next));
	if (!x->heads || !x->next)
		return -1;
	memset(x->heads, 0xff, size * sizeof(*x->heads));
	for (uint32_t i = 2 * cl->n; i-- > 0;) {
		struct conn_key k = conn_key_of(&cl->conns[i / 2], i % 2);
		uint32_t *head = &x->heads[hash(&k) & x->mask];

		x->next[i] = *head;
		*head = i;
	}
	cl->index = x;
	return 0;
}

/* One direction's entry, nf_ct_key_equal(); @zone: NULL for any */
static const struct conn *find_entry(const struct conn_list *cl, const struct conn_key *k, bool reply, const uint16_t *zone)
{
	const struct conn_index *x = cl->index;

	for (uint32_t i = x->heads[hash(k) & x->mask]; i != NONE; i = x->next[i]) {
		const struct conn *c = &cl->conns[i / 2];
		struct conn_key its = conn_key_of(c, reply);

		if (i % 2 == reply && same_key(&its, k) && (!zone || *zone == (reply ? c->reply_zone : c->zone)))
			return c;
	}
	return NULL;
}

/* resolve_normal_ct(): the entries of the zone of the original direction are looked through first. Who talks to himself
 * without ports has both in one place, where the replies, which the kernel enters last, are found first. */
const struct conn *conn_list_find(const struct conn_list *cl, const struct conn_key *k, const uint16_t zones[2], bool *ret_reply)
{
	const struct conn *orig = find_entry(cl, k, false, zones), *back = find_entry(cl, k, true, zones ? zones + 1 : NULL);

	if (!orig && !back)
		return NULL;
	*ret_reply = !orig || (orig == back && orig->zone == orig->reply_zone);
	return *ret_reply ? back : orig;
}
