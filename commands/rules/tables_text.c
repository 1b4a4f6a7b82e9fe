/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables_text - the stores next to each other, or one below the other where that is too wide */
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "commands/rules/rules.h"
#include "nsutil/ruleset/align.h"
#include "nsutil/ruleset/owner.h"
#include "nsutil/ruleset/text.h"

#define GAP "·"   /* the store lacks what stands on this line */
#define NONE "–" /* the store has no such chain */
#define SPACE 3   /* columns between two stores */

/* What one store shows on one line. */
struct cell {
	const char *head;	/* chain lines: the chain's name; only in the first column */
	const char *text;
	uint64_t packets, bytes;
	uint32_t index;		/* of a rule; 0: the line is about a chain */
	bool counted, same, missing;
};

struct line {
	struct cell cell[STORE_COUNT];
	struct line *next;
};

struct view {
	const struct rules_selection *sel;
	struct arena *arena;
	struct out *o;
	struct buf text;	/* scratch */
	const struct table_group *group;
	enum store stores[STORE_COUNT]; /* that have something in the group, in order */
	unsigned n_stores;
	struct line *lines, **tail;
	unsigned width[STORE_COUNT], packets_width[STORE_COUNT], bytes_width[STORE_COUNT];
};

static unsigned digits(uint64_t v)
{
	unsigned n = 1;

	for (; v >= 10; v /= 10)
		n++;
	return n;
}

/* "dstnat -100": the name helps those who know nft, the number those who know the kernel. */
static const char *base_text(const struct chain *c, struct arena *a)
{
	return arena_printf(a, "hook %s, prio %d, %s", hook_name(c->table->family, c->hook), c->priority,
			    verdict_name(c->policy));
}

static const char *owner_text(const struct chain *c, struct arena *a)
{
	const char *owner = owner_table(c->table) ? NULL : owner_chain(c);
	char service[OWNER_SERVICE_TEXT];

	if (owner_service(c, service))
		return owner ? arena_printf(a, "(%s: %s)", owner, service) : arena_printf(a, "(%s)", service);
	return owner ? arena_printf(a, "(%s)", owner) : "";
}

static const char *chain_text(const struct chain *c, struct arena *a)
{
	return c->base ? base_text(c, a) : owner_text(c, a);
}

static struct line *add_line(struct view *v)
{
	struct line *l = arena_alloc(v->arena, sizeof(*l));

	if (!l)
		return NULL;
	*v->tail = l;
	v->tail = &l->next;
	return l;
}

static void chain_line(struct view *v, const struct chain_group *g)
{
	struct line *l = add_line(v);
	const struct chain *first = NULL;

	for (unsigned i = 0; l && i < v->n_stores; i++) {
		struct cell *cell = &l->cell[i];
		const struct chain *c = g->chain[v->stores[i]];

		cell->head = i == 0 ? g->name : NULL;
		if (!c) {
			cell->missing = true;
			cell->text = NONE;
			continue;
		}
		cell->same = first && canon_chain(first, c) == CHAIN_SAME;
		cell->text = cell->same ? "=" : chain_text(c, v->arena);
		if (!first)
			first = c;
		cell->counted = c->base && c->has_counter;
		cell->packets = c->packets;
		cell->bytes = c->bytes;
	}
}

static const char *rule_text(struct view *v, const struct rule *r)
{
	buf_reset(&v->text);
	rules_text(r, &v->text);
	return arena_strndup(v->arena, buf_cstr(&v->text), v->text.len);
}

static void rule_line(struct view *v, const struct align *al, const struct align_row *row,
		      const struct chain_group *g)
{
	struct line *l = add_line(v);
	bool shown = false;

	for (unsigned i = 0; l && i < v->n_stores; i++) {
		const struct rule *r = align_rule(al, row, i);
		struct cell *cell = &l->cell[i];

		if (!r) {
			cell->missing = true;
			cell->text = g->chain[v->stores[i]] ? GAP : "";
			cell->index = ALIGN_NONE;
			continue;
		}
		cell->index = r->index;
		cell->same = shown;
		cell->text = shown ? "=" : rule_text(v, r);
		cell->counted = r->has_counter;
		cell->packets = r->packets;
		cell->bytes = r->bytes;
		shown = true;
	}
}

static int add_chain(struct view *v, const struct chain_group *g)
{
	const struct chain *chains[STORE_COUNT];
	struct arena *scratch _cleanup_arena_ = arena_new();
	struct align al;

	for (unsigned i = 0; i < v->n_stores; i++)
		chains[i] = g->chain[v->stores[i]];
	chain_line(v, g);
	if (!scratch || align_chains(scratch, chains, v->n_stores, &al) != 0)
		return -1;
	for (uint32_t i = 0; i < al.n_rows; i++)
		rule_line(v, &al, &al.rows[i], g);
	return 0;
}

