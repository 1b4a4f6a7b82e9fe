/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exthdr - names of IPv6 extension headers, TCP and IP options, SCTP chunks and their fields */
#include "nsutil/ruleset/exthdr.h"

#include <linux/netfilter/nf_tables.h>
#include <stddef.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

#define V6 NFT_EXTHDR_OP_IPV6
#define TCP NFT_EXTHDR_OP_TCPOPT
#define V4 NFT_EXTHDR_OP_IPV4
#define SCTP NFT_EXTHDR_OP_SCTP

static const struct {
	uint8_t op, type;
	const char *name;
} names[] = {
	{ V6, 0, "hbh" }, { V6, 43, "rt" }, { V6, 44, "frag" }, { V6, 60, "dst" }, { V6, 135, "mh" },
	{ TCP, 0, "eol" }, { TCP, 1, "nop" }, { TCP, 2, "maxseg" }, { TCP, 3, "window" },
	{ TCP, 4, "sack-perm" }, { TCP, 5, "sack" }, { TCP, 8, "timestamp" }, { TCP, 19, "md5sig" },
	{ TCP, 30, "mptcp" }, { TCP, 34, "fastopen" },
	{ V4, 7, "rr" }, { V4, 131, "lsrr" }, { V4, 137, "ssrr" }, { V4, 148, "ra" },
	{ SCTP, 0, "data" }, { SCTP, 1, "init" }, { SCTP, 2, "init-ack" }, { SCTP, 3, "sack" },
	{ SCTP, 4, "heartbeat" }, { SCTP, 5, "heartbeat-ack" }, { SCTP, 6, "abort" },
	{ SCTP, 7, "shutdown" }, { SCTP, 8, "shutdown-ack" }, { SCTP, 9, "error" },
	{ SCTP, 10, "cookie-echo" }, { SCTP, 11, "cookie-ack" }, { SCTP, 12, "ecne" },
	{ SCTP, 13, "cwr" }, { SCTP, 14, "shutdown-complete" }, { SCTP, 0x80, "asconf-ack" },
	{ SCTP, 0xc0, "forward-tsn" }, { SCTP, 0xc1, "asconf" },
};

/* Every option and chunk begins with its number and length. */
#define TCP_OPT(num, n) \
	{ TCP, num, n, "kind", 0, 8, DT_INTEGER }, { TCP, num, n, "length", 8, 8, DT_INTEGER }
#define IP_OPT(num, n)                                                                             \
	{ V4, num, n, "type", 0, 8, DT_INTEGER }, { V4, num, n, "length", 8, 8, DT_INTEGER }
#define ROUTE_OPT(num, n)                                                                          \
	IP_OPT(num, n), { V4, num, n, "ptr", 16, 8, DT_INTEGER }, { V4, num, n, "addr", 24, 32, DT_INTEGER }
#define V6_HDR(num, n)                                                                             \
	{ V6, num, n, "nexthdr", 0, 8, DT_INET_PROTO }, { V6, num, n, "hdrlength", 8, 8, DT_INTEGER }

