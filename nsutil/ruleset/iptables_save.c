/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_save - whole tables as iptables-save prints them */
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/maker.h"
#include "nsutil/ruleset/text.h"

static void save_counts(uint64_t packets, uint64_t bytes, struct buf *b)
{
	buf_chr(b, '[');
	buf_uint(b, packets);
	buf_chr(b, ':');
	buf_uint(b, bytes);
	buf_chr(b, ']');
}

/* The counters of policies are printed whether asked for or not. */
static void save_chain_line(const struct chain *c, struct buf *b)
{
	buf_chr(b, ':');
	buf_str(b, c->name);
	if (!c->base)
		buf_str(b, " - ");
	else
		buf_str(b, c->policy == VERDICT_DROP ? " DROP " : c->policy == VERDICT_QUEUE ? " QUEUE " : " ACCEPT ");
	save_counts(c->packets, c->bytes, b);
	buf_chr(b, '\n');
}

/* A rule without an iptables form is named in a comment, so that it is not passed over. */
static void save_rule(const struct rule *r, bool counters, struct buf *b)
{
	size_t start = b->len;

	if (counters) {
		save_counts(r->packets, r->bytes, b);
		buf_chr(b, ' ');
	}
	buf_str(b, "-A ");
	buf_str(b, r->chain->name);
	if (rule_iptables(r, b)) {
		buf_chr(b, '\n');
		return;
	}
	if (b->data) {
		b->len = start;
		b->data[start] = '\0';
	}
	buf_fmt(b, "# rule %u of %s has no iptables form: ", r->index, r->chain->name);
	rule_nft(r, false, b);
	buf_chr(b, '\n');
}

/* iptables-nft prints base chains by hook, then the others by name; legacy is in libiptc's order. */
static int compat_order(const void *pa, const void *pb)
{
	const struct chain *a = *(struct chain *const *)pa, *b = *(struct chain *const *)pb;

	if (a->base != b->base)
		return a->base ? -1 : 1;
	if (a->base && a->hook != b->hook)
		return a->hook < b->hook ? -1 : 1;
	return strcmp(a->name, b->name);
}

static const struct chain **chains_in_order(const struct table *t, size_t *ret_n)
{
	const struct chain **list;
	size_t n = 0;

	for (const struct chain *c = t->chains; c; c = c->next)
		n++;
	list = calloc(n ? n : 1, sizeof(*list));
	if (!list)
		return NULL;
	*ret_n = n;
	n = 0;
	for (const struct chain *c = t->chains; c; c = c->next)
		list[n++] = c;
	if (t->store != STORE_LEGACY)
		qsort(list, n, sizeof(*list), compat_order);
	return list;
}

/* The tables that iptables has and their chains, in the order that iptables-nft-save prints them. */
static const struct {
	const char *table;
	const char *chains[6];
} builtin[] = {
	{ "mangle", { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" } },
	{ "security", { "INPUT", "FORWARD", "OUTPUT" } },
	{ "raw", { "PREROUTING", "OUTPUT" } },
	{ "filter", { "INPUT", "FORWARD", "OUTPUT" } },
	{ "nat", { "PREROUTING", "INPUT", "OUTPUT", "POSTROUTING" } },
};

/* iptables-nft makes a base chain when it first puts a rule there, but always prints all of them. */
static void save_compat_bases(const struct table *t, struct buf *b)
{
	static const struct chain absent = { .base = true, .policy = VERDICT_ACCEPT };

	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++) {
		if (strcmp(builtin[i].table, t->name) != 0)
			continue;
		for (const char *const *name = builtin[i].chains; *name; name++) {
			const struct chain *c = table_find_chain(t, *name);
			struct chain line = c ? *c : absent;

			line.name = *name;
			save_chain_line(&line, b);
		}
	}
}

static bool is_builtin(const struct chain *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		for (const char *const *name = builtin[i].chains; *name; name++)
			if (strcmp(builtin[i].table, c->table->name) == 0 && strcmp(*name, c->name) == 0)
				return true;
	return false;
}

static void save_rules(const struct chain *c, bool counters, struct arena *scratch, struct buf *b)
{
	struct rule room;

	for (const struct rule *r = c->rules; r; r = r->next) {
		const struct rule *made = rule_make(r, scratch, &room);

		if (made)
			save_rule(made, counters, b);
		else
			b->failed = true;
		buf_spill(b, BUF_MUCH);
	}
}

static void save_table(const struct table *t, bool counters, struct buf *b)
{
	bool compat = t->store == STORE_COMPAT;
	_cleanup_free_ const struct chain **chains = NULL;
	_cleanup_arena_ struct arena *scratch = arena_new();
	size_t n = 0;

	chains = chains_in_order(t, &n);
	if (!chains || !scratch) {
		b->failed = true;
		return;
	}
	buf_chr(b, '*');
	buf_str(b, t->name);
	buf_chr(b, '\n');
	if (compat)
		save_compat_bases(t, b);
	for (size_t i = 0; i < n; i++)
		if (!compat || !chains[i]->base || !is_builtin(chains[i]))
			save_chain_line(chains[i], b);
	for (size_t i = 0; i < n; i++)
		save_rules(chains[i], counters, scratch, b);
	buf_str(b, "COMMIT\n");
}

/* -1: no table of iptables. */
static int builtin_rank(const struct table *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		if (strcmp(builtin[i].table, t->name) == 0)
			return (int)i;
	return -1;
}

void ruleset_save(const struct ruleset *rs, enum store store, uint8_t family, const char *table,
		  bool counters, struct buf *b)
{
	int last = store == STORE_COMPAT ? (int)ARRAY_SIZE(builtin) - 1 : -1;

	/* libiptc's peer prints tables as the kernel lists them; iptables-nft in an order of its own */
	for (int rank = store == STORE_COMPAT ? 0 : -1; rank <= last; rank++)
		for (const struct table *t = rs->tables; t; t = t->next)
			if (t->store == store && t->family == family && (rank < 0 || builtin_rank(t) == rank) &&
			    (!table || strcmp(t->name, table) == 0))
				save_table(t, counters, b);
}
