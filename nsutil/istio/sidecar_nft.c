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

	m->why = "leaves an excluded interface alone";
	for (unsigned t = 0; t < (m->c->tproxy ? 2 : 1); t++)
		for each(nic, m->c->nics_exclude) {
			add(m, tables[t], "prerouting", "iifname %s counter return", nic);
			add(m, tables[t], "output", "oifname %s counter return", nic);
		}
	m->why = "what enters from a virtual interface is not inbound";
	for each(nic, m->c->nics_virtual)
		insert(m, NAT, "prerouting", 0, "iifname %s counter return", nic);
}

static void drop_invalid(struct istio_maker *m)
{
	if (!m->c->drop_invalid)
		return;
	m->why = "drops packets that connection tracking calls invalid";
	add(m, MANGLE, "prerouting", TCP "ct state invalid counter jump istio-drop");
	add(m, MANGLE, "istio-drop", "counter drop");
}

static void redirects(struct istio_maker *m)
{
	m->why = "leaves the HBONE port to the proxy";
	add(m, NAT, "istio-inbound", TCP "tcp dport %s counter return", m->c->inbound_tunnel_port);
	m->why = "sends outbound connections to the proxy";
	add(m, NAT, "istio-redirect", TCP "counter redirect to :%s", m->c->proxy_port);
	m->why = "sends inbound connections to the proxy";
	add(m, NAT, "istio-in-redirect", TCP "counter redirect to :%s", m->c->inbound_capture_port);
}

static void tproxy_chains(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	m->why = "marks packets of connections that are already intercepted";
	add(m, MANGLE, "istio-divert", "counter meta mark set %s", c->tproxy_mark);
	add(m, MANGLE, "istio-divert", "counter accept");
	m->why = "hands inbound connections to the proxy with their addresses intact";
	add(m, MANGLE, "istio-tproxy", TCP "ip daddr != %s tproxy ip to :%s meta mark set %s counter accept",
	    c->loopback_cidr, c->inbound_capture_port, c->tproxy_mark);
	add6(m, MANGLE, "istio-tproxy", TCP "ip6 daddr != " L6 " tproxy ip6 to :%s meta mark set %s counter accept",
	     c->inbound_capture_port, c->tproxy_mark);
}

static void inbound_tproxy(struct istio_maker *m, bool all)
{
	m->why = "captures inbound connections";
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
	m->why = "captures inbound connections";
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
	m->why = "brings inbound connections into Istio's chain";
	add(m, table, "prerouting", TCP "counter jump istio-inbound");
	m->why = "leaves an excluded inbound port alone";
	if (all)
		for each(port, c->ports_in_exclude)
			add(m, table, "istio-inbound", TCP "tcp dport %s counter return", port);
	(c->tproxy ? inbound_tproxy : inbound_redirect)(m, all);
}

static void outbound_jump(struct istio_maker *m)
{
	m->why = "brings outbound packets into Istio's chain";
	add(m, NAT, "output", "counter jump istio-output");
	m->why = "leaves an excluded outbound port alone";
	for each(port, m->c->ports_out_exclude) {
		add(m, NAT, "istio-output", "tcp dport %s counter return", port);
		add(m, NAT, "istio-output", "udp dport %s counter return", port);
	}
	m->why = "the proxy's connections to the application (from 127.0.0.6) go through";
	add(m, NAT, "istio-output", "oifname lo ip saddr 127.0.0.6/32 counter return");
	add6(m, NAT, "istio-output", "oifname lo ip6 saddr ::6/128 counter return");
}

static void to_self(struct istio_maker *m, const char *ports, const char *key, const char *id)
{
	m->why = "the application reaching itself through the proxy comes in as inbound";
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
	m->why = "the application reaching itself over loopback goes directly";
	if (!c->include.loopback)
		add(m, NAT, "istio-output", "oifname lo %s%s != %s counter return",
		    c->dns ? TCP "tcp dport != 53 " : "", keys[k], id);
	m->why = "lets the proxy's own connections out";
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

	m->why = "leaves groups that are not captured alone";
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

	m->why = "sends DNS queries to the proxy";
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
	m->why = "keeps the proxy's DNS queries apart in connection tracking";
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
	m->why = "keeps the application's DNS queries apart in connection tracking";
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
	m->why = "brings DNS queries into Istio's chain";
	add(m, RAW, "output", "counter jump istio-output-dns");
	add(m, NAT, "istio-output", "counter jump istio-output-dns");
	dns_redirect(m, TCP, "tcp");
	dns_redirect(m, "", "udp");
	dns_zones(m);
}

static void outbound_exceptions(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	m->why = "leaves loopback destinations alone";
	add(m, NAT, "istio-output", "ip daddr %s counter return", c->loopback_cidr);
	add6(m, NAT, "istio-output", "ip6 daddr " L6 " counter return");
	m->why = "leaves an excluded destination alone";
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
	m->why = "captures an outbound port";
	for each(port, c->ports_out)
		add(m, NAT, "istio-output", "tcp dport %s counter jump istio-redirect", port);
	m->why = "captures outbound connections";
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
	m->why = "lets what was intercepted already reach the application";
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
	m->why = "keeps the mark with the connection";
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
