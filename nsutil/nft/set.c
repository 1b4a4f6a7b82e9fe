/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set - sets and maps of a table: definitions, user data, finding them by name */
#include "nsutil/nft/set.h"

#include <stdlib.h>
#include <string.h>

#include "nsutil/nft/udata.h"

/* ---- by name ---- */

static size_t hash_name(const char *s, size_t len)
{
	size_t h = 1469598103934665603u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	return h ^ (h >> 29);
}

static void index_put(struct set_index *ix, struct set *s)
{
	size_t i = hash_name(s->name, strlen(s->name)) & (ix->room - 1);

	while (ix->slots[i])
		i = (i + 1) & (ix->room - 1);
	ix->slots[i] = s;
	ix->n++;
}

int set_index_add(struct set_index *ix, struct set *s)
{
	struct set_index bigger = { .room = ix->room ? ix->room * 2 : 16 };

	if (ix->n * 2 >= ix->room) {
		bigger.slots = calloc(bigger.room, sizeof(struct set *));
		if (!bigger.slots)
			return -1;
		for (uint32_t i = 0; i < ix->room; i++)
			if (ix->slots[i])
				index_put(&bigger, ix->slots[i]);
		free(ix->slots);
		*ix = bigger;
	}
	index_put(ix, s);
	return 0;
}

struct set *set_index_find(const struct set_index *ix, const char *name, size_t len)
{
	if (!ix || !ix->room)
		return NULL;
	for (size_t i = hash_name(name, len) & (ix->room - 1); ix->slots[i]; i = (i + 1) & (ix->room - 1))
		if (strncmp(ix->slots[i]->name, name, len) == 0 && ix->slots[i]->name[len] == '\0')
			return ix->slots[i];
	return NULL;
}

void set_index_free(struct set_index *ix)
{
	free(ix->slots);
	*ix = (struct set_index){ .room = 0 };
}

struct set *dec_set_ref(struct dec *d, const struct nlattr *name)
{
	size_t len = name ? strnlen(attr_data(name), attr_len(name)) : 0;
	struct set *s = name ? set_index_find(d->sets, attr_data(name), len) : NULL;

	if (s)
		return s;
	s = arena_alloc(d->a, sizeof(*s));
	if (!s)
		return NULL;
	s->table = d->t;
	s->name = name ? arena_strndup(d->a, attr_data(name), len) : "?";
	s->unread = "the set is not there";
	return s->name ? s : NULL;
}

struct expr *dec_set_key(struct dec *d, const struct set *set, uint32_t sreg)
{
	return dec_reg(d, sreg, set->key_len ? set->key_len : 1);
}

void dec_set_data_type(const struct set *set, enum dtype *dtype, enum byteorder *order, unsigned *bits)
{
	if (set->typeof_data) {
		*dtype = set->typeof_data->dtype;
		*order = set->typeof_data->order;
		*bits = set->typeof_data->bits;
	} else {
		*dtype = set->data_type > 63 ? DT_INTEGER : dec_type(set->data_type, order, bits);
		if (set->data_type > 63)
			*order = ORDER_NET;
	}
	*bits = set->data_len * 8;
}

/* ---- definition ---- */

/* The user data that nft keeps with a set (libnftnl: enum nftnl_udata_set_types). */
static int set_udata(struct dec *d, struct set *s, const struct nlattr *nest)
{
	struct udata u;

	udata_parse(nest, &u);
	s->comment = udata_str(d->a, &u, UDATA_SET_COMMENT);
	s->auto_merge = udata_u32(&u, UDATA_SET_MERGE_ELEMENTS) != 0;
	s->key_order = (uint8_t)udata_u32(&u, UDATA_SET_KEYBYTEORDER);
	s->data_order = (uint8_t)udata_u32(&u, UDATA_SET_DATABYTEORDER);
	s->data_interval = udata_u32(&u, UDATA_SET_DATA_INTERVAL) != 0;
	s->typeof_key = udata_typeof(d, &u, UDATA_SET_KEY_TYPEOF);
	s->typeof_data = udata_typeof(d, &u, UDATA_SET_DATA_TYPEOF);
	/* User data have a bound: of a long key they may hold only the first parts. */
	if (s->typeof_key && s->typeof_key->kind == EXPR_CONCAT && s->typeof_key->bits != s->key_len * 8)
		s->typeof_key = NULL;
	return 0;
}

/* Statements that every element gets: one in NFTA_SET_EXPR, several in NFTA_SET_EXPRESSIONS. */
static int set_stmts(struct dec *d, struct set *s, const struct attrs *at)
{
	dec_begin(d, &s->stmts);
	if (at->a[NFTA_SET_EXPR])
		return dec_expr_one(d, at->a[NFTA_SET_EXPR]);
	return at->a[NFTA_SET_EXPRESSIONS] ? dec_exprs(d, at->a[NFTA_SET_EXPRESSIONS]) : 0;
}

/* A type, or those of a concatenation, six bits each: how the bytes of a key that nobody knows compare cannot be told. */
static bool types_known(uint32_t type)
{
	for (; type; type >>= 6)
		if (!dec_type_known(type & 63))
			return false;
	return true;
}

int set_decode(struct dec *d, struct set *s, const struct attrs *at)
{
	const uint32_t known = SET_ANONYMOUS | SET_CONSTANT | SET_INTERVAL | SET_MAP | SET_TIMEOUT |
			       SET_EVAL | SET_OBJECT | SET_CONCAT | SET_EXPR;
	struct attrs desc;

	s->handle = attr_be64(at->a[NFTA_SET_HANDLE]);
	s->flags = attr_be32(at->a[NFTA_SET_FLAGS]);
	s->key_type = attr_be32(at->a[NFTA_SET_KEY_TYPE]);
	s->key_len = attr_be32(at->a[NFTA_SET_KEY_LEN]);
	s->data_type = attr_be32(at->a[NFTA_SET_DATA_TYPE]);
	s->data_len = attr_be32(at->a[NFTA_SET_DATA_LEN]);
	s->obj_type = attr_be32(at->a[NFTA_SET_OBJ_TYPE]);
	s->timeout_ms = attr_be64(at->a[NFTA_SET_TIMEOUT]);
	s->gc_interval_ms = attr_be32(at->a[NFTA_SET_GC_INTERVAL]);
	s->policy = attr_be32(at->a[NFTA_SET_POLICY]);
	attr_nested(at->a[NFTA_SET_DESC], NFTA_SET_DESC_CONCAT, &desc);
	s->has_size = desc.a[NFTA_SET_DESC_SIZE] != NULL;
	s->size = attr_be32(desc.a[NFTA_SET_DESC_SIZE]);
	if (s->key_len == 0 || s->key_len > 64 || s->data_len > 64)
		s->unread = "key or data of a size that is not known";
	else if (s->flags & ~known)
		s->unread = "set flags that are not known";
	else if (!types_known(s->key_type))
		s->unread = "keys of a type that is not known";
	return set_udata(d, s, at->a[NFTA_SET_USERDATA]) < 0 ? -1 : set_stmts(d, s, at);
}
