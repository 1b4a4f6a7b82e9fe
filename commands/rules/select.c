/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select - which rules are meant: families, stores, tables, chains */
#include <ctype.h>
#include <linux/netfilter.h>
#include <string.h>
#include <strings.h>

#include "commands/rules/rules.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/base/near.h"
#include "nsutil/load.h"
#include "nsutil/ruleset/text.h"

static int one_store(const char *word, size_t n, unsigned *stores, struct err *e)
{
	unsigned found = STORE_COUNT, fits = 0;

	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (n && strncmp(store_name((enum store)s), word, n) == 0) {
			found = s;
			fits++;
		}
	if (fits != 1) {
		err_set(e, ERR_USAGE, "--store", "no store is called '%.*s'", (int)n, word);
		return err_hint(e, "the stores are legacy, compat and native");
	}
	*stores |= 1u << found;
	return 0;
}

static int parse_stores(const char *list, unsigned *ret, struct err *e)
{
	unsigned stores = 0;

	for (const char *p = list;; p++) {
		size_t n = strcspn(p, ",");

		if (one_store(p, n, &stores, e) != 0)
			return -1;
		p += n;
		if (!*p)
			break;
	}
	*ret = stores;
	return 0;
}

int rules_select(const struct command *c, const struct command_args *args, struct rules_selection *ret,
		 struct err *e)
{
	const char *stores = command_opt(c, args, "store");
	struct rules_selection sel = { .stores = LOAD_ALL, .all_stores = !stores };

	if (stores && parse_stores(stores, &sel.stores, e) != 0)
		return -1;
	sel.load = sel.stores; /* LOAD_LEGACY and so on are 1 << STORE_* */
	if (command_opt(c, args, "ipv4"))
		sel.load |= LOAD_V4;
	if (command_opt(c, args, "ipv6"))
		sel.load |= LOAD_V6;
	sel.table = command_opt(c, args, "table");
	*ret = sel;
	return 0;
}

/* A table whose family is IP but not the one asked for; inet and the others count as both. */
static bool other_family(const struct rules_selection *sel, uint8_t family)
{
	unsigned asked = sel->load & (LOAD_V4 | LOAD_V6);

	return (asked == LOAD_V4 && family == NFPROTO_IPV6) || (asked == LOAD_V6 && family == NFPROTO_IPV4);
}

static bool table_wanted(const struct rules_selection *sel, const struct table *t)
{
	return sel->stores & 1u << t->store && !other_family(sel, t->family) &&
	       (!sel->table || strcmp(sel->table, t->name) == 0);
}

static bool chain_wanted(const struct rules_selection *sel, const struct chain *c, bool *seen)
{
	bool wanted = false;

	for (int i = 0; i < sel->n_chains; i++)
		if (strcasecmp(sel->chains[i], c->name) == 0)
			wanted = seen[i] = true;
	return wanted;
}

/* With chains named, only these remain, and of sets and the like nothing. */
static void prune_chains(const struct rules_selection *sel, struct table *t, bool *seen)
{
	struct chain **at = &t->chains;

	while (*at)
		if (chain_wanted(sel, *at, seen))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	t->chains_tail = at;
	t->sets = NULL;
	t->objects = NULL;
	t->flowtables = NULL;
}

struct names {
	struct arena *a;
	const char **list; /* NULL-ended; NULL when memory ran out */
	size_t n;
};

static void add_name(struct names *x, const char *name)
{
	if (x->n && !x->list)
		return;
	x->list = arena_grow(x->a, x->list, x->n, sizeof(*x->list));
	if (x->list)
		x->list[x->n] = name;
	x->n++;
}

/* The names that there are; of tables also those that every kernel may have. */
static struct names all_names(struct ruleset *rs, bool chains)
{
	static const char *const tables[] = { "raw", "mangle", "nat", "filter", "security" };
	struct names x = { .a = rs->arena };

	for (size_t i = 0; i < ARRAY_SIZE(tables) && !chains; i++)
		add_name(&x, tables[i]);
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (!chains)
			add_name(&x, t->name);
		for (const struct chain *c = chains ? t->chains : NULL; c; c = c->next)
			add_name(&x, c->name);
	}
	add_name(&x, NULL);
	return x;
}

/* The one that was perhaps meant, whatever the case of its letters; NULL */
static const char *meant(struct ruleset *rs, const char *const *names, const char *word)
{
	char *folded = arena_strdup(rs->arena, word);
	const char *near = near_word(names, word);

	for (char *p = folded; p && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	if (!near && folded)
		near = near_word(names, folded);
	for (char *p = folded; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return near || !folded ? near : near_word(names, folded);
}

static int no_such(struct ruleset *rs, const char *const *names, const char *what, const char *word, const char *table,
		   struct err *e)
{
	const char *near = names ? meant(rs, names, word) : NULL;

	err_set(e, ERR_USAGE, word, "no %s of this name%s%s", what, table ? " in table " : "", table ? table : "");
	return near ? err_hint(e, "did you mean '%s'?", near) : -1;
}

/* The word may be a table's, as iptables users type it. */
static int no_chain(struct ruleset *rs, const char *const *chains, const char *const *tables, const char *word,
		    const char *table, struct err *e)
{
	no_such(rs, chains, "chain", word, table, e);
	for (; tables && *tables; tables++)
		if (strcmp(*tables, word) == 0)
			return err_hint(e, "a table is given as --table %s", word);
	return -1;
}

/* A table that is not there shows nothing; one that cannot be there was mistyped. */
static int check_table(const struct rules_selection *sel, struct ruleset *rs, struct err *e)
{
	struct names names = { .a = rs->arena };

	if (!sel->table)
		return 0;
	names = all_names(rs, false);
	if (!names.list)
		return err_oom(e);
	for (const char **at = names.list; *at; at++)
		if (strcmp(*at, sel->table) == 0)
			return 0;
	return no_such(rs, names.list, "table", sel->table, NULL, e);
}

int rules_prune(const struct rules_selection *sel, struct ruleset *rs, struct err *e)
{
	struct table **at = &rs->tables;
	const char **names = NULL, **tables = NULL;
	bool *seen = arena_array(rs->arena, (size_t)sel->n_chains + 1, sizeof(*seen));

	if (!seen)
		return err_oom(e);
	if (check_table(sel, rs, e) < 0)
		return -1;
	if (sel->n_chains) {
		names = all_names(rs, true).list;
		tables = all_names(rs, false).list;
	}
	while (*at) {
		bool keep = table_wanted(sel, *at);

		if (keep && sel->n_chains) {
			prune_chains(sel, *at, seen);
			keep = (*at)->chains;
		}
		if (keep)
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
	rs->tables_tail = at;
	for (int i = 0; i < sel->n_chains; i++)
		if (!seen[i])
			return no_chain(rs, names, tables, sel->chains[i], sel->table, e);
	return 0;
}

void rules_text(const struct rule *r, struct buf *b)
{
	size_t at = b->len;

	if (rules_is_xt(r->chain->table->store) && rule_iptables(r, b)) {
		if (b->len > at && b->data[at] == ' ') {
			memmove(b->data + at, b->data + at + 1, b->len - at);
			b->len--;
		}
		return;
	}
	rule_nft(r, false, b);
}
