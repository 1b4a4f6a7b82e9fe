/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing - the address, routing rules and routes that Istio's rules lean on: wanted and found */
#include "nsutil/istio/routing.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/recognise.h"

/* Compiled into Istio. */
enum {
	SIDECAR_MARK = 1337,
	SIDECAR_TABLE = 133,
	AMBIENT_MARK = 0x111,
	AMBIENT_MASK = 0xfff,
	AMBIENT_TABLE = 100,
	AMBIENT_PRIORITY = 32764,
	MAIN_PRIORITY = 32766,
};

static const uint8_t families_of[2] = { AF_INET, AF_INET6 };

/* ---- what is wanted ---- */

static int want(struct arena *a, struct istio_routing *r, struct istio_step step)
{
	struct istio_step *at = arena_grow(a, r->wanted, r->n_wanted, sizeof(*at));

	if (!at)
		return -1;
	r->wanted = at;
	at[r->n_wanted++] = step;
	return 0;
}

static struct istio_step marked(const struct istio_config *c, uint8_t family)
{
	if (c->ambient)
		return (struct istio_step){ ISTIO_STEP_RULE, family, AMBIENT_MARK, AMBIENT_MASK, AMBIENT_TABLE,
					    AMBIENT_PRIORITY };
	return (struct istio_step){ ISTIO_STEP_RULE, family, (uint32_t)strtoul(c->tproxy_mark, NULL, 10), UINT32_MAX,
				    (uint32_t)strtoul(c->tproxy_table, NULL, 10), 0 };
}

int istio_routing_plan(struct arena *a, const struct istio_config *c, unsigned families,
		       struct istio_routing *ret)
{
	struct istio_routing r = { .n = 0 };
	bool rules = c->ambient || (c->tproxy && c->inbound_ports_include[0]);

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct istio_step rule = marked(c, families_of[v6]);
		struct istio_step route = { .kind = ISTIO_STEP_ROUTE, .family = rule.family, .table = rule.table };

		if (!(families & (1U << v6)) || (v6 && !c->ipv6))
			continue;
		if (v6 && !c->ambient && want(a, &r, (struct istio_step){ .kind = ISTIO_STEP_ADDRESS, .family = AF_INET6 }) < 0)
			return -1;
		if (rules && (want(a, &r, route) < 0 || want(a, &r, rule) < 0))
			return -1;
	}
	*ret = r;
	return 0;
}

/* ---- what is there ---- */

struct finder {
	struct arena *a;
	const struct netview *nv;
	const struct istio_config *c;
	unsigned families;
	struct istio_routing *r;
	int lo;
	uint32_t former[STORE_COUNT]; /* marks that the packet rules of each store set; 0: none */
	bool failed;
};

static bool asked(const struct finder *f, uint8_t family)
{
	return f->families & (family == AF_INET6 ? 2U : 1U);
}

static void edit(struct finder *f, bool add, struct istio_step step, const char *kind, const char *effect)
{
	struct istio_routing_edit *at = arena_grow(f->a, f->r->at, f->r->n, sizeof(*at));

	f->failed |= !at;
	if (!at)
		return;
	f->r->at = at;
	at[f->r->n++] = (struct istio_routing_edit){ add, step, kind, effect };
}

/* A rule that looks at nothing but the mark. */
static bool only_mark(const struct nv_rule *x)
{
	return x->action == FR_ACT_TO_TBL && !x->invert && !x->src_len && !x->dst_len && !x->iif[0] && !x->oif[0] &&
	       x->uid_from == 0 && x->uid_to == UINT32_MAX && !x->ipproto && !x->tos && !x->sport_to && !x->dport_to &&
	       !x->l3mdev && x->suppress_prefixlen < 0 && x->fwmark;
}

static struct istio_step step_of(const struct nv_rule *x)
{
	return (struct istio_step){ ISTIO_STEP_RULE, x->family, x->fwmark, x->fwmask, x->table, x->priority };
}

static bool is_local_default(const struct finder *f, const struct nv_route *x)
{
	return x->type == RTN_LOCAL && x->dst_len == 0 && x->n_hops == 1 && x->hops[0].oif == f->lo;
}

static bool has_route(const struct finder *f, uint8_t family, uint32_t table)
{
	for (unsigned i = 0; i < f->nv->n_routes; i++)
		if (f->nv->routes[i].family == family && f->nv->routes[i].table == table &&
		    is_local_default(f, &f->nv->routes[i]))
			return true;
	return false;
}

