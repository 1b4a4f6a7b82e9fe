/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write - the rules of a file in the scratch: encoded anew from the model, as far as that can be done */
#include <string.h>

#include "nsutil/live/parts.h"
#include "nsutil/nft/write.h"
#include "nsutil/xt/write.h"

#define LOCK_NONE XT_LOCK_NOT_NEEDED

struct edits {
	struct xt_edit *xt;
	struct nft_edit *nft;
	size_t n_xt, n_nft;
	struct arena *a;
	bool oom;
};

static void add_xt(struct edits *ed, struct xt_edit new)
{
	struct xt_edit *more = arena_grow(ed->a, ed->xt, ed->n_xt, sizeof(*more));

	ed->oom = ed->oom || !more;
	if (!more)
		return;
	ed->xt = more;
	ed->xt[ed->n_xt++] = new;
}

static void add_nft(struct edits *ed, struct nft_edit new)
{
	struct nft_edit *more = arena_grow(ed->a, ed->nft, ed->n_nft, sizeof(*more));

	ed->oom = ed->oom || !more;
	if (!more)
		return;
	ed->nft = more;
	ed->nft[ed->n_nft++] = new;
}

static void legacy_table(struct edits *ed, const struct table *t)
{
	for (const struct chain *c = t->chains; c; c = c->next) {
		struct xt_edit head = { .op = c->base ? XT_EDIT_POLICY : XT_EDIT_NEW_CHAIN, .family = t->family,
					.table = t->name, .chain = c->name, .policy = c->policy };

		add_xt(ed, head);
	}
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->rules; r; r = r->next)
			add_xt(ed, (struct xt_edit){ .op = XT_EDIT_APPEND_RULE, .family = t->family, .table = t->name,
						     .chain = c->name, .rule = r });
}

static void compat_table(struct edits *ed, const struct table *t)
{
	add_nft(ed, (struct nft_edit){ .op = NFT_EDIT_ADD_TABLE, .family = t->family, .table = t->name });
	for (const struct chain *c = t->chains; c; c = c->next)
		add_nft(ed, (struct nft_edit){ .op = NFT_EDIT_ADD_CHAIN, .family = t->family, .table = t->name, .chain = c });
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->rules; r; r = r->next)
			add_nft(ed, (struct nft_edit){ .op = NFT_EDIT_APPEND_RULE, .family = t->family, .table = t->name,
						       .chain_name = c->name, .rule = r });
}

/* Table by table, so that one that cannot be written does not take the others along. */
static void write_table(struct scratch *s, const struct table *t)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct edits ed = { .a = a };
	struct err why = ERR_INIT;
	int r;

	if (!a)
		return;
	if (t->store == STORE_LEGACY)
		legacy_table(&ed, t);
	else
		compat_table(&ed, t);
	if (ed.oom)
		return gaps_add(&s->gaps, "memory ran out", "%s %s table %s", store_name(t->store), family_name(t->family), t->name);
	r = t->store == STORE_LEGACY ? xt_commit(&s->ns, ed.xt, ed.n_xt, NULL, LOCK_NONE, NULL, &why)
				     : nft_commit(&s->ns, ed.nft, ed.n_nft, 0, &why);
	if (r < 0)
		gaps_add(&s->gaps, why.why, "%s %s table %s", store_name(t->store), family_name(t->family), t->name);
}

int scratch_write_rules(struct scratch *s, const struct ruleset *rs, struct err *e)
{
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (t->store != STORE_NATIVE)
			write_table(s, t);
		else if (scratch_native_table(s, t, e) < 0)
			return -1;
	}
	return 0;
}
