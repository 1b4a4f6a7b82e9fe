/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_names - the words that nft has for values */
#include "nsutil/ruleset/nft_names.h"

#include <stddef.h>

/* Where several words stand for one value, the first is the one nft prints. */
static const struct nft_name ethertypes[] = {
	{ 0x0800, "ip" }, { 0x0806, "arp" }, { 0x86dd, "ip6" }, { 0x8100, "8021q" },
	{ 0x88a8, "8021ad" }, { 0, NULL },
};

/* nft asks the protocols database; these are the entries that Debian's /etc/protocols has. */
static const struct nft_name protocols[] = {
	{ 0, "ip" }, { 1, "icmp" }, { 2, "igmp" }, { 3, "ggp" }, { 4, "ipencap" }, { 5, "st" },
	{ 6, "tcp" }, { 8, "egp" }, { 9, "igp" }, { 12, "pup" }, { 17, "udp" }, { 20, "hmp" },
	{ 22, "xns-idp" }, { 27, "rdp" }, { 29, "iso-tp4" }, { 33, "dccp" }, { 36, "xtp" },
	{ 37, "ddp" }, { 38, "idpr-cmtp" }, { 41, "ipv6" }, { 43, "ipv6-route" }, { 44, "ipv6-frag" },
	{ 45, "idrp" }, { 46, "rsvp" }, { 47, "gre" }, { 50, "esp" }, { 51, "ah" }, { 57, "skip" },
	{ 58, "ipv6-icmp" }, { 59, "ipv6-nonxt" }, { 60, "ipv6-opts" }, { 73, "rspf" }, { 81, "vmtp" },
	{ 88, "eigrp" }, { 89, "ospf" }, { 93, "ax.25" }, { 94, "ipip" }, { 97, "etherip" },
	{ 98, "encap" }, { 103, "pim" }, { 108, "ipcomp" }, { 112, "vrrp" }, { 115, "l2tp" },
	{ 124, "isis" }, { 132, "sctp" }, { 133, "fc" }, { 135, "mobility-header" }, { 136, "udplite" },
	{ 137, "mpls-in-ip" }, { 138, "manet" }, { 139, "hip" }, { 140, "shim6" }, { 141, "wesp" },
	{ 142, "rohc" }, { 143, "ethernet" }, { 0, NULL },
};

static const struct nft_name icmp_types[] = {
	{ 0, "echo-reply" }, { 3, "destination-unreachable" }, { 4, "source-quench" }, { 5, "redirect" },
	{ 8, "echo-request" }, { 9, "router-advertisement" }, { 10, "router-solicitation" },
	{ 11, "time-exceeded" }, { 12, "parameter-problem" }, { 13, "timestamp-request" },
	{ 14, "timestamp-reply" }, { 15, "info-request" }, { 16, "info-reply" },
	{ 17, "address-mask-request" }, { 18, "address-mask-reply" }, { 0, NULL },
};

static const struct nft_name icmp_codes[] = {
	{ 0, "net-unreachable" }, { 1, "host-unreachable" }, { 2, "prot-unreachable" },
	{ 3, "port-unreachable" }, { 9, "net-prohibited" }, { 10, "host-prohibited" },
	{ 13, "admin-prohibited" }, { 4, "frag-needed" }, { 0, NULL },
};

static const struct nft_name icmpv6_types[] = {
	{ 1, "destination-unreachable" }, { 2, "packet-too-big" }, { 3, "time-exceeded" },
	{ 4, "parameter-problem" }, { 128, "echo-request" }, { 129, "echo-reply" },
	{ 130, "mld-listener-query" }, { 131, "mld-listener-report" }, { 132, "mld-listener-done" },
	{ 133, "nd-router-solicit" }, { 134, "nd-router-advert" }, { 135, "nd-neighbor-solicit" },
	{ 136, "nd-neighbor-advert" }, { 137, "nd-redirect" }, { 138, "router-renumbering" },
	{ 141, "ind-neighbor-solicit" }, { 142, "ind-neighbor-advert" },
	{ 143, "mld2-listener-report" }, { 0, NULL },
};

