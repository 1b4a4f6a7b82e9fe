/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict - the two kinds of nf_tables data: values and verdicts */
#ifndef NSUTIL_NFT_VERDICT_H
#define NSUTIL_NFT_VERDICT_H

#include "nsutil/nft/attr.h"
#include "nsutil/ruleset/model.h"

/* data_value(), data_verdict() - the one or the other inside an NFTA_DATA_* nest; NULL when not there */
const struct nlattr *data_value(const struct nlattr *data);
const struct nlattr *data_verdict(const struct nlattr *data);

/**
 * verdict_decode() - read a nest of NFTA_VERDICT_*
 * @a:		arena
 * @nest:	the nest, may be NULL
 * @ret:	set on success
 *
 * Return: whether it is a verdict we know
 */
bool verdict_decode(struct arena *a, const struct nlattr *nest, struct stmt_verdict *ret);

#endif
