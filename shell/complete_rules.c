/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complete_rules - candidates from the rules of the current target: tables and chains */
#include "nsutil/load.h"
#include "shell/complete.h"

/* The rules of the current target; reading them changes nothing. */
static struct ruleset *rules(struct session *s)
{
	struct ruleset *rs = NULL;
	struct target *t;

	if (session_target(s, &t, NULL) || load_ruleset(t, LOAD_ALL, &rs, NULL))
		return NULL;
	return rs;
}

void complete_tables(struct session *s, struct offer *o)
{
	_cleanup_ruleset_ struct ruleset *rs = rules(s);

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		complete_add(o, t->name);
}

void complete_chains(struct session *s, struct offer *o)
{
	_cleanup_ruleset_ struct ruleset *rs = rules(s);

	o->any_case = true;
	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			complete_add(o, c->name);
}
