/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_alike - differing rules that read the same, and the form in which they differ */
#include "commands/rules/diff_alike.h"

#include <stdlib.h>
#include <string.h>

#include "commands/rules/rules.h"
#include "nsutil/ruleset/canon.h"
#include "nsutil/ruleset/text.h"

struct reading {
	const char *place, *text; /* "ip nat OUTPUT", and the rule as it is shown */
	const struct rule *rule;
	bool right;
};

static int by_text(const void *pa, const void *pb)
{
	const struct reading *a = pa, *b = pb;
	int c = strcmp(a->place, b->place);

	if (!c)
		c = strcmp(a->text, b->text);
	return c ? c : (int)a->right - (int)b->right;
}

static bool add(struct arena *a, const struct rule *r, bool right, struct reading *ret)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	const struct chain *c = r->chain;

	rules_text(r, &b);
	*ret = (struct reading){ .rule = r, .right = right, .text = arena_strdup(a, buf_cstr(&b)),
				 .place = arena_printf(a, "%s %s %s", family_name(c->table->family), c->table->name, c->name) };
	return ret->text && ret->place;
}

static unsigned count(const struct diff *d)
{
	unsigned n = 0;

	for (const struct diff_entry *it = d->entries; it; it = it->next)
		n += it->kind == DIFF_MOVED ? 0 : (it->left != NULL) + (it->right != NULL);
	return n;
}

static int by_rule(const void *pa, const void *pb)
{
	const struct diff_form *a = pa, *b = pb;

	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

static const char *nft_form(struct arena *a, const struct rule *r)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	rule_nft(r, false, &b);
	return arena_strdup(a, buf_cstr(&b));
}

static const char *canon_text(struct arena *a, const struct rule *r)
{
	struct canon c;

	return canon_rule(a, r, &c) == 0 ? c.text : NULL;
}

/* Rules of both sides, @n of them, that read the same: as nft has them, or where that is the same too, what is compared */
static bool add_forms(struct arena *a, const struct reading *group, unsigned n, struct diff_alike *ret)
{
	const char *first = nft_form(a, group[0].rule);
	bool nft = first && strcmp(first, group[0].text) != 0;

	for (unsigned i = 0; i < n && nft; i++) {
		const char *form = nft_form(a, group[i].rule);

		/* it tells the sides apart, or it does not help */
		if (!form || (group[i].right && strcmp(form, first) == 0))
			nft = false;
	}
	for (unsigned i = 0; i < n; i++) {
		struct diff_form *f = &ret->forms[ret->n++];

		*f = (struct diff_form){ group[i].rule, nft ? nft_form(a, group[i].rule) : canon_text(a, group[i].rule), nft };
		if (!f->text)
			return false;
	}
	return true;
}

static bool group_all(struct arena *a, const struct reading *all, unsigned n, struct diff_alike *ret)
{
	for (unsigned i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (strcmp(all[i].text, all[end].text) != 0 || strcmp(all[i].place, all[end].place) != 0)
				break;
		/* of one place and text the left ones come first */
		if (all[i].right == all[end - 1].right)
			continue;
		if (!add_forms(a, all + i, end - i, ret))
			return false;
	}
	return true;
}

int diff_alike(struct arena *a, const struct diff *d, struct diff_alike *ret)
{
	unsigned n = count(d), at = 0;
	struct reading *all = arena_array(a, n ? n : 1, sizeof(*all));

	*ret = (struct diff_alike){ .forms = arena_array(a, n ? n : 1, sizeof(*ret->forms)) };
	if (!all || !ret->forms)
		return -1;
	for (const struct diff_entry *it = d->entries; it; it = it->next) {
		if (it->kind == DIFF_MOVED)
			continue;
		if ((it->left && !add(a, it->left, false, &all[at++])) || (it->right && !add(a, it->right, true, &all[at++])))
			return -1;
	}
	qsort(all, n, sizeof(*all), by_text);
	if (!group_all(a, all, n, ret))
		return -1;
	qsort(ret->forms, ret->n, sizeof(*ret->forms), by_rule);
	return 0;
}

const struct diff_form *diff_form(const struct diff_alike *s, const struct rule *r)
{
	struct diff_form key = { .rule = r };

	return s->n ? bsearch(&key, s->forms, s->n, sizeof(*s->forms), by_rule) : NULL;
}