static const struct nft_name icmpv6_codes[] = {
	{ 0, "no-route" }, { 1, "admin-prohibited" }, { 3, "addr-unreachable" },
	{ 4, "port-unreachable" }, { 5, "policy-fail" }, { 6, "reject-route" }, { 0, NULL },
};

static const struct nft_name icmpx_codes[] = {
	{ 0, "no-route" }, { 1, "port-unreachable" }, { 2, "host-unreachable" },
	{ 3, "admin-prohibited" }, { 0, NULL },
};

static const struct nft_name igmp_types[] = {
	{ 0x11, "membership-query" }, { 0x12, "membership-report-v1" },
	{ 0x16, "membership-report-v2" }, { 0x17, "leave-group" }, { 0x22, "membership-report-v3" },
	{ 0, NULL },
};

static const struct nft_name tcp_flags[] = {
	{ 0x01, "fin" }, { 0x02, "syn" }, { 0x04, "rst" }, { 0x08, "psh" }, { 0x10, "ack" },
	{ 0x20, "urg" }, { 0x40, "ecn" }, { 0x80, "cwr" }, { 0, NULL },
};

static const struct nft_name dccp_types[] = {
	{ 0, "request" }, { 1, "response" }, { 2, "data" }, { 3, "ack" }, { 4, "dataack" },
	{ 5, "closereq" }, { 6, "close" }, { 7, "reset" }, { 8, "sync" }, { 9, "syncack" }, { 0, NULL },
};

static const struct nft_name mh_types[] = {
	{ 0, "binding-refresh-request" }, { 1, "home-test-init" }, { 2, "careof-test-init" },
	{ 3, "home-test" }, { 4, "careof-test" }, { 5, "binding-update" },
	{ 6, "binding-acknowledgement" }, { 7, "binding-error" }, { 8, "fast-binding-update" },
	{ 9, "fast-binding-acknowledgement" }, { 10, "fast-binding-advertisement" },
	{ 11, "experimental-mobility-header" }, { 12, "home-agent-switch-message" }, { 0, NULL },
};

static const struct nft_name dscps[] = {
	{ 0x00, "cs0" }, { 0x08, "cs1" }, { 0x10, "cs2" }, { 0x18, "cs3" }, { 0x20, "cs4" },
	{ 0x28, "cs5" }, { 0x30, "cs6" }, { 0x38, "cs7" }, { 0x01, "lephb" }, { 0x0a, "af11" },
	{ 0x0c, "af12" }, { 0x0e, "af13" }, { 0x12, "af21" }, { 0x14, "af22" }, { 0x16, "af23" },
	{ 0x1a, "af31" }, { 0x1c, "af32" }, { 0x1e, "af33" }, { 0x22, "af41" }, { 0x24, "af42" },
	{ 0x26, "af43" }, { 0x2c, "va" }, { 0x2e, "ef" }, { 0, NULL },
};

static const struct nft_name ecns[] = {
	{ 0, "not-ect" }, { 1, "ect1" }, { 2, "ect0" }, { 3, "ce" }, { 0, NULL },
};

static const struct nft_name arp_ops[] = {
	{ 1, "request" }, { 2, "reply" }, { 3, "rrequest" }, { 4, "rreply" }, { 8, "inrequest" },
	{ 9, "inreply" }, { 10, "nak" }, { 0, NULL },
};

static const struct nft_name nfprotos[] = { { 2, "ipv4" }, { 10, "ipv6" }, { 0, NULL } };

static const struct nft_name arphrds[] = {
	{ 1, "ether" }, { 512, "ppp" }, { 769, "ipip6" }, { 768, "ipip" }, { 772, "loopback" },
	{ 776, "sit" }, { 778, "ipgre" }, { 0, NULL },
};