static bool is_rule(const struct cell *c)
{
	return c->index != 0 && c->index != ALIGN_NONE;
}

/* "  3  1042  text": number and counts of a fixed width, then the text. */
static unsigned prefix_width(const struct view *v, unsigned i)
{
	return 3 + 1 + v->packets_width[i] + 2 + (v->sel->bytes ? v->bytes_width[i] + 2 : 0);
}

static void measure(struct view *v)
{
	for (unsigned i = 0; i < v->n_stores; i++) {
		v->packets_width[i] = 4;
		v->bytes_width[i] = 5;
		for (const struct line *l = v->lines; l; l = l->next) {
			const struct cell *c = &l->cell[i];

			if (c->counted && is_rule(c) && digits(c->packets) > v->packets_width[i])
				v->packets_width[i] = digits(c->packets);
			if (c->counted && is_rule(c) && digits(c->bytes) > v->bytes_width[i])
				v->bytes_width[i] = digits(c->bytes);
		}
		v->width[i] = prefix_width(v, i) + 8;
		for (const struct line *l = v->lines; l; l = l->next) {
			const struct cell *c = &l->cell[i];
			unsigned w = c->text ? out_columns(c->text) : 0;

			if (c->head)
				w += out_columns(c->head) + 2;
			else if (is_rule(c))
				w += prefix_width(v, i);
			else
				w += 4;
			if (w > v->width[i])
				v->width[i] = w;
		}
	}
}

static void spaces(struct out *o, unsigned n)
{
	static const char blank[] = "                                                                ";

	for (; n > sizeof(blank) - 1; n -= sizeof(blank) - 1)
		out_raw(o, blank, sizeof(blank) - 1);
	out_raw(o, blank, n);
}

static void styled(struct out *o, enum out_style style, const char *text)
{
	if (style != STYLE_PLAIN)
		out_style(o, style);
	out_str(o, NULL, "%s", text);
	if (style != STYLE_PLAIN)
		out_style(o, STYLE_PLAIN);
}

/* A count, right-aligned; blank when the rule has none. */
static void put_count(struct out *o, bool counted, uint64_t v, unsigned width)
{
	char text[32] = "";

	if (counted)
		snprintf(text, sizeof(text), "%" PRIu64, v);
	spaces(o, width - (unsigned)strlen(text));
	styled(o, v ? STYLE_PLAIN : STYLE_DIM, text);
}

/* Returns the columns written. */
static unsigned put_prefix(const struct view *v, unsigned i, const struct cell *c)
{
	char number[16];

	snprintf(number, sizeof(number), "%3" PRIu32 " ", c->index);
	styled(v->o, STYLE_DIM, number);
	put_count(v->o, c->counted, c->packets, v->packets_width[i]);
	spaces(v->o, 2);
	if (v->sel->bytes) {
		put_count(v->o, c->counted, c->bytes, v->bytes_width[i]);
		spaces(v->o, 2);
	}
	return (unsigned)strlen(number) + v->packets_width[i] + 2 + (v->sel->bytes ? v->bytes_width[i] + 2 : 0);
}

static unsigned put_cell(const struct view *v, unsigned i, const struct line *l)
{
	const struct cell *c = &l->cell[i];
	const char *text = c->text ? c->text : "?";
	bool about_chain = c->index == 0, lonely = true;
	enum out_style style = STYLE_PLAIN;
	unsigned n = 0;

	for (unsigned k = 0; k < v->n_stores; k++)
		lonely &= k == i || l->cell[k].missing;
	if (c->head) {
		styled(v->o, STYLE_NAME, c->head);
		spaces(v->o, 2);
		n = out_columns(c->head) + 2;
	} else if (!is_rule(c)) {
		spaces(v->o, 2);
		n = 2;
	} else {
		n = put_prefix(v, i, c);
	}
	if (about_chain || c->same)
		style = STYLE_DIM;
	else if (c->missing)
		style = STYLE_DEL;
	else if (lonely)
		style = STYLE_ADD;
	styled(v->o, style, text);
	return n + out_columns(text);
}

static void put_heads(const struct view *v)
{
	for (unsigned i = 0; i < v->n_stores; i++) {
		char head[64];

		snprintf(head, sizeof(head), "  # %*s  %*s%s%s", (int)v->packets_width[i], "pkts",
			 v->sel->bytes ? (int)v->bytes_width[i] : 0, v->sel->bytes ? "bytes" : "",
			 v->sel->bytes ? "  " : "", store_name(v->stores[i]));
		styled(v->o, STYLE_HEAD, head);
		if (i + 1 < v->n_stores)
			spaces(v->o, v->width[i] + SPACE - out_columns(head));
	}
	out_nl(v->o);
}