static const struct exthdr_field fields[] = {
	V6_HDR(0, "hbh"),
	V6_HDR(60, "dst"),
	V6_HDR(43, "rt"),
	{ V6, 43, "rt", "type", 16, 8, DT_INTEGER },
	{ V6, 43, "rt", "seg-left", 24, 8, DT_INTEGER },
	{ V6, 43, "srh", "last-entry", 32, 8, DT_INTEGER },
	{ V6, 43, "srh", "flags", 40, 8, DT_INTEGER },
	{ V6, 43, "srh", "tag", 48, 16, DT_INTEGER },
	{ V6, 43, "srh", "sid[1]", 64, 128, DT_IPV6 },
	{ V6, 43, "srh", "sid[2]", 192, 128, DT_IPV6 },
	{ V6, 43, "rt0", "reserved", 32, 32, DT_INTEGER },
	{ V6, 43, "rt0", "addr[1]", 64, 128, DT_IPV6 }, /* in rules it goes by "srh sid[1]" */
	V6_HDR(135, "mh"),
	{ V6, 135, "mh", "type", 16, 8, DT_MH_TYPE },
	{ V6, 135, "mh", "reserved", 24, 8, DT_INTEGER },
	{ V6, 135, "mh", "checksum", 32, 16, DT_INTEGER },
	{ V6, 44, "frag", "nexthdr", 0, 8, DT_INET_PROTO },
	{ V6, 44, "frag", "reserved", 8, 8, DT_INTEGER },
	{ V6, 44, "frag", "frag-off", 16, 13, DT_INTEGER },
	{ V6, 44, "frag", "reserved2", 29, 2, DT_INTEGER },
	{ V6, 44, "frag", "more-fragments", 31, 1, DT_INTEGER },
	{ V6, 44, "frag", "id", 32, 32, DT_INTEGER },
	TCP_OPT(2, "maxseg"),
	{ TCP, 2, "maxseg", "size", 16, 16, DT_INTEGER },
	TCP_OPT(3, "window"),
	{ TCP, 3, "window", "count", 16, 8, DT_INTEGER },
	TCP_OPT(4, "sack-perm"),
	TCP_OPT(5, "sack"),
	{ TCP, 5, "sack", "left", 16, 32, DT_INTEGER },
	{ TCP, 5, "sack", "right", 48, 32, DT_INTEGER },
	{ TCP, 5, "sack1", "left", 80, 32, DT_INTEGER },
	{ TCP, 5, "sack1", "right", 112, 32, DT_INTEGER },
	{ TCP, 5, "sack2", "left", 144, 32, DT_INTEGER },
	{ TCP, 5, "sack2", "right", 176, 32, DT_INTEGER },
	{ TCP, 5, "sack3", "left", 208, 32, DT_INTEGER },
	{ TCP, 5, "sack3", "right", 240, 32, DT_INTEGER },
	TCP_OPT(8, "timestamp"),
	{ TCP, 8, "timestamp", "tsval", 16, 32, DT_INTEGER },
	{ TCP, 8, "timestamp", "tsecr", 48, 32, DT_INTEGER },
	TCP_OPT(19, "md5sig"),
	TCP_OPT(34, "fastopen"),
	TCP_OPT(30, "mptcp"),
	{ TCP, 30, "mptcp", "subtype", 16, 4, DT_INTEGER },
	ROUTE_OPT(7, "rr"),
	ROUTE_OPT(131, "lsrr"),
	ROUTE_OPT(137, "ssrr"),
	IP_OPT(148, "ra"),
	{ V4, 148, "ra", "value", 16, 16, DT_INTEGER },
	{ SCTP, 0, "data", "tsn", 32, 32, DT_INTEGER },
	{ SCTP, 0, "data", "stream", 64, 16, DT_INTEGER },
	{ SCTP, 0, "data", "ssn", 80, 16, DT_INTEGER },
	{ SCTP, 0, "data", "ppid", 96, 32, DT_INTEGER },
	{ SCTP, 1, "init", "init-tag", 32, 32, DT_INTEGER },
	{ SCTP, 1, "init", "a-rwnd", 64, 32, DT_INTEGER },
	{ SCTP, 1, "init", "num-outbound-streams", 96, 16, DT_INTEGER },
	{ SCTP, 1, "init", "num-inbound-streams", 112, 16, DT_INTEGER },
	{ SCTP, 1, "init", "initial-tsn", 128, 32, DT_INTEGER },
	{ SCTP, 2, "init-ack", "init-tag", 32, 32, DT_INTEGER },
	{ SCTP, 2, "init-ack", "a-rwnd", 64, 32, DT_INTEGER },
	{ SCTP, 2, "init-ack", "num-outbound-streams", 96, 16, DT_INTEGER },
	{ SCTP, 2, "init-ack", "num-inbound-streams", 112, 16, DT_INTEGER },
	{ SCTP, 2, "init-ack", "initial-tsn", 128, 32, DT_INTEGER },
	{ SCTP, 3, "sack", "cum-tsn-ack", 32, 32, DT_INTEGER },
	{ SCTP, 3, "sack", "a-rwnd", 64, 32, DT_INTEGER },
	{ SCTP, 3, "sack", "num-gap-ack-blocks", 96, 16, DT_INTEGER },
	{ SCTP, 3, "sack", "num-dup-tsns", 112, 16, DT_INTEGER },
	{ SCTP, 7, "shutdown", "cum-tsn-ack", 32, 32, DT_INTEGER },
	{ SCTP, 12, "ecne", "lowest-tsn", 32, 32, DT_INTEGER },
	{ SCTP, 13, "cwr", "lowest-tsn", 32, 32, DT_INTEGER },
	{ SCTP, 0xc0, "forward-tsn", "new-cum-tsn", 32, 32, DT_INTEGER },
	{ SCTP, 0xc1, "asconf", "seqno", 32, 32, DT_INTEGER },
	{ SCTP, 0x80, "asconf-ack", "seqno", 32, 32, DT_INTEGER },
};

/* What every SCTP chunk has. */
static const struct exthdr_field chunk_fields[] = {
	{ SCTP, 0, NULL, "type", 0, 8, DT_INTEGER },
	{ SCTP, 0, NULL, "flags", 8, 8, DT_INTEGER },
	{ SCTP, 0, NULL, "length", 16, 16, DT_INTEGER },
};

const char *exthdr_name(uint8_t op, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].op == op && names[i].type == type)
			return names[i].name;
	return NULL;
}

const struct exthdr_field *exthdr_field_at(uint8_t op, uint8_t type, unsigned offset, unsigned bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].op == op && fields[i].type == type && fields[i].offset == offset &&
		    fields[i].bits == bits)
			return &fields[i];
	for (size_t i = 0; op == SCTP && exthdr_name(op, type) && i < ARRAY_SIZE(chunk_fields); i++)
		if (chunk_fields[i].offset == offset && chunk_fields[i].bits == bits)
			return &chunk_fields[i];
	return NULL;
}

const struct exthdr_field *exthdr_field_nth(uint8_t op, uint8_t type, const char *name, unsigned n)
{
	if (op == SCTP && n < ARRAY_SIZE(chunk_fields))
		return exthdr_name(op, type) ? &chunk_fields[n] : NULL;
	n -= op == SCTP ? (unsigned)ARRAY_SIZE(chunk_fields) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].op == op && fields[i].type == type && (!name || strcmp(fields[i].name, name) == 0) &&
		    n-- == 0)
			return &fields[i];
	return NULL;
}

int exthdr_number(uint8_t op, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].op == op && strcmp(names[i].name, name) == 0)
			return names[i].type;
	/* fields of some headers go by other names (rt0, srh, sack1) */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].op == op && fields[i].name && strcmp(fields[i].name, name) == 0)
			return fields[i].type;
	return -1;
}

const struct exthdr_field *exthdr_find(uint8_t op, const char *name, const char *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].op == op && strcmp(fields[i].name, name) == 0 && strcmp(fields[i].field, field) == 0)
			return &fields[i];
	for (size_t i = 0; op == SCTP && i < ARRAY_SIZE(chunk_fields); i++)
		if (strcmp(chunk_fields[i].field, field) == 0)
			return &chunk_fields[i];
	return NULL;
}