/* The mark in use may be known from the packet rules while the table is not: its content tells. */
static bool owns_rule(const struct finder *f, const struct nv_rule *x)
{
	struct istio_step wanted = marked(f->c, x->family);

	if (!only_mark(x))
		return false;
	if (x->fwmark == AMBIENT_MARK && x->fwmask == AMBIENT_MASK && x->table == AMBIENT_TABLE)
		return true;
	if (x->fwmask != UINT32_MAX)
		return false;
	if (x->fwmark == SIDECAR_MARK && x->table == SIDECAR_TABLE)
		return true;
	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (x->fwmark == f->former[s] && (x->table == SIDECAR_TABLE || has_route(f, x->family, x->table)))
			return true;
	return f->c->tproxy && !f->c->ambient && x->fwmark == wanted.mark &&
	       (x->table == wanted.table || has_route(f, x->family, x->table));
}

static bool fulfils(const struct istio_step *w, const struct nv_rule *x)
{
	return w->kind == ISTIO_STEP_RULE && w->family == x->family && only_mark(x) && w->mark == x->fwmark &&
	       w->mask == x->fwmask && w->table == x->table &&
	       (w->priority ? w->priority == x->priority : x->priority < MAIN_PRIORITY);
}

static bool wants_route(const struct finder *f, uint8_t family, uint32_t table)
{
	for (unsigned i = 0; i < f->r->n_wanted; i++) {
		const struct istio_step *w = &f->r->wanted[i];

		if (w->kind == ISTIO_STEP_ROUTE && w->family == family && w->table == table)
			return true;
	}
	return false;
}

static bool has_address(const struct finder *f)
{
	static const uint8_t six[16] = { [15] = 6 };

	for (unsigned i = 0; i < f->nv->n_addrs; i++) {
		const struct nv_addr *x = &f->nv->addrs[i];

		if (x->ifindex == f->lo && x->addr.family == AF_INET6 && memcmp(x->addr.b, six, 16) == 0)
			return true;
	}
	return false;
}

/* ---- the difference ---- */

static void find_missing(struct finder *f)
{
	for (unsigned i = 0; i < f->r->n_wanted; i++) {
		const struct istio_step *w = &f->r->wanted[i];
		bool there = false;

		switch (w->kind) {
		case ISTIO_STEP_ADDRESS:
			if (!has_address(f))
				edit(f, true, *w, "missing", "the proxy cannot pass connections through to the application "
				     "over IPv6: it sends them from this address");
			break;
		case ISTIO_STEP_ROUTE:
			if (!has_route(f, w->family, w->table))
				edit(f, true, *w, "missing", "marked packets are not delivered to the proxy on this host");
			break;
		case ISTIO_STEP_RULE:
			for (unsigned k = 0; k < f->nv->n_rules; k++)
				there |= fulfils(w, &f->nv->rules[k]);
			if (!there)
				edit(f, true, *w, "missing", "marked packets take the usual routes instead of the way to the proxy");
			break;
		}
	}
}

static void find_extra_rules(struct finder *f)
{
	for (unsigned k = 0; k < f->nv->n_rules; k++) {
		const struct nv_rule *x = &f->nv->rules[k];
		const struct istio_step *w = NULL;
		bool before = false;

		if (!asked(f, x->family) || !owns_rule(f, x))
			continue;
		for (unsigned i = 0; i < f->r->n_wanted; i++)
			if (fulfils(&f->r->wanted[i], x))
				w = &f->r->wanted[i];
		for (unsigned i = 0; w && i < k; i++)
			before |= fulfils(w, &f->nv->rules[i]);
		if (!w)
			edit(f, false, step_of(x), "extra", "packets with this mark are delivered to this host");
		else if (before)
			edit(f, false, step_of(x), "duplicate", "the same rule is there already; Istio adds one at each run");
	}
}

static bool foreign_rule_leads(const struct finder *f, uint8_t family, uint32_t table)
{
	for (unsigned i = 0; i < f->nv->n_rules; i++)
		if (f->nv->rules[i].family == family && f->nv->rules[i].table == table && !owns_rule(f, &f->nv->rules[i]))
			return true;
	return false;
}

/*
 * Table 100 is in many people's hands: there a rule of Istio's must lead to it, and none of somebody else's.
 * Table 133 is Istio's, though somebody else's rule may lead there as well.
 */
static bool owns_route(const struct finder *f, const struct nv_route *x)
{
	bool led = false;

	if (!is_local_default(f, x))
		return false;
	for (unsigned i = 0; i < f->nv->n_rules; i++)
		led |= f->nv->rules[i].family == x->family && f->nv->rules[i].table == x->table &&
		       owns_rule(f, &f->nv->rules[i]);
	if (led && x->table == SIDECAR_TABLE)
		return true;
	if (foreign_rule_leads(f, x->family, x->table))
		return false;
	if (led || x->table == SIDECAR_TABLE)
		return true;
	return (f->c->ambient || f->c->tproxy) && x->table == marked(f->c, x->family).table;
}

