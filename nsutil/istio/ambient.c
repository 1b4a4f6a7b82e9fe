/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ambient - the rules inside a pod of the ambient mesh, for iptables and native nftables (SPEC G) */
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/plan.h"

/* Compiled into Istio: ztunnel's own packets, its connections; both under mask 0xfff. */
#define OWN "0x539/0xfff"
#define CONN "0x111/0xfff"
#define L4 "127.0.0.1/32"
#define L6 "::1/128"

#define A(m, table, chain, ...) istio_make_rule(m, ISTIO_BOTH, table, chain, 0, NULL, NULL, __VA_ARGS__)
#define AV(m, x4, x6, table, chain, text) istio_make_rule(m, ISTIO_BOTH, table, chain, 0, x4, x6, text)

static void jumps(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_AMBIENT_JUMP;
	A(m, "mangle", "PREROUTING", "-j ISTIO_PRERT");
	A(m, "mangle", "OUTPUT", "-j ISTIO_OUTPUT");
	A(m, "nat", "OUTPUT", "-j ISTIO_OUTPUT");
	if (m->c->dns && m->c->minor >= 24) {
		A(m, "raw", "PREROUTING", "-j ISTIO_PRERT");
		A(m, "raw", "OUTPUT", "-j ISTIO_OUTPUT");
	}
	if (!m->c->ambient_tproxy)
		A(m, "nat", "PREROUTING", "-j ISTIO_PRERT");
}

static void virtual_nics(struct istio_maker *m)
{
	const struct istio_list *l = &m->c->nics_virtual;

	m->role = ISTIO_ROLE_AMBIENT_NIC;
	for (unsigned i = 0; i < l->n; i++) {
		A(m, "nat", "ISTIO_PRERT", "-i %s -p tcp -j REDIRECT --to-ports 15001", l->items[i]);
		A(m, "nat", "ISTIO_PRERT", "-i %s -p tcp -j RETURN", l->items[i]);
	}
}

