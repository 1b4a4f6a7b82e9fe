/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr - expressions of the model: what is compared, looked up or written */
#ifndef NSUTIL_RULESET_EXPR_H
#define NSUTIL_RULESET_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"

struct set;

/*
 * The kinds follow libnftables-json(5), and the numbers of keys are the kernel's (NFT_META_*,
 * NFT_CT_*, ...), so that a store needs no translation table. Values are kept as the bytes that
 * stand in the kernel's register, in 'order': network order for header fields, host order for meta
 * and ct keys, as nftables has it.
 */
enum expr_kind {
	EXPR_VALUE,
	EXPR_PAYLOAD, /* header bytes; 'field' when they have a name */
	EXPR_META,
	EXPR_CT,
	EXPR_EXTHDR, /* IPv6 extension header, TCP/IP/SCTP/DCCP option */
	EXPR_RT,
	EXPR_SOCKET,
	EXPR_FIB,
	EXPR_OSF,
	EXPR_NUMGEN,
	EXPR_HASH,
	EXPR_XFRM,
	EXPR_TUNNEL,
	EXPR_BINOP,  /* & | ^ << >> */
	EXPR_PREFIX, /* value/len, on the right of a comparison or in a set */
	EXPR_RANGE,  /* from-to, inclusive */
	EXPR_CONCAT,
	EXPR_SETREF, /* a named or anonymous set */
	EXPR_MAP,    /* data looked up by a key */
	EXPR_IPSET,  /* an ipset by name (xt set) */
	EXPR_OPAQUE,
};

/* What a value is, for printing. Numbers of our own; nft/ maps them from and to nftables' types. */
enum dtype {
	DT_INTEGER,
	DT_BITMASK,
	DT_STRING,
	DT_IPV4,
	DT_IPV6,
	DT_ETHER,
	DT_ETHERTYPE,
	DT_INET_PROTO,
	DT_SERVICE, /* a port */
	DT_ICMP_TYPE,
	DT_ICMP_CODE,
	DT_ICMPV6_TYPE,
	DT_ICMPV6_CODE,
	DT_ICMPX_CODE,
	DT_TCP_FLAG,
	DT_DCCP_PKTTYPE,
	DT_MH_TYPE,
	DT_DSCP,
	DT_ECN,
	DT_ARP_OP,
	DT_NFPROTO,
	DT_MARK,
	DT_IFINDEX,
	DT_IFNAME,
	DT_ARPHRD, /* iiftype */
	DT_UID,
	DT_GID,
	DT_CT_STATE,
	DT_CT_DIR,
	DT_CT_STATUS,
	DT_CT_LABEL,
	DT_CT_EVENT,
	DT_PKTTYPE,
	DT_REALM,
	DT_CLASSID,
	DT_CPU,
	DT_DEVGROUP,
	DT_CGROUP,
	DT_CGROUPV2,
	DT_FIB_ADDRTYPE,
	DT_BOOLEAN,
	DT_TIME,  /* relative, milliseconds (ct expiration) */
	DT_DATE,  /* meta time, nanoseconds */
	DT_DAY,
	DT_HOUR,
	DT_VERDICT,
	DT_OSF_NAME,
	DT_LLADDR,
	DT_IGMP_TYPE,
	DT_HEX, /* bytes of a header that have no name */
};

enum byteorder { ORDER_HOST, ORDER_NET };
enum binop { BINOP_AND, BINOP_OR, BINOP_XOR, BINOP_LSHIFT, BINOP_RSHIFT };

/* Payload bases: NFT_PAYLOAD_LL_HEADER 0, NETWORK 1, TRANSPORT 2, INNER 3. */

/* A header field by name; the tables are in ruleset/headers.c. Offsets and sizes in bits. */
struct hdr_field {
	const char *protocol; /* "ip", "ip6", "tcp", "icmp" ... as nft names it */
	const char *name;     /* "daddr", "dport" ... */
	uint8_t base;	      /* NFT_PAYLOAD_* */
	uint16_t offset, bits;
	enum dtype dtype;
};

