/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sidecar - the rules of a sidecar pod for iptables, step by step in Istio's order (SPEC B1) */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/plan.h"

#define L6 "::1/128"

/* Appended in both families, in the one, with the family's address in place of '@', inserted. */
#define A(m, table, chain, ...) istio_make_rule(m, ISTIO_BOTH, table, chain, 0, NULL, NULL, __VA_ARGS__)
#define A4(m, table, chain, ...) istio_make_rule(m, ISTIO_V4, table, chain, 0, NULL, NULL, __VA_ARGS__)
#define A6(m, table, chain, ...) istio_make_rule(m, ISTIO_V6, table, chain, 0, NULL, NULL, __VA_ARGS__)
#define AV(m, x4, x6, table, chain, ...) istio_make_rule(m, ISTIO_BOTH, table, chain, 0, x4, x6, __VA_ARGS__)
#define I(m, fam, table, chain, n, ...) istio_make_rule(m, fam, table, chain, n, NULL, NULL, __VA_ARGS__)

#define each(item, list) \
	(unsigned i_##item = 0; i_##item < (list).n; i_##item++) \
		for (const char *item = (list).items[i_##item], *once_##item = item; once_##item; once_##item = NULL)

/* What differs between the two kinds of owner. */
static const struct owner {
	const char *option;
	bool user;
} owners[] = { { "--uid-owner", true }, { "--gid-owner", false } };

static const struct istio_list *ids_of(const struct istio_config *c, const struct owner *o)
{
	return o->user ? &c->uids : &c->gids;
}

static void excluded_nics(struct istio_maker *m)
{
	static const char *const tables[] = { "nat", "mangle" };

	m->role = ISTIO_ROLE_EXCLUDED_NIC;
	for (unsigned t = 0; t < (m->c->tproxy ? 2 : 1); t++)
		for each(nic, m->c->nics_exclude) {
			A(m, tables[t], "PREROUTING", "-i %s -j RETURN", nic);
			A(m, tables[t], "OUTPUT", "-o %s -j RETURN", nic);
		}
}

static void virtual_nics(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_VIRTUAL_NIC;
	for each(nic, m->c->nics_virtual)
		I(m, ISTIO_BOTH, "nat", "PREROUTING", 1, "-i %s -j RETURN", nic);
}

static void drop_invalid(struct istio_maker *m)
{
	if (!m->c->drop_invalid)
		return;
	m->role = ISTIO_ROLE_INVALID;
	if (m->c->minor < 24) {
		A(m, "mangle", "PREROUTING", "-m conntrack --ctstate INVALID -j DROP");
		return;
	}
	A(m, "mangle", "PREROUTING", "-m conntrack --ctstate INVALID -j ISTIO_DROP");
	A(m, "mangle", "ISTIO_DROP", "-j DROP");
}

static void redirects(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_TUNNEL;
	A(m, "nat", "ISTIO_INBOUND", "-p tcp --dport %s -j RETURN", m->c->inbound_tunnel_port);
	m->role = ISTIO_ROLE_TO_PROXY_OUT;
	A(m, "nat", "ISTIO_REDIRECT", "-p tcp -j REDIRECT --to-ports %s", m->c->proxy_port);
	m->role = ISTIO_ROLE_TO_PROXY_IN;
	A(m, "nat", "ISTIO_IN_REDIRECT", "-p tcp -j REDIRECT --to-ports %s", m->c->inbound_capture_port);
}

static void tproxy_chains(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_DIVERT;
	A(m, "mangle", "ISTIO_DIVERT", "-j MARK --set-mark %s", m->c->tproxy_mark);
	A(m, "mangle", "ISTIO_DIVERT", "-j ACCEPT");
	m->role = ISTIO_ROLE_TPROXY;
	AV(m, m->c->loopback_cidr, L6, "mangle", "ISTIO_TPROXY",
	   "! -d @ -p tcp -j TPROXY --tproxy-mark %s/0xffffffff --on-port %s", m->c->tproxy_mark,
	   m->c->inbound_capture_port);
}

/* The rules that capture one port, or all when @port is "". */
static void capture_port(struct istio_maker *m, const char *match)
{
	m->role = ISTIO_ROLE_CAPTURE_IN;
	if (!m->c->tproxy) {
		A(m, "nat", "ISTIO_INBOUND", "-p tcp%s -j ISTIO_IN_REDIRECT", match);
		return;
	}
	A(m, "mangle", "ISTIO_INBOUND", "-p tcp%s -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT",
	  match);
	A(m, "mangle", "ISTIO_INBOUND", "-p tcp%s -j ISTIO_TPROXY", match);
}

static void inbound(struct istio_maker *m)
{
	const struct istio_config *c = m->c;
	const char *table = c->tproxy ? "mangle" : "nat";

	if (!c->inbound_ports_include[0])
		return;
	if (c->tproxy)
		tproxy_chains(m);
	m->role = ISTIO_ROLE_JUMP_IN;
	A(m, table, "PREROUTING", "-p tcp -j ISTIO_INBOUND");
	if (strcmp(c->inbound_ports_include, "*") == 0) {
		m->role = ISTIO_ROLE_EXCLUDED_IN;
		if (c->minor < 13)
			A(m, table, "ISTIO_INBOUND", "-p tcp --dport 22 -j RETURN");
		for each(port, c->ports_in_exclude)
			A(m, table, "ISTIO_INBOUND", "-p tcp --dport %s -j RETURN", port);
		capture_port(m, "");
		return;
	}
	for each(port, c->ports_in) {
		const char *match = arena_printf(m->arena, " --dport %s", port);

		if (match)
			capture_port(m, match);
		else
			m->failed = true;
	}
}

static void outbound_jump(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_JUMP_OUT;
	A(m, "nat", "OUTPUT", "%s-j ISTIO_OUTPUT", m->c->minor < 25 ? "-p tcp " : "");
	m->role = ISTIO_ROLE_EXCLUDED_OUT;
	for each(port, m->c->ports_out_exclude) {
		A(m, "nat", "ISTIO_OUTPUT", "-p tcp --dport %s -j RETURN", port);
		if (m->c->minor >= 25)
			A(m, "nat", "ISTIO_OUTPUT", "-p udp --dport %s -j RETURN", port);
	}
	m->role = ISTIO_ROLE_PASSTHROUGH;
	AV(m, "127.0.0.6/32", "::6/128", "nat", "ISTIO_OUTPUT", "-o lo -s @ -j RETURN");
}

/* The proxy's own traffic: to itself by the pod's address it is inbound, all else is let go. */
static void one_owner(struct istio_maker *m, const struct owner *o, const char *id)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_SELF_PROXIED;
	if (c->minor < 18)
		AV(m, c->loopback_cidr, L6, "nat", "ISTIO_OUTPUT", "-o lo ! -d @%s -m owner %s %s -j ISTIO_IN_REDIRECT",
		   c->dns && o->user ? " -p tcp ! --dport 53" : "", o->option, id);
	else if (c->dns && o->user)
		AV(m, c->loopback_cidr, L6, "nat", "ISTIO_OUTPUT",
		   "-o lo ! -d @ -p tcp -m multiport ! --dports 53,%s -m owner %s %s -j ISTIO_IN_REDIRECT",
		   c->inbound_tunnel_port, o->option, id);
	else
		AV(m, c->loopback_cidr, L6, "nat", "ISTIO_OUTPUT",
		   "-o lo ! -d @ -p tcp ! --dport %s -m owner %s %s -j ISTIO_IN_REDIRECT",
		   c->inbound_tunnel_port, o->option, id);
	m->role = ISTIO_ROLE_SELF_DIRECT;
	if (!c->include.loopback)
		A(m, "nat", "ISTIO_OUTPUT", "-o lo%s -m owner ! %s %s -j RETURN",
		  c->dns ? " -p tcp ! --dport 53" : "", o->option, id);
	m->role = ISTIO_ROLE_PROXY_OWN;
	A(m, "nat", "ISTIO_OUTPUT", "-m owner %s %s -j RETURN", o->option, id);
}

static void owner_rules(struct istio_maker *m)
{
	for (unsigned i = 0; i < ARRAY_SIZE(owners); i++)
		for each(id, *ids_of(m->c, &owners[i]))
			one_owner(m, &owners[i], id);
}

static void group_rules(struct istio_maker *m)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	m->role = ISTIO_ROLE_GROUPS;
	if (strcmp(m->c->groups_include, "*") == 0) {
		for each(group, m->c->groups_not)
			A(m, "nat", "ISTIO_OUTPUT", "-m owner --gid-owner %s -j RETURN", group);
		return;
	}
	for each(group, m->c->groups)
		buf_fmt(&b, "-m owner ! --gid-owner %s ", group);
	m->failed |= buf_failed(&b);
	A(m, "nat", "ISTIO_OUTPUT", "%s-j RETURN", buf_cstr(&b));
}

/* Istio spells the option differently for UDP; the kernel gets the same. */
static void dns_redirect(struct istio_maker *m, const char *proto, const char *option)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_DNS;
	if (c->capture_all_dns) {
		A(m, "nat", "ISTIO_OUTPUT_DNS", "-p %s --dport 53 -j REDIRECT %s 15053", proto, option);
		return;
	}
	for each(server, c->dns4)
		A4(m, "nat", "ISTIO_OUTPUT_DNS", "-p %s --dport 53 -d %s/32 -j REDIRECT %s 15053", proto, server,
		   option);
	for each(server, c->dns6)
		A6(m, "nat", "ISTIO_OUTPUT_DNS", "-p %s --dport 53 -d %s/128 -j REDIRECT %s 15053", proto, server,
		   option);
}

