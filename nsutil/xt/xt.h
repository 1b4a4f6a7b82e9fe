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

#endif
