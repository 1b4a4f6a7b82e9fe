/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proto - which protocols a rule has established so far, and which of its conditions nft hides */
#ifndef NSUTIL_NFT_PROTO_H
#define NSUTIL_NFT_PROTO_H

#include "nsutil/nft/decode.h"

/*
 * What nft lists of a rule depends on what it knows when it comes to a condition, and it comes to them in order.
 * Two things are kept: the protocols of frame, network and transport header (proto.c), and the conditions that told
 * them and are not needed once something above says the same (deps.c). Both follow nft 1.0.6 in every case, also
 * where it is surprising, as its listing is what people compare with.
 */

/* dec_field_is_key() - the field says what the next header is */
bool dec_field_is_key(const struct hdr_field *f);
/* dec_field_icmp_type() - the ICMP type in which alone there is such a field; 0: in any */
uint8_t dec_field_icmp_type(const struct hdr_field *f);
/* dec_field_at() - the field that lies exactly at a place; NULL when none is known to */
const struct hdr_field *dec_field_at(const struct dec *d, uint8_t base, unsigned offset, unsigned bits);
/* dec_field_trim() - whether @width bits behind the first @lead ones of a load are whole fields, and not all of it */
bool dec_field_trim(const struct dec *d, const struct expr *load, unsigned lead, unsigned width);

/* The fields that follow each other from a place on. */
struct dec_split {
	const struct proto_desc *desc;
	unsigned skip, at, i;
};

void dec_split_begin(const struct dec *d, uint8_t base, unsigned offset, struct dec_split *ret);
/* dec_split_next() - the field where the last one ended; NULL when there is none */
const struct hdr_field *dec_split_next(const struct dec *d, struct dec_split *s);

/* dec_proto_stacked() - the value tells another header of the same layer, as a VLAN's in a frame */
bool dec_proto_stacked(const struct dec *d, unsigned base, const struct expr *value);
/* dec_proto_icmp_set() - a type that is looked up in a set: its first element says which fields there are */
void dec_proto_icmp_set(struct dec *d, const struct expr *load, const struct expr *first);
/* dec_proto_reject_kind() - which protocol's packets "reject" sends; @ret_bare: nft cannot tell, and lists no code */
enum reject_kind dec_proto_reject_kind(const struct dec *d, bool *ret_bare);

/* deps.c */
/* dec_deps_forget() - what stands before a statement with an effect of its own stays as it is */
void dec_deps_forget(struct dec *d);
/* dec_deps_payload() - bytes of a header are used; @key: by a condition that may tell the next header itself */
void dec_deps_payload(struct dec *d, const struct expr *x, bool key);
/* dec_deps_exthdr() - an option or extension header is used */
void dec_deps_exthdr(struct dec *d, uint32_t op);
/* dec_deps_told() - condition @s on header bytes told the header above @base; -1: below all */
void dec_deps_told(struct dec *d, struct stmt *s, int base);
/* dec_deps_meta() - condition @s compares a meta or ct key with a value */
void dec_deps_meta(struct dec *d, struct stmt *s);
/* dec_deps_reject() - "reject" implies the protocol whose packets it sends */
void dec_deps_reject(struct dec *d, enum reject_kind kind);

#endif