/* 1.21 to 1.24: what enters keeps its destination on the way to ztunnel. */
static void tproxy_in(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_AMBIENT_SELF;
	AV(m, L4, L6, "mangle", "ISTIO_PRERT", "! -d @ -p tcp -i lo -j ACCEPT");
	m->role = ISTIO_ROLE_ZTUNNEL_IN;
	A(m, "mangle", "ISTIO_PRERT",
	  "-p tcp -m tcp --dport 15008 -m mark ! --mark " OWN " -j TPROXY --on-port 15008 --tproxy-mark " CONN);
	m->role = ISTIO_ROLE_DIVERT;
	A(m, "mangle", "ISTIO_PRERT", "-p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
	m->role = ISTIO_ROLE_ZTUNNEL_IN;
	AV(m, L4, L6, "mangle", "ISTIO_PRERT",
	   "! -d @ -p tcp -m mark ! --mark " OWN " -j TPROXY --on-port 15006 --tproxy-mark " CONN);
}

static void inbound(struct istio_maker *m)
{
	const struct istio_config *c = m->c;
	const char *table = c->ambient_tproxy ? "mangle" : "nat";

	m->role = ISTIO_ROLE_REMEMBER;
	if (!c->ingress_mode || c->minor >= 29) /* before, the chain of an ingress pod was left empty */
		A(m, "mangle", "ISTIO_PRERT", "-m mark --mark " OWN " -j CONNMARK --set-xmark " CONN);
	m->role = ISTIO_ROLE_PROBE;
	if (!c->ingress_mode)
		AV(m, c->probe_snat4, c->probe_snat6, table, "ISTIO_PRERT", "-s @ -p tcp -m tcp -j ACCEPT");
	AV(m, c->probe_snat4, c->probe_snat6, "nat", "ISTIO_OUTPUT", "-d @ -p tcp -m tcp -j ACCEPT");
	m->role = ISTIO_ROLE_ZTUNNEL_IN;
	if (c->ambient_tproxy)
		tproxy_in(m);
	else if (!c->ingress_mode)
		AV(m, L4, L6, "nat", "ISTIO_PRERT",
		   "! -d @ -p tcp ! --dport 15008 -m mark ! --mark " OWN " -j REDIRECT --to-ports 15006");
	m->role = ISTIO_ROLE_RESTORE;
	A(m, "mangle", "ISTIO_OUTPUT",
	  "-m connmark --mark " CONN " -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff");
}

static void dns(struct istio_maker *m)
{
	if (!m->c->dns)
		return;
	m->role = ISTIO_ROLE_ZTUNNEL_DNS;
	if (m->c->minor < 24) {
		A(m, "nat", "ISTIO_OUTPUT", "! -o lo -p udp -m udp --dport 53 -j REDIRECT --to-port 15053");
		return;
	}
	A(m, "nat", "ISTIO_OUTPUT",
	  "! -o lo -p udp -m mark ! --mark " OWN " -m udp --dport 53 -j REDIRECT --to-port 15053");
	AV(m, L4, L6, "nat", "ISTIO_OUTPUT",
	   "! -d @ -p tcp --dport 53 -m mark ! --mark " OWN " -j REDIRECT --to-ports 15053");
	m->role = ISTIO_ROLE_ZTUNNEL_ZONE;
	A(m, "raw", "ISTIO_OUTPUT", "-p udp -m mark --mark " OWN " -m udp --dport 53 -j CT --zone 1");
	A(m, "raw", "ISTIO_PRERT", "-p udp -m mark ! --mark " OWN " -m udp --sport 53 -j CT --zone 1");
}

static void outbound(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_ANSWERS;
	A(m, "nat", "ISTIO_OUTPUT", "-p tcp -m mark --mark " CONN " -j ACCEPT");
	m->role = ISTIO_ROLE_AMBIENT_SELF;
	AV(m, L4, L6, "nat", "ISTIO_OUTPUT", "! -d @ -o lo -j ACCEPT");
	m->role = ISTIO_ROLE_ZTUNNEL_OUT;
	AV(m, L4, L6, "nat", "ISTIO_OUTPUT",
	   "! -d @ -p tcp -m mark ! --mark " OWN " -j REDIRECT --to-ports 15001");
}

void istio_make_ambient(struct istio_maker *m)
{
	jumps(m);
	virtual_nics(m);
	inbound(m);
	dns(m);
	outbound(m);
}

#define NAT "istio-ambient-nat"
#define MANGLE "istio-ambient-mangle"
#define RAW "istio-ambient-raw"
#define PRE "istio-prerouting"
#define OUT "istio-output"
#define TCP "meta l4proto tcp "

#define add(m, table, chain, ...) istio_make_nft(m, table, chain, -1, __VA_ARGS__)
#define add6(m, table, chain, ...) \
	do { \
		if ((m)->c->ipv6) \
			add(m, table, chain, __VA_ARGS__); \
	} while (0)

static void nft_jumps(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_AMBIENT_JUMP;
	add(m, MANGLE, "prerouting", "jump " PRE);
	add(m, MANGLE, "output", "jump " OUT);
	add(m, NAT, "output", "jump " OUT);
	if (m->c->dns) {
		add(m, RAW, "prerouting", "jump " PRE);
		add(m, RAW, "output", "jump " OUT);
	}
	add(m, NAT, "prerouting", "jump " PRE);
}

static void nft_virtual_nics(struct istio_maker *m)
{
	const struct istio_list *l = &m->c->nics_virtual;

	m->role = ISTIO_ROLE_AMBIENT_NIC;
	for (unsigned i = 0; i < l->n; i++) {
		add(m, NAT, PRE, "iifname %s " TCP "counter redirect to :15001", l->items[i]);
		add(m, NAT, PRE, "iifname %s " TCP "counter return", l->items[i]);
	}
}

/* Two blanks in two of the texts are Istio's own; the text is to equal its, byte for byte. */
static void nft_inbound(struct istio_maker *m)
{
	const struct istio_config *c = m->c;

	m->role = ISTIO_ROLE_REMEMBER;
	if (!m->c->ingress_mode || m->c->minor >= 29)
		add(m, MANGLE, PRE, "meta mark & 0xfff == 0x539 counter ct mark set ct mark & 0xfffff000 |  0x111");
	m->role = ISTIO_ROLE_PROBE;
	if (!c->ingress_mode) {
		add(m, NAT, PRE, TCP "ip saddr %s counter accept", c->probe_snat4);
		add6(m, NAT, PRE, TCP "ip6 saddr %s counter accept", c->probe_snat6);
	}
	add(m, NAT, OUT, TCP "ip daddr %s counter accept", c->probe_snat4);
	add6(m, NAT, OUT, TCP "ip6 daddr %s counter accept", c->probe_snat6);
	m->role = ISTIO_ROLE_ZTUNNEL_IN;
	if (!c->ingress_mode) {
		add(m, NAT, PRE,
		    "ip daddr != " L4 " tcp dport != 15008 mark and 0xfff  != 0x539 counter redirect to :15006");
		add6(m, NAT, PRE,
		     "ip6 daddr != " L6 " tcp dport != 15008 mark and 0xfff != 0x539 counter redirect to :15006");
	}
	m->role = ISTIO_ROLE_RESTORE;
	add(m, MANGLE, OUT, "ct mark and 0xfff == 0x111 counter meta mark set ct mark");
}

static void nft_dns(struct istio_maker *m)
{
	if (!m->c->dns)
		return;
	m->role = ISTIO_ROLE_ZTUNNEL_DNS;
	add(m, NAT, OUT, "oifname != lo mark and 0xfff != 0x539 udp dport 53 counter redirect to :15053");
	add(m, NAT, OUT, "ip daddr != " L4 " tcp dport 53 mark and 0xfff != 0x539 counter redirect to :15053");
	add6(m, NAT, OUT, "ip6 daddr != " L6 " tcp dport 53 mark and 0xfff != 0x539 counter redirect to :15053");
	m->role = ISTIO_ROLE_ZTUNNEL_ZONE;
	add(m, RAW, OUT, "udp dport 53 meta mark and 0xfff == 0x539 counter ct zone set 1");
	add(m, RAW, PRE, "udp sport 53 meta mark and 0xfff != 0x539 counter ct zone set 1");
}

static void nft_outbound(struct istio_maker *m)
{
	m->role = ISTIO_ROLE_ANSWERS;
	add(m, NAT, OUT, TCP "mark and 0xfff == 0x111 counter accept");
	m->role = ISTIO_ROLE_AMBIENT_SELF;
	add(m, NAT, OUT, "oifname lo ip daddr != " L4 " counter accept");
	add6(m, NAT, OUT, "oifname lo ip6 daddr != " L6 " counter accept");
	m->role = ISTIO_ROLE_ZTUNNEL_OUT;
	add(m, NAT, OUT, TCP "ip daddr != " L4 " mark and 0xfff != 0x539 counter redirect to :15001");
	add6(m, NAT, OUT, TCP "ip6 daddr != " L6 " mark and 0xfff != 0x539 counter redirect to :15001");
}

void istio_make_ambient_nft(struct istio_maker *m)
{
	nft_jumps(m);
	nft_virtual_nics(m);
	nft_inbound(m);
	nft_dns(m);
	nft_outbound(m);
}
