/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elem - elements of sets and maps: keys, ranges, data, in the order nft lists them */
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/set.h"
#include "nsutil/nft/udata.h"
#include "nsutil/nft/verdict.h"

#define KEY_MAX 64

struct raw_elem {
	const uint8_t *key, *key_end; /* key_len bytes each */
	const uint8_t *data;	      /* of a map; NULL when none */
	unsigned data_len;
	const uint8_t *sort;	      /* what it is ordered by */
	size_t at;		      /* as it came */
	bool end;		      /* the first value behind a range */
	struct set_elem elem;	      /* all but key and data */
};

struct set_raw {
	struct raw_elem *v;
	size_t n;
};

/* ---- collecting ---- */

static int elem_stmts(struct dec *d, struct raw_elem *r, const struct attrs *at)
{
	dec_begin(d, &r->elem.stmts);
	if (at->a[NFTA_SET_ELEM_EXPR])
		return dec_expr_one(d, at->a[NFTA_SET_ELEM_EXPR]);
	return at->a[NFTA_SET_ELEM_EXPRESSIONS] ? dec_exprs(d, at->a[NFTA_SET_ELEM_EXPRESSIONS]) : 0;
}

static int elem_data(struct dec *d, struct set *s, struct raw_elem *r, const struct nlattr *data)
{
	const struct nlattr *v = data_value(data), *verdict = data_verdict(data);

	if (v && attr_len(v) <= KEY_MAX * 2) {
		r->data = arena_dup(d->a, attr_data(v), attr_len(v));
		r->data_len = attr_len(v);
		return r->data ? 0 : -1;
	}
	if (!verdict)
		return 0;
	r->elem.verdict = arena_alloc(d->a, sizeof(*r->elem.verdict));
	if (!r->elem.verdict)
		return -1;
	if (!verdict_decode(d->a, verdict, r->elem.verdict))
		s->unread = "an element's verdict is not known";
	return 0;
}

static const uint8_t *elem_key(struct dec *d, const struct set *s, const struct nlattr *key)
{
	const struct nlattr *v = data_value(key);

	return attr_len(v) == s->key_len ? arena_dup(d->a, attr_data(v), s->key_len) : NULL;
}

static int raw_fill(struct dec *d, struct set *s, const struct attrs *at, struct raw_elem *r)
{
	uint32_t flags = attr_be32(at->a[NFTA_SET_ELEM_FLAGS]);
	struct udata u;

	if (at->unknown || (flags & ~(uint32_t)(NFT_SET_ELEM_INTERVAL_END | NFT_SET_ELEM_CATCHALL))) {
		s->unread = "an element has attributes or flags that are not known";
		return 0;
	}
	*r = (struct raw_elem){ .end = flags & NFT_SET_ELEM_INTERVAL_END };
	r->elem.catchall = flags & NFT_SET_ELEM_CATCHALL;
	r->elem.timeout_ms = attr_be64(at->a[NFTA_SET_ELEM_TIMEOUT]);
	r->elem.expires_ms = attr_be64(at->a[NFTA_SET_ELEM_EXPIRATION]);
	r->elem.object = attr_str(d->a, at->a[NFTA_SET_ELEM_OBJREF]);
	udata_parse(at->a[NFTA_SET_ELEM_USERDATA], &u);
	r->elem.comment = udata_str(d->a, &u, UDATA_COMMENT);
	if (!r->elem.catchall) {
		r->key = elem_key(d, s, at->a[NFTA_SET_ELEM_KEY]);
		if (!r->key) {
			s->unread = "an element's key has an unexpected size";
			return 0;
		}
		if (at->a[NFTA_SET_ELEM_KEY_END])
			r->key_end = elem_key(d, s, at->a[NFTA_SET_ELEM_KEY_END]);
	}
	if (at->a[NFTA_SET_ELEM_DATA] && elem_data(d, s, r, at->a[NFTA_SET_ELEM_DATA]) < 0)
		return -1;
	return elem_stmts(d, r, at);
}

int set_raw_add(struct dec *d, struct set *s, const struct nlattr *list, struct set_raw **raw)
{
	if (!*raw)
		*raw = arena_alloc(d->a, sizeof(**raw));
	if (!*raw)
		return -1;
	for (const struct nlattr *a = attr_first(list); a; a = attr_next(list, a)) {
		struct set_raw *w = *raw;
		struct attrs at;

		attr_nested(a, NFTA_SET_ELEM_EXPRESSIONS, &at);
		w->v = arena_grow(d->a, w->v, w->n, sizeof(*w->v));
		if (!w->v || raw_fill(d, s, &at, &w->v[w->n]) < 0)
			return -1;
		if (s->unread)
			return 0;
		w->n++;
	}
	return 0;
}

