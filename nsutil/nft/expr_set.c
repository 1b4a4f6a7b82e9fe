/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr_set - dynset: rules that add, update or delete elements of sets */
#include <string.h>

#include "nsutil/nft/decode.h"
#include "nsutil/nft/set.h"

/* Statements of the new element stand in a list of their own; the rule's list goes on behind. */
static int nested_stmts(struct dec *d, const struct attrs *at, struct stmt **list)
{
	struct stmt **tail = d->tail, *last = d->last;
	struct rule *rule = d->rule;
	int ret = 0;

	d->tail = list;
	d->rule = NULL;
	if (at->a[NFTA_DYNSET_EXPR])
		ret = dec_expr_one(d, at->a[NFTA_DYNSET_EXPR]);
	else if (at->a[NFTA_DYNSET_EXPRESSIONS])
		ret = dec_exprs(d, at->a[NFTA_DYNSET_EXPRESSIONS]);
	d->tail = tail;
	d->last = last;
	d->rule = rule;
	return ret;
}

static enum dec_result do_dynset(struct dec *d, const struct attrs *at)
{
	struct set *set = dec_set_ref(d, at->a[NFTA_DYNSET_SET_NAME]);
	uint32_t op = attr_be32(at->a[NFTA_DYNSET_OP]);
	struct stmt *s = stmt_new(d->a, STMT_SETOP);
	enum byteorder order;
	enum dtype dtype;
	unsigned bits;

	if (!s || !set)
		return DEC_NOMEM;
	if (op > NFT_DYNSET_OP_DELETE)
		return DEC_OPAQUE;
	s->setop.op = op == NFT_DYNSET_OP_ADD ? SETOP_ADD
		      : op == NFT_DYNSET_OP_UPDATE ? SETOP_UPDATE : SETOP_DELETE;
	s->setop.set = set;
	s->setop.set_name = set->name;
	s->setop.timeout_ms = attr_be64(at->a[NFTA_DYNSET_TIMEOUT]);
	s->setop.key = dec_key_elem(d, set, dec_set_key(d, set, attr_be32(at->a[NFTA_DYNSET_SREG_KEY])));
	s->setop.key = s->setop.key ? set_key_typed(d, set, s->setop.key) : NULL;
	if (!s->setop.key)
		return DEC_NOMEM;
	if (at->a[NFTA_DYNSET_SREG_DATA]) {
		dec_set_data_type(set, &dtype, &order, &bits);
		s->setop.data = dec_resolve(d, dec_reg(d, attr_be32(at->a[NFTA_DYNSET_SREG_DATA]),
						       bits ? bits / 8 : set->data_len));
		s->setop.data = dec_retype(d, s->setop.data, dtype, order);
		if (!s->setop.data)
			return DEC_NOMEM;
	}
	return nested_stmts(d, at, &s->setop.stmts) < 0 ? DEC_NOMEM : dec_add(d, s);
}

const struct dec_expr dec_expr_set[] = {
	{ "dynset", NFTA_DYNSET_EXPRESSIONS, do_dynset, false },
	{ NULL, 0, NULL, false },
};
