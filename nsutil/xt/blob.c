/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blob - a legacy table as the kernel hands it out: entries one behind the other */
#include "nsutil/xt/blob.h"

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/maker.h"
#include "nsutil/xt/codec.h"

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) &&
		       offsetof(struct ipt_getinfo, size) == offsetof(struct ip6t_getinfo, size),
	       "both families have the same info");
_Static_assert(offsetof(struct ipt_get_entries, entrytable) == offsetof(struct ip6t_get_entries, entrytable),
	       "both families have the same frame around the entries");

#define ENTRY_HEAD sizeof(struct xt_entry_target) /* of matches too */
_Static_assert(sizeof(struct xt_entry_match) == ENTRY_HEAD, "matches and targets have the same head");

/* Where chains begin: a jump's verdict is the offset of a chain's first rule. */
struct start {
	uint32_t offset;
	uint32_t foot; /* of the last entry of a user chain */
	struct chain *chain;
};

struct walk {
	struct rule_maker maker; /* first: what a table's maker points to is its walk */
	const struct xt_blob *b;
	struct ruleset *rs;
	struct arena *a; /* for statements */
	struct table *table;
	struct chain *bases[5];
	struct start *starts;
	uint32_t n_starts;
	struct err *e;
};

struct entry {
	const uint8_t *at;
	uint32_t offset, target, next; /* target and next: from 'at' */
	const struct xt_entry_target *t;
	uint32_t t_size;	       /* of its data */
};

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static int malformed(struct walk *w, uint32_t offset, const char *what)
{
	return err_set(w->e, ERR_SYS, "cannot read the legacy table", "malformed at byte %u: %s", offset,
		       what);
}

/* Check an entry's lengths, so that nobody after us needs to. */
static int entry_at(struct walk *w, uint32_t offset, struct entry *ret)
{
	const struct xt_blob_family *f = w->b->family;
	uint32_t left = w->b->size - offset;
	struct entry en = { .at = w->b->entries + offset, .offset = offset };

	if (offset % 8 || left < f->entry_size + ENTRY_HEAD)
		return malformed(w, offset, "no room for a rule");
	en.target = get16(en.at + f->target_offset);
	en.next = get16(en.at + f->next_offset);
	if (en.next > left || en.next % 8 || en.target < f->entry_size || en.target % 8 ||
	    en.target + ENTRY_HEAD > en.next)
		return malformed(w, offset, "lengths of the rule");
	en.t = (const struct xt_entry_target *)(en.at + en.target);
	if (en.t->u.user.target_size < ENTRY_HEAD || en.t->u.user.target_size > en.next - en.target ||
	    !memchr(en.t->u.user.name, '\0', sizeof(en.t->u.user.name)))
		return malformed(w, offset, "length or name of the target");
	en.t_size = (uint32_t)(en.t->u.user.target_size - ENTRY_HEAD);
	*ret = en;
	return 0;
}

static bool is_target(const struct entry *en, const char *name)
{
	return strcmp(en->t->u.user.name, name) == 0;
}

static bool is_standard(const struct entry *en)
{
	return en->t->u.user.name[0] == '\0';
}

/* The chain's name in an ERROR target; NULL when malformed. The last ERROR ends the table. */
static const char *error_name(const struct entry *en)
{
	const char *name = (const char *)en->t->data;
	size_t room = en->t_size < XT_FUNCTION_MAXNAMELEN ? en->t_size : XT_FUNCTION_MAXNAMELEN;

	return memchr(name, '\0', room) ? name : NULL;
}

static int add_start(struct walk *w, uint32_t offset, struct chain *c)
{
	struct start *more = arena_grow(w->rs->arena, w->starts, w->n_starts, sizeof(*more));

	if (!more)
		return err_oom(w->e);
	w->starts = more;
	w->starts[w->n_starts++] = (struct start){ .offset = offset, .chain = c };
	return 0;
}

static int find_base(struct walk *w, uint32_t offset)
{
	for (unsigned h = 0; h < 5; h++)
		if (w->bases[h] && w->b->hook_entry[h] == offset)
			return add_start(w, offset, w->bases[h]);
	return 0;
}

static int find_user(struct walk *w, const struct entry *en)
{
	const char *name = error_name(en);
	struct chain *c;

	if (!name)
		return malformed(w, en->offset, "name of the chain");
	if (en->offset + en->next >= w->b->size)
		return 0; /* the ERROR that ends the table */
	c = arena_alloc(w->rs->arena, sizeof(*c));
	if (!c)
		return err_oom(w->e);
	*c = (struct chain){ .table = w->table, .name = name, .policy = VERDICT_ACCEPT };
	c->rules_tail = &c->rules;
	return add_start(w, en->offset + en->next, c);
}

