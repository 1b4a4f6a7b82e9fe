/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules - the rules of a target in the scratch */
#include <string.h>

#include "nsutil/live/parts.h"
#include "nsutil/nft/copy.h"
#include "nsutil/nft/write.h"
#include "nsutil/xt/copy.h"
#include "nsutil/xt/ipset_copy.h"
#include "nsutil/xt/write.h"

static bool same_hook(const struct chain *a, const struct chain *b)
{
	return a->hook == b->hook && a->priority == b->priority;
}

/*
 * A legacy table registers all its chains at once, when it is made; so the legacy tables are made before the
 * others or behind them. The newest runs first: the order says which of the two it was.
 */
static bool legacy_is_newer(const struct scratch_source *src)
{
	for (unsigned i = 0; i < src->n_order; i++)
		for (unsigned k = i + 1; k < src->n_order; k++)
			if (src->order[i]->table->store == STORE_LEGACY && src->order[k]->table->store != STORE_LEGACY &&
			    same_hook(src->order[i], src->order[k]))
				return true;
	return false;
}

static int copy_nft(struct scratch *s, const struct scratch_source *src, struct err *e)
{
	if (!ruleset_has(src->rs, STORE_COMPAT) && !ruleset_has(src->rs, STORE_NATIVE))
		return 0;
	return nft_copy(src->ns, &s->ns, src->rs, src->order, src->n_order, &s->gaps, e);
}

static int copy_all(struct scratch *s, const struct scratch_source *src, struct err *e)
{
	bool last = legacy_is_newer(src);

	if (ruleset_names_ipsets(src->rs) && ipset_copy(src->ns, &s->ns, &s->gaps, e) < 0)
		return -1;
	if (!last && xt_copy(src->ns, &s->ns, &s->gaps, e) < 0)
		return -1;
	if (copy_nft(s, src, e) < 0)
		return -1;
	return last ? xt_copy(src->ns, &s->ns, &s->gaps, e) : 0;
}

/* What could not even be read cannot be copied. */
static void note_unread(struct scratch *s, const struct ruleset *rs)
{
	for (const struct unread *u = rs->unread; u; u = u->next)
		gaps_add(&s->gaps, u->why, "%s %s%s%s", store_name(u->store), family_name(u->family), u->table ? " table " : "",
			 u->table ? u->table : "");
}

int scratch_rules(struct scratch *s, const struct scratch_source *src, struct err *e)
{
	note_unread(s, src->rs);
	return src->ns ? copy_all(s, src, e) : scratch_write_rules(s, src->rs, e);
}