static void dns_owner_zones(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_DNS_PROXY_ZONE;
	for (unsigned i = 0; i < ARRAY_SIZE(owners); i++)
		for each(id, *ids_of(m->c, &owners[i])) {
			A(m, "raw", "ISTIO_OUTPUT_DNS", "-p udp --dport 53 -m owner %s %s -j CT --zone 1",
			  owners[i].option, id);
			A(m, "raw", "ISTIO_OUTPUT_DNS", "-p udp --sport 15053 -m owner %s %s -j CT --zone 2",
			  owners[i].option, id);
		}
}

static void dns_server_zones(struct istio_maker *m, unsigned family, const struct istio_list *servers,
			     unsigned len)
{
	if (servers->n)
		I(m, family, "raw", "PREROUTING", 0, "-j ISTIO_INBOUND");
	for each(server, *servers) {
		I(m, family, "raw", "ISTIO_OUTPUT_DNS", 0, "-p udp --dport 53 -d %s/%u -j CT --zone 2", server,
		  len);
		I(m, family, "raw", "ISTIO_INBOUND", 0, "-p udp --sport 53 -s %s/%u -j CT --zone 1", server, len);
	}
}

static void dns_zones(struct istio_maker *m)
{
	dns_owner_zones(m);
	m->role = ISTIO_ROLE_DNS_APP_ZONE;
	if (!m->c->capture_all_dns) {
		dns_server_zones(m, ISTIO_V4, &m->c->dns4, 32);
		dns_server_zones(m, ISTIO_V6, &m->c->dns6, 128);
		return;
	}
	A(m, "raw", "PREROUTING", "-j ISTIO_INBOUND");
	A(m, "raw", "ISTIO_OUTPUT_DNS", "-p udp --dport 53 -j CT --zone 2");
	A(m, "raw", "ISTIO_INBOUND", "-p udp --sport 53 -j CT --zone 1");
}