static void side_by_side(const struct view *v)
{
	put_heads(v);
	for (const struct line *l = v->lines; l; l = l->next) {
		unsigned last = 0;

		for (unsigned i = 0; i < v->n_stores; i++)
			if (l->cell[i].text && *l->cell[i].text)
				last = i;
		for (unsigned i = 0; i <= last; i++) {
			unsigned n = put_cell(v, i, l);

			if (i < last)
				spaces(v->o, v->width[i] + SPACE - n);
		}
		out_nl(v->o);
	}
}

/* One store alone: straight from the chains, since there may be very many. */
struct single {
	const struct view *v;
	enum store store;
	const uint8_t *elsewhere; /* rule by rule of the chain: another store has it; NULL: not asked */
};

/* For a screen reader: the rule before its counters, and words in place of marks. */
static void plain_rule(const struct single *s, const struct rule *r, struct buf *b)
{
	buf_reset(b);
	buf_fmt(b, "rule %" PRIu32 ": ", r->index);
	rules_text(r, b);
	if (r->has_counter)
		buf_fmt(b, ", packets %" PRIu64, r->packets);
	if (r->has_counter && s->v->sel->bytes)
		buf_fmt(b, ", bytes %" PRIu64, r->bytes);
	if (s->elsewhere && s->elsewhere[r->index - 1])
		buf_str(b, ", also in another store");
	out_text(s->v->o, "%s", buf_cstr(b));
	out_nl(s->v->o);
}

static void single_rule(const struct single *s, const struct rule *r, struct buf *b)
{
	bool wide = out_format(s->v->o) == OUT_WIDE;
	struct out *o = s->v->o;

	if (out_plain(o)) {
		plain_rule(s, r, b);
		return;
	}
	buf_reset(b);
	buf_fmt(b, "%s%3" PRIu32 " ", s->elsewhere ? (s->elsewhere[r->index - 1] ? "=" : " ") : "", r->index);
	if (r->has_counter && s->v->sel->bytes)
		buf_fmt(b, "%8" PRIu64 "  %9" PRIu64 "  ", r->packets, r->bytes);
	else if (r->has_counter)
		buf_fmt(b, "%8" PRIu64 "  ", r->packets);
	else
		buf_fmt(b, "%8s  %s", "", s->v->sel->bytes ? "           " : "");
	rules_text(r, b);
	if (wide) {
		buf_fmt(b, "\n%*s", 14, "");
		if (r->handle)
			buf_fmt(b, "handle %" PRIu64 "  ", r->handle);
		if (rules_is_xt(s->store))
			rule_nft(r, s->v->sel->counters, b);
	}
	out_text(o, "%s", buf_cstr(b));
	out_nl(o);
}

static void single_chain(const struct single *s, const struct chain *c)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct out *o = s->v->o;

	if (out_plain(o))
		out_text(o, "chain ");
	styled(o, STYLE_NAME, c->name);
	spaces(o, 2);
	styled(o, STYLE_DIM, chain_text(c, s->v->arena));
	if (c->base && c->has_counter)
		out_text(o, "  %" PRIu64 " pkts", c->packets);
	if (c->base && c->has_counter && s->v->sel->bytes)
		out_text(o, "  %" PRIu64 " bytes", c->bytes);
	if (c->comment)
		out_text(o, "  # %s", c->comment);
	out_nl(o);
	for (const struct rule *r = c->rules; r; r = r->next)
		single_rule(s, r, &b);
}

/* Which rules of a store another one has as well, in the same place. */
static const uint8_t *find_elsewhere(const struct view *v, const struct chain_group *g, unsigned at,
				     struct arena *a)
{
	const struct chain *chains[STORE_COUNT] = { g->chain[v->stores[at]] };
	uint8_t *found = arena_alloc(a, chains[0]->n_rules + 1u);
	struct align al;

	for (unsigned i = 0; found && i < v->n_stores; i++) {
		chains[1] = g->chain[v->stores[i]];
		if (i == at || !chains[1] || align_chains(a, chains, 2, &al) != 0)
			continue;
		for (uint32_t k = 0; k < al.n_rows; k++)
			if (align_rule(&al, &al.rows[k], 0) && align_rule(&al, &al.rows[k], 1))
				found[align_rule(&al, &al.rows[k], 0)->index - 1] = 1;
	}
	return found;
}

