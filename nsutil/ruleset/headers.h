/* SPDX-License-Identifier: GPL-2.0-or-later */
/* headers - names, places and types of header fields and of meta and ct keys */
#ifndef NSUTIL_RULESET_HEADERS_H
#define NSUTIL_RULESET_HEADERS_H

#include "nsutil/ruleset/expr.h"

/* What nftables calls a key, and what its value is. */
struct key_type {
	uint32_t key;
	const char *name;
	enum dtype dtype;
	enum byteorder order;
	unsigned bits;
};

/* A protocol's header: its fields by place. */
struct hdr_proto {
	const char *name;
	const struct hdr_field *fields;
	unsigned n;
};

enum hdr_id {
	HDR_ETHER, HDR_VLAN, HDR_ARP, HDR_IP, HDR_IP6, HDR_TCP, HDR_UDP, HDR_UDPLITE, HDR_SCTP, HDR_DCCP,
	HDR_TH, HDR_AH, HDR_ESP, HDR_COMP, HDR_ICMP, HDR_ICMPV6, HDR_IGMP,
	HDR_MAX,
};

extern const struct hdr_proto header_protocols[HDR_MAX];

/**
 * header_field() - find a header field by nft's names
 * @protocol:	"ip", "tcp", "th" ...
 * @name:	"daddr", "dport" ...
 *
 * Return: a constant entry, or NULL
 */
const struct hdr_field *header_field(const char *protocol, const char *name);

/* header_field_nth() - the n-th field (from 0) of a protocol in the table; NULL when there are fewer */
const struct hdr_field *header_field_nth(const char *protocol, unsigned n);

/* header_meta_type(), header_ct_type() - never NULL; an unknown key gives a 32-bit integer named "?" */
const struct key_type *header_meta_type(uint32_t key);
const struct key_type *header_ct_type(uint32_t key);

#endif
