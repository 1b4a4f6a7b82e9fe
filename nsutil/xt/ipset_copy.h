/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset_copy - the ipsets of a namespace made again in another one, under the same numbers */
#ifndef NSUTIL_XT_IPSET_COPY_H
#define NSUTIL_XT_IPSET_COPY_H

#include "nsutil/base/gaps.h"
#include "nsutil/netns/netns.h"

/**
 * ipset_copy() - make every ipset of @from in @to, with its members; nothing is interpreted on the way
 * @from:	namespace that is read; some rule of it must name an ipset, so that no module is loaded for the question
 * @to:		namespace of the caller's own, without ipsets
 * @gaps:	gets the sets that the kernel refused
 * @e:		error
 *
 * Rules name ipsets by their number, and a new set gets the lowest one that is free: where numbers are missing,
 * sets "cnish-gap-N" are made.
 *
 * Return: 0, or -1
 */
int ipset_copy(const struct netns *from, const struct netns *to, struct gaps *gaps, struct err *e);

#endif
