/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edit - what has to be done to a store so that it holds what is wanted */
#include "nsutil/istio/edit.h"

#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/text.h"

struct editor {
	struct arena *a;
	struct istio_edits *to;
	struct err *e;
};

static int add(struct editor *ed, struct istio_edit edit)
{
	struct istio_edit *at = arena_grow(ed->a, ed->to->at, ed->to->n, sizeof(*at));

	if (!at)
		return err_oom(ed->e);
	ed->to->at = at;
	at[ed->to->n++] = edit;
	return 0;
}

static const char *words_of(struct editor *ed, const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!rule_iptables(r, &b))
		return arena_strdup(ed->a, "# a rule iptables has no words for");
	return buf_failed(&b) ? NULL : arena_strdup(ed->a, buf_cstr(&b) + (buf_cstr(&b)[0] == ' '));
}

static bool stays(const struct istio_match *m, uint32_t i)
{
	return m->state[i] == ISTIO_GOOD || m->state[i] == ISTIO_FOREIGN;
}

/* From the last to the first, so that the numbers of the others hold. */
static int delete_rules(struct editor *ed, const struct istio_match *m)
{
	for (uint32_t i = m->n; i-- > 0;) {
		struct istio_edit edit = { .op = ISTIO_DELETE_RULE, .table = m->table, .chain = m->name,
					   .position = i + 1, .rule = m->rules[i] };

		if (stays(m, i))
			continue;
		edit.text = words_of(ed, m->rules[i]);
		if (!edit.text)
			return err_oom(ed->e);
		if (add(ed, edit) < 0)
			return -1;
	}
	return 0;
}

/* One rule of the chain as it will be: one that stays, or a planned one that is put in. */
struct item {
	uint32_t have, want; /* ISTIO_NONE when it is not */
};

static bool is_good(const struct istio_match *m, uint32_t want)
{
	return m->from[want] != ISTIO_NONE && m->state[m->from[want]] == ISTIO_GOOD;
}

/* In a shared chain Istio's inserts stay together at the top, and what it appends behind the rest. */
static bool same_kind(const struct istio_match *m, uint32_t i, uint32_t k)
{
	return !m->want->builtin || (m->want->plan[i]->position > 0) == (m->want->plan[k]->position > 0);
}

static uint32_t find_want(const struct item *items, uint32_t n, uint32_t want)
{
	for (uint32_t i = 0; i < n; i++)
		if (items[i].want == want)
			return i;
	return ISTIO_NONE;
}

/* Where planned rule @i goes among @items: its planned neighbours decide, else the plan. */
static uint32_t find_place(const struct istio_match *m, const struct item *items, uint32_t n, uint32_t i)
{
	for (uint32_t k = i; k-- > 0;)
		if (same_kind(m, i, k)) /* it is there: rules are put in one after the other */
			return find_want(items, n, k) + 1;
	for (uint32_t k = i + 1; k < m->want->n; k++)
		if (is_good(m, k) && same_kind(m, i, k))
			return find_want(items, n, k);
	return m->want->plan[i]->position > 0 ? 0 : n;
}

static uint32_t arrange(const struct istio_match *m, struct item *items)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->n; i++)
		if (stays(m, i))
			items[n++] = (struct item){ i, m->state[i] == ISTIO_GOOD ? m->to[i] : ISTIO_NONE };
	for (uint32_t i = 0; i < m->want->n; i++) {
		uint32_t at;

		if (is_good(m, i))
			continue;
		at = find_place(m, items, n, i);
		memmove(items + at + 1, items + at, (n - at) * sizeof(*items));
		items[at] = (struct item){ ISTIO_NONE, i };
		n++;
	}
	return n;
}

/* The next rule behind @i that stays. */
static const struct rule *next_kept(const struct istio_match *m, const struct item *items, uint32_t n, uint32_t i)
{
	for (; i < n; i++)
		if (items[i].have != ISTIO_NONE)
			return m->rules[items[i].have];
	return NULL;
}