static void dns(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	if (!c->dns)
		return;
	m->role = ISTIO_ROLE_DNS_JUMP;
	A(m, "raw", "OUTPUT", "-j ISTIO_OUTPUT_DNS");
	if (c->capture_all_dns || c->dns4.n)
		A4(m, "nat", "ISTIO_OUTPUT", "-j ISTIO_OUTPUT_DNS");
	if (c->capture_all_dns || c->dns6.n)
		A6(m, "nat", "ISTIO_OUTPUT", "-j ISTIO_OUTPUT_DNS");
	dns_redirect(m, "tcp", "--to-ports");
	dns_redirect(m, "udp", "--to-port");
	dns_zones(m);
}

static void outbound_family(struct istio_maker *m, unsigned family, const struct istio_list *ranges)
{
	m->role = ISTIO_ROLE_CAPTURE_OUT;
	if (m->c->include.star) {
		I(m, family, "nat", "ISTIO_OUTPUT", 0, "-j ISTIO_REDIRECT");
		for each(nic, m->c->nics_virtual)
			I(m, family, "nat", "PREROUTING", 1, "-i %s -j ISTIO_REDIRECT", nic);
		return;
	}
	for each(range, *ranges) {
		for each(nic, m->c->nics_virtual)
			I(m, family, "nat", "PREROUTING", 1, "-i %s -d %s -j ISTIO_REDIRECT", nic, range);
		I(m, family, "nat", "ISTIO_OUTPUT", 0, "-d %s -j ISTIO_REDIRECT", range);
	}
	if (m->c->minor < 23 && ranges->n)
		I(m, family, "nat", "ISTIO_OUTPUT", 0, "-j RETURN");
}

