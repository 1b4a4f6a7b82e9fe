/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet - a packet as far as it is known: header bytes, meta data, connection-tracking state */
#ifndef NSUTIL_TRACE_PACKET_H
#define NSUTIL_TRACE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/trace/parts.h"
#include "nsutil/trace/value.h"

#define PACKET_BYTES 240 /* 40 of IPv6, PARTS_HEADERS, 60 of TCP */
#define PACKET_LL 2	 /* an Ethernet header, so that the network header is aligned */
#define PACKET_NH 16
#define PACKET_META 40	 /* more than the highest NFT_META_* */
#define PACKET_EXT PARTS_HEADERS_MOST

/* A number of which some bits are known; 'absent': there is no such thing (no socket: no uid). */
struct known32 {
	uint32_t v, k;
	bool absent;
};

struct conn;

/* nf_conn of a packet, as skb_nfct() and the ctinfo have it. */
enum ct_attach {
	CT_NONE,	/* conntrack has not seen it, or called it INVALID */
	CT_TRACKED,
	CT_UNTRACKED,
};

struct packet_ct {
	enum ct_attach attach;
	uint32_t state;		/* NF_CT_STATE_BIT() once it is tracked */
	struct known32 mark, zone, status;
	uint8_t labels[16];	/* that rules have set, the highest first */
	const char *doubt;	/* why rules that are not seen here may have changed mark and labels; NULL: they have not */
	int8_t zone_dir;	/* IP_CT_DIR_* that the zone is for, the other has zone 0; -1: both */
	bool template;		/* a rule chose the zone: what stands here until conntrack has looked */
	bool zone_by_mark;	/* of the template, NF_CT_FLAG_MARK: the zone is the mark that conntrack then sees */
	bool src_done, dst_done; /* nf_nat_initialized() of the two manips */
	uint8_t l4proto;
	struct addr saddr, daddr; /* original direction; family 0 when not known */
	struct known32 sport, dport;
	struct addr reply_saddr, reply_daddr; /* of the answers, as nat leaves them to be */
	struct known32 reply_sport, reply_dport;
	const struct conn *known; /* the entry that stands for the connection; NULL: it is a new one, or made up */
	bool reply;		/* of 'known': the packet goes in the direction of the replies */
};

struct packet {
	uint8_t family;		/* NFPROTO_IPV4 or NFPROTO_IPV6 */
	uint8_t l4proto;
	uint16_t th;		/* where the transport header begins in 'bytes' */
	uint16_t end;		/* end of the headers held; of a later fragment, of the network header */
	uint16_t whole_end;	/* of the whole packet, when this is a later fragment */
	bool ll;		/* it has a link-layer header (it came in through a device) */
	bool fragment;		/* not a first fragment */
	bool some_fragment;	/* not the whole of a packet */
	int mss;		/* of the TCP option; -1: not known. Where all options are given, it stands among them */
	const struct parts *ipopt, *tcpopt; /* NULL: none; not known */
	uint64_t stripped;	/* TCP options below 64 that rules have taken out */
	struct { uint8_t type; uint16_t at, size; } ext[PACKET_EXT]; /* extension headers; size 0: not known */
	unsigned n_ext;
	uint16_t vague;		/* from here on it is not known where the network header's parts stand; 0: it is */
	uint16_t offset_bit;	/* where the 13 bits of a fragment's offset begin that are not known, but not 0; 0: none */
	uint8_t bytes[PACKET_BYTES], known[PACKET_BYTES];
	struct known32 meta[PACKET_META]; /* by NFT_META_*; those that are numbers of their own */
	char iifname[16], oifname[16];
	struct packet_ct ct;
	uint32_t version;	/* counts writes, so that answers about former content are not reused */
};

/**
 * packet_init() - a first packet of a connection of which nothing but its protocols is known
 * @p:		filled
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6
 * @l4proto:	IPPROTO_*
 * @h:		what else its headers hold, which must outlive the packet; NULL or all zero: it is no fragment and
 *		has neither IP options nor extension headers, and of TCP's options none is known
 *
 * TCP gets the flags of a SYN, ICMP an echo request.
 */
