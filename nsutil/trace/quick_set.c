/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick_set - which elements of a big set or map a known key may be: by hash, or within sorted ranges */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/trace/quick.h"
#include "nsutil/trace/run.h"

#define INDEX_FROM 8 /* elements */

/* A range of numbers that meets no other. */
struct range {
	struct quick_number from, to;
	uint32_t at;
};

struct quick_set {
	const struct set_elem *rest; /* "*" */
	bool indexed;
	unsigned parts;		/* of a key */
	uint16_t bits[SET_PARTS]; /* a key of others is compared with every element */
	bool text[SET_PARTS];
	uint32_t *begin, *exact; /* elements of single values by their hash: those of slot i from begin[i] to begin[i + 1] */
	uint32_t mask;
	struct range *ranges;
	uint32_t n_ranges;
	struct quick_list others;
};

/* ---- keys as bytes ---- */

static const struct expr *part_of(const struct expr *key, unsigned i)
{
	return key->kind == EXPR_CONCAT ? key->concat.parts[i] : key;
}

static unsigned parts_of(const struct expr *key)
{
	return key->kind == EXPR_CONCAT ? key->concat.n : 1;
}

static uint64_t hash_part(uint64_t h, const struct value *v)
{
	for (unsigned i = 0; i < value_size(v); i++)
		h = (h ^ v->b[i]) * 0x100000001b3u;
	return h;
}

static uint32_t slot_of(const struct quick_set *q, uint64_t h)
{
	return (uint32_t)((h * 0x9e3779b97f4a7c15u) >> 32) & q->mask;
}

/* A constant of the form that part @i of this set's keys has. */
static bool literal(const struct quick_set *q, unsigned i, const struct expr *x, struct value *v)
{
	return value_literal(v, x) == 0 && v->bits == q->bits[i] && v->text == q->text[i];
}

/* Are all parts of an element single values? Then its hash. */
static bool elem_hash(const struct quick_set *q, const struct set_elem *e, uint64_t *ret)
{
	uint64_t h = 0xcbf29ce484222325u;
	struct value v;

	if (e->catchall || !e->key || parts_of(e->key) != q->parts)
		return false;
	for (unsigned i = 0; i < q->parts; i++) {
		if (!literal(q, i, part_of(e->key, i), &v))
			return false;
		h = hash_part(h, &v);
	}
	*ret = h;
	return true;
}

static struct quick_number number(const struct value *v)
{
	struct quick_number n = { 0, 0 };

	for (unsigned i = 0; i < value_size(v); i++) {
		n.hi = n.hi << 8 | n.lo >> 56;
		n.lo = n.lo << 8 | v->b[i];
	}
	return n;
}

static int compare_numbers(const struct quick_number *a, const struct quick_number *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int c = compare_numbers(&x->from, &y->from);

	return c ? c : x->at < y->at ? -1 : 1;
}

static bool elem_range(const struct quick_set *q, const struct set_elem *e, struct range *r)
{
	struct value from, to;

	if (e->catchall || !e->key || q->parts != 1 || q->bits[0] % 8 || q->bits[0] > 128)
		return false;
	if (e->key->kind == EXPR_RANGE) {
		if (!literal(q, 0, e->key->range.from, &from) || !literal(q, 0, e->key->range.to, &to))
			return false;
	} else if (e->key->kind == EXPR_PREFIX) {
		if (!literal(q, 0, e->key->prefix.value, &from) || e->key->prefix.len > from.bits)
			return false;
		to = from;
		for (unsigned i = e->key->prefix.len; i < from.bits; i++) {
			from.b[i / 8] &= (uint8_t)~(0x80 >> i % 8);
			to.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
		}
	} else {
		return false;
	}
	r->from = number(&from);
	r->to = number(&to);
	return compare_numbers(&r->from, &r->to) <= 0;
}

/* ---- making ---- */

/* All keys should be as the first one. */
static bool take_form(struct quick_set *q, const struct set *s)
{
	const struct expr *key = NULL, *part;
	struct value v;

	for (uint32_t i = 0; i < s->n_elems; i++) {
		if (s->elems[i].catchall && !q->rest)
			q->rest = &s->elems[i];
		else if (!key && !s->elems[i].catchall)
			key = s->elems[i].key;
	}
	if (!key || parts_of(key) > SET_PARTS)
		return false;
	q->parts = parts_of(key);
	for (unsigned i = 0; i < q->parts; i++) {
		part = part_of(key, i);
		part = part->kind == EXPR_PREFIX ? part->prefix.value : part->kind == EXPR_RANGE ? part->range.from : part;
		if (value_literal(&v, part) < 0)
			return false;
		q->bits[i] = v.bits;
		q->text[i] = v.text;
	}
	return true;
}