static void outbound(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_LOOPBACK;
	AV(m, c->loopback_cidr, L6, "nat", "ISTIO_OUTPUT", "-d @ -j RETURN");
	m->role = ISTIO_ROLE_EXCLUDED_DST;
	for each(range, c->exclude.v4)
		A4(m, "nat", "ISTIO_OUTPUT", "-d %s -j RETURN", range);
	for each(range, c->exclude.v6)
		A6(m, "nat", "ISTIO_OUTPUT", "-d %s -j RETURN", range);
	m->role = ISTIO_ROLE_PORT_OUT;
	for each(port, c->ports_out)
		A(m, "nat", "ISTIO_OUTPUT", "-p tcp --dport %s -j ISTIO_REDIRECT", port);
	outbound_family(m, ISTIO_V4, &c->include.v4);
	outbound_family(m, ISTIO_V6, &c->include.v6);
}

/* Packets from the proxy to itself get a mark of their own, 1338, compiled into Istio. */
static void tproxy_loopback(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_TPROXY_LOOP;
	I(m, ISTIO_BOTH, "mangle", "ISTIO_INBOUND", 1, "-p tcp -m mark --mark %s -j RETURN", m->c->tproxy_mark);
	I(m, ISTIO_V4, "mangle", "ISTIO_INBOUND", 2, "-p tcp -s 127.0.0.6/32 -i lo -j RETURN");
	I(m, ISTIO_V6, "mangle", "ISTIO_INBOUND", 2, "-p tcp -s ::6/128 -i lo -j RETURN");
	I(m, ISTIO_BOTH, "mangle", "ISTIO_INBOUND", 3, "-p tcp -i lo -m mark ! --mark 1338 -j RETURN");
}

static void tproxy_marks(struct istio_maker *m)
{
	const char *mark = m->c->tproxy_mark;

	if (!m->c->tproxy)
		return;
	m->role = ISTIO_ROLE_MARKS;
	A(m, "mangle", "PREROUTING", "-p tcp -m mark --mark %s -j CONNMARK --save-mark", mark);
	A(m, "mangle", "OUTPUT", "-p tcp -o lo -m mark --mark %s -j RETURN", mark);
	for (unsigned i = 0; i < ARRAY_SIZE(owners); i++)
		for each(id, *ids_of(m->c, &owners[i]))
			AV(m, m->c->loopback_cidr, L6, "mangle", "OUTPUT",
			   "! -d @ -p tcp -o lo -m owner %s %s -j MARK --set-mark 1338", owners[i].option, id);
	A(m, "mangle", "OUTPUT", "-p tcp -m connmark --mark %s -j CONNMARK --restore-mark", mark);
	tproxy_loopback(m);
}

void istio_make_sidecar(struct istio_maker *m)
{
	excluded_nics(m);
	virtual_nics(m);
	drop_invalid(m);
	redirects(m);
	inbound(m);
	outbound_jump(m);
	owner_rules(m);
	group_rules(m);
	if (m->c->minor < 25)
		istio_make_old_dns_tcp(m);
	else
		dns(m);
	outbound(m);
	if (m->c->minor < 25)
		istio_make_old_dns_udp(m);
	tproxy_marks(m);
}
