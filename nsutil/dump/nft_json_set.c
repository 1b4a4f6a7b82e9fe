/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_set - sets, maps, their elements, and named objects of libnftables-json(5) */
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/dump/nft_json.h"
#include "nsutil/ruleset/nft_print.h"

/* ---- types ---- */

static uint32_t type_number(const struct expr *x)
{
	uint32_t id = 0;

	for (unsigned i = 0; x->kind == EXPR_CONCAT && i < x->concat.n && i < 5; i++)
		id = id << 6 | type_number(x->concat.parts[i]);
	if (x->kind == EXPR_CONCAT)
		return id;
	for (uint32_t t = 2; t < 47; t++)
		if (dec_type(t, NULL, NULL) == (enum dtype)x->dtype)
			return t;
	return 4;
}

static uint32_t type_len(const struct expr *x)
{
	return x->kind == EXPR_CONCAT ? x->bits / 8u : (x->bits + 7u) / 8u;
}

/* ---- elements ---- */

/* nft lists one statement of each kind, as a key of the element beside the others. */
static int elem_stmts(struct nj *n, json_t *body, struct set_elem *el)
{
	static const char *const others[] = { "val", "timeout", "expires", "comment" };
	struct stmt **list = n->list;
	const char *key;
	json_t *value;
	int ret = 0;

	n->list = &el->stmts;
	json_object_foreach(body, key, value) {
		size_t i = 0;
		json_t *one;

		while (i < ARRAY_SIZE(others) && strcmp(others[i], key) != 0)
			i++;
		if (i < ARRAY_SIZE(others))
			continue;
		one = json_pack("{s:O}", key, value);
		ret = one ? nj_stmt(n, one) : -1;
		json_decref(one);
		if (ret < 0)
			break;
	}
	n->list = list;
	return ret;
}

/* Elements have the statements that their set is declared with, of which nft lists fewer with them. */
static int elem_more_stmts(struct nj *n, const struct set *s, struct set_elem *el)
{
	unsigned have = 0;

	for (const struct stmt *x = el->stmts; x; x = x->next)
		have++;
	for (const struct stmt *x = s->stmts; x; x = x->next) {
		struct stmt *copy;

		if (have) {
			have--;
			continue;
		}
		copy = arena_dup(n->a, x, sizeof(*x));
		if (!copy)
			return -1;
		copy->next = NULL;
		stmt_append(&el->stmts, copy);
	}
	return 0;
}

/* {"elem":{"val":...,"comment":...}}; the value, and the rest to @el */
static json_t *elem_attributes(struct nj *n, json_t *j, struct set_elem *el)
{
	json_t *body = json_object_get(j, "elem");

	if (!body)
		return j;
	el->timeout_ms = nj_num(body, "timeout") * 1000;
	el->expires_ms = nj_num(body, "expires") * 1000;
	el->comment = arena_strdup(n->a, nj_str(body, "comment"));
	return elem_stmts(n, body, el) < 0 ? NULL : json_object_get(body, "val");
}

static bool is_span(const struct expr *x)
{
	for (unsigned i = 0; x->kind == EXPR_CONCAT && i < x->concat.n; i++)
		if (is_span(x->concat.parts[i]))
			return true;
	return x->kind == EXPR_RANGE || x->kind == EXPR_PREFIX;
}

static int elem_data(struct nj *n, struct set *s, json_t *j, const struct expr *data, struct set_elem *el)
{
	const struct expr *x;

	if (s->flags & SET_OBJECT) {
		el->object = arena_strdup(n->a, json_string_value(j));
		return el->object ? 0 : -1;
	}
	el->verdict = nj_verdict(n, j);
	if (el->verdict)
		return 0;
	el->data = nj_expr(n, j, data);
	if (!el->data)
		return -1;
	x = el->data;
	s->data_interval |= is_span(x);
	if (!s->data_len) {
		s->data_type = type_number(x);
		s->data_len = type_len(x);
	}
	return 0;
}

