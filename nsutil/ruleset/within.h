/* SPDX-License-Identifier: GPL-2.0-or-later */
/* within - do statements hold what is looked for, themselves or in what they consist of? */
#ifndef NSUTIL_RULESET_WITHIN_H
#define NSUTIL_RULESET_WITHIN_H

#include "nsutil/ruleset/model.h"

/* What is looked for; NULL: nothing of that kind. */
struct wanted {
	bool (*stmt)(const struct stmt *s);
	bool (*expr)(const struct expr *x);
};

/**
 * stmts_have() - is there a statement or an expression that is wanted?
 * @list:	statements; those within them are looked at too: negated ones, alternatives, the meaning of extensions
 * @w:		what is looked for
 */
bool stmts_have(const struct stmt *list, const struct wanted *w);

#endif