/* First pass: check every entry, and find where chains begin; they come in ascending order. */
static int find_chains(struct walk *w)
{
	uint32_t last = 0;
	struct entry en;

	for (uint32_t at = 0; at < w->b->size; at += en.next) {
		if (entry_at(w, at, &en) < 0 || find_base(w, at) < 0)
			return -1;
		if (is_target(&en, XT_ERROR_TARGET)) {
			if (w->n_starts)
				w->starts[w->n_starts - 1].foot = last;
			if (find_user(w, &en) < 0)
				return -1;
		}
		last = at;
	}
	return 0;
}

static struct chain *chain_at(const struct walk *w, uint32_t offset)
{
	uint32_t lo = 0, hi = w->n_starts;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (w->starts[mid].offset < offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n_starts && w->starts[lo].offset == offset ? w->starts[lo].chain : NULL;
}

static struct stmt *verdict_stmt(struct walk *w, enum verdict code, struct chain *to)
{
	struct stmt *s = stmt_new(w->a, STMT_VERDICT);

	if (!s)
		return NULL;
	s->verdict.code = code;
	s->verdict.to = to;
	s->verdict.chain = to ? to->name : NULL;
	return s;
}

/* Negative verdicts are -NF_x - 1; XT_RETURN is -NF_REPEAT - 1 (linux/netfilter/x_tables.h). */
static int verdict_code(int v, enum verdict *ret)
{
	switch (v) {
	case -NF_DROP - 1: *ret = VERDICT_DROP; return 0;
	case -NF_ACCEPT - 1: *ret = VERDICT_ACCEPT; return 0;
	case -NF_QUEUE - 1: *ret = VERDICT_QUEUE; return 0;
	case XT_RETURN: *ret = VERDICT_RETURN; return 0;
	}
	return -1;
}

static int entry_verdict(const struct entry *en)
{
	int v;

	memcpy(&v, en->t->data, sizeof(v));
	return v;
}

/* Return: 1, 0 when the rule has no target and the next one follows, -1 when malformed. */
static int standard_verdict(struct walk *w, const struct entry *en, enum verdict *code, struct chain **to)
{
	int v;

	*to = NULL;
	if (en->t_size < sizeof(v))
		return malformed(w, en->offset, "verdict");
	v = entry_verdict(en);
	if (v < 0)
		return verdict_code(v, code) < 0 ? malformed(w, en->offset, "verdict") : 1;
	if ((uint32_t)v == en->offset + en->next)
		return 0;
	*to = chain_at(w, (uint32_t)v);
	if (!*to)
		return malformed(w, en->offset, "a jump to where no chain begins");
	*code = w->b->family->is_goto(en->at) ? VERDICT_GOTO : VERDICT_JUMP;
	return 1;
}

static int standard_target(struct walk *w, const struct entry *en, struct stmt **tail)
{
	enum verdict code;
	struct chain *to;
	int r = standard_verdict(w, en, &code, &to);

	if (r <= 0)
		return r;
	*tail = verdict_stmt(w, code, to);
	return *tail ? 0 : err_oom(w->e);
}

static struct stmt *ext_stmt(struct walk *w, bool target, const char *name, uint8_t rev, const void *data,
			     uint32_t size)
{
	uint8_t family = w->b->family->family;

	return w->rs->text_only ? xt_ext_stmt_plain(w->a, family, target, name, rev, data, size)
				: xt_ext_stmt_at(w->a, family, target, name, rev, data, size);
}

static int decode_target(struct walk *w, const struct entry *en, struct stmt **tail)
{
	if (is_standard(en))
		return standard_target(w, en, tail);
	*tail = ext_stmt(w, true, en->t->u.user.name, en->t->u.user.revision, en->t->data, en->t_size);
	return *tail ? 0 : err_oom(w->e);
}

static void note_comment(struct rule *r, const struct xt_entry_match *m, uint32_t size)
{
	const char *text = (const char *)m->data;

	if (!r->comment && strcmp(m->u.user.name, "comment") == 0 && memchr(text, '\0', size))
		r->comment = text;
}

/* The match at *at, which moves on behind it. Return: 1, 0 when there is none left, -1 when malformed. */
static int next_match(struct walk *w, const struct entry *en, uint32_t *at, const struct xt_entry_match **ret)
{
	const struct xt_entry_match *m = (const struct xt_entry_match *)(en->at + *at);

	if (*at >= en->target)
		return 0;
	if (en->target - *at < ENTRY_HEAD || m->u.user.match_size < ENTRY_HEAD || m->u.user.match_size % 8 ||
	    m->u.user.match_size > en->target - *at ||
	    !memchr(m->u.user.name, '\0', sizeof(m->u.user.name)))
		return malformed(w, en->offset, "length or name of a match");
	*at += m->u.user.match_size;
	*ret = m;
	return 1;
}

static int decode_matches(struct walk *w, const struct entry *en, struct rule *r, struct stmt **tail)
{
	uint32_t at = w->b->family->entry_size, size;
	const struct xt_entry_match *m = NULL;
	int more;

	while ((more = next_match(w, en, &at, &m)) > 0) {
		size = (uint32_t)(m->u.user.match_size - ENTRY_HEAD);
		*tail = ext_stmt(w, false, m->u.user.name, m->u.user.revision, m->data, size);
		if (!*tail)
			return err_oom(w->e);
		r->opaque |= (*tail)->kind == STMT_OPAQUE;
		tail = &(*tail)->next;
		note_comment(r, m, size);
	}
	if (more < 0 || decode_target(w, en, tail) < 0)
		return -1;
	r->opaque |= *tail && (*tail)->kind == STMT_OPAQUE;
	return 0;
}

static int decode_stmts(struct walk *w, const struct entry *en, struct rule *r)
{
	struct stmt **tail = &r->stmts;

	if (w->b->family->header(w->a, en->at, &tail) < 0)
		return err_oom(w->e);
	return decode_matches(w, en, r, tail);
}

/* struct rule_maker: the entry was checked when the table was read */
static int make_stmts(const struct rule_maker *m, struct arena *a, const struct rule *r, struct stmt **ret)
{
	struct walk w = *(const struct walk *)m;
	struct err e = ERR_INIT;
	struct rule made = *r;
	struct entry en;

	w.a = a;
	w.e = &e;
	if (entry_at(&w, (uint32_t)((const uint8_t *)r->raw - w.b->entries), &en) < 0 ||
	    decode_stmts(&w, &en, &made) < 0)
		return -1;
	*ret = made.stmts;
	return 0;
}

/*
 * What can be made later, from an entry that is known to be sound: for ipsets the kernel is asked
 * while the table is read. Return: 1, 0, or -1 when malformed.
 */
static int can_wait(struct walk *w, const struct entry *en)
{
	uint32_t at = w->b->family->entry_size;
	const struct xt_entry_match *m = NULL;
	enum verdict code;
	struct chain *to;
	int more;

	if (!w->rs->text_only)
		return 0;
	while ((more = next_match(w, en, &at, &m)) > 0)
		if (strcmp(m->u.user.name, "set") == 0)
			return 0;
	if (more < 0 || (is_standard(en) && standard_verdict(w, en, &code, &to) < 0))
		return -1;
	return !is_target(en, "SET");
}

static void get_counters(const struct walk *w, const struct entry *en, uint64_t *packets, uint64_t *bytes)
{
	struct xt_counters c;

	memcpy(&c, en->at + w->b->family->counters, sizeof(c));
	*packets = c.pcnt;
	*bytes = c.bcnt;
}

static int decode_rule(struct walk *w, const struct entry *en, struct chain *c)
{
	struct rule *r = chain_add_rule(w->rs, c);
	int later;

	if (!r)
		return err_oom(w->e);
	r->has_counter = true;
	get_counters(w, en, &r->packets, &r->bytes);
	later = can_wait(w, en);
	if (later <= 0)
		return later < 0 ? -1 : decode_stmts(w, en, r);
	r->raw = en->at;
	return 0;
}

/* The policy of a built-in chain is its last rule. */
static int decode_policy(struct walk *w, const struct entry *en, struct chain *c)
{
	if (!is_standard(en) || en->t_size < sizeof(int) || verdict_code(entry_verdict(en), &c->policy) < 0)
		return malformed(w, en->offset, "policy");
	c->has_counter = true;
	get_counters(w, en, &c->packets, &c->bytes);
	return 0;
}

/* The last entry of a chain is not a rule: a policy, or the RETURN that libiptc puts there. */
static bool is_foot(const struct walk *w, const struct start *st, const struct entry *en)
{
	if (st->chain->base)
		return w->b->underflow[st->chain->hook] == en->offset;
	return st->foot == en->offset && is_standard(en) && en->t_size >= sizeof(int) &&
	       entry_verdict(en) == XT_RETURN && en->target == w->b->family->entry_size;
}

static int decode_entry(struct walk *w, const struct start *st, const struct entry *en)
{
	if (!st)
		return malformed(w, en->offset, "a rule outside of any chain");
	if (!is_foot(w, st, en))
		return decode_rule(w, en, st->chain);
	return st->chain->base ? decode_policy(w, en, st->chain) : 0;
}

/* Second pass: rules. */
static int decode_rules(struct walk *w)
{
	const struct start *st = NULL;
	uint32_t next = 0;
	struct entry en;

	for (uint32_t at = 0; at < w->b->size; at += en.next) {
		if (entry_at(w, at, &en) < 0)
			return -1;
		if (next < w->n_starts && w->starts[next].offset == at)
			st = &w->starts[next++];
		if (is_target(&en, XT_ERROR_TARGET))
			st = NULL;
		else if (decode_entry(w, st, &en) < 0)
			return -1;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct chain *const *)a)->name, (*(struct chain *const *)b)->name);
}

