/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner - takes another program's chains out of one store */
#include "nsutil/istio/owner.h"

#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/owner.h"
#include "nsutil/ruleset/text.h"

struct job {
	struct arena *a;
	struct istio_edits *to;
	const char *owner;
	struct err *e;
};

static bool is_theirs(const struct chain *c, const char *owner)
{
	const char *whose = c->base ? NULL : owner_chain(c);

	return whose && strcmp(whose, owner) == 0;
}

static int add(struct job *j, struct istio_edit edit)
{
	struct istio_edit *at = arena_grow(j->a, j->to->at, j->to->n, sizeof(*at));

	if (!at)
		return err_oom(j->e);
	j->to->at = at;
	at[j->to->n++] = edit;
	return 0;
}

static bool leads_there(const struct rule *r, const struct table *t, const char *owner)
{
	for (const struct stmt *s = r->stmts; s; s = s->next) {
		const struct chain *c = s->kind == STMT_VERDICT && s->verdict.chain ? table_find_chain(t, s->verdict.chain) : NULL;

		if (c && is_theirs(c, owner))
			return true;
	}
	return false;
}

/* From the last to the first, so that the numbers of the others hold. */
static int cut(struct job *j, const struct table *t, const struct chain *c)
{
	const struct rule **rules = arena_array(j->a, c->n_rules + 1, sizeof(*rules));
	uint32_t n = 0;

	if (!rules)
		return err_oom(j->e);
	for (const struct rule *r = c->rules; r; r = r->next)
		rules[n++] = r;
	while (n-- > 0) {
		struct istio_edit edit = { .op = ISTIO_DELETE_RULE, .table = t->name, .chain = c->name, .position = n + 1, .rule = rules[n] };
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (!leads_there(rules[n], t, j->owner))
			continue;
		edit.text = arena_strdup(j->a, rule_iptables(rules[n], &b) ? buf_cstr(&b) : "");
		if (!edit.text)
			return err_oom(j->e);
		if (add(j, edit) < 0)
			return -1;
	}
	return 0;
}

static int edit_table(struct job *j, const struct table *t)
{
	static const enum istio_edit_op farewell[] = { ISTIO_FLUSH_CHAIN, ISTIO_DELETE_CHAIN };

	for (const struct chain *c = t->chains; c; c = c->next)
		if (!is_theirs(c, j->owner) && cut(j, t, c) < 0)
			return -1;
	for (unsigned i = 0; i < ARRAY_SIZE(farewell); i++)
		for (const struct chain *c = t->chains; c; c = c->next)
			if (is_theirs(c, j->owner) &&
			    add(j, (struct istio_edit){ .op = farewell[i], .table = t->name, .chain = c->name }) < 0)
				return -1;
	return 0;
}

static int make_part(struct istio_change *c, enum store store, uint8_t family, const char *owner, struct err *e)
{
	struct istio_part *part = arena_alloc(c->arena, sizeof(*part));
	struct job j = { c->arena, NULL, owner, e };

	if (!part)
		return err_oom(e);
	part->clears = true;
	part->edits = (struct istio_edits){ .store = store, .family = family };
	part->compare.store = store;
	part->compare.family = family;
	j.to = &part->edits;
	for (const struct table *t = c->before->tables; t; t = t->next)
		if (t->store == store && t->family == family && edit_table(&j, t) < 0)
			return -1;
	if (!part->edits.n)
		return 0;
	c->parts[c->n_parts++] = part;
	c->n_edits += part->edits.n;
	return 0;
}

int istio_change_owner(struct arena *a, const struct ruleset *rs, enum store store, const char *owner,
		       struct istio_change *ret, struct err *e)
{
	struct istio_change c = { .arena = a, .families = 3, .before = rs };

	for (const struct unread *u = rs->unread; u; u = u->next)
		if (u->store == store)
			return err_set(e, ERR_SYS, store_name(store), "it could not be read: %s; nothing is changed", u->why);
	if (make_part(&c, store, NFPROTO_IPV4, owner, e) < 0 || make_part(&c, store, NFPROTO_IPV6, owner, e) < 0)
		return -1;
	*ret = c;
	return 0;
}