static int one_elem(struct nj *n, struct set *s, json_t *j, const struct expr *key, const struct expr *data,
		    struct set_elem *el)
{
	bool map = s->flags & (SET_MAP | SET_OBJECT);
	json_t *left = elem_attributes(n, map ? json_array_get(j, 0) : j, el);
	const char *word = json_string_value(left);

	if (!left)
		return nj_bad(n, "an element without value"), -1;
	if (word && strcmp(word, "*") == 0)
		el->catchall = true;
	else
		el->key = nj_expr(n, left, key);
	if ((!el->catchall && !el->key) || elem_more_stmts(n, s, el) < 0)
		return -1;
	if (el->key && is_span(el->key))
		s->flags |= SET_INTERVAL;
	if (el->key && !key && !s->key_len) {
		s->key_type = type_number(el->key);
		s->key_len = type_len(el->key);
	}
	return map ? elem_data(n, s, json_array_get(j, 1), data, el) : 0;
}

int nj_elems(struct nj *n, struct set *s, json_t *elems, const struct expr *key, const struct expr *data)
{
	size_t size = json_array_size(elems);
	struct stmt **list = n->list;
	int ret = 0;

	if (!json_is_array(elems) || !size)
		return 0;
	s->elems = arena_array(n->a, size, sizeof(*s->elems));
	if (!s->elems)
		return -1;
	n->list = NULL; /* elements imply no protocols */
	for (size_t i = 0; i < size && ret == 0; i++) {
		ret = one_elem(n, s, json_array_get(elems, i), key, data, &s->elems[i]);
		s->n_elems++;
	}
	n->list = list;
	return ret;
}

/* ---- references ---- */

static struct set *missing(struct nj *n, const char *name)
{
	struct set *s = arena_alloc(n->a, sizeof(*s));

	if (!s)
		return NULL;
	s->table = n->t;
	s->name = arena_strdup(n->a, name);
	s->unread = "the set is not in the file";
	return s->name ? s : NULL;
}

struct set *nj_set(struct nj *n, json_t *j, const struct expr *key, const struct expr *data, bool map)
{
	const char *name = json_string_value(j);
	struct expr plain;
	struct set *s;

	if (name) {
		name += *name == '@';
		s = table_find_set(n->t, name);
		return s ? s : missing(n, name);
	}
	s = arena_alloc(n->a, sizeof(*s));
	if (!s)
		return NULL;
	s->table = n->t;
	s->name = map ? "__map" : "__set";
	s->flags = SET_ANONYMOUS | SET_CONSTANT | (map ? SET_MAP : 0);
	if (key) {
		s->key_type = type_number(key);
		s->key_len = type_len(key);
	}
	if (data) {
		s->data_type = type_number(data);
		s->data_len = type_len(data);
	}
	if (key && key->kind == EXPR_CONCAT)
		s->flags |= SET_CONCAT;
	if (!json_object_get(j, "set"))
		return nj_bad(n, "a set of unknown form");
	if (key && key->kind == EXPR_BINOP && key->dtype == DT_HEX) {
		plain = *key; /* once computed, bytes of a header are numbers */
		plain.dtype = DT_INTEGER;
		key = &plain;
	}
	return nj_elems(n, s, json_object_get(j, "set"), key, data) < 0 ? NULL : s;
}

struct set *nj_meter(struct nj *n, const struct expr *key, uint32_t size)
{
	struct set *s = arena_alloc(n->a, sizeof(*s));

	if (!s)
		return NULL;
	s->table = n->t;
	s->name = "__set";
	s->flags = SET_ANONYMOUS | SET_EVAL | (key->kind == EXPR_CONCAT ? SET_CONCAT : 0);
	s->key_type = type_number(key);
	s->key_len = type_len(key);
	s->has_size = size != 0;
	s->size = size;
	return s;
}

/* ---- declarations ---- */