static const struct nft_name ct_states[] = {
	{ 1, "invalid" }, { 8, "new" }, { 2, "established" }, { 4, "related" }, { 64, "untracked" },
	{ 0, NULL },
};

static const struct nft_name ct_dirs[] = { { 0, "original" }, { 1, "reply" }, { 0, NULL } };

static const struct nft_name ct_statuses[] = {
	{ 1, "expected" }, { 2, "seen-reply" }, { 4, "assured" }, { 8, "confirmed" }, { 16, "snat" },
	{ 32, "dnat" }, { 512, "dying" }, { 0, NULL },
};

/* Bits by their IPCT_* numbers. */
static const struct nft_name ct_events[] = {
	{ 1 << 0, "new" }, { 1 << 1, "related" }, { 1 << 2, "destroy" }, { 1 << 3, "reply" },
	{ 1 << 4, "assured" }, { 1 << 5, "protoinfo" }, { 1 << 6, "helper" }, { 1 << 7, "mark" },
	{ 1 << 8, "seqadj" }, { 1 << 9, "secmark" }, { 1 << 10, "label" }, { 0, NULL },
};

static const struct nft_name pkttypes[] = {
	{ 0, "host" }, { 1, "broadcast" }, { 2, "multicast" }, { 3, "other" }, { 0, NULL },
};

static const struct nft_name fib_types[] = {
	{ 0, "unspec" }, { 1, "unicast" }, { 2, "local" }, { 3, "broadcast" }, { 4, "anycast" },
	{ 5, "multicast" }, { 6, "blackhole" }, { 7, "unreachable" }, { 8, "prohibit" }, { 0, NULL },
};

static const struct nft_name days[] = {
	{ 0, "Sunday" }, { 1, "Monday" }, { 2, "Tuesday" }, { 3, "Wednesday" }, { 4, "Thursday" },
	{ 5, "Friday" }, { 6, "Saturday" }, { 0, NULL },
};

static const struct nft_name groups[] = { { 0, "default" }, { 0, NULL } };
static const struct nft_name realms[] = { { 0, "cosmos" }, { 0, NULL } };

static const struct nft_name *const tables[] = {
	[DT_ETHERTYPE] = ethertypes, [DT_INET_PROTO] = protocols, [DT_ICMP_TYPE] = icmp_types,
	[DT_ICMP_CODE] = icmp_codes, [DT_ICMPV6_TYPE] = icmpv6_types, [DT_ICMPV6_CODE] = icmpv6_codes,
	[DT_ICMPX_CODE] = icmpx_codes, [DT_IGMP_TYPE] = igmp_types, [DT_TCP_FLAG] = tcp_flags,
	[DT_DCCP_PKTTYPE] = dccp_types, [DT_MH_TYPE] = mh_types, [DT_DSCP] = dscps, [DT_ECN] = ecns,
	[DT_ARP_OP] = arp_ops, [DT_NFPROTO] = nfprotos, [DT_ARPHRD] = arphrds,
	[DT_CT_STATE] = ct_states, [DT_CT_DIR] = ct_dirs, [DT_CT_STATUS] = ct_statuses,
	[DT_CT_EVENT] = ct_events, [DT_PKTTYPE] = pkttypes, [DT_FIB_ADDRTYPE] = fib_types,
	[DT_DAY] = days, [DT_DEVGROUP] = groups, [DT_REALM] = realms,
};

const struct nft_name *nft_names(enum dtype dtype)
{
	return (unsigned)dtype < sizeof(tables) / sizeof(tables[0]) ? tables[dtype] : NULL;
}

const char *nft_name_of(enum dtype dtype, uint64_t value)
{
	const struct nft_name *n = nft_names(dtype);

	for (; n && n->name; n++)
		if (n->value == value)
			return n->name;
	return NULL;
}

bool nft_is_flags(enum dtype dtype)
{
	return dtype == DT_TCP_FLAG || dtype == DT_CT_STATE || dtype == DT_CT_STATUS ||
	       dtype == DT_CT_EVENT || dtype == DT_CT_LABEL;
}