static void find_extra_routes(struct finder *f)
{
	for (unsigned i = 0; i < f->nv->n_routes; i++) {
		const struct nv_route *x = &f->nv->routes[i];
		struct istio_step step = { .kind = ISTIO_STEP_ROUTE, .family = x->family, .table = x->table };

		if (asked(f, x->family) && owns_route(f, x) && !wants_route(f, x->family, x->table))
			edit(f, false, step, "extra", "a table that delivers everything to this host; nothing planned leads there");
	}
}

static void find_extra_address(struct finder *f)
{
	struct istio_step step = { .kind = ISTIO_STEP_ADDRESS, .family = AF_INET6 };
	bool wanted = false;

	for (unsigned i = 0; i < f->r->n_wanted; i++)
		wanted |= f->r->wanted[i].kind == ISTIO_STEP_ADDRESS;
	if (asked(f, AF_INET6) && !wanted && has_address(f))
		edit(f, false, step, "extra", "an address that only Istio's IPv6 rules need");
}

/* Is there a rule that only a former mark would explain? */
static bool is_asked_for(const struct finder *f)
{
	for (unsigned k = 0; k < f->nv->n_rules; k++)
		if (only_mark(&f->nv->rules[k]) && f->nv->rules[k].fwmask == UINT32_MAX && !owns_rule(f, &f->nv->rules[k]))
			return true;
	return false;
}

/* What cannot be told, or made sense of, is as good as not there. */
static void find_former(struct finder *f, const struct ruleset *rs)
{
	if (!is_asked_for(f))
		return;
	for (unsigned s = 0; s < STORE_COUNT; s++) {
		struct istio_config *c;

		if (istio_recognise_store(f->a, rs, (enum store)s, NULL, &c, NULL) == 0 && c && c->tproxy)
			f->former[s] = marked(c, AF_INET).mark;
	}
}

int istio_routing_compare(struct arena *a, const struct netview *nv, const struct ruleset *rs,
			  const struct istio_config *c, unsigned families, struct istio_routing *r)
{
	const struct nv_link *lo = nv_link_by_name(nv, "lo");
	struct finder f = { .a = a, .nv = nv, .c = c, .families = families, .r = r, .lo = lo ? lo->index : 1 };

	find_former(&f, rs);
	find_missing(&f);
	find_extra_rules(&f);
	find_extra_routes(&f);
	find_extra_address(&f);
	return f.failed ? -1 : 0;
}

static bool is_there(const struct finder *f, const struct istio_step *s)
{
	if (s->kind == ISTIO_STEP_ADDRESS)
		return has_address(f);
	if (s->kind == ISTIO_STEP_ROUTE)
		return has_route(f, s->family, s->table);
	for (unsigned i = 0; i < f->nv->n_rules; i++)
		if (fulfils(s, &f->nv->rules[i]))
			return true;
	return false;
}

int istio_routing_restore(struct arena *a, const struct netview *nv, const struct istio_routing_edit *done,
			  unsigned n, struct istio_routing *ret)
{
	const struct nv_link *lo = nv_link_by_name(nv, "lo");
	struct istio_routing r = { .n = 0 };
	struct finder f = { .a = a, .nv = nv, .r = &r, .lo = lo ? lo->index : 1 };

	for (unsigned i = n; i-- > 0;)
		if (is_there(&f, &done[i].step) == done[i].add)
			edit(&f, !done[i].add, done[i].step, done[i].add ? "extra" : "missing",
			     done[i].add ? "the change to be undone put it there" : "the change to be undone removed it");
	*ret = r;
	return f.failed ? -1 : 0;
}

void istio_step_words(const struct istio_step *s, bool add, struct buf *b)
{
	const char *six = s->family == AF_INET6 ? "-6 " : "", *verb = add ? "add" : "del";

	switch (s->kind) {
	case ISTIO_STEP_ADDRESS:
		buf_fmt(b, "-6 addr %s ::6/128 dev lo", verb);
		break;
	case ISTIO_STEP_ROUTE:
		buf_fmt(b, "%sroute %s local default dev lo scope host table %u", six, verb, s->table);
		break;
	case ISTIO_STEP_RULE:
		buf_fmt(b, "%srule %s fwmark 0x%x", six, verb, s->mark);
		if (s->mask != UINT32_MAX)
			buf_fmt(b, "/0x%x", s->mask);
		if (s->priority)
			buf_fmt(b, " pref %u", s->priority);
		buf_fmt(b, " lookup %u", s->table);
		break;
	}
}
