/* SPDX-License-Identifier: GPL-2.0-or-later */
/* headers - names, places and types of header fields and of meta and ct keys */
#include "nsutil/ruleset/headers.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

#define LL NFT_PAYLOAD_LL_HEADER
#define NH NFT_PAYLOAD_NETWORK_HEADER
#define TH NFT_PAYLOAD_TRANSPORT_HEADER

/* nft(8), PAYLOAD EXPRESSIONS. Offsets and sizes in bits; the order is nft's, which user data of sets count by. */
static const struct hdr_field ether_fields[] = {
	{ "ether", "daddr", LL, 0, 48, DT_ETHER },
	{ "ether", "saddr", LL, 48, 48, DT_ETHER },
	{ "ether", "type", LL, 96, 16, DT_ETHERTYPE },
};

static const struct hdr_field vlan_fields[] = {
	{ "vlan", "pcp", LL, 112, 3, DT_INTEGER },
	{ "vlan", "dei", LL, 115, 1, DT_INTEGER },
	{ "vlan", "id", LL, 116, 12, DT_INTEGER },
	{ "vlan", "type", LL, 128, 16, DT_ETHERTYPE },
};

static const struct hdr_field arp_fields[] = {
	{ "arp", "htype", NH, 0, 16, DT_INTEGER },
	{ "arp", "ptype", NH, 16, 16, DT_ETHERTYPE },
	{ "arp", "hlen", NH, 32, 8, DT_INTEGER },
	{ "arp", "plen", NH, 40, 8, DT_INTEGER },
	{ "arp", "operation", NH, 48, 16, DT_ARP_OP },
	{ "arp", "saddr ether", NH, 64, 48, DT_ETHER },
	{ "arp", "saddr ip", NH, 112, 32, DT_IPV4 },
	{ "arp", "daddr ether", NH, 144, 48, DT_ETHER },
	{ "arp", "daddr ip", NH, 192, 32, DT_IPV4 },
};

static const struct hdr_field ip_fields[] = {
	{ "ip", "version", NH, 0, 4, DT_INTEGER },
	{ "ip", "hdrlength", NH, 4, 4, DT_INTEGER },
	{ "ip", "dscp", NH, 8, 6, DT_DSCP },
	{ "ip", "ecn", NH, 14, 2, DT_ECN },
	{ "ip", "length", NH, 16, 16, DT_INTEGER },
	{ "ip", "id", NH, 32, 16, DT_INTEGER },
	{ "ip", "frag-off", NH, 48, 16, DT_INTEGER },
	{ "ip", "ttl", NH, 64, 8, DT_INTEGER },
	{ "ip", "protocol", NH, 72, 8, DT_INET_PROTO },
	{ "ip", "checksum", NH, 80, 16, DT_INTEGER },
	{ "ip", "saddr", NH, 96, 32, DT_IPV4 },
	{ "ip", "daddr", NH, 128, 32, DT_IPV4 },
};

static const struct hdr_field ip6_fields[] = {
	{ "ip6", "version", NH, 0, 4, DT_INTEGER },
	{ "ip6", "dscp", NH, 4, 6, DT_DSCP },
	{ "ip6", "ecn", NH, 10, 2, DT_ECN },
	{ "ip6", "flowlabel", NH, 12, 20, DT_INTEGER },
	{ "ip6", "length", NH, 32, 16, DT_INTEGER },
	{ "ip6", "nexthdr", NH, 48, 8, DT_INET_PROTO },
	{ "ip6", "hoplimit", NH, 56, 8, DT_INTEGER },
	{ "ip6", "saddr", NH, 64, 128, DT_IPV6 },
	{ "ip6", "daddr", NH, 192, 128, DT_IPV6 },
};

static const struct hdr_field tcp_fields[] = {
	{ "tcp", "sport", TH, 0, 16, DT_SERVICE },
	{ "tcp", "dport", TH, 16, 16, DT_SERVICE },
	{ "tcp", "sequence", TH, 32, 32, DT_INTEGER },
	{ "tcp", "ackseq", TH, 64, 32, DT_INTEGER },
	{ "tcp", "doff", TH, 96, 4, DT_INTEGER },
	{ "tcp", "reserved", TH, 100, 4, DT_INTEGER },
	{ "tcp", "flags", TH, 104, 8, DT_TCP_FLAG },
	{ "tcp", "window", TH, 112, 16, DT_INTEGER },
	{ "tcp", "checksum", TH, 128, 16, DT_INTEGER },
	{ "tcp", "urgptr", TH, 144, 16, DT_INTEGER },
};

