/* SPDX-License-Identifier: GPL-2.0-or-later */
/* texts - rules as text, made once for many reports */
#ifndef COMMANDS_TRACE_TEXTS_H
#define COMMANDS_TRACE_TEXTS_H

#include "nsutil/ruleset/model.h"

struct texts;

struct rule_texts {
	const char *iptables; /* NULL when it has none */
	const char *nft;
};

/* texts_new() - nothing is said yet; NULL when memory ran out */
struct texts *texts_new(void);
void texts_free(struct texts *t);

/**
 * texts_of() - the texts of a rule
 * @t:		texts
 * @rule:	rule; must not change as long as @t lives
 * @native:	it is no rule of iptables
 *
 * Return: the texts, good as long as @t; NULL when memory ran out
 */
const struct rule_texts *texts_of(struct texts *t, const struct rule *rule, bool native);

#endif
