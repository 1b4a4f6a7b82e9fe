/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copy - the nftables of a namespace made again in another one, from the kernel's own bytes */
#ifndef NSUTIL_NFT_COPY_H
#define NSUTIL_NFT_COPY_H

#include "nsutil/base/gaps.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

/**
 * nft_copy() - make every table, set, object, chain and rule of @from in @to, in one transaction
 * @from:	namespace that is read
 * @to:		namespace without nftables rules
 * @rs:		the ruleset of @from; says what protocol a rule is bound to, which the kernel wants told
 *		for extensions of xtables but does not tell
 * @order:	base chains in the order in which the kernel runs them at equal priority: they are
 *		registered in reverse, the newest runs first. Those not named come in the order of the dump
 * @n_order:	their number
 * @gaps:	gets what the kernel refused; a refused rule is replaced by one that does nothing, so that
 *		the numbers of the others stay
 * @e:		error
 *
 * Nothing is interpreted on the way: expressions, set elements and user data are sent back as they came.
 * The flags "owner" and "persist" of tables and offloading to hardware are left out.
 *
 * Return: 0, or -1
 */
int nft_copy(const struct netns *from, const struct netns *to, const struct ruleset *rs,
	     const struct chain *const *order, unsigned n_order, struct gaps *gaps, struct err *e);

#endif