static const struct hdr_field udp_fields[] = {
	{ "udp", "sport", TH, 0, 16, DT_SERVICE },
	{ "udp", "dport", TH, 16, 16, DT_SERVICE },
	{ "udp", "length", TH, 32, 16, DT_INTEGER },
	{ "udp", "checksum", TH, 48, 16, DT_INTEGER },
};

static const struct hdr_field udplite_fields[] = {
	{ "udplite", "sport", TH, 0, 16, DT_SERVICE },
	{ "udplite", "dport", TH, 16, 16, DT_SERVICE },
	{ "udplite", "csumcov", TH, 32, 16, DT_INTEGER },
	{ "udplite", "checksum", TH, 48, 16, DT_INTEGER },
};

static const struct hdr_field sctp_fields[] = {
	{ "sctp", "sport", TH, 0, 16, DT_SERVICE },
	{ "sctp", "dport", TH, 16, 16, DT_SERVICE },
	{ "sctp", "vtag", TH, 32, 32, DT_INTEGER },
	{ "sctp", "checksum", TH, 64, 32, DT_INTEGER },
};

static const struct hdr_field dccp_fields[] = {
	{ "dccp", "sport", TH, 0, 16, DT_SERVICE },
	{ "dccp", "dport", TH, 16, 16, DT_SERVICE },
	{ "dccp", "type", TH, 67, 4, DT_DCCP_PKTTYPE },
};

static const struct hdr_field th_fields[] = {
	{ "th", "sport", TH, 0, 16, DT_SERVICE },
	{ "th", "dport", TH, 16, 16, DT_SERVICE },
};

static const struct hdr_field ah_fields[] = {
	{ "ah", "nexthdr", TH, 0, 8, DT_INET_PROTO },
	{ "ah", "hdrlength", TH, 8, 8, DT_INTEGER },
	{ "ah", "reserved", TH, 16, 16, DT_INTEGER },
	{ "ah", "spi", TH, 32, 32, DT_INTEGER },
	{ "ah", "sequence", TH, 64, 32, DT_INTEGER },
};

static const struct hdr_field esp_fields[] = {
	{ "esp", "spi", TH, 0, 32, DT_INTEGER },
	{ "esp", "sequence", TH, 32, 32, DT_INTEGER },
};

static const struct hdr_field comp_fields[] = {
	{ "comp", "nexthdr", TH, 0, 8, DT_INET_PROTO },
	{ "comp", "flags", TH, 8, 8, DT_BITMASK },
	{ "comp", "cpi", TH, 16, 16, DT_INTEGER },
};

static const struct hdr_field icmp_fields[] = {
	{ "icmp", "type", TH, 0, 8, DT_ICMP_TYPE },
	{ "icmp", "code", TH, 8, 8, DT_ICMP_CODE },
	{ "icmp", "checksum", TH, 16, 16, DT_INTEGER },
	{ "icmp", "id", TH, 32, 16, DT_INTEGER },
	{ "icmp", "sequence", TH, 48, 16, DT_INTEGER },
	{ "icmp", "gateway", TH, 32, 32, DT_INTEGER },
	{ "icmp", "mtu", TH, 48, 16, DT_INTEGER },
};

static const struct hdr_field icmpv6_fields[] = {
	{ "icmpv6", "type", TH, 0, 8, DT_ICMPV6_TYPE },
	{ "icmpv6", "code", TH, 8, 8, DT_ICMPV6_CODE },
	{ "icmpv6", "checksum", TH, 16, 16, DT_INTEGER },
	{ "icmpv6", "parameter-problem", TH, 32, 32, DT_INTEGER },
	{ "icmpv6", "mtu", TH, 32, 32, DT_INTEGER },
	{ "icmpv6", "id", TH, 32, 16, DT_INTEGER },
	{ "icmpv6", "sequence", TH, 48, 16, DT_INTEGER },
	{ "icmpv6", "max-delay", TH, 32, 16, DT_INTEGER },
};

static const struct hdr_field igmp_fields[] = {
	{ "igmp", "type", TH, 0, 8, DT_IGMP_TYPE },
	{ "igmp", "checksum", TH, 16, 16, DT_INTEGER },
	{ "igmp", "mrt", TH, 8, 8, DT_INTEGER },
	{ "igmp", "group", TH, 32, 32, DT_INTEGER },
};

#define PROTO(name, array) { name, array, ARRAY_SIZE(array) }