static uint32_t set_flags(json_t *j)
{
	static const struct { const char *word; uint32_t flag; } table[] = {
		{ "constant", SET_CONSTANT }, { "interval", SET_INTERVAL }, { "timeout", SET_TIMEOUT },
		{ "dynamic", SET_EVAL },
	};
	uint32_t flags = 0;

	for (size_t i = 0; i < (json_is_array(j) ? json_array_size(j) : 1); i++) {
		const char *word = json_string_value(json_is_array(j) ? json_array_get(j, i) : j);

		for (size_t k = 0; word && k < ARRAY_SIZE(table); k++)
			if (strcmp(word, table[k].word) == 0)
				flags |= table[k].flag;
	}
	return flags;
}

static const struct {
	const char *word;
	uint32_t type;
} object_kinds[] = {
	{ "counter", NFT_OBJECT_COUNTER }, { "quota", NFT_OBJECT_QUOTA }, { "limit", NFT_OBJECT_LIMIT },
	{ "ct helper", NFT_OBJECT_CT_HELPER }, { "ct timeout", NFT_OBJECT_CT_TIMEOUT },
	{ "ct expectation", NFT_OBJECT_CT_EXPECT }, { "secmark", NFT_OBJECT_SECMARK },
	{ "synproxy", NFT_OBJECT_SYNPROXY },
};

static int map_type(struct nj *n, struct set *s, json_t *j, struct expr **data)
{
	const char *word = json_string_value(j);

	s->flags |= SET_MAP;
	if (word && strcmp(word, "verdict") == 0) {
		s->data_type = 1;
		return 0;
	}
	for (size_t i = 0; word && i < ARRAY_SIZE(object_kinds); i++)
		if (strcmp(word, object_kinds[i].word) == 0) {
			s->flags = (s->flags & ~(uint32_t)SET_MAP) | SET_OBJECT;
			s->obj_type = object_kinds[i].type;
			return 0;
		}
	*data = nj_type(n, j, &s->data_type, &s->data_len);
	return *data ? 0 : -1;
}

/* What is not understood of one set does not keep the rest from being read. */
static int unread(struct nj *n, struct set *s)
{
	if (!n->why[0])
		return -1;
	s->unread = arena_strdup(n->a, n->why);
	s->elems = NULL;
	s->n_elems = 0;
	return s->unread ? 0 : -1;
}

int nj_declare_set(struct nj *n, json_t *j, bool map)
{
	const char *name = nj_str(j, "name"), *policy = nj_str(j, "policy");
	struct set *s = name ? table_add_set(n->rs, n->t, name) : NULL;
	struct expr *key, *data = NULL;
	struct stmt **list = n->list;
	json_t *item;
	size_t i;

	if (!s)
		return name ? -1 : (nj_bad(n, "a set without name"), -1);
	s->flags = set_flags(json_object_get(j, "flags"));
	key = nj_type(n, json_object_get(j, "type"), &s->key_type, &s->key_len);
	if (!key || (map && map_type(n, s, json_object_get(j, "map"), &data) < 0))
		return unread(n, s);
	s->flags |= key->kind == EXPR_CONCAT ? SET_CONCAT : 0;
	s->typeof_key = s->key_type || key->kind == EXPR_VALUE ? NULL : key;
	s->typeof_data = data && !s->data_type && data->kind != EXPR_VALUE ? data : NULL;
	s->handle = nj_num(j, "handle");
	s->timeout_ms = nj_num(j, "timeout") * 1000;
	s->flags |= s->timeout_ms ? SET_TIMEOUT : 0;
	s->gc_interval_ms = (uint32_t)nj_num(j, "gc-interval") * 1000;
	s->has_size = json_object_get(j, "size") != NULL;
	s->size = (uint32_t)nj_num(j, "size");
	s->policy = policy && strcmp(policy, "memory") == 0;
	s->auto_merge = json_is_true(json_object_get(j, "auto-merge"));
	s->comment = arena_strdup(n->a, nj_str(j, "comment"));
	n->list = &s->stmts;
	json_array_foreach(json_object_get(j, "stmt"), i, item)
		if (nj_stmt(n, item) < 0)
			return -1;
	n->list = list;
	return nj_elems(n, s, json_object_get(j, "elem"), key, data) < 0 ? unread(n, s) : 0;
}

