/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sidecar_old - DNS capture as Istio did it before 1.25, when it had no chain of its own (HISTORY 2) */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/plan.h"

#define A(m, fam, table, chain, ...) istio_make_rule(m, fam, table, chain, 0, NULL, NULL, __VA_ARGS__)

#define UDP53 "-p udp --dport 53"

static const struct istio_list *servers_of(const struct istio_config *c, unsigned family)
{
	return family == ISTIO_V4 ? &c->dns4 : &c->dns6;
}

static const char *full(unsigned family)
{
	return family == ISTIO_V4 ? "32" : "128";
}

/* To all of port 53, or to each server; @what is printed behind the match. */
static void to_servers(struct istio_maker *m, const char *table, const char *chain, const char *proto,
		       const char *what)
{
	const struct istio_config *c = m->c;

	if (c->capture_all_dns) {
		A(m, ISTIO_BOTH, table, chain, "-p %s --dport 53 %s", proto, what);
		return;
	}
	for (unsigned family = ISTIO_V4; family <= ISTIO_V6; family++)
		for (unsigned i = 0; i < servers_of(c, family)->n; i++)
			A(m, family, table, chain, "-p %s --dport 53 -d %s/%s %s", proto, servers_of(c, family)->items[i],
			  full(family), what);
}

void istio_make_old_dns_tcp(struct istio_maker *m)
{
	if (!m->c->dns)
		return;
	m->role = ISTIO_ROLE_DNS;
	to_servers(m, "nat", "ISTIO_OUTPUT", "tcp", "-j REDIRECT --to-ports 15053");
}

static void udp_owners(struct istio_maker *m, const char *chain)
{
	const struct istio_config *c = m->c;
	_cleanup_buf_ struct buf b = BUF_INIT;

	m->role = ISTIO_ROLE_PROXY_OWN;
	for (unsigned i = 0; i < c->uids.n; i++)
		A(m, ISTIO_BOTH, "nat", chain, UDP53 " -m owner --uid-owner %s -j RETURN", c->uids.items[i]);
	for (unsigned i = 0; i < c->gids.n; i++)
		A(m, ISTIO_BOTH, "nat", chain, UDP53 " -m owner --gid-owner %s -j RETURN", c->gids.items[i]);
	m->role = ISTIO_ROLE_GROUPS;
	if (strcmp(c->groups_include, "*") == 0) {
		for (unsigned i = 0; i < c->groups_not.n; i++)
			A(m, ISTIO_BOTH, "nat", chain, UDP53 " -m owner --gid-owner %s -j RETURN", c->groups_not.items[i]);
		return;
	}
	for (unsigned i = 0; i < c->groups.n; i++)
		buf_fmt(&b, " -m owner ! --gid-owner %s", c->groups.items[i]);
	m->failed |= buf_failed(&b);
	A(m, ISTIO_BOTH, "nat", chain, UDP53 "%s -j RETURN", buf_cstr(&b));
}

static void zone_owners(struct istio_maker *m, const char *chain)
{
	const struct {
		const char *option;
		const struct istio_list *ids;
	} owners[] = { { "--uid-owner", &m->c->uids }, { "--gid-owner", &m->c->gids } };

	m->role = ISTIO_ROLE_DNS_PROXY_ZONE;
	for (unsigned o = 0; o < ARRAY_SIZE(owners); o++)
		for (unsigned i = 0; i < owners[o].ids->n; i++) {
			A(m, ISTIO_BOTH, "raw", chain, UDP53 " -m owner %s %s -j CT --zone 1", owners[o].option,
			  owners[o].ids->items[i]);
			A(m, ISTIO_BOTH, "raw", chain, "-p udp --sport 15053 -m owner %s %s -j CT --zone 2",
			  owners[o].option, owners[o].ids->items[i]);
		}
}

/* Until 1.19 the answers' rule looked at the destination, by mistake. */
static void zone_servers(struct istio_maker *m, const char *chain)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_DNS_APP_ZONE;
	if (c->capture_all_dns) {
		A(m, ISTIO_BOTH, "raw", chain, UDP53 " -j CT --zone 2");
		A(m, ISTIO_BOTH, "raw", "PREROUTING", "-p udp --sport 53 -j CT --zone 1");
		return;
	}
	for (unsigned family = ISTIO_V4; family <= ISTIO_V6; family++)
		for (unsigned i = 0; i < servers_of(c, family)->n; i++) {
			const char *server = servers_of(c, family)->items[i];

			A(m, family, "raw", chain, UDP53 " -d %s/%s -j CT --zone 2", server, full(family));
			A(m, family, "raw", "PREROUTING", "-p udp --sport 53 %s %s/%s -j CT --zone 1",
			  c->minor < 20 ? "-d" : "-s", server, full(family));
		}
}

void istio_make_old_dns_udp(struct istio_maker *m)
{
	const char *chain = m->c->minor < 23 ? "OUTPUT" : "ISTIO_OUTPUT";

	if (!m->c->dns)
		return;
	m->role = ISTIO_ROLE_JUMP_OUT;
	if (m->c->minor >= 23) {
		A(m, ISTIO_BOTH, "nat", "OUTPUT", "-p udp -j ISTIO_OUTPUT");
		A(m, ISTIO_BOTH, "raw", "OUTPUT", "-p udp -j ISTIO_OUTPUT");
	}
	udp_owners(m, chain);
	m->role = ISTIO_ROLE_DNS;
	to_servers(m, "nat", chain, "udp", "-j REDIRECT --to-port 15053");
	zone_owners(m, chain);
	zone_servers(m, chain);
}