static int insert_rules(struct editor *ed, const struct istio_match *m)
{
	struct item *items;
	uint32_t n;

	if (!m->want)
		return 0;
	items = arena_array(ed->a, (size_t)m->n + m->want->n + 1, sizeof(*items));
	if (!items)
		return err_oom(ed->e);
	n = arrange(m, items);
	for (uint32_t i = 0; i < n; i++) {
		struct istio_edit edit = { .op = ISTIO_INSERT_RULE, .table = m->table, .chain = m->name,
					   .position = i + 1 };

		if (items[i].have != ISTIO_NONE)
			continue;
		edit.rule = m->want->rules[items[i].want];
		edit.text = m->want->plan[items[i].want]->text;
		edit.before = next_kept(m, items, n, i);
		edit.at_end = !edit.before;
		if (add(ed, edit) < 0)
			return -1;
	}
	return 0;
}

static bool is_new(const struct istio_match *m)
{
	return m->want && !m->have && !m->want->builtin;
}

static bool goes(const struct istio_match *m)
{
	return !m->want && m->have && istio_owns_chain(m->name);
}

static int edit_table(struct editor *ed, const struct istio_compare *c, const char *table)
{
	static const enum istio_edit_op farewell[] = { ISTIO_FLUSH_CHAIN, ISTIO_DELETE_CHAIN };

	for (unsigned i = 0; i < c->n; i++)
		if (strcmp(c->at[i].table, table) == 0 && is_new(&c->at[i]) &&
		    add(ed, (struct istio_edit){ .op = ISTIO_NEW_CHAIN, .table = table, .chain = c->at[i].name }) < 0)
			return -1;
	for (unsigned i = 0; i < c->n; i++)
		if (strcmp(c->at[i].table, table) == 0 && !goes(&c->at[i]) &&
		    (delete_rules(ed, &c->at[i]) < 0 || insert_rules(ed, &c->at[i]) < 0))
			return -1;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < c->n; i++)
			if (strcmp(c->at[i].table, table) == 0 && goes(&c->at[i]) &&
			    add(ed, (struct istio_edit){ .op = farewell[pass], .table = table, .chain = c->at[i].name }) < 0)
				return -1;
	return 0;
}

int istio_edits_make(struct arena *a, const struct istio_compare *c, struct istio_edits *ret, struct err *e)
{
	static const char *const tables[] = { "raw", "mangle", "nat", "filter", "security" };
	struct istio_edits edits = { .store = c->store, .family = c->family };
	struct editor ed = { .a = a, .to = &edits, .e = e };

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		if (edit_table(&ed, c, tables[i]) < 0)
			return -1;
	*ret = edits;
	return 0;
}

void istio_edit_words(const struct istio_edit *edit, struct buf *b)
{
	switch (edit->op) {
	case ISTIO_NEW_CHAIN:
		buf_fmt(b, "-N %s", edit->chain);
		break;
	case ISTIO_DELETE_RULE:
		buf_fmt(b, "-D %s %u", edit->chain, edit->position);
		break;
	case ISTIO_INSERT_RULE:
		if (edit->at_end)
			buf_fmt(b, "-A %s %s", edit->chain, edit->text);
		else
			buf_fmt(b, "-I %s %u %s", edit->chain, edit->position, edit->text);
		break;
	case ISTIO_FLUSH_CHAIN:
		buf_fmt(b, "-F %s", edit->chain);
		break;
	case ISTIO_DELETE_CHAIN:
		buf_fmt(b, "-X %s", edit->chain);
		break;
	}
}

void istio_edits_text(const struct istio_edits *edits, struct buf *b)
{
	const char *table = NULL;

	for (unsigned i = 0; i < edits->n; i++) {
		const struct istio_edit *edit = &edits->at[i];

		if (!table || strcmp(table, edit->table) != 0)
			buf_fmt(b, "%s*%s\n", table ? "COMMIT\n" : "", edit->table);
		table = edit->table;
		istio_edit_words(edit, b);
		buf_chr(b, '\n');
	}
	if (table)
		buf_str(b, "COMMIT\n");
}