static void below_each_other(const struct view *v)
{
	for (unsigned i = 0; i < v->n_stores; i++) {
		struct single s = { .v = v, .store = v->stores[i] };

		styled(v->o, STYLE_HEAD, store_name(v->stores[i]));
		if (out_plain(v->o))
			out_text(v->o, " store");
		else if (v->n_stores > 1)
			styled(v->o, STYLE_DIM, "  (= another store has the same rule)");
		out_nl(v->o);
		for (uint32_t k = 0; k < v->group->n_chains; k++) {
			struct arena *scratch _cleanup_arena_ = NULL;
			const struct chain *c = v->group->chains[k].chain[v->stores[i]];

			if (!c)
				continue;
			if (v->n_stores > 1) {
				scratch = arena_new();
				s.elsewhere = scratch ? find_elsewhere(v, &v->group->chains[k], i, scratch) : NULL;
			}
			single_chain(&s, c);
		}
	}
}

static const char *object_kind(uint32_t type)
{
	static const char *const names[] = { "object",	"counter", "quota",	"ct helper",   "limit",
					     "connlimit", "tunnel",  "ct timeout", "secmark", "ct expectation",
					     "synproxy" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "object";
}

/* Sets, maps, objects and flowtables by name; -o nft shows them in full. */
static void put_things(const struct table *t, struct out *o)
{
	for (const struct set *s = t->sets; s; s = s->next) {
		if (s->flags & SET_ANONYMOUS)
			continue;
		out_text(o, "%s ", s->flags & (SET_MAP | SET_OBJECT) ? "map" : "set");
		styled(o, STYLE_NAME, s->name);
		if (s->unread)
			out_text(o, "  could not be read: %s", s->unread);
		else
			out_text(o, "  %u element%s", s->n_elems, s->n_elems == 1 ? "" : "s");
		out_nl(o);
	}
	for (const struct object *ob = t->objects; ob; ob = ob->next) {
		out_text(o, "%s ", object_kind(ob->type));
		styled(o, STYLE_NAME, ob->name);
		if (ob->stmt && ob->stmt->kind == STMT_COUNTER)
			out_text(o, "  packets %" PRIu64 " bytes %" PRIu64, ob->stmt->counter.packets,
				 ob->stmt->counter.bytes);
		out_nl(o);
	}
	for (const struct flowtable *f = t->flowtables; f; f = f->next) {
		out_text(o, "flowtable ");
		styled(o, STYLE_NAME, f->name);
		out_nl(o);
	}
}

static void group_head(const struct view *v)
{
	const struct table *t = v->group->table[v->stores[0]];
	const char *owner = owner_table(t);

	out_nl(v->o);
	out_style(v->o, STYLE_HEAD);
	out_text(v->o, "%s %s", family_name(v->group->family), v->group->name);
	out_style(v->o, STYLE_PLAIN);
	if (owner)
		out_text(v->o, "  (%s)", owner);
	if (t->flags & NFT_TABLE_F_DORMANT)
		out_text(v->o, "  dormant");
	if (t->comment)
		out_text(v->o, "  # %s", t->comment);
	if (v->n_stores > 1 || out_plain(v->o))
		out_nl(v->o);
	else
		spaces(v->o, 2);
}

static void one_group(struct view *v)
{
	unsigned limit = out_width(v->o), total = 0;
	bool columns_fit = v->n_stores > 1 && out_format(v->o) != OUT_WIDE && !out_plain(v->o);

	for (uint32_t i = 0; columns_fit && i < v->group->n_chains; i++)
		columns_fit = add_chain(v, &v->group->chains[i]) == 0;
	if (columns_fit) {
		measure(v);
		for (unsigned i = 0; i < v->n_stores; i++)
			total += v->width[i] + (i ? SPACE : 0);
		columns_fit = limit == 0 || total <= limit;
	}
	group_head(v);
	if (columns_fit)
		side_by_side(v);
	else
		below_each_other(v);
	for (unsigned i = 0; i < v->n_stores; i++)
		put_things(v->group->table[v->stores[i]], v->o);
}

void tables_text(const struct rules_selection *sel, struct arena *a, const struct table_group *groups,
		 unsigned n, struct out *o)
{
	for (unsigned i = 0; i < n; i++) {
		struct view v = { .sel = sel, .arena = a, .o = o, .group = &groups[i] };

		v.tail = &v.lines;
		for (unsigned s = 0; s < STORE_COUNT; s++)
			if (groups[i].table[s])
				v.stores[v.n_stores++] = (enum store)s;
		one_group(&v);
		buf_free(&v.text);
	}
}
