/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xt - the legacy store: read and write through libiptc */
#ifndef NSUTIL_XT_XT_H
#define NSUTIL_XT_XT_H

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

/**
 * xt_read() - read the legacy tables that exist into a ruleset
 * @ns:		namespace; only tables that its net/ip_tables_names and ip6_tables_names list are
 *		opened, because opening creates (FACTS)
 * @families:	bit 0: IPv4, bit 1: IPv6
 * @rs:		ruleset to add to
 * @e:		error
 *
 * Return: 0, or -1
 */
int xt_read(const struct netns *ns, unsigned families, struct ruleset *rs, struct err *e);

struct xt_blob;
struct xt_blob_family; /* blob.h */

/**
 * xt_record() - hand out the tables of a family that exist, undecoded
 * @ns:		namespace
 * @f:		family
 * @a:		arena of the entries
 * @ret_offered: set always: this kernel has legacy tables of the family
 * @each:	called for each table; negative when memory ran out
 * @arg:	for @each
 * @e:		error
 *
 * Return: 0, or -1
 */
int xt_record(const struct netns *ns, const struct xt_blob_family *f, struct arena *a, bool *ret_offered,
	      int (*each)(void *arg, const struct xt_blob *b), void *arg, struct err *e);

#endif
