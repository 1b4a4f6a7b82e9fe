/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat - what the address translating targets share: ranges of addresses and ports */
#ifndef NSUTIL_XT_TARGET_NAT_H
#define NSUTIL_XT_TARGET_NAT_H

#include <linux/netfilter/nf_nat.h>

#include "nsutil/xt/type.h"

/* The three structures that revisions and families use, read into the widest. */
void xt_nat_get(const struct xt_ext *x, struct nf_nat_range2 *r);
/* xt_nat_put() - write the range into the codec's structure */
void xt_nat_put(const struct xt_codec *c, uint8_t *data, const struct nf_nat_range2 *r);

void xt_nat_ports_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b);
void xt_nat_ports_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key);
int xt_nat_ports_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e);
void xt_nat_init4(uint8_t *data, uint8_t family); /* one range */
void xt_nat_lower(struct xt_low *l, const struct xt_ext *x, enum nat_kind kind);

/* The flags option of a structure. */
#define XT_NAT_FULLY(s, m)                                                                                 \
	{ "random-fully", NULL, &xt_flag, XT_SET(s, m, NF_NAT_RANGE_PROTO_RANDOM_FULLY) }

#endif
