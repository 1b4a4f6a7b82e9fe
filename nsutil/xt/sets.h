/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sets - what the match set and the target SET share: ipsets by index and by name */
#ifndef NSUTIL_XT_SETS_H
#define NSUTIL_XT_SETS_H

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

#define XT_SETS_MAX 3 /* of one extension */

/**
 * xt_name_sets() - ask the kernel for the names of the ipsets that rules refer to by number, and give
 *	those extensions their meaning anew
 * @ns:		namespace
 * @rs:		its ruleset; sets that are named already are passed over
 * @e:		error
 *
 * Nothing is asked when no rule names a set. A set that has no name (any more) stays a number.
 *
 * Return: 0, or -1
 */
int xt_name_sets(const struct netns *ns, struct ruleset *rs, struct err *e);

struct xt_set_name { /* as a kernel had it */
	uint16_t index;
	const char *name;
};

/* xt_named_sets() - which sets the rules refer to, by number and name; in the arena of @rs. Return: 0, or -1 */
int xt_named_sets(struct ruleset *rs, const struct xt_set_name **ret, size_t *ret_n, struct err *e);
/* xt_name_sets_by() - as xt_name_sets(), by such a list instead of a kernel. Return: 0, or -1 */
int xt_name_sets_by(const struct xt_set_name *list, size_t n, struct ruleset *rs, struct err *e);

/**
 * xt_number_sets() - the reverse, for a rule that was read from text
 * @ns:		namespace
 * @a:		arena of the rule
 * @r:		rule; its extensions' data is replaced by one with the numbers
 * @e:		error: there is no such set
 *
 * Return: 0, or -1
 */
int xt_number_sets(const struct netns *ns, struct arena *a, struct rule *r, struct err *e);

#endif
