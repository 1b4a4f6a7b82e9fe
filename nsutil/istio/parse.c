/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse - model rules and canonical forms of a layout's words */
#include "nsutil/istio/layout.h"
#include "nsutil/xt/parse.h"

static int parse_rule(struct istio_layout *l, struct chain *c, const struct istio_rule *plan,
		      const struct rule **ret, struct canon *ret_canon, struct err *e)
{
	const char *const *words;
	struct rule *r;
	size_t n;

	if (xt_parse_words(l->parsed->arena, plan->text, &words, &n, e) < 0 ||
	    xt_parse_rule(l->parsed, c, words, n, &r, e) < 0)
		return err_wrap(e, "rule '%s' of chain %s", plan->text, plan->chain);
	xt_append_rule(r);
	if (canon_rule(l->arena, r, ret_canon) < 0)
		return err_oom(e);
	*ret = r;
	return 0;
}

static int parse_chain(struct istio_layout *l, struct istio_chain *ic, enum store store, struct err *e)
{
	struct table *t = ruleset_find_table(l->parsed, store, l->family, ic->table);
	struct chain *c;

	if (!t)
		t = ruleset_add_table(l->parsed, store, l->family, ic->table);
	c = t ? table_add_chain(l->parsed, t, ic->name) : NULL;
	ic->rules = arena_array(l->arena, ic->n + 1, sizeof(*ic->rules));
	ic->canon = arena_array(l->arena, ic->n + 1, sizeof(*ic->canon));
	if (!c || !ic->rules || !ic->canon)
		return err_oom(e);
	for (unsigned i = 0; i < ic->n; i++)
		if (parse_rule(l, c, ic->plan[i], &ic->rules[i], &ic->canon[i], e) < 0)
			return -1;
	return 0;
}

int istio_layout_parse(struct istio_layout *l, enum store store, struct err *e)
{
	int status = 0;

	l->parsed = ruleset_new();
	if (!l->parsed)
		return err_oom(e);
	for (unsigned i = 0; i < l->n && !status; i++)
		status = parse_chain(l, &l->chains[i], store, e);
	for (struct table *t = l->parsed->tables; t && !status; t = t->next)
		status = ruleset_link(l->parsed, t) < 0 ? err_oom(e) : 0;
	if (status)
		istio_layout_free(l);
	return status;
}
