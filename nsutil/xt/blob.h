/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blob - a legacy table as the kernel hands it out: entries one behind the other */
#ifndef NSUTIL_XT_BLOB_H
#define NSUTIL_XT_BLOB_H

#include <stdint.h>

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

/* What differs between IPv4 and IPv6; all else has the same layout (asserted in blob.c). */
struct xt_blob_family {
	uint8_t family;		 /* NFPROTO_* */
	int domain, level;	 /* AF_*, SOL_* */
	int get_info, get_entries;
	const char *names_file;	 /* below /proc */
	unsigned entry_size;	 /* of struct ipt_entry */
	unsigned target_offset, next_offset, counters; /* where they stand in it */
	/* Conditions of the header into the rule, before its matches; -1: memory ran out. */
	int (*header)(struct arena *a, const void *entry, struct stmt ***tail);
	bool (*is_goto)(const void *entry);
};

extern const struct xt_blob_family xt_blob_ipv4, xt_blob_ipv6;

struct xt_blob {
	const struct xt_blob_family *family;
	char table[32];
	uint32_t valid_hooks, hook_entry[5], underflow[5];
	uint32_t n_entries, size;
	const uint8_t *entries;	 /* lives as long as the ruleset's arena; aligned to 8 */
};

/**
 * xt_blob_fetch() - ask the kernel for a table; one that does not exist is made by asking
 * @fd:		an INET socket of the family in the namespace
 * @a:		arena of the entries
 * @b:		'family' and 'table' say which; the rest is filled
 * @e:		error
 *
 * Return: 0, or -1
 */
int xt_blob_fetch(int fd, struct arena *a, struct xt_blob *b, struct err *e);

/**
 * xt_blob_decode() - add the table to a ruleset
 * @b:		table; every length in it is checked (the kernel is trusted no more than a file)
 * @rs:		ruleset; its statements point into the blob
 * @e:		error: a malformed blob, or memory
 *
 * Chains come in the order of libiptc: built-in ones by hook, then the others sorted by name.
 * Mirrors net/netfilter/x_tables.c and ip_tables.c, translate_table().
 *
 * Return: 0, or -1 (nothing was added)
 */
int xt_blob_decode(const struct xt_blob *b, struct ruleset *rs, struct err *e);

/**
 * xt_base_chain() - hook, priority and type of a built-in chain; iptables-nft has a priority of its own for security
 * @table:	"nat" ...
 * @hook:	NF_INET_*
 * @c:		its 'base', 'hook', 'priority' and 'type' are set
 */
void xt_base_chain(enum store store, const char *table, unsigned hook, struct chain *c);

/* xt_hook_chain() - "PREROUTING" ... of a hook; NULL when out of range */
const char *xt_hook_chain(unsigned hook);

/* xt_table_hooks() - bits of the hooks a table has; 0 when it is no table of xtables */
uint32_t xt_table_hooks(const char *table);

/**
 * xt_table_names() - which tables of a family the namespace has; none is created by asking
 * @ns:		namespace
 * @f:		&xt_blob_ipv4 or &xt_blob_ipv6
 * @ret:	names, each ended by a newline, to be freed by the caller; NULL where the kernel has no legacy support
 * @e:		error
 *
 * Return: 0, or -1
 */
int xt_table_names(const struct netns *ns, const struct xt_blob_family *f, char **ret, struct err *e);

#endif
