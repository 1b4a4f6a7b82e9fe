/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maker - rules whose statements are made when they are printed */
#ifndef NSUTIL_RULESET_MAKER_H
#define NSUTIL_RULESET_MAKER_H

#include "nsutil/ruleset/model.h"

/*
 * In a ruleset that is only printed (text_only) a reader may leave the statements of a rule to be
 * made when its turn has come, in memory that the next rule uses again.
 */
struct rule_maker {
	/* Statements of @r, from its 'raw', in @a. Return: 0, or -1 (memory) */
	int (*make)(const struct rule_maker *m, struct arena *a, const struct rule *r, struct stmt **ret);
};

/**
 * rule_make() - the rule with its statements, also where they were left to be made
 * @r:		rule
 * @scratch:	memory for them; reset first
 * @room:	where the rule is made; it holds until the next one is
 *
 * Return: @r itself or @room; NULL when memory ran out
 */
const struct rule *rule_make(const struct rule *r, struct arena *scratch, struct rule *room);

#endif
