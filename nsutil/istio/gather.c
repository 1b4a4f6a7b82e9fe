/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gather - what the stores and families say, as one */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/recognise_parts.h"

/* Where the families differ, the default is no drift; else IPv4's. */
static void merge_text(const char **to, const char *other, const char *fallback)
{
	if (!*to || (other && strcmp(other, fallback) == 0))
		*to = other ? other : *to;
}

static bool same(const struct istio_list *a, const struct istio_list *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

/* Lists that both families have alike: a rule is sooner lost than added. */
static void merge_list(struct istio_list *to, const struct istio_list *other)
{
	if (!same(to, other) && other->n > to->n)
		*to = *other;
}

/* Lists of which each family has its own part. */
static int join(struct arena *a, struct istio_list *to, const struct istio_list *other)
{
	for (unsigned i = 0; i < other->n; i++)
		if (istio_list_add(a, to, other->items[i]) < 0)
			return -1;
	return 0;
}

/* '*' stands in both families; a range of everything looks the same in one. */
static int merge_include(struct arena *a, struct istio_found *v4, const struct istio_found *v6)
{
	bool star = v4->star;

	if (v4->star && (v4->trailing_return || v6->include.n)) {
		star = false;
		if (istio_list_add(a, &v4->include, "0.0.0.0/0") < 0)
			return -1;
	}
	if (v6->star && !v4->star && !v4->include.n)
		star = true;
	if (v6->star && !star && istio_list_add(a, &v4->include, "::/0") < 0)
		return -1;
	v4->star = star;
	return join(a, &v4->include, &v6->include);
}

static int merge(struct arena *a, struct istio_found *to, const struct istio_found *v6)
{
	merge_text(&to->proxy_port, v6->proxy_port, "15001");
	merge_text(&to->capture_port, v6->capture_port, "15006");
	merge_text(&to->tunnel_port, v6->tunnel_port, "15008");
	merge_text(&to->mark, v6->mark, "1337");
	merge_list(&to->uids, &v6->uids);
	merge_list(&to->gids, &v6->gids);
	merge_list(&to->ports_in, &v6->ports_in);
	merge_list(&to->ports_in_exclude, &v6->ports_in_exclude);
	merge_list(&to->ports_out, &v6->ports_out);
	merge_list(&to->ports_out_exclude, &v6->ports_out_exclude);
	merge_list(&to->nics_exclude, &v6->nics_exclude);
	merge_list(&to->nics_virtual, &v6->nics_virtual);
	merge_list(&to->groups, &v6->groups);
	merge_list(&to->groups_not, &v6->groups_not);
	to->tproxy |= v6->tproxy;
	to->inbound |= v6->inbound;
	to->inbound_all |= v6->inbound_all;
	to->inbound_odd |= v6->inbound_odd;
	to->dns |= v6->dns;
	to->dns_all |= v6->dns_all;
	to->drop_invalid |= v6->drop_invalid;
	to->drop_plain |= v6->drop_plain;
	to->groups_said |= v6->groups_said;
	to->remember |= v6->remember;
	to->old_ambient |= v6->old_ambient;
	to->dns_zones |= v6->dns_zones;
	to->ingress &= v6->ingress;
	to->outbound |= v6->outbound;
	to->counters |= v6->counters;
	if (merge_include(a, to, v6) < 0 || join(a, &to->exclude, &v6->exclude) < 0 ||
	    join(a, &to->servers, &v6->servers) < 0)
		return -1;
	return 0;
}

struct side {
	enum store store;
	bool ambient;
	struct istio_found v4, v6;
};

static int look(struct arena *a, const struct ruleset *rs, const struct istio_known *known, struct side *s)
{
	const struct istio_view v4 = { rs, s->store, NFPROTO_IPV4, s->ambient, known };
	const struct istio_view v6 = { rs, s->store, NFPROTO_IPV6, s->ambient, known };

	if (istio_recover(a, &v4, &s->v4) < 0 || istio_recover(a, &v6, &s->v6) < 0)
		return -1;
	/* Native rules are of both families: IPv6 is on where one names an address of it. */
	if (s->store == STORE_NATIVE && !s->v6.own_family)
		s->v6 = (struct istio_found){ 0 };
	return 0;
}

static unsigned weight(const struct side *s)
{
	return s->v4.rules + s->v6.rules;
}

/* The store with most of Istio's rules; NULL when there are none. */
static struct side *pick(struct side sides[4], bool native)
{
	unsigned first = native ? 2 : 0, last = native ? 3 : 1;
	struct side *best = NULL;

	for (unsigned i = first; i <= last; i++)
		if ((sides[i].v4.any || sides[i].v6.any) && (!best || weight(&sides[i]) > weight(best)))
			best = &sides[i];
	return best;
}

/* Where there are none of the kind that is wanted, the other kind tells the settings. */
static struct side *pick_any(struct side sides[4], bool native)
{
	struct side *s = pick(sides, native);

	if (!s)
		s = pick(sides, !native);
	return s ? s : sides;
}

int istio_gather(struct arena *a, const struct ruleset *rs, bool native, int only,
		 const struct istio_known *known, struct istio_evidence *ret)
{
	struct side sides[4] = { { .store = STORE_LEGACY }, { .store = STORE_COMPAT }, { .store = STORE_NATIVE },
				 { .store = STORE_NATIVE, .ambient = true } };
	struct istio_evidence x = { .rs = rs };
	struct side *s;

	for (unsigned i = 0; i < ARRAY_SIZE(sides); i++)
		if (look(a, rs, known, &sides[i]) < 0)
			return -1;
	s = only < 0 ? pick_any(sides, native) : &sides[only];
	x.store = s->store;
	x.f = s->v4;
	x.ipv6 = s->v6.any && s->v6.rules;
	x.no_outbound = !s->v4.outbound && !s->v6.outbound && (s->v4.ports_out.n || (x.ipv6 && x.store != STORE_NATIVE));
	x.wide_loopback = s->v4.loopback && strcmp(s->v4.loopback, "127.0.0.1/32") != 0;
	if (!x.f.any) {
		x.f = s->v6;
		x.f.loopback = NULL;
		x.probe6 = s->v6.probe;
		x.f.probe = NULL;
	} else if (x.ipv6) {
		x.probe6 = s->v6.probe;
		if (merge(a, &x.f, &s->v6) < 0)
			return -1;
	}
	*ret = x;
	return 0;
}