const struct hdr_proto header_protocols[HDR_MAX] = {
	[HDR_ETHER] = PROTO("ether", ether_fields),
	[HDR_VLAN] = PROTO("vlan", vlan_fields),
	[HDR_ARP] = PROTO("arp", arp_fields),
	[HDR_IP] = PROTO("ip", ip_fields),
	[HDR_IP6] = PROTO("ip6", ip6_fields),
	[HDR_TCP] = PROTO("tcp", tcp_fields),
	[HDR_UDP] = PROTO("udp", udp_fields),
	[HDR_UDPLITE] = PROTO("udplite", udplite_fields),
	[HDR_SCTP] = PROTO("sctp", sctp_fields),
	[HDR_DCCP] = PROTO("dccp", dccp_fields),
	[HDR_TH] = PROTO("th", th_fields),
	[HDR_AH] = PROTO("ah", ah_fields),
	[HDR_ESP] = PROTO("esp", esp_fields),
	[HDR_COMP] = PROTO("comp", comp_fields),
	[HDR_ICMP] = PROTO("icmp", icmp_fields),
	[HDR_ICMPV6] = PROTO("icmpv6", icmpv6_fields),
	[HDR_IGMP] = PROTO("igmp", igmp_fields),
};

static const struct hdr_proto *protocol_find(const char *name)
{
	for (unsigned i = 0; i < HDR_MAX; i++)
		if (strcmp(header_protocols[i].name, name) == 0)
			return &header_protocols[i];
	return NULL;
}

const struct hdr_field *header_field(const char *protocol, const char *name)
{
	const struct hdr_proto *p = protocol_find(protocol);

	for (unsigned i = 0; p && i < p->n; i++)
		if (strcmp(p->fields[i].name, name) == 0)
			return &p->fields[i];
	return NULL;
}

const struct hdr_field *header_field_nth(const char *protocol, unsigned n)
{
	const struct hdr_proto *p = protocol_find(protocol);

	return p && n < p->n ? &p->fields[n] : NULL;
}

/* nft(8), META EXPRESSIONS; sizes as in net/netfilter/nft_meta.c, nft_meta_get_init(). */
static const struct key_type meta_keys[] = {
	{ NFT_META_LEN, "length", DT_INTEGER, ORDER_HOST, 32 },
	{ NFT_META_PROTOCOL, "protocol", DT_ETHERTYPE, ORDER_NET, 16 },
	{ NFT_META_PRIORITY, "priority", DT_CLASSID, ORDER_HOST, 32 },
	{ NFT_META_MARK, "mark", DT_MARK, ORDER_HOST, 32 },
	{ NFT_META_IIF, "iif", DT_IFINDEX, ORDER_HOST, 32 },
	{ NFT_META_OIF, "oif", DT_IFINDEX, ORDER_HOST, 32 },
	{ NFT_META_IIFNAME, "iifname", DT_IFNAME, ORDER_HOST, 128 },
	{ NFT_META_OIFNAME, "oifname", DT_IFNAME, ORDER_HOST, 128 },
	{ NFT_META_IFTYPE, "iiftype", DT_ARPHRD, ORDER_HOST, 16 },
	{ NFT_META_OIFTYPE, "oiftype", DT_ARPHRD, ORDER_HOST, 16 },
	{ NFT_META_SKUID, "skuid", DT_UID, ORDER_HOST, 32 },
	{ NFT_META_SKGID, "skgid", DT_GID, ORDER_HOST, 32 },
	{ NFT_META_NFTRACE, "nftrace", DT_INTEGER, ORDER_HOST, 8 },
	{ NFT_META_RTCLASSID, "rtclassid", DT_REALM, ORDER_HOST, 32 },
	{ NFT_META_SECMARK, "secmark", DT_INTEGER, ORDER_HOST, 32 },
	{ NFT_META_NFPROTO, "nfproto", DT_NFPROTO, ORDER_HOST, 8 },
	{ NFT_META_L4PROTO, "l4proto", DT_INET_PROTO, ORDER_HOST, 8 },
	{ NFT_META_BRI_IIFNAME, "ibrname", DT_IFNAME, ORDER_HOST, 128 },
	{ NFT_META_BRI_OIFNAME, "obrname", DT_IFNAME, ORDER_HOST, 128 },
	{ NFT_META_PKTTYPE, "pkttype", DT_PKTTYPE, ORDER_HOST, 8 },
	{ NFT_META_CPU, "cpu", DT_CPU, ORDER_HOST, 32 },
	{ NFT_META_IIFGROUP, "iifgroup", DT_DEVGROUP, ORDER_HOST, 32 },
	{ NFT_META_OIFGROUP, "oifgroup", DT_DEVGROUP, ORDER_HOST, 32 },
	{ NFT_META_CGROUP, "cgroup", DT_CGROUP, ORDER_HOST, 32 },
	{ NFT_META_PRANDOM, "random", DT_INTEGER, ORDER_NET, 32 }, /* as nft has it: random has no order */
	{ NFT_META_SECPATH, "ipsec", DT_BOOLEAN, ORDER_HOST, 8 },
	{ NFT_META_IIFKIND, "iifkind", DT_IFNAME, ORDER_HOST, 128 },
	{ NFT_META_OIFKIND, "oifkind", DT_IFNAME, ORDER_HOST, 128 },
	{ NFT_META_BRI_IIFPVID, "ibrpvid", DT_INTEGER, ORDER_HOST, 16 },
	{ NFT_META_BRI_IIFVPROTO, "ibrvproto", DT_ETHERTYPE, ORDER_NET, 16 },
	{ NFT_META_TIME_NS, "time", DT_DATE, ORDER_HOST, 64 },
	{ NFT_META_TIME_DAY, "day", DT_DAY, ORDER_HOST, 8 },
	{ NFT_META_TIME_HOUR, "hour", DT_HOUR, ORDER_HOST, 32 },
	{ NFT_META_SDIF, "sdif", DT_IFINDEX, ORDER_HOST, 32 },
	{ NFT_META_SDIFNAME, "sdifname", DT_IFNAME, ORDER_HOST, 128 },
};

