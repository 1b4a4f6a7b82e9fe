/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sidecar_nft - the rules of a sidecar pod for native nftables, in Istio's order (SPEC F3) */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/plan.h"

#define NAT "istio-proxy-nat"
#define MANGLE "istio-proxy-mangle"
#define RAW "istio-proxy-raw"
#define TCP "meta l4proto tcp "
#define L6 "::1/128"

#define add(m, table, chain, ...) istio_make_nft(m, table, chain, -1, __VA_ARGS__)
/* Only when IPv6 is on. */
#define add6(m, table, chain, ...) \
	do { \
		if ((m)->c->ipv6) \
			add(m, table, chain, __VA_ARGS__); \
	} while (0)
#define insert(m, table, chain, index, ...) istio_make_nft(m, table, chain, index, __VA_ARGS__)

#define each(item, list) \
	(unsigned i_##item = 0; i_##item < (list).n; i_##item++) \
		for (const char *item = (list).items[i_##item], *once_##item = item; once_##item; once_##item = NULL)

static const char *const keys[] = { "skuid", "skgid" };

static const struct istio_list *ids_of(const struct istio_config *c, unsigned key)
{
	return key == 0 ? &c->uids : &c->gids;
}

static void nics(struct istio_maker *m)
{
	static const char *const tables[] = { NAT, MANGLE };

	m->role = ISTIO_ROLE_EXCLUDED_NIC;
	for (unsigned t = 0; t < (m->c->tproxy ? 2 : 1); t++)
		for each(nic, m->c->nics_exclude) {
			add(m, tables[t], "prerouting", "iifname %s counter return", nic);
			add(m, tables[t], "output", "oifname %s counter return", nic);
		}
	m->role = ISTIO_ROLE_VIRTUAL_NIC;
	for each(nic, m->c->nics_virtual)
		insert(m, NAT, "prerouting", 0, "iifname %s counter return", nic);
}

static void drop_invalid(struct istio_maker *m)
{
	if (!m->c->drop_invalid)
		return;
	m->role = ISTIO_ROLE_INVALID;
	add(m, MANGLE, "prerouting", TCP "ct state invalid counter jump istio-drop");
	add(m, MANGLE, "istio-drop", "counter drop");
}

static void redirects(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_TUNNEL;
	add(m, NAT, "istio-inbound", TCP "tcp dport %s counter return", m->c->inbound_tunnel_port);
	m->role = ISTIO_ROLE_TO_PROXY_OUT;
	add(m, NAT, "istio-redirect", TCP "counter redirect to :%s", m->c->proxy_port);
	m->role = ISTIO_ROLE_TO_PROXY_IN;
	add(m, NAT, "istio-in-redirect", TCP "counter redirect to :%s", m->c->inbound_capture_port);
}

static void tproxy_chains(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_DIVERT;
	add(m, MANGLE, "istio-divert", "counter meta mark set %s", c->tproxy_mark);
	add(m, MANGLE, "istio-divert", "counter accept");
	m->role = ISTIO_ROLE_TPROXY;
	add(m, MANGLE, "istio-tproxy", TCP "ip daddr != %s tproxy ip to :%s meta mark set %s counter accept",
	    c->loopback_cidr, c->inbound_capture_port, c->tproxy_mark);
	add6(m, MANGLE, "istio-tproxy", TCP "ip6 daddr != " L6 " tproxy ip6 to :%s meta mark set %s counter accept",
	     c->inbound_capture_port, c->tproxy_mark);
}

static void inbound_tproxy(struct istio_maker *m, bool all)
{
	m->role = ISTIO_ROLE_CAPTURE_IN;
	if (all) {
		add(m, MANGLE, "istio-inbound", TCP "ct state related,established counter jump istio-divert");
		add(m, MANGLE, "istio-inbound", TCP "counter jump istio-tproxy");
		return;
	}
	for each(port, m->c->ports_in) {
		add(m, MANGLE, "istio-inbound",
		    TCP "ct state related,established tcp dport %s counter jump istio-divert", port);
		add(m, MANGLE, "istio-inbound", TCP "tcp dport %s counter jump istio-tproxy", port);
	}
}

static void inbound_redirect(struct istio_maker *m, bool all)
{
	m->role = ISTIO_ROLE_CAPTURE_IN;
	if (all) {
		add(m, NAT, "istio-inbound", TCP "counter jump istio-in-redirect");
		return;
	}
	for each(port, m->c->ports_in)
		add(m, NAT, "istio-inbound", TCP "tcp dport %s counter jump istio-in-redirect", port);
}

static void inbound(struct istio_maker *m)
{
	const struct istio_config *c = m->c;
	bool all = strcmp(c->inbound_ports_include, "*") == 0;
	const char *table = c->tproxy ? MANGLE : NAT;

	if (!c->inbound_ports_include[0])
		return;
	if (c->tproxy)
		tproxy_chains(m);
	m->role = ISTIO_ROLE_JUMP_IN;
	add(m, table, "prerouting", TCP "counter jump istio-inbound");
	m->role = ISTIO_ROLE_EXCLUDED_IN;
	if (all)
		for each(port, c->ports_in_exclude)
			add(m, table, "istio-inbound", TCP "tcp dport %s counter return", port);
	(c->tproxy ? inbound_tproxy : inbound_redirect)(m, all);
}

static void outbound_jump(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_JUMP_OUT;
	add(m, NAT, "output", "counter jump istio-output");
	m->role = ISTIO_ROLE_EXCLUDED_OUT;
	for each(port, m->c->ports_out_exclude) {
		add(m, NAT, "istio-output", "tcp dport %s counter return", port);
		add(m, NAT, "istio-output", "udp dport %s counter return", port);
	}
	m->role = ISTIO_ROLE_PASSTHROUGH;
	add(m, NAT, "istio-output", "oifname lo ip saddr 127.0.0.6/32 counter return");
	add6(m, NAT, "istio-output", "oifname lo ip6 saddr ::6/128 counter return");
}

static void to_self(struct istio_maker *m, const char *ports, const char *key, const char *id)
{
	m->role = ISTIO_ROLE_SELF_PROXIED;
	add(m, NAT, "istio-output",
	    "oifname lo " TCP "ip daddr != %s tcp dport != %s %s %s counter jump istio-in-redirect",
	    m->c->loopback_cidr, ports, key, id);
	add6(m, NAT, "istio-output",
	     "oifname lo " TCP "ip6 daddr != " L6 " tcp dport != %s %s %s counter jump istio-in-redirect", ports,
	     key, id);
}

static void one_owner(struct istio_maker *m, unsigned k, const char *id)
{
	const struct istio_config *c = m->c;
	const char *ports = c->inbound_tunnel_port;

	if (c->dns && k == 0)
		ports = arena_printf(m->arena, "{ 53, %s }", ports);
	if (!ports) {
		m->failed = true;
		return;
	}
	to_self(m, ports, keys[k], id);
	m->role = ISTIO_ROLE_SELF_DIRECT;
	if (!c->include.loopback)
		add(m, NAT, "istio-output", "oifname lo %s%s != %s counter return",
		    c->dns ? TCP "tcp dport != 53 " : "", keys[k], id);
	m->role = ISTIO_ROLE_PROXY_OWN;
	add(m, NAT, "istio-output", "%s %s counter return", keys[k], id);
}

static void owner_rules(struct istio_maker *m)
{
	for (unsigned k = 0; k < ARRAY_SIZE(keys); k++)
		for each(id, *ids_of(m->c, k))
			one_owner(m, k, id);
}

static void group_rules(struct istio_maker *m)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	m->role = ISTIO_ROLE_GROUPS;
	if (strcmp(m->c->groups_include, "*") == 0) {
		for each(group, m->c->groups_not)
			add(m, NAT, "istio-output", "skgid %s counter return", group);
		return;
	}
	for each(group, m->c->groups)
		buf_fmt(&b, "skgid != %s ", group);
	m->failed |= buf_failed(&b);
	add(m, NAT, "istio-output", "%scounter return", buf_cstr(&b));
}

static void dns_redirect(struct istio_maker *m, const char *all, const char *proto)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_DNS;
	if (c->capture_all_dns) {
		add(m, NAT, "istio-output-dns", "%s%s dport 53 counter redirect to :15053", all, proto);
		return;
	}
	for each(server, c->dns4)
		add(m, NAT, "istio-output-dns", "ip daddr %s/32 %s dport 53 counter redirect to :15053", server,
		    proto);
	for each(server, c->dns6)
		add6(m, NAT, "istio-output-dns", "ip6 daddr %s/128 %s dport 53 counter redirect to :15053", server,
		     proto);
}

static void dns_owner_zones(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_DNS_PROXY_ZONE;
	for (unsigned k = 0; k < ARRAY_SIZE(keys); k++)
		for each(id, *ids_of(m->c, k)) {
			add(m, RAW, "istio-output-dns", "udp dport 53 meta %s %s counter ct zone set 1", keys[k], id);
			add(m, RAW, "istio-output-dns", "udp sport 15053 meta %s %s counter ct zone set 2", keys[k],
			    id);
		}
}

static void dns_zones(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	dns_owner_zones(m);
	m->role = ISTIO_ROLE_DNS_APP_ZONE;
	add(m, RAW, "prerouting", "counter jump istio-inbound");
	if (c->capture_all_dns) {
		add(m, RAW, "istio-output-dns", "udp dport 53 counter ct zone set 2");
		add(m, RAW, "istio-inbound", "udp sport 53 counter ct zone set 1");
		return;
	}
	for each(server, c->dns4) {
		add(m, RAW, "istio-output-dns", "udp dport 53 ip daddr %s/32 counter ct zone set 2", server);
		add(m, RAW, "istio-inbound", "udp sport 53 ip saddr %s/32 counter ct zone set 1", server);
	}
	for each(server, c->dns6) {
		add6(m, RAW, "istio-output-dns", "udp dport 53 ip6 daddr %s/128 counter ct zone set 2", server);
		add6(m, RAW, "istio-inbound", "udp sport 53 ip6 saddr %s/128 counter ct zone set 1", server);
	}
}

static void dns(struct istio_maker *m)
{
	if (!m->c->dns)
		return;
	m->role = ISTIO_ROLE_DNS_JUMP;
	add(m, RAW, "output", "counter jump istio-output-dns");
	add(m, NAT, "istio-output", "counter jump istio-output-dns");
	dns_redirect(m, TCP, "tcp");
	dns_redirect(m, "", "udp");
	dns_zones(m);
}

static void outbound_exceptions(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_LOOPBACK;
	add(m, NAT, "istio-output", "ip daddr %s counter return", c->loopback_cidr);
	add6(m, NAT, "istio-output", "ip6 daddr " L6 " counter return");
	m->role = ISTIO_ROLE_EXCLUDED_DST;
	for each(range, c->exclude.v4)
		add(m, NAT, "istio-output", "ip daddr %s counter return", range);
	for each(range, c->exclude.v6)
		add6(m, NAT, "istio-output", "ip6 daddr %s counter return", range);
}

static void outbound_ranges(struct istio_maker *m, const char *field, const struct istio_list *ranges)
{
	for each(range, *ranges) {
		for each(nic, m->c->nics_virtual)
			insert(m, NAT, "prerouting", 0, "iifname %s %s %s counter jump istio-redirect", nic, field,
			       range);
		add(m, NAT, "istio-output", "%s %s counter jump istio-redirect", field, range);
	}
}

static void outbound(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	outbound_exceptions(m);
	m->role = ISTIO_ROLE_PORT_OUT;
	for each(port, c->ports_out)
		add(m, NAT, "istio-output", "tcp dport %s counter jump istio-redirect", port);
	m->role = ISTIO_ROLE_CAPTURE_OUT;
	if (c->include.star) {
		add(m, NAT, "istio-output", "counter jump istio-redirect");
		for each(nic, c->nics_virtual)
			insert(m, NAT, "prerouting", 0, "iifname %s counter jump istio-redirect", nic);
		return;
	}
	outbound_ranges(m, "ip daddr", &c->include.v4);
	if (c->ipv6)
		outbound_ranges(m, "ip6 daddr", &c->include.v6);
}

static void tproxy_loopback(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_TPROXY_LOOP;
	insert(m, MANGLE, "istio-inbound", 0, TCP "mark %s counter return", m->c->tproxy_mark);
	insert(m, MANGLE, "istio-inbound", 1, "iifname lo " TCP "ip saddr 127.0.0.6/32 counter return");
	if (m->c->ipv6)
		insert(m, MANGLE, "istio-inbound", 1, "iifname lo " TCP "ip6 saddr ::6/128 counter return");
	insert(m, MANGLE, "istio-inbound", 2, "iifname lo " TCP "mark != 1338 counter return");
}

static void tproxy_marks(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	if (!c->tproxy)
		return;
	m->role = ISTIO_ROLE_MARKS;
	add(m, MANGLE, "prerouting", TCP "mark %s counter ct mark set mark", c->tproxy_mark);
	add(m, MANGLE, "output", "oifname lo " TCP "mark %s counter return", c->tproxy_mark);
	for (unsigned k = 0; k < ARRAY_SIZE(keys); k++)
		for each(id, *ids_of(c, k)) {
			add(m, MANGLE, "output",
			    "oifname lo " TCP "ip daddr != %s %s %s counter meta mark set 1338", c->loopback_cidr,
			    keys[k], id);
			add6(m, MANGLE, "output",
			     "oifname lo " TCP "ip6 daddr != " L6 " %s %s counter meta mark set 1338", keys[k], id);
		}
	add(m, MANGLE, "output", TCP "ct mark %s counter meta mark set ct mark", c->tproxy_mark);
	tproxy_loopback(m);
}

void istio_make_sidecar_nft(struct istio_maker *m)
{
	nics(m);
	drop_invalid(m);
	redirects(m);
	inbound(m);
	outbound_jump(m);
	owner_rules(m);
	group_rules(m);
	dns(m);
	outbound(m);
	tproxy_marks(m);
}