/* Ranges that meet an earlier one go to the others. */
static void part_ranges(struct quick_set *q, struct range *all, uint32_t n, uint32_t *others, uint32_t *n_others)
{
	qsort(all, n, sizeof(*all), compare_ranges);
	for (uint32_t i = 0; i < n; i++) {
		if (q->n_ranges && compare_numbers(&all[i].from, &q->ranges[q->n_ranges - 1].to) <= 0)
			others[(*n_others)++] = all[i].at;
		else
			q->ranges[q->n_ranges++] = all[i];
	}
}

static int compare_places(const void *a, const void *b)
{
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* Elements of one hash stand together, in their order: they are counted, and then put from the last one on. */
static void fill_exact(struct quick_set *q, const struct set *s)
{
	uint64_t h;

	for (uint32_t i = 0; i < s->n_elems; i++)
		if (elem_hash(q, &s->elems[i], &h))
			q->begin[slot_of(q, h)]++;
	for (uint32_t i = 1; i <= q->mask + 1; i++)
		q->begin[i] += q->begin[i - 1];
	for (uint32_t i = s->n_elems; i-- > 0;)
		if (elem_hash(q, &s->elems[i], &h))
			q->exact[--q->begin[slot_of(q, h)]] = i;
}

static int make(struct arena *a, struct quick_set *q, const struct set *s)
{
	_cleanup_free_ struct range *all = calloc(s->n_elems, sizeof(*all));
	uint32_t *others = arena_array(a, s->n_elems, sizeof(*others)), n = 0, n_others = 0, room = 16;
	uint64_t h;

	while (room < s->n_elems)
		room *= 2;
	q->mask = room - 1;
	q->begin = arena_array(a, room + 1u, sizeof(*q->begin));
	q->exact = arena_array(a, s->n_elems, sizeof(*q->exact));
	q->ranges = arena_array(a, s->n_elems, sizeof(*q->ranges));
	if (!all || !others || !q->begin || !q->exact || !q->ranges)
		return -1;
	fill_exact(q, s);
	for (uint32_t i = 0; i < s->n_elems; i++) {
		if (s->elems[i].catchall || elem_hash(q, &s->elems[i], &h))
			continue;
		all[n].at = i;
		if (elem_range(q, &s->elems[i], &all[n]))
			n++;
		else
			others[n_others++] = i;
	}
	part_ranges(q, all, n, others, &n_others);
	qsort(others, n_others, sizeof(*others), compare_places);
	q->others = (struct quick_list){ others, others + n_others };
	q->indexed = true;
	return 0;
}

struct quick_set *quick_set_make(struct arena *a, const struct set *s)
{
	struct quick_set *q = arena_alloc(a, sizeof(*q));

	if (q && s->n_elems >= INDEX_FROM && take_form(q, s))
		make(a, q, s); /* what could not be made is not used */
	else if (q)
		take_form(q, s); /* "*" */
	return q;
}

/* ---- looking ---- */

static bool fits(const struct quick_set *q, const struct set_key *k)
{
	if (!q->indexed || k->n != q->parts)
		return false;
	for (unsigned i = 0; i < k->n; i++)
		if (k->part[i].bits != q->bits[i] || k->part[i].text != q->text[i] || !value_known(&k->part[i]))
			return false;
	return true;
}

static const struct range *find_range(const struct quick_set *q, const struct quick_number *n)
{
	uint32_t lo = 0, hi = q->n_ranges;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (compare_numbers(&q->ranges[mid].to, n) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < q->n_ranges && compare_numbers(&q->ranges[lo].from, n) <= 0 ? &q->ranges[lo] : NULL;
}

struct quick_elems quick_elems(struct quick *k, const struct set *s, const struct set_key *key)
{
	const struct quick_set *q = quick_set(k, s);
	struct quick_elems e = { .all = !q || !fits(q, key), .n = s->n_elems, .range = UINT32_MAX };
	uint64_t h = 0xcbf29ce484222325u;

	e.rest = q ? q->rest : NULL;
	e.rest_known = q;
	if (e.all)
		return e;
	for (unsigned i = 0; i < key->n; i++)
		h = hash_part(h, &key->part[i]);
	e.exact = (struct quick_list){ q->exact + q->begin[slot_of(q, h)], q->exact + q->begin[slot_of(q, h) + 1] };
	e.others = q->others;
	if (q->n_ranges) {
		struct quick_number n = number(&key->part[0]);
		const struct range *r = find_range(q, &n);

		e.range = r ? r->at : UINT32_MAX;
	}
	return e;
}

uint32_t quick_elem(struct quick_elems *e, uint32_t from)
{
	uint32_t best = e->n;

	if (e->all)
		return from;
	while (e->exact.at < e->exact.end && *e->exact.at < from)
		e->exact.at++;
	while (e->others.at < e->others.end && *e->others.at < from)
		e->others.at++;
	if (e->exact.at < e->exact.end)
		best = *e->exact.at;
	if (e->others.at < e->others.end && *e->others.at < best)
		best = *e->others.at;
	if (e->range >= from && e->range < best)
		best = e->range;
	return best;
}