/* libiptc keeps user chains sorted by name, and sorts what an old version left unsorted. */
static int sort_users(struct walk *w, struct chain **users)
{
	bool sorted = true;
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n_starts; i++) {
		if (w->starts[i].chain->base)
			continue;
		users[n] = w->starts[i].chain;
		sorted = sorted && (n == 0 || by_name(&users[n - 1], &users[n]) <= 0);
		n++;
	}
	if (!sorted)
		qsort(users, n, sizeof(*users), by_name);
	return (int)n;
}

static void append_chain(struct table *t, struct chain *c)
{
	*t->chains_tail = c;
	t->chains_tail = &c->next;
}

static int order_chains(struct walk *w)
{
	_cleanup_free_ struct chain **users = calloc(w->n_starts ? w->n_starts : 1, sizeof(struct chain *));
	int n;

	if (!users)
		return err_oom(w->e);
	for (uint32_t i = 0; i < w->n_starts; i++)
		if (w->starts[i].chain->base)
			append_chain(w->table, w->starts[i].chain);
	n = sort_users(w, users);
	for (int i = 0; i < n; i++)
		append_chain(w->table, users[i]);
	return 0;
}

static int make_bases(struct walk *w)
{
	for (unsigned h = 0; h < 5; h++) {
		struct chain *c;

		if (!(w->b->valid_hooks & (1u << h)))
			continue;
		c = arena_alloc(w->rs->arena, sizeof(*c));
		if (!c)
			return err_oom(w->e);
		*c = (struct chain){ .table = w->table, .name = xt_hook_chain(h), .policy = VERDICT_ACCEPT };
		c->rules_tail = &c->rules;
		xt_base_chain(STORE_LEGACY, w->b->table, h, c);
		w->bases[h] = c;
	}
	return 0;
}