/* ---- keys ---- */

/* The parts of a concatenation, each in whole words; nft packs their types by six bits. */
struct part {
	enum dtype dtype;
	enum byteorder order;
	unsigned bits, at; /* 'at': first byte */
};

#define PARTS_MAX 16

/* "ct expiration" is of a type with 64 bits, and has 32. */
static unsigned shorten_times(struct part *parts, unsigned n)
{
	unsigned used = 0;

	for (unsigned i = 0; i < n; i++) {
		if (parts[i].dtype == DT_TIME)
			parts[i].bits = 32;
		parts[i].at = used;
		used += (parts[i].bits + 31) / 32 * 4;
	}
	return used;
}

static unsigned key_parts(uint32_t type, const struct expr *typ, unsigned len, struct part *parts)
{
	unsigned n = 0, used = 0, unsized = 0;

	for (int shift = 30; shift >= 0; shift -= 6) {
		struct part *p = &parts[n];

		if (!(type >> shift))
			continue;
		p->dtype = dec_type(type >> shift & 63, &p->order, &p->bits);
		if (typ && typ->kind == EXPR_CONCAT && n < typ->concat.n) {
			const struct expr *x = typ->concat.parts[n];

			p->dtype = x->dtype;
			p->order = x->order;
			p->bits = x->bits;
		}
		p->at = used;
		used += (p->bits + 31) / 32 * 4;
		unsized += p->bits == 0;
		n++;
	}
	if (used + unsized * 4 > len)
		used = shorten_times(parts, n);
	if (used > len) { /* not as any type says */
		parts[0] = (struct part){ .dtype = DT_HEX, .order = ORDER_NET, .bits = len * 8 };
		return 1;
	}
	/* Parts of a type without a size of its own are words, but for the last, which gets what is left. */
	for (unsigned i = 0, moved = 0, left = len - used; i < n; i++) {
		parts[i].at += moved;
		if (parts[i].bits || !left)
			continue;
		parts[i].bits = (--unsized && left > 4 ? 4 : left) * 8;
		left -= parts[i].bits / 8;
		moved += parts[i].bits / 8;
	}
	return n;
}

static bool prefix_type(const struct part *p)
{
	return p->dtype == DT_IPV4 || p->dtype == DT_IPV6 || p->dtype == DT_IFNAME || p->dtype == DT_MARK ||
	       p->dtype == DT_REALM || p->dtype == DT_DEVGROUP;
}

/* from and to, both inclusive, in network order, as nft would write them */
static struct expr *make_range(struct dec *d, const struct part *p, const uint8_t *from,
			       const uint8_t *to)
{
	unsigned n = (p->bits + 7) / 8, len = 0;
	struct expr *x = dec_bytes(d, p->dtype, p->order, from, p->bits);
	bool prefix = prefix_type(p);

	if (!to || memcmp(from, to, n) == 0)
		return x;
	for (len = 0; len < n * 8; len++)
		if ((from[len / 8] ^ to[len / 8]) & (0x80 >> len % 8))
			break;
	for (unsigned i = len; prefix && i < n * 8; i++)
		prefix = !(from[i / 8] & (0x80 >> i % 8)) && (to[i / 8] & (0x80 >> i % 8));
	if (prefix)
		return expr_prefix(d->a, x, len);
	return expr_range(d->a, x, expr_bytes(d->a, p->dtype, p->order, to, p->bits));
}

/* What an expression of a set's key or data is made of. */
struct shape {
	uint32_t type;
	const struct expr *typ;
	unsigned len;
	uint8_t order;	/* as user data say */
	bool interval;
};

static struct part single_part(const struct shape *sh)
{
	struct part p = { .at = 0 };

	p.dtype = dec_type(sh->type, &p.order, &p.bits);
	if (sh->typ && sh->typ->kind != EXPR_CONCAT) {
		p.dtype = sh->typ->dtype;
		p.order = sh->typ->order;
		p.bits = sh->typ->bits;
	} else if (!p.bits && sh->order) {
		p.order = sh->order == 2 ? ORDER_NET : ORDER_HOST;
	}
	if ((p.bits + 7) / 8 != sh->len)
		p.bits = sh->len * 8;
	/* ordered sets hold numbers with the most significant byte first */
	if (sh->interval && p.dtype != DT_IFNAME && p.dtype != DT_STRING)
		p.order = ORDER_NET;
	return p;
}