/* nft(8), CONNTRACK EXPRESSIONS; sizes as in net/netfilter/nft_ct.c, nft_ct_get_init(). */
static const struct key_type ct_keys[] = {
	{ NFT_CT_STATE, "state", DT_CT_STATE, ORDER_HOST, 32 },
	{ NFT_CT_DIRECTION, "direction", DT_CT_DIR, ORDER_HOST, 8 },
	{ NFT_CT_STATUS, "status", DT_CT_STATUS, ORDER_HOST, 32 },
	{ NFT_CT_MARK, "mark", DT_MARK, ORDER_HOST, 32 },
	{ NFT_CT_SECMARK, "secmark", DT_INTEGER, ORDER_HOST, 32 },
	{ NFT_CT_EXPIRATION, "expiration", DT_TIME, ORDER_HOST, 32 },
	{ NFT_CT_HELPER, "helper", DT_STRING, ORDER_HOST, 128 },
	{ NFT_CT_L3PROTOCOL, "l3proto", DT_NFPROTO, ORDER_HOST, 8 },
	{ NFT_CT_SRC, "saddr", DT_INTEGER, ORDER_NET, 0 },
	{ NFT_CT_DST, "daddr", DT_INTEGER, ORDER_NET, 0 },
	{ NFT_CT_PROTOCOL, "protocol", DT_INET_PROTO, ORDER_NET, 8 },
	{ NFT_CT_PROTO_SRC, "proto-src", DT_SERVICE, ORDER_NET, 16 },
	{ NFT_CT_PROTO_DST, "proto-dst", DT_SERVICE, ORDER_NET, 16 },
	{ NFT_CT_LABELS, "label", DT_CT_LABEL, ORDER_HOST, 128 },
	{ NFT_CT_PKTS, "packets", DT_INTEGER, ORDER_HOST, 64 },
	{ NFT_CT_BYTES, "bytes", DT_INTEGER, ORDER_HOST, 64 },
	{ NFT_CT_AVGPKT, "avgpkt", DT_INTEGER, ORDER_HOST, 64 },
	{ NFT_CT_ZONE, "zone", DT_INTEGER, ORDER_HOST, 16 },
	{ NFT_CT_EVENTMASK, "event", DT_CT_EVENT, ORDER_HOST, 32 },
	{ NFT_CT_SRC_IP, "ip saddr", DT_IPV4, ORDER_NET, 32 },
	{ NFT_CT_DST_IP, "ip daddr", DT_IPV4, ORDER_NET, 32 },
	{ NFT_CT_SRC_IP6, "ip6 saddr", DT_IPV6, ORDER_NET, 128 },
	{ NFT_CT_DST_IP6, "ip6 daddr", DT_IPV6, ORDER_NET, 128 },
	{ NFT_CT_ID, "id", DT_INTEGER, ORDER_NET, 32 },
};

static const struct key_type unknown_key = { 0, "?", DT_INTEGER, ORDER_HOST, 32 };

static const struct key_type *key_find(const struct key_type *keys, size_t n, uint32_t key)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].key == key)
			return &keys[i];
	return &unknown_key;
}

const struct key_type *header_meta_type(uint32_t key)
{
	return key_find(meta_keys, ARRAY_SIZE(meta_keys), key);
}

const struct key_type *header_ct_type(uint32_t key)
{
	return key_find(ct_keys, ARRAY_SIZE(ct_keys), key);
}