/* Bodies of objects that are written by their parts, as nft lists them. */
static const char *object_text(struct nj *n, const char *kind, json_t *j)
{
	const char *type = nj_str(j, "type"), *protocol = nj_str(j, "protocol"), *l3 = nj_str(j, "l3proto");
	struct buf b _cleanup_buf_ = BUF_INIT;
	json_t *value;
	const char *key;
	unsigned any = 0;

	if (strcmp(kind, "secmark") == 0)
		return arena_printf(n->a, "\t\t\"%s\"\n", nj_str(j, "context") ? nj_str(j, "context") : "?");
	if (strcmp(kind, "ct helper") == 0)
		return arena_printf(n->a, "\t\ttype \"%s\" protocol %s\n\t\tl3proto %s\n", type ? type : "?",
				    protocol ? protocol : "?", l3 ? l3 : "?");
	if (strcmp(kind, "ct expectation") == 0) {
		buf_fmt(&b, "\t\tprotocol %s\n\t\tdport %u\n\t\ttimeout ", protocol ? protocol : "?",
			(unsigned)nj_num(j, "dport"));
		nft_time_text(nj_num(j, "timeout"), &b);
		buf_fmt(&b, "\n\t\tsize %u\n\t\tl3proto %s\n", (unsigned)nj_num(j, "size"), l3 ? l3 : "?");
		return arena_strdup(n->a, buf_cstr(&b));
	}
	buf_fmt(&b, "\t\tprotocol %s\n\t\tl3proto %s\n", protocol ? protocol : "?", l3 ? l3 : "?");
	json_object_foreach(json_object_get(j, "policy"), key, value)
		buf_fmt(&b, "%s%s : %u", any++ ? ", " : "\t\tpolicy = { ", key, (unsigned)json_integer_value(value));
	if (any)
		buf_str(&b, " }\n");
	return arena_strdup(n->a, buf_cstr(&b));
}

/* A named counter and the like is the statement with a name. */
static int object_stmt(struct nj *n, struct object *o, const char *kind, json_t *j)
{
	json_t *copy = json_deep_copy(j), *wrapped = json_object(), *flags;
	struct stmt **list = n->list;
	int ret;

	if (strcmp(kind, "quota") == 0)
		json_object_set(copy, "val", json_object_get(j, "bytes"));
	flags = json_object_get(copy, "flags");
	if (strcmp(kind, "synproxy") == 0 && !flags)
		json_object_set_new(copy, "flags", json_array());
	json_object_set_new(wrapped, kind, copy);
	n->list = &o->stmt;
	ret = nj_stmt(n, wrapped);
	n->list = list;
	json_decref(wrapped);
	return ret;
}

int nj_declare_object(struct nj *n, const char *kind, json_t *j)
{
	const char *name = nj_str(j, "name");
	struct object *o;

	for (size_t i = 0; name && i < ARRAY_SIZE(object_kinds); i++) {
		bool is_stmt = i < 3 || i == ARRAY_SIZE(object_kinds) - 1;

		if (strcmp(object_kinds[i].word, kind) != 0)
			continue;
		o = table_add_object(n->rs, n->t, name);
		if (!o)
			return -1;
		o->type = object_kinds[i].type;
		o->handle = nj_num(j, "handle");
		o->comment = arena_strdup(n->a, nj_str(j, "comment"));
		if (is_stmt)
			return object_stmt(n, o, kind, j);
		o->text = object_text(n, kind, j);
		return o->text ? 0 : -1;
	}
	return 0; /* not an object */
}
