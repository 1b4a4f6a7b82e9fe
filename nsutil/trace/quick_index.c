/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick_index - the rules of a long chain by what they want of a few fields */
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/trace/quick.h"

#define FIELDS 64 /* different ones of a chain that are thought of */
#define NONE UINT32_MAX

/* How many rules want a value of a field: those of few are told apart best. */
struct count {
	struct quick_number want;
	uint32_t field, n; /* n 0: empty */
};

struct survey {
	const struct quick_chain *q;
	struct quick_field fields[FIELDS];
	unsigned n_fields;
	uint32_t wanted[FIELDS]; /* rules that are told by the field */
	struct count *counts;	 /* open addressing */
	uint32_t mask;
	uint32_t *choice;	 /* per rule: its test, or NONE */
};

static const struct quick_test *tests_of(const struct survey *s, const struct quick_rule *r)
{
	return s->q->tests + r->tests;
}

static unsigned field_of(struct survey *s, const struct quick_field *f, bool add)
{
	for (unsigned i = 0; i < s->n_fields; i++)
		if (quick_same_field(&s->fields[i], f))
			return i;
	if (!add || s->n_fields == FIELDS)
		return FIELDS;
	s->fields[s->n_fields] = *f;
	return s->n_fields++;
}

/* The packet always has it, and it is always known. */
static bool always_known(const struct quick_field *f)
{
	return f->load == LOAD_L4PROTO || f->load == LOAD_NFPROTO;
}

static bool can_be_key(const struct quick_test *t)
{
	return !t->f.range && !t->f.negate;
}

static struct count *count_of(struct survey *s, unsigned field, const struct quick_number *want)
{
	uint32_t i = (quick_hash(want) + field * 0x9e3779b1u) & s->mask;

	while (s->counts[i].n && (s->counts[i].field != field || s->counts[i].want.lo != want->lo ||
				  s->counts[i].want.hi != want->hi))
		i = (i + 1) & s->mask;
	return &s->counts[i];
}

static void count_rule(struct survey *s, const struct quick_rule *r)
{
	for (uint32_t i = 0; i < r->n; i++) {
		unsigned f = can_be_key(&tests_of(s, r)[i]) ? field_of(s, &tests_of(s, r)[i].f, true) : FIELDS;
		struct count *c = f < FIELDS ? count_of(s, f, &tests_of(s, r)[i].want) : NULL;

		if (!c)
			continue;
		*c = (struct count){ tests_of(s, r)[i].want, f, c->n + 1 };
	}
}

/* The test that the fewest other rules have, of the fields that are still thought of. */
static uint32_t choose(struct survey *s, const struct quick_rule *r, const bool *dropped)
{
	uint32_t best = NONE, best_n = s->q->n / 2 + 1;

	for (uint32_t i = 0; i < r->n; i++) {
		unsigned f = can_be_key(&tests_of(s, r)[i]) ? field_of(s, &tests_of(s, r)[i].f, false) : FIELDS;
		uint32_t n = f < FIELDS && !dropped[f] ? count_of(s, f, &tests_of(s, r)[i].want)->n : NONE;

		if (n < best_n) {
			best = i;
			best_n = n;
		}
	}
	return best;
}

/* The test that tells a rule */
static const struct quick_test *chosen(const struct survey *s, uint32_t rule)
{
	return tests_of(s, &s->q->rules[rule]) + s->choice[rule];
}

static void choose_all(struct survey *s, const bool *dropped)
{
	memset(s->wanted, 0, sizeof(s->wanted));
	for (uint32_t i = 0; i < s->q->n; i++) {
		const struct quick_rule *r = &s->q->rules[i];

		s->choice[i] = choose(s, r, dropped);
		if (s->choice[i] != NONE)
			s->wanted[field_of(s, &chosen(s, i)->f, false)]++;
	}
}

/* Of many fields those stay that tell the most rules; the others' rules are told by another test, or not. */
static void choose_fields(struct survey *s)
{
	bool dropped[FIELDS] = { false };

	for (;;) {
		unsigned used = 0, least = FIELDS;

		choose_all(s, dropped);
		for (unsigned f = 0; f < s->n_fields; f++) {
			used += s->wanted[f] != 0;
			if (s->wanted[f] && (least == FIELDS || s->wanted[f] < s->wanted[least]))
				least = f;
		}
		if (used <= QUICK_KEYS)
			return;
		dropped[least] = true;
	}
}

/* What stands before the test that tells a rule must be known. Return: false when that is too much */
static bool add_guards(struct quick_index *x, const struct quick_test *tests, uint32_t upto)
{
	for (uint32_t i = 0; i < upto; i++) {
		const struct quick_field *f = &tests[i].f;
		unsigned g = 0;

		if (always_known(f))
			continue;
		while (g < x->n_guards && !quick_same_field(&x->guards[g], f))
			g++;
		if (g == QUICK_GUARDS)
			return false;
		if (g == x->n_guards)
			x->guards[x->n_guards++] = *f;
	}
	return true;
}