struct expr {
	enum expr_kind kind;
	uint8_t dtype;	/* enum dtype */
	uint8_t order;	/* enum byteorder */
	uint16_t bits;	/* length of the value */
	const char *sym; /* what the value is called where it was read (an interface's name); or NULL */
	union {
		const uint8_t *value; /* (bits + 7) / 8 bytes */
		struct {
			uint8_t base;
			uint16_t offset; /* in bits */
			const struct hdr_field *field; /* NULL: raw (@nh,off,len) */
		} payload;
		uint32_t meta_key;	/* NFT_META_* */
		struct { uint32_t key; int8_t dir; } ct; /* NFT_CT_*; dir IP_CT_DIR_* or -1 */
		struct {
			uint8_t op;	/* NFT_EXTHDR_OP_* */
			uint8_t type;	/* header or option number */
			uint16_t offset; /* in bits */
			bool present;	/* asks only whether it is there */
			const char *name, *field; /* NULL when they have none */
		} exthdr;
		uint32_t rt_key;	/* NFT_RT_* */
		struct { uint32_t key, level; } socket; /* NFT_SOCKET_* */
		struct { uint32_t result, flags; } fib; /* NFT_FIB_RESULT_*, NFTA_FIB_F_* */
		struct { uint8_t ttl; uint32_t flags; } osf;
		struct { uint32_t type, modulus, offset; } numgen; /* NFT_NG_* */
		struct {
			uint32_t type;	/* NFT_HASH_* */
			struct expr *src; /* NULL for symmetric */
			uint32_t modulus, seed, offset;
			bool has_seed;
		} hash;
		struct { uint32_t key; uint8_t dir; uint32_t spnum; } xfrm;
		struct { uint32_t key, mode; } tunnel;
		struct { enum binop op; struct expr *left, *right; } binop;
		struct { struct expr *value; unsigned len; } prefix; /* len in bits */
		struct { struct expr *from, *to; } range;
		struct { struct expr **parts; unsigned n; } concat;
		struct set *set;
		struct { struct expr *key; struct set *set; } map;
		struct {
			const char *name;
			uint16_t index;	/* kernel's ipset index */
			uint8_t dims;	/* number of dimensions */
			uint8_t src;	/* bit i: dimension i is the source side */
			uint32_t flags; /* IPSET_FLAG_* as of the rule */
		} ipset;
		struct {
			const char *name, *why;
			const void *data;
			uint32_t size;
		} opaque;
	};
};

/*
 * Constructors; all live in the arena and return NULL when memory ran out or an operand is NULL,
 * so that they may be nested without checks in between.
 */
struct expr *expr_new(struct arena *a, enum expr_kind kind, enum dtype dtype, enum byteorder order,
		      unsigned bits);
struct expr *expr_bytes(struct arena *a, enum dtype dtype, enum byteorder order, const void *bytes,
			unsigned bits);
struct expr *expr_u8(struct arena *a, enum dtype dtype, uint8_t v);
struct expr *expr_be16(struct arena *a, enum dtype dtype, uint16_t v); /* v in host order */
struct expr *expr_be32(struct arena *a, enum dtype dtype, uint32_t v); /* v in host order */
struct expr *expr_u32(struct arena *a, enum dtype dtype, uint32_t v);  /* stored in host order */
struct expr *expr_addr(struct arena *a, const struct addr *addr);
struct expr *expr_ifname(struct arena *a, const char *name); /* 16 bytes; a trailing '+' or '*' makes a prefix */
struct expr *expr_meta(struct arena *a, uint32_t key);	     /* type and length follow from the key */
struct expr *expr_ct(struct arena *a, uint32_t key, int dir);
struct expr *expr_payload(struct arena *a, uint8_t base, unsigned offset_bits, unsigned bits,
			  const struct hdr_field *field);
/* expr_field() - a header field by nft's names ("tcp", "dport"); NULL when there is none such */
struct expr *expr_field(struct arena *a, const char *protocol, const char *name);
struct expr *expr_binop(struct arena *a, enum binop op, struct expr *left, struct expr *right);
struct expr *expr_prefix(struct arena *a, struct expr *value, unsigned len);
struct expr *expr_range(struct arena *a, struct expr *from, struct expr *to);
struct expr *expr_setref(struct arena *a, struct set *set);

/* expr_uint() - a value of at most 64 bits as a number, its byte order undone */
uint64_t expr_uint(const struct expr *value);

#endif
