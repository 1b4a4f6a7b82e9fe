/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write - changing legacy tables: several edits, one atomic commit per table, under the xtables lock */
#ifndef NSUTIL_XT_WRITE_H
#define NSUTIL_XT_WRITE_H

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

enum xt_edit_op {
	XT_EDIT_NEW_CHAIN,    /* no error when it is there */
	XT_EDIT_FLUSH_CHAIN,  /* all its rules */
	XT_EDIT_DELETE_CHAIN, /* which must be empty, and named by no rule, by then */
	XT_EDIT_APPEND_RULE,
	XT_EDIT_INSERT_RULE,  /* in front of the rule at 'position'; 1 is the head */
	XT_EDIT_DELETE_RULE,  /* at 'position' */
	XT_EDIT_POLICY,	      /* of a built-in chain */
};

/* One edit. Positions count from 1 and are those at the time the edit is carried out. */
struct xt_edit {
	enum xt_edit_op op;
	uint8_t family;		 /* NFPROTO_IPV4 or NFPROTO_IPV6 */
	const char *table, *chain;
	uint32_t position;
	const struct rule *rule; /* APPEND, INSERT: statements as xt_parse_rule() or xt_read() give them */
	enum verdict policy;
};

/* As lock_ms: the namespace is the caller's own, nobody else writes there. */
#define XT_LOCK_NOT_NEEDED UINT32_MAX

/* What xt_commit() returns beside 0 and -1. */
#define XT_COMMIT_CHANGED (-2)

/**
 * xt_commit() - carry out edits, all or none of each table, in the order given
 * @ns:		namespace
 * @edits:	edits, of any number of tables; those of one table become one commit, and tables
 *		are committed in the order in which they first appear
 * @n:		their number; 0 does nothing
 * @before:	what the edits were computed from; a table is not touched when a chain that an edit names
 *		is no longer the same (counters aside). NULL: do not check
 * @lock_ms:	how long to wait for the xtables lock, in milliseconds; 0: not at all;
 *		XT_LOCK_NOT_NEEDED: it is not taken
 * @ret_done:	counted up for each table that is committed, also when a later one fails; may be NULL
 * @e:		error; says which edit the kernel or libiptc refused and why. When another process
 *		holds the lock, its name and PID
 *
 * The lock is $XTABLES_LOCKFILE, else /run/xtables.lock. A table that does not exist yet is created,
 * as iptables does. Rules that no edit names keep their bytes and counters; a change by somebody
 * who does not take the lock is noticed by the kernel, and then tried again a few times.
 *
 * Return: 0; XT_COMMIT_CHANGED when the rules are others than in @before (@e is set; tables before
 * that one are committed: read again and retry, with a bound); -1
 */
int xt_commit(const struct netns *ns, const struct xt_edit *edits, size_t n, const struct ruleset *before,
	      unsigned lock_ms, unsigned *ret_done, struct err *e);

#endif