void packet_init(struct packet *p, uint8_t family, uint8_t l4proto, const struct header_parts *h);

/* packet_whole() - a fragment becomes the packet it is of (ip_defrag, nf_ct_frag6_gather): its length is another */
void packet_whole(struct packet *p);
/* packet_forget_length() - its length, also in IP's header, is not known any more */
void packet_forget_length(struct packet *p);
/* packet_lengthen() - a target made it @n bytes longer, and wrote that into IP's header (tcpmss_tg4, tcpmss_tg6) */
void packet_lengthen(struct packet *p, unsigned n);
/* packet_forget_ipopt() - the same IP options, of which less is known: where they stand stays known, not what they hold */
void packet_forget_ipopt(struct packet *p, const struct parts *o);
/* packet_set_tcpopt() - other TCP options than before; NULL: not known any more */
void packet_set_tcpopt(struct packet *p, const struct parts *o);
/* packet_ext() - the first extension header of a type; Return: where it begins in 'bytes', 0 when there is none */
unsigned packet_ext(const struct packet *p, uint8_t type);
/* packet_load_at() - bits from anywhere in 'bytes', @bit being the first one */
void packet_load_at(const struct packet *p, unsigned bit, unsigned bits, struct value *v);

/* Addresses; family 0 means "not known", in both directions. */
void packet_set_addr(struct packet *p, bool dst, const struct addr *a);
struct addr packet_addr(const struct packet *p, bool dst);
/* Ports of tcp, udp, udplite, sctp and dccp. packet_port() gives -1 when not (fully) known */
bool packet_has_ports(const struct packet *p);
void packet_set_port(struct packet *p, bool dst, uint16_t port, uint16_t known);
int packet_port(const struct packet *p, bool dst);
/* packet_set_u8() - a byte at an offset of the transport header */
void packet_set_u8(struct packet *p, unsigned th_offset, uint8_t v, uint8_t known);

/* packet_set_icmp_id() - of an ICMP query */
void packet_set_icmp_id(struct packet *p, uint16_t id, uint16_t known);

/* packet_may_be_error() - of an ICMP packet: its type is that of an error (icmp_is_err(), ICMPV6_INFOMSG_MASK), or not known */
bool packet_may_be_error(const struct packet *p);

/* packet_set_mac() - an address of the link-layer header; @dst: the destination's */
void packet_set_mac(struct packet *p, bool dst, const uint8_t mac[6]);
/* packet_mac() - Return: where it stands; NULL when it is not known, or there is no such header */
const uint8_t *packet_mac(const struct packet *p, bool dst);
void packet_set_meta(struct packet *p, uint32_t key, uint32_t v);
void packet_set_meta_unknown(struct packet *p, uint32_t key);
void packet_set_meta_absent(struct packet *p, uint32_t key);
/* packet_zone_id() - nf_ct_zone_id(): the zone of a direction, as far as it is known */
static inline uint16_t packet_zone_id(const struct packet_ct *ct, int dir)
{
	return ct->zone_dir < 0 || ct->zone_dir == dir ? (uint16_t)ct->zone.v : 0;
}
/* Interfaces: index 0 and "" mean none; index -1 means it is not known. */
void packet_set_iif(struct packet *p, int index, const char *name);
void packet_set_oif(struct packet *p, int index, const char *name);

/**
 * packet_load() - bits of a header, as an nftables payload expression loads them
 * @p:		packet
 * @base:	NFT_PAYLOAD_*
 * @offset:	in bits
 * @bits:	how many
 * @v:		filled; absent when the packet has no such header
 */
void packet_load(const struct packet *p, uint8_t base, unsigned offset, unsigned bits, struct value *v);
/* packet_store() - the reverse; returns -1 when the place is outside the headers held */
int packet_store(struct packet *p, uint8_t base, unsigned offset, unsigned bits, const struct value *v);

#endif
