/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dscp - words and masks of the traffic class, for matches and targets */
#ifndef NSUTIL_XT_DSCP_H
#define NSUTIL_XT_DSCP_H

#include "nsutil/xt/type.h"

extern const struct xt_type xt_dscp_value; /* 0xVV */
extern const struct xt_type xt_dscp_class; /* "EF", "AF41" ...; read only, never printed */
extern const struct xt_type xt_tos_mask;   /* 0xVV/0xMM; also "Minimize-Delay" ... when read */

#endif