static struct expr *make_value(struct dec *d, const struct shape *sh, const uint8_t *from,
			       const uint8_t *to)
{
	struct part parts[PARTS_MAX], one;
	unsigned n;
	struct expr *x;

	if (sh->type < 64) {
		one = single_part(sh);
		return make_range(d, &one, from, to);
	}
	n = key_parts(sh->type, sh->typ, sh->len, parts);
	for (unsigned i = 0; i < n && sh->interval; i++)
		if (parts[i].dtype != DT_IFNAME && parts[i].dtype != DT_STRING)
			parts[i].order = ORDER_NET;
	x = expr_new(d->a, EXPR_CONCAT, DT_INTEGER, ORDER_NET, sh->len * 8);
	if (!x)
		return NULL;
	x->concat.parts = arena_array(d->a, n ? n : 1, sizeof(struct expr *));
	if (!x->concat.parts)
		return NULL;
	for (unsigned i = 0; i < n; i++) {
		x->concat.parts[i] = make_range(d, &parts[i], from + parts[i].at,
						to ? to + parts[i].at : NULL);
		if (!x->concat.parts[i])
			return NULL;
	}
	x->concat.n = n;
	return x;
}

/* ---- order ---- */

/* How nft lists elements: by the number that the key's bytes are, of flags only the lowest one. */
struct order {
	unsigned len;
	bool host;  /* least significant byte first */
	bool flags;
	bool interval;
};

static int key_cmp(const uint8_t *x, const uint8_t *y, const struct order *o)
{
	int c = 0;

	if (!o->host)
		return memcmp(x, y, o->len);
	for (unsigned i = o->len; i-- > 0 && c == 0;)
		c = (int)x[i] - (int)y[i];
	return c;
}

static uint32_t lowest_flag(const uint8_t *key, const struct order *o)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < o->len && i < 4; i++)
		v = v << 8 | key[o->host ? o->len - 1 - i : i];
	return v & -v;
}

/* qsort_r: by value; at equal values a range ends before the next begins, else last in, first out */
static int raw_cmp(const void *a, const void *b, void *arg)
{
	const struct raw_elem *x = a, *y = b;
	const struct order *o = arg;
	int c;

	if ((x->elem.catchall || y->elem.catchall) && (o->flags || o->interval))
		return (int)x->elem.catchall - (int)y->elem.catchall;
	if (o->flags) {
		uint32_t fx = lowest_flag(x->key, o), fy = lowest_flag(y->key, o);

		c = fx < fy ? -1 : fx > fy;
	} else {
		c = key_cmp(x->sort, y->sort, o);
	}
	if (c == 0)
		c = (int)y->end - (int)x->end;
	return c ? c : x->at < y->at ? 1 : -1;
}

/* A concatenation is ordered by its parts without the padding between them, last byte first. */
static int concat_sort_keys(struct dec *d, const struct set *s, struct set_raw *raw, unsigned *ret_len)
{
	struct part parts[PARTS_MAX];
	unsigned n = key_parts(s->key_type, s->typeof_key, s->key_len, parts), len = 0;

	for (unsigned i = 0; i < n; i++)
		len += (parts[i].bits + 7) / 8;
	for (size_t e = 0; e < raw->n; e++) {
		uint8_t *to = arena_alloc(d->a, len + 1);

		if (!to)
			return -1;
		raw->v[e].sort = to;
		if (!raw->v[e].key)
			memset(to, 0xff, len);
		for (unsigned i = 0; i < n && raw->v[e].key; i++) {
			memcpy(to, raw->v[e].key + parts[i].at, (parts[i].bits + 7) / 8);
			to += (parts[i].bits + 7) / 8;
		}
	}
	*ret_len = len;
	return 0;
}

/* "*" has the place of the greatest key. */
static void catchall_key(const struct set *s, const struct order *o, uint8_t *key)
{
	unsigned bits = s->typeof_key && s->typeof_key->bits <= o->len * 8 ? s->typeof_key->bits : o->len * 8;

	memset(key, 0, o->len);
	for (unsigned i = 0; i < bits; i++) {
		unsigned at = o->len - 1 - i / 8;

		key[o->host ? o->len - 1 - at : at] |= (uint8_t)(1u << i % 8);
	}
}

