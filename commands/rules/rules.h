/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules - what tables, diff and save share: which rules are meant, and the ruleset cut down to them */
#ifndef COMMANDS_RULES_RULES_H
#define COMMANDS_RULES_RULES_H

#include "commands/command.h"
#include "nsutil/base/buf.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/group.h"
#include "nsutil/ruleset/model.h"

struct rules_selection {
	unsigned load;	      /* LOAD_* bits of nsutil/load.h */
	unsigned stores;      /* 1 << STORE_* */
	bool all_stores;      /* nothing was said about stores */
	const char *table;    /* NULL: all */
	char *const *chains;  /* in any case of letters */
	int n_chains;	      /* 0: all */
	bool counters, bytes, sets;
};

/* The options that all three have: -4, -6, --store, --table. */
#define RULES_OPTIONS                                                                              \
	{ "ipv4", '4', ARG_NONE, NULL, NULL, "IPv4 only" },                                        \
	{ "ipv6", '6', ARG_NONE, NULL, NULL, "IPv6 only" },                                        \
	{ "store", 0, ARG_STORES, "LIST", NULL, "only these stores: legacy, compat, native" },     \
	{ "table", 0, ARG_TABLE, "TABLE", NULL, "only tables of this name" }

/* rules_select() - read the options; 0, or -1 with ERR_USAGE */
int rules_select(const struct command *c, const struct command_args *args, struct rules_selection *ret,
		 struct err *e);

/**
 * rules_prune() - cut a ruleset down to the selected tables and chains
 * @sel:	selection
 * @rs:		ruleset that is read only for showing; jumps still lead to chains that were cut
 * @e:		error: ERR_USAGE when there is no chain of a name that was asked for
 *
 * Return: 0, or -1
 */
int rules_prune(const struct rules_selection *sel, struct ruleset *rs, struct err *e);

/* rules_is_ip() - a store whose rules are iptables rules */
static inline bool rules_is_xt(enum store s)
{
	return s == STORE_LEGACY || s == STORE_COMPAT;
}

/* The views of 'tables'. */
void tables_text(const struct rules_selection *sel, struct arena *a, const struct table_group *groups,
		 unsigned n, struct out *o);
void tables_json(const struct ruleset *rs, struct out *o);

/**
 * tables_sets() - show the ipsets that rules name, read now, and as text the named sets of nftables
 * @sel:	for counters
 * @t:		target; members are read from its namespace
 * @rs:		rules
 * @o:		output; a member "ipsets" of the object that is open
 * @e:		error
 *
 * A set that cannot be read is shown with the reason.
 *
 * Return: 0, -1 when memory ran out
 */
int tables_sets(const struct rules_selection *sel, const struct target *t, const struct ruleset *rs, struct out *o,
		struct err *e);

/* rules_text() - a rule as a person knows it: iptables text without the leading space, else nft text */
void rules_text(const struct rule *r, struct buf *b);

#endif
