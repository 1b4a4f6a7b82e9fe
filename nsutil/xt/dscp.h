/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dscp - words and masks of the traffic class, for matches and targets */
#ifndef NSUTIL_XT_DSCP_H
#define NSUTIL_XT_DSCP_H

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

extern const struct xt_type xt_dscp_value; /* 0xVV */
extern const struct xt_type xt_dscp_class; /* "EF", "AF41" ...; read only, never printed */
extern const struct xt_type xt_tos_mask;   /* 0xVV/0xMM; also "Minimize-Delay" ... when read */

/*
 * low_tos() - the bytes of the header that hold the traffic class: in IPv4 the second, in IPv6 the first two, of which it
 * is the eight bits in the middle. (nft 1.0.6 loses bits of a raw payload that does not begin with a byte.)
 */
struct expr *low_tos(struct xt_low *l);
/* low_tos_bits() - a value or mask of the class as it stands there */
struct expr *low_tos_bits(struct xt_low *l, uint8_t bits);

#endif