static int sort_elems(struct dec *d, const struct set *s, struct set_raw *raw, const struct part *one,
		      bool interval)
{
	bool concat = s->key_type > 63;
	struct order o = { .len = s->key_len, .host = concat || (!interval && one->order == ORDER_HOST), .interval = interval };
	uint8_t greatest[KEY_MAX];

	/* ranges of concatenations come as the kernel has them; an empty set has no array to sort */
	if (raw->n == 0 || (concat && (s->flags & SET_INTERVAL)))
		return 0;
	catchall_key(s, &o, greatest);
	for (size_t i = 0; i < raw->n; i++) {
		raw->v[i].sort = raw->v[i].key ? raw->v[i].key : greatest;
		raw->v[i].at = i;
	}
	o.flags = !concat && (one->dtype == DT_TCP_FLAG || one->dtype == DT_CT_STATE ||
			      one->dtype == DT_CT_STATUS);
	if (concat && concat_sort_keys(d, s, raw, &o.len) < 0)
		return -1;
	qsort_r(raw->v, raw->n, sizeof(*raw->v), raw_cmp, &o);
	return 0;
}

static void minus_one(uint8_t *v, unsigned len)
{
	while (len-- > 0)
		if (v[len]-- != 0)
			break;
}

static int set_elem_finish(struct dec *d, struct set *s, struct raw_elem *r, const uint8_t *to)
{
	struct shape key = { s->key_type, s->typeof_key, s->key_len, s->key_order,
			     s->flags & SET_INTERVAL };
	struct shape data = { s->data_type, s->typeof_data, s->data_len, s->data_order, false };
	struct set_elem *e = &s->elems[s->n_elems];

	*e = r->elem;
	if (!e->catchall) {
		e->key = make_value(d, &key, r->key, to);
		if (!e->key)
			return -1;
	}
	if (r->data && r->data_len >= s->data_len) {
		bool range = s->data_interval && r->data_len % 2 == 0 && s->data_len == r->data_len;

		data.len = range ? s->data_len / 2 : s->data_len;
		e->data = make_value(d, &data, r->data, range ? r->data + data.len : NULL);
		if (range && e->data && e->data->kind == EXPR_VALUE && (e->data->dtype == DT_IPV4 || e->data->dtype == DT_IPV6))
			e->data = expr_prefix(d->a, e->data, e->data->bits); /* a range of one address is listed so */
		if (!e->data)
			return -1;
	}
	s->n_elems++;
	return 0;
}

int set_raw_end(struct dec *d, struct set *s, struct set_raw *raw)
{
	struct shape sh = { s->key_type, s->typeof_key, s->key_len, s->key_order,
			    (s->flags & SET_INTERVAL) && s->key_type < 64 };
	struct part one = single_part(&sh);
	uint8_t to[KEY_MAX];

	if (!raw || s->unread || raw->n > UINT32_MAX)
		return 0;
	if (sort_elems(d, s, raw, &one, sh.interval) < 0)
		return -1;
	s->elems = arena_array(d->a, raw->n + 1, sizeof(*s->elems));
	if (!s->elems)
		return -1;
	for (size_t i = 0; i < raw->n; i++) {
		struct raw_elem *r = &raw->v[i];
		const uint8_t *end = r->key_end;

		if (r->end)
			continue;
		if (sh.interval && !r->elem.catchall && !end) {
			memset(to, 0xff, sizeof(to));
			if (i + 1 < raw->n && !raw->v[i + 1].elem.catchall) {
				memcpy(to, raw->v[i + 1].key, s->key_len);
				minus_one(to, s->key_len);
			}
			end = to;
		}
		if (set_elem_finish(d, s, r, end) < 0)
			return -1;
	}
	return 0;
}

/* ---- keys that rules make ---- */

struct expr *set_key_typed(struct dec *d, const struct set *s, struct expr *key)
{
	struct part parts[PARTS_MAX];
	unsigned n = key_parts(s->key_type, s->typeof_key, s->key_len, parts);

	if (key->kind == EXPR_VALUE && n == 1)
		return dec_retype(d, key, parts[0].dtype, parts[0].order);
	for (unsigned i = 0; key->kind == EXPR_CONCAT && key->concat.n == n && i < n; i++) {
		key->concat.parts[i] = dec_retype(d, key->concat.parts[i], parts[i].dtype, parts[i].order);
		if (!key->concat.parts[i])
			return NULL;
	}
	return key;
}
