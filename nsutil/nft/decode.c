/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode - the list of instructions of a rule, one after the other */
#include "nsutil/nft/proto.h"

#include <string.h>

void dec_init(struct dec *d, struct arena *a, struct table *t, const struct set_index *sets)
{
	memset(d, 0, sizeof(*d));
	d->a = a;
	d->t = t;
	d->sets = sets;
	d->family = t ? t->family : 0;
}

void dec_begin(struct dec *d, struct stmt **list)
{
	memset(d->reg, 0, sizeof(d->reg));
	d->tail = list;
	d->last = NULL;
	d->last_cmp = NULL;
	dec_proto_begin(d);
}

enum dec_result dec_add(struct dec *d, struct stmt *s)
{
	if (!s)
		return DEC_NOMEM;
	*d->tail = s;
	while (s->next)
		s = s->next;
	d->tail = &s->next;
	d->last = s;
	if (s->kind != STMT_MATCH && s->kind != STMT_VMAP)
		dec_deps_forget(d);
	return DEC_OK;
}

static const struct dec_expr *const tables[] = {
	dec_expr_op, dec_expr_load, dec_expr_stmt, dec_expr_nat, dec_expr_set,
};

static const struct dec_expr *find_expr(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct dec_expr *x = tables[i]; x->name; x++)
			if (strncmp(x->name, name, len) == 0 && x->name[len] == '\0')
				return x;
	return NULL;
}

/* What an unknown instruction left in registers is not known: forget all of them. */
static int add_opaque(struct dec *d, const char *name, size_t len, const struct nlattr *data,
		      const char *why, bool terminal)
{
	struct stmt *s = stmt_new(d->a, STMT_OPAQUE);

	if (!s)
		return -1;
	s->opaque.name = arena_strndup(d->a, name, len);
	s->opaque.why = why;
	s->opaque.size = attr_len(data);
	s->opaque.data = s->opaque.size ? arena_dup(d->a, attr_data(data), s->opaque.size) : NULL;
	s->opaque.type = OPAQUE_EXPR;
	s->opaque.terminal = terminal;
	memset(d->reg, 0, sizeof(d->reg));
	return s->opaque.name && dec_add(d, s) == DEC_OK ? 0 : -1;
}

static int decode_one(struct dec *d, const char *name, size_t len, const struct nlattr *data)
{
	const struct dec_expr *x = find_expr(name, len);
	enum dec_result ret;
	struct attrs at;

	if (!x)
		return add_opaque(d, name, len, data, "unknown expression", true);
	attr_nested(data, x->max, &at);
	d->why = at.unknown ? "unknown attribute" : NULL;
	ret = at.unknown ? DEC_OPAQUE : x->fn(d, &at);
	if (ret == DEC_OPAQUE)
		return add_opaque(d, name, len, data, d->why ? d->why : "not understood", x->terminal);
	return ret == DEC_OK ? 0 : -1;
}

int dec_expr_one(struct dec *d, const struct nlattr *expr)
{
	const struct nlattr *name;
	struct attrs top;

	attr_nested(expr, NFTA_EXPR_DATA, &top);
	name = top.a[NFTA_EXPR_NAME];
	if (!name)
		return add_opaque(d, "?", 1, top.a[NFTA_EXPR_DATA], "expression without a name", true);
	return decode_one(d, attr_data(name), strnlen(attr_data(name), attr_len(name)),
			  top.a[NFTA_EXPR_DATA]);
}

int dec_expr_named(struct dec *d, const char *name, const struct nlattr *data)
{
	return decode_one(d, name, strlen(name), data);
}

int dec_exprs(struct dec *d, const struct nlattr *list)
{
	for (const struct nlattr *a = attr_first(list); a; a = attr_next(list, a))
		if (mnl_attr_get_type(a) == NFTA_LIST_ELEM && dec_expr_one(d, a) < 0)
			return -1;
	return 0;
}
