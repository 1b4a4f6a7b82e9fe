/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon - the canonical form of a rule: two rules that mean the same have the same one */
#ifndef NSUTIL_RULESET_CANON_H
#define NSUTIL_RULESET_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nsutil/base/arena.h"
#include "nsutil/ruleset/model.h"

/*
 * What counts as equal:
 * - An xt match or target equals the native statements of its meaning (multiport and a set of
 *   ports, conntrack and ct state, REDIRECT and redir, MARK --set-xmark and meta mark set ...).
 *   One without a known meaning equals only the same name with the same options; what is opaque
 *   equals only the same name, revision and bytes.
 * - A condition is a field and the values it may have. Prefix, masked comparison, range, set,
 *   "!=", "<" and ">" are ways to write those values: /32 or none, a set or range of one, a full
 *   mask, an interface name ending in a wildcard make no difference.
 * - "ip protocol" is "meta l4proto"; the protocol that a field needs ("tcp dport") is a condition
 *   whether it was written or not. What the table's family implies need not be written either: a
 *   rule of an inet table that can only match IPv4 equals the same rule of an ip table.
 * - The order of conditions makes no difference; the order of actions does, and so does on which
 *   side of an action (or of something that counts: limit, quota, statistic ...) a condition is.
 * - Counters, comments, handles and time stamps make no difference.
 * - Named sets, maps, objects and chains are compared by name, anonymous ones by content.
 *
 * Unequal forms do not prove unequal meaning: the form knows single rules, not logic in general.
 */
struct canon {
	const char *text; /* for tests and tie-breaking; not for people */
	size_t len;
	uint64_t hash;	     /* of the text */
	uint64_t conditions; /* hash of the conditions before the first action: equal when a rule was changed
			      * only in what it does */
};

/**
 * canon_rule() - make the canonical form of a rule
 * @a:		arena the text is put into; may be the ruleset's own or another
 * @r:		rule; its chain and table must be set
 * @ret:	set on success
 *
 * Return: 0, or -1 when memory ran out
 */
int canon_rule(struct arena *a, const struct rule *r, struct canon *ret);

/**
 * canon_stmts() - the same for a list of statements that is in no rule (yet)
 * @a:		arena the text is put into
 * @family:	NFPROTO_* of the table it is meant for
 * @stmts:	the list
 * @ret:	set on success
 *
 * Return: 0, or -1 when memory ran out
 */
int canon_stmts(struct arena *a, uint8_t family, const struct stmt *stmts, struct canon *ret);

static inline bool canon_same(const struct canon *a, const struct canon *b)
{
	return a->hash == b->hash && a->len == b->len && __builtin_memcmp(a->text, b->text, a->len) == 0;
}

/* rule_same() - two rules mean the same; false also when memory ran out */
bool rule_same(const struct rule *a, const struct rule *b);

/* How two chains of the same name can differ, apart from their rules. */
enum chain_difference {
	CHAIN_SAME = 0,
	CHAIN_BASE = 1,	    /* one is called by a hook, the other is not */
	CHAIN_HOOK = 2,	    /* hook or type */
	CHAIN_PRIORITY = 4,
	CHAIN_POLICY = 8,
};

/* canon_chain() - compare what the chains are, not their rules; Return: CHAIN_* bits */
unsigned canon_chain(const struct chain *a, const struct chain *b);

#endif
