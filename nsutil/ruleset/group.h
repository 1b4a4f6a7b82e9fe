/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group - tables and chains of the same name in the three stores, brought together */
#ifndef NSUTIL_RULESET_GROUP_H
#define NSUTIL_RULESET_GROUP_H

#include "nsutil/base/arena.h"
#include "nsutil/ruleset/model.h"

struct chain_group {
	const char *name;
	const struct chain *chain[STORE_COUNT]; /* NULL where a store has none */
};

struct table_group {
	uint8_t family;
	const char *name;
	const struct table *table[STORE_COUNT]; /* NULL where a store has none */
	unsigned n_stores;			 /* how many have */
	struct chain_group *chains;
	uint32_t n_chains;
};

/**
 * group_tables() - bring together what has the same family and name
 * @a:		arena for the result
 * @rs:		ruleset
 * @ret:	set on success: IPv4 first, then IPv6, then the other families; in each the tables that
 *		iptables has in the order packets meet them, then others as they come. Chains: those of the
 *		first store that has the table as they come, then what only the others have
 * @ret_n:	their number
 *
 * Return: 0, or -1 when memory ran out
 */
int group_tables(struct arena *a, const struct ruleset *rs, struct table_group **ret, unsigned *ret_n);

#endif
