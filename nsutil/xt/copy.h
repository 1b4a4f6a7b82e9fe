/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copy - the legacy tables of a namespace made again in another one, from the kernel's own bytes */
#ifndef NSUTIL_XT_COPY_H
#define NSUTIL_XT_COPY_H

#include "nsutil/base/gaps.h"
#include "nsutil/netns/netns.h"

/**
 * xt_copy() - make every legacy table of @from in @to; nothing is interpreted on the way
 * @from:	namespace that is read; only tables that are there are opened
 * @to:		namespace of the caller's own
 * @gaps:	gets the tables that the kernel refused
 * @e:		error
 *
 * Takes no lock: the table is read as a whole, and @to is nobody else's.
 *
 * Return: 0, or -1
 */
int xt_copy(const struct netns *from, const struct netns *to, struct gaps *gaps, struct err *e);

#endif