/* For the rules that are made later. */
static int keep_walk(struct walk *w)
{
	const struct xt_blob *b = arena_dup(w->rs->arena, w->b, sizeof(*b));
	struct walk *kept = b ? arena_dup(w->rs->arena, w, sizeof(*kept)) : NULL;

	if (!kept)
		return err_oom(w->e);
	kept->b = b;
	w->table->maker = &kept->maker;
	return 0;
}

int xt_blob_decode(const struct xt_blob *b, struct ruleset *rs, struct err *e)
{
	struct table **tail = rs->tables_tail;
	struct walk w = { .maker.make = make_stmts, .b = b, .rs = rs, .a = rs->arena, .e = e };

	w.table = ruleset_add_table(rs, STORE_LEGACY, b->family->family, b->table);
	if (!w.table)
		return err_oom(e);
	if (make_bases(&w) == 0 && find_chains(&w) == 0 && order_chains(&w) == 0 && decode_rules(&w) == 0 &&
	    keep_walk(&w) == 0)
		return 0;
	*tail = NULL;
	rs->tables_tail = tail;
	return -1;
}

/* Priorities of the kernel's own tables: include/uapi/linux/netfilter_ipv4.h, NF_IP_PRI_*. */
static const struct {
	const char *table;
	uint32_t hooks;
	int priority, source_priority; /* the latter for INPUT and POSTROUTING of nat */
} tables[] = {
	{ "raw", 1 << 0 | 1 << 3, -300, -300 }, { "mangle", 0x1f, -150, -150 },
	{ "nat", 0x1b, -100, 100 },	        { "filter", 0x0e, 0, 0 },
	{ "security", 0x0e, 50, 50 },
};

uint32_t xt_table_hooks(const char *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (strcmp(tables[i].table, table) == 0)
			return tables[i].hooks;
	return 0;
}

void xt_base_chain(enum store store, const char *table, unsigned hook, struct chain *c)
{
	bool source = hook == NF_INET_LOCAL_IN || hook == NF_INET_POST_ROUTING;

	c->base = true;
	c->hook = hook;
	c->type = "filter";
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (strcmp(tables[i].table, table) == 0)
			c->priority = source ? tables[i].source_priority : tables[i].priority;
	if (store == STORE_COMPAT && strcmp(table, "security") == 0)
		c->priority = 150; /* iptables' nft.c, xtables_ipv4[] */
	if (strcmp(table, "nat") == 0)
		c->type = "nat";
	else if (strcmp(table, "mangle") == 0 && hook == NF_INET_LOCAL_OUT)
		c->type = "route"; /* the kernel routes again when the mark changed (iptable_mangle.c) */
}

const char *xt_hook_chain(unsigned hook)
{
	static const char *const names[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };

	return hook < ARRAY_SIZE(names) ? names[hook] : NULL;
}