static int make_list(struct arena *a, struct survey *s, unsigned field, struct quick_list *l, uint32_t n)
{
	uint32_t *at = arena_array(a, n ? n : 1, sizeof(*at));

	if (!at)
		return -1;
	l->at = l->end = at;
	for (uint32_t i = 0; i < s->q->n; i++) {
		unsigned f = s->choice[i] == NONE ? FIELDS : field_of(s, &chosen(s, i)->f, false);

		if (f == field)
			at[l->end++ - l->at] = i;
	}
	return 0;
}

static uint32_t slot_of(const struct quick_key *k, const uint32_t *counted, const struct quick_number *want)
{
	uint32_t i = quick_hash(want) & k->mask;

	while (counted[i] && (k->slots[i].want.lo != want->lo || k->slots[i].want.hi != want->hi))
		i = (i + 1) & k->mask;
	return i;
}

/* The rules of a value stand together: they are counted, then each value gets its room, then it is filled. */
static void fill_slots(struct survey *s, struct quick_key *k, uint32_t *at, uint32_t *counted)
{
	for (const uint32_t *i = k->all.at; i < k->all.end; i++) {
		const struct quick_number *want = &chosen(s, *i)->want;
		uint32_t slot = slot_of(k, counted, want);

		k->slots[slot].want = *want;
		counted[slot]++;
	}
	for (uint32_t slot = 0; slot <= k->mask; slot++) {
		k->slots[slot].many = at;
		at += counted[slot];
	}
	for (const uint32_t *i = k->all.at; i < k->all.end; i++) {
		struct quick_slot *slot = &k->slots[slot_of(k, counted, &chosen(s, *i)->want)];

		slot->one = *i;
		((uint32_t *)slot->many)[slot->n++] = *i;
	}
}

static int make_slots(struct arena *a, struct survey *s, struct quick_key *k)
{
	uint32_t n = (uint32_t)(k->all.end - k->all.at), room = 4, *at = arena_array(a, n, sizeof(*at));
	_cleanup_free_ uint32_t *counted = NULL;

	while (room < 2 * n)
		room *= 2;
	k->mask = room - 1;
	k->slots = arena_array(a, room, sizeof(*k->slots));
	counted = calloc(room, sizeof(*counted));
	if (!k->slots || !at || !counted)
		return -1;
	fill_slots(s, k, at, counted);
	return 0;
}

/* Rules whose guards are too many are looked at. Return: how many others there are */
static uint32_t guard_all(struct quick_index *x, struct survey *s)
{
	uint32_t told = 0;

	for (uint32_t i = 0; i < s->q->n; i++) {
		if (s->choice[i] == NONE)
			continue;
		told++;
		if (!add_guards(x, tests_of(s, &s->q->rules[i]), s->choice[i])) {
			s->wanted[field_of(s, &chosen(s, i)->f, false)]--;
			s->choice[i] = NONE;
			told--;
		}
	}
	return told;
}

static int make_keys(struct arena *a, struct quick_index *x, struct survey *s, uint32_t told)
{
	if (make_list(a, s, FIELDS, &x->rest, s->q->n - told) < 0)
		return -1;
	for (unsigned f = 0; f < s->n_fields; f++) {
		struct quick_key *k = &x->keys[x->n_keys];

		if (!s->wanted[f])
			continue;
		k->f = s->fields[f];
		if (make_list(a, s, f, &k->all, s->wanted[f]) < 0 || make_slots(a, s, k) < 0)
			return -1;
		x->n_keys++;
	}
	return 0;
}

int quick_index(struct arena *a, struct quick_chain *q)
{
	_cleanup_free_ uint32_t *choice = calloc(q->n, sizeof(*choice));
	_cleanup_free_ struct count *counts = NULL;
	struct quick_index *x = arena_alloc(a, sizeof(*x));
	struct survey s = { .q = q, .choice = choice };
	uint32_t room = 16, tests = 0, told;

	for (uint32_t i = 0; i < q->n; i++)
		tests += q->rules[i].n;
	while (room < 2 * tests + 2)
		room *= 2;
	s.mask = room - 1;
	s.counts = counts = calloc(room, sizeof(*counts));
	if (!x || !choice || !counts)
		return -1;
	for (uint32_t i = 0; i < q->n; i++)
		count_rule(&s, &q->rules[i]);
	choose_fields(&s);
	told = guard_all(x, &s);
	if (told && make_keys(a, x, &s, told) < 0)
		return -1;
	q->index = told ? x : NULL;
	return 0;
}
